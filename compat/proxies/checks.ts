/** What a proxy adds, and what it must leave alone. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get as getHttp } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { get as getHttps } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { Check } from '../programs/check.ts'
import { Link, freshId } from '../programs/link.ts'
import type { Target } from '../programs/link.ts'

export interface ProxyTarget extends Target {
  /** Whether our server speaks TLS. */
  readonly tlsToServer: boolean
  /** Milliseconds of silence after which the proxy ends a connection. */
  readonly idle: number
}

interface Asked {
  readonly secure: boolean
  readonly origin?: string
  readonly remoteAddress: string
  readonly headers: readonly (readonly [string, string])[]
}

export const throughProxy: readonly Check<ProxyTarget>[] = [
  {
    name: '`upgrade` sees `X-Forwarded-For` and `X-Forwarded-Proto`',
    async run(target) {
      const link = await Link.open(target)
      const { headers, secure, remoteAddress } = (await link.askJson('!request')) as Asked
      const fields = new Map(headers)
      const scheme = target.url.startsWith('wss:') ? 'https' : 'http'
      assert.deepEqual([fields.get('x-forwarded-for'), fields.get('x-forwarded-proto')], ['127.0.0.1', scheme])
      // What our server says of the transport is about the proxy's.
      assert.deepEqual([secure, remoteAddress], [target.tlsToServer, '127.0.0.1'])
      await link.close()
    },
  },
  {
    name: 'the page of the same origin is let in, of another refused',
    async run(target) {
      const origin = target.url.replace(/^ws/, 'http')
      await (await Link.open(target, '/', { headers: { origin } })).close()
      const stranger = { headers: { origin: 'https://elsewhere.example' } }
      await assert.rejects(Link.open(target, '/', stranger), { status: 403 })
    },
  },
  {
    name: 'a page over the same port (`http`)',
    async run({ url, ca }) {
      assert.equal(await getPage(url.replace(/^ws/, 'http'), ca), 'a page')
    },
  },
  {
    name: 'the proxy ends who is silent for too long, and both sides are told',
    async run(target) {
      const id = freshId()
      const link = await Link.open(target, `/?id=${id}`)
      const { code, wasClean, initiator } = await link.ws.closed
      assert.deepEqual([code, wasClean, initiator], [1006, false, 'network'])
      const witness = await Link.open(target)
      const end = (await witness.askJson(`!closed ${id}`)) as { code: number; wasClean: boolean }
      assert.deepEqual([end.code, end.wasClean], [1006, false])
      await witness.close()
    },
  },
  {
    name: 'a `heartbeat` shorter than that keeps a silent connection open',
    async run(target) {
      const link = await Link.open(target, '/heartbeat')
      await delay(2 * target.idle)
      assert.equal(await link.ask('still here'), 'still here')
      await link.close()
    },
  },
]

async function getPage(url: string, ca: string): Promise<string> {
  const request = url.startsWith('https:') ? getHttps(url, { ca }) : getHttp(url)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return text(response)
}

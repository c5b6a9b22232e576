/** The other ways in which our server can be reached. Runs in Node, Bun and Deno. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'fullduplex'
import type { Check } from './check.ts'
import { Link } from './link.ts'
import type { Target } from './link.ts'
import type { Endpoints } from './stage.ts'

export const otherWays: readonly Check<Target & Endpoints>[] = [
  {
    name: '`wss:`, the certificate checked',
    async run({ wss, ca }) {
      await echoes({ url: wss, ca })
      await assert.rejects(connect(wss, { tls: {} }), { code: 'ERR_WS_CONNECT_FAILED' })
    },
  },
  {
    name: 'a Unix socket',
    async run(target) {
      await echoes(target, { socketPath: target.socketPath })
    },
  },
  {
    name: 'a page from an HTTP server on the same port (`http`)',
    async run({ ws }) {
      const response = await fetch(ws.replace('ws:', 'http:'))
      assert.deepEqual([response.status, await response.text()], [200, 'a page'])
    },
  },
  {
    name: 'on a server of node:http (`attach`)',
    run: ({ attached, ca }) => echoes({ url: attached, ca }),
  },
]

async function echoes(target: Target, options: { readonly socketPath?: string } = {}): Promise<void> {
  const link = await Link.open(target, '/', options)
  const octets = randomBytes(100_000)
  assert.deepEqual(await link.ask(octets), octets)
  assert.equal(await link.ask('text'), 'text')
  await link.close()
}

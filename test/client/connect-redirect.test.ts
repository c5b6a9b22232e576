/** `connect` that is redirected (RFC 9110 15.4): not followed, unless the user says how often. */
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/client/connect.ts'
import type { ConnectOptions } from '../../src/client/connect.ts'
import { attach, createHandler } from '../../src/server/index.ts'
import { createAuthority } from '../support/certificates.ts'
import type { Certificate } from '../support/certificates.ts'
import { failureOf } from '../support/connecting.ts'

let certificate: Certificate
let ca: string
beforeAll(async () => {
  const authority = await createAuthority()
  certificate = await authority.issue()
  ca = authority.cert
})

interface Asked {
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  /** Whether a certificate was shown. */
  readonly certified: boolean
}

interface Site {
  readonly authority: string
  readonly asked: Asked[]
}

/** A server that redirects what `locations` has, by path, and lets everybody else in. */
async function site(locations: Readonly<Record<string, string>>, secure = false, status = 302): Promise<Site> {
  const asked: Asked[] = []
  const server: Server = secure
    ? createSecureServer({ ...certificate, ca, requestCert: true, rejectUnauthorized: false })
    : createServer()
  const upgrade = ({ target }: { readonly target: string }) => {
    const location = locations[target]
    return location === undefined ? {} : { status, headers: { location }, body: 'elsewhere' }
  }
  attach(server, createHandler({ origins: 'any', protocols: ['chat'], upgrade }))
  server.prependListener('upgrade', ({ url, headers, socket }: IncomingMessage) => {
    asked.push({ url, headers, certified: secure && (socket as TLSSocket).getPeerCertificate().subject !== undefined })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => {
      server.close(resolve)
    })
  })
  return { authority: `localhost:${(server.address() as AddressInfo).port}`, asked }
}

describe('connect that is redirected', () => {
  it('fails and says where it was pointed to, unless redirects are allowed [6455:4.1-i01]', async () => {
    const { authority, asked } = await site({ '/a': '/b' })
    for (const options of [{}, { redirects: 0 }]) {
      const error = await failureOf(connect(`ws://${authority}/a`, options))
      expect(error).toMatchObject({ code: 'ERR_WS_UNEXPECTED_RESPONSE', status: 302, body: Buffer.from('elsewhere') })
      expect(error.message).toBe('The server answered with status 302 instead of 101. It points to "/b".')
      expect(error.headers.get('location')).toBe('/b')
    }
    expect(asked.map(({ url }) => url)).toEqual(['/a', '/a'])
  })

  it.each([301, 302, 303, 307, 308])(
    'follows %i with a new key, and tells where it got [6455:4.1-30]',
    async (status) => {
      const { authority, asked } = await site({ '/a?x': 'b' }, false, status)
      const ws = await connect(`ws://${authority}/a?x`, { redirects: 1, protocols: ['chat'] })
      expect([ws.url, ws.protocol]).toEqual([`ws://${authority}/b`, 'chat'])
      await ws.close()
      expect(asked.map(({ url }) => url)).toEqual(['/a?x', '/b'])
      const keys = asked.map(({ headers }) => headers['sec-websocket-key'])
      expect(new Set(keys).size).toBe(2)
      expect(asked.map(({ headers }) => headers['sec-websocket-protocol'])).toEqual(['chat', 'chat'])
    },
  )

  it('[V72] follows as many as it may, and has the last URL for its own', async () => {
    const { authority, asked } = await site({ '/1': '/2', '/2': '/3', '/3': '/4?q' })
    const ws = await connect(`ws://user:pass@${authority}/1`, { redirects: 3, message: () => {} })
    expect(ws.url).toBe(`ws://${authority}/4?q`)
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(
      Array.from({ length: 4 }, () => 'Basic dXNlcjpwYXNz'),
    )
    await ws.close()
    const error = await failureOf(connect(`ws://${authority}/1`, { redirects: 2 }))
    expect(error).toMatchObject({ code: 'ERR_WS_TOO_MANY_REDIRECTS', status: 302, body: Buffer.from('elsewhere') })
  })

  it('[V72] ends in a circle by the count', async () => {
    const { authority, asked } = await site({ '/a': '/b', '/b': '/a' })
    const error = await failureOf(connect(`ws://${authority}/a`, { redirects: 20 }))
    expect(error.code).toBe('ERR_WS_TOO_MANY_REDIRECTS')
    expect(asked).toHaveLength(21)
  })

  it('[V72] takes credentials and certificate along within the origin, and leaves them behind on the way to another', async () => {
    const last = await site({}, true)
    const first = await site({ '/': '/again', '/again': `https://${last.authority}/there` }, true)
    const headers = [
      ['Authorization', 'Bearer a'],
      ['Cookie', 'sid=1'],
      ['Proxy-Authorization', 'Basic b'],
      ['Origin', 'https://localhost'],
      ['X-Kept', 'c'],
    ] as const
    // An iterable that can be gone through once only.
    const options: ConnectOptions = { redirects: 2, headers: headers.values(), tls: { ca, ...certificate } }
    const ws = await connect(`wss://${first.authority}/`, options)
    expect(ws.url).toBe(`wss://${last.authority}/there`)
    const seen = [...first.asked, ...last.asked].map(
      ({ url, certified, headers: { host, authorization, cookie, ...rest } }) => [
        url,
        host,
        certified,
        authorization,
        cookie,
        rest['proxy-authorization'],
        rest['x-kept'],
      ],
    )
    expect(seen).toEqual([
      ['/', first.authority, true, 'Bearer a', 'sid=1', 'Basic b', 'c'],
      ['/again', first.authority, true, 'Bearer a', 'sid=1', 'Basic b', 'c'],
      ['/there', last.authority, false, undefined, undefined, undefined, 'c'],
    ])
    await ws.close()
  })

  it('[V72] goes from ws: to wss:, and never back', async () => {
    const plain = await site({})
    const secure = await site({ '/back': `http://${plain.authority}/` }, true)
    const first = await site({ '/': `https://${secure.authority}/`, '/back': `wss://${secure.authority}/back` })
    const ws = await connect(`ws://${first.authority}/`, { redirects: 1, tls: { ca } })
    expect(ws.url).toBe(`wss://${secure.authority}/`)
    await ws.close()
    const error = await failureOf(connect(`ws://${first.authority}/back`, { redirects: 5, tls: { ca } }))
    expect(error).toMatchObject({ code: 'ERR_WS_BAD_REDIRECT', status: 302 })
    expect(plain.asked).toEqual([])
  })

  it('fails with what is wrong at its end', async () => {
    const { authority } = await site({ '/a': 'http://localhost:1/', '/b': 'mailto:a@b' })
    expect(await failureOf(connect(`ws://${authority}/a`, { redirects: 1 }))).toMatchObject({
      code: 'ERR_WS_CONNECT_FAILED',
      cause: { code: 'ECONNREFUSED' },
    })
    expect(await failureOf(connect(`ws://${authority}/b`, { redirects: 1 }))).toMatchObject({
      code: 'ERR_WS_BAD_REDIRECT',
    })
  })

  it('goes on to be ended by its signal', async () => {
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    const { authority, asked } = await site({ '/a': '/a' })
    const lookup: ConnectOptions['lookup'] = (_, options, callback) => {
      if (asked.length === 2) controller.abort(reason)
      if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
      else callback(null, '127.0.0.1', 4)
    }
    const connecting = connect(`ws://${authority}/a`, { redirects: 20, signal: controller.signal, lookup })
    await expect(connecting).rejects.toBe(reason)
    expect(asked).toHaveLength(2)
  })
})

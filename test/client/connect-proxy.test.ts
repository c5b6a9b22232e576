/**
 * `connect` through an HTTP proxy: TLS to the proxy or not, TLS to the server or not. What a proxy may answer is in
 * `proxy.test.ts`; here is what becomes of sockets and timers, whatever it answers and whenever it stops.
 */
import { getEventListeners } from 'node:events'
import type { LookupFunction, Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { TLSSocket, createSecureContext } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect } from '../../src/client/connect.ts'
import type { ConnectOptions } from '../../src/client/connect.ts'
import type { Connection } from '../../src/connection/index.ts'
import { serve } from '../../src/server/index.ts'
import type { ServeOptions, WebSocketServer } from '../../src/server/index.ts'
import { createAuthority } from '../support/certificates.ts'
import type { Authority, Certificate } from '../support/certificates.ts'
import { failureOf, watchSockets } from '../support/connecting.ts'
import { tunnelProxy } from '../support/proxy.ts'
import { RawPeer, acceptance, rawServer } from '../support/raw-server.ts'
import { frame } from '../support/wire.ts'

let authority: Authority
/** Of the server, and of the proxy: each has another authority, that neither counts for the other. */
let certificate: Certificate
let ca: string
let proxyCertificate: Certificate
let proxyCa: string
beforeAll(async () => {
  authority = await createAuthority()
  certificate = await authority.issue({ names: 'DNS:server.example' })
  ca = authority.cert
  const other = await createAuthority()
  proxyCertificate = await other.issue()
  proxyCa = other.cert
})

/** The authorities have one name, and keys of their own. */
const UNTRUSTED = /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|CERT_SIGNATURE_FAILURE)$/

async function server(options: ServeOptions): Promise<WebSocketServer> {
  const started = await serve({ host: '127.0.0.1', port: 0, message: (ws, data) => ws.send(data), ...options })
  onTestFinished(() => started.shutdown({ timeout: 0 }))
  return started
}

/** What comes back of a message. */
async function echo(ws: Connection, text: string): Promise<unknown> {
  ws.send(text)
  for await (const message of ws) return message
  return 'nothing'
}

describe('connect through a proxy', () => {
  it.each([
    ['http', 'ws'],
    ['http', 'wss'],
    ['https', 'ws'],
    ['https', 'wss'],
  ])('by %s: to %s: [6455:4.1-10] [6455:4.1-14] [6455:4.1-17]', async (proxyScheme, scheme) => {
    const secure = scheme === 'wss'
    const heard: unknown[] = []
    const { port } = await server({
      ...(secure
        ? {
            tls: {
              ...certificate,
              SNICallback: (name, done) => (heard.push(name), done(null, createSecureContext(certificate))),
            },
          }
        : {}),
      upgrade: (request) =>
        void heard.push(request.headers.get('proxy-authorization'), request.headers.get('authorization')),
    })
    const proxy = await tunnelProxy({
      ...(proxyScheme === 'https' ? { tls: proxyCertificate } : {}),
      credentials: `Basic ${Buffer.from('proxy-user:p@ss').toString('base64')}`,
    })
    const ws = await connect(`${scheme}://server.example:${port}/chat`, {
      proxy: {
        url: proxy.url.replace('localhost', 'proxy-user:p%40ss@localhost'),
        headers: { 'X-Proxy': 'a' },
        tls: { ca: proxyCa },
      },
      headers: { authorization: 'Bearer a' },
      tls: { ca },
    })
    expect(await echo(ws, 'through')).toBe('through')
    const long = 'long '.repeat(100_000)
    expect(await echo(ws, long)).toBe(long)
    expect(await ws.close(1000)).toMatchObject({ code: 1000, wasClean: true })
    expect(ws.url).toBe(`${scheme}://server.example:${port}/chat`)
    // Neither sees what is for the other.
    expect(heard).toEqual([...(secure ? ['server.example'] : []), undefined, 'Bearer a'])
    const [{ url, headers }] = proxy.requests
    expect([url, headers.host, headers['x-proxy'], headers.authorization]).toEqual([
      `server.example:${port}`,
      `server.example:${port}`,
      'a',
      undefined,
    ])
    await vi.waitFor(() => expect(proxy.sockets.size).toBe(0))
  })

  it('takes the one of the environment, only when asked', async () => {
    const { port } = await server({})
    const proxy = await tunnelProxy()
    vi.stubEnv('http_proxy', proxy.url)
    vi.stubEnv('no_proxy', '127.0.0.1')
    onTestFinished(() => void vi.unstubAllEnvs())
    for (const [host, options, count] of [
      ['localhost', {}, 0],
      ['127.0.0.1', { proxy: 'environment' }, 0],
      ['localhost', { proxy: 'environment' }, 1],
    ] as const) {
      const ws = await connect(`ws://${host}:${port}`, options)
      await ws.close()
      expect(proxy.requests).toHaveLength(count)
    }
    vi.stubEnv('http_proxy', 'socks5://proxy')
    expect(() => connect('ws://a', { proxy: 'environment' })).toThrow(/^http_proxy must be/)
  })

  it('asks for an IPv6 address in brackets', async () => {
    const { port } = await server({ host: '::1' })
    const proxy = await tunnelProxy()
    const ws = await connect(`ws://[::1]:${port}`, { proxy: proxy.url })
    expect(proxy.requests[0].url).toBe(`[::1]:${port}`)
    await ws.close()
  })

  it('looks up the name of the proxy, and leaves that of the server to it', async () => {
    const { port } = await server({})
    const proxy = await tunnelProxy()
    const names: string[] = []
    const lookup: LookupFunction = (host, options, callback) => {
      names.push(host)
      if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
      else callback(null, '127.0.0.1', 4)
    }
    const ws = await connect(`ws://server.example:${port}`, { proxy: `http://proxy.example:${proxy.port}`, lookup })
    expect(names).toEqual(['proxy.example'])
    await ws.close()
  })

  it('lets each host name have its turn [6455:4.1-08] [6455:4.1-09]', async () => {
    const raw = await rawServer()
    const proxy = `http://localhost:${raw.port}`
    const controller = new AbortController()
    const options = { proxy, signal: controller.signal }
    const attempts = ['ws://a.example', 'ws://b.example', 'ws://a.example/again'].map((uri) => connect(uri, options))
    const heads = [await (await raw.accept()).readHead(), await (await raw.accept()).readHead()]
    await setImmediate()
    expect(raw.accepted).toBe(2)
    expect(heads.map((head) => head.slice(0, 20)).toSorted()).toEqual(['CONNECT a.example:80', 'CONNECT b.example:80'])
    controller.abort()
    for (const attempt of attempts) await expect(attempt).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('goes through a proxy again when it is redirected, and asks it for the other server', async () => {
    const last = await server({})
    const location = `http://last.example:${last.port}/`
    const first = await server({ upgrade: () => ({ status: 302, headers: { location } }) })
    const proxy = await tunnelProxy()
    const ws = await connect(`ws://first.example:${first.port}`, { proxy: proxy.url, redirects: 1 })
    expect(ws.url).toBe(`ws://last.example:${last.port}/`)
    expect(proxy.requests.map(({ url }) => url)).toEqual([`first.example:${first.port}`, `last.example:${last.port}`])
    await ws.close()
  })

  it('tells of a proxy that wants credentials', async () => {
    const proxy = await tunnelProxy({ credentials: 'Basic eDp5' })
    const error = await failureOf(connect('ws://server.example', { proxy: proxy.url }))
    expect(error).toMatchObject({ code: 'ERR_WS_PROXY_REFUSED', status: 407, body: Buffer.from('log in') })
    expect(error.message).toContain('The proxy answered with status 407')
    expect(error.headers.get('proxy-authenticate')).toBe('Basic')
  })

  it('tells of a proxy that cannot be reached', async () => {
    const raw = await rawServer()
    const { port } = raw
    await raw.close()
    expect(await failureOf(connect('ws://server.example', { proxy: `http://localhost:${port}` }))).toMatchObject({
      code: 'ERR_WS_PROXY_FAILED',
      message: `Cannot connect to the proxy http://localhost:${port}: ECONNREFUSED; the cause of this error tells more`,
    })
  })

  it('trusts neither a proxy nor a server for the other', async () => {
    const { port } = await server({ tls: certificate })
    const proxy = await tunnelProxy({ tls: proxyCertificate })
    const uri = `wss://server.example:${port}`
    const { url } = proxy
    for (const [options, code] of [
      [{ proxy: url, tls: { ca: [ca, proxyCa] } }, 'ERR_WS_PROXY_FAILED'],
      [{ proxy: { url, tls: { ca } }, tls: { ca } }, 'ERR_WS_PROXY_FAILED'],
      [{ proxy: { url, tls: { ca: proxyCa } } }, 'ERR_WS_CONNECT_FAILED'],
      [{ proxy: { url, tls: { ca: [ca, proxyCa], rejectUnauthorized: false } }, tls: {} }, 'ERR_WS_CONNECT_FAILED'],
    ] as [ConnectOptions, string][]) {
      const error = await failureOf(connect(uri, options))
      expect([error.code, (error.cause as { code: string }).code]).toEqual([code, expect.stringMatching(UNTRUSTED)])
    }
    // A certificate of the right authority for another name.
    const other = { proxy: { url, tls: { ca: proxyCa } }, tls: { ca } }
    expect(await failureOf(connect(uri.replace('server.example', 'other.example'), other))).toMatchObject({
      code: 'ERR_WS_CONNECT_FAILED',
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
    await vi.waitFor(() => expect(proxy.sockets.size).toBe(0))
  })
})

const OPEN = 'HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n'

/** A proxy that is played by the test, from where it has been asked. */
async function attemptAt(
  scheme: 'ws' | 'wss',
  options: ConnectOptions = {},
): Promise<{ connecting: Promise<Connection>; peer: RawPeer; sockets: Socket[] }> {
  const raw = await rawServer()
  const sockets = watchSockets()
  const connecting = connect(`${scheme}://server.example/`, {
    proxy: `http://localhost:${raw.port}`,
    tls: { ca },
    ...options,
  })
  connecting.catch(() => {})
  const peer = await raw.accept()
  await peer.readHead()
  return { connecting, peer, sockets }
}

/** The server behind the tunnel, in the place of the proxy. */
function tlsServer(peer: RawPeer): RawPeer {
  peer.socket.removeAllListeners('data')
  peer.socket.removeAllListeners('end')
  const socket = new TLSSocket(peer.socket, { isServer: true, ...certificate })
  return new RawPeer(socket)
}

describe('a tunnel', () => {
  it('begins behind the head, and loses nothing that came with it [9112-6.3-02]', async () => {
    const { connecting, peer } = await attemptAt('ws', { headers: { origin: 'null' } })
    // A server that speaks before it is asked answers nobody's key: but all it says is heard.
    peer.write(
      `${OPEN.replace('Via', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\nVia')}HTTP/1.1 103 Early Hints\r\n`,
    )
    const request = await peer.readHead()
    expect(request).toMatch(/^GET \/ HTTP\/1.1\r\nHost: server.example\r\n/)
    peer.write(Buffer.concat([Buffer.from(`\r\n${acceptance(request)}`), frame(0x81, 'behind')]))
    const ws = await connecting
    for await (const message of ws) {
      expect(message).toBe('behind')
      break
    }
    ws.terminate()
  })

  it.each(['ws', 'wss'] as const)('to %s: opens however the answer is cut', async (scheme) => {
    for (let cut = 1; cut < OPEN.length; cut += 9) {
      const { connecting, peer } = await attemptAt(scheme)
      await peer.flush(Buffer.from(OPEN.slice(0, cut)))
      await setImmediate()
      peer.write(OPEN.slice(cut))
      const end = scheme === 'wss' ? tlsServer(peer) : peer
      end.write(Buffer.concat([Buffer.from(acceptance(await end.readHead())), frame(0x81, 'cut')]))
      const ws = await connecting
      for await (const message of ws) {
        expect(message).toBe('cut')
        break
      }
      ws.terminate()
    }
  })

  it('goes on as any connection: it closes, and tells what goes wrong', async () => {
    const { connecting, peer, sockets } = await attemptAt('wss')
    peer.write(OPEN)
    const end = tlsServer(peer)
    end.write(acceptance(await end.readHead()))
    const ws = await connecting
    peer.socket.resetAndDestroy()
    expect(await ws.closed).toMatchObject({ code: 1006, initiator: 'network' })
    await vi.waitFor(() => expect(sockets.map((socket) => socket.destroyed)).toEqual([true]))
  })
})

describe('a proxy that stops', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it.each([
    ['ws', 'RST'],
    ['ws', 'FIN'],
    ['wss', 'RST'],
    ['wss', 'FIN'],
  ] as const)('on the way to %s:, at any octet of its answer, by %s, leaves nothing behind', async (scheme, how) => {
    for (let octets = 0; octets <= OPEN.length; octets++) {
      const { connecting, peer, sockets } = await attemptAt(scheme)
      if (octets > 0) await peer.flush(Buffer.from(OPEN.slice(0, octets)))
      if (how === 'RST') peer.socket.resetAndDestroy()
      else peer.socket.end()
      const error = await failureOf(connecting)
      const codes = octets < OPEN.length ? ['ERR_WS_PROXY_FAILED'] : ['ERR_WS_CONNECT_FAILED', 'ERR_WS_NO_RESPONSE']
      // A reset may overtake the last octets.
      if (octets === OPEN.length && how === 'RST') codes.push('ERR_WS_PROXY_FAILED')
      expect(codes).toContain(error.code)
      expect(sockets.map((socket) => socket.destroyed)).toEqual(sockets.map(() => true))
      expect(vi.getTimerCount()).toBe(0)
      peer.socket.destroy()
    }
  })

  it.each([
    ['before it answers', ''],
    ['in its answer', 'HTTP/1.1 200 Conn'],
    ['in front of the server', OPEN],
  ])('without a word, %s, is given up at the deadline', async (_, answer) => {
    for (const scheme of ['ws', 'wss'] as const) {
      const { connecting, peer, sockets } = await attemptAt(scheme)
      if (answer !== '') await peer.flush(Buffer.from(answer))
      // The next step has begun: a request, or the first record of TLS.
      if (answer === OPEN) await peer.read(5)
      vi.advanceTimersByTime(10_000)
      expect(await failureOf(connecting)).toMatchObject({ code: 'ERR_WS_HANDSHAKE_TIMEOUT' })
      expect(sockets.every((socket) => socket.destroyed)).toBe(true)
      expect(vi.getTimerCount()).toBe(0)
      await peer.readEnd()
    }
  })

  it('in the body of a refusal still has refused', async () => {
    const { connecting, peer, sockets } = await attemptAt('ws')
    const part = 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\nhalf'
    peer.write(part)
    while (sockets[0].bytesRead < part.length) await setImmediate()
    vi.advanceTimersByTime(10_000)
    expect(await failureOf(connecting)).toMatchObject({
      code: 'ERR_WS_PROXY_REFUSED',
      status: 502,
      body: Buffer.from('half'),
    })
  })
})

describe('the signal of a connect through a proxy', () => {
  const reason = new Error('changed my mind')

  /** Up to where it waits, and who sees its end there. */
  const stages: [string, 'http' | 'https', 'ws' | 'wss', (peer: RawPeer) => Promise<RawPeer>][] = [
    [
      'TLS to the proxy',
      'https',
      'ws',
      async (peer) => {
        await peer.read(5)
        return peer
      },
    ],
    [
      'the answer of the proxy',
      'http',
      'ws',
      async (peer) => {
        await peer.readHead()
        return peer
      },
    ],
    [
      'the rest of it',
      'http',
      'ws',
      async (peer) => {
        await peer.readHead()
        await peer.flush(Buffer.from('HTTP/1.1 2'))
        await setImmediate()
        return peer
      },
    ],
    [
      'TLS to the server',
      'http',
      'wss',
      async (peer) => {
        await peer.readHead()
        peer.write(OPEN)
        await peer.read(5)
        return peer
      },
    ],
    [
      'the answer of the server',
      'http',
      'ws',
      async (peer) => {
        await peer.readHead()
        peer.write(OPEN)
        await peer.readHead()
        return peer
      },
    ],
    [
      'the answer of the server in TLS',
      'http',
      'wss',
      async (peer) => {
        await peer.readHead()
        peer.write(OPEN)
        const end = tlsServer(peer)
        await end.readHead()
        return end
      },
    ],
  ]

  it.each(stages)('ends it while it waits for %s', async (_, proxyScheme, scheme, wait) => {
    const raw = await rawServer()
    const sockets = watchSockets()
    const controller = new AbortController()
    const connecting = connect(`${scheme}://server.example/`, {
      proxy: `${proxyScheme}://localhost:${raw.port}`,
      signal: controller.signal,
      tls: { ca },
    })
    connecting.catch(() => {})
    const end = await wait(await raw.accept())
    controller.abort(reason)
    await expect(connecting).rejects.toBe(reason)
    expect(sockets.map((socket) => socket.destroyed)).toEqual(sockets.map(() => true))
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    await end.readEnd()
    // What they may still say does no harm.
    for (const socket of sockets) expect(socket.emit('error', new Error('late'))).toBe(true)
  })

  it('ends it while it connects to the proxy', async () => {
    const raw = await rawServer()
    const sockets = watchSockets()
    const controller = new AbortController()
    const options = { proxy: `http://localhost:${raw.port}`, signal: controller.signal, oneAtATime: false }
    const connecting = connect('ws://server.example/', options)
    expect(sockets.map((socket) => socket.connecting)).toEqual([true])
    controller.abort(reason)
    await expect(connecting).rejects.toBe(reason)
    expect(sockets[0].destroyed).toBe(true)
  })

  it('may abort between two steps', async () => {
    // How many steps of the microtask queue lie between the answer of the proxy and the next request, nobody needs to know.
    for (let steps = 0; steps < 12; steps++) {
      const controller = new AbortController()
      const { connecting, peer, sockets } = await attemptAt('wss', { signal: controller.signal })
      const arrived = new Promise<void>((resolve) => {
        sockets[0].prependOnceListener('data', () => {
          void (async () => {
            for (let step = 0; step < steps; step++) await Promise.resolve()
            controller.abort(reason)
            resolve()
          })()
        })
      })
      peer.write(OPEN)
      await arrived
      await expect(connecting).rejects.toBe(reason)
      expect(sockets.map((socket) => socket.destroyed)).toEqual(sockets.map(() => true))
    }
  })
})

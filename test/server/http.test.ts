/** The `http` option: one port for WebSocket and for a web application, which sees every byte as it came. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createHandler } from '../../src/server/handler.ts'
import { serve } from '../../src/server/server.ts'
import { handshake } from '../support/heads.ts'
import type { RawClient } from '../support/raw-client.ts'
import { received } from '../support/wire.ts'
import { Event, TCP, TLS, TRANSPORTS, dial as dialHttp, fakeClock, listenHttp, start } from './support.ts'

const HELLO = received('server', 0x81, 'Hello')
const echo = createHandler

/** An application that answers with what it was asked: method, target, and the body. */
function application(): HttpServer & { readonly requests: IncomingMessage[] } {
  const requests: IncomingMessage[] = []
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(request)
    const body: Buffer[] = []
    request.on('data', (chunk: Buffer) => body.push(chunk))
    request.on('end', () => response.end(`${request.method} ${request.url} ${Buffer.concat(body).toString()}`.trim()))
  }
  return Object.assign(createServer(listener), { requests })
}

function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
}

async function expectEcho(client: RawClient, path = '/chat'): Promise<void> {
  client.write(Buffer.concat([Buffer.from(handshake({}, `GET ${path} HTTP/1.1`)), HELLO]))
  expect((await client.readHead()).status).toBe(101)
  expect(await client.readText()).toBe('Hello')
  expect(await client.write(HELLO).readText()).toBe('Hello')
}

describe.each(TRANSPORTS)('Over $name', (transport) => {
  it('plain requests reach the HTTP server, and upgrades do not [9110-7.8-01]', async () => {
    const http = application()
    let given = 0
    http.on('connection', () => given++)
    const { dial } = await start({ http, message: (ws, data) => ws.send(data) }, transport)
    const client = await dial()
    expect((await client.write(get('/a?b=c')).readResponse()).body).toBe('GET /a?b=c')
    expect(client.ended).toBe(false)
    await expectEcho(await dial())
    // RFC 9112 9.3: the connection persists, and may be upgraded later.
    expect((await client.write(get('/again')).readResponse()).body).toBe('GET /again')
    await expectEcho(client)
    expect(http.requests.map(({ url }) => url)).toEqual(['/a?b=c', '/again'])
    expect(given).toBe(1)
  })

  it('bodies, pipelined requests and single octets reach it as they came', async () => {
    const { dial } = await start({ http: application(), message: () => {} }, transport)
    const client = await dial()
    const post = 'POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody'
    const chunked = 'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
    client.write(`${post}${get('/1')}${chunked}${get('/2')}`)
    for (const body of ['POST /p body', 'GET /1', 'POST /c abcde', 'GET /2']) {
      expect((await client.readResponse()).body).toBe(body)
    }
    const slow = await dial()
    await slow.drip(`${post}${chunked}`)
    expect((await slow.readResponse()).body).toBe('POST /p body')
    expect((await slow.readResponse()).body).toBe('POST /c abcde')
  })

  it('a large body reaches it whole', async () => {
    const { dial } = await start({ http: application(), message: () => {} }, transport)
    const body = 'x'.repeat(300_000)
    const client = await dial()
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    expect((await client.readResponse()).body).toBe(`POST / ${body}`)
  })
})

describe('What is no opening handshake', () => {
  it.each<[status: number, what: string, request: string]>([
    [400, 'malformed', 'GET / HTTP/1.1\r\nBad Field: x\r\n\r\n'],
    [400, 'no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    [431, 'oversize', get('/', `X: ${'x'.repeat(20_000)}\r\n`)],
  ])('is answered with %i by node:http itself when it is %s', async (status, _what, request) => {
    const { dial } = await start({ http: application(), message: () => {} })
    const client = (await dial()).write(request)
    const { startLine } = await client.readHead()
    expect(startLine).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    const alone = await dialHttp({ port: await listenHttp(createServer()) })
    expect((await alone.write(request).readHead()).startLine).toBe(startLine)
  })

  it('may be a head that we would not read, but node:http does', async () => {
    const { dial } = await start({ http: application(), headLimits: { maxFieldLineSize: 100 }, message: () => {} })
    const client = (await dial()).write(get('/long', `X: ${'x'.repeat(200)}\r\n`))
    expect((await client.readResponse()).body).toBe('GET /long')
  })

  it('may ask for another protocol: it is served as if it had not asked [9110-7.8-01]', async () => {
    const http = application()
    const { dial } = await start({ http, message: (ws, data) => ws.send(data) })
    const client = await dial()
    const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'
    expect((await client.write(get('/h2c', h2c)).readResponse()).body).toBe('GET /h2c')
    const post = `POST /h2c HTTP/1.1\r\nHost: a\r\nX: caf\xe9\r\nContent-Length: 4\r\n${h2c}\r\nbody`
    // Where Node asks before, it serves that one itself, as it came, and forgets what stands behind it.
    const isAsked = 'shouldUpgradeCallback' in http
    const [first, then] = isAsked ? [post, get('/next')] : [post + get('/next'), '']
    expect((await client.write(first).readResponse()).body).toBe('POST /h2c body')
    expect((await client.write(then).readResponse()).body).toBe('GET /next')
    expect(http.requests.map(({ headers }) => headers.upgrade)).toEqual([
      undefined,
      isAsked ? 'h2c' : undefined,
      undefined,
    ])
    expect(http.requests[1].headers).toMatchObject({ x: 'caf\xe9', 'http2-settings': 'AAMAAABk' })
    await expectEcho(client)
  })

  it('may ask for another protocol in front of further requests, which are served as well', async () => {
    const { dial } = await start({ http: application(), message: () => {} })
    const client = (await dial()).write(get('/h2c', 'Connection: Upgrade\r\nUpgrade: h2c\r\n') + get('/next'))
    expect((await client.readResponse()).body).toBe('GET /h2c')
    expect((await client.readResponse()).body).toBe('GET /next')
  })

  it.each([
    [true, 'a request for WebSocket', { upgrade: 'WebSocket', 'content-length': '4' }],
    [true, 'no body', { upgrade: 'h2c' }],
    [true, 'an empty body', { upgrade: 'h2c', 'content-length': '0' }],
    [false, 'a body', { upgrade: 'h2c', 'content-length': '4' }],
    [false, 'a body in chunks', { upgrade: 'h2c', 'transfer-encoding': 'chunked' }],
  ])('is upgraded where Node asks before: %s for %s', async (answer, _what, headers) => {
    const before = vi.fn<(request: IncomingMessage) => boolean>().mockReturnValue(true)
    const http = Object.assign(application(), { shouldUpgradeCallback: before })
    const { server } = await start({ http, message: () => {} })
    const ask = (): boolean => http.shouldUpgradeCallback({ headers } as IncomingMessage)
    expect(ask()).toBe(answer)
    before.mockReturnValue(false)
    expect(ask()).toBe(false)
    // Somebody else may know what to do with it.
    http.on('upgrade', () => {})
    expect(ask()).toBe(false)
    before.mockReturnValue(true)
    expect(ask()).toBe(true)
    await server.shutdown()
    expect(http.shouldUpgradeCallback).toBe(before)
  })

  it('is left to others who listen for upgrades on the HTTP server', async () => {
    const http = application()
    http.on('upgrade', (request, socket) => {
      if (request.url === '/other') socket.end('HTTP/1.1 299 Other\r\n\r\n')
    })
    const { dial } = await start({ http, path: '/chat', message: (ws, data) => ws.send(data) })
    const h2c = await dial()
    expect((await h2c.write(get('/other', 'Connection: Upgrade\r\nUpgrade: other\r\n')).readHead()).status).toBe(299)
    const later = await dial()
    await later.write(get('/first')).readResponse()
    expect((await later.write(handshake({}, 'GET /other HTTP/1.1')).readHead()).status).toBe(299)
    const ours = await dial()
    await ours.write(get('/first')).readResponse()
    await expectEcho(ours)
  })

  it('may come from a client that has ended its side, if the HTTP server waits for that', async () => {
    const http = createServer(({ socket }, response) => {
      socket.once('end', () => setImmediate(() => response.end('still')))
    })
    Object.assign(http, { httpAllowHalfOpen: true })
    const { dial } = await start({ http, message: () => {} })
    expect((await (await dial()).write(get('/')).end().readResponse()).body).toBe('still')
  })

  it('has no say in what happens to its connection afterwards: its first bytes were only read once', async () => {
    const pass = fakeClock()
    const { dial } = await start({ http: application(), handshakeTimeout: 1_000, message: () => {} })
    const client = await dial()
    await client.write(get('/')).readResponse()
    pass(5_000)
    expect((await client.write(get('/later')).readResponse()).body).toBe('GET /later')
  })
})

describe('An upgrade on a connection that began with plain requests', () => {
  it('finds its handler among the routes', async () => {
    const named = (name: string) => echo({ message: (ws) => ws.send(name) })
    const { dial } = await start({ http: application(), routes: { '/chat': named('chat'), '/game': named('game') } })
    for (const [path, answer] of [
      ['/chat', 'chat'],
      ['/game', 'game'],
      ['/nothing', 404],
    ] as const) {
      const client = await dial()
      await client.write(get('/page')).readResponse()
      client.write(Buffer.concat([Buffer.from(handshake({}, `GET ${path} HTTP/1.1`)), HELLO]))
      const { status } = await client.readHead()
      expect(status === 101 ? await client.readText() : status).toBe(answer)
    }
  })

  it('is subject to the same rules, limits and reports', async () => {
    const told: string[] = []
    const { dial } = await start({
      http: application(),
      maxPendingHandshakes: 1,
      upgrade: () => new Promise<undefined>(() => {}),
      handshakeError: ({ message }) => told.push(message),
    })
    const later = async (): Promise<RawClient> => {
      const client = await dial()
      await client.write(get('/page')).readResponse()
      return client
    }
    const [waiting, full, bad] = [await later(), await later(), await later()]
    expect((await bad.write(handshake({ 'Sec-WebSocket-Version': '8' })).readResponse()).status).toBe(426)
    bad.end()
    await bad.closed
    waiting.write(handshake())
    expect((await full.write(handshake()).readResponse()).status).toBe(503)
    expect(told).toHaveLength(2)
  })
})

describe('Shutting down', () => {
  it('leaves nothing: when it has settled, every transport has closed and no timer runs', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const http = createServer(() => {})
    const closed: Socket[] = []
    http.on('connection', (socket) => socket.once('close', () => closed.push(socket)))
    const { server, dial } = await start({ http, message: () => {} })
    for (let n = 0; n < 2; n++) {
      const asked = once(http, 'request')
      ;(await dial()).write(get('/'))
      await asked
    }
    const down = server.shutdown({ timeout: 1_000 })
    vi.advanceTimersByTime(1_000)
    await down
    expect([closed.length, vi.getTimerCount()]).toEqual([2, 0])
  })

  it('ends idle connections at once and busy ones when they have answered', async () => {
    const asked = new Event<ServerResponse>()
    const http = createServer((request, response) => {
      if (request.url === '/slow') asked.happen(response)
      else response.end()
    })
    let closed = 0
    http.on('close', () => closed++)
    const { server, dial } = await start({ http, message: () => {} })
    const [idle, busy] = [await dial(), await dial()]
    await idle.write(get('/')).readResponse()
    busy.write(get('/slow'))
    const response = await asked.happened
    let over = false
    const down = server.shutdown({ timeout: 60_000 }).then(() => {
      over = true
    })
    await idle.readToEnd()
    idle.end()
    await idle.closed
    expect(over).toBe(false)
    response.end('at last')
    expect((await busy.readResponse()).body).toBe('at last')
    await busy.readToEnd()
    busy.end()
    await down
    expect([closed, http.listenerCount('upgrade')]).toEqual([1, 0])
  })

  it('ends those that do not answer after the timeout', async () => {
    const asked = new Event()
    const http = createServer(() => asked.happen())
    const { server, dial } = await start({ http, message: () => {} })
    const busy = (await dial()).write(get('/'))
    await asked.happened
    await server.shutdown({ timeout: 20 })
    expect(String(await busy.readToEnd())).toBe('')
  })

  it('leaves an HTTP server that can be served again', async () => {
    const http = application()
    for (let turn = 0; turn < 2; turn++) {
      const { server, dial } = await start({ http, message: (ws, data) => ws.send(data) })
      const client = await dial()
      expect((await client.write(get('/')).readResponse()).body).toBe('GET /')
      await expectEcho(client)
      await server.shutdown({ timeout: 0 })
    }
  })
})

describe('The option', () => {
  it.each<[what: string, http: unknown]>([
    ['a server of node:https', createHttpsServer()],
    ['an application', () => {}],
    ['an object', {}],
    ['null', null],
  ])('rejects %s with a TypeError', async (_what, http) => {
    await expect(serve({ port: 0, http: http as HttpServer, message: () => {} })).rejects.toThrow(TypeError)
  })

  it('leaves nothing at the HTTP server when the port is taken', async () => {
    const { server } = await start({ message: () => {} }, TCP)
    const http = createServer()
    const before = http.listenerCount('upgrade')
    await expect(serve({ host: '127.0.0.1', port: server.port ?? 0, http })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    expect(http.listenerCount('upgrade')).toBe(before)
  })

  it('serves https together with `tls`', async () => {
    const http = application()
    const { dial } = await start({ http, message: () => {} }, TLS)
    expect((await (await dial()).write(get('/secure')).readResponse()).body).toBe('GET /secure')
    expect(Object.hasOwn(http.requests[0].socket, 'encrypted')).toBe(true)
  })
})

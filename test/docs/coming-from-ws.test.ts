/**
 * docs/coming-from-ws.md tells the truth: both of each pair of examples do what the page says, and no option, event, method or
 * property of ws is missing from its tables.
 */
import { once } from 'node:events'
import type { EventEmitter } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket, WebSocketServer as WsServer } from 'ws'
import type { ClientOptions } from 'ws'
import { connect, serve } from 'fullduplex'
import type { ConnectOptions, Connection, HandshakeError, WebSocketServer } from 'fullduplex'
import { seen } from './context.ts'
import { listen } from './snippets/coming-from-ws/browser-like.ts'
import { listen as listenWithWs } from './snippets/coming-from-ws/browser-like-ws.ts'
import { client, refused, returning } from './snippets/coming-from-ws/clients.ts'
import { backpressure, broadcast, control, heartbeat, streams } from './snippets/coming-from-ws/sending.ts'
import * as servers from './snippets/coming-from-ws/servers.ts'

afterEach(() => {
  seen.length = 0
  vi.restoreAllMocks()
})

/** On a machine that has much else to do, too. */
function eventually(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 10_000 })
}

/** Where a server of either library is reached; it ends with the test. */
async function urlOf(started: WsServer | WebSocketServer | Promise<WebSocketServer>): Promise<string> {
  if (!(started instanceof WsServer)) {
    const server = await started
    onTestFinished(() => server.shutdown({ timeout: 0 }))
    return server.url
  }
  if (started.address() === null) await once(started, 'listening')
  onTestFinished(() => {
    for (const ws of started.clients) ws.terminate()
    started.close()
  })
  return `ws://localhost:${(started.address() as AddressInfo).port}`
}

/** A client that ends with the test, and the messages that came to it so far. */
async function join(url: string, options?: ConnectOptions): Promise<{ ws: Connection; messages: unknown[] }> {
  const messages: unknown[] = []
  const ws = await connect(url, { message: (_ws, message) => void messages.push(message), ...options })
  onTestFinished(() => ws.terminate())
  return { ws, messages }
}

/** A connection of ws, open. */
async function wsClient(url: string): Promise<WebSocket> {
  const ws = new WebSocket(url)
  onTestFinished(() => ws.terminate())
  await once(ws, 'open')
  return ws
}

const cookie = 'sid=valid'
const origin = 'https://app.example'

describe.each(['ws', 'fullduplex'] as const)('a server with %s', (library) => {
  it('echoes text as text, and octets as octets', async () => {
    const { ws, messages } = await join(await urlOf(servers.echo[library](0)))
    ws.send('hello')
    ws.send(Buffer.from([1, 2]))
    await eventually(() => expect(messages).toEqual(['hello', Buffer.from([1, 2])]))
  })

  it('knows what came with the handshake', async () => {
    const { ws, messages } = await join(`${await urlOf(servers.known[library](0))}/?name=Ada`)
    ws.send('hi')
    await eventually(() => expect(messages).toEqual(['Ada: hi']))
  })

  it('lets in whom it knows, on an HTTP server that exists', async () => {
    const httpServer = createServer()
    servers.onHttpServer[library](httpServer)
    await once(httpServer.listen(0), 'listening')
    onTestFinished(() => void httpServer.close())
    const url = `ws://localhost:${(httpServer.address() as AddressInfo).port}`
    const { messages } = await join(`${url}/chat`, { headers: { cookie } })
    await eventually(() => expect(messages).toEqual(['welcome']))
    await expect(connect(`${url}/chat`)).rejects.toMatchObject({ status: 401 })
    await expect(connect(`${url}/game`, { headers: { cookie } })).rejects.toMatchObject({ status: 404 })
  })

  it('asks who it is, and where the page came from', async () => {
    const url = await urlOf(servers.verified[library](0))
    await join(url, { headers: { cookie } })
    await join(url, { headers: { cookie, origin } })
    const refusal: unknown = await connect(url).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ status: 401 })
    expect((refusal as HandshakeError).headers.get('www-authenticate')).toBe('Bearer')
    const headers = { cookie, origin: 'https://evil.example' }
    await expect(connect(url, { headers })).rejects.toMatchObject({ status: 403 })
  })

  it('chooses a subprotocol by its own preference', async () => {
    const url = await urlOf(servers.protocols[library](0))
    expect((await join(url, { protocols: ['chat.v1', 'chat.v2'] })).ws.protocol).toBe('chat.v2')
    expect((await join(url, { protocols: ['chat.v1'] })).ws.protocol).toBe('chat.v1')
    expect((await join(url, { protocols: ['chat.v0'] })).ws.protocol).toBe('')
  })

  it('refuses a message that is too big', async () => {
    vi.spyOn(console, 'error').mockReturnValue()
    const { ws } = await join(await urlOf(servers.limits[library](0)))
    ws.send(Buffer.alloc(64 * 1024 + 1))
    expect(await ws.closed).toMatchObject({ code: 1009, initiator: 'peer' })
  })

  it('compresses, each message by itself', async () => {
    const { ws, messages } = await join(await urlOf(servers.compression[library](0)), { perMessageDeflate: true })
    expect(ws.extensions).toBe('permessage-deflate; server_no_context_takeover; client_no_context_takeover')
    await eventually(() => expect(messages).toEqual(['a'.repeat(2000)]))
  })

  it('tells of ends, of errors, and of handshakes that failed', async () => {
    const log = vi.fn<(...told: unknown[]) => void>()
    const url = await urlOf(servers.ends[library](0, log))
    const { ws } = await join(url)
    await ws.close(4000, 'enough')
    const more = library === 'ws' ? [] : [true, 'peer', undefined]
    await eventually(() => expect(log).toHaveBeenCalledWith(4000, 'enough', ...more))
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
    const request = httpRequest(url.replace('ws:', 'http:'), { headers, agent: false })
    request.on('error', () => {}).on('response', (response) => response.resume())
    request.end()
    await eventually(() => expect(log).toHaveBeenCalledWith(expect.stringContaining('Sec-WebSocket-Key')))
  })

  it('shuts down in order', async () => {
    const started = library === 'ws' ? new WsServer({ port: 0 }) : await serve({ port: 0 })
    const { ws } = await join(await urlOf(started))
    const done = started instanceof WsServer ? servers.shutdown.ws(started) : servers.shutdown.fullduplex(started)
    expect(await ws.closed).toMatchObject({ code: 1001, wasClean: true, initiator: 'peer' })
    await done
  })

  it('sends to all others', async () => {
    const url = await urlOf(broadcast[library](0))
    const [one, two, three] = [await join(url), await join(url), await join(url)]
    one.ws.send('hi')
    await eventually(() => expect([two.messages, three.messages]).toEqual([['hi'], ['hi']]))
    expect(one.messages).toEqual([])
  })

  it('ends a connection whose peer has gone silently', async () => {
    const dead = new WebSocket(await urlOf(heartbeat[library](0, 50)), { autoPong: false })
    const [code] = await once(dead, 'close')
    expect(code).toBe(1006)
  })
})

describe.each(['ws', 'fullduplex'] as const)('a client with %s', (library) => {
  it('talks', async () => {
    const url = await urlOf(
      serve({
        protocols: ['chat.v2'],
        upgrade: (request) => (request.cookies.get('sid') === 'valid' ? undefined : { status: 401 }),
        message(ws, data) {
          ws.send(data)
          ws.send(Buffer.from([1]))
          ws.send('bye')
        },
      }),
    )
    const log = vi.fn<(...told: unknown[]) => void>()
    await client[library](url, log)
    expect(log.mock.calls).toEqual([['hello'], [Buffer.from([1])], ['bye']])
  })

  it('is told why it was refused', async () => {
    const refusal = { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: 'log in first' }
    const url = await urlOf(serve({ upgrade: () => refusal }))
    const log = vi.fn<(...told: unknown[]) => void>()
    await refused[library](url, log)
    await eventually(() => expect(log).toHaveBeenCalledWith(401, 'Bearer', 'log in first'))
  })

  it('comes back, wherever it is sent to, until it is not wanted any more', async () => {
    const stop = new AbortController()
    const log = vi.fn<(...told: unknown[]) => void>()
    const url = await urlOf(
      serve({
        upgrade: ({ path }) => (path === '/' ? { status: 307, headers: { location: '/chat' } } : undefined),
        message(ws, data) {
          ws.send(data)
          void ws.close(1000)
        },
      }),
    )
    const over = returning[library](url, log, 1, stop.signal).catch((error: unknown) => error)
    await eventually(() => expect(log.mock.calls.length).toBeGreaterThan(2))
    stop.abort()
    await over
    expect(log).toHaveBeenCalledWith('hello')
  })

  it('sends as fast as the peer reads', async () => {
    let size = 0
    const url = await urlOf(
      serve({
        message: (_ws, { length }) => {
          size += length
        },
      }),
    )
    const chunks = Readable.from(Array.from({ length: 50 }, () => Buffer.alloc(65_536)))
    if (library === 'ws') await backpressure.ws(await wsClient(url), chunks)
    else await backpressure.fullduplex(await connect(url), chunks)
    await eventually(() => expect(size).toBe(50 * 65_536))
  })

  it('is a stream', async () => {
    const url = await urlOf(serve({ message: (ws, data) => ws.send(data) }))
    const source = Readable.from([Buffer.from('a'), 'b'])
    const target = new PassThrough({ objectMode: true })
    if (library === 'ws') await streams.ws(await wsClient(url), source, target)
    else await streams.fullduplex(await connect(url), source, target)
    const chunks = await target.toArray()
    expect(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)))).toEqual(Buffer.from('ab'))
    if (library === 'fullduplex') expect(chunks).toEqual([Buffer.from('a'), 'b'])
  })

  it('pings, pauses and closes', async () => {
    const url = await urlOf(serve({}))
    const log = vi.fn<(...told: unknown[]) => void>()
    if (library === 'ws') control.ws(await wsClient(url), log)
    else await control.fullduplex(await connect(url), log)
    await eventually(() => expect(log).toHaveBeenCalledWith(1000, 'done'))
  })

  it('is as in a browser', async () => {
    const url = await urlOf(
      serve({
        message(ws, data) {
          ws.send(data)
          void ws.close(1000)
        },
      }),
    )
    if (library === 'ws') listenWithWs(url)
    else listen(url)
    await eventually(() => expect(seen).toEqual(['hello', { code: 1000, wasClean: true }]))
  })
})

/** What the compiler knows to be complete, and the page has to name. */
const clientOptions: Record<Exclude<keyof ClientOptions, keyof SecureContextOptions>, true> = {
  agent: true,
  allowSynchronousEvents: true,
  autoPong: true,
  checkServerIdentity: true,
  createConnection: true,
  family: true,
  finishRequest: true,
  followRedirects: true,
  generateMask: true,
  handshakeTimeout: true,
  headers: true,
  host: true,
  localAddress: true,
  maxBufferedChunks: true,
  maxFragments: true,
  maxPayload: true,
  maxRedirects: true,
  origin: true,
  perMessageDeflate: true,
  protocol: true,
  protocolVersion: true,
  rejectUnauthorized: true,
  skipUTF8Validation: true,
}
const members: Record<Exclude<keyof WebSocket, keyof EventEmitter>, true> = {
  CLOSED: true,
  CLOSING: true,
  CONNECTING: true,
  OPEN: true,
  addEventListener: true,
  binaryType: true,
  bufferedAmount: true,
  close: true,
  extensions: true,
  isPaused: true,
  onclose: true,
  onerror: true,
  onmessage: true,
  onopen: true,
  pause: true,
  ping: true,
  pong: true,
  protocol: true,
  readyState: true,
  removeEventListener: true,
  resume: true,
  send: true,
  terminate: true,
  url: true,
}
const serverMembers: Record<Exclude<keyof WsServer, keyof EventEmitter>, true> = {
  address: true,
  clients: true,
  close: true,
  handleUpgrade: true,
  options: true,
  path: true,
  shouldHandle: true,
}
const events = ['close', 'error', 'message', 'open', 'ping', 'pong', 'redirect', 'unexpected-response', 'upgrade']
const serverEvents = ['close', 'connection', 'error', 'headers', 'listening', 'wsClientError']

describe('the tables of docs/coming-from-ws.md', () => {
  it.each([
    ['option of a server', Object.keys(new WsServer({ noServer: true }).options)],
    ['option of a client', Object.keys(clientOptions)],
    ['member of a connection', Object.keys(members)],
    ['member of a server', Object.keys(serverMembers)],
    ['event', [...events, ...serverEvents]],
  ])('leave out no %s', async (_, names) => {
    const page = await readFile(new URL('../../docs/coming-from-ws.md', import.meta.url), 'utf8')
    const rows = page.split('\n').filter((line) => line.startsWith('|'))
    const words = new Set(rows.flatMap((row) => row.split('|')[1].split(/[^\w-]+/)))
    expect(names.filter((name) => !words.has(name))).toEqual([])
  })
})

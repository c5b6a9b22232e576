/**
 * The examples of README.md and docs/, run as they stand there. Only the ports are not theirs: what listens on a fixed
 * port in an example listens on a free one here, and what connects to the fixed one is sent to that.
 */
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ReadableStream } from 'node:stream/web'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type * as Fullduplex from 'fullduplex'
import type {
  ConnectOptions,
  Connection,
  ReconnectingOptions,
  ServeOptions,
  WebSocketInit,
  WebSocketServer,
  WebSocketStreamOptions,
} from 'fullduplex'
import { encodeFrame } from 'fullduplex/framing'
import { seen } from './context.ts'
import { tunnelProxy } from '../support/proxy.ts'
import { ca, cert, key } from './tls.ts'

const servers: WebSocketServer[] = []

/** The same on the server that was started last. */
function there(uri: string): URL {
  const moved = new URL(uri)
  moved.port = String(servers.at(-1)?.port)
  return moved
}

/** The ports of the proxies that there are instead of those of the examples. */
const proxyPorts = new Map<string, number>()

function throughThere(options: ConnectOptions = {}): ConnectOptions {
  const { proxy } = options
  if (proxy === undefined || proxy === 'environment') return options
  const settings = typeof proxy === 'string' || proxy instanceof URL ? { url: proxy } : proxy
  const url = new URL(settings.url)
  url.port = String(proxyPorts.get(url.port))
  return { ...options, proxy: { ...settings, url } }
}

vi.mock('fullduplex', async (importOriginal) => {
  const real = await importOriginal<typeof Fullduplex>()
  return {
    ...real,
    serve: async (options: ServeOptions) => {
      const server = await real.serve({ ...options, port: 0 })
      servers.push(server)
      return server
    },
    connect: (uri: string, options?: ConnectOptions) => real.connect(there(uri), throughThere(options)),
    reconnecting: (uri: string, options?: ReconnectingOptions) => real.reconnecting(there(uri), options),
    WebSocket: class extends real.WebSocket {
      constructor(url: string, protocols?: string, options?: WebSocketInit) {
        super(there(url), protocols, options)
      }
    },
    WebSocketStream: class extends real.WebSocketStream {
      constructor(url: string, options?: WebSocketStreamOptions) {
        super(there(url), options)
      }
    },
  }
})

const { connect, serve } = await import('fullduplex')

afterEach(async () => {
  for (const server of servers.splice(0)) await server.shutdown({ timeout: 100 })
  seen.length = 0
  vi.restoreAllMocks()
})

/** The next `count` messages. */
async function take(ws: Connection, count: number): Promise<unknown[]> {
  const messages: unknown[] = []
  for await (const message of ws) {
    if (messages.push(message) === count) return messages
  }
  return messages
}

describe('the examples in the docs', () => {
  it('echo', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue()
    await import('./snippets/echo.ts')
    expect(log).toHaveBeenCalledWith(servers[0].url)
    const ws = await connect('ws://localhost:8080')
    ws.send('hello')
    ws.send(Buffer.from([1, 2]))
    expect(await take(ws, 2)).toEqual(['hello', Buffer.from([1, 2])])
  })

  it('chat: to some, to all, and a farewell', async () => {
    vi.spyOn(console, 'log').mockReturnValue()
    const onSignal = vi.spyOn(process, 'once').mockReturnThis()
    await import('./snippets/chat.ts')
    const ann = await connect('ws://localhost:8080/?name=Ann')
    const bob = await connect('ws://localhost:8080/?name=Bob')
    ann.send('hi')
    expect(await take(bob, 1)).toEqual(['Ann: hi'])
    await ann.close(1000, 'done')
    expect(await take(bob, 1)).toEqual(['Ann has left (1000 done, clean, peer)'])

    const [event, shutDown] = onSignal.mock.calls[0]
    expect(event).toBe('SIGTERM')
    shutDown()
    expect(await bob.closed).toMatchObject({ code: 1001, wasClean: true, initiator: 'peer' })
  })

  it('upgrade: an async decision, over TLS, with an answer of its own', async () => {
    await import('./snippets/upgrade.ts')
    const options = { tls: { ca }, headers: { cookie: 'sid=valid', origin: 'https://app.example' } }
    const ws = await connect('wss://localhost:8443', { ...options, protocols: ['chat.v1', 'chat.v2'] })
    expect(ws.protocol).toBe('chat.v2')
    ws.send('who am I?')
    expect(await take(ws, 1)).toEqual(['you are user 7'])

    const refused = connect('wss://localhost:8443', { tls: { ca } })
    await expect(refused).rejects.toMatchObject({ status: 401, body: Buffer.from('log in first') })
    const foreign = connect('wss://localhost:8443', { tls: { ca }, headers: { origin: 'https://evil.example' } })
    await expect(foreign).rejects.toMatchObject({ status: 403 })
  })

  it('deflate: compressed for those who agree', async () => {
    await import('./snippets/deflate.ts')
    const ws = seen[0] as Connection
    expect(ws.extensions).toBe('permessage-deflate; server_no_context_takeover; client_no_context_takeover')
    expect(await take(ws, 2)).toEqual(['compressed once for all '.repeat(100), 'a secret'])
  })

  it('http: one port for pages and sockets', async () => {
    const { server } = await import('./snippets/http.ts')
    const ws = await connect('ws://localhost:8080/chat')
    ws.send('hello')
    expect(await take(ws, 1)).toEqual(['hello'])
    expect(await get(server.port ?? 0)).toBe('a page')
  })

  it('routes: a handler for each path', async () => {
    await import('./snippets/routes.ts')
    const chat = await connect('ws://localhost:8080/chat?name=Ann')
    chat.send('hi')
    expect(await take(chat, 1)).toEqual(['Ann: hi'])
    const [time] = await take(await connect('ws://localhost:8080/time'), 1)
    expect(new Date(String(time)).getTime()).toBeGreaterThan(0)
    await expect(connect('ws://localhost:8080/other')).rejects.toMatchObject({ status: 404 })
  })

  it('attach and handleUpgrade: on a server that exists already', async () => {
    const real = await vi.importActual<typeof Fullduplex>('fullduplex')
    const { httpServer, other } = await import('./snippets/attach.ts')
    for (const [server, path, answer] of [
      [httpServer, '/chat', 'chat: hi'],
      [httpServer, '/game', 'game: hi'],
      [other, '/', 'hi'],
    ] as const) {
      if (!server.listening) await once(server.listen(0), 'listening')
      const { port } = server.address() as AddressInfo
      const ws = await real.connect(`ws://localhost:${port}${path}`)
      ws.send('hi')
      expect(await take(ws, 1)).toEqual([answer])
      await ws.close()
    }
    expect(await get((httpServer.address() as AddressInfo).port)).toBe('a page')
    httpServer.close()
    other.close()
  })

  it('client: messages in a loop that ends with the connection', async () => {
    await serve({ protocols: ['chat.v2'], message: answerTwice })
    await import('./snippets/client.ts')
    expect(seen).toEqual(['hello', 'bye'])
  })

  it('client-tls: who we are, and for how long it may take', async () => {
    const tls = { key, cert, ca, requestCert: true }
    await serve({ tls, upgrade: ({ headers }) => void seen.push(headers.get('authorization')) })
    await import('./snippets/client-tls.ts')
    expect(seen).toEqual(['Bearer 7f3a', `wss://localhost:${servers[0].port}/chat?room=1`])
  })

  it('client-proxy: three ways to name one', async () => {
    const proxies = [
      await tunnelProxy({ credentials: `Basic ${Buffer.from('user:p@ss').toString('base64')}` }),
      await tunnelProxy({ tls: { key, cert } }),
      await tunnelProxy(),
    ]
    proxyPorts.set('3128', proxies[0].port).set('3129', proxies[1].port)
    vi.stubEnv('https_proxy', proxies[2].url)
    vi.stubEnv('no_proxy', '')
    vi.stubEnv('NO_PROXY', '')
    onTestFinished(() => void vi.unstubAllEnvs())
    await serve({ tls: { key, cert } })
    await import('./snippets/client-proxy.ts')
    expect(seen).toEqual(Array.from({ length: 3 }, () => 'wss://localhost'))
    expect(proxies.map(({ requests }) => requests.map(({ url }) => url))).toEqual(
      proxies.map(() => [`localhost:${servers[0].port}`]),
    )
    expect(proxies[1].requests[0].headers['user-agent']).toBe('chat/2')
  })

  it('client-stream: a transport of the user', async () => {
    await serve({ message: (ws, data) => ws.send(data) })
    await import('./snippets/client-stream.ts')
    expect(seen).toEqual(['hello'])
  })

  it('client-redirects: followed, and not', async () => {
    const location = { status: 302, headers: { location: '/new' } }
    const { url } = await serve({ upgrade: ({ path }) => (path === '/old' ? location : {}) })
    await import('./snippets/client-redirects.ts')
    expect(seen).toEqual([`${url}/new`, 302, '/new'])
  })

  it('client-reconnecting: again and again, until it is enough', async () => {
    let count = 0
    await serve({
      message: (ws, data) => {
        ws.send(`${String(data)} ${++count}`)
        if (count % 2 === 0) void ws.close(4001)
        else if (count === 1) ws.terminate()
        else void ws.close(1011)
      },
    })
    await import('./snippets/client-reconnecting.ts')
    await import('./snippets/client-reconnecting-messages.ts')
    expect(seen.at(-1)).toBe('subscribe 4')
    expect(count).toBe(4)
  })

  it('client-dns: any name is anywhere', async () => {
    await serve({ host: '127.0.0.1' })
    await import('./snippets/client-dns.ts')
    expect(seen).toEqual(['chat.example'])
  })

  it('websocket: as in a browser', async () => {
    await serve({ protocols: ['chat.v2'], message: answerTwice })
    await import('./snippets/websocket.ts')
    await vi.waitFor(() => expect(seen).toEqual(['hello', 'bye', { code: 1000, reason: 'done', wasClean: true }]))
  })

  it('websocket-options: what a browser does not let a page do', async () => {
    const cookies: unknown[] = []
    await serve({
      protocols: ['chat.v2'],
      upgrade: (request) => {
        cookies.push(request.cookies.get('sid'))
        return {}
      },
    })
    const { socket } = await import('./snippets/websocket-options.ts')
    await once(socket, 'open')
    expect([cookies, socket.protocol]).toEqual([['valid'], 'chat.v2'])
    socket.close()
  })

  it('websocket-stream: as fast as both sides are', async () => {
    const { copy } = await import('./snippets/websocket-stream.ts')
    const ended: unknown[] = []
    await serve({
      message: (ws, data) => ws.send(String(data).toUpperCase()),
      close: (_ws, { code, reason }) => void ended.push({ code, reason }),
    })
    await copy(['one', 'two', 'three'])
    expect(seen).toEqual(['ONE', 'TWO', 'THREE', { closeCode: 1000, reason: 'done' }])
    await vi.waitFor(() => expect(ended).toEqual([{ code: 1000, reason: 'done' }]))
  })

  it('websocket-stream-error: with a code, both ways', async () => {
    const { refuse, tellWhy } = await import('./snippets/websocket-stream-error.ts')
    let code = 0
    await serve({
      close: (_ws, info) => {
        code = info.code
      },
    })
    await refuse()
    await vi.waitFor(() => expect(code).toBe(4000))
    await serve({ upgrade: () => ({ status: 401 }) })
    await tellWhy()
    expect(seen).toEqual([1006, expect.objectContaining({ status: 401 })])
  })

  it('refused: the whole answer', async () => {
    const refusal = { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: 'log in first' }
    await serve({ upgrade: () => refusal })
    await import('./snippets/refused.ts')
    expect(seen).toEqual([401, 'Bearer', 'log in first'])
  })

  it('backpressure: a stream through a slow reader', async () => {
    const { sendAll } = await import('./snippets/backpressure.ts')
    let size = 0
    await serve({
      message: (_ws, data) => {
        size += data.length
      },
    })
    const ws = await connect('ws://localhost:8080')
    await sendAll(ws, chunks(200, 65_536))
    await ws.close(1000)
    expect(size).toBe(200 * 65_536)
  })

  it('streaming: a file up, in constant memory, and a relay', async () => {
    const { upload, relay } = await import('./snippets/streaming.ts')
    const file = fileURLToPath(new URL('../../package-lock.json', import.meta.url))
    await upload(file)
    expect(await readFile(join(tmpdir(), 'upload'))).toEqual(await readFile(file))

    const ends: Connection[] = []
    const { url } = await serve({ open: (ws: Connection): void => void ends.push(ws) })
    const relayed = relay(url, url)
    await vi.waitFor(() => expect(ends).toHaveLength(2))
    ends[0].send('through')
    expect(await take(ends[1], 1)).toEqual(['through'])
    void ends[0].close(1000)
    await relayed
  })

  it('streams: messages of any size, in and out', async () => {
    const { send, store } = await import('./snippets/streams.ts')
    const folder = await mkdtemp(join(tmpdir(), 'fullduplex-'))
    const path = (index: number): string => join(folder, String(index))
    const file = fileURLToPath(new URL('../../package-lock.json', import.meta.url))
    const stored = new Promise((resolve, reject) => {
      const open = (ws: Connection): Promise<unknown> => store(ws, path).then(resolve, reject)
      void serve({ perMessageDeflate: true, open }).then(async () => {
        const ws = await connect('ws://localhost:8080', { perMessageDeflate: true })
        const web = new ReadableStream({
          start(controller) {
            controller.enqueue(Buffer.from('from the web'))
            controller.close()
          },
        })
        await send(ws, file, web).catch(reject)
        await ws.close(1000)
      })
    })
    await stored
    expect(await readFile(path(0))).toEqual(await readFile(file))
    expect(await readFile(path(1), 'utf8')).toBe('from the web')
    expect(await readdir(folder)).toEqual(['0', '1'])
    await rm(folder, { recursive: true })
  })

  it('streams: connections as streams', async () => {
    const { forward, report, shout } = await import('./snippets/streams.ts')
    await serve({ open: (ws: Connection) => shout(ws) })
    const asking = await connect('ws://localhost:8080')
    asking.send('hello')
    expect(await take(asking, 1)).toEqual(['HELLO'])
    expect(await asking.close(1000)).toMatchObject({ code: 1000, wasClean: true })

    const ends: Connection[] = []
    await serve({ open: (ws: Connection): void => void ends.push(ws) })
    const ours: Connection[] = []
    for (let i = 0; i < 3; i++) {
      ours.push(await connect('ws://localhost:8080'))
      await vi.waitFor(() => expect(ends).toHaveLength(i + 1))
    }
    const forwarded = forward(ours[0], ours[1])
    ends[0].send('through')
    void ends[0].close(1000)
    expect(await take(ends[1], 1)).toEqual(['through'])
    await forwarded
    expect(await ends[1].closed).toMatchObject({ code: 1000, wasClean: true })
    const reported = report(ours[2], new ReadableStream<string>())
    void ends[2].close(1001)
    await expect(reported).rejects.toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: 1001 })
  })

  it('handler: every event', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue()
    const error = vi.spyOn(console, 'error').mockReturnValue()
    await import('./snippets/handler.ts')
    const ws = await connect('ws://localhost:8080')
    ws.send('hello')
    expect(await take(ws, 2)).toEqual([expect.stringContaining('"name": "fullduplex"'), 'hello'])
    await ws.close(1000, 'done')
    const info = { code: 1000, reason: 'done', wasClean: true, initiator: 'peer' }
    await vi.waitFor(() => expect(log).toHaveBeenCalledWith(info))

    const other = await connect('ws://localhost:8080')
    other.send(Buffer.from([1]))
    expect(await other.closed).toMatchObject({ code: 1011 })
    expect(error).toHaveBeenCalledWith(expect.any(String), new Error('text only, please'))
    await expect(connect('ws://localhost:8080', { headers: { origin: 'null' } })).rejects.toMatchObject({ status: 403 })
    expect(error).toHaveBeenCalledWith('refused', '/', expect.any(String))
  })

  it('seeing-tap: a hex dump of all connections', async () => {
    const lines: string[] = []
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0)
    const { remove } = await import('./snippets/seeing-tap.ts')
    const ws = await connect('ws://localhost:8080')
    ws.send('Hello')
    expect(await take(ws, 1)).toEqual(['Hello'])
    await vi.waitFor(() => expect(lines).toHaveLength(2))
    remove()
    spy.mockRestore()
    expect(lines[0]).toMatch(
      /^\S+Z #1 in {2}Text FIN MASK=[0-9a-f]{8} length=5\n {2}0000 {2}48 65 6c 6c 6f .* Hello\n$/,
    )
    expect(lines[1]).toMatch(/^\S+Z #1 out Text FIN length=5\n/)
  })

  it("seeing-frames: a tap of one's own", async () => {
    await serve({ perMessageDeflate: true, message: () => {} })
    const { ws, remove } = await import('./snippets/seeing-frames.ts')
    await vi.waitFor(() => expect(seen).toEqual([expect.stringMatching(/^out: opcode 1, \d\d octets, compressed$/)]))
    remove()
    ws.terminate()
  })

  it('seeing-capture: files', async () => {
    const { capture, lines } = await import('./snippets/seeing-capture.ts')
    const ws = await connect('ws://localhost:8080')
    ws.send('Hello')
    expect(await take(ws, 1)).toEqual(['Hello'])
    await Promise.all([once(capture.end(), 'close'), once(lines.end(), 'close')])
    const text = await readFile(String(lines.path), 'utf8')
    expect(JSON.parse(text.split('\n')[0])).toMatchObject({ direction: 'in', opcode: 1, payload: 'SGVsbG8=' })
    expect((await readFile(String(capture.path))).includes('Upgrade: websocket')).toBe(true)
  })

  it('seeing-channels: how connections end', async () => {
    const { watchConnections } = await import('./snippets/seeing-channels.ts')
    const log = vi.fn<(line: string) => void>()
    watchConnections(log)
    await serve({ message: () => {} })
    const ws = await connect('ws://localhost:8080')
    ws.ping('there?')
    await vi.waitFor(() =>
      expect(log).toHaveBeenCalledWith(expect.stringMatching(/^answered a Ping after \d+\.\d ms$/)),
    )
    await ws.close(1000)
    expect(log).toHaveBeenCalledWith('closed with 1000, begun by: local; subprotocol: none')
  })

  it('seeing-stats: figures for Prometheus', async () => {
    const { metrics } = await import('./snippets/seeing-stats.ts')
    await once(metrics.listen(0), 'listening')
    const ws = await connect('ws://localhost:8080')
    ws.send('Hello')
    expect(await take(ws, 1)).toEqual(['Hello'])
    await expect(connect('ws://localhost:8080', { headers: { origin: 'null' } })).rejects.toMatchObject({ status: 403 })
    const text = await get((metrics.address() as AddressInfo).port)
    metrics.close()
    expect(text).toMatch(/^websocket_uptime \d+/)
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        'websocket_connections 1',
        'websocket_messages_received 1',
        'websocket_refused{status="403"} 1',
      ]),
    )
  })

  it('core: the protocol without I/O', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue()
    const { answer, headerOf, messagesOf } = await import('./snippets/core.ts')
    expect(log.mock.calls).toEqual([['s3pPLMBiTxaQ9kYGzzhZRbK+xOo='], [Buffer.from('810548656c6c6f', 'hex')]])
    const fields = 'Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
    const request = `GET / HTTP/1.1\r\n${fields}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
    expect(answer(Buffer.from(request))).toContain('HTTP/1.1 101 ')
    expect(answer(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))).toBe('HTTP 426')
    expect(answer(Buffer.from('GET /'))).toBeUndefined()
    const frame = encodeFrame({ opcode: 1, payload: 'Hello' })
    expect(headerOf(frame)).toMatchObject({ fin: true, opcode: 1, masked: false, payloadLength: 5 })
    expect(messagesOf([frame.subarray(0, 3), frame.subarray(3)])).toEqual(['Hello'])
  })
})

function answerTwice(ws: Connection, data: string | Buffer): void {
  ws.send(data)
  ws.send('bye')
}

async function* chunks(count: number, size: number): AsyncIterable<Buffer> {
  for (let index = 0; index < count; index++) yield await Promise.resolve(Buffer.alloc(size, index))
}

async function get(port: number): Promise<string> {
  const request = httpRequest({ port, path: '/', agent: false }).end()
  const [response] = await once(request, 'response')
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return body
}

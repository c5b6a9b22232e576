/** `serve`: where it listens, whom it serves, and how it ends. */
import { Server, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createHandler } from '../../src/server/handler.ts'
import { WebSocketServer, serve } from '../../src/server/server.ts'
import type { ServeOptions } from '../../src/server/server.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import { received } from '../support/wire.ts'
import { Event, Events, TCP, TLS, TRANSPORTS, UNIX_TLS, dial, socketPath, start, tlsOptions } from './support.ts'

const CLOSE = received('server', 0x88, Buffer.from([0x03, 0xe9]))

describe('serve', () => {
  it('listens on a free port, at all addresses, unless told otherwise', async () => {
    const server = await serve({ message: () => {} })
    onTestFinished(() => server.shutdown())
    expect(server).toBeInstanceOf(WebSocketServer)
    expect(server.port).toBeGreaterThan(0)
    expect(server.url).toBe(`ws://localhost:${server.port}`)
    for (const host of ['127.0.0.1', '::1']) {
      const client = await dial({ port: server.port, host })
      expect((await client.write(handshake()).readHead()).status).toBe(101)
    }
  })

  it.each<[options: ServeOptions, url: string]>([
    [{ host: '127.0.0.1' }, 'ws://127.0.0.1:PORT'],
    [{ host: '0.0.0.0' }, 'ws://localhost:PORT'],
    [{ host: '::' }, 'ws://localhost:PORT'],
    [{ host: '::1' }, 'ws://[::1]:PORT'],
    [{ host: 'localhost', path: '/chat' }, 'ws://localhost:PORT/chat'],
  ])('with %o has a URL of the form %s', async (options, url) => {
    const server = await serve(options)
    onTestFinished(() => server.shutdown())
    expect(server.url).toBe(url.replace('PORT', String(server.port)))
  })

  it('has a URL that says wss with TLS, and none of a port on a Unix socket', async () => {
    const { server: secure } = await start({}, TLS)
    expect(secure.url).toBe(`wss://127.0.0.1:${secure.port}`)
    const path = socketPath()
    const unix = await serve({ socketPath: path })
    expect([unix.url, unix.port]).toEqual([`ws+unix:${path}`, undefined])
    await unix.shutdown()
    expect(unix.port).toBeUndefined()
  })

  it('listens at the given address only', async () => {
    const { server } = await start({ host: '127.0.0.2' })
    await expect(RawClient.connect({ port: server.port, host: '127.0.0.1' })).rejects.toThrow('ECONNREFUSED')
    await dial({ port: server.port, host: '127.0.0.2' })
  })

  it('hands the backlog to the system', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    onTestFinished(() => listen.mockRestore())
    await start({ backlog: 7 })
    expect(listen.mock.calls[0][0]).toMatchObject({ host: '127.0.0.1', port: 0, backlog: 7 })
  })

  it.each([TCP, TLS])('lets small messages leave at once over $name', async (transport) => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    onTestFinished(() => listen.mockRestore())
    await start({}, transport)
    expect(listen.mock.contexts[0]).toMatchObject({ noDelay: true })
  })

  it('rejects when the port, or the path, is taken', async () => {
    const { server } = await start({})
    await expect(serve({ host: '127.0.0.1', port: server.port ?? 0 })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const path = socketPath()
    const first = await serve({ socketPath: path })
    onTestFinished(() => first.shutdown())
    await expect(serve({ socketPath: path })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it.each<[what: string, options: object]>([
    ['no port', { port: 65_536 }],
    ['a port that is no number', { port: 'x' }],
    ['a message that is no function', { message: 1 }],
    ['a path without a slash', { path: 'chat' }],
    ['a handshakeTimeout of 0', { handshakeTimeout: 0 }],
    ['a maxPendingHandshakes of -1', { maxPendingHandshakes: -1 }],
    ['a head limit of 0', { headLimits: { maxFields: 0 } }],
    ['a broken certificate', { tls: { key: 'x', cert: 'y' } }],
    ['a signal that is none', { signal: {} }],
    ['routes that are no handlers', { routes: { '/chat': { message: () => {} } } }],
    ['routes without a slash', { routes: { chat: createHandler({}) } }],
    ['routes that are no object', { routes: null }],
    ['routes, and a handshakeError that is no function', { routes: {}, handshakeError: 1 }],
  ])('rejects, and listens nowhere, for %s', async (_what, options) => {
    await expect(serve({ host: '127.0.0.1', ...options })).rejects.toBeInstanceOf(Error)
  })

  it('may be called several times: the servers know nothing of each other', async () => {
    const [one, two] = [await start({ open: (ws) => ws.send('one') }), await start({ open: (ws) => ws.send('two') })]
    expect([await (await one.open()).readText(), await (await two.open()).readText()]).toEqual(['one', 'two'])
    expect([one.server.broadcast('x'), two.server.connections.size]).toEqual([1, 1])
    await one.server.shutdown({ timeout: 0 })
    expect(await (await two.open()).readText()).toBe('two')
  })

  it('tells handshakeError what goes wrong with listening afterwards', async () => {
    const told: unknown[] = []
    const listen = vi.spyOn(Server.prototype, 'listen')
    onTestFinished(() => listen.mockRestore())
    await start({ handshakeError: (...args) => told.push(args) })
    const error = new Error('accept EMFILE')
    ;(listen.mock.contexts[0] as Server).emit('error', error)
    expect(told).toEqual([[error, undefined]])
  })
})

describe('The signal', () => {
  it('that has aborted lets nothing begin', async () => {
    const reason = new Error('no')
    await expect(serve({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('that aborts meanwhile rejects, and leaves nothing that listens', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    onTestFinished(() => listen.mockRestore())
    const controller = new AbortController()
    const reason = new Error('no')
    const serving = serve({ host: '127.0.0.1', signal: controller.signal })
    controller.abort(reason)
    await expect(serving).rejects.toBe(reason)
    expect((listen.mock.contexts[0] as Server).listening).toBe(false)
  })

  it('that aborts later shuts the server down', async () => {
    const controller = new AbortController()
    const { open, server } = await start({ signal: controller.signal })
    const client = await open()
    controller.abort()
    expect(await client.readClose()).toBe('1001')
    await client.write(CLOSE).end().readToEnd()
    await server.shutdown()
    await expect(RawClient.connect({ port: server.port ?? 1 })).rejects.toThrow('ECONNREFUSED')
  })

  it('is let go of when the server is down', async () => {
    const { signal } = new AbortController()
    const remove = vi.spyOn(signal, 'removeEventListener')
    const add = vi.spyOn(signal, 'addEventListener')
    const server = await serve({ host: '127.0.0.1', signal })
    await server.shutdown()
    expect(add).toHaveBeenCalledOnce()
    expect(remove).toHaveBeenCalledWith(...(add.mock.calls[0] as ['abort', () => void]))
  })
})

describe('Routes', () => {
  it('serve each path with its own handler and its own data, and 404 elsewhere [6455:4.2.2-07]', async () => {
    const chat = createHandler<{ name: string }>({
      upgrade: (request) => ({ data: { name: request.query.get('name') ?? '' } }),
      open: (ws) => {
        ws.subscribe('all')
        ws.send(`chat ${ws.data.name.toUpperCase()}`)
      },
    })
    const game = createHandler<number>({
      path: '/game',
      upgrade: () => ({ data: 7 }),
      open: (ws) => {
        ws.subscribe('all')
        ws.send(`game ${ws.data.toFixed(1)}`)
      },
    })
    const { server, open, dial: dialServer } = await start({ routes: { '/chat': chat, '/game': game } })
    const a = await open({}, 'GET /chat?name=ann HTTP/1.1')
    const b = await open({}, 'GET /game HTTP/1.1')
    expect([await a.readText(), await b.readText()]).toEqual(['chat ANN', 'game 7.0'])
    expect([chat.connections.size, game.connections.size, server.connections.size]).toEqual([1, 1, 2])
    expect([...server.connections].map(({ data }) => data)).toEqual([{ name: 'ann' }, 7])
    expect([server.subscriberCount('all'), server.publish('all', 'x'), server.broadcast('y')]).toEqual([2, 2, 2])
    for (const client of [a, b]) expect([await client.readText(), await client.readText()]).toEqual(['x', 'y'])
    expect([chat.publish('all', 'z'), await a.readText()]).toEqual([1, 'z'])
    for (const path of ['/', '/chat/', '/CHAT', '/ignored', '/__proto__', '/constructor']) {
      const client = (await dialServer()).write(handshake({}, `GET ${path} HTTP/1.1`))
      expect((await client.readResponse()).status).toBe(404)
    }
  })

  it('may name one handler twice', async () => {
    const handler = createHandler({})
    const { server, open } = await start({ routes: { '/a': handler, '/b': handler } })
    await open({}, 'GET /a HTTP/1.1')
    await open({}, 'GET /b HTTP/1.1')
    expect([server.connections.size, server.broadcast('x')]).toEqual([2, 2])
  })

  it('tell a refusal to the handler that has a handshakeError, else to the server’s', async () => {
    const told: string[] = []
    const { dial: dialServer } = await start({
      routes: {
        '/own': createHandler({ handshakeError: (_error, request) => told.push(`handler ${request?.path}`) }),
        '/none': createHandler({}),
      },
      handshakeError: (_error, request) => told.push(`server ${request?.path}`),
    })
    for (const path of ['/own', '/none', '/nothing', '/own\0']) {
      await (await dialServer()).write(handshake({ 'Sec-WebSocket-Key': 'x' }, `GET ${path} HTTP/1.1`)).readResponse()
    }
    expect(told).toEqual(['handler /own', 'server /none', 'server /nothing', 'server undefined'])
  })
})

describe.each(TRANSPORTS)('Shutting down over $name', (transport) => {
  it('says 1001 to all, answers 503 to handshakes, refuses who comes, and settles when all have gone', async () => {
    const closed = new Events<unknown>()
    const { server, open, dial: dialServer } = await start({ close: (_ws, info) => closed.push(info) }, transport)
    const [a, b] = [await open(), await open()]
    const pending = await dialServer()
    await pending.drip('GET / HTTP')
    await expectServed(open)
    const { port } = server
    let over = false
    const down = server.shutdown().then(() => {
      over = true
    })
    expect([await a.readClose(), await b.readClose()]).toEqual(['1001', '1001'])
    expect((await pending.readResponse()).status).toBe(503)
    await pending.end().readToEnd()
    if (port !== undefined) await expect(RawClient.connect({ port })).rejects.toThrow('ECONNREFUSED')
    await a.write(CLOSE).end().readToEnd()
    expect(over).toBe(false)
    await b.write(CLOSE).end().readToEnd()
    await down
    expect(server.connections.size).toBe(0)
    for (let n = 0; n < 3; n++) await closed.next()
    const clean = { code: 1001, reason: '', wasClean: true, initiator: 'local' }
    expect(closed.all.slice(1)).toEqual([clean, clean])
    await server.shutdown()
  })

  it('ends after the timeout who has not answered, refused ones and unfinished ones too', async () => {
    const { server, open, dial: dialServer } = await start({ path: '/chat' }, transport)
    const silent = await open()
    const refused = (await dialServer()).write(handshake({}, 'GET /nothing HTTP/1.1'))
    expect((await refused.readResponse()).status).toBe(404)
    const began = performance.now()
    await server.shutdown({ code: 4001, reason: 'over', timeout: 50 })
    expect(performance.now() - began).toBeLessThan(1_500)
    expect(await silent.readClose()).toBe('4001 over')
    await silent.readToEnd()
    await refused.readToEnd()
  })
})

/** Opens one more connection and ends it: whatever came before has been looked at. */
async function expectServed(open: () => Promise<RawClient>): Promise<void> {
  const client = await open()
  client.write(CLOSE).end()
  await client.readToEnd()
  expect(client.error).toBeUndefined()
}

describe('A shutdown', () => {
  it('happens once, however often it is asked for', async () => {
    const { server, open } = await start({})
    const client = await open()
    const all = [server.shutdown(), server.shutdown({ code: 4000 }), server[Symbol.asyncDispose]()]
    expect(await client.readClose()).toBe('1001')
    client.write(CLOSE)
    expect(String(await client.end().readToEnd())).toBe('')
    await Promise.all(all)
  })

  it('happens once, even if it is asked for by whoever is told of it', async () => {
    const close = vi.spyOn(Server.prototype, 'close')
    onTestFinished(() => close.mockRestore())
    const { server, open, dial: dialServer } = await start({ handshakeError: (): unknown => server.shutdown() })
    const pending = [await dialServer(), await dialServer()]
    await expectServed(open)
    const down = server.shutdown()
    expect(close).toHaveBeenCalledOnce()
    for (const client of pending) expect((await client.end().readResponse()).status).toBe(503)
    await down
  })

  it.each([{ code: 999 }, { reason: 'x'.repeat(124) }, { timeout: -1 }])(
    'rejects %o, having ended nothing',
    async (options) => {
      const { server, open } = await start({})
      await expect(server.shutdown(options)).rejects.toThrow(RangeError)
      await open()
      expect([...server.connections].map(({ readyState }) => readyState)).toEqual([1])
    },
  )

  it('may be asked for from within `upgrade`, `open`, `message` and `close`', async () => {
    for (const where of ['upgrade', 'open', 'message', 'close'] as const) {
      const stop = new Event<Promise<void>>()
      const { server, dial: dialServer } = await start({
        [where]() {
          stop.happen(server.shutdown({ timeout: 20 }))
        },
      })
      const client = (await dialServer()).write(handshake())
      client.write(Buffer.concat([received('server', 0x81, 'x'), CLOSE]))
      const { status } = await client.readHead()
      expect(status).toBe(where === 'upgrade' ? 503 : 101)
      await client.end().readToEnd()
      await stop.happened
      await server.shutdown()
      expect(server.connections.size).toBe(0)
    }
  })

  it('drops transports whose TLS is not up, and tells why', async () => {
    const told = new Events<Error>()
    const { server, open } = await start({ handshakeError: told.push }, TLS)
    const raw = await dial({ port: server.port })
    await (await open()).destroy().closed
    await server.shutdown({ timeout: 0 })
    await raw.readToEnd()
    expect(told.all).toEqual([expect.objectContaining({ code: 'ERR_WS_SHUTDOWN' })])
  })

  it('ends transports on a Unix socket whose TLS is not up after the timeout', async () => {
    const { server, open } = await start({}, UNIX_TLS)
    const raw = await dial({ path: server.url.slice('wss+unix:'.length) })
    await (await open()).destroy().closed
    await server.shutdown({ timeout: 20 })
    expect(String(await raw.readToEnd())).toBe('')
  })

  it('answers 503 to TLS on a Unix socket that comes up during it', async () => {
    const accepted = new Event()
    const listen = vi.spyOn(Server.prototype, 'listen')
    const { server } = await start({}, UNIX_TLS)
    ;(listen.mock.contexts[0] as Server).once('connection', () => accepted.happen())
    listen.mockRestore()
    const path = server.url.slice('wss+unix:'.length)
    const { client: tls } = await tlsOptions()
    const connecting = RawClient.connect({ path, tls })
    await accepted.happened
    const down = server.shutdown()
    const client = await connecting
    expect((await client.readResponse()).status).toBe(503)
    client.end()
    await down
    expect(server.connections.size).toBe(0)
  })

  it('has not settled before those have closed who were refused', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const listen = vi.spyOn(Server.prototype, 'listen')
    const { server, dial: dialServer } = await start({})
    let closed = 0
    ;(listen.mock.contexts[0] as Server).on('connection', (socket: Socket) => {
      socket.once('close', () => closed++)
    })
    listen.mockRestore()
    await (await dialServer()).write('x\r\n\r\n').readResponse()
    const down = server.shutdown({ timeout: 1_000 })
    vi.advanceTimersByTime(1_000)
    await down
    expect([closed, vi.getTimerCount()]).toEqual([1, 0])
  })

  it('leaves a port that can be listened on again, and no timer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const { server, open } = await start({})
    const client = await open()
    const { port } = server
    const down = server.shutdown()
    await client.readClose()
    await client.write(CLOSE).end().readToEnd()
    await down
    expect(vi.getTimerCount()).toBe(0)
    const again = createServer()
    await new Promise<void>((resolve) => again.listen(port, '127.0.0.1', resolve))
    expect((again.address() as AddressInfo).port).toBe(port)
    await new Promise((resolve) => again.close(resolve))
  })
})

/** A service: its options, its limits, and its end. */
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Connection } from '../../src/connection/index.ts'
import type { CloseInfo } from '../../src/errors.ts'
import { WebSocketHandler, createHandler, pathOf } from '../../src/server/handler.ts'
import type { HandlerOptions, UpgradeAnswer } from '../../src/server/handler.ts'
import type { ServeOptions } from '../../src/server/server.ts'
import { handshake } from '../support/heads.ts'
import type { RawClient } from '../support/raw-client.ts'
import { received } from '../support/wire.ts'
import { Event, Events, TCP, TLS, UNIX, UNIX_TLS, dial, fakeClock, listenHttp, start, tlsOptions } from './support.ts'

const CLOSE = received('server', 0x88, Buffer.from([0x03, 0xe8]))

describe('createHandler', () => {
  it('answers a handler with nobody in it', () => {
    const handler = createHandler({ path: '/chat' })
    expect(handler).toBeInstanceOf(WebSocketHandler)
    expect([handler.path, handler.connections.size, handler.publish('x', 'a'), handler.broadcast('a')]).toEqual([
      '/chat',
      0,
      0,
      0,
    ])
    expect(createHandler({}).path).toBeUndefined()
  })

  it.each<[name: string, values: readonly unknown[]]>([
    ['open', [1, 'x', null, {}]],
    ['message', [1]],
    ['ping', [1]],
    ['pong', [1]],
    ['drain', [1]],
    ['close', [1]],
    ['error', [1]],
    ['upgrade', [1]],
    ['handshakeError', [1]],
    ['path', ['', 'chat', '/chat?x', 1, null]],
    ['maxConnections', ['1', null, -1, 1.5, Number.NaN]],
    ['maxConnectionsPerAddress', ['1', -1]],
    ['maxPendingHandshakes', ['1', -1]],
    ['handshakeTimeout', ['1', 0, -1, 1.5, Number.NaN, Infinity, 2 ** 31]],
    ['maxMessageSize', ['1', 0]],
    ['heartbeat', [true, { interval: 0 }]],
  ])('throws a TypeError or RangeError for %s of %o', (name, values) => {
    for (const value of values) {
      const options = { [name]: value } as HandlerOptions
      expect(() => createHandler(options)).toThrow(expect.objectContaining({ code: 'ERR_WS_INVALID_OPTION' }))
      expect(() => createHandler(options)).toThrow(/^\S+ must/)
    }
  })

  it.each(['maxConnections', 'maxConnectionsPerAddress', 'maxPendingHandshakes'])(
    'takes 0 and Infinity for %s',
    (name) => {
      createHandler({ [name]: 0 })
      expect(createHandler({ [name]: Infinity }).connections.size).toBe(0)
    },
  )
})

describe('pathOf', () => {
  it.each([
    ['/', '/'],
    ['/a/b?c?d', '/a/b'],
    ['/?', '/'],
    ['http://a.example/b?c', '/b'],
    ['https://a.example', '/'],
    ['*', '*'],
    ['x?y', 'x'],
    ['', ''],
    [undefined, ''],
  ])('finds the path of %s', (target, path) => {
    expect(pathOf(target)).toBe(path)
  })
})

describe.each([TCP, UNIX, TLS, UNIX_TLS])('Limits over $name', (transport) => {
  it('maxConnections: beyond it 503, until somebody has left', async () => {
    const told: unknown[] = []
    const closed = new Events<CloseInfo>()
    const {
      server,
      dial: dialServer,
      open,
    } = await start(
      {
        maxConnections: 2,
        close: (_ws, info) => closed.push(info),
        handshakeError: (error) => told.push(error),
      },
      transport,
    )
    const [first] = [await open(), await open()]
    for (let turn = 0; turn < 2; turn++) {
      const client = (await dialServer()).write(handshake())
      expect((await client.readResponse()).status).toBe(503)
      await client.end().readToEnd()
    }
    expect(told).toEqual(Array(2).fill(expect.objectContaining({ code: 'ERR_WS_TOO_MANY_CONNECTIONS', status: 503 })))
    expect(server.connections.size).toBe(2)
    first.write(CLOSE).end()
    await closed.next()
    await open()
  })

  it('[V62] maxPendingHandshakes: beyond it 503 where that can be said, until one has ended', async () => {
    const asked = new Event()
    const answer = new Event<UpgradeAnswer<unknown>>()
    const told = new Events<Error>()
    const { open, dial: dialServer } = await start(
      {
        maxPendingHandshakes: 1,
        upgrade(request) {
          if (request.path !== '/slow') return undefined
          asked.happen()
          return answer.happened
        },
        handshakeError: told.push,
      },
      transport,
    )
    const slow = (await dialServer()).write(handshake({}, 'GET /slow HTTP/1.1'))
    await asked.happened
    const turnedAway = dialServer()
    if (transport === TLS) {
      // The transport is ended before there is TLS.
      await expect(turnedAway).rejects.toThrow(/ECONNRESET|socket/)
    } else {
      // Nobody reads it as a request, but it is taken off the wire, so that the end behind it is seen.
      const client = (await turnedAway).write(handshake())
      expect((await client.readResponse()).status).toBe(503)
      await client.end().closed
    }
    expect(await told.next()).toMatchObject({ code: 'ERR_WS_TOO_MANY_CONNECTIONS', status: 503 })
    answer.happen({})
    expect((await slow.readHead()).status).toBe(101)
    await open()
  })
})

describe('A place', () => {
  const one: ServeOptions = { maxConnections: 1, maxConnectionsPerAddress: 1 }
  /** Everything that takes a place, and how it ends. */
  const ends: ReadonlyArray<[what: string, options: ServeOptions, end: (client: RawClient) => unknown]> = [
    [
      'was refused',
      { upgrade: ({ path }) => (path === '/no' ? { status: 403 } : undefined) },
      (client) => client.readToEnd(),
    ],
    [
      'was answered with nonsense',
      { upgrade: ({ path }) => (path === '/no' ? { status: 1 } : undefined) },
      (client) => client.readToEnd(),
    ],
    [
      'had an upgrade that rejected',
      { upgrade: ({ path }) => (path === '/no' ? Promise.reject(new Error('no')) : undefined) },
      (client) => client.readToEnd(),
    ],
    [
      'left while `upgrade` was deciding',
      { upgrade: ({ path }) => (path === '/no' ? new Promise<undefined>(() => {}) : undefined) },
      (client) => client,
    ],
    [
      'reset while `upgrade` was deciding',
      { upgrade: ({ path }) => (path === '/no' ? new Promise<undefined>(() => {}) : undefined) },
      (client) => client.reset(),
    ],
    ['had its connection closed', {}, (client) => client.write(CLOSE).readToEnd()],
    ['had its connection reset', {}, (client) => client.reset()],
    [
      'had its connection ended',
      { upgrade: ({ path }) => ({ data: path }), open: (ws) => ws.data === '/no' && ws.terminate() },
      (client) => client.readToEnd(),
    ],
  ]
  it.each(ends)('is free again when whoever had it %s', async (_what, options, end) => {
    const asked = new Event()
    const {
      server,
      dial: dialServer,
      open,
    } = await start({
      ...one,
      ...options,
      upgrade(request, context) {
        asked.happen()
        return options.upgrade?.(request, context)
      },
    })
    const client = (await dialServer()).write(handshake({}, 'GET /no HTTP/1.1'))
    await asked.happened
    await end(client)
    await client.end().closed
    await vi.waitUntil(() => server.connections.size === 0)
    expect((await open()).answer.status).toBe(101)
  })

  it('is free again when the handshake took too long', async () => {
    const pass = fakeClock()
    const asked = new Event()
    const { dial: dialServer, open } = await start({
      ...one,
      handshakeTimeout: 1_000,
      upgrade({ path }) {
        if (path !== '/no') return undefined
        asked.happen()
        return new Promise<undefined>(() => {})
      },
    })
    const client = (await dialServer()).write(handshake({}, 'GET /no HTTP/1.1'))
    await asked.happened
    pass(1_100)
    await client.readToEnd()
    await client.end().closed
    expect((await open()).answer.status).toBe(101)
  })

  it('is not taken by those who share an address, where they have none', async () => {
    const { server, open } = await start({ maxConnectionsPerAddress: 1 }, UNIX)
    await open()
    await open()
    expect(server.connections.size).toBe(2)
  })

  it('is taken for each address by itself', async () => {
    const { server, open, dial: dialServer } = await start({ host: '::', maxConnectionsPerAddress: 1 })
    await open()
    const sixth = await dial({ port: server.port, host: '::1' })
    expect((await sixth.write(handshake()).readHead()).status).toBe(101)
    expect((await (await dialServer()).write(handshake()).readHead()).status).toBe(503)
  })
})

describe('handshakeError', () => {
  it.each<[what: string, handshakeError: () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('log')
      },
    ],
    ['rejects', () => Promise.reject(new Error('log'))],
  ])('that %s is a warning, and nobody’s problem', async (_what, handshakeError) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const { dial: dialServer, open } = await start({ handshakeError })
    expect((await (await dialServer()).write('x\r\n\r\n').readResponse()).status).toBe(400)
    await open()
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ message: 'log' }))
  })

  it('may be async', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const { dial: dialServer } = await start({ handshakeError: async () => {} })
    expect((await (await dialServer()).write('x\r\n\r\n').readResponse()).status).toBe(400)
    expect(warn).not.toHaveBeenCalled()
  })
})

/** An HTTP server whose upgrade requests are kept until the test hands them on. */
async function holding() {
  const upgrades = new Events<readonly [IncomingMessage, Duplex, Buffer]>()
  const http = createServer().on('upgrade', (request, socket, head: Buffer) => upgrades.push([request, socket, head]))
  return { port: await listenHttp(http), upgrades }
}

describe('handleUpgrade', () => {
  it('goes on from where node:http has read, with the frames behind the request', async () => {
    const { port, upgrades } = await holding()
    const handler = createHandler({ message: (ws, data) => ws.send(data) })
    const client = await dial({ port })
    client.write(Buffer.concat([Buffer.from(handshake()), received('server', 0x81, 'early')]))
    handler.handleUpgrade(...(await upgrades.next()))
    expect((await client.readHead()).status).toBe(101)
    expect(await client.readText()).toBe('early')
    expect(await client.write(received('server', 0x81, 'late')).readText()).toBe('late')
  })

  it('takes the timeout of the HTTP server off the transport', async () => {
    const http = createServer((_request, response) => response.end())
    const sockets: Socket[] = []
    const handler = createHandler({})
    http.on('upgrade', (request, socket, head: Buffer) => {
      if (!(socket instanceof Socket)) throw new Error('no socket')
      sockets.push(socket)
      expect(socket.timeout).toBeGreaterThan(0)
      handler.handleUpgrade(request, socket, head)
    })
    http.timeout = 60_000
    const client = await dial({ port: await listenHttp(http) })
    await client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n').readResponse()
    expect((await client.write(handshake()).readHead()).status).toBe(101)
    expect(sockets.map(({ timeout }) => timeout)).toEqual([0])
  })

  it('is told when the client went while the application was thinking', async () => {
    const { port, upgrades } = await holding()
    const told: unknown[] = []
    const handler = createHandler({ maxConnections: 1, handshakeError: (error) => told.push(error) })
    const client = (await dial({ port })).write(handshake())
    const [request, socket, head] = await upgrades.next()
    const gone = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve))
    socket.resume()
    client.reset()
    await gone
    handler.handleUpgrade(request, socket, head)
    expect(told).toEqual([expect.objectContaining({ code: 'ERR_WS_ABORTED' })])
    expect(handler.connections.size).toBe(0)
    const next = (await dial({ port })).write(handshake())
    handler.handleUpgrade(...(await upgrades.next()))
    expect((await next.readHead()).status).toBe(101)
  })

  it('answers 503 beyond maxPendingHandshakes, over TLS too', async () => {
    const { server, client: tls } = await tlsOptions()
    const handler = createHandler({ maxPendingHandshakes: 0 })
    for (const [http, place] of [
      [createServer(), {}],
      [createHttpsServer(server), { tls }],
    ] as const) {
      http.on('upgrade', (request, socket, head: Buffer) => handler.handleUpgrade(request, socket, head))
      const client = await dial({ port: await listenHttp(http), ...place })
      expect((await client.write(handshake()).readResponse()).status).toBe(503)
      await client.readToEnd()
    }
  })

  it('takes any Duplex, and stops reading it when more came early than it keeps', async () => {
    const answer = new Event<undefined>()
    const message = new Event<number>()
    const handler = createHandler({
      upgrade: () => answer.happened,
      message: (_ws, data) => message.happen(data.length),
    })
    const written: Buffer[] = []
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk)
        done()
      },
    })
    const rawHeaders = handshake()
      .split('\r\n')
      .slice(1, -2)
      .flatMap((line) => line.split(': '))
    const request = { method: 'GET', url: '/', httpVersion: '1.1', rawHeaders } as unknown as IncomingMessage
    const frames = received('server', 0x82, Buffer.alloc(16_500))
    handler.handleUpgrade(request, socket, frames.subarray(0, 100))
    const send = async (from: number, to: number): Promise<boolean> => {
      socket.push(frames.subarray(from, to))
      await new Promise((resolve) => setImmediate(resolve))
      return socket.isPaused()
    }
    expect([await send(100, 16_384), await send(16_384, 16_385), await send(16_385, frames.length)]).toEqual([
      false,
      true,
      true,
    ])
    answer.happen(undefined)
    expect(await message.happened).toBe(16_500)
    expect(String(written[0])).toMatch(/^HTTP\/1.1 101 /)
    // Nothing of the opening is left on it: these are the connection's.
    expect(['data', 'end', 'error', 'close'].map((event) => socket.listenerCount(event))).toEqual([1, 1, 1, 1])
    const [ws] = handler.connections
    ws.terminate()
    await ws.closed
  })

  it('takes a request that says nothing', async () => {
    const handler = createHandler({})
    const written = new Event<string>()
    const socket = new Duplex({ read() {}, write: (chunk: Buffer) => written.happen(String(chunk)) })
    handler.handleUpgrade({ httpVersion: '1.1', rawHeaders: [] } as unknown as IncomingMessage, socket, Buffer.alloc(0))
    expect(await written.happened).toMatch(/^HTTP\/1.1 400 /)
    socket.destroy()
  })
})

describe('Shutting a handler down', () => {
  it('says 1001 to all, waits for their answers, and lets nobody in any more', async () => {
    const handler = createHandler({})
    const told: unknown[] = []
    const { open, dial: dialServer } = await start({
      routes: { '/chat': handler },
      handshakeError: (error) => told.push(error),
    })
    const [a, b] = [await open(), await open()]
    let over = false
    const down = handler.shutdown({ reason: 'bye' }).then(() => {
      over = true
    })
    expect([await a.readClose(), await b.readClose()]).toEqual(['1001 bye', '1001 bye'])
    await a.write(CLOSE).end().readToEnd()
    expect(over).toBe(false)
    await b.write(CLOSE).end().readToEnd()
    await down
    expect(handler.connections.size).toBe(0)
    expect((await (await dialServer()).write(handshake()).readResponse()).status).toBe(503)
    expect(told).toEqual([expect.objectContaining({ code: 'ERR_WS_SHUTDOWN' })])
  })

  it('refuses those whom `upgrade` lets in afterwards', async () => {
    const asked = new Event()
    const answer = new Event<undefined>()
    const handler = createHandler({
      upgrade() {
        asked.happen()
        return answer.happened
      },
    })
    const { dial: dialServer } = await start({ routes: { '/chat': handler } })
    const client = (await dialServer()).write(handshake())
    await asked.happened
    await handler.shutdown()
    answer.happen(undefined)
    expect((await client.readResponse()).status).toBe(503)
    expect(handler.connections.size).toBe(0)
  })

  it('answers 503 to those who are waiting, and who come, on a server of node:http', async () => {
    const { port, upgrades } = await holding()
    const handler = createHandler({ upgrade: () => new Promise<undefined>(() => {}) })
    const clients = [(await dial({ port })).write(handshake()), (await dial({ port })).write(handshake())]
    const [first, second] = [await upgrades.next(), await upgrades.next()]
    handler.handleUpgrade(...first)
    await handler[Symbol.asyncDispose]()
    handler.handleUpgrade(...second)
    for (const client of clients) expect((await client.readResponse()).status).toBe(503)
  })

  it('waits for those who were refused on a server of node:http, no longer than the timeout', async () => {
    const { port, upgrades } = await holding()
    const handler = createHandler({ path: '/chat' })
    const client = (await dial({ port })).write(handshake({}, 'GET /nothing HTTP/1.1'))
    const [request, socket, head] = await upgrades.next()
    handler.handleUpgrade(request, socket, head)
    expect((await client.readResponse()).status).toBe(404)
    const began = performance.now()
    await handler.shutdown({ timeout: 20 })
    expect(performance.now() - began).toBeLessThan(1_500)
    expect(socket.closed).toBe(true)
  })

  it('ends those who do not answer after the timeout, and only then', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const closed = new Events<CloseInfo>()
    const handler = createHandler({ close: (_ws, info) => closed.push(info) })
    const { open } = await start({ routes: { '/chat': handler } })
    const client = await open()
    const down = handler.shutdown({ code: 4000, reason: 'x', timeout: 1_000 })
    expect(await client.readClose()).toBe('4000 x')
    vi.advanceTimersByTime(999)
    expect(handler.connections.size).toBe(1)
    vi.advanceTimersByTime(1)
    await down
    expect(await closed.next()).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('takes five seconds at most, unless told otherwise', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const handler = createHandler({})
    const { open } = await start({ routes: { '/chat': handler } })
    await open()
    const down = handler.shutdown()
    const terminate = vi.spyOn(Connection.prototype, 'terminate')
    vi.advanceTimersByTime(4_999)
    expect(terminate).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(terminate).toHaveBeenCalledOnce()
    terminate.mockRestore()
    await down
  })

  it('may be asked for twice, and leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const handler = createHandler({})
    const { open } = await start({ routes: { '/chat': handler } })
    const client = await open()
    const both = [handler.shutdown(), handler.shutdown()]
    expect(await client.readClose()).toBe('1001')
    await client.write(CLOSE).end().readToEnd()
    await Promise.all(both)
    await handler.shutdown()
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([
    { code: 999 },
    { code: '1000' },
    { code: 1005 },
    { reason: 'x'.repeat(124) },
    { timeout: -1 },
    { timeout: '1' },
  ])('rejects %o, having ended nothing', async (options) => {
    const handler = createHandler({})
    const { open } = await start({ routes: { '/chat': handler } })
    await open()
    await expect(handler.shutdown(options as object)).rejects.toThrow(/must|at most|cannot|may/)
    expect([...handler.connections].map(({ readyState }) => readyState)).toEqual([1])
    await open()
  })
})

/** What the compiler knows about servers and their connections, and what it refuses. */
import { createServer } from 'node:http'
import { describe, expectTypeOf, it } from 'vitest'
import { createHandler, serve } from '../../src/index.ts'
import type {
  CloseInfo,
  CloseInitiator,
  Connection,
  ConnectionClosedError,
  HandshakeError,
  HandlerOptions,
  Message,
  ServeOptions,
  ServerConnection,
  ServerStats,
  TappedFrame,
  UpgradeAnswer,
  UpgradeContext,
  UpgradeRequest,
  WebSocketHandler,
  WebSocketServer,
} from '../../src/index.ts'
import { ndjson } from '../../src/tap/index.ts'

interface Member {
  name: string
}

/** Never run: what stands in here is for the compiler. */
const neverRun: (run: () => unknown) => void = () => {}

describe('the types of a server', () => {
  it('know the data of its connections, in every function of the handler', () => {
    const options: ServeOptions<Member> = {
      upgrade(request, context) {
        expectTypeOf(request).toEqualTypeOf<UpgradeRequest>()
        expectTypeOf(context).toEqualTypeOf<UpgradeContext>()
        expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
        expectTypeOf(request.query.get('name')).toEqualTypeOf<string | null>()
        expectTypeOf(request.cookies.get('sid')).toEqualTypeOf<string | undefined>()
        return { data: { name: 'Ada' } }
      },
      open: (ws) => expectTypeOf(ws).toEqualTypeOf<ServerConnection<Member>>(),
      message(ws, data, isBinary) {
        expectTypeOf(ws.data).toEqualTypeOf<Member>()
        expectTypeOf(data).toEqualTypeOf<string | Buffer>()
        expectTypeOf(isBinary).toEqualTypeOf<boolean>()
      },
      ping: (ws, payload) => expectTypeOf([ws.data.name, payload]).toEqualTypeOf<(string | Buffer)[]>(),
      pong: (_, payload) => expectTypeOf(payload).toEqualTypeOf<Buffer>(),
      drain: (ws) => expectTypeOf(ws.data).toEqualTypeOf<Member>(),
      close(ws, info) {
        expectTypeOf(ws.data).toEqualTypeOf<Member>()
        expectTypeOf(info).toEqualTypeOf<CloseInfo>()
      },
      error(ws, error) {
        expectTypeOf(ws.data).toEqualTypeOf<Member>()
        expectTypeOf(error).toEqualTypeOf<Error>()
      },
    }
    neverRun(async () => {
      const server = await serve<Member>(options)
      expectTypeOf(server).toEqualTypeOf<WebSocketServer<Member>>()
      for (const ws of server.connections) expectTypeOf(ws.data).toEqualTypeOf<Member>()
      expectTypeOf(server.port).toEqualTypeOf<number | undefined>()
      expectTypeOf(server.url).toEqualTypeOf<string>()
      expectTypeOf(server.publish('a', 'b')).toEqualTypeOf<number>()
      expectTypeOf(server.tap(({ connection }) => void connection.data)).toEqualTypeOf<() => void>()
      server.tap((frame) => expectTypeOf(frame).toEqualTypeOf<TappedFrame<ServerConnection<Member>>>())
      server.tap(ndjson(process.stdout), { maxPayload: 1 })
      expectTypeOf(server.stats()).toEqualTypeOf<ServerStats>()
      expectTypeOf(server.shutdown({ code: 1001, timeout: 1 })).toEqualTypeOf<Promise<void>>()
      expectTypeOf<WebSocketServer>().toExtend<AsyncDisposable>()
    })
  })

  it('let functions answer what they like, at once or later', () => {
    expectTypeOf<ServeOptions['message']>().toBeCallableWith({} as ServerConnection, 'text', false)
    neverRun(() => serve({ port: 0, message: (ws, data) => ws.send(data), open: async (ws) => ws.subscribe('lobby') }))
  })

  it('let upgrade accept or refuse, at once or later, or say nothing', () => {
    type Upgrade = NonNullable<HandlerOptions<Member>['upgrade']>
    expectTypeOf<ReturnType<Upgrade>>().toEqualTypeOf<UpgradeAnswer<Member> | PromiseLike<UpgradeAnswer<Member>>>()
    const upgrades: Upgrade[] = [
      () => {},
      () => undefined,
      () => ({}),
      () => ({ data: { name: 'Ada' }, protocol: 'chat', headers: { 'set-cookie': ['a', 'b'] } }),
      () => ({ status: 401, headers: [['www-authenticate', 'Bearer']], body: 'log in' }),
      async () => ({ status: 403 }),
      async ({ query }) => (query.has('name') ? { data: { name: 'Ada' } } : { status: 401 }),
    ]
    expectTypeOf(upgrades).toBeArray()
    // @ts-expect-error data of another type
    const wrong: Upgrade = () => ({ data: { nickname: 'Ada' } })
    // @ts-expect-error a status is a number
    const status: Upgrade = () => ({ status: '401' })
    neverRun(() => [wrong, status])
  })

  it('refuse what a server cannot be given', () => {
    expectTypeOf<ServeOptions['port']>().toEqualTypeOf<number | undefined>()
    neverRun(() => [
      // @ts-expect-error a port is a number
      serve({ port: '8080' }),
      // @ts-expect-error no such option
      serve({ port: 0, onMessage: () => {} }),
      // @ts-expect-error text is a string or octets
      serve({ port: 0, text: 'utf8' }),
      // @ts-expect-error heartbeat cannot be switched on by true
      serve({ port: 0, heartbeat: true }),
      // @ts-expect-error routes leave the handler to createHandler
      serve({ port: 0, routes: {}, message: () => {} }),
      // @ts-expect-error a topic is a string
      serve({ port: 0, open: (ws) => ws.subscribe(5) }),
      // @ts-expect-error a message is text or octets
      serve({ port: 0, open: (ws) => ws.send(5) }),
      // @ts-expect-error a message is text or octets, and nothing is made of an object
      serve({ port: 0, open: (ws) => ws.send({ text: 'a' }) }),
      // @ts-expect-error what a connection tells of its protocol cannot be changed
      serve({ port: 0, open: (ws) => (ws.protocol = 'b') }),
    ])
  })

  it('know the data of a handler that is attached, or stands under a path', () => {
    const handler = createHandler<Member>({ path: '/chat', message: (ws) => ws.data.name })
    expectTypeOf(handler).toEqualTypeOf<WebSocketHandler<Member>>()
    expectTypeOf(handler.connections).toEqualTypeOf<ReadonlySet<ServerConnection<Member>>>()
    neverRun(() => {
      createServer().on('upgrade', (request, socket, head) => handler.handleUpgrade(request, socket, head))
      expectTypeOf(serve({ port: 0, routes: { '/chat': createHandler({}) } })).toEqualTypeOf<Promise<WebSocketServer>>()
    })
  })
})

describe('the types of a connection', () => {
  it('say what it takes and tells', () => {
    neverRun(async () => {
      const ws = {} as Connection<Member>
      expectTypeOf(ws.send('a')).toEqualTypeOf<boolean>()
      for (const data of [Buffer.alloc(1), new Uint8Array(1), new DataView(new ArrayBuffer(1)), new ArrayBuffer(1)]) {
        ws.send(data, { binary: true, fragmentSize: 5 })
      }
      expectTypeOf(ws.readyState).toEqualTypeOf<1 | 2 | 3>()
      expectTypeOf(ws.bufferedAmount).toEqualTypeOf<number>()
      expectTypeOf(ws.drained()).toEqualTypeOf<Promise<void>>()
      expectTypeOf(ws.close(1000, 'done')).toEqualTypeOf<Promise<CloseInfo>>()
      expectTypeOf(ws.closed).toEqualTypeOf<Promise<CloseInfo>>()
      expectTypeOf<Connection>().toExtend<AsyncDisposable>()
      for await (const message of ws) expectTypeOf(message).toEqualTypeOf<string | Buffer>()
      // @ts-expect-error a code is a number
      await ws.close('1000')
      // @ts-expect-error a fragment has a size in octets
      ws.send('a', { fragmentSize: '5' })
    })
    expectTypeOf<Message>().toEqualTypeOf<string | Buffer>()
  })

  it('explain every close', () => {
    expectTypeOf<CloseInitiator>().toEqualTypeOf<'local' | 'peer' | 'network' | 'timeout'>()
    expectTypeOf<CloseInfo['initiator']>().toEqualTypeOf<CloseInitiator>()
    expectTypeOf<CloseInfo>().toEqualTypeOf<{
      readonly code: number
      readonly reason: string
      readonly wasClean: boolean
      readonly initiator: CloseInitiator
      readonly cause?: Error
    }>()
    expectTypeOf<ConnectionClosedError['initiator']>().toEqualTypeOf<CloseInitiator>()
    expectTypeOf<ConnectionClosedError['closeCode']>().toEqualTypeOf<number>()
    expectTypeOf<HandshakeError['status']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<HandshakeError['headers']>().toEqualTypeOf<ReadonlyMap<string, string>>()
    expectTypeOf<HandshakeError['body']>().toEqualTypeOf<Buffer | undefined>()
  })
})

/** What the compiler knows about clients, and what it refuses. */
import { lookup } from 'node:dns'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls'
import type { ReadableStream } from 'node:stream/web'
import { describe, expectTypeOf, it } from 'vitest'
import { WebSocket, WebSocketStream, WebSocketStreamError, connect, reconnecting } from '../../src/index.ts'
import type {
  ClientConnection,
  CloseInfo,
  ConnectOptions,
  Connection,
  ReconnectingOptions,
  StreamTarget,
  WebSocketInit,
} from '../../src/index.ts'

interface Member {
  name: string
}

declare const createConnection: (target: StreamTarget) => Promise<Duplex>

/** Never run: what stands in here is for the compiler. */
const neverRun: (run: () => unknown) => void = () => {}

describe('the types of connect', () => {
  it('take a string or a URL, and promise a connection', () => {
    expectTypeOf(connect).parameter(0).toEqualTypeOf<string | URL>()
    neverRun(async () => {
      expectTypeOf(await connect('ws://a')).toEqualTypeOf<ClientConnection<undefined>>()
      expectTypeOf(await connect(new URL('ws://a'), {})).toEqualTypeOf<ClientConnection<undefined>>()
    })
  })

  it('know the data of the connection, from the option or the type argument', () => {
    neverRun(async () => {
      expectTypeOf(await connect('ws://a', { data: { name: 'Ada' } })).toEqualTypeOf<
        ClientConnection<{ name: string }>
      >()
      const ws = await connect<Member>('ws://a', {
        data: { name: 'Ada' },
        open: (opened) => expectTypeOf(opened).toEqualTypeOf<ClientConnection<Member>>(),
        message(opened, data, isBinary) {
          expectTypeOf(opened.data).toEqualTypeOf<Member>()
          expectTypeOf(data).toEqualTypeOf<string | Buffer>()
          expectTypeOf(isBinary).toEqualTypeOf<boolean>()
        },
        close: (opened, info) => expectTypeOf([opened.data, info]).toEqualTypeOf<(Member | CloseInfo)[]>(),
        error: (_, error) => expectTypeOf(error).toEqualTypeOf<Error>(),
      })
      expectTypeOf(ws.data).toEqualTypeOf<Member>()
      // @ts-expect-error data of another type
      await connect<Member>('ws://a', { data: { nickname: 'Ada' } })
    })
  })

  it('say what the options are', () => {
    expectTypeOf<ConnectOptions['protocols']>().toEqualTypeOf<readonly string[] | undefined>()
    expectTypeOf<ConnectOptions['signal']>().toEqualTypeOf<AbortSignal | undefined>()
    expectTypeOf<ConnectOptions['tls']>().toEqualTypeOf<TlsConnectionOptions | undefined>()
    expectTypeOf<ConnectOptions['oneAtATime']>().toEqualTypeOf<boolean | undefined>()
    const options: ConnectOptions[] = [
      { headers: { cookie: 'a=b', 'x-two': ['a', 'b'] } },
      { headers: [['origin', 'https://app.example']] },
      { headers: new Map([['cookie', 'a=b']]) },
      { headers: new Headers({ cookie: 'a=b' }) },
      { protocols: ['a'], socketPath: '/run/socket', handshakeTimeout: 5, signal: AbortSignal.timeout(5) },
      { proxy: 'environment', redirects: 3 },
      { proxy: new URL('http://proxy'), lookup, family: 4, localAddress: '::1', autoSelectFamily: true },
      { proxy: { url: 'https://proxy', headers: { 'user-agent': 'a' }, tls: { ca: 'pem' } } },
      { createConnection: ({ host, port, secure, signal }) => createConnection({ host, port, secure, signal }) },
      { text: 'buffer', maxMessageSize: 5, heartbeat: { interval: 5 }, tls: { ca: 'pem', rejectUnauthorized: false } },
    ]
    expectTypeOf(options).toBeArray()
  })

  it('refuse what connect cannot be given', () => {
    expectTypeOf(connect).parameter(1).toExtend<object | undefined>()
    neverRun(() => [
      // @ts-expect-error a URI is text
      connect(5),
      // @ts-expect-error several protocols are an array, and so is one
      connect('ws://a', { protocols: 'chat' }),
      // @ts-expect-error a signal, not its controller
      connect('ws://a', { signal: new AbortController() }),
      // @ts-expect-error a field has text for a value
      connect('ws://a', { headers: { x: 5 } }),
      // @ts-expect-error a proxy has a URL
      connect('ws://a', { proxy: { host: 'proxy' } }),
      // @ts-expect-error a stream reads and writes
      connect('ws://a', { createConnection: () => new AbortController() }),
      // @ts-expect-error no such option
      connect('ws://a', { timeout: 5 }),
      // @ts-expect-error upgrade is for servers
      connect('ws://a', { upgrade: () => {} }),
      // @ts-expect-error a client has no topics
      connect('ws://a', { open: (ws) => ws.subscribe('lobby') }),
      // @ts-expect-error messages are told with data first
      connect('ws://a', { message: (_ws: Connection, isBinary: boolean) => isBinary }),
    ])
  })

  it('let messages be iterated over, as text or octets', () => {
    neverRun(async () => {
      await using ws = await connect('ws://a')
      for await (const message of ws) {
        expectTypeOf(message).toEqualTypeOf<string | Buffer>()
        if (typeof message !== 'string') expectTypeOf(message).toEqualTypeOf<Buffer>()
      }
    })
  })
})

describe('the types of WebSocket and WebSocketStream', () => {
  it('say what is sent and received', () => {
    neverRun(async () => {
      const ws = new WebSocket('ws://a', ['chat'], { headers: { cookie: 'a=b' } })
      ws.addEventListener('close', ({ code, reason }) =>
        expectTypeOf([code, reason]).toEqualTypeOf<(number | string)[]>(),
      )
      // @ts-expect-error shared memory cannot be sent
      ws.send(new SharedArrayBuffer(1))
      const wss = new WebSocketStream(new URL('ws://a'), { protocols: new Set(['chat']), perMessageDeflate: true })
      const { readable, writable, extensions } = await wss.opened
      expectTypeOf(readable).toEqualTypeOf<ReadableStream<string | Uint8Array>>()
      expectTypeOf(extensions).toEqualTypeOf<string>()
      await writable.getWriter().write(Buffer.from('octets'))
      wss.close({ closeCode: 1000 })
      expectTypeOf(await wss.closed).toEqualTypeOf<{ readonly closeCode: number; readonly reason: string }>()
      expectTypeOf(new WebSocketStreamError('message').closeCode).toEqualTypeOf<number | null>()
    })
  })

  it('refuse what a WebSocketStream cannot be given', () => {
    expectTypeOf(WebSocketStream).toBeConstructibleWith('ws://a', {})
    neverRun(() => [
      // @ts-expect-error protocols are a list
      new WebSocketStream('ws://a', { protocols: 5 }),
      // @ts-expect-error messages are read from a stream
      new WebSocketStream('ws://a', { message: () => {} }),
      // @ts-expect-error the code has another name in an event
      new WebSocketStreamError('', { code: 1000 }),
    ])
  })
})

describe('the types of reconnecting', () => {
  it('give connections with their data, and take the options of connect', () => {
    neverRun(async () => {
      for await (const ws of reconnecting('ws://a')) expectTypeOf(ws).toEqualTypeOf<ClientConnection<undefined>>()
      const options: ReconnectingOptions<Member> = {
        data: { name: 'Ada' },
        minDelay: 5,
        retry: (error, attempt) => error instanceof Error && attempt < 5,
        message: (ws) => expectTypeOf(ws.data).toEqualTypeOf<Member>(),
      }
      for await (const ws of reconnecting(new URL('ws://a'), options)) {
        expectTypeOf(ws.data).toEqualTypeOf<Member>()
        expectTypeOf(ws.url).toEqualTypeOf<string>()
      }
    })
    expectTypeOf<ReconnectingOptions>().toExtend<ConnectOptions>()
  })
})

describe('the dictionary of WebSocket', () => {
  it('has what Node can do and browsers cannot', () => {
    const init: WebSocketInit[] = [{ proxy: 'environment', redirects: 1, family: 6 }]
    expectTypeOf(init).toBeArray()
  })
})

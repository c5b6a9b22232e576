/** The way to a server: how a host is found, and streams that the user brings. Proxies are in `connect-proxy.test.ts`. */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { LookupFunction, TcpNetConnectOpts } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { connect } from '../../src/client/connect.ts'
import type { ConnectOptions } from '../../src/client/connect.ts'
import type { StreamTarget } from '../../src/client/transport.ts'
import { Deferred } from '../../src/connection/index.ts'
import { createAuthority } from '../support/certificates.ts'
import type { Authority, Certificate } from '../support/certificates.ts'
import { pair } from '../support/duplex.ts'
import { acceptance, expectOpen, rawServer } from '../support/raw-server.ts'
import { frame } from '../support/wire.ts'

let authority: Authority
let certificate: Certificate
let ca: string
beforeAll(async () => {
  authority = await createAuthority()
  certificate = await authority.issue({ names: 'DNS:localhost,DNS:server.example' })
  ca = authority.cert
})

const { dialled } = vi.hoisted(() => ({ dialled: [] as TcpNetConnectOpts[] }))

vi.mock('node:net', async (importOriginal) => {
  const real = await importOriginal<{ connect: (options: TcpNetConnectOpts) => unknown }>()
  return {
    ...real,
    connect: (options: TcpNetConnectOpts) => {
      dialled.push(options)
      return real.connect(options)
    },
  }
})

/** Every name is this machine. */
const here: LookupFunction = (_, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

describe('how a host is found', () => {
  it('is what lookup says', async () => {
    const raw = await rawServer()
    const asked: unknown[] = []
    const lookup: LookupFunction = (host, options, callback) => {
      asked.push(host, options.family, options.hints)
      here(host, options, callback)
    }
    const connecting = connect(`ws://server.example:${raw.port}/`, { lookup, family: 4, hints: 0 })
    const peer = await raw.accept()
    const head = await peer.readHead()
    expect(head).toContain(`Host: server.example:${raw.port}\r\n`)
    peer.write(acceptance(head))
    await expectOpen(connecting)
    expect(asked).toEqual(['server.example', 4, 0])
  })

  it('is what lookup says under TLS, too, whatever tls says', async () => {
    const raw = await rawServer({ tls: certificate })
    const nowhere: LookupFunction = (_host, _options, callback) => callback(new Error('not this one'), '')
    const tls = { ca, lookup: nowhere }
    const connecting = connect(`wss://server.example:${raw.port}/`, { lookup: here, tls })
    const { socket } = await raw.open()
    await expectOpen(connecting)
    expect((socket as TLSSocket).servername).toBe('server.example')
  })

  it('fails with what lookup fails with', async () => {
    const cause = Object.assign(new Error('no'), { code: 'ENOTFOUND' })
    const lookup: LookupFunction = (_host, _options, callback) => callback(cause, '')
    await expect(connect('ws://server.example', { lookup })).rejects.toMatchObject({
      code: 'ERR_WS_CONNECT_FAILED',
      cause,
    })
  })

  it('ends with the signal while a name is looked up', async () => {
    const controller = new AbortController()
    const connecting = connect('ws://server.example', { lookup: () => {}, signal: controller.signal })
    controller.abort(new Error('changed my mind'))
    await expect(connecting).rejects.toThrow('changed my mind')
  })

  it('is left to net.connect with all its options, and with no others', async () => {
    const raw = await rawServer()
    const options: ConnectOptions = {
      lookup: here,
      family: 4,
      localAddress: '127.0.0.1',
      localPort: 0,
      autoSelectFamily: false,
      autoSelectFamilyAttemptTimeout: 500,
    }
    for (const given of [options, {}]) {
      dialled.length = 0
      const connecting = connect(raw.url, given)
      await raw.open()
      await expectOpen(connecting)
      expect(dialled).toEqual([{ ...given, host: 'localhost', port: raw.port, allowHalfOpen: true }])
    }
  })
})

/** Whatever somebody rejects with. */
const NO_ERROR = 'no way' as unknown as Error

describe('createConnection', () => {
  /** As a tunnel: it leads to this machine, whatever is asked for. */
  const to =
    (port: number): ((target: StreamTarget) => Duplex) =>
    () =>
      connectTcp({ host: '127.0.0.1', port })

  it('makes the stream, and is told where to', async () => {
    const raw = await rawServer()
    const targets: StreamTarget[] = []
    const createConnection = (target: StreamTarget): Duplex => {
      targets.push(target)
      return to(raw.port)(target)
    }
    const connecting = connect('ws://server.example:81/a', { createConnection })
    const peer = await raw.accept()
    const head = await peer.readHead()
    expect(head).toMatch(/^GET \/a HTTP\/1.1\r\nHost: server.example:81\r\n/)
    peer.write(acceptance(head))
    await expectOpen(connecting)
    expect(targets).toEqual([
      { host: 'server.example', port: 81, secure: false, signal: expect.any(AbortSignal) as unknown },
    ])
  })

  it.each(['connected', 'on its way', 'promised'])(
    'puts TLS with the server on top of a stream that is %s',
    async (how) => {
      const raw = await rawServer({ tls: certificate })
      const createConnection = async (): Promise<Duplex> => {
        const socket = connectTcp({ host: '127.0.0.1', port: raw.port })
        if (how === 'connected') await new Promise((resolve) => void socket.once('connect', resolve))
        return socket
      }
      const onItsWay = (): Duplex => connectTcp({ host: '127.0.0.1', port: raw.port })
      const options = { createConnection: how === 'on its way' ? onItsWay : createConnection, tls: { ca } }
      const connecting = connect('wss://server.example/', options)
      const peer = await raw.open(frame(0x81, 'behind'))
      expect((peer.socket as TLSSocket).servername).toBe('server.example')
      const ws = await connecting
      for await (const message of ws) {
        expect(message).toBe('behind')
        break
      }
      ws.terminate()
      await peer.readEnd()
    },
  )

  it('checks the certificate all the same, and leaves nothing open', async () => {
    const raw = await rawServer({ tls: certificate })
    const made: Duplex[] = []
    const createConnection = (target: StreamTarget): Duplex => {
      made.push(to(raw.port)(target))
      return made[0]
    }
    const connecting = connect('wss://other.example/', { createConnection, tls: { ca } })
    await expect(connecting).rejects.toMatchObject({ cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
    expect(made[0].destroyed).toBe(true)
    expect(made[0].emit('error', new Error('late'))).toBe(true)
  })

  it('may bring a pipe in memory', async () => {
    const [near, far] = pair({ delivery: 'later' })
    const heard: unknown[] = []
    const connecting = connect('ws://memory/', { createConnection: () => near, message: (_, data) => heard.push(data) })
    const [request] = (await once(far, 'data')) as [Buffer]
    far.write(Buffer.concat([Buffer.from(acceptance(request.toString('latin1'))), frame(0x81, 'hi')]))
    const ws = await connecting
    await vi.waitFor(() => expect(heard).toEqual(['hi']))
    ws.terminate()
    await once(far.resume(), 'end')
  })

  it.each<[string, () => Promise<Duplex>, string]>([
    [
      'throws',
      () => {
        throw new Error('no way')
      },
      'Error',
    ],
    ['rejects', () => Promise.reject(Object.assign(new Error('no way'), { code: 'ESSH' })), 'ESSH'],
    ['rejects with what is no error', () => Promise.reject(NO_ERROR), 'string'],
  ])('fails the attempt when it %s', async (_, createConnection, why) => {
    await expect(connect('ws://a', { createConnection })).rejects.toMatchObject({
      code: 'ERR_WS_CONNECT_FAILED',
      message: `Cannot connect to ws://a: ${why}; the cause of this error tells more`,
    })
  })

  it.each(['ws://a', 'wss://a'])('fails %s when its stream has ended already', async (uri) => {
    const createConnection = (): Duplex => new PassThrough().destroy()
    await expect(connect(uri, { createConnection })).rejects.toMatchObject({ code: 'ERR_WS_NO_RESPONSE' })
  })

  it('must make a stream', async () => {
    for (const made of [undefined, null, {}, 'stream'] as unknown[]) {
      await expect(connect('ws://a', { createConnection: () => made as Duplex })).rejects.toMatchObject({
        name: 'TypeError',
        code: 'ERR_WS_INVALID_OPTION',
      })
    }
  })

  it.each(['deadline', 'signal'])('is bound by the %s, and what it makes too late is destroyed', async (end) => {
    const controller = new AbortController()
    const made = new Deferred<Duplex>()
    const signals: AbortSignal[] = []
    const createConnection = ({ signal }: StreamTarget): Promise<Duplex> => {
      signals.push(signal)
      return made.promise
    }
    const handshakeTimeout = end === 'deadline' ? 20 : 10_000
    const connecting = connect('ws://a', { createConnection, signal: controller.signal, handshakeTimeout })
    connecting.catch(() => {})
    await setImmediate()
    if (end === 'signal') controller.abort()
    await expect(connecting).rejects.toMatchObject(
      end === 'signal' ? { name: 'AbortError' } : { code: 'ERR_WS_HANDSHAKE_TIMEOUT' },
    )
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    const late = new PassThrough()
    made.resolve(late)
    await setImmediate()
    expect(late.destroyed).toBe(true)
    expect(late.emit('error', new Error('late'))).toBe(true)
  })

  it.each(['fail', 'make nothing'])('may %s when nobody waits any more', async (how) => {
    const controller = new AbortController()
    const made = new Deferred<Duplex>()
    const connecting = connect('ws://a', { createConnection: () => made.promise, signal: controller.signal })
    connecting.catch(() => {})
    await setImmediate()
    controller.abort(new Error('changed my mind'))
    await expect(connecting).rejects.toThrow('changed my mind')
    if (how === 'fail') made.reject(new Error('late'))
    else made.resolve(undefined as unknown as Duplex)
    await setImmediate()
  })
})

describe('a transport that fails at once', () => {
  /** Within a callback of the event loop, where what Node puts off comes before any promise. */
  function failureOf(options: ConnectOptions): Promise<unknown> {
    return new Promise((resolve) => {
      process.nextTick(() => {
        resolve(
          connect('ws://server.example', { ...options, oneAtATime: false }).then(
            () => 'It connected',
            (error: unknown) => error,
          ),
        )
      })
    })
  }

  it('is heard', async () => {
    const cause = Object.assign(new Error('no'), { code: 'ENOTFOUND' })
    const lookup: LookupFunction = (_host, _options, callback) => callback(cause, '')
    const createConnection = (): Duplex => {
      const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
      process.nextTick(() => stream.destroy(cause))
      return stream
    }
    for (const options of [{ lookup }, { createConnection }, { createConnection: async () => createConnection() }]) {
      expect(await failureOf(options)).toMatchObject({ code: 'ERR_WS_CONNECT_FAILED', cause })
    }
    expect(await failureOf({ proxy: 'http://proxy.example', lookup })).toMatchObject({
      code: 'ERR_WS_PROXY_FAILED',
      cause,
    })
  })
})

/**
 * TLS that is not what it should be: peers that renegotiate, callbacks of the application that throw, transports that end
 * anywhere in a record, and octets that are none of TLS where a record was due.
 */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { AddressInfo } from 'node:net'
import { CLIENT_RENEG_LIMIT, connect as connectTls, createServer as createTlsServer } from 'node:tls'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { CloseInfo } from '../../src/errors.ts'
import { connect, serve } from '../../src/index.ts'
import type { WebSocketServer } from '../../src/index.ts'
import { createAuthority } from '../support/certificates.ts'
import type { Authority, Certificate } from '../support/certificates.ts'
import { turn } from '../support/clock.ts'
import { failureOf } from '../support/connecting.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import { acceptance } from '../support/raw-server.ts'
import { received } from '../support/wire.ts'
import { FaultProxy } from './support/fault-proxy.ts'
import type { Script } from './support/fault-script.ts'
import { sizes } from './support/fault-sizes.ts'

let authority: Authority
let certificate: Certificate
beforeAll(async () => {
  authority = await createAuthority()
  certificate = await authority.issue()
})

interface Served {
  readonly server: WebSocketServer
  readonly refused: Error[]
  readonly infos: CloseInfo[]
}

async function served(tls: TlsOptions = {}): Promise<Served> {
  const refused: Error[] = []
  const infos: CloseInfo[] = []
  const server = await serve({
    host: '127.0.0.1',
    tls: { ...certificate, ...tls },
    message: (ws, data) => ws.send(data),
    close: (_ws, info) => void infos.push(info),
    handshakeError: (error) => void refused.push(error),
  })
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  return { server, refused, infos }
}

/** Whoever comes next is served. */
async function expectServed({ server }: Served): Promise<void> {
  const ws = await connect(`wss://localhost:${server.port}`, { tls: { ca: authority.cert } })
  ws.send('honest')
  for await (const message of ws) {
    expect(message).toBe('honest')
    break
  }
  await ws.close(1000)
}

function renegotiate(socket: TLSSocket): Promise<Error | null> {
  return new Promise((resolve) => {
    socket.once('error', resolve).once('close', () => resolve(new Error('It was ended')))
    socket.renegotiate({ rejectUnauthorized: false }, resolve)
  })
}

describe('A peer that renegotiates TLS 1.2', () => {
  const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const

  it('is understood by a client', async () => {
    const listener = createTlsServer({ ...certificate, ...old })
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    onTestFinished(() => void listener.close())
    const accepted = once(listener, 'secureConnection')
    const connecting = connect(`wss://localhost:${(listener.address() as AddressInfo).port}`, {
      tls: { ca: authority.cert },
    })
    const [socket] = (await accepted) as [TLSSocket]
    const [request] = (await once(socket, 'data')) as [Buffer]
    socket.write(acceptance(request.toString('latin1')))
    const ws = await connecting
    expect(await renegotiate(socket)).toBeNull()
    socket.write(received('client', 0x81, 'behind it'))
    for await (const message of ws) {
      expect(message).toBe('behind it')
      break
    }
    ws.terminate()
    socket.destroy()
  })

  it('is understood by a server, and its connection fails when it goes on with it', async () => {
    const all = await served(old)
    const { port } = all.server
    const client = await RawClient.connect({ port: port!, tls: { ca: authority.cert, ...old } })
    await client.write(handshake()).readHead()
    for (let times = 0; times < CLIENT_RENEG_LIMIT; times++) {
      expect(await renegotiate(client.socket as TLSSocket)).toBeNull()
      expect(await client.write(received('server', 0x81, `${times}`)).readText()).toBe(`${times}`)
    }
    ;(client.socket as TLSSocket).renegotiate({ rejectUnauthorized: false }, () => {})
    await client.readToEnd()
    client.destroy()
    expect(all.infos).toMatchObject([{ code: 1006, wasClean: false, cause: { code: 'ERR_TLS_SESSION_ATTACK' } }])
    expect(all.server.connections.size).toBe(0)
    await expectServed(all)
  })
})

describe('A callback for TLS', () => {
  const thrown = new Error('on purpose')
  const fail = (): never => {
    throw thrown
  }
  it.each<[string, TlsOptions]>([
    ['an SNICallback that throws', { SNICallback: fail }],
    ['an SNICallback that fails', { SNICallback: (_name, done) => void setImmediate(done, thrown) }],
    ['an ALPNCallback that throws', { ALPNCallback: fail }],
    ['an ALPNCallback that chooses what was not offered', { ALPNCallback: () => 'none of them' }],
  ])('such as %s ends one handshake, and no process', async (_, tls) => {
    const all = await served(tls)
    const uncaught: unknown[] = []
    const onUncaught = (error: unknown): void => void uncaught.push(error)
    process.on('uncaughtException', onUncaught)
    onTestFinished(() => void process.off('uncaughtException', onUncaught))
    const attempts = Array.from({ length: 10 }, () =>
      failureOf(
        connect(`wss://localhost:${all.server.port}`, {
          oneAtATime: false,
          tls: { ca: authority.cert, ALPNProtocols: ['http/1.1'] },
        }),
      ),
    )
    for (const { code } of await Promise.all(attempts)) expect(code).toMatch(/^ERR_WS_(?:CONNECT_FAILED|NO_RESPONSE)$/)
    while (all.refused.length < attempts.length) await turn()
    expect(new Set(all.refused.map((error) => Reflect.get(error, 'code')))).toEqual(new Set(['ERR_WS_ABORTED']))
    expect(uncaught).toEqual([])
    expect(all.server.stats()).toMatchObject({ connections: 0, pendingHandshakes: 0 })
  })
})

/** Where to cut: in every octet of the last records, which are frames, and in some, or in all, of what is before them. */
function offsets(total: number): number[] {
  const all = Array.from({ length: total }, (_, at) => at)
  return all.filter((at) => at % sizes.tlsStep === 0 || at >= total - 120)
}

describe.each(['cut', 'reset'] as const)('A %s of the transport below TLS', (kind) => {
  const none: Script = { toServer: [], toClient: [] }

  /** A conversation through a proxy: how it ended for the client, and how many octets passed. */
  async function converse(
    port: number,
    script: Script,
  ): Promise<[outcome: string, passed: Record<keyof Script, number>]> {
    const proxy = await FaultProxy.listen(port, script)
    const infos: CloseInfo[] = []
    const connecting = connect(`wss://localhost:${proxy.port}`, {
      tls: { ca: authority.cert },
      open: (ws) => void ws.send('Hello'),
      message: (ws) => void ws.close(1000),
      close: (_, info) => void infos.push(info),
    })
    const outcome = await connecting.then(
      async (ws) => `${(await ws.closed).code}, ${infos.length} times`,
      (error: unknown) => String(Reflect.get(Object(error), 'code')),
    )
    const { passed } = proxy
    await proxy.close()
    return [outcome, passed]
  }

  it.each(['toServer', 'toClient'] as const)(
    'in the middle of a record %s ends both ends once',
    { timeout: 600_000 },
    async (way) => {
      const all = await served()
      const { server, infos, refused } = all
      const [whole, passed] = await converse(server.port!, none)
      expect(whole).toBe('1000, 1 times')
      const outcomes = new Map<string, number>()
      for (const at of offsets(passed[way])) {
        const [outcome] = await converse(server.port!, { ...none, [way]: [{ at, kind }] })
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      }
      const often = outcomes.get('1006, 1 times')
      expect(often).toBeGreaterThan(20)
      const expected = new Set(['1000, 1 times', '1006, 1 times', 'ERR_WS_CONNECT_FAILED', 'ERR_WS_NO_RESPONSE'])
      expect([...outcomes.keys()].filter((outcome) => !expected.has(outcome))).toEqual([])
      await expectServed(all)
      while (server.connections.size > 0) await turn()
      const { opened, closed, pendingHandshakes } = server.stats()
      expect([infos.length, closed, pendingHandshakes]).toEqual([opened, opened, 0])
      expect(new Set(refused.map((error) => Reflect.get(error, 'code')))).toEqual(new Set(['ERR_WS_ABORTED']))
    },
  )
})

describe('Octets that are no record', () => {
  it.each([
    ['nothing but zeros', Buffer.alloc(100)],
    ['a request without TLS', Buffer.from(handshake())],
    ['a record of an unknown type', Buffer.from('ff030300050102030405', 'hex')],
    ['a record that is longer than any', Buffer.from(`170303ffff${'00'.repeat(200)}`, 'hex')],
    ['a record that nobody has encrypted', Buffer.from('17030300050102030405', 'hex')],
    ['an alert that nobody has encrypted', Buffer.from('15030300020228', 'hex')],
    ['half a record, and the end', Buffer.from('170303010001', 'hex')],
  ])('where one is due, such as %s, end that connection once', async (_, garbage) => {
    const all = await served()
    const transport = connectTcp({ port: all.server.port!, host: '127.0.0.1' })
    await once(transport, 'connect')
    const tls = connectTls({ socket: transport, servername: 'localhost', ca: authority.cert })
    const client = new RawClient(tls, transport)
    await client.write(handshake()).readHead()
    await client.write(received('server', 0x81, 'before')).readText()
    transport.end(garbage)
    await client.readToEnd()
    client.destroy()
    while (all.infos.length === 0) await turn()
    expect(all.infos).toMatchObject([{ code: 1006, wasClean: false }])
    await expectServed(all)
  })
})

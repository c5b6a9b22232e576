/** `wss:`: TLS before anything else, to a server that has proved who it is (RFC 6455 4.1). */
import { mkdtempSync, rmSync } from 'node:fs'
import type { LookupFunction, Socket } from 'node:net'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect } from '../../src/client/connect.ts'
import type { ConnectOptions } from '../../src/client/connect.ts'
import type { Message } from '../../src/connection/index.ts'
import { serve } from '../../src/server/index.ts'
import { createAuthority } from '../support/certificates.ts'
import type { Authority, Certificate } from '../support/certificates.ts'
import { failureOf } from '../support/connecting.ts'
import { acceptance, expectOpen, rawServer } from '../support/raw-server.ts'
import type { RawServer } from '../support/raw-server.ts'
import { frame } from '../support/wire.ts'

let authority: Authority
let certificate: Certificate
let ca: string
beforeAll(async () => {
  authority = await createAuthority()
  certificate = await authority.issue({ names: 'DNS:localhost,IP:127.0.0.1,DNS:server.example' })
  ca = authority.cert
})

/** Every name is this machine. */
const lookup: LookupFunction = (_, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

function secureServer(tls: TlsOptions = certificate): Promise<RawServer> {
  return rawServer({ tls })
}

/** Connects, and answers what the server was told as its name (`false`: nothing). */
async function serverNameAt(raw: RawServer, uri: string, options: ConnectOptions): Promise<unknown> {
  const connecting = connect(uri, options)
  const { socket } = await raw.open()
  await expectOpen(connecting)
  return (socket as TLSSocket).servername
}

describe('connect to wss:', () => {
  it('meets our server through TLS [6455:4.1-14] [6455:4.1-16]', async () => {
    const server = await serve({
      host: '127.0.0.1',
      port: 0,
      tls: certificate,
      message: (ws, data) => ws.send(data),
    })
    onTestFinished(() => server.shutdown({ timeout: 0 }))
    const ws = await connect(`wss://localhost:${server.port}/`, { tls: { ca } })
    ws.send('secret')
    for await (const message of ws) {
      expect(message).toBe('secret')
      break
    }
    expect(await ws.close(1000)).toMatchObject({ code: 1000, wasClean: true })
  })

  it('sends the request when TLS is up, not before [6455:4.1-14]', async () => {
    const raw = await secureServer()
    // The server's part of TLS goes through here, and waits until it is let go.
    const relay = await rawServer()
    const failure = connect(relay.url.replace('ws:', 'wss:'), { tls: { ca } })
    const client = await relay.accept()
    const upstream = connectTcp(raw.port, '127.0.0.1')
    const hello = await client.read(5)
    expect(hello[0]).toBe(22)
    await setImmediate()
    const first = Buffer.concat([hello, await client.read(hello.readUInt16BE(3))])
    expect(client.unread).toHaveLength(0)
    upstream.write(first)
    client.socket.pipe(upstream).pipe(client.socket)
    const peer = await raw.accept()
    const request = await peer.readHead()
    expect(request).toMatch(new RegExp(`^GET / HTTP/1.1\\r\\nHost: localhost:${relay.port}\\r\\n`))
    peer.write(acceptance(request))
    await expectOpen(failure)
    upstream.destroy()
  })

  it('loses nothing of what comes with the answer, in one record or in many at once', async () => {
    const raw = await secureServer()
    const messages: Message[] = ['one', Buffer.alloc(3_000, 2), 'three', Buffer.alloc(50_000, 4), 'five']
    const frames = messages.map((message) => frame(typeof message === 'string' ? 0x81 : 0x82, message))
    for (const recordSize of [16_384, 512]) {
      for (const consumer of ['message', 'for await']) {
        const heard: Message[] = []
        const options: ConnectOptions = consumer === 'message' ? { message: (_, data) => heard.push(data) } : {}
        const connecting = connect(raw.url, { ...options, tls: { ca } })
        const peer = await raw.accept()
        ;(peer.socket as TLSSocket).setMaxSendFragment(recordSize)
        const answer = Buffer.from(acceptance(await peer.readHead()))
        peer.socket.end(Buffer.concat([answer, ...frames, frame(0x88, Buffer.from([3, 0xe8]))]))
        const ws = await connecting
        if (consumer === 'for await') for await (const message of ws) heard.push(message)
        else await ws.closed
        expect(heard).toEqual(messages)
      }
    }
  })

  it('sets TCP_NODELAY', async () => {
    const raw = await secureServer()
    const { Socket: TcpSocket } = await import('node:net')
    const original = TcpSocket.prototype.setNoDelay
    const asked: unknown[] = []
    TcpSocket.prototype.setNoDelay = function setNoDelay(on) {
      // The server's sockets are of this class, too.
      if (this.remotePort === undefined) asked.push(on)
      return original.call(this, on)
    }
    onTestFinished(() => {
      TcpSocket.prototype.setNoDelay = original
    })
    const connecting = connect(raw.url, { tls: { ca } })
    await raw.open()
    await expectOpen(connecting)
    expect(asked).toContain(true)
  })

  it('tells the name of the server, and no address [6455:4.1-17]', async () => {
    const raw = await secureServer()
    const at = (host: string): string => `wss://${host}:${raw.port}`
    expect(await serverNameAt(raw, at('localhost'), { tls: { ca } })).toBe('localhost')
    expect(await serverNameAt(raw, at('Server.Example'), { tls: { ca, lookup } })).toBe('server.example')
    expect(await serverNameAt(raw, at('127.0.0.1'), { tls: { ca } })).toBe(false)
    const named: ConnectOptions = { tls: { ca, servername: 'server.example' } }
    expect(await serverNameAt(raw, at('127.0.0.1'), named)).toBe('server.example')
    const undefinedName = { ca, servername: undefined } as NonNullable<ConnectOptions['tls']>
    expect(await serverNameAt(raw, at('localhost'), { tls: undefinedName })).toBe('localhost')
  })

  it('shows its certificate where the server asks for one', async () => {
    const raw = await secureServer({ ...certificate, ca, requestCert: true, rejectUnauthorized: true })
    const own = await authority.issue({ names: 'DNS:client.example' })
    const connecting = connect(raw.url, { tls: { ca, ...own } })
    const { socket } = await raw.open()
    expect((socket as TLSSocket).getPeerCertificate().subjectaltname).toBe('DNS:client.example')
    await expectOpen(connecting)
    const error = await failureOf(connect(raw.url, { tls: { ca } }))
    expect(error.code).toBe('ERR_WS_CONNECT_FAILED')
  })

  it('speaks TLS 1.2 at least [6455:10.6-i01]', async () => {
    const old = await secureServer({
      ...certificate,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    })
    const error = await failureOf(connect(old.url, { tls: { ca, ciphers: 'ALL:@SECLEVEL=0' } }))
    expect(error.cause).toMatchObject({ code: expect.stringMatching(/PROTOCOL|VERSION/) as string })
  })

  it('goes where the URI says, whatever the options of TLS say', async () => {
    const raw = await secureServer()
    const elsewhere = { host: '127.0.0.2', port: 1 }
    expect(await serverNameAt(raw, raw.url, { tls: { ca, ...elsewhere } })).toBe('localhost')
  })

  it('loses nothing through a stream of others, which hands on many records in one go', async () => {
    const raw = await secureServer()
    const tcp = connectTcp({ port: raw.port, host: '127.0.0.1', allowHalfOpen: true })
    const gathered: Buffer[] = []
    let gathering = false
    const stream = new Duplex({
      read: () => {},
      write: (chunk, _, done) => void tcp.write(chunk as Buffer, done),
      final: (done) => void tcp.end(done),
    })
    tcp.on('data', (chunk: Buffer) => void (gathering ? gathered.push(chunk) : stream.push(chunk)))
    tcp.on('end', () => {
      stream.push(Buffer.concat(gathered))
      stream.push(null)
    })
    const heard: Message[] = []
    const message = (_: unknown, data: Message): unknown => heard.push(data)
    const connecting = connect('wss://server.example/', { tls: { ca, socket: stream }, message })
    const peer = await raw.accept()
    const answer = acceptance(await peer.readHead())
    gathering = true
    const messages = Array.from({ length: 20 }, (_, index) => `${index} ${'x'.repeat(1000)}`)
    peer.write(answer)
    for (const text of messages) peer.write(frame(0x81, text))
    peer.socket.end(frame(0x88, Buffer.from([3, 0xe8])))
    await (
      await connecting
    ).closed
    expect(heard).toEqual(messages)
  })

  it('goes through a transport that is handed in, such as a tunnel of a proxy', async () => {
    const raw = await secureServer()
    const socket = connectTcp(raw.port, '127.0.0.1')
    const connecting = connect('wss://server.example/', { tls: { ca, socket } })
    const peer = await raw.accept()
    const request = await peer.readHead()
    expect(request).toContain('\r\nHost: server.example\r\n')
    peer.write(acceptance(request))
    await expectOpen(connecting)
  })
})

describe('the end of TLS', () => {
  /** What goes over TCP, as the types of the records of TLS, when one side is through a relay at the other. */
  async function relayTo(port: number): Promise<{ url: string; fromClient: number[]; fromServer: number[] }> {
    const relay = await rawServer()
    const fromClient: number[] = []
    const fromServer: number[] = []
    void relay.accept().then(({ socket }) => {
      const upstream = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true })
      upstream.on('error', () => {})
      noteRecords(socket, fromClient)
      noteRecords(upstream, fromServer)
      socket.pipe(upstream).pipe(socket)
    })
    return { url: relay.url.replace('ws:', 'wss:'), fromClient, fromServer }
  }

  function noteRecords(socket: Socket, types: number[]): void {
    let unread = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk])
      while (unread.length >= 5 && unread.length >= 5 + unread.readUInt16BE(3)) {
        types.push(unread[0])
        unread = unread.subarray(5 + unread.readUInt16BE(3))
      }
    })
  }

  /** The type of an alert; only up to TLS 1.2 does it stand where anybody can see it. */
  const ALERT = 21
  const APPLICATION_DATA = 23

  it('is an alert, the last record of either side, behind all that was sent [9112-9.8-01] [9112-9.8-02] [6455:7.1.1-01]', async () => {
    const server = await serve({ host: '127.0.0.1', port: 0, tls: { ...certificate, maxVersion: 'TLSv1.2' } })
    onTestFinished(() => server.shutdown({ timeout: 0 }))
    for (const closer of ['client', 'server']) {
      const { url, fromClient, fromServer } = await relayTo(server.port ?? 0)
      const ws = await connect(url, { tls: { ca } })
      void (closer === 'client' ? ws : [...server.connections][0]).close(1000)
      await ws.closed
      await vi.waitFor(() => expect(server.connections.size).toBe(0), 10_000)
      for (const types of [fromClient, fromServer]) {
        expect(types.slice(-2)).toEqual([APPLICATION_DATA, ALERT])
        expect(types.indexOf(ALERT)).toBe(types.length - 1)
      }
    }
  })

  it('is an alert behind the answer of a server that refuses a handshake [9112-9.8-02]', async () => {
    const tls = { ...certificate, maxVersion: 'TLSv1.2' } as const
    const server = await serve({ host: '127.0.0.1', port: 0, path: '/chat', tls })
    onTestFinished(() => server.shutdown({ timeout: 0 }))
    const { url, fromServer } = await relayTo(server.port ?? 0)
    expect(await failureOf(connect(`${url}/nothing`, { tls: { ca } }))).toMatchObject({ status: 404 })
    await vi.waitFor(() => expect(fromServer.slice(-2)).toEqual([APPLICATION_DATA, ALERT]), 10_000)
  })
})

describe('connect to a server of wss: that is not who it should be', () => {
  async function refused(raw: RawServer, options: ConnectOptions, uri = raw.url): Promise<unknown> {
    const error = await failureOf(connect(uri, options))
    expect(error).toMatchObject({ code: 'ERR_WS_CONNECT_FAILED', section: 'RFC 6455 4.1', status: undefined })
    const { code } = error.cause as { code: string }
    expect(error.message).toContain(code)
    // Not an octet of the request was sent.
    for (; raw.accepted > 0; raw.accepted--) expect(await (await raw.accept()).readEnd()).toEqual(Buffer.alloc(0))
    return code
  }

  const UNVERIFIED = ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY']

  it('[V73] refuses certificates of authorities that it does not trust [6455:4.1-15]', async () => {
    const raw = await secureServer()
    expect(UNVERIFIED).toContain(await refused(raw, {}))
    const other = await createAuthority()
    expect([...UNVERIFIED, 'CERT_SIGNATURE_FAILURE']).toContain(await refused(raw, { tls: { ca: other.cert } }))
    const selfSigned = await secureServer({ key: authority.key, cert: authority.cert })
    expect(await refused(selfSigned, {})).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
  })

  it('refuses certificates of other names, and such as have expired [6455:4.1-15]', async () => {
    const wrong = await secureServer(await authority.issue({ names: 'DNS:other.example,IP:127.0.0.2' }))
    expect(await refused(wrong, { tls: { ca } })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    const address = `wss://127.0.0.1:${wrong.port}`
    expect(await refused(wrong, { tls: { ca } }, address)).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    const expired = await secureServer(await authority.issue({ days: -1 }))
    expect(await refused(expired, { tls: { ca } })).toBe('CERT_HAS_EXPIRED')
  })

  it('refuses them on a Unix socket as well, where the URI alone says who the server should be', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fullduplex-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const [named, numbered] = [join(folder, 'named'), join(folder, 'numbered')]
    const onlyName = await rawServer({ tls: await authority.issue({ names: 'DNS:localhost' }), socketPath: named })
    const onlyAddress = await rawServer({ tls: await authority.issue({ names: 'IP:10.0.0.1' }), socketPath: numbered })
    const wrong = { socketPath: named, tls: { ca } }
    expect(await refused(onlyName, wrong, 'wss://10.0.0.1/')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    const right = { socketPath: numbered, tls: { ca } }
    expect(await serverNameAt(onlyAddress, 'wss://10.0.0.1/', right)).toBe(false)
    expect(await serverNameAt(onlyName, 'wss://localhost/', wrong)).toBe('localhost')
  })

  it('[V73] verifies unless rejectUnauthorized is exactly false', async () => {
    const raw = await secureServer()
    for (const value of [undefined, null, 0, '', 'false', Number.NaN, true]) {
      const tls = { rejectUnauthorized: value } as NonNullable<ConnectOptions['tls']>
      expect(UNVERIFIED, String(value)).toContain(await refused(raw, { tls }))
    }
    expect(await serverNameAt(raw, raw.url, { tls: { rejectUnauthorized: false } })).toBe('localhost')
  })

  it('verifies whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    // Node warns of what we do not let it do.
    const warning = vi.spyOn(process, 'emitWarning').mockReturnValue()
    onTestFinished(() => {
      vi.unstubAllEnvs()
      warning.mockRestore()
    })
    const raw = await secureServer()
    expect(UNVERIFIED).toContain(await refused(raw, {}))
    expect(UNVERIFIED).toContain(await refused(raw, { tls: {} }))
  })

  it('writes nothing of a certificate into its message', async () => {
    const raw = await secureServer()
    const checkServerIdentity = (): Error => new Error('\u001b[31m evil \r\n')
    const error = await failureOf(connect(raw.url, { tls: { ca, checkServerIdentity } }))
    expect(error.message).toBe(
      `Cannot connect to wss://localhost:${raw.port}: Error; the cause of this error tells more`,
    )
    expect(error.cause).toMatchObject({ message: '\u001b[31m evil \r\n' })
  })
})

describe('an attempt that gets stuck in TLS', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('ends with the deadline, which spans TLS', async () => {
    const raw = await rawServer()
    const failure = failureOf(connect(raw.url.replace('ws:', 'wss:'), { tls: { ca } }))
    const peer = await raw.accept()
    await peer.read(5)
    vi.advanceTimersByTime(10_000)
    expect(await failure).toMatchObject({ code: 'ERR_WS_HANDSHAKE_TIMEOUT' })
    await peer.readEnd()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends with its signal', async () => {
    const raw = await rawServer()
    const controller = new AbortController()
    const connecting = connect(raw.url.replace('ws:', 'wss:'), { signal: controller.signal })
    const peer = await raw.accept()
    await peer.read(5)
    controller.abort()
    await expect(connecting).rejects.toMatchObject({ name: 'AbortError' })
    await peer.readEnd()
  })

  it.each([
    ['an answer in plain HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', /SSL|WRONG_VERSION/],
    ['FIN', undefined, /ECONNRESET/],
  ])('ends at %s', async (_, answer, code) => {
    const raw = await rawServer()
    const failure = failureOf(connect(raw.url.replace('ws:', 'wss:')))
    const peer = await raw.accept()
    await peer.read(5)
    if (answer === undefined) peer.socket.end()
    else peer.write(answer)
    const error = await failure
    expect(error.code).toBe('ERR_WS_CONNECT_FAILED')
    expect((error.cause as { code: string }).code).toMatch(code)
    await peer.readEnd()
  })
})

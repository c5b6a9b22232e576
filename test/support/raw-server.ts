/**
 * A server without a protocol: a test reads what a client sent, octet by octet, and answers whatever it likes.
 *
 * Nothing here comes from `src`, and all of it ends with the test that asked for it.
 */
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import { expect, onTestFinished } from 'vitest'
import { acceptOf } from './accept.ts'
import { xored } from './wire.ts'

export interface RawServerOptions {
  /** Makes it `wss:`. */
  readonly tls?: TlsOptions
  readonly socketPath?: string
  readonly host?: string
}

export class RawServer {
  /** How many have connected; with TLS, how many have finished its handshake. */
  accepted = 0
  readonly #listener: Server
  readonly #secure: boolean
  readonly #peers: RawPeer[] = []
  readonly #takers: ((peer: RawPeer) => void)[] = []
  readonly #sockets = new Set<Socket>()

  constructor(tls: TlsOptions | undefined) {
    this.#secure = tls !== undefined
    const options = { allowHalfOpen: true, noDelay: true }
    this.#listener = tls === undefined ? createServer(options) : createTlsServer({ ...options, ...tls })
    // With TLS this is the transport below it.
    this.#listener.on('connection', (socket: Socket) => this.#sockets.add(socket.on('error', () => {})))
    this.#listener.on(this.#secure ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.accepted++
      const peer = new RawPeer(socket)
      const taker = this.#takers.shift()
      if (taker === undefined) this.#peers.push(peer)
      else taker(peer)
    })
    this.#listener.on('tlsClientError', () => {})
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  get url(): string {
    return `${this.#secure ? 'wss' : 'ws'}://localhost:${this.port}`
  }

  listen({ socketPath, host = '127.0.0.1' }: RawServerOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#listener.once('error', reject)
      if (socketPath === undefined) this.#listener.listen({ host, port: 0 }, resolve)
      else this.#listener.listen({ path: socketPath }, resolve)
    })
  }

  /** The next who connects, or has connected. */
  accept(): Promise<RawPeer> {
    const peer = this.#peers.shift()
    return peer === undefined ? new Promise((resolve) => this.#takers.push(resolve)) : Promise.resolve(peer)
  }

  /** Accepts somebody and his opening handshake, with `behind` directly behind the answer. */
  async open(behind: Uint8Array = Buffer.alloc(0)): Promise<RawPeer> {
    const peer = await this.accept()
    const answer = acceptance(await peer.readHead())
    peer.write(Buffer.concat([Buffer.from(answer, 'latin1'), behind]))
    return peer
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => {
      this.#listener.close(() => resolve())
    })
  }
}

/** Whoever connected. */
export class RawPeer {
  readonly socket: Socket
  /** What came and was not read yet. */
  unread: Buffer = Buffer.alloc(0)
  /** FIN came. */
  ended = false
  closed = false
  #changed: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      this.unread = Buffer.concat([this.unread, chunk])
      this.#changed()
    })
    socket.on('end', () => {
      this.ended = true
      this.#changed()
    })
    socket.on('close', () => {
      this.closed = true
      this.#changed()
    })
  }

  /** Latin-1, when it is a string. */
  write(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Settles when the bytes have been handed to the kernel. */
  flush(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(bytes, () => resolve())
    })
  }

  read(length: number): Promise<Buffer> {
    return this.#when(`${length} octets`, () => (this.unread.length < length ? undefined : this.#take(length)))
  }

  /** A head of HTTP, its empty line included. */
  async readHead(): Promise<string> {
    const head = await this.#when('a head', () => {
      const end = this.unread.indexOf('\r\n\r\n')
      return end < 0 ? undefined : this.#take(end + 4)
    })
    return head.toString('latin1')
  }

  /** A masked frame: its first octet, and the payload unmasked. */
  async readFrame(): Promise<{ readonly first: number; readonly payload: Buffer }> {
    const [first, second] = await this.read(2)
    if (second < 0x80) throw new Error('The frame is not masked')
    const short = second & 0x7f
    let length = short
    if (short === 126) length = (await this.read(2)).readUInt16BE(0)
    if (short === 127) length = Number((await this.read(8)).readBigUInt64BE(0))
    const key = await this.read(4)
    return { first, payload: xored(await this.read(length), key) }
  }

  /** Settles with all that was left when FIN, or an end without one, came. */
  readEnd(): Promise<Buffer> {
    return this.#when('the end', () => (this.ended || this.closed ? this.#take(this.unread.length) : undefined))
  }

  #take(length: number): Buffer {
    const taken = this.unread.subarray(0, length)
    this.unread = this.unread.subarray(length)
    return taken
  }

  async #when<T>(what: string, read: () => T | undefined): Promise<T> {
    for (;;) {
      const result = read()
      if (result !== undefined) return result
      if (this.ended || this.closed) throw new Error(`The client ended before ${what} came`)
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }
}

export async function rawServer(options: RawServerOptions = {}): Promise<RawServer> {
  const server = new RawServer(options.tls)
  await server.listen(options)
  onTestFinished(() => server.close())
  return server
}

/** The 101 answer to a request, with some fields replaced (`undefined`: left out) and others added. */
export function acceptance(request: string, changes: Readonly<Record<string, string | undefined>> = {}): string {
  const fields = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': acceptOf(request),
    ...changes,
  }
  const lines = Object.entries(fields).map(([name, value]) => (value === undefined ? '' : `${name}: ${value}\r\n`))
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`
}

/** The connection comes about; nobody needs it any longer. */
export async function expectOpen(
  connecting: Promise<{ readonly readyState: number; terminate(): void }>,
): Promise<void> {
  const ws = await connecting
  expect(ws.readyState).toBe(1)
  ws.terminate()
}

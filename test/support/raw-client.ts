/**
 * A peer without manners: raw TCP, TLS or a Unix socket. It sends the bytes it is told to send, in the pieces it is told
 * to send them in, and reads what comes back as HTTP heads, bodies and frames, in the order in which they came.
 *
 * Every wait ends: with what was waited for, or, when the transport has ended first, with an error that shows what came
 * instead. It stays half-open: our FIN is only sent by `end`. Nothing here comes from `src`.
 */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { xored } from './wire.ts'

/** Where to connect to: a port of the loopback interface, or a Unix socket; with TLS if there are options for it. */
export interface Place {
  readonly port?: number | undefined
  readonly host?: string
  readonly path?: string
  readonly tls?: ConnectionOptions
}

/** A head that was received. */
export interface RawHead {
  /** All of it as it came, Latin-1, the empty line included. */
  readonly text: string
  readonly startLine: string
  /** Of a response. */
  readonly status: number
  /** Names in lower case; of several lines of one name the values are joined with a line break. */
  readonly fields: ReadonlyMap<string, string>
}

export interface RawResponse extends RawHead {
  readonly body: string
}

/** A frame that was received, unmasked. */
export interface RawFrame {
  readonly firstOctet: number
  readonly masked: boolean
  readonly payload: Buffer
}

export class RawClient {
  readonly socket: Socket
  /** What the transport failed with. */
  error: Error | undefined = undefined
  /** The peer has sent its FIN. */
  ended = false
  /** Settles when both directions are over. */
  readonly closed: Promise<void>
  readonly #transport: Socket
  #bytes = Buffer.alloc(0)
  #over = false
  #wake: (() => void) | undefined = undefined

  /** Connects; with TLS, settles when that is up. */
  static async connect({ port, host = '127.0.0.1', path, tls }: Place): Promise<RawClient> {
    const where = path === undefined ? { port: port ?? 0, host } : { path }
    const options = { ...where, allowHalfOpen: true, noDelay: true }
    const transport = connectTcp(options)
    await once(transport, 'connect')
    if (tls === undefined) return new RawClient(transport)
    const socket = connectTls({ socket: transport, servername: 'localhost', ...tls })
    await once(socket, 'secureConnect')
    return new RawClient(socket, transport)
  }

  /** `transport`: what is below TLS. */
  constructor(socket: Socket, transport: Socket = socket) {
    this.socket = socket
    this.#transport = transport
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve())
    })
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake?.()
    })
    socket.on('end', () => {
      this.ended = true
      this.#finish()
    })
    socket.on('error', (error: Error) => {
      this.error = error
    })
    socket.on('close', () => this.#finish())
  }

  /** What came and was not read yet. */
  get unread(): Buffer {
    return this.#bytes
  }

  /** Sends bytes, or text as Latin-1, in one write. */
  write(bytes: Uint8Array | string): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    return this
  }

  /** Sends bytes one by one, each in a write of its own that the system has taken before the next; rejects if it cannot. */
  async drip(bytes: Uint8Array | string): Promise<void> {
    const octets = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    for (const octet of octets) {
      await new Promise<void>((resolve, reject) => {
        this.socket.write(Buffer.of(octet), (error) => (error ? reject(error) : resolve()))
      })
    }
  }

  /** Our FIN; the peer can still be read. */
  end(): this {
    this.socket.end()
    return this
  }

  /** Both directions at once, and everything that waits is forgotten. */
  destroy(): this {
    this.socket.destroy()
    return this
  }

  /** A RST, in the middle of whatever is going on; a Unix socket knows none, and just ends. */
  reset(): this {
    if (this.#transport.remoteAddress === undefined) this.#transport.destroy()
    else this.#transport.resetAndDestroy()
    return this
  }

  /** Exactly `size` octets. */
  async read(size: number): Promise<Buffer> {
    await this.#until(() => this.#bytes.length >= size)
    return this.#take(size)
  }

  /** Everything up to the peer's FIN, or to the end of the transport however it came about. */
  async readToEnd(): Promise<Buffer> {
    while (!this.#over) await this.#more()
    return this.#take(this.#bytes.length)
  }

  /** A head, up to and including its empty line. */
  async readHead(): Promise<RawHead> {
    await this.#until(() => this.#bytes.includes('\r\n\r\n'))
    const text = this.#take(this.#bytes.indexOf('\r\n\r\n') + 4).toString('latin1')
    const [startLine, ...lines] = text.slice(0, -4).split('\r\n')
    const fields = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      fields.set(name, fields.has(name) ? `${fields.get(name)}\n${value}` : value)
    }
    return { text, startLine, status: Number(startLine.split(' ')[1]), fields }
  }

  /** A head and the body behind it: by Content-Length or in chunks; none when there is neither. */
  async readResponse(): Promise<RawResponse> {
    const head = await this.readHead()
    if (head.fields.get('transfer-encoding') === 'chunked') return { ...head, body: await this.#readChunks() }
    const body = await this.read(Number(head.fields.get('content-length') ?? 0))
    return { ...head, body: body.toString() }
  }

  /** A frame, checked to have the shortest form of its length. */
  async readFrame(): Promise<RawFrame> {
    const [firstOctet, secondOctet] = await this.read(2)
    const masked = secondOctet >= 0x80
    let length = secondOctet & 0x7f
    if (length === 126) length = (await this.read(2)).readUInt16BE()
    else if (length === 127) length = Number((await this.read(8)).readBigUInt64BE())
    const key = masked ? await this.read(4) : undefined
    const payload = await this.read(length)
    return { firstOctet, masked, payload: key === undefined ? payload : xored(payload, key) }
  }

  /** The text of an unfragmented, unmasked text message; fails for any other frame. */
  async readText(): Promise<string> {
    const { firstOctet, masked, payload } = await this.readFrame()
    if (firstOctet !== 0x81 || masked) throw new Error(`no text frame: ${firstOctet.toString(16)} ${String(payload)}`)
    return payload.toString()
  }

  /** Code and reason of a Close frame, such as `1001 bye`, and `''` when it has neither; fails for any other frame. */
  async readClose(): Promise<string> {
    const { firstOctet, payload } = await this.readFrame()
    if (firstOctet !== 0x88) throw new Error(`no Close frame: ${firstOctet.toString(16)} ${String(payload)}`)
    if (payload.length === 0) return ''
    return `${payload.readUInt16BE()} ${payload.toString('utf8', 2)}`.trim()
  }

  async #readChunks(): Promise<string> {
    let body = ''
    for (;;) {
      await this.#until(() => this.#bytes.includes('\r\n'))
      const line = this.#take(this.#bytes.indexOf('\r\n') + 2).toString('latin1')
      const chunk = (await this.read(Number.parseInt(line, 16) + 2)).toString().slice(0, -2)
      if (chunk === '') return body
      body += chunk
    }
  }

  #take(size: number): Buffer {
    const taken = this.#bytes.subarray(0, size)
    this.#bytes = this.#bytes.subarray(size)
    return taken
  }

  async #until(enough: () => boolean): Promise<void> {
    while (!enough()) {
      if (this.#over) {
        const came = JSON.stringify(this.#bytes.toString('latin1'))
        throw new Error(`the transport ended before that came: ${came}`, { cause: this.error })
      }
      await this.#more()
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #finish(): void {
    this.#over = true
    this.#wake?.()
  }
}

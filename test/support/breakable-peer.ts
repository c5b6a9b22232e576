/**
 * An echo endpoint that is as good or as bad as a test wants: correct, or with exactly one defect of a list.
 *
 * It is there to be judged by the conformance kit, so it has nothing from `src`, neither the library's wire code nor the
 * kit's, and it is written for being broken: a defect is one condition at the place where a correct endpoint obeys a rule.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { TextDecoder } from 'node:util'
import { inflateRawSync } from 'node:zlib'
import type { ZlibOptions } from 'node:zlib'

/** What can be wrong with it, once it is open; `breakable-opening.ts` has the rest. */
export type Defect =
  // Octets and headers (RFC 6455 5)
  | 'reserved bits ignored'
  | 'reserved opcodes ignored'
  | 'masking not checked'
  | 'masks as the other role should'
  | 'non-minimal length accepted'
  | 'top bit of 64-bit length ignored'
  // Fragments and control frames (5.4, 5.5)
  | 'continuation of nothing accepted'
  | 'messages mixed'
  | 'message lost when another starts'
  | 'empty fragments ignored'
  | 'fragments echoed one by one'
  | 'control frames may be fragmented'
  | 'long control frames accepted'
  | 'pings held back by a message'
  | 'pings not answered'
  | 'pongs empty'
  | 'pongs fail the connection'
  // Data
  | 'binary echoed as text'
  | 'text echoed as binary'
  | 'last octet of long messages lost'
  | 'UTF-8 not checked'
  | 'UTF-8 checked at the end of a message'
  | 'UTF-8 checked by fragment'
  | 'surrogates accepted'
  // Closing (5.5.1, 7)
  | 'wrong code for protocol errors'
  | 'wrong code for broken UTF-8'
  | 'close code not checked'
  | 'close code of one octet accepted'
  | 'close reason not checked'
  | 'close not answered'
  | 'answers after close'
  | 'pongs after close'
  | 'reserved code echoed for an empty close'
  | 'TCP not dropped'
  | 'TCP dropped instead of a close'
  // permessage-deflate (RFC 7692)
  | 'RSV1 on a continuation ignored'
  | 'RSV1 on control frames ignored'
  | 'inflate errors ignored'
  | 'window not kept'

export interface Manners {
  readonly role: 'client' | 'server'
  readonly defect?: string | undefined
  /** permessage-deflate has been agreed. */
  readonly deflate: boolean
  /** What to do with a message instead of echoing it. */
  onMessage?(message: Buffer): void
}

const CONTINUATION = 0
const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10

const MAX_MESSAGE = 8 * 1024 * 1024
const WINDOW = 32_768
/** What is taken off the end of every compressed message, and a block that ends a stream. */
const SYNC_TAIL = Buffer.from([0, 0, 0xff, 0xff])
const LAST_BLOCK = Buffer.from([1, 0, 0, 0xff, 0xff])
/** Milliseconds that the other side has for its part of an ending. */
const PATIENCE = 5000

interface Header {
  readonly fin: boolean
  readonly opcode: number
  readonly rsv1: boolean
  readonly key: Buffer | undefined
  readonly length: number
  read: number
}

interface Message {
  readonly opcode: number
  readonly compressed: boolean
  readonly parts: Buffer[]
  size: number
  /** The last octet that came. */
  last: number
  utf8: TextDecoder
}

/** Ends the connection with a close code. */
class Failure extends Error {
  readonly code: number

  constructor(code: number) {
    super(`failed with ${code}`)
    this.code = code
  }
}

export class BreakablePeer {
  /** Settles when the connection has ended. */
  readonly ended: Promise<void>
  readonly #socket: Socket
  readonly #manners: Manners
  #unread: Buffer = Buffer.alloc(0)
  #header: Header | undefined = undefined
  #message: Message | undefined = undefined
  #control: Buffer[] = []
  readonly #pings: Buffer[] = []
  #window: Buffer = Buffer.alloc(0)
  #closeSent = false
  /** Its part of the ending is done; it is deaf from then on, or at the end of what has come already. */
  #over = false
  #deaf = false

  constructor(socket: Socket, manners: Manners) {
    this.#socket = socket
    this.#manners = manners
    this.ended = new Promise((resolve) => {
      socket.once('close', () => resolve())
    })
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => this.receive(chunk))
    socket.on('end', () => socket.end())
  }

  #has(defect: Defect): boolean {
    return this.#manners.defect === defect
  }

  receive(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk])
    try {
      while (!this.#deaf && (this.#header === undefined ? this.#readHeader() : this.#readPayload()));
    } catch (error) {
      this.#fail(error instanceof Failure ? error.code : 1011)
    }
    if (this.#over) this.#end()
    if (this.#deaf) this.#unread = Buffer.alloc(0)
  }

  /** 5.2; answers whether the header was there. What its first two octets break is not waited for. */
  #readHeader(): boolean {
    const octets = this.#unread
    if (octets.length < 2) return false
    const short = octets[1] & 0x7f
    const masked = octets[1] >= 0x80
    this.#check(octets[0] >> 4, octets[0] & 0x0f, masked, short)
    const extended = short === 127 ? 8 : short === 126 ? 2 : 0
    const start = 2 + extended + (masked ? 4 : 0)
    if (octets.length < start) return false
    this.#header = {
      fin: octets[0] >= 0x80,
      opcode: octets[0] & 0x0f,
      rsv1: (octets[0] & 0x40) !== 0,
      key: masked ? octets.subarray(start - 4, start) : undefined,
      length: this.#readLength(octets, extended, short),
      read: 0,
    }
    this.#unread = octets.subarray(start)
    this.#begin(this.#header)
    return true
  }

  #check(bits: number, opcode: number, masked: boolean, short: number): void {
    const control = opcode >= CLOSE
    const mayBeCompressed =
      this.#manners.deflate &&
      (control
        ? this.#has('RSV1 on control frames ignored')
        : opcode !== CONTINUATION || this.#has('RSV1 on a continuation ignored'))
    if ((bits & (mayBeCompressed ? 3 : 7)) !== 0 && !this.#has('reserved bits ignored')) throw new Failure(1002)
    if ((control ? opcode > PONG : opcode > BINARY) && !this.#has('reserved opcodes ignored')) throw new Failure(1002)
    if (masked !== (this.#manners.role === 'server') && !this.#has('masking not checked')) throw new Failure(1002)
    if (!control) return
    if (bits < 8 && !this.#has('control frames may be fragmented')) throw new Failure(1002)
    if (short > 125 && !this.#has('long control frames accepted')) throw new Failure(1002)
  }

  #readLength(octets: Buffer, extended: number, short: number): number {
    if (extended === 0) return short
    let length = extended === 2 ? BigInt(octets.readUInt16BE(2)) : octets.readBigUInt64BE(2)
    if (length < (extended === 2 ? 126n : 65_536n) && !this.#has('non-minimal length accepted')) throw new Failure(1002)
    if (length >> 63n !== 0n) {
      if (!this.#has('top bit of 64-bit length ignored')) throw new Failure(1002)
      length &= (1n << 63n) - 1n
    }
    if (length > BigInt(MAX_MESSAGE)) throw new Failure(1009)
    return Number(length)
  }

  /** 5.4: which message a data frame belongs to. */
  #begin({ opcode, rsv1 }: Header): void {
    if (opcode > BINARY) return
    const starts = opcode !== CONTINUATION
    if (starts && this.#message !== undefined) {
      if (this.#has('messages mixed')) return
      if (!this.#has('message lost when another starts')) throw new Failure(1002)
    }
    if (!starts && this.#message !== undefined) return
    if (!starts && !this.#has('continuation of nothing accepted')) throw new Failure(1002)
    this.#message = {
      opcode: starts ? opcode : TEXT,
      compressed: rsv1 && this.#manners.deflate,
      parts: [],
      size: 0,
      last: 0,
      utf8: strictDecoder(),
    }
  }

  /** Answers whether the frame has come to its end. */
  #readPayload(): boolean {
    const header = this.#header!
    const { key, length } = header
    const octets = this.#unread.subarray(0, length - header.read)
    this.#unread = this.#unread.subarray(octets.length)
    if (key !== undefined) for (let i = 0; i < octets.length; i++) octets[i] ^= key[(header.read + i) & 3]
    header.read += octets.length
    if (header.opcode >= CLOSE) this.#control.push(octets)
    else if (header.opcode <= BINARY) this.#collect(this.#message!, octets)
    if (header.read < length) return false
    this.#header = undefined
    if (header.opcode >= CLOSE) {
      const payload = Buffer.concat(this.#control)
      this.#control = []
      this.#handleControl(header.opcode, payload)
    } else if (header.opcode <= BINARY) {
      this.#endFragment(header, this.#message!)
    }
    return true
  }

  #collect(message: Message, octets: Buffer): void {
    message.size += octets.length
    if (message.size > MAX_MESSAGE) throw new Failure(1009)
    message.parts.push(Buffer.from(octets))
    if (message.opcode !== TEXT || message.compressed) return
    if (this.#has('UTF-8 not checked') || this.#has('UTF-8 checked at the end of a message')) return
    const { last } = message
    message.last = octets.at(-1) ?? last
    this.#checkUtf8(octets, message.utf8, true, last)
  }

  /** 8.1 */
  #checkUtf8(octets: Uint8Array, decoder: TextDecoder, more: boolean, last = 0): void {
    try {
      decoder.decode(this.#has('surrogates accepted') ? withoutSurrogates(octets, last) : octets, { stream: more })
    } catch {
      throw new Failure(this.#has('wrong code for broken UTF-8') ? 1002 : 1007)
    }
  }

  #endFragment({ fin, length }: Header, message: Message): void {
    const one = this.#has('fragments echoed one by one')
    if (this.#has('UTF-8 checked by fragment') && message.opcode === TEXT && !message.compressed) {
      this.#checkUtf8(Buffer.alloc(0), message.utf8, false)
      message.utf8 = strictDecoder()
    }
    if (!fin && !one) return
    if (length === 0 && message.parts.length > 1 && this.#has('empty fragments ignored')) return
    this.#message = undefined
    let payload: Buffer = Buffer.concat(message.parts)
    if (message.compressed) payload = this.#inflate(payload)
    if (message.opcode === TEXT && !this.#has('UTF-8 not checked')) {
      if (message.compressed || this.#has('UTF-8 checked at the end of a message')) {
        this.#checkUtf8(payload, strictDecoder(), false)
      } else this.#checkUtf8(Buffer.alloc(0), message.utf8, false)
    }
    if (!fin) this.#message = { ...message, parts: [] }
    this.#handleMessage(message.opcode, payload)
    for (const ping of this.#pings.splice(0)) this.#send(PONG, ping)
  }

  /** RFC 7692 7.2.2: what came before is the dictionary of what comes. */
  #inflate(payload: Buffer): Buffer {
    // 7.2.3.4: behind a block that says it is the last one there may be more; with ours behind it all, it must be whole.
    let rest = Buffer.concat([payload, SYNC_TAIL, LAST_BLOCK])
    let window = this.#window
    const parts: Buffer[] = []
    let size = 0
    try {
      while (rest.length > 0) {
        const maxOutputLength = MAX_MESSAGE - size + 1
        const dictionary = window.length === 0 ? {} : { dictionary: window }
        const { buffer, used } = inflate(rest, { maxOutputLength, ...dictionary })
        parts.push(buffer)
        size += buffer.length
        window = Buffer.concat([window, buffer]).subarray(-WINDOW)
        rest = rest.subarray(used)
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw new Failure(1009)
      if (!this.#has('inflate errors ignored')) throw new Failure(1007)
    }
    if (!this.#has('window not kept')) this.#window = window
    return Buffer.concat(parts)
  }

  #handleMessage(opcode: number, payload: Buffer): void {
    if (this.#manners.onMessage) return this.#manners.onMessage(payload)
    if (opcode === TEXT && this.#obey(payload.toString())) return
    const long = payload.length > 65_535
    const type = this.#has('binary echoed as text') ? TEXT : this.#has('text echoed as binary') ? BINARY : opcode
    this.#send(type, long && this.#has('last octet of long messages lost') ? payload.subarray(0, -1) : payload)
  }

  /** The two commands that the kit has for peers. */
  #obey(message: string): boolean {
    const [, command, words = ''] = /^fullduplex (close|ping)(?: (.*))?$/s.exec(message) ?? []
    if (command === 'ping') this.#send(PING, Buffer.from(words))
    if (command === 'close') {
      const [code, ...reason] = words.split(' ')
      this.#sendClose(code === '' ? Buffer.alloc(0) : closePayload(Number(code), reason.join(' ')))
    }
    return command !== undefined
  }

  #handleControl(opcode: number, payload: Buffer): void {
    if (opcode === CLOSE) this.#handleClose(payload)
    else if (opcode === PONG && this.#has('pongs fail the connection')) throw new Failure(1002)
    else if (opcode === PING && !this.#has('pings not answered')) {
      if (this.#message !== undefined && this.#has('pings held back by a message')) this.#pings.push(payload)
      else this.#send(PONG, this.#has('pongs empty') ? Buffer.alloc(0) : payload)
    }
  }

  /** 5.5.1 */
  #handleClose(payload: Buffer): void {
    if (payload.length === 1 && !this.#has('close code of one octet accepted')) throw new Failure(1002)
    const code = payload.length < 2 ? undefined : payload.readUInt16BE()
    if (code !== undefined && !isClose(code) && !this.#has('close code not checked')) throw new Failure(1002)
    if (!this.#has('close reason not checked')) this.#checkUtf8(payload.subarray(2), strictDecoder(), false)
    if (this.#has('close not answered')) {
      this.#deaf = true
      return
    }
    if (this.#has('TCP dropped instead of a close')) return void this.#socket.destroy()
    this.#sendClose(this.#answerTo(code))
    this.#over = true
    this.#deaf = !this.#has('answers after close') && !this.#has('pongs after close')
  }

  /** 5.5.1: the code comes back. */
  #answerTo(code: number | undefined): Buffer {
    if (code !== undefined) return closePayload(code)
    if (this.#has('reserved code echoed for an empty close')) return closePayload(1005)
    return this.#has('close code of one octet accepted') ? closePayload(1000) : Buffer.alloc(0)
  }

  /** 7.1.7 */
  #fail(code: number): void {
    this.#sendClose(closePayload(code === 1002 && this.#has('wrong code for protocol errors') ? 1000 : code))
    this.#over = true
  }

  /** 7.1.1: the server drops TCP first. */
  #end(): void {
    this.#over = false
    this.#deaf = true
    if (this.#has('TCP not dropped')) return
    if (this.#manners.role === 'server') this.#socket.end()
    const timer = setTimeout(() => this.#socket.destroy(), PATIENCE)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  #sendClose(payload: Buffer): void {
    if (!this.#closeSent) this.#send(CLOSE, payload)
    this.#closeSent = true
  }

  #send(opcode: number, payload: Buffer): void {
    // 5.5.1: nothing behind a Close frame.
    const late = opcode === PONG ? this.#has('pongs after close') : this.#has('answers after close')
    if (this.#closeSent && !late) return
    const masked = (this.#manners.role === 'client') !== this.#has('masks as the other role should')
    const { length } = payload
    const extended = length > 65_535 ? 8 : length > 125 ? 2 : 0
    const header = Buffer.alloc(2 + extended)
    header[0] = 0x80 | opcode
    header[1] = (masked ? 0x80 : 0) | (extended === 8 ? 127 : extended === 2 ? 126 : length)
    if (extended === 2) header.writeUInt16BE(length, 2)
    if (extended === 8) header.writeBigUInt64BE(BigInt(length), 2)
    if (!masked) return void this.#socket.write(Buffer.concat([header, payload]))
    const key = randomBytes(4)
    const hidden = Buffer.from(payload)
    for (let i = 0; i < length; i++) hidden[i] ^= key[i & 3]
    this.#socket.write(Buffer.concat([header, key, hidden]))
  }
}

/** 7.4; unknown codes below 3000 are nobody's. */
function isClose(code: number): boolean {
  return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999)
}

function closePayload(code: number, reason = ''): Buffer {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)])
  payload.writeUInt16BE(code)
  return payload
}

/** Up to the block that says it is the last one, and how many octets that took. */
function inflate(octets: Buffer, options: ZlibOptions): { buffer: Buffer; used: number } {
  // With `info` it answers with more than the types know of.
  const { buffer, engine } = inflateRawSync(octets, { ...options, info: true }) as unknown as {
    readonly buffer: Buffer
    readonly engine: { readonly bytesWritten: number }
  }
  return { buffer, used: engine.bytesWritten }
}

function strictDecoder(): TextDecoder {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
}

/** Puts another character in the place of every surrogate; `last` is the octet before. */
function withoutSurrogates(octets: Uint8Array, last: number): Buffer {
  return Buffer.from(
    octets.map((octet, index) => {
      const before = index === 0 ? last : octets[index - 1]
      return before === 0xed && octet >= 0xa0 ? 0x80 : octet
    }),
  )
}

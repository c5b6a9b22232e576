/**
 * Messages that cannot leave at once: those that are streamed, every chunk of whose source leaves as a fragment (RFC 6455
 * 5.4), and those that are being compressed in the thread pool. Control frames may overtake them, other messages may not:
 * these are encoded at once, but held back until the message that was asked for before them is over. So all messages leave
 * in the order in which they were asked for.
 */
import type { GradualDeflation, PerMessageDeflate } from '../deflate/index.ts'
import { invalidType } from '../errors.ts'
import { FrameList, Opcode, RSV1, Utf8Validator, writeFragments } from '../framing/index.ts'
import type { FrameTarget } from '../framing/index.ts'
import { Chunks } from './chunks.ts'
import type { MessageSource } from './chunks.ts'
import { Deferred } from './deferred.ts'
import { opcodeOf, payloadOf } from './payload.ts'
import type { Frames } from './prepared.ts'

const EMPTY = Buffer.alloc(0)

/** Where messages go. */
export interface Way {
  readonly target: FrameTarget
  /** Whether new messages are accepted. */
  isOpen(): boolean
  /** Whether messages can leave that were accepted before. */
  maySend(): boolean
  /** Something was written; answers whether more is welcome. When not, `goOn` will be called. */
  written(): boolean
  /** A source threw, and the peer has a part of its message; or there are no frames of a message that was accepted. */
  failed(thrown: unknown): void
  /** A message is over, and what it held back has been handed on. */
  passed(): void
}

/** A message that is not encoded yet, and what has to wait for it. */
interface Pending {
  /** What has to wait for the end of this message. */
  held: FrameList
  readonly over: Deferred<void>
  /** Octets that it keeps itself. */
  readonly size: number
  /** More is welcome. */
  goOn(): void
  /** Nothing can be sent any more. */
  stop(): void
}

/** The messages that are not encoded yet: the first of them leaves, the others wait for their turn. */
export class Outgoing {
  readonly #way: Way
  readonly #messages: Pending[] = []

  constructor(way: Way) {
    this.#way = way
  }

  /** Octets that are held back. */
  get size(): number {
    let total = 0
    for (const { held, size } of this.#messages) total += held.size + size
    return total
  }

  /** Settles when the messages have left that will do so by themselves; `undefined` when there are none. */
  get ready(): Promise<void> | undefined {
    let last: LaterMessage | undefined
    for (const message of this.#messages) {
      if (!(message instanceof LaterMessage)) break
      last = message
    }
    return last?.over.promise
  }

  /** Where a message goes that is sent now: behind all that are not encoded yet. */
  get target(): FrameTarget {
    return this.#messages.at(-1)?.held ?? this.#way.target
  }

  /** Sends all of `source` when its turn has come. Answers whether it got to its end; not, when the way was closed before. */
  async send(message: OutgoingMessage, source: MessageSource): Promise<boolean> {
    message.open(source)
    const before = this.#messages.at(-1)
    this.#messages.push(message)
    await before?.over.promise
    if (!this.#way.isOpen()) message.stop()
    try {
      return await message.send(this.#way)
    } catch (error) {
      if (message.begun && this.#way.isOpen()) this.#way.failed(error)
      throw error
    } finally {
      this.#pass(message)
    }
  }

  /** Sends a message of `size` octets whose frames are still being made. Never rejects. */
  async sendLater(size: number, frames: Promise<Frames>): Promise<void> {
    const message = new LaterMessage(size)
    const before = this.#messages.at(-1)
    this.#messages.push(message)
    try {
      // Whatever becomes of them, it is not its turn before.
      frames.catch(() => {})
      await before?.over.promise
      const made = await frames
      if (this.#way.maySend()) for (const frame of made) this.#way.target.push(frame)
    } catch (error) {
      if (this.#way.maySend()) this.#way.failed(error)
    } finally {
      this.#pass(message)
    }
  }

  /** More is welcome. */
  goOn(): void {
    this.#messages[0]?.goOn()
  }

  /** Nothing can be sent any more. */
  stop(): void {
    for (const message of this.#messages) message.stop()
  }

  /** In one go, as something may be sent at any time: nothing may be held back for a message that is over. */
  #pass(message: Pending): void {
    this.#messages.shift()
    const leave = message instanceof LaterMessage ? this.#way.maySend() : this.#way.isOpen()
    if (leave) for (const frame of message.held.frames) this.#way.target.push(frame)
    message.over.resolve()
    this.#way.passed()
  }
}

/** A message that is whole, but whose frames are still being made. */
class LaterMessage implements Pending {
  held: FrameList = new FrameList()
  readonly over: Deferred<void> = new Deferred()
  size: number

  constructor(size: number) {
    this.size = size
  }

  /** It does not wait for anything that we could do. */
  goOn(): void {}

  stop(): void {
    this.size = 0
    this.held = new FrameList()
  }
}

export class OutgoingMessage implements Pending {
  held: FrameList = new FrameList()
  readonly over: Deferred<void> = new Deferred()
  readonly size = 0
  readonly #stopped = new Deferred<false>()
  readonly #masked: boolean
  readonly #fragmentSize: number
  readonly #deflate: PerMessageDeflate | undefined
  #chunks!: Chunks
  #deflation: GradualDeflation | undefined = undefined
  #binary: boolean | undefined
  /** Of the next frame; `undefined` before the first. */
  #opcode: number | undefined = undefined
  /** The first half of a character that two strings share. */
  #half = ''
  readonly #validator = new Utf8Validator()
  #waiting: Deferred<void> | undefined = undefined

  /** `binary`: the type of the message; when not given, the first chunk tells. `deflate`: what compresses it, if it is to be. */
  constructor(masked: boolean, fragmentSize: number, binary?: boolean, deflate?: PerMessageDeflate) {
    this.#masked = masked
    this.#fragmentSize = fragmentSize
    this.#binary = binary
    this.#deflate = deflate
  }

  /** Whether a part of it has left, or the compression knows of it, so that the peer has to get the rest. */
  get begun(): boolean {
    return this.#opcode !== undefined || this.#deflation?.begun === true
  }

  /** Known when it has been sent. */
  get isBinary(): boolean {
    return this.#binary === true
  }

  /** It is made of `source`, and has to be sent. Throws a `TypeError` for what has no chunks. */
  open(source: MessageSource): void {
    this.#chunks = Chunks.of(source)
    this.#deflation = this.#deflate?.compressGradually()
  }

  /** Sends all of it. Answers whether it got to its end; not, when it was stopped before. */
  async send(way: Way): Promise<boolean> {
    try {
      // A source that is slow, or says nothing at all, holds up nobody.
      return await Promise.race([this.#stopped.promise, this.#sendAll(way)])
    } finally {
      this.#chunks.leave()
      this.#deflation?.end()
    }
  }

  goOn(): void {
    this.#waiting?.resolve()
  }

  stop(): void {
    this.held = new FrameList()
    this.#stopped.resolve(false)
    this.goOn()
  }

  async #sendAll(way: Way): Promise<boolean> {
    while (way.isOpen()) {
      const { done, value } = await this.#chunks.next()
      if (!way.isOpen()) break
      const octets = done ? this.#end() : this.#octetsOf(payloadOf(value))
      const payload = await this.#compressed(octets)
      if (!way.isOpen()) break
      if (done || octets.length > 0) this.#frame(way, payload, done)
      if (done) return true
      if (way.written()) continue
      this.#waiting = new Deferred()
      await this.#waiting.promise
    }
    return false
  }

  /** The octets of a chunk that can leave now. */
  #octetsOf(payload: string | Buffer): Buffer {
    this.#binary ??= typeof payload !== 'string'
    const octets = this.#encode(payload)
    if (!this.#binary && !this.#validator.push(octets, 0, octets.length)) throw notText()
    return octets
  }

  /** Half a character that nothing follows is none; it leaves as U+FFFD. */
  #end(): Buffer {
    if (!this.#validator.complete) throw notText()
    return Buffer.from(this.#half)
  }

  #encode(payload: string | Buffer): Buffer {
    const half = this.#half
    if (typeof payload !== 'string') {
      this.#half = ''
      return half === '' ? payload : Buffer.concat([Buffer.from(half), payload])
    }
    const text = half + payload
    const cut = isHighSurrogate(text.charCodeAt(text.length - 1)) ? text.length - 1 : text.length
    this.#half = text.slice(cut)
    return cut === 0 ? EMPTY : Buffer.from(text.slice(0, cut))
  }

  #compressed(octets: Buffer): Buffer | Promise<Buffer> {
    return this.#deflation === undefined || octets.length === 0 ? octets : this.#deflation.deflate(octets)
  }

  #frame(way: Way, payload: Buffer, last: boolean): void {
    // RFC 7692 6.1: RSV1 on the first frame; a message without an octet is left as it is.
    const rsv1 = this.#deflation?.begun === true ? RSV1 : 0
    const opcode = this.#opcode ?? opcodeOf('', this.#binary) | rsv1
    this.#opcode = Opcode.Continuation
    writeFragments(way.target, opcode, payload, this.#masked, this.#fragmentSize, last)
  }
}

function isHighSurrogate(code: number): boolean {
  return (code & 0xfc00) === 0xd800
}

function notText(): TypeError {
  return invalidType('ERR_WS_INVALID_DATA', 'The octets of this stream are not valid UTF-8, so it can only be binary')
}

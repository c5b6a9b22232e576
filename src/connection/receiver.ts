/**
 * The way in: what the transport reads becomes messages and control frames for the connection.
 *
 * Reading can be held, for several reasons at once; it goes on when the last of them is gone. What had been read by
 * then waits here, less than one read of it. Once stopped, everything that still comes is dropped (RFC 6455 7.1.7).
 *
 * Between messages there is nothing to remember: a connection that waits for its next one has no receiver, and takes one
 * when bytes come.
 */
import type { Duplex } from 'node:stream'
import { turnIsOver } from '../deflate/index.ts'
import type { PerMessageDeflate } from '../deflate/index.ts'
import { checkText, textOf } from '../framing/index.ts'
import type { FrameDecoder, FrameSink } from '../framing/index.ts'
import { CompressedMessage } from './compressed.ts'
import { lent } from './lent.ts'
import type { ConnectionSettings } from './options.ts'
import { Reader } from './reader.ts'
import type { ReaderSink } from './reader.ts'
import { hasToWait } from './turns.ts'

/** Why reading is held. */
export const Hold = {
  /** The application asked for it. */
  Pause: 1,
  /** An async `open` has not settled. */
  Opening: 2,
  /** Nobody has taken the messages that wait. */
  Queue: 4,
  /** A message is being inflated, and those behind it have to wait. */
  Inflating: 8,
  /** It is the turn of others. */
  Turn: 16,
} as const

/** What else there is to know, each a bit, beside the reasons to hold. */
const HELD = 31
const STOPPED = 32
const READING = 64
const GOING_ON = 128
/** The peer's FIN has come, behind what waits here. */
const ENDED = 256
/** Reading goes on for the peer's Close alone; nobody is ready for messages. */
const CLOSE_ONLY = 512
const IN_PARTS = 1024
/** What was held back is being worked on; until that is done the receiver stays with its owner. */
const AT_WORK = 2048

const EMPTY = Buffer.alloc(0)
const DEAF: FrameSink = { frameHeader() {}, framePayload() {} }
/** Receivers that are kept for the next connection; as a rule one is enough, as reading is not interrupted. */
const MAX_SPARE = 16

export interface ReceiverOwner {
  readonly socket: Duplex
  readonly settings: ConnectionSettings
  readonly deflate: PerMessageDeflate | undefined
  /** Bytes to decode that were held back. */
  receive(chunk: Buffer): void
  /** Work to do as with bytes that come, whatever it throws. */
  goOnWith(work: () => void): void
  messageReceived(data: string | Buffer, isBinary: boolean): void
  partReceived(part: Buffer, isBinary: boolean, last: boolean): void
  pingReceived(payload: Buffer): void
  pongReceived(payload: Buffer): void
  closeReceived(code: number, reason: string): void
  /** The peer's FIN has come, and all that came before it has been read. */
  endReceived(): void
}

export class Receiver implements ReaderSink {
  #owner: ReceiverOwner
  #state = 0
  readonly #reader: Reader
  #unread: Buffer | undefined = undefined
  /** Hands on what has been inflated, or throws why not, when nothing is held any more. */
  #inflated: (() => void) | undefined = undefined
  /** The message that is coming, if it is compressed and told in parts. */
  #compressed: CompressedMessage | undefined = undefined

  constructor(owner: ReceiverOwner) {
    this.#owner = owner
    this.#reader = new Reader(this, owner.settings, owner.deflate !== undefined)
  }

  /** Whether there is nothing to remember, so that it can serve another connection. */
  get idle(): boolean {
    return this.#state === 0 && this.#unread === undefined && !this.#reader.busy
  }

  /** From now on it serves `owner`, with the same settings as the one before. */
  serve(owner: ReceiverOwner): void {
    this.#owner = owner
    this.#reader.forget()
  }

  get held(): boolean {
    return (this.#state & HELD) !== 0
  }

  /**
   * Takes the first `limit` octets of `chunk`, which is only lent. Throws the `ProtocolError` of the first rule that the
   * peer broke, and whatever the owner throws.
   */
  receive(chunk: Buffer, limit: number): void {
    const state = this.#state
    if ((state & STOPPED) !== 0) return
    // A transport in memory may bring the next octets from within a write, while these are being read.
    if ((state & (HELD | READING)) !== 0 || this.#unread !== undefined) {
      this.#unread = Buffer.concat([this.#unread ?? EMPTY, chunk.subarray(0, limit)])
      return
    }
    this.#state |= READING
    const taken = this.#reader.decode(chunk, limit)
    this.#state &= ~READING
    if ((this.#state & STOPPED) !== 0) return
    if (taken < limit || this.#unread !== undefined) this.#keep(chunk.subarray(taken, limit))
    // All that one read brought of it, as what takes the thread pool is dear.
    if (this.#compressed !== undefined) this.#inflateWaiting(this.#compressed)
    if (hasToWait(limit, chunk.length)) this.#waitForTurn()
  }

  /**
   * A decoder for `sink` of what the transport brings next; `undefined` when nobody can tell where that begins: what is
   * being read is not done yet, or has been given up.
   */
  fork(sink: FrameSink): FrameDecoder | undefined {
    if ((this.#state & (READING | STOPPED)) !== 0) return undefined
    const decoder = this.#reader.fork(DEAF)
    if (this.#unread !== undefined) decoder.decode(Buffer.from(this.#unread))
    return decoder.fork(sink)
  }

  hold(reason: number): void {
    this.#state |= reason
    this.#reader.stop()
    this.#owner.socket.pause()
  }

  release(reason: number): void {
    if (!this.held) return
    this.#state &= ~reason
    if (this.held) return
    this.#reader.resume()
    this.#goOnLater()
  }

  /** The transport has brought its last octet. */
  end(): void {
    this.#state |= ENDED
    if ((this.#state & (HELD | GOING_ON)) === 0 && this.#unread === undefined) this.#owner.endReceived()
  }

  /**
   * We have sent Close, and the peer's stands behind everything that it sent before: so reading goes on. Messages for
   * whom nobody was ready are lost.
   */
  awaitClose(): void {
    if ((this.#state & (Hold.Pause | Hold.Opening)) !== 0) this.#state |= CLOSE_ONLY
    this.release(Hold.Pause | Hold.Opening | Hold.Queue)
  }

  /** From now on messages are told in parts, with the limits of `MessageAssembler.stream`. */
  stream(maxMessageSize: number | undefined): void {
    this.#state |= IN_PARTS
    this.#reader.stream(maxMessageSize)
    // What had been put together of a message.
    if (this.#compressed !== undefined) this.#inflateWaiting(this.#compressed)
  }

  /** Drops all that was not yet read, and all that comes. */
  stop(): void {
    // A FIN that waited has nothing to wait for any more.
    if ((this.#state & (ENDED | STOPPED)) === ENDED) process.nextTick(() => this.#owner.endReceived())
    this.#state = (this.#state | STOPPED) & ~HELD
    this.#unread = undefined
    this.#inflated = undefined
    this.#compressed = undefined
    this.#reader.stop()
    this.#owner.socket.resume()
  }

  /** Whether the peer has begun a frame and not gone on with it in time. */
  isStalled(now: number, frameTimeout: number): boolean {
    return this.#reader.isStalled(now, frameTimeout)
  }

  /** Nobody listens, so that the peer cannot go on. */
  excuse(now: number): void {
    this.#reader.excuse(now)
  }

  message(data: string | Buffer, isBinary: boolean): void {
    if ((this.#state & CLOSE_ONLY) === 0) this.#owner.messageReceived(data, isBinary)
  }

  messagePart(part: Buffer, isBinary: boolean, last: boolean): void {
    if ((this.#state & CLOSE_ONLY) === 0) this.#owner.partReceived(part, isBinary, last)
  }

  ping(payload: Buffer): void {
    this.#owner.pingReceived(payload)
  }

  pong(payload: Buffer): void {
    this.#owner.pongReceived(payload)
  }

  close(code: number, reason: string): void {
    this.#owner.closeReceived(code, reason)
  }

  extended(payload: Buffer, isBinary: boolean): void {
    // Where there is none, RSV1 is against the rules, and does not come here.
    const deflate = this.#owner.deflate!
    const inflated = deflate.decompress(payload, this.#reader.maxExtendedSize)
    if (inflated instanceof Promise) this.#deliverLater(inflated, (octets) => this.#deliver(octets, isBinary))
    else this.#deliverAtOnce(inflated, isBinary)
  }

  extendedPart(payload: Buffer, isBinary: boolean, last: boolean): void {
    const maxSize = this.#reader.maxExtendedSize
    const message = this.#compressed ?? new CompressedMessage(this.#owner.deflate!, isBinary, maxSize)
    this.#compressed = last ? undefined : message
    const octets = last ? message.small(payload) : undefined
    if (octets !== undefined) {
      this.#deliverAtOnce(octets, isBinary)
      return
    }
    message.add(payload)
    if (last) this.#inflate(message, true)
  }

  #inflateWaiting(message: CompressedMessage): void {
    if (message.waits) this.#inflate(message, false)
  }

  #inflate(message: CompressedMessage, last: boolean): void {
    const parts = message.parts(last)
    const deliverNext = (): void =>
      this.#deliverLater(parts.next(), ({ value }) => {
        if (value === undefined) {
          if (last) this.messagePart(EMPTY, message.isBinary, true)
          return
        }
        // The next one is made while this one is read.
        deliverNext()
        this.messagePart(value, message.isBinary, false)
      })
    deliverNext()
  }

  #deliverAtOnce(octets: Buffer, isBinary: boolean): void {
    this.#deliver(octets, isBinary)
    if (turnIsOver()) this.#waitForTurn()
  }

  #waitForTurn(): void {
    if ((this.#state & (Hold.Turn | STOPPED)) !== 0) return
    this.hold(Hold.Turn)
    setImmediate(() => this.release(Hold.Turn))
  }

  #deliverLater<T>(inflated: Promise<T>, deliver: (inflated: T) => void): void {
    this.hold(Hold.Inflating)
    inflated.then(
      (value) => this.#releaseInflated(() => deliver(value)),
      (error: unknown) =>
        this.#releaseInflated(() => {
          throw error
        }),
    )
  }

  #releaseInflated(work: () => void): void {
    if ((this.#state & STOPPED) !== 0) return
    this.#inflated = work
    this.release(Hold.Inflating)
  }

  #deliver(octets: Buffer, isBinary: boolean): void {
    const inParts = (this.#state & IN_PARTS) !== 0
    if (!isBinary && !inParts && this.#owner.settings.text === 'string') {
      this.message(textOf(octets, 0, octets.length), false)
      return
    }
    const data = isBinary ? octets : checkText(octets)
    if (inParts) this.messagePart(data, isBinary, true)
    else this.message(data, isBinary)
  }

  /** What was not taken waits, in front of what came meanwhile. */
  #keep(rest: Buffer): void {
    if (this.#unread !== undefined) this.#unread = Buffer.concat([rest, this.#unread])
    else this.#unread = rest.buffer === lent.buffer ? Buffer.from(rest) : rest
    if (!this.held) this.#goOnLater()
  }

  /** Not at once: whoever releases is not ready to be called back, and may hold again. */
  #goOnLater(): void {
    if ((this.#state & GOING_ON) !== 0) return
    this.#state |= GOING_ON
    process.nextTick(() => this.#goOn())
  }

  #goOn(): void {
    this.#state &= ~GOING_ON
    if (this.held) return
    this.#state |= AT_WORK
    this.#workOff()
    this.#state &= ~AT_WORK
  }

  #workOff(): void {
    const inflated = this.#inflated
    this.#inflated = undefined
    if (inflated !== undefined) this.#owner.goOnWith(inflated)
    if (this.held) return
    const unread = this.#unread
    this.#unread = undefined
    if (unread !== undefined) this.#owner.receive(unread)
    if ((this.#state & (HELD | STOPPED)) !== 0) return
    this.#owner.socket.resume()
    if ((this.#state & ENDED) !== 0 && this.#unread === undefined) this.#owner.endReceived()
  }
}

/** Whom a spare receiver serves: nobody, who asks it for nothing. */
const NOBODY = {} as ReceiverOwner

/** The receivers of all connections with the same settings. */
export class Receivers {
  readonly #plain: Receiver[] = []
  readonly #extended: Receiver[] = []

  /** A receiver for `owner`, which gives it back when it is idle. */
  take(owner: ReceiverOwner): Receiver {
    const receiver = this.#spare(owner).pop()
    if (receiver === undefined) return new Receiver(owner)
    receiver.serve(owner)
    return receiver
  }

  giveBack(receiver: Receiver, owner: ReceiverOwner): void {
    receiver.serve(NOBODY)
    const spare = this.#spare(owner)
    if (spare.length < MAX_SPARE) spare.push(receiver)
  }

  /** Those who expect an extension, or those who do not. */
  #spare({ deflate }: ReceiverOwner): Receiver[] {
    return deflate === undefined ? this.#plain : this.#extended
  }
}

/**
 * The way in: what the transport reads becomes messages and control frames for the connection.
 *
 * Reading can be held, for several reasons at once; it goes on when the last of them is gone. What had been read by
 * then waits here, less than one read of it. Once stopped, everything that still comes is dropped (RFC 6455 7.1.7).
 */
import type { Duplex } from 'node:stream'
import { turnIsOver } from '../deflate/index.ts'
import type { PerMessageDeflate } from '../deflate/index.ts'
import { FrameDecoder, MessageAssembler, messageData } from '../framing/index.ts'
import type { MessageOptions, MessageSink, PartSink } from '../framing/index.ts'
import type { Progress } from './heartbeat.ts'

/** Why reading is held. */
export const Hold = {
  /** The application asked for it. */
  Pause: 1,
  /** An async `open` has not settled. */
  Opening: 2,
  /** Nobody has taken the messages that wait. */
  Queue: 4,
  /** A message is being inflated, or waits for the next turn to be, and those behind it have to wait. */
  Inflating: 8,
} as const

export interface ReceiverOwner {
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

export class Receiver implements MessageSink, PartSink, Progress {
  octets = 0
  readonly #socket: Duplex
  readonly #owner: ReceiverOwner
  readonly #options: MessageOptions
  readonly #assembler: MessageAssembler
  readonly #decoder: FrameDecoder
  #holds = 0
  #stopped = false
  #reading = false
  #unread: Buffer | undefined = undefined
  #goingOn = false
  /** The peer's FIN has come, behind what waits here. */
  #ended = false
  /** Reading goes on for the peer's Close alone; nobody is ready for messages. */
  #closeOnly = false
  #inParts = false
  /** Octets that a message may have once it is inflated. */
  #maxInflated: number
  /** Hands on what has been inflated, or throws why not, when nothing is held any more. */
  #inflated: (() => void) | undefined = undefined

  constructor(socket: Duplex, owner: ReceiverOwner, options: MessageOptions, deflate: PerMessageDeflate | undefined) {
    this.#socket = socket
    this.#owner = owner
    this.#options = options
    this.#maxInflated = options.maxMessageSize
    const extension = deflate && {
      extended: (payload: Buffer, isBinary: boolean): void => this.#inflate(deflate, payload, isBinary),
    }
    this.#assembler = new MessageAssembler(this, options, extension)
    this.#decoder = new FrameDecoder(this.#assembler)
  }

  get held(): boolean {
    return this.#holds !== 0
  }

  get inFrame(): boolean {
    return this.#decoder.inFrame
  }

  get frames(): number {
    return this.#decoder.frames
  }

  /** Throws the `ProtocolError` of the first rule that the peer broke, and whatever the owner throws. */
  receive(chunk: Buffer): void {
    if (this.#stopped) return
    // A transport in memory may bring the next octets from within a write, while these are being read.
    if (this.held || this.#reading || this.#unread !== undefined) {
      this.#unread = this.#unread === undefined ? chunk : Buffer.concat([this.#unread, chunk])
      return
    }
    this.#reading = true
    const taken = this.#decoder.decode(chunk)
    this.#reading = false
    this.octets += taken
    if (taken < chunk.length || this.#unread !== undefined) this.#keep(chunk.subarray(taken))
  }

  hold(reason: number): void {
    this.#holds |= reason
    this.#decoder.stop()
    this.#socket.pause()
  }

  release(reason: number): void {
    if (this.#holds === 0) return
    this.#holds &= ~reason
    if (this.#holds !== 0) return
    this.#decoder.resume()
    this.#goOnLater()
  }

  /** The transport has brought its last octet. */
  end(): void {
    this.#ended = true
    if (!this.held && !this.#goingOn && this.#unread === undefined) this.#owner.endReceived()
  }

  /**
   * We have sent Close, and the peer's stands behind everything that it sent before: so reading goes on. Messages for
   * whom nobody was ready are lost.
   */
  awaitClose(): void {
    this.#closeOnly = (this.#holds & (Hold.Pause | Hold.Opening)) !== 0
    this.release(Hold.Pause | Hold.Opening | Hold.Queue)
  }

  /** From now on messages are told in parts; each may have `maxMessageSize` octets. */
  stream(maxMessageSize: number): void {
    this.#inParts = true
    this.#maxInflated = Math.min(this.#maxInflated, maxMessageSize)
    this.#assembler.stream(this, maxMessageSize)
  }

  /** Drops all that was not yet read, and all that comes. */
  stop(): void {
    // A FIN that waited has nothing to wait for any more.
    if (this.#ended && !this.#stopped) process.nextTick(() => this.#owner.endReceived())
    this.#stopped = true
    this.#unread = undefined
    this.#inflated = undefined
    this.#decoder.stop()
    this.#holds = 0
    this.#socket.resume()
  }

  message(data: string | Buffer, isBinary: boolean): void {
    if (!this.#closeOnly) this.#owner.messageReceived(data, isBinary)
  }

  messagePart(part: Buffer, isBinary: boolean, last: boolean): void {
    if (!this.#closeOnly) this.#owner.partReceived(part, isBinary, last)
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

  #inflate(deflate: PerMessageDeflate, payload: Buffer, isBinary: boolean): void {
    const inflated = deflate.decompress(payload, this.#maxInflated)
    if (!(inflated instanceof Promise)) {
      this.#deliver(inflated, isBinary)
      if (!turnIsOver() || this.#stopped) return
      this.hold(Hold.Inflating)
      setImmediate(() => this.release(Hold.Inflating))
      return
    }
    this.hold(Hold.Inflating)
    inflated.then(
      (octets) => this.#releaseInflated(() => this.#deliver(octets, isBinary)),
      (error: unknown) =>
        this.#releaseInflated(() => {
          throw error
        }),
    )
  }

  #releaseInflated(work: () => void): void {
    if (this.#stopped) return
    this.#inflated = work
    this.release(Hold.Inflating)
  }

  #deliver(octets: Buffer, isBinary: boolean): void {
    const text = this.#inParts ? 'buffer' : this.#options.text
    const data = messageData(octets, 0, octets.length, isBinary, text)
    if (this.#inParts && typeof data !== 'string') this.messagePart(data, isBinary, true)
    else this.message(data, isBinary)
  }

  /** What was not taken waits, in front of what came meanwhile. */
  #keep(rest: Buffer): void {
    this.#unread = this.#unread === undefined ? rest : Buffer.concat([rest, this.#unread])
    if (!this.held) this.#goOnLater()
  }

  /** Not at once: whoever releases is not ready to be called back, and may hold again. */
  #goOnLater(): void {
    if (this.#goingOn) return
    this.#goingOn = true
    process.nextTick(() => this.#goOn())
  }

  #goOn(): void {
    this.#goingOn = false
    if (this.held) return
    const inflated = this.#inflated
    this.#inflated = undefined
    if (inflated !== undefined) this.#owner.goOnWith(inflated)
    if (this.held) return
    const unread = this.#unread
    this.#unread = undefined
    if (unread !== undefined) this.#owner.receive(unread)
    if (this.held || this.#stopped) return
    this.#socket.resume()
    if (this.#ended && this.#unread === undefined) this.#owner.endReceived()
  }
}

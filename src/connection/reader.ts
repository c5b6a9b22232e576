/**
 * What makes messages of bytes: a decoder, an assembler, and an eye on frames that do not go on.
 */
import { FrameDecoder, MessageAssembler } from '../framing/index.ts'
import type { ExtensionSink, FrameSink, MessageOptions, MessageSink, PartSink } from '../framing/index.ts'

export interface ReaderSink extends MessageSink, PartSink, ExtensionSink {}

/** A frame has to bring this many octets, or its end, every `frameTimeout`. */
const FRAME_PROGRESS = 1024

export class Reader {
  readonly #sink: ReaderSink
  readonly #decoder: FrameDecoder
  readonly #assembler: MessageAssembler
  #inParts = false
  /** Octets read so far. */
  #octets = 0
  /** The frame that was begun last when somebody looked, the octets by then, and when it had last made progress. */
  #frame = -1
  #frameOctets = 0
  #frameAt = 0

  /** `extended`: an extension gives RSV1 a meaning. */
  constructor(sink: ReaderSink, options: MessageOptions, extended: boolean) {
    this.#sink = sink
    this.#assembler = new MessageAssembler(sink, options, extended ? sink : undefined)
    this.#decoder = new FrameDecoder(this.#assembler)
  }

  /** Whether it has to remember something of what it has read. */
  get busy(): boolean {
    return this.#inParts || this.#decoder.inFrame || this.#assembler.inMessage
  }

  /** Octets that a message of the extension may have, once that has done its work. */
  get maxExtendedSize(): number {
    return this.#assembler.maxExtendedSize
  }

  /** As `FrameDecoder.decode`. */
  decode(chunk: Buffer, limit: number): number {
    const taken = this.#decoder.decode(chunk, 0, limit)
    this.#octets += taken
    return taken
  }

  /** As `FrameDecoder.fork`. */
  fork(sink: FrameSink): FrameDecoder {
    return this.#decoder.fork(sink)
  }

  stop(): void {
    this.#decoder.stop()
  }

  resume(): void {
    this.#decoder.resume()
  }

  /** From now on messages are told in parts, with the limits of `MessageAssembler.stream`. */
  stream(maxMessageSize: number | undefined): void {
    this.#inParts = true
    this.#assembler.stream(this.#sink, maxMessageSize)
  }

  /** Whether a frame that was begun has not gone on for `frameTimeout`: who sends an octet now and then holds memory for nothing. */
  isStalled(now: number, frameTimeout: number): boolean {
    const { inFrame, frames } = this.#decoder
    if (!inFrame || frames !== this.#frame || this.#octets - this.#frameOctets >= FRAME_PROGRESS) {
      this.#frame = frames
      this.#frameOctets = this.#octets
      this.#frameAt = now
    }
    return now - this.#frameAt >= frameTimeout
  }

  /** Nobody has read until now, so that the frame could not go on. */
  excuse(now: number): void {
    this.#frameAt = now
  }

  /** What comes next is another connection's. */
  forget(): void {
    this.#frame = -1
  }
}

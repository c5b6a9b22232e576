/**
 * Chunks to headers and payload pieces: a loop without a rule in it.
 *
 * Bytes come as the transport cut them, and nothing is kept of them but a cut header (at most 13 octets). For each
 * frame the sink hears its header once, then its payload, unmasked, in one piece or in several; an empty payload is one
 * empty piece. A piece is told as `chunk[start, end)` and `remaining`, the octets of the frame still to come.
 *
 * State is committed before each call, so the sink may stop the decoder (`stop`) in any of them, or throw; what it did
 * not get to read is the caller's to keep and to hand in again. After an exception the decoder is of no more use.
 */
import { FrameHeader, MAX_HEADER_LENGTH, frameHeaderLength, readFrameHeader } from './header.ts'
import { applyMask } from './mask.ts'

/** Takes what a `FrameDecoder` reads. */
export interface FrameSink {
  /** A header has been read; it is valid until the frame ends. Throw to refuse it. */
  frameHeader(header: FrameHeader): void
  /** `chunk[start, end)` is the next piece of this frame's payload, unmasked in place. */
  framePayload(header: FrameHeader, chunk: Buffer, start: number, end: number, remaining: number): void
}

/** Reads frames from chunks, however they were cut, and tells a `FrameSink`. */
export class FrameDecoder {
  /** Frames begun so far. */
  frames = 0
  readonly #sink: FrameSink
  readonly #header = new FrameHeader()
  /** Octets of a header cut by the end of a chunk; `undefined` between headers, so that idle costs nothing. */
  #cut: Buffer | undefined = undefined
  #cutLength = 0
  #inFrame = false
  #remaining = 0
  #stopped = false

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Whether bytes of an unfinished frame have been taken. */
  get inFrame(): boolean {
    return this.#inFrame || this.#cut !== undefined
  }

  /** Ends the running `decode` after the current call to `framePayload`; called with a header, after the one behind it. */
  stop(): void {
    this.#stopped = true
  }

  /**
   * A decoder of the same bytes for another sink, from here on; not to be asked for within `decode`. Of a frame that has
   * begun, that sink hears the rest of the payload only.
   */
  fork(sink: FrameSink): FrameDecoder {
    const fork = new FrameDecoder(sink)
    Object.assign(fork.#header, this.#header)
    fork.#cut = this.#cut && Buffer.from(this.#cut)
    fork.#cutLength = this.#cutLength
    fork.#inFrame = this.#inFrame
    fork.#remaining = this.#remaining
    return fork
  }

  /** Takes back a `stop` that has not ended the `decode` yet. */
  resume(): void {
    this.#stopped = false
  }

  /**
   * Takes `chunk[offset, limit)` and unmasks it in place; answers the offset up to which it was taken, which is short of
   * `limit` only after `stop`.
   */
  decode(chunk: Buffer, offset = 0, limit: number = chunk.length): number {
    this.#stopped = false
    const header = this.#header
    let at = offset
    while (at < limit && !this.#stopped) {
      if (!this.#inFrame) {
        at = this.#readHeader(chunk, at, limit)
        if (at < 0) return limit
        this.frames++
        this.#inFrame = true
        this.#remaining = header.payloadLength
        this.#sink.frameHeader(header)
      }
      const end = Math.min(at + this.#remaining, limit)
      if (header.masked) header.maskingKey = applyMask(chunk, at, end, header.maskingKey)
      const start = at
      at = end
      this.#remaining -= end - start
      this.#inFrame = this.#remaining > 0
      this.#sink.framePayload(header, chunk, start, end, this.#remaining)
    }
    return at
  }

  /** Answers the offset behind the header, or -1 when `limit` cuts it. */
  #readHeader(chunk: Buffer, offset: number, limit: number): number {
    if (this.#cut !== undefined) return this.#completeHeader(this.#cut, chunk, offset, limit)
    const end = readFrameHeader(chunk, offset, this.#header, limit)
    if (end < 0) {
      this.#cut = Buffer.allocUnsafe(MAX_HEADER_LENGTH)
      this.#cutLength = chunk.copy(this.#cut, 0, offset, limit)
    }
    return end
  }

  #completeHeader(cut: Buffer, chunk: Buffer, offset: number, limit: number): number {
    let at = offset
    let length = this.#cutLength
    // The second octet tells how long the header is.
    if (length === 1) cut[length++] = chunk[at++]
    const missing = frameHeaderLength(cut[1]) - length
    const copied = chunk.copy(cut, length, at, Math.min(at + missing, limit))
    this.#cutLength = length + copied
    if (copied < missing) return -1
    this.#cut = undefined
    readFrameHeader(cut.subarray(0, this.#cutLength), 0, this.#header)
    return at + copied
  }
}

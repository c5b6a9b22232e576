/**
 * Messages that are inflated and compressed as they come, in memory that does not depend on how large they are.
 *
 * What comes in goes through a stream of zlib, in the thread pool, which goes on only when what it made has been taken. What
 * goes out is compressed chunk by chunk, each as a message by itself would be: blocks of DEFLATE, one behind the other.
 */
import { createInflateRaw } from 'node:zlib'
import type { InflateRaw } from 'node:zlib'
import type { Deflater } from './deflater.ts'
import { History } from './history.ts'
import { LARGEST_WINDOW_SIZE, TAIL, checkRestarts, failure, isComplete } from './inflation.ts'
import { FLUSHED, LARGEST_CHUNK, tooLarge } from './zlib.ts'

const EMPTY = Buffer.alloc(0)

/** One message that comes compressed. */
export class GradualInflation {
  readonly #history: History
  readonly #maxSize: number
  /** What a DEFLATE stream may refer back to that follows another one within the message (7.2.1). */
  readonly #window = new History(LARGEST_WINDOW_SIZE)
  #stream: Inflating
  /** Octets that may still come of it. */
  #room: number
  #restarts = 0
  #closed = false

  /** `history`: what the message may refer back to, and what is to know of it when it has come. */
  constructor(history: History, maxSize: number) {
    this.#history = history
    this.#maxSize = maxSize
    this.#room = maxSize
    this.#window.push(history.contents())
    this.#stream = new Inflating(this.#window)
  }

  /**
   * What comes of the next octets of the message, in pieces; `last`: these were all, but for the four octets that end it. No
   * further piece is made before the one before it has been taken.
   *
   * @throws ProtocolError 1007 for what is not DEFLATE, 1009 beyond `maxSize` octets
   */
  async *inflate(payload: Buffer, last: boolean): AsyncGenerator<Buffer, undefined> {
    let rest = last ? Buffer.concat([payload, TAIL]) : payload
    try {
      for (;;) {
        this.#stream.write(rest, last)
        for (let piece = await this.#stream.next(); piece !== undefined; piece = await this.#stream.next()) {
          this.#room -= piece.length
          if (this.#room < 0) throw tooLarge()
          this.#window.push(piece)
          yield piece
        }
        if (this.#closed) return
        const { unused } = this.#stream
        if (unused === 0 || (last && isComplete(unused))) break
        // A final block, and there is more behind it.
        checkRestarts(++this.#restarts)
        rest = rest.subarray(rest.length - unused)
        this.#stream.close()
        this.#stream = new Inflating(this.#window)
      }
    } catch (error) {
      throw failure(error, this.#maxSize)
    }
    if (!last) return
    this.#history.clear()
    this.#history.push(this.#window.contents())
    this.close()
  }

  /** Gives the memory back; whoever waits for a piece gets none. */
  close(): void {
    this.#closed = true
    this.#stream.close()
    this.#window.clear()
  }
}

/** A stream of zlib that inflates, and is asked for what it made instead of telling it. */
class Inflating {
  readonly #stream: InflateRaw
  #written = 0
  #flushed = false
  /** Something has happened. */
  #wake: () => void = () => {}

  constructor(window: History) {
    this.#stream = createInflateRaw({ dictionary: window.contents(), chunkSize: LARGEST_CHUNK })
    const happened = (): void => this.#wake()
    for (const event of ['readable', 'end', 'error', 'close']) this.#stream.on(event, happened)
  }

  /** Octets that were written, and stand behind the end of the DEFLATE stream. */
  get unused(): number {
    return this.#written - this.#stream.bytesWritten
  }

  write(octets: Buffer, last: boolean): void {
    this.#written += octets.length
    this.#flushed = false
    if (last) {
      this.#stream.end(octets)
      return
    }
    this.#stream.write(octets, () => {
      this.#flushed = true
      this.#wake()
    })
  }

  /** The next octets that come of what was written; `undefined` when there are no more. Rejects with what zlib finds wrong. */
  async next(): Promise<Buffer | undefined> {
    const stream = this.#stream
    for (;;) {
      const octets = stream.read() as Buffer | null
      if (octets !== null) return octets
      if (stream.errored !== null) throw stream.errored
      if (this.#flushed || stream.readableEnded || stream.destroyed) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  close(): void {
    this.#stream.close()
  }
}

/** One message that leaves compressed. */
export class GradualDeflation {
  readonly #deflater: Deflater
  readonly #ended: () => void
  /** 7.2.1: the four octets that end the message must not be sent, and those within it must: so they are kept until more comes. */
  #tail: Buffer = EMPTY

  constructor(deflater: Deflater, ended: () => void) {
    this.#deflater = deflater
    this.#ended = ended
  }

  /** Whether there is anything in it. */
  get begun(): boolean {
    return this.#tail.length > 0
  }

  /** The payload that carries the next octets, of which there is at least one. */
  async deflate(octets: Buffer): Promise<Buffer> {
    const before = this.#tail
    this.#tail = FLUSHED
    const compressed = await this.#deflater.deflate(octets, false)
    return Buffer.concat([before, compressed.subarray(0, -FLUSHED.length)])
  }

  /** All of it has been compressed, or nobody wants the rest. */
  end(): void {
    this.#ended()
  }
}

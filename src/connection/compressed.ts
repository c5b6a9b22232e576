/** A message that comes compressed and is told in parts, as it comes (RFC 7692 6.2, 7.2.2). */
import type { GradualInflation, PerMessageDeflate } from '../deflate/index.ts'
import { Utf8Validator, checkPart } from '../framing/index.ts'

const EMPTY = Buffer.alloc(0)

export class CompressedMessage {
  readonly isBinary: boolean
  readonly #deflate: PerMessageDeflate
  readonly #maxSize: number
  /** What has come since `parts` was called last. */
  #waiting: Buffer[] = []
  #inflation: GradualInflation | undefined = undefined
  readonly #validator = new Utf8Validator()

  /** `maxSize`: octets that may come of it. */
  constructor(deflate: PerMessageDeflate, isBinary: boolean, maxSize: number) {
    this.#deflate = deflate
    this.isBinary = isBinary
    this.#maxSize = maxSize
  }

  /** Whether there is anything to inflate. */
  get waits(): boolean {
    return this.#waiting.length > 0
  }

  /** All of it, whose last octets are `rest`, if it is small and has come at once; it is not known to be text. */
  small(rest: Buffer): Buffer | undefined {
    if (this.#inflation !== undefined) return undefined
    const payload = this.waits ? Buffer.concat([...this.#waiting, rest]) : rest
    return this.#deflate.decompressSmall(payload, this.#maxSize)
  }

  /** Keeps a copy of `octets`, which come next. */
  add(octets: Buffer): void {
    this.#waiting.push(Buffer.from(octets))
  }

  /**
   * What comes of the octets that wait, in parts that are known to be text where they have to be; `last`: the message ends
   * with them, and the last part may be empty then.
   *
   * @throws ProtocolError for what cannot be inflated, is too large, or is no text
   */
  async *parts(last: boolean): AsyncGenerator<Buffer, undefined> {
    const payload = Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#inflation ??= this.#deflate.decompressGradually(this.#maxSize)
    for await (const part of this.#inflation.inflate(payload, last)) {
      if (!this.isBinary) checkPart(this.#validator, part, false)
      yield part
    }
    if (last && !this.isBinary) checkPart(this.#validator, EMPTY, true)
  }
}

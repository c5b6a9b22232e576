/** What one side inflates (RFC 7692 7.2.2). */
import { constants } from 'node:zlib'
import { GradualInflation } from './gradual.ts'
import { History } from './history.ts'
import { Inflation, failure } from './inflation.ts'
import { Kept } from './kept.ts'
import { spendSince } from './turn.ts'
import { AT_ONCE_UP_TO, FLUSHED, INFLATED_AT_ONCE_UP_TO, inflateAtOnce, inflateInPool, isTooLarge } from './zlib.ts'

/** As `TAIL`, for a stream that goes on: behind what a sync flush ends with, one octet which is not to be used. */
const KEPT_TAIL = Buffer.concat([FLUSHED, Buffer.from([0x00])])

/** For messages that stand by themselves. */
let shared: Kept | undefined

export class Inflater {
  readonly #windowBits: number
  readonly #keepsContext: boolean
  #mayKeep: () => boolean
  /** All that the context is. The state of zlib that has it too can be dropped, and made again. */
  readonly #history: History
  #kept: Kept | undefined = undefined
  /** The message that came last of those that are inflated as they come. */
  #gradual: GradualInflation | undefined = undefined
  #ended = false

  /** `mayKeep`: whether states of zlib can be kept. */
  constructor(windowBits: number, keepsContext: boolean, mayKeep: () => boolean) {
    this.#windowBits = windowBits
    this.#keepsContext = keepsContext
    this.#mayKeep = mayKeep
    this.#history = new History(keepsContext ? 1 << windowBits : 0)
  }

  /**
   * A message without the four octets that end it; a promise when it is large, and then the next one has to wait for it.
   *
   * @throws ProtocolError 1007 for what is not DEFLATE, 1009 beyond `maxSize` octets; or rejects with it
   */
  inflate(payload: Buffer, maxSize: number): Buffer | Promise<Buffer> {
    return this.inflateSmall(payload, maxSize) ?? this.#inflateInPool(payload, maxSize)
  }

  /** As `inflate`; `undefined` for what is large, or becomes so. */
  inflateSmall(payload: Buffer, maxSize: number): Buffer | undefined {
    if (payload.length > AT_ONCE_UP_TO) return undefined
    const most = Math.min(maxSize, INFLATED_AT_ONCE_UP_TO)
    const began = performance.now()
    try {
      const output = this.#inflateKept(payload, most) ?? this.#inflateAlone(payload, most)
      this.#history.push(output)
      return output
    } catch (error) {
      if (isTooLarge(error) && maxSize > INFLATED_AT_ONCE_UP_TO) return undefined
      throw failure(error, maxSize)
    } finally {
      spendSince(began)
    }
  }

  /** The next message, as it comes. */
  inflateGradually(maxSize: number): GradualInflation {
    this.#drop()
    this.#gradual = new GradualInflation(this.#history, maxSize)
    return this.#gradual
  }

  end(): void {
    this.#ended = true
    this.#drop()
    this.#gradual?.close()
    this.#history.clear()
  }

  /** `undefined` where a message is anything but the next part of one stream: those are left to `#inflateAlone`. */
  #inflateKept(payload: Buffer, most: number): Buffer | undefined {
    const kept = this.#state()
    if (kept === undefined) return undefined
    let isWhole = false
    try {
      const output = kept.write(payload, constants.Z_SYNC_FLUSH, most)
      isWhole = kept.unused === 0 && endsBlock(kept)
      if (isWhole) return output
    } finally {
      if (!isWhole) {
        kept.close()
        this.#kept = undefined
      }
    }
    // Whoever ends streams does so again and again.
    this.#mayKeep = () => false
    return undefined
  }

  #state(): Kept | undefined {
    if (this.#ended || !this.#mayKeep()) return undefined
    if (this.#keepsContext) {
      this.#kept ??= new Kept('inflate', { windowBits: this.#windowBits, dictionary: this.#history.contents() })
      return this.#kept
    }
    if (shared === undefined || shared.isClosed) shared = new Kept('inflate', {})
    else shared.reset()
    return shared
  }

  #drop(): void {
    this.#kept?.close()
    this.#kept = undefined
  }

  #inflateAlone(payload: Buffer, most: number): Buffer {
    const inflation = new Inflation(payload, this.#history.contents(), most)
    while (!inflation.done) inflation.take(inflateAtOnce(inflation.rest, inflation.window, inflation.room))
    return inflation.output
  }

  async #inflateInPool(payload: Buffer, maxSize: number): Promise<Buffer> {
    this.#drop()
    const inflation = new Inflation(payload, this.#history.contents(), maxSize)
    const wanted = (): boolean => !this.#ended
    try {
      while (!inflation.done) {
        inflation.take(await inflateInPool(inflation.rest, inflation.window, inflation.room, wanted))
      }
    } catch (error) {
      throw failure(error, maxSize)
    }
    this.#history.push(inflation.output)
    return inflation.output
  }
}

/** Whether what was written ends as 7.2.1 wants it: then the tail completes an empty block, and that is all it does. */
function endsBlock(kept: Kept): boolean {
  return kept.write(KEPT_TAIL, constants.Z_BLOCK, Infinity).length === 0 && kept.unused === 1
}

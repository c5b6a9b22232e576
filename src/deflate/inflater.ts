/** What one side inflates (RFC 7692 7.2.2). */
import { constants } from 'node:zlib'
import { ProtocolError } from '../errors.ts'
import { CloseCode } from '../framing/index.ts'
import { History } from './history.ts'
import { Kept } from './kept.ts'
import { spendSince } from './turn.ts'
import { AT_ONCE_UP_TO, INFLATED_AT_ONCE_UP_TO, inflateAtOnce, inflateInPool, isTooLarge, tooLarge } from './zlib.ts'
import type { Inflated } from './zlib.ts'

/** Ends of DEFLATE streams within one message: legal, if odd (7.2.1), but each costs a new start. */
const MAX_RESTARTS = 16
/** 7.2.2: what a sync flush ends with, and behind it the end of a stream, so that zlib has to find the message complete. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff])
/** The same for a stream that goes on: behind what a sync flush ends with, one octet which is not to be used. */
const KEPT_TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff, 0x00])
const LARGEST_WINDOW_SIZE = 32_768

/** For messages that stand by themselves. */
let shared: Kept | undefined

export class Inflater {
  readonly #windowBits: number
  readonly #keepsContext: boolean
  #mayKeep: () => boolean
  /** All that the context is. The state of zlib that has it too can be dropped, and made again. */
  readonly #history: History
  #kept: Kept | undefined = undefined
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
    if (payload.length > AT_ONCE_UP_TO) return this.#inflateInPool(payload, maxSize)
    const most = Math.min(maxSize, INFLATED_AT_ONCE_UP_TO)
    const began = performance.now()
    try {
      const output = this.#inflateKept(payload, most) ?? this.#inflateAlone(payload, most)
      this.#history.push(output)
      return output
    } catch (error) {
      if (isTooLarge(error) && maxSize > INFLATED_AT_ONCE_UP_TO) return this.#inflateInPool(payload, maxSize)
      throw failure(error, maxSize)
    } finally {
      spendSince(began)
    }
  }

  end(): void {
    this.#ended = true
    this.#drop()
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

/** One message on its way through zlib: usually one DEFLATE stream, but final blocks may make it several (7.2.1). */
class Inflation {
  done = false
  /** What is to be inflated next, and what that may refer back to. */
  rest: Buffer
  window: Buffer
  /** Octets that may still come of it. */
  room: number
  readonly #pieces: Buffer[] = []
  #restarts = 0

  constructor(payload: Buffer, window: Buffer, maxSize: number) {
    this.rest = Buffer.concat([payload, TAIL])
    this.window = window
    this.room = maxSize
  }

  get output(): Buffer {
    return this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces)
  }

  take({ buffer, engine }: Inflated): void {
    this.#pieces.push(buffer)
    this.room -= buffer.length
    if (this.room < 0) throw tooLarge()
    const left = this.rest.length - engine.bytesWritten
    // A sender that ends with a final block may leave it at that, and then our tail has nothing to add.
    this.done = left === 0 || left === TAIL.length
    if (this.done) return
    if (++this.#restarts > MAX_RESTARTS) throw new Error('It has too many final blocks')
    this.rest = this.rest.subarray(engine.bytesWritten)
    this.window = slide(this.window, buffer, LARGEST_WINDOW_SIZE)
  }
}

/** The last `size` octets of `window` and what came behind them, as a copy. */
function slide(window: Buffer, data: Buffer, size: number): Buffer {
  const kept = Math.min(window.length, Math.max(0, size - data.length))
  // Memory of its own, as it may be kept for long.
  const slid = Buffer.allocUnsafeSlow(kept + Math.min(data.length, size))
  window.copy(slid, 0, window.length - kept)
  data.copy(slid, kept, Math.max(0, data.length - size))
  return slid
}

/** RFC 6455 10.4 and 7.4.1; RFC 7692 names no code for what cannot be inflated, and that is inconsistent data. */
function failure(error: unknown, maxSize: number): ProtocolError {
  if (isTooLarge(error)) {
    const message = `The message is larger than ${maxSize} octets once inflated; raise maxMessageSize if such messages are wanted`
    return new ProtocolError('ERR_WS_MESSAGE_TOO_BIG', CloseCode.MessageTooBig, 'RFC 6455 10.4', message)
  }
  const message = `The message cannot be inflated: ${(error as Error).message}`
  return new ProtocolError('ERR_WS_INVALID_DEFLATE', CloseCode.InvalidFramePayloadData, 'RFC 7692 7.2.2', message)
}

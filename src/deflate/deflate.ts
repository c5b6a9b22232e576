/**
 * permessage-deflate on one connection (RFC 7692 6, 7.2): payloads of messages to compressed ones and back.
 *
 * All that it keeps between messages are windows, the last octets of what was compressed or inflated, and those only
 * where context takeover was agreed upon.
 */
import { ProtocolError } from '../errors.ts'
import { CloseCode } from '../framing/index.ts'
import type { Role } from '../framing/index.ts'
import type { DeflateParameters } from './offer.ts'
import type { DeflateSettings } from './options.ts'
import {
  AT_ONCE_UP_TO,
  INFLATED_AT_ONCE_UP_TO,
  deflateAtOnce,
  deflateInPool,
  inflateAtOnce,
  inflateInPool,
} from './zlib.ts'
import type { Inflated } from './zlib.ts'

/** How far back we look unless told: nearly as good as 15 for one message, and much cheaper with context takeover. */
const USUAL_WINDOW_BITS = 13
/** zlib has no window of 256 octets. In its window of 512 it looks back 250 at most, which is the same to a peer. */
const SMALLEST_WINDOW_BITS = 9
/** Ends of DEFLATE streams within one message: legal, if odd (7.2.1), but each costs a new start. */
const MAX_RESTARTS = 16
/** 7.2.1: what a sync flush ends with, and is not sent. */
const TAIL_LENGTH = 4
/** 7.2.2: that again, and behind it the end of a stream, so that zlib has to find the message complete. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff])
const LARGEST_WINDOW_SIZE = 32_768
/** What zlib says of output beyond its limit. */
const TOO_LARGE = 'ERR_BUFFER_TOO_LARGE'
const EMPTY = Buffer.alloc(0)

export class PerMessageDeflate {
  /**
   * With this many window bits we compress each message by itself, so that the outcome is the same for all connections
   * that do; 0 when messages refer back to those before them.
   */
  readonly sharedWindowBits: number
  readonly #settings: DeflateSettings
  readonly #windowBits: number
  /** Octets of inflated messages that the peer's next one may refer back to; 0 without context takeover. */
  readonly #inflateWindowSize: number
  #deflateWindow: Buffer = EMPTY
  #inflateWindow: Buffer = EMPTY
  #ended = false

  constructor(parameters: DeflateParameters, settings: DeflateSettings, role: Role) {
    const isServer = role === 'server'
    const { serverMaxWindowBits, clientMaxWindowBits, serverNoContextTakeover, clientNoContextTakeover } = parameters
    const agreed = isServer ? serverMaxWindowBits : clientMaxWindowBits
    const wanted = (isServer ? settings.serverMaxWindowBits : settings.clientMaxWindowBits) ?? USUAL_WINDOW_BITS
    // 7.2.1: whoever may keep a context need not, so that what the client means to do holds without the server's word.
    const noContext = isServer ? serverNoContextTakeover : clientNoContextTakeover || settings.clientNoContextTakeover
    const peersContext = isServer ? !clientNoContextTakeover : !serverNoContextTakeover
    this.#settings = settings
    this.#windowBits = Math.max(SMALLEST_WINDOW_BITS, Math.min(agreed, wanted))
    this.sharedWindowBits = noContext ? this.#windowBits : 0
    this.#inflateWindowSize = peersContext ? 1 << (isServer ? clientMaxWindowBits : serverMaxWindowBits) : 0
  }

  /** The connection is over: what has not begun in the thread pool is given up. */
  end(): void {
    this.#ended = true
  }

  /** Whether it is too large to be compressed or inflated at once, and takes the thread pool. */
  takesLong(payload: Buffer): boolean {
    return payload.length > AT_ONCE_UP_TO
  }

  /** Whether a message is to be compressed: as `compress` says or, if it says nothing, because it is large enough. */
  wants(payload: string | Buffer, compress: boolean | undefined): boolean {
    if (compress !== undefined) return compress
    const length = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
    return length >= this.#settings.threshold
  }

  /**
   * The compressed payload of a message; `undefined` when that would not be smaller, and the message is better sent as it
   * is. A promise when it `takesLong`; more can be compressed before that has settled. `shared`: others have a use for it,
   * even if this connection ends.
   */
  compress(payload: Buffer, shared = false): Buffer | undefined | Promise<Buffer | undefined> {
    const { level, memLevel } = this.#settings
    const options = { level, memLevel, windowBits: this.#windowBits }
    const window = this.#deflateWindow
    const keepsWindow = this.sharedWindowBits === 0
    if (keepsWindow) this.#deflateWindow = slide(window, payload, 1 << this.#windowBits)
    // What the peer is to refer back to has to go to the peer compressed.
    const trim = (output: Buffer): Buffer | undefined => {
      const length = output.length - TAIL_LENGTH
      return keepsWindow || length < payload.length ? output.subarray(0, length) : undefined
    }
    if (!this.takesLong(payload)) return trim(deflateAtOnce(payload, options, window))
    return deflateInPool(payload, options, window, () => shared || !this.#ended).then(trim)
  }

  /**
   * The payload of a message that came compressed; a promise when it is large, and then the next message has to wait for it.
   *
   * @throws ProtocolError 1007 for what is not DEFLATE, 1009 beyond `maxSize` octets; or rejects with it
   */
  decompress(payload: Buffer, maxSize: number): Buffer | Promise<Buffer> {
    const input = Buffer.concat([payload, TAIL])
    if (this.takesLong(payload)) return this.#decompressInPool(input, maxSize)
    const inflation = new Inflation(input, this.#inflateWindow, Math.min(maxSize, INFLATED_AT_ONCE_UP_TO))
    try {
      while (!inflation.done) inflation.take(inflateAtOnce(inflation.rest, inflation.window, inflation.room))
    } catch (error) {
      if (isTooLarge(error) && maxSize > INFLATED_AT_ONCE_UP_TO) return this.#decompressInPool(input, maxSize)
      throw failure(error, maxSize)
    }
    return this.#inflated(inflation)
  }

  async #decompressInPool(input: Buffer, maxSize: number): Promise<Buffer> {
    const inflation = new Inflation(input, this.#inflateWindow, maxSize)
    const wanted = (): boolean => !this.#ended
    try {
      while (!inflation.done) {
        inflation.take(await inflateInPool(inflation.rest, inflation.window, inflation.room, wanted))
      }
    } catch (error) {
      throw failure(error, maxSize)
    }
    return this.#inflated(inflation)
  }

  #inflated({ output }: Inflation): Buffer {
    if (this.#inflateWindowSize > 0) this.#inflateWindow = slide(this.#inflateWindow, output, this.#inflateWindowSize)
    return output
  }
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

  constructor(input: Buffer, window: Buffer, maxSize: number) {
    this.rest = input
    this.window = window
    this.room = maxSize
  }

  get output(): Buffer {
    return this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces)
  }

  take({ buffer, engine }: Inflated): void {
    this.#pieces.push(buffer)
    this.room -= buffer.length
    if (this.room < 0) throw Object.assign(new RangeError('One octet too many'), { code: TOO_LARGE })
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

function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && 'code' in error && error.code === TOO_LARGE
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

/** permessage-deflate on one connection (RFC 7692 6, 7.2): payloads of messages to compressed ones and back. */
import type { Role } from '../framing/index.ts'
import { Deflater } from './deflater.ts'
import type { Compression } from './deflater.ts'
import { GradualDeflation } from './gradual.ts'
import type { GradualInflation } from './gradual.ts'
import { Inflater } from './inflater.ts'
import { keptWorks } from './kept.ts'
import type { DeflateParameters } from './offer.ts'
import type { DeflateSettings } from './options.ts'
import { AT_ONCE_UP_TO, FLUSHED } from './zlib.ts'

/** Unless told: for messages by themselves, and for those that refer back to each other. */
const BY_ITSELF = { level: 3, memLevel: 8, windowBits: 13 }
/** Here the nearest messages help most, and their memory is kept, so that it is to be little. */
const IN_CONTEXT = { level: 5, memLevel: 6, windowBits: 12 }
/** zlib has no window of 256 octets. In its window of 512 it looks back 250 at most, which is the same to a peer. */
const SMALLEST_WINDOW_BITS = 9

export class PerMessageDeflate {
  /**
   * With this many window bits we compress each message by itself, so that the outcome is the same for all connections
   * that do; 0 when messages refer back to those before them.
   */
  readonly sharedWindowBits: number
  readonly #threshold: number
  readonly #deflater: Deflater
  readonly #inflater: Inflater
  readonly #compression: Compression
  readonly #mayKeep: () => boolean
  /** Messages that are being compressed in parts, or are to be. */
  #gradual = 0

  /** `mayKeep`: whether states of zlib can be kept. */
  constructor(
    parameters: DeflateParameters,
    settings: DeflateSettings,
    role: Role,
    mayKeep: () => boolean = keptWorks,
  ) {
    const isServer = role === 'server'
    const { serverMaxWindowBits, clientMaxWindowBits, serverNoContextTakeover, clientNoContextTakeover } = parameters
    const agreed = isServer ? serverMaxWindowBits : clientMaxWindowBits
    const wanted = isServer ? settings.serverMaxWindowBits : settings.clientMaxWindowBits
    // 7.2.1: whoever may keep a context need not, so that what the client means to do holds without the server's word.
    const noContext = isServer ? serverNoContextTakeover : clientNoContextTakeover || settings.clientNoContextTakeover
    const peersContext = isServer ? !clientNoContextTakeover : !serverNoContextTakeover
    const usual = noContext ? BY_ITSELF : IN_CONTEXT
    const windowBits = Math.max(SMALLEST_WINDOW_BITS, Math.min(agreed, wanted ?? usual.windowBits))
    const { level = usual.level, memLevel = usual.memLevel } = settings
    this.#threshold = settings.threshold
    this.sharedWindowBits = noContext ? windowBits : 0
    this.#compression = { level, memLevel, windowBits }
    this.#mayKeep = mayKeep
    this.#deflater = new Deflater(this.#compression, !noContext, mayKeep)
    this.#inflater = new Inflater(isServer ? clientMaxWindowBits : serverMaxWindowBits, peersContext, mayKeep)
  }

  /** The connection is over: what has not begun in the thread pool is given up, and zlib's memory given back. */
  end(): void {
    this.#deflater.end()
    this.#inflater.end()
  }

  /** Whether it is too large to be compressed or inflated at once, and takes the thread pool. */
  takesLong(payload: Buffer): boolean {
    return payload.length > AT_ONCE_UP_TO
  }

  /**
   * Whether a message is to be compressed: as `compress` says or, if it says nothing, because it is large enough. Not while
   * another one is being compressed in parts, if they refer back to each other: it is sent after all of those.
   */
  wants(payload: string | Buffer, compress: boolean | undefined): boolean {
    if (this.#gradual > 0 && this.sharedWindowBits === 0) return false
    if (compress !== undefined) return compress
    const length = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
    return length >= this.#threshold
  }

  /**
   * The compressed payload of a message; `undefined` when that would not be smaller, and the message is better sent as it
   * is. A promise when it `takesLong`; more can be compressed before that has settled. `shared`: others have a use for it,
   * even if this connection ends.
   */
  compress(payload: Buffer, shared = false): Buffer | undefined | Promise<Buffer | undefined> {
    const compressed = this.#deflater.deflate(payload, shared)
    return compressed instanceof Promise
      ? compressed.then((octets) => this.#trim(octets, payload))
      : this.#trim(compressed, payload)
  }

  /**
   * The payload of a message that came compressed; a promise when it is large, and then the next message has to wait for it.
   *
   * @throws ProtocolError 1007 for what is not DEFLATE, 1009 beyond `maxSize` octets; or rejects with it
   */
  decompress(payload: Buffer, maxSize: number): Buffer | Promise<Buffer> {
    return this.#inflater.inflate(payload, maxSize)
  }

  /** As `decompress`, at once; `undefined` for what is large, or becomes so. */
  decompressSmall(payload: Buffer, maxSize: number): Buffer | undefined {
    return this.#inflater.inflateSmall(payload, maxSize)
  }

  /** The next message that comes, as it comes. */
  decompressGradually(maxSize: number): GradualInflation {
    return this.#inflater.inflateGradually(maxSize)
  }

  /** A message that leaves as it is made. It has to be ended, whatever becomes of it. */
  compressGradually(): GradualDeflation {
    this.#gradual++
    // Its parts may refer back to each other even where messages may not.
    const own = this.sharedWindowBits === 0 ? undefined : new Deflater(this.#compression, true, this.#mayKeep)
    return new GradualDeflation(own ?? this.#deflater, () => {
      this.#gradual--
      own?.end()
    })
  }

  #trim(compressed: Buffer, payload: Buffer): Buffer | undefined {
    // 7.2.1: what a sync flush ends with is not sent.
    const length = compressed.length - FLUSHED.length
    // What the peer is to refer back to has to go to the peer compressed.
    return this.sharedWindowBits === 0 || length < payload.length ? compressed.subarray(0, length) : undefined
  }
}

/** What one side compresses (RFC 7692 7.2.1): by itself, or with the messages before it as context. */
import { constants } from 'node:zlib'
import { History } from './history.ts'
import { Kept } from './kept.ts'
import { AT_ONCE_UP_TO, deflateAtOnce, deflateInPool } from './zlib.ts'

export interface Compression {
  readonly level: number
  readonly memLevel: number
  readonly windowBits: number
}

/** 7.2.3.6: what says nothing, with the end that is not sent. */
const EMPTY_BLOCK = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff])

/** For messages that stand by themselves, by what `Compression` says; they have no use for states of their own. */
const shared = new Map<number, Kept>()

export class Deflater {
  readonly #compression: Compression
  readonly #keepsContext: boolean
  readonly #mayKeep: () => boolean
  /** All that the context is. The state of zlib that has it too can be dropped, and made again. */
  readonly #history: History
  #kept: Kept | undefined = undefined
  #ended = false

  /** `mayKeep`: whether states of zlib can be kept. */
  constructor(compression: Compression, keepsContext: boolean, mayKeep: () => boolean) {
    this.#compression = compression
    this.#keepsContext = keepsContext
    this.#mayKeep = mayKeep
    this.#history = new History(keepsContext ? 1 << compression.windowBits : 0)
  }

  /**
   * The message, compressed, with the sync flush at its end; a promise when it is large, and more can be compressed before
   * that has settled. It rejects when it is not `wanted` any more once this has ended, and it had not begun.
   */
  deflate(payload: Buffer, wanted: boolean): Buffer | Promise<Buffer> {
    // Whose state is kept writes nothing for nothing.
    if (payload.length === 0) return EMPTY_BLOCK
    const isLarge = payload.length > AT_ONCE_UP_TO
    const kept = isLarge ? undefined : this.#state()
    if (kept !== undefined) {
      this.#history.push(payload)
      return kept.write(payload, constants.Z_SYNC_FLUSH, Infinity)
    }
    this.#drop()
    const dictionary = this.#history.contents()
    this.#history.push(payload)
    if (!isLarge) return deflateAtOnce(payload, this.#compression, dictionary)
    return deflateInPool(payload, this.#compression, dictionary, () => wanted || !this.#ended)
  }

  end(): void {
    this.#ended = true
    this.#drop()
    this.#history.clear()
  }

  #state(): Kept | undefined {
    if (this.#ended || !this.#mayKeep()) return undefined
    if (!this.#keepsContext) return sharedState(this.#compression)
    this.#kept ??= new Kept('deflate', { ...this.#compression, dictionary: this.#history.contents() })
    return this.#kept
  }

  #drop(): void {
    this.#kept?.close()
    this.#kept = undefined
  }
}

function sharedState(compression: Compression): Kept {
  const { level, memLevel, windowBits } = compression
  const key = (level * 10 + memLevel) * 16 + windowBits
  const known = shared.get(key)
  known?.reset()
  if (known !== undefined) return known
  const made = new Kept('deflate', compression)
  shared.set(key, made)
  return made
}

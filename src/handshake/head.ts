/**
 * Reads the head of one HTTP/1.1 message, start line and header fields, from bytes as they arrive (RFC 9112 2 to 5).
 *
 * Each byte is looked at once, whether the head comes whole or in single bytes; all limits are enforced at the byte that
 * exceeds them, before anything else is kept. A head that lies whole in the first chunk is not copied; otherwise its bytes
 * gather in one growing buffer, never larger than the limit. The text is decoded once, as Latin-1, when the head is
 * complete; nothing that is handed out holds on to a chunk. How strict the reading is, `machine.ts` shows.
 */

import { HandshakeError, invalidType, invalidValue } from '../errors.ts'
import type { Heads } from './decode.ts'
import { decoders, malformed, MAX_FIELDS, START_LINE_MARKS, TOO_MANY_FIELDS, tooLarge } from './decode.ts'
import { CLASS_OF } from './grammar.ts'
import { LAST_RUN, NEXT, State } from './machine.ts'

/** What a head may measure at most. */
export interface HeadLimits {
  /** Bytes of the whole head, every line end included: 431 beyond (RFC 6585 5). */
  readonly maxHeadSize: number
  /** Bytes of the start line without its CRLF: 414 beyond. RFC 9112 3 recommends 8,000 or more. */
  readonly maxStartLineSize: number
  /** Bytes of one field line without its CRLF: 431 beyond. */
  readonly maxFieldLineSize: number
  /** Field lines: 431 beyond. */
  readonly maxFields: number
}

/** The limits where nothing else is said. */
export const HEAD_LIMITS: HeadLimits = {
  maxHeadSize: 16_384,
  maxStartLineSize: 8_192,
  maxFieldLineSize: 8_192,
  maxFields: MAX_FIELDS,
}

const CRLF_SIZE = 2
const SMALLEST_BUFFER = 512
const EMPTY = Buffer.alloc(0)

/** As constants of this module these are compiled into the loops; a binding that is imported is read again for each byte. */
const next = NEXT
const classes = CLASS_OF
const { Start, ResponseVersion, MethodStart, FieldStart, Name, Done, Refused } = State

/** Reads one head; a new one is needed for every message. */
export class HeadReader<Kind extends keyof Heads> {
  readonly #kind: Kind
  readonly #limits: HeadLimits
  #state: number
  #head: Heads[Kind] | undefined
  #error: HandshakeError | undefined

  /** The text of the complete head. */
  #text = ''
  /** Bytes gathered from chunks that did not complete the head: the first `#size` of `#bytes`. */
  #bytes: Buffer = EMPTY
  #size = 0
  #taken = 0

  /** Where in the head the line being read must have ended, CRLF included. */
  #lineLimit: number
  #isStartLine = true
  /** Where the parts end: three for the start line, then colon and line end of each field. */
  readonly #marks: number[] = []

  /** @throws RangeError `ERR_WS_INVALID_LIMIT` if a limit is no positive integer */
  constructor(kind: Kind, limits?: Partial<HeadLimits>) {
    this.#kind = kind
    this.#limits = limits === undefined ? HEAD_LIMITS : completeLimits(limits)
    this.#state = kind === 'request' ? Start : ResponseVersion
    this.#lineLimit = this.#limits.maxStartLineSize + CRLF_SIZE
  }

  /**
   * Takes bytes of the head.
   *
   * @returns -1 if all of `chunk` was taken and the head goes on, else the offset in `chunk` just behind the head. Once the
   * head is complete nothing is taken any more: 0.
   * @throws HandshakeError if the head is malformed or too large, with the `status` to answer a request with; the same one
   * again if asked to go on
   */
  read(chunk: Buffer): number {
    if (this.#error !== undefined) throw this.#error
    if (this.#state === Done) return 0
    const base = this.#size
    let state = this.#state
    let stop = this.#stop(chunk, base)
    let index = 0
    while (index < stop) {
      const to = next[state + classes[chunk[index]]]
      if (to !== state) {
        if (to === Refused) {
          this.#gather(chunk, index)
          throw this.#fail(malformed(this.#kind, state))
        }
        if (state <= LAST_RUN) this.#marks.push(base + index)
        if (to === FieldStart) {
          this.#isStartLine = false
          this.#lineLimit = base + index + 1 + this.#limits.maxFieldLineSize + CRLF_SIZE
          stop = this.#stop(chunk, base)
        } else if (to === MethodStart) {
          this.#lineLimit += CRLF_SIZE
          stop = this.#stop(chunk, base)
        } else if (to === Name && this.#fieldCount === this.#limits.maxFields) {
          this.#gather(chunk, index)
          throw this.#fail(tooLarge(this.#kind, 431, TOO_MANY_FIELDS))
        } else if (to === Done) {
          return this.#complete(chunk, index + 1)
        }
        state = to
      }
      index++
    }
    this.#gather(chunk, index)
    if (index < chunk.length) throw this.#exceeded()
    this.#state = state
    return -1
  }

  /**
   * The head, once `read` has returned something other than -1.
   *
   * @throws TypeError `ERR_WS_HEAD_INCOMPLETE` before that
   */
  get head(): Heads[Kind] {
    if (this.#head === undefined) {
      throw invalidType('ERR_WS_HEAD_INCOMPLETE', 'The head is not complete: read on first.')
    }
    return this.#head
  }

  /**
   * The bytes taken so far, exactly as they came, so that they can be handed to another HTTP server: all of the head when
   * it is complete, what came before the byte that was refused when it was refused. A copy.
   */
  get received(): Buffer {
    return this.#text === '' ? Buffer.from(this.#bytes.subarray(0, this.#size)) : Buffer.from(this.#text, 'latin1')
  }

  /** How many bytes of the last chunk are part of `received`; those behind them are still the caller's. */
  get taken(): number {
    return this.#taken
  }

  get #fieldCount(): number {
    return (this.#marks.length - START_LINE_MARKS) / 2
  }

  /** Up to where in `chunk` no limit is exceeded. */
  #stop(chunk: Buffer, base: number): number {
    return Math.min(chunk.length, Math.min(this.#lineLimit, this.#limits.maxHeadSize) - base)
  }

  /** Keeps the first `length` bytes of `chunk`. */
  #gather(chunk: Buffer, length: number): void {
    const size = this.#size + length
    if (size > this.#bytes.length) {
      const larger = Math.max(size, 2 * this.#bytes.length, SMALLEST_BUFFER)
      const bytes = Buffer.alloc(Math.min(larger, this.#limits.maxHeadSize))
      this.#bytes.copy(bytes, 0, 0, this.#size)
      this.#bytes = bytes
    }
    chunk.copy(this.#bytes, this.#size, 0, length)
    this.#size = size
    this.#taken = length
  }

  #complete(chunk: Buffer, end: number): number {
    if (this.#size === 0) {
      this.#text = chunk.toString('latin1', 0, end)
      this.#taken = end
    } else {
      this.#gather(chunk, end)
      this.#text = this.#bytes.toString('latin1', 0, this.#size)
      this.#bytes = EMPTY
    }
    const head = decoders[this.#kind](this.#text, this.#marks)
    if (head instanceof HandshakeError) throw this.#fail(head)
    this.#head = head
    this.#state = Done
    return end
  }

  /** The head reached `maxHeadSize` or its line the limit of lines, whichever is lower. */
  #exceeded(): HandshakeError {
    if (this.#lineLimit > this.#limits.maxHeadSize) {
      return this.#fail(tooLarge(this.#kind, 431, 'The head is too large.'))
    }
    return this.#isStartLine
      ? this.#fail(tooLarge(this.#kind, 414, 'The start line is too long.'))
      : this.#fail(tooLarge(this.#kind, 431, 'A field line is too long.'))
  }

  #fail(error: HandshakeError): HandshakeError {
    this.#error = error
    return error
  }
}

function completeLimits(partial: Partial<HeadLimits>): HeadLimits {
  const limits = { ...HEAD_LIMITS, ...partial }
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw invalidValue('ERR_WS_INVALID_LIMIT', `${name} must be a positive integer.`)
    }
  }
  return limits
}

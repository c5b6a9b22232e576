/**
 * The content of a response that did not open a connection, as far as it is worth keeping (RFC 9112 6.3, 7.1): by
 * Content-Length, in chunks, or up to the end of the connection. Whatever is not as it should be ends the body there;
 * it is only told to people.
 */
import type { ResponseHead } from './decode.ts'
import { includesIgnoringCase, parseTokens } from './grammar.ts'

const CR = 0x0d
const LF = 0x0a
/** Hex digits of the size of a chunk: enough for 256 MiB, more than anybody keeps. */
const MAX_SIZE_DIGITS = 7
const DIGITS = 16

/** Reads the body of an answer that is no 101, up to a limit. */
export class BodyReader {
  readonly #limit: number
  readonly #chunked: boolean
  readonly #parts: Buffer[] = []
  #size = 0
  /** Octets still to come: of the body, or of the chunk. */
  #remaining: number
  /** Digits of a chunk's size seen so far; -1 behind them, where extensions may stand. */
  #digits = 0
  #chunkSize = 0

  /** Keeps at most `limit` octets. */
  constructor(head: ResponseHead, limit: number) {
    const length = lengthOf(head)
    this.#limit = limit
    this.#chunked = length === 'chunked'
    this.#remaining = length === 'chunked' ? 0 : length
  }

  /** What was kept of it so far. */
  get body(): Buffer {
    return Buffer.concat(this.#parts)
  }

  /** Takes what came; answers whether the body is complete, or as much of it as is kept. */
  take(bytes: Buffer): boolean {
    let at = 0
    while (at < bytes.length && !this.#complete) {
      if (this.#remaining === 0) {
        this.#readSize(bytes[at++])
        continue
      }
      const part = bytes.subarray(at, at + Math.min(this.#remaining, this.#limit - this.#size))
      this.#parts.push(Buffer.from(part))
      this.#size += part.length
      this.#remaining -= part.length
      at += part.length
    }
    return this.#complete
  }

  get #complete(): boolean {
    return this.#size >= this.#limit || (this.#remaining === 0 && !this.#chunked) || this.#remaining < 0
  }

  /** An octet between chunks: the line end of the one before, the size of the next, an extension, a line end. */
  #readSize(octet: number): void {
    const digit = DIGITS_OF.get(octet)
    if (octet === LF && this.#digits !== 0) {
      // The last chunk has no octets; trailers behind it are of no interest.
      this.#remaining = this.#chunkSize === 0 ? -1 : this.#chunkSize
      this.#digits = 0
      this.#chunkSize = 0
    } else if (digit !== undefined && this.#digits >= 0) {
      this.#chunkSize = this.#chunkSize * DIGITS + digit
      this.#remaining = ++this.#digits > MAX_SIZE_DIGITS ? -1 : 0
    } else if (this.#digits > 0) {
      this.#digits = -1
    } else if (this.#digits === 0 && octet !== CR && octet !== LF) {
      this.#remaining = -1
    }
  }
}

const DIGITS_OF: ReadonlyMap<number, number> = new Map(
  Array.from('0123456789abcdefABCDEF', (digit) => [
    digit.charCodeAt(0),
    '0123456789abcdef'.indexOf(digit.toLowerCase()),
  ]),
)

/** How many octets there are (RFC 9112 6.3); Infinity where the end of the connection is the end. */
function lengthOf({ status, fields }: ResponseHead): number | 'chunked' {
  if (status === 204 || status === 304) return 0
  const codings = fields.get('transfer-encoding')
  // Transfer-Encoding overrides Content-Length.
  if (codings === undefined) return contentLength(fields.get('content-length'))
  return includesIgnoringCase(parseTokens(codings)?.slice(-1), 'chunked') ? 'chunked' : Infinity
}

/** Octets of a Content-Length; Infinity when there is none, or none that can be understood. */
function contentLength(value: string | undefined): number {
  if (value === undefined || value === '') return Infinity
  let length = 0
  for (let index = 0; index < value.length; index++) {
    const digit = value.charCodeAt(index) - 0x30
    if (digit < 0 || digit > 9) return Infinity
    length = length * 10 + digit
  }
  return length
}

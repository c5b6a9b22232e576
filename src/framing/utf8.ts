/**
 * UTF-8 (RFC 6455 8.1, RFC 3629), as it streams in and failing fast: at the first octet that cannot be part of valid
 * text, wherever a frame or a read was cut.
 *
 *     code points        1st     2nd     3rd     4th        A second octet is narrower than 80-BF in four places:
 *     U+0000-007F        00-7F                              after E0 and F0 it would be an overlong form,
 *     U+0080-07FF        C2-DF   80-BF                      after ED a surrogate, after F4 beyond U+10FFFF.
 *     U+0800-FFFF        E0-EF   80-BF   80-BF
 *     U+10000-10FFFF     F0-F4   80-BF   80-BF   80-BF
 *
 * Whole sequences go through Node's `isUtf8`; only a sequence cut by the end of a piece is followed octet by octet.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { simd } from './simd.ts'

/**
 * What `toString` and `write` of a Buffer call in the end, and what they add to it costs more than a short text itself.
 * They are as old as Buffer is, in every runtime that has one, and only the types do not know them.
 */
interface FastText {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  utf8Write(text: string, offset: number, length: number): number
}

/** Whether all of `bytes` is valid UTF-8. */
export function isValidUtf8(bytes: Uint8Array): boolean {
  return isUtf8(bytes)
}

/** The text in `bytes[start, end)`; `undefined` when it is not valid UTF-8. */
export function readUtf8(bytes: Buffer, start: number, end: number): string | undefined {
  // ASCII, the common case, is a plain copy to a string. Where it can be told without a call into C++, that is cheaper.
  const fast = bytes as Buffer & FastText
  if (simd !== undefined && bytes === simd.lent) {
    if (simd.isAscii(start, end) !== 0) return fast.latin1Slice(start, end)
  } else if (isAscii(bytes.subarray(start, end))) {
    return fast.latin1Slice(start, end)
  }
  return isUtf8(bytes.subarray(start, end)) ? fast.utf8Slice(start, end) : undefined
}

/** Writes `text`, which takes at most `length` octets, at `offset`; answers how many it took. */
export function writeUtf8(bytes: Buffer, text: string, offset: number, length: number): number {
  return (bytes as Buffer & FastText).utf8Write(text, offset, length)
}

/** Checks text that comes in pieces, and fails at the first octet that cannot be part of it (8.1). */
export class Utf8Validator {
  /** Octets that the sequence begun last still lacks. */
  #missing = 0
  /** What the next of them may be. */
  #lowest = 0x80
  #highest = 0xbf

  /** Whether all text seen so far ends with a whole character. */
  get complete(): boolean {
    return this.#missing === 0
  }

  /** Takes `bytes[start, end)`; false when the text cannot become valid any more. */
  push(bytes: Buffer, start: number, end: number): boolean {
    let at = start
    while (this.#missing > 0 && at < end) {
      if (!this.#continue(bytes[at++])) return false
    }
    const whole = endOfWholeSequences(bytes, at, end)
    if (whole > at && !isUtf8(bytes.subarray(at, whole))) return false
    if (whole < end && !this.#begin(bytes[whole])) return false
    for (at = whole + 1; at < end; at++) {
      if (!this.#continue(bytes[at])) return false
    }
    return true
  }

  #begin(octet: number): boolean {
    this.#missing = sequenceLength(octet) - 1
    this.#lowest = octet === 0xe0 ? 0xa0 : octet === 0xf0 ? 0x90 : 0x80
    this.#highest = octet === 0xed ? 0x9f : octet === 0xf4 ? 0x8f : 0xbf
    return octet >= 0xc2 && octet <= 0xf4
  }

  #continue(octet: number): boolean {
    if (octet < this.#lowest || octet > this.#highest) return false
    this.#lowest = 0x80
    this.#highest = 0xbf
    this.#missing--
    return true
  }
}

/** Of a sequence of more than one octet, by its first, which is 0xc0 or more. */
function sequenceLength(firstOctet: number): number {
  return firstOctet < 0xe0 ? 2 : firstOctet < 0xf0 ? 3 : 4
}

/** Where a sequence begins that `end` cuts; `end` when none is cut. A cut one began at most three octets before. */
function endOfWholeSequences(bytes: Buffer, start: number, end: number): number {
  for (let at = end - 1; at >= start && at >= end - 3; at--) {
    const octet = bytes[at]
    if (octet >= 0xc0) return at + sequenceLength(octet) > end ? at : end
    if (octet < 0x80) return end
  }
  return end
}

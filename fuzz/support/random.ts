/**
 * Numbers that look random and follow from a seed: the same seed gives the same run, on every machine and in every version
 * of Node. The generator is sfc32 (Chris Doty-Humphrey's "small fast counting"): three words of state and a counter, a few
 * additions and shifts a number, and it passes the usual batteries of tests. It guards no secret.
 */

/** Words thrown away after seeding, so that seeds which lie side by side give streams that have nothing in common. */
const WARM_UP = 12
const TWO_TO_32 = 0x1_0000_0000

export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `seed`: a safe integer, of which all 53 bits count. */
  constructor(seed: number) {
    this.#a = 0
    this.#b = seed | 0
    this.#c = Math.floor(seed / TWO_TO_32) | 0
    for (let i = 0; i < WARM_UP; i++) this.word()
  }

  /** 32 bits, as a signed integer. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum
  }

  /** From 0 up to `below`, which is at most 2^32 and not reached. */
  int(below: number): number {
    return Math.floor((this.word() >>> 0) * (below / TWO_TO_32))
  }

  /** From `least` to `most`, both of them included. */
  between(least: number, most: number): number {
    return least + this.int(most - least + 1)
  }

  /** Small numbers mostly: from 0 up to `below`, each octave as likely as the others. */
  small(below: number): number {
    return this.int(this.int(below) + 1) >> this.int(8)
  }

  /** True in `probability` of all cases. */
  chance(probability: number): boolean {
    return this.word() >>> 0 < probability * TWO_TO_32
  }

  /** One of `list`, which is not empty. */
  pick<T>(list: ArrayLike<T>): T {
    return list[this.int(list.length)]
  }

  /** `length` octets. */
  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let at = 0; at < length; at++) bytes[at] = this.word() >>> 24
    return bytes
  }

  /** A seed for another generator, which goes its own way from here on. */
  seed(): number {
    return (this.word() >>> 0) + (this.word() & 0x1f_ffff) * TWO_TO_32
  }
}

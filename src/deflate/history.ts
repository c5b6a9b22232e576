/**
 * The last octets that went by, as many as the next message may refer back to: a ring, so that what it costs to go on
 * does not depend on how far back that is.
 */
const EMPTY = Buffer.alloc(0)

export class History {
  readonly #size: number
  #ring = EMPTY
  /** Where the next octet goes. */
  #next = 0
  #isFull = false

  /** 0 for none. */
  constructor(size: number) {
    this.#size = size
  }

  push(data: Buffer): void {
    if (this.#size === 0 || data.length === 0) return
    // Memory of its own, as it is kept for long.
    if (this.#ring.length === 0) this.#ring = Buffer.allocUnsafeSlow(this.#size)
    const from = Math.max(0, data.length - this.#size)
    const end = this.#next + data.length - from
    const before = data.copy(this.#ring, this.#next, from)
    data.copy(this.#ring, 0, from + before)
    this.#isFull ||= end >= this.#size
    this.#next = end % this.#size
  }

  /** A copy, the oldest octet first. */
  contents(): Buffer {
    const newest = this.#ring.subarray(0, this.#next)
    return Buffer.concat(this.#isFull ? [this.#ring.subarray(this.#next), newest] : [newest])
  }

  clear(): void {
    this.#ring = EMPTY
    this.#next = 0
    this.#isFull = false
  }
}

/** A script of operations, as octets: each operation takes as many as it needs, and finds zeros behind the end. */
export class Script {
  readonly #octets: Buffer
  #at = 0

  constructor(octets: Buffer) {
    this.#octets = octets
  }

  get ended(): boolean {
    return this.#at >= this.#octets.length
  }

  /** One octet. */
  octet(): number {
    return this.#at < this.#octets.length ? this.#octets[this.#at++] : 0
  }

  /** Two octets. */
  word(): number {
    return this.octet() * 256 + this.octet()
  }

  pick<T>(list: readonly T[]): T {
    return list[this.octet() % list.length]
  }
}

/** How many may be in at once: in all, and from one address. */
import type { Peer } from './peer.ts'

export class Gate {
  /** Nobody else comes in: the service is ending. */
  closed = false
  #inside = 0
  readonly #byAddress = new Map<string, number>()
  readonly #most: number
  readonly #mostPerAddress: number

  constructor(most: number, mostPerAddress: number) {
    this.#most = most
    this.#mostPerAddress = mostPerAddress
  }

  /** The address to enter and leave with: none where it does not matter, so that nobody has to find it out. */
  nameOf(peer: Peer): string {
    return this.#mostPerAddress === Infinity ? '' : peer.address
  }

  /**
   * Lets one in, unless it is full; each that was let in has to `leave` once. Who comes through a Unix socket has no
   * address, and nothing in common with others who have none.
   */
  enter(address: string): boolean {
    const fromThere = this.#from(address)
    const fullForThere = address !== '' && fromThere >= this.#mostPerAddress
    if (this.closed || this.#inside >= this.#most || fullForThere) return false
    this.#inside++
    this.#byAddress.set(address, fromThere + 1)
    return true
  }

  leave(address: string): void {
    const fromThere = this.#from(address)
    this.#inside--
    if (fromThere > 1) this.#byAddress.set(address, fromThere - 1)
    else this.#byAddress.delete(address)
  }

  #from(address: string): number {
    return this.#byAddress.get(address) ?? 0
  }
}

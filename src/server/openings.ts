/**
 * The openings of a server, or of a handler, that are under way: how many there may be, and when each has taken too long.
 *
 * One comes and goes with every connection. So they stand in an array, in which each knows its place, and not in a `Set`:
 * a `Set` of V8 leaves a table behind each time it grows or shrinks, which holds all that was in the set then, and the
 * table that follows. Once such a table is old, all that has come and gone since stays until the next full collection.
 */
import type { Clock, Timed } from '../connection/index.ts'
import type { Opening } from './opening.ts'

export class Openings implements Timed {
  readonly #clock: Clock
  readonly #most: number
  readonly #list: Opening[] = []
  #onClock = false

  constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
  }

  /** How many have no answer yet. */
  get pending(): number {
    return this.#list.filter((opening) => opening.pending).length
  }

  /** As they are now. */
  get all(): readonly Opening[] {
    return [...this.#list]
  }

  /** Answers whether there was room for it; it is among them in any case, until it has come to its end. */
  add(opening: Opening): boolean {
    const hasRoom = this.#list.length < this.#most
    opening.place = this.#list.push(opening) - 1
    if (!this.#onClock) this.#clock.add(this)
    this.#onClock = true
    return hasRoom
  }

  /** The last one takes its place. */
  delete(opening: Opening): void {
    const last = this.#list[this.#list.length - 1]
    this.#list[opening.place] = last
    last.place = opening.place
    this.#list.pop()
  }

  tick(now: number): void {
    for (const opening of this.all) opening.tick(now)
    // Not before: on a server that is busy there is soon another one.
    if (this.#list.length === 0) this.stop()
  }

  /** No longer looks at the time, until there is another one. */
  stop(): void {
    this.#clock.delete(this)
    this.#onClock = false
  }
}

/** The clock of a connection, with its time in our hands. */
import type { Clock } from '../../src/connection/clock.ts'

interface Timed {
  tick(now: number): void
}

/** As coarse as that of a connection with the usual timeouts. */
const PERIOD = 500

export class FakeClock {
  now = 0
  readonly #members = new Set<Timed>()

  /** The same, as settings want it: a class with private fields is like no other. */
  get asClock(): Clock {
    return this as unknown as Clock
  }

  /** How many connections are not over. */
  get size(): number {
    return this.#members.size
  }

  after(milliseconds: number): number {
    return this.now + milliseconds + PERIOD
  }

  add(member: Timed): void {
    this.#members.add(member)
  }

  delete(member: Timed): void {
    this.#members.delete(member)
  }

  /** One period. */
  tick(): void {
    this.now += PERIOD
    for (const member of this.#members) member.tick(this.now)
  }
}

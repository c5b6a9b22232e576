/**
 * One timer for many connections.
 *
 * A clock counts its own ticks instead of reading the time of day: while the process itself was stopped, or its event
 * loop was busy, no time passes for it, so a laptop that wakes up does not declare all its peers dead before it has read
 * what they sent. A deadline is therefore kept to within a tick, late rather than early.
 *
 * The timer runs only while something is on the clock, and never keeps the process alive.
 */

/** Something that looks at the time now and then. */
export interface Timed {
  tick(now: number): void
}

const SHORTEST_TICK = 5
const LONGEST_TICK = 500
/** Ticks in the shortest timeout that a clock serves. */
const TICKS_PER_TIMEOUT = 20

const clocks = new Map<number, Clock>()

export class Clock {
  /** Milliseconds of running time. */
  now = 0
  readonly #period: number
  readonly #members = new Set<Timed>()
  #timer: NodeJS.Timeout | undefined = undefined

  /** The clock for timeouts of which the shortest has `shortest` milliseconds; equal needs share one. */
  static for(shortest: number): Clock {
    const period = Math.min(LONGEST_TICK, Math.max(SHORTEST_TICK, Math.floor(shortest / TICKS_PER_TIMEOUT)))
    let clock = clocks.get(period)
    if (clock === undefined) {
      clock = new Clock(period)
      clocks.set(period, clock)
    }
    return clock
  }

  private constructor(period: number) {
    this.#period = period
  }

  /** What `now` will be when `milliseconds` have passed for certain. */
  after(milliseconds: number): number {
    return this.now + milliseconds + this.#period
  }

  add(member: Timed): void {
    this.#members.add(member)
    this.#timer ??= setInterval(() => this.#tick(), this.#period).unref()
  }

  delete(member: Timed): void {
    this.#members.delete(member)
    if (this.#members.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  #tick(): void {
    this.now += this.#period
    for (const member of this.#members) member.tick(this.now)
  }
}

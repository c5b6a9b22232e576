/**
 * How far a run is, on standard error: one line that is redrawn on a terminal; elsewhere a line now and then, so that a log
 * of a build stays short.
 */
import type { CaseResult } from '../conformance/index.ts'
import { isWatched } from './io.ts'
import type { Io, Output } from './io.ts'

const BAR = 20
/** Milliseconds between two drawings: more often nobody can read. */
const REDRAW = 50
/** Where nobody watches, a line each time that another tenth is done. */
const STEPS = 10

type Verdict = CaseResult['verdict']
const ORDER: readonly Verdict[] = ['OK', 'INFORMATIONAL', 'UNIMPLEMENTED', 'NON-STRICT', 'FAILED']

export class Progress {
  readonly #output: Output
  readonly #live: boolean
  readonly #now: () => number
  readonly #began: number
  readonly #counts = new Map<Verdict, number>()
  #drawn = Number.NEGATIVE_INFINITY
  #step = 0

  constructor({ stderr, env }: Io, now: () => number = () => performance.now()) {
    this.#output = stderr
    this.#live = isWatched(stderr, env)
    this.#now = now
    this.#began = now()
  }

  /** Another case is done, `done` of `total` by now. */
  update(result: CaseResult, done: number, total: number): void {
    this.#counts.set(result.verdict, (this.#counts.get(result.verdict) ?? 0) + 1)
    if (this.#live) this.#draw(result.id, done, total)
    else this.#log(done, total)
  }

  /** Takes the line away. */
  end(): void {
    if (this.#live) this.#output.write('\r\u{1b}[K')
  }

  #draw(id: string, done: number, total: number): void {
    const now = this.#now()
    if (now - this.#drawn < REDRAW && done < total) return
    this.#drawn = now
    const filled = Math.floor((done / total) * BAR)
    const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled)
    const line = `${bar} ${done}/${total}  ${id.padEnd(7)} ${this.#verdicts()}  ${this.#elapsed()}`
    // A line as wide as the terminal would break it.
    this.#output.write(`\r\u{1b}[K${line.slice(0, (this.#output.columns ?? 80) - 1)}`)
  }

  #log(done: number, total: number): void {
    const step = Math.floor((done / total) * STEPS)
    if (step === this.#step || done === total) return
    this.#step = step
    this.#output.write(`${done} of ${total} cases: ${this.#verdicts()}, ${this.#elapsed()}\n`)
  }

  #verdicts(): string {
    return ORDER.filter((verdict) => this.#counts.has(verdict))
      .map((verdict) => `${this.#counts.get(verdict)} ${verdict}`)
      .join(', ')
  }

  #elapsed(): string {
    const seconds = Math.floor((this.#now() - this.#began) / 1000)
    return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  }
}

/** What both directions of a run have in common: its options, its case list, and its report. */
import { invalidValue } from '../errors.ts'
import type { Case, Role } from './case.ts'
import { cases } from './cases/index.ts'
import { merge } from './play.ts'
import type { CaseResult, Report } from './result.ts'
import { selectCases } from './select.ts'

/** What runs, and how. */
export interface RunOptions {
  /** Prefixes of case numbers: `6.4` means 6.4.1 and all of its kind, `1` means section 1 but not 10. Default: all cases. */
  readonly only?: readonly string[]
  readonly exclude?: readonly string[]
  /** Cases at once, 1 to 64; of those that keep a machine busy two at most. Default: 4. */
  readonly concurrency?: number
  /** Multiplies every time limit, for slow peers and slow machines. Default: 1. */
  readonly timeoutFactor?: number
  /** Each case as it is through, in the order in which they end. */
  readonly onResult?: (result: CaseResult, done: number, total: number) => void
  /** Ends the run, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const MAX_CONCURRENCY = 64

/** One connection of a case. */
export interface Job {
  readonly testCase: Case
  readonly turn: number
}

export class Run {
  readonly concurrency: number
  readonly timeoutFactor: number
  readonly selected: readonly Case[]
  /** Every connection of every case, in the order of the case numbers. */
  readonly jobs: readonly Job[]
  readonly #peer: Role
  readonly #onResult: NonNullable<RunOptions['onResult']>
  readonly #startedAt = new Date()
  readonly #results = new Map<string, CaseResult>()
  /** Connections of each case that are through. */
  readonly #through = new Map<string, number>()
  #done = 0

  constructor(peer: Role, options: RunOptions) {
    const { concurrency = 4, timeoutFactor = 1, onResult = () => {} } = options
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > MAX_CONCURRENCY) {
      throw invalidValue('ERR_WS_INVALID_OPTION', `concurrency is a whole number from 1 to ${MAX_CONCURRENCY}`)
    }
    if (!(timeoutFactor > 0 && timeoutFactor <= 1000)) {
      throw invalidValue('ERR_WS_INVALID_OPTION', 'timeoutFactor is a number above 0, and 1000 at most')
    }
    this.concurrency = concurrency
    this.timeoutFactor = timeoutFactor
    this.selected = selectCases(cases, { ...options, peer })
    if (this.selected.length === 0) {
      throw invalidValue('ERR_WS_INVALID_OPTION', `only and exclude leave no case for a ${peer}`)
    }
    this.jobs = this.selected.flatMap((testCase) =>
      Array.from({ length: testCase.connections ?? 1 }, (_, turn) => ({ testCase, turn })),
    )
    this.#peer = peer
    this.#onResult = onResult
  }

  /** Takes the result of one connection. */
  take({ testCase: { id, connections = 1 } }: Job, result: CaseResult): void {
    const merged = merge(this.#results.get(id), result)
    const through = (this.#through.get(id) ?? 0) + 1
    this.#results.set(id, merged)
    this.#through.set(id, through)
    if (through === connections) this.#onResult(merged, ++this.#done, this.selected.length)
  }

  /** What there is so far. */
  report(name: string): Report {
    const results = this.selected.flatMap(({ id }) => this.#results.get(id) ?? [])
    const duration = Date.now() - this.#startedAt.getTime()
    return { peer: { role: this.#peer, name }, startedAt: this.#startedAt.toISOString(), duration, results }
  }
}

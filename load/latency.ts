/** How long something took, many times: counted in a histogram of fixed size, whatever there is to count. */
import { createHistogram } from 'node:perf_hooks'

/** Milliseconds; zeros when nothing was counted. */
export interface Latency {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const MICROSECONDS = 1000

export class Latencies {
  readonly #histogram = createHistogram()

  add(milliseconds: number): void {
    this.#histogram.record(Math.max(1, Math.round(milliseconds * MICROSECONDS)))
  }

  /** All since the last time. */
  take(): Latency {
    const histogram = this.#histogram
    const { count } = histogram
    const at = (microseconds: number): number => (count === 0 ? 0 : microseconds / MICROSECONDS)
    const taken = {
      count,
      p50: at(histogram.percentile(50)),
      p99: at(histogram.percentile(99)),
      max: at(histogram.max),
    }
    histogram.reset()
    return taken
  }
}

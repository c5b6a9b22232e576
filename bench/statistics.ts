/** What is made of many figures: their middle and ends, and the few that say how long most had to wait. */
import type { Spread } from './results.ts'

/** Of at least one value. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, min: sorted[0], max: sorted[sorted.length - 1], rounds: sorted.length }
}

/** The value that a share of `sorted`, 0 to 1, does not exceed: a measured one, never one between two. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

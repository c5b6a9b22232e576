/**
 * How far ahead of `ws` we are, beside how far we were when that was last written down. Absolute costs say nothing about another
 * machine or another day; the ratio to a program measured in the same minute does.
 */
import type { Measurement } from './results.ts'

const OURS = 'fullduplex'
const THEIRS = 'ws'
/** The share of the recorded ratio that has to be left. */
const ENOUGH = 0.75

export interface Comparison {
  readonly scenario: string
  /** How many times as much `ws` needs. */
  readonly now: number
  /** The same, as recorded. */
  readonly before: number | undefined
  /** Whether it has become worse by more than a quarter. */
  readonly worse: boolean
}

/** The scenarios in which both were measured and can be compared. */
export function compare(measured: readonly Measurement[], recorded: readonly Measurement[]): Comparison[] {
  const scenarios = [...new Set(measured.map(({ scenario }) => scenario))]
  return scenarios.flatMap((scenario) => {
    const now = lead(measured, scenario)
    if (now === undefined) return []
    const before = lead(recorded, scenario)
    return [{ scenario, now, before, worse: before !== undefined && now < ENOUGH * before }]
  })
}

/** The cost of `ws` divided by ours, under the same runtime. */
function lead(measurements: readonly Measurement[], scenario: string): number | undefined {
  const ours = measurements.find((one) => one.scenario === scenario && one.program === OURS && one.ranked)
  const theirs = measurements.find(
    (one) => one.scenario === scenario && one.program === THEIRS && one.runtime === ours?.runtime && one.ranked,
  )
  const [mine, other] = [figure(ours), figure(theirs)]
  return mine === undefined || other === undefined ? undefined : other / mine
}

/** What is compared: the cost, or where there is none, memory. */
export function figure(measurement: Measurement | undefined): number | undefined {
  return measurement?.cost?.median ?? measurement?.memory?.median
}

/** What becomes of the reports of some rounds: the figures of one program in one scenario, and whether they can be compared. */
import type { CostReport, LatencyReport, Report } from './load/plan.ts'
import type { Subject } from './programs.ts'
import type { Latency, Measurement } from './results.ts'
import type { Mode } from './scenarios.ts'
import { spread } from './statistics.ts'

/** Above this share of its core the load is busy, below that one the program is not: then the load was what set the pace. */
const LOAD_BUSY = 0.95
const PROGRAM_IDLE = 0.9
/** The share of what was planned that has to be answered in time. */
const KEPT_UP = 0.98

export function measurementOf(
  scenario: { readonly id: string; readonly mode?: Mode },
  { program, runtime }: Pick<Subject, 'program' | 'runtime'>,
  reports: readonly Report[],
): Measurement {
  const name = { scenario: scenario.id, program, runtime }
  for (const { unable, wrong } of reports) {
    if (unable !== undefined) return { ...name, ranked: false, skipped: unable }
    if (wrong !== undefined) return { ...name, ranked: false, skipped: `answers wrongly: ${wrong}` }
  }
  const costs = reports.flatMap(({ cost }) => (cost === undefined ? [] : [cost]))
  const memory = reports.flatMap((report) => (report.memory === undefined ? [] : [report.memory]))
  const [latency] = reports.flatMap((report) => (report.latency === undefined ? [] : [report.latency]))
  return {
    ...name,
    ranked: true,
    ...(costs.length > 0 && costFigures(costs)),
    ...(latency !== undefined && { latency: latencyFigures(latency) }),
    ...(memory.length > 0 && { memory: spread(memory) }),
    ...(scenario.mode === 'deflate' && costs.length > 0 && { octets: octetsOf(costs) }),
  }
}

function costFigures(costs: readonly CostReport[]): Pick<Measurement, 'cost' | 'rate' | 'busy' | 'ranked' | 'why'> {
  const busy = {
    program: spread(costs.map((one) => one.program / one.seconds)).median,
    load: spread(costs.map((one) => one.load / one.seconds)).median,
    others: spread(costs.map((one) => one.others / one.seconds)).median,
  }
  const limited = busy.load > LOAD_BUSY && busy.program < PROGRAM_IDLE
  return {
    cost: spread(costs.map((one) => (one.program / one.count) * 1e6)),
    rate: spread(costs.map((one) => one.count / one.seconds)),
    busy,
    ranked: !limited,
    ...(limited && { why: 'the load was the limit' }),
  }
}

function octetsOf(costs: readonly CostReport[]): number {
  let octets = 0
  let count = 0
  for (const cost of costs) {
    octets += cost.octets
    count += cost.count
  }
  return octets / count
}

function latencyFigures({ planned, answered, seconds, p50, p99, p999 }: LatencyReport): Latency {
  return { rate: planned / seconds, achieved: answered / seconds, p50, p99, p999 }
}

/** Microseconds in the best of the rounds, or what was wrong in one of them. */
export function cheapest(reports: readonly Report[]): number | string {
  const costs = reports.flatMap(({ cost }) => (cost === undefined ? [] : [(cost.program / cost.count) * 1e6]))
  const [problem] = reports.flatMap(({ wrong, unable }) => wrong ?? unable ?? [])
  return problem ?? Math.min(...costs)
}

/** Whether a program answered as fast as it was asked. */
export function keptUp({ rate, achieved }: Latency): boolean {
  return achieved >= KEPT_UP * rate
}

/** Whether something was found that must not be. */
export function isWrong({ skipped }: Measurement): boolean {
  return skipped?.startsWith('answers wrongly') ?? false
}

/** The servers: every scenario, every program, in rounds that alternate between the programs, each with fresh processes. */
import type { Report } from './load/plan.ts'
import { measurementOf } from './measurement.ts'
import type { Pinning } from './pinning.ts'
import type { Subject } from './programs.ts'
import type { Measurement } from './results.ts'
import { measureServer } from './run.ts'
import type { Timing } from './run.ts'
import type { Scenario } from './scenarios.ts'

export interface Settings {
  readonly rounds: number
  readonly warmUp: number
  readonly seconds: number
  readonly latency: boolean
}

/** Drifts of the machine hit all programs alike when their rounds alternate. */
export async function measureScenario(
  scenario: Scenario,
  subjects: readonly Subject[],
  settings: Settings,
  pinning: Pinning,
  progress: (text: string) => void,
): Promise<Measurement[]> {
  const { rounds, warmUp, seconds } = settings
  const reports = subjects.map((): Report[] => [])
  const run = async (index: number, measure: Timing['measure']): Promise<void> => {
    const hopeless = reports[index].some(({ unable, wrong }) => unable !== undefined || wrong !== undefined)
    if (!hopeless) {
      reports[index].push(await measureServer(subjects[index], scenario, { warmUp, seconds, measure }, pinning))
    }
  }
  for (let round = 1; round <= rounds; round++) {
    for (const [index, { program, runtime }] of subjects.entries()) {
      progress(`${scenario.id}, round ${round} of ${rounds}: ${program} (${runtime})`)
      await run(index, 'cost')
    }
  }
  if (settings.latency && scenario.rate !== undefined) {
    for (const [index, { program, runtime }] of subjects.entries()) {
      progress(`${scenario.id}, latency: ${program} (${runtime})`)
      await run(index, 'latency')
    }
  }
  return subjects.map((subject, index) => measurementOf(scenario, subject, reports[index]))
}

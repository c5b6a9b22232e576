/** Rounds that alternate between the programs, each with fresh processes: what drifts on the machine hits all alike. */
import type { Report, Timing } from './load/plan.ts'
import { measurementOf } from './measurement.ts'
import type { Pinning } from './pinning.ts'
import type { Subject } from './programs.ts'
import type { Measurement } from './results.ts'
import { measureClient, measureServer } from './run.ts'
import type { ClientScenario, Scenario } from './scenarios.ts'

export interface Settings extends Timing {
  readonly rounds: number
  readonly latency: boolean
}

export type Progress = (text: string) => void

export async function measureServers(
  scenario: Scenario,
  subjects: readonly Subject[],
  settings: Settings,
  pinning: Pinning,
  progress: Progress,
): Promise<Measurement[]> {
  const { warmUp, seconds } = settings
  const timing = { warmUp, seconds, ...(scenario.warmUp !== undefined && { warmUpMessages: scenario.warmUp }) }
  const reports = await inTurns(subjects, settings.rounds, (subject, round) => {
    progress(`${scenario.id}, round ${round} of ${settings.rounds}: ${subject.program} (${subject.runtime})`)
    return measureServer(subject, scenario, { ...timing, measure: 'cost' }, pinning)
  })
  if (settings.latency && scenario.rate !== undefined) {
    for (const [index, subject] of subjects.entries()) {
      if (reports[index].some(failed)) continue
      progress(`${scenario.id}, latency: ${subject.program} (${subject.runtime})`)
      reports[index].push(await measureServer(subject, scenario, { ...timing, measure: 'latency' }, pinning))
    }
  }
  return subjects.map((subject, index) => measurementOf(scenario, subject, reports[index]))
}

export async function measureClients(
  scenario: ClientScenario,
  subjects: readonly Subject[],
  settings: Settings,
  pinning: Pinning,
  progress: Progress,
): Promise<Measurement[]> {
  const reports = await inTurns(subjects, settings.rounds, (subject, round) => {
    progress(`${scenario.id}, round ${round} of ${settings.rounds}: ${subject.program} (${subject.runtime})`)
    return measureClient(subject, scenario, settings, pinning)
  })
  return subjects.map((subject, index) => measurementOf(scenario, subject, reports[index]))
}

/** The reports of each subject; who has failed is not asked again. */
async function inTurns(
  subjects: readonly Subject[],
  rounds: number,
  measure: (subject: Subject, round: number) => Promise<Report>,
): Promise<Report[][]> {
  const there = await Promise.all(subjects.map(({ version }) => version()))
  const reports = there.map((version): Report[] => (version === undefined ? [{ unable: 'it is not here' }] : []))
  for (let round = 1; round <= rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      if (!reports[index].some(failed)) reports[index].push(await measure(subject, round))
    }
  }
  return reports
}

function failed({ unable, wrong }: Report): boolean {
  return unable !== undefined || wrong !== undefined
}

/** How often each verdict was given: the numbers in the table, the JSON and the HTML report. */
import type { CaseResult, CloseVerdict, Report, Verdict } from '../result.ts'

/** From bad to good: the order in which a reader wants them. */
export const VERDICTS: readonly Verdict[] = ['FAILED', 'NON-STRICT', 'UNIMPLEMENTED', 'INFORMATIONAL', 'OK']

/** How many cases there were, and how many of each verdict. */
export interface Totals {
  readonly cases: number
  /** The worse of the two below, case by case. */
  readonly verdict: Readonly<Record<Verdict, number>>
  readonly behavior: Readonly<Record<Verdict, number>>
  readonly close: Readonly<Record<CloseVerdict, number>>
}

/** Counts the verdicts of a report; `FAILED` in `verdict` is what a build should look at. */
export function totals(report: Report): Totals {
  return count(report.results)
}

export function count(results: readonly CaseResult[]): Totals {
  const verdict = noVerdicts()
  const behavior = noVerdicts()
  const close = {
    OK: 0,
    INFORMATIONAL: 0,
    'WRONG SIDE': 0,
    UNCLEAN: 0,
    'WRONG CODE': 0,
    'NOT DROPPED': 0,
    'NO HANDSHAKE': 0,
  }
  for (const result of results) {
    verdict[result.verdict]++
    behavior[result.behavior]++
    close[result.close]++
  }
  return { cases: results.length, verdict, behavior, close }
}

function noVerdicts(): Record<Verdict, number> {
  return { FAILED: 0, 'NON-STRICT': 0, UNIMPLEMENTED: 0, INFORMATIONAL: 0, OK: 0 }
}

/** How many closes were neither OK nor without a rule to judge them by. */
export function badCloses({ cases, close }: Totals): number {
  return cases - close.OK - close.INFORMATIONAL
}

/** `513 OK, 3 INFORMATIONAL, 0 FAILED`: the good ones first; OK and FAILED even when there are none. */
export function listVerdicts(counts: Readonly<Record<Verdict, number>>): string {
  return VERDICTS.toReversed()
    .filter((verdict) => counts[verdict] > 0 || verdict === 'OK' || verdict === 'FAILED')
    .map((verdict) => `${counts[verdict]} ${verdict}`)
    .join(', ')
}

/** `850 ms`, `12.3 s`, `1 min 23 s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 60) return `${(milliseconds / 1000).toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

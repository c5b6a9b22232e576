/**
 * Cases by their numbers: `6.4.1` stands in group 6 and in its part 6.4, `2.1` in group 2, which has no parts.
 * Numbers below 20 are those of the suite that everybody cites; from 20 on they are our own.
 */
import type { CaseResult } from '../result.ts'
import { TITLES } from './titles.ts'

export interface Group {
  /** `6`, or `6.4` of a part. */
  readonly id: string
  readonly title: string
  readonly results: readonly CaseResult[]
  /** Empty where the group has none. */
  readonly parts: readonly Group[]
}

/** Groups of `results`, in the order in which they come. */
export function groupsOf(results: readonly CaseResult[]): Group[] {
  return collect(results, 1).map(({ id, title, results: members }) => {
    const inParts = members.filter((result) => firstParts(result.id, 2) !== result.id)
    return { id, title, results: members, parts: collect(inParts, 2) }
  })
}

function collect(results: readonly CaseResult[], numbers: number): Group[] {
  const found = new Map<string, CaseResult[]>()
  for (const result of results) {
    const id = firstParts(result.id, numbers)
    const members = found.get(id)
    if (members === undefined) found.set(id, [result])
    else members.push(result)
  }
  return [...found].map(([id, members]) => ({ id, title: TITLES.get(id) ?? '', results: members, parts: [] }))
}

/** `firstParts('6.4.1', 2)` is `6.4`. */
function firstParts(id: string, count: number): string {
  return id.split('.', count).join('.')
}

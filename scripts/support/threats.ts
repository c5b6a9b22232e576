/**
 * What peers, and applications by mistake, do to WebSocket software, row by row (`docs/threats.tsv`), and whether a test holds it off.
 * A row has an id that the titles of tests carry, `V07` for what has gone wrong somewhere, `A07` for what could; whom it is done to;
 * and what then has to hold.
 */
import type { Proofs } from './requirements.ts'
import { isOneOf, parseTable } from './table.ts'

const COLUMNS = ['id', 'area', 'roles', 'threat', 'holds']
const AREAS = ['framing', 'handshake', 'deflate', 'connection', 'server', 'client', 'options', 'process'] as const
const ROLES = ['server', 'client', 'both', 'shared'] as const
/** Words by which the file or the title of a test tells whom it tests. */
const WORDS = { server: /server|request/i, client: /client|response/i }

export interface Threat {
  readonly id: string
  readonly area: (typeof AREAS)[number]
  /** Whom it is done to; `shared`: to code that serves both, and does not know whom. */
  readonly roles: (typeof ROLES)[number]
  /** What is sent. */
  readonly threat: string
  /** What has to hold. */
  readonly holds: string
}

/** The rows of the list `text` of the file `path`; what is malformed goes to `problems`, with the line's number. */
export function parseThreats(path: string, text: string, problems: string[]): Threat[] {
  return parseTable(path, text, COLUMNS, parseRow, problems)
}

/** A row, or what is wrong with it. */
function parseRow([id, area, roles, threat, holds]: readonly string[]): Threat | string {
  if (!/^[VA]\d\d$/.test(id)) return `${id} is no id`
  if (!isOneOf(AREAS, area)) return `${area} is no area: there are ${AREAS.join(', ')}`
  if (!isOneOf(ROLES, roles)) return `${roles} is nobody: there are ${ROLES.join(', ')}`
  if (threat === '') return `${id} does not say what is sent`
  if (holds === '') return `${id} does not say what has to hold`
  return { id, area, roles, threat, holds }
}

/** The ids of rows in the title of a test; one that is written wrongly, too, so that it is found. */
export function findThreatIds(title: string): string[] {
  return [...title.matchAll(/\[([VA]\d[^\]]*)/g)].map(([, id]) => id)
}

/**
 * What is wrong with `rows`, as sentences: those that no test names, or none in one of their roles, those that are there twice,
 * names of none.
 */
export function judgeThreats(rows: readonly Threat[], proofs: Proofs): string[] {
  const problems: string[] = []
  const ids = new Set<string>()
  for (const { id, roles, threat } of rows) {
    if (ids.has(id)) problems.push(`${id} is used twice`)
    ids.add(id)
    const tests = proofs.get(id)
    if (tests === undefined) {
      problems.push(`${id} is named by no test: ${threat}`)
      continue
    }
    for (const role of ['server', 'client'] as const) {
      const isDue = roles === role || roles === 'both'
      if (isDue && !tests.some(({ file, name }) => WORDS[role].test(`${file} ${name}`))) {
        problems.push(`${id} is named by no test of a ${role}: ${threat}`)
      }
    }
  }
  for (const [id, [{ file, name }]] of proofs) {
    if (!ids.has(id)) problems.push(`${file}: there is no threat ${id}, as "${name}" says`)
  }
  return problems
}

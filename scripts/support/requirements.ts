/**
 * What the RFCs demand, line by line, and whether it is proved: the lists of `docs/requirements` as data, the ids that the titles
 * of tests carry, and the judgement over both.
 *
 * An id is the RFC, the section and a number: `6455:5.2-03`, or `9112-5.1-01` for the RFCs of HTTP. A demand binds us unless it is
 * for `other` (intermediaries, authors of extensions) or its note begins with `not binding`. Of a MUST that binds us somebody has to
 * name the code that obeys it and a test that proves it; for everything else a test or a note will do.
 */

import { isOneOf, parseTable } from './table.ts'

const LEVELS = ['MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT', 'MAY'] as const
const PARTIES = ['client', 'server', 'both', 'other'] as const

export type Level = (typeof LEVELS)[number]
export type Party = (typeof PARTIES)[number]

/** Code that obeys a demand: a file, as a path from `src`, and what it declares, such as `checkFrameHeader` or `Fields.get`. */
export interface Place {
  readonly path: string
  readonly symbol: string
}

export interface Requirement {
  readonly id: string
  /** The number of the RFC. */
  readonly document: string
  readonly section: string
  readonly level: Level
  readonly who: Party
  readonly text: string
  readonly where: readonly Place[]
  /** Why it does not bind us, or needs no test, or how it is meant here; may be empty. */
  readonly note: string
}

/** The header line of a list. */
const COLUMNS = ['id', 'section', 'level', 'who', 'requirement', 'where', 'note']

/**
 * The rows of the list `text` of the file `path`; what is malformed goes to `problems`, with the line's number, and is left out.
 * `known` says whether a document has a section.
 */
export function parseRequirements(
  path: string,
  text: string,
  known: (document: string, section: string) => boolean,
  problems: string[],
): Requirement[] {
  const parse = (cells: readonly string[]): Requirement | string => {
    const row = parseRow(cells)
    if (typeof row === 'string' || known(row.document, row.section)) return row
    return `RFC ${row.document} has no section ${row.section} in sections.tsv`
  }
  return parseTable(path, text, COLUMNS, parse, problems)
}

/** A row, or what is wrong with it. */
function parseRow([id, section, level, who, text, where, note]: readonly string[]): Requirement | string {
  const [, document, inId] = /^(\d{4})[:-](\d[\d.]*)-i?\d\d$/.exec(id) ?? []
  if (inId === undefined) return `${id} is no id`
  if (inId !== section) return `${id} is not of section ${section}`
  if (!isOneOf(LEVELS, level)) return `${level} is no level`
  if (!isOneOf(PARTIES, who)) return `${who} is nobody: there are ${PARTIES.join(', ')}`
  if (text === '') return `${id} demands nothing`
  const places: Place[] = []
  for (const place of where === '' ? [] : where.split(', ')) {
    const [, path, symbol] = /^([\w./-]+\.ts)#([\w.#]+)$/.exec(place) ?? []
    if (symbol === undefined) return `${place} is no path#symbol`
    places.push({ path, symbol })
  }
  return { id, document, section, level, who, text, where: places, note }
}

export function isMust({ level }: Requirement): boolean {
  return level === 'MUST' || level === 'MUST NOT'
}

export function bindsUs({ who, note }: Requirement): boolean {
  return who !== 'other' && !note.startsWith('not binding')
}

/** A test that has been collected: one that would run. */
export interface CollectedTest {
  /** Its title behind those of the blocks it is in. */
  readonly name: string
  /** A path from the root, with slashes. */
  readonly file: string
}

/**
 * The ids in the title of a test. One that was cut off, or holds anything else, is returned as it stands: no list has it, and so it
 * is found.
 */
export function findIds(title: string): string[] {
  return [...title.matchAll(/\[(\d{4}(?::|-\d[\d.]*[-…])[^\]]*)/g)].map(([, id]) => id)
}

/** By id, the tests that carry it. */
export type Proofs = ReadonlyMap<string, readonly CollectedTest[]>

/** `find` answers the ids in a title: those of the RFCs' demands, unless given. */
export function groupById(tests: readonly CollectedTest[], find: (title: string) => string[] = findIds): Proofs {
  const proofs = new Map<string, CollectedTest[]>()
  for (const test of tests) {
    for (const id of new Set(find(test.name))) {
      const named = proofs.get(id)
      if (named === undefined) proofs.set(id, [test])
      else named.push(test)
    }
  }
  return proofs
}

/**
 * What is wrong with `rows`, as sentences. `sourceOf` answers the text of a file of `src`, or `undefined` if there is none.
 */
export function judgeRequirements(
  rows: readonly Requirement[],
  proofs: Proofs,
  sourceOf: (path: string) => string | undefined,
): string[] {
  const problems: string[] = []
  const ids = new Set<string>()
  for (const row of rows) {
    if (ids.has(row.id)) problems.push(`${row.id} is used twice`)
    ids.add(row.id)
    problems.push(...judgeProof(row, proofs.has(row.id)))
    for (const { path, symbol } of row.where) {
      const source = sourceOf(path)
      if (source === undefined) problems.push(`${row.id}: src/${path} does not exist`)
      else if (!declares(source, symbol)) problems.push(`${row.id}: src/${path} does not declare ${symbol}`)
    }
  }
  for (const [id, tests] of proofs) {
    if (!ids.has(id)) problems.push(`${tests[0].file}: there is no requirement ${id}, as "${tests[0].name}" says`)
  }
  return problems
}

function judgeProof(row: Requirement, tested: boolean): string[] {
  const { id, level, text, note } = row
  if (isMust(row) && bindsUs(row)) {
    const problems: string[] = []
    if (!tested) problems.push(`${id} (${level}) is named by no test: ${text}`)
    if (row.where.length === 0) problems.push(`${id} (${level}) has no place in the code: ${text}`)
    return problems
  }
  if (tested && !bindsUs(row)) return [`${id} does not bind us, as its note says, and yet a test names it: ${text}`]
  if (tested || note !== '') return []
  return [`${id} (${level}) has neither a test nor a note: ${text}`]
}

/**
 * Whether the TypeScript `source` declares `symbol`: at its top level or, as `Class.member` or `Class.#member`, in a class there. It
 * goes by how the lines begin, which the formatter sees to.
 */
export function declares(source: string, symbol: string): boolean {
  const [name, member] = symbol.split('.', 2)
  const lines = source.split('\n')
  const start = lines.findIndex((line) => topLevelName(line) === name)
  if (start < 0) return false
  if (member === undefined) return true
  const end = lines.indexOf('}', start)
  return lines.slice(start + 1, end).some((line) => memberName(line) === member)
}

function topLevelName(line: string): string | undefined {
  const declaration =
    /^(?:export )?(?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type) (\w+)/
  return declaration.exec(line)?.[1]
}

function memberName(line: string): string | undefined {
  return /^ {2}(?:(?:static|protected|private|readonly|async|override|get|set) )*\*?(#?\w+)[ (<?:=]/.exec(line)?.[1]
}

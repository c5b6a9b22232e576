/**
 * What `npm run conformance` keeps of a run, and how the page shows it: `docs/conformance.json` has one entry for each peer and
 * role, and the tables of `docs/conformance.md` are drawn from it, so a run of a few peers renews only their rows.
 */
import type { Case, CaseResult, Role, Verdict } from '../../src/conformance/index.ts'

const VERDICTS: readonly Verdict[] = ['OK', 'INFORMATIONAL', 'NON-STRICT', 'UNIMPLEMENTED', 'FAILED']

type Totals = { readonly [V in Verdict]?: number }

/** Cases that are not OK for the same reason. */
export interface Deviation {
  readonly verdict: Verdict
  /** How the connection ended. */
  readonly close: string
  /** Empty where no rule is broken. */
  readonly rule: string
  /** Prefixes of case numbers, as `--only` takes them. */
  readonly cases: string
  /** What the kit says about the first of them. */
  readonly explanation: string
}

export interface Entry {
  readonly peer: string
  readonly role: Role
  readonly version: string
  readonly runtime: string
  readonly settings: string
  /** The day of the run, as 2026-01-31. */
  readonly date: string
  readonly seconds: number
  /** What kept the run from its end. */
  readonly problem?: string
  /** The cases under the suite's numbers, and those of our own. */
  readonly suite: Totals
  readonly own: Totals
  readonly deviations: readonly Deviation[]
}

export function totals(results: readonly CaseResult[]): Totals {
  const counts: { [V in Verdict]?: number } = {}
  for (const verdict of VERDICTS) {
    const count = results.filter((result) => result.verdict === verdict).length
    if (count > 0) counts[verdict] = count
  }
  return counts
}

/** Our own groups begin at 20. */
export function isOwn({ id }: { readonly id: string }): boolean {
  return Number.parseInt(id) >= 20
}

/** What is not OK, alike with alike, in the order of the first case of each; `selected` are the cases that ran. */
export function deviations(results: readonly CaseResult[], selected: readonly Case[]): Deviation[] {
  const groups = new Map<string, CaseResult[]>()
  for (const result of results) {
    if (result.verdict === 'OK') continue
    // What somebody does not do breaks no rule.
    const reason = result.verdict === 'UNIMPLEMENTED' ? result.explanation : result.rule
    const key = [result.verdict, result.behavior, result.close, reason].join('\n')
    const group = groups.get(key)
    if (group) group.push(result)
    else groups.set(key, [result])
  }
  return [...groups.values()].map((group) => {
    const [{ verdict, close, explanation, ...first }] = group
    const rule = verdict === 'UNIMPLEMENTED' ? '' : first.rule
    const cases = prefixes(
      group.map(({ id }) => id),
      selected.map(({ id }) => id),
    )
    return { verdict, close, rule, cases: cases.join(' '), explanation }
  })
}

/** As few prefixes as say which of `all` are among `ids`. */
export function prefixes(ids: readonly string[], all: readonly string[]): string[] {
  const wanted = new Set(ids)
  const found = new Set<string>()
  for (const id of ids) {
    const parts = id.split('.')
    const lengths = Array.from(parts, (_, index) => parts.slice(0, index + 1).join('.'))
    found.add(lengths.find((prefix) => all.every((one) => wanted.has(one) || !hasPrefix(one, prefix))) ?? id)
  }
  return [...found]
}

function hasPrefix(id: string, prefix: string): boolean {
  return id === prefix || id.startsWith(`${prefix}.`)
}

/** `entries` with `entry` in the place of the one for the same peer and role; `order` has the names of the peers. */
export function withEntry(entries: readonly Entry[], entry: Entry, order: readonly string[]): Entry[] {
  const others = entries.filter(({ peer, role }) => peer !== entry.peer || role !== entry.role)
  const place = ({ peer, role }: Entry): number => 2 * order.indexOf(peer) + (role === 'server' ? 0 : 1)
  return [...others, entry].toSorted((a, b) => place(a) - place(b))
}

/** `page` with what stands between the two marks replaced. Throws when it has no such marks. */
export function withTables(page: string, entries: readonly Entry[]): string {
  const begin = '<!-- results -->'
  const end = '<!-- end of results -->'
  const [before, rest, more] = page.split(begin)
  const [, after] = rest?.split(end) ?? []
  if (after === undefined || more !== undefined) throw new Error(`the page needs one ${begin} and one ${end}`)
  return `${before}${begin}\n\n${tables(entries)}\n\n${end}${after}`
}

function tables(entries: readonly Entry[]): string {
  return [
    'The suite’s cases:',
    table(entries, ({ suite }) => suite),
    'Our own groups:',
    table(entries, ({ own }) => own),
    'What ran, and how:',
    runs(entries),
    'What is neither OK nor INFORMATIONAL, with the rule, the cases, and what the kit says about the first of them:',
    ...entries.map(details),
  ].join('\n\n')
}

function table(entries: readonly Entry[], totalsOf: (entry: Entry) => Totals): string {
  const rows = entries.map((entry) => {
    const counts = totalsOf(entry)
    return [title(entry), entry.role, ...VERDICTS.map((verdict) => String(counts[verdict] ?? 0))]
  })
  return markdown(['peer', 'as', ...VERDICTS], rows, 2)
}

function runs(entries: readonly Entry[]): string {
  const rows = entries.map((entry) => {
    const { role, runtime, settings, seconds, date } = entry
    return [title(entry), role, runtime, settings, `${seconds} s`, date]
  })
  return markdown(['peer', 'as', 'run by', 'options that are not its defaults', 'time', 'date'], rows, 6)
}

function details(entry: Entry): string {
  const found = entry.deviations.filter(({ verdict }) => verdict !== 'INFORMATIONAL')
  const lines = found.map(({ verdict, rule, cases, explanation }) => {
    const broken = rule === '' ? '' : ` ${rule}:`
    return `- **${verdict}**${broken} \`${cases}\`. ${plain(explanation)}`
  })
  if (entry.problem !== undefined) lines.unshift(`- The run did not come to its end: ${plain(entry.problem)}`)
  if (lines.length === 0) lines.push('- Nothing.')
  return `**${title(entry)} as a ${entry.role}**\n\n${lines.join('\n')}`
}

function title({ peer, version }: Entry): string {
  return `${peer} ${version}`
}

/** Text that Markdown leaves as it is. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_<>|[\]]/g, '\\$&').replaceAll(/\s+/g, ' ')
}

/** A table whose columns from `numbers` on are set to the right. */
function markdown(head: readonly string[], rows: readonly (readonly string[])[], numbers: number): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index < numbers ? '---' : '--:'))), ...rows.map(line)].join('\n')
}

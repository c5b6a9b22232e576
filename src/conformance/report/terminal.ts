/**
 * A report as lines for a terminal: a table of groups, below it every case that is not OK, and a last line that says it all.
 * Parts of a group in which everything is OK have no line of their own. Every line fits `columns`; colours add nothing that the
 * words do not say.
 */
import { styleText } from 'node:util'
import type { CaseResult, Report, Verdict } from '../result.ts'
import { groupsOf } from './groups.ts'
import type { Group } from './groups.ts'
import { visible } from './octets.ts'
import { VERDICTS, badCloses, count, formatDuration, listVerdicts, totals } from './totals.ts'

/** What the text looks like. */
export interface TerminalOptions {
  /** How wide the terminal is; what is used of it is 80 to 100. Default: 80. */
  readonly columns?: number | undefined
  /** Whether to write ANSI colours. Default: false. */
  readonly colors?: boolean
}

/** The report as text, with a line break behind its last line. */
export function formatReport(report: Report, options: TerminalOptions = {}): string {
  const page: Page = { width: Math.min(Math.max(options.columns ?? 80, 80), 100), colors: options.colors ?? false }
  const lines = [...table(report, page)]
  for (const verdict of VERDICTS) {
    if (verdict !== 'OK') lines.push(...section(report, verdict, page))
  }
  return `${[...lines, '', ...summary(report, page)].join('\n')}\n`
}

interface Page {
  readonly width: number
  readonly colors: boolean
}

type Color = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta'

function paint({ colors }: Page, color: Color, text: string): string {
  // Whoever calls knows where the text goes, and Node would look at standard output.
  return colors ? styleText(color, text, { validateStream: false }) : text
}

const VERDICT_COLORS: Readonly<Record<Verdict, Color>> = {
  OK: 'green',
  'NON-STRICT': 'yellow',
  INFORMATIONAL: 'blue',
  UNIMPLEMENTED: 'magenta',
  FAILED: 'red',
}

/** What a column counts, and how many characters it has. */
interface Column {
  readonly head: string
  readonly width: number
  readonly color: Color
  of(group: Group): number
}

const BEHAVIOR: readonly Column[] = [
  { head: 'OK', width: 5, verdict: 'OK' as const },
  { head: 'NON-STRICT', width: 12, verdict: 'NON-STRICT' as const },
  { head: 'INFORM', width: 8, verdict: 'INFORMATIONAL' as const },
  { head: 'UNIMPL', width: 8, verdict: 'UNIMPLEMENTED' as const },
  { head: 'FAILED', width: 8, verdict: 'FAILED' as const },
].map(({ head, width, verdict }) => ({
  head,
  width,
  color: VERDICT_COLORS[verdict],
  of: (group) => count(group.results).behavior[verdict],
}))

const CLOSE: readonly Column[] = [
  { head: 'fine', width: 7, color: 'green', of: (group) => group.results.length - badCloses(count(group.results)) },
  { head: 'bad', width: 6, color: 'red', of: (group) => badCloses(count(group.results)) },
]

const COLUMNS = [...BEHAVIOR, ...CLOSE]
const BEHAVIOR_WIDTH = widthOf(BEHAVIOR)
const NUMBERS_WIDTH = widthOf(COLUMNS)

function widthOf(columns: readonly Column[]): number {
  let width = 0
  for (const column of columns) width += column.width
  return width
}

function table(report: Report, page: Page): string[] {
  const titleWidth = page.width - NUMBERS_WIDTH
  const heads = COLUMNS.map(({ head, width }) => head.padStart(width)).join('')
  const lines = [
    paint(
      page,
      'dim',
      `${' '.repeat(titleWidth)}${over('behaviour', BEHAVIOR_WIDTH)}${over('close', NUMBERS_WIDTH - BEHAVIOR_WIDTH)}`,
    ),
    paint(page, 'dim', `${' '.repeat(titleWidth)}${heads}`),
  ]
  for (const group of groupsOf(report.results)) {
    lines.push(row(group, '', titleWidth, page))
    const parts = group.parts.filter((part) => part.results.some((result) => result.verdict !== 'OK'))
    for (const part of parts) lines.push(row(part, '  ', titleWidth, page))
  }
  const whole = { id: '', title: 'All cases', results: report.results, parts: [] }
  return [...lines, paint(page, 'dim', '─'.repeat(page.width)), row(whole, '', titleWidth, page)]
}

/** A title and a line over columns that are `width` wide together. */
function over(title: string, width: number): string {
  return `  ${title} ${'─'.repeat(width - title.length - 3)}`
}

function row(group: Group, indent: string, titleWidth: number, page: Page): string {
  const name = group.id === '' ? group.title : `${group.id.padEnd(4)} ${group.title}`
  const title = fit(`${indent}${name}`, titleWidth)
  const cells = COLUMNS.map((column) => {
    const number = column.of(group)
    const cell = (number === 0 ? '·' : String(number)).padStart(column.width)
    return paint(page, number === 0 ? 'dim' : column.color, cell)
  })
  return `${indent === '' ? paint(page, 'bold', title) : title}${cells.join('')}`
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)
}

/** Results in a row, with none between them, that say the same. */
interface Run {
  readonly first: CaseResult
  last: CaseResult
  cases: number
}

function section(report: Report, verdict: Verdict, page: Page): string[] {
  const runs = runsOf(report.results).filter((run) => run.first.verdict === verdict)
  if (runs.length === 0) return []
  const heading = `${verdict} (${count(report.results).verdict[verdict]})`
  const lines = ['', paint(page, VERDICT_COLORS[verdict], paint(page, 'bold', heading))]
  for (const run of runs) lines.push('', ...caseLines(run, page))
  return lines
}

function runsOf(results: readonly CaseResult[]): Run[] {
  const runs: Run[] = []
  for (const result of results) {
    const run = runs.at(-1)
    if (run !== undefined && saysTheSame(run.first, result)) {
      run.last = result
      run.cases++
    } else {
      runs.push({ first: result, last: result, cases: 1 })
    }
  }
  return runs
}

function saysTheSame(one: CaseResult, other: CaseResult): boolean {
  return (
    one.verdict === other.verdict &&
    one.behavior === other.behavior &&
    one.close === other.close &&
    one.rule === other.rule &&
    one.explanation === other.explanation
  )
}

const TEXT_INDENT = 10

function caseLines({ first, last, cases }: Run, page: Page): string[] {
  const verdicts = paint(page, VERDICT_COLORS[first.verdict], `behaviour ${first.behavior}, close ${first.close}`)
  const verdictLine = `${verdicts}  ${paint(page, 'dim', first.rule)}`
  const explanation = wrap(first.explanation, page.width, TEXT_INDENT)
  if (cases > 1) {
    const label = paint(page, 'bold', `  ${first.id} to ${last.id} (${cases} cases)`)
    return [label, `${' '.repeat(TEXT_INDENT)}${verdictLine}`, ...explanation]
  }
  const title = wrap(first.title, page.width, TEXT_INDENT).map((line) => paint(page, 'dim', line))
  return [`${paint(page, 'bold', `  ${first.id}`.padEnd(TEXT_INDENT - 1))} ${verdictLine}`, ...title, ...explanation]
}

/** Lines of at most `width` characters, each behind `indent` spaces; a word that is longer than a line is cut. */
export function wrap(text: string, width: number, indent: number): string[] {
  const room = width - indent
  const lines: string[] = []
  let line = ''
  for (const word of visible(text).split(' ')) {
    let rest = word
    if (line !== '' && line.length + 1 + rest.length > room) {
      lines.push(line)
      line = ''
    }
    while (rest.length > room) {
      lines.push(rest.slice(0, room))
      rest = rest.slice(room)
    }
    line = line === '' ? rest : `${line} ${rest}`
  }
  if (line !== '') lines.push(line)
  return lines.map((part) => ' '.repeat(indent) + part)
}

function summary(report: Report, page: Page): string[] {
  const { cases, verdict } = totals(report)
  const failed = verdict.FAILED > 0
  const word = paint(page, failed ? 'red' : 'green', paint(page, 'bold', failed ? 'FAILED' : 'PASSED'))
  const peer = `${report.peer.role} ${visible(report.peer.name, page.width - 17)}`
  const bad = badCloses(totals(report))
  const closes = bad === 0 ? '' : `; ${bad} closed badly`
  return [
    `${word}  ${peer}`,
    `        ${listVerdicts(verdict)}${closes}`,
    `        ${cases} ${cases === 1 ? 'case' : 'cases'} in ${formatDuration(report.duration)}`,
  ]
}

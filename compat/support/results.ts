/**
 * What the matrices keep of a run, and how the page shows it: `docs/compatibility.json` has the columns of every matrix, and the
 * tables of `docs/compatibility.md` are drawn from it, so that a run of one column renews only that.
 */
import type { Cell } from '../programs/check.ts'

/** What was tried with one program, or with one pair of them. */
export interface Column {
  /** `22`, `bun-server`: stays when versions change. */
  readonly id: string
  /** With versions, as the table has it. */
  readonly title: string
  /** The day of the run, as 2026-01-31. */
  readonly date: string
  readonly seconds: number
  readonly cells: readonly Cell[]
}

export type Results = Readonly<Record<string, readonly Column[]>>

/**
 * `columns` with `column` in the place of the one with its id; `order` has all ids. Of a part of the checks (`partial`) the
 * others stay as they were, unless they are of another version.
 */
export function withColumn(
  columns: readonly Column[],
  column: Column,
  partial: boolean,
  order: readonly string[],
): Column[] {
  const before = columns.find(({ id }) => id === column.id)
  const merged = partial && before?.title === column.title ? mergeColumns(before, column) : column
  const others = columns.filter(({ id }) => id !== column.id)
  return [...others, merged].toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
}

function mergeColumns(before: Column, after: Column): Column {
  const renewed = new Map(after.cells.map((cell) => [cell.check, cell]))
  const kept = before.cells.map((cell) => renewed.get(cell.check) ?? cell)
  const added = after.cells.filter(({ check }) => before.cells.every((cell) => cell.check !== check))
  const seconds = before.seconds + after.seconds
  return { ...after, seconds, cells: [...kept, ...added] }
}

/** `page` with the tables of every matrix between its marks. Throws where it has no such marks. */
export function withTables(page: string, results: Results): string {
  let text = page
  for (const [matrix, columns] of Object.entries(results)) {
    const begin = `<!-- ${matrix} -->`
    const end = `<!-- end of ${matrix} -->`
    const [before, rest, more] = text.split(begin)
    const [, after] = rest?.split(end) ?? []
    if (after === undefined || more !== undefined) throw new Error(`the page needs one ${begin} and one ${end}`)
    text = `${before}${begin}\n\n${drawn(columns)}\n\n${end}${after}`
  }
  return text
}

function drawn(columns: readonly Column[]): string {
  const notes = columns.flatMap(({ title, cells }) => cells.flatMap((cell) => noteOf(title, cell)))
  const days = [...new Set(columns.map(({ date }) => date))].toSorted().join(', ')
  const parts = [table(columns), ...(notes.length > 0 ? [notes.join('\n')] : []), `Run on ${days}.`]
  return parts.join('\n\n')
}

/** A row for each check, in the order of the column that has them first. */
function table(columns: readonly Column[]): string {
  const checks = [...new Set(columns.flatMap(({ cells }) => cells.map(({ check }) => check)))]
  const rows = checks.map((check) => {
    const cells = columns.map((column) => column.cells.find((cell) => cell.check === check))
    return [escaped(check), ...cells.map(shown)]
  })
  const counted = columns.some(({ cells }) => cells.some(({ tests }) => tests !== undefined))
  const sums = columns.map(({ cells }) => {
    const sum = cells.map(({ tests = 0 }) => tests).reduce((a, b) => a + b, 0)
    return sum.toLocaleString('en')
  })
  const head = ['', ...columns.map(({ title }) => escaped(title))]
  const lines = [
    head,
    head.map((_, index) => rule(index, counted)),
    ...rows,
    ...(counted ? [['**all**', ...sums]] : []),
  ]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function rule(index: number, counted: boolean): string {
  if (index === 0) return '---'
  return counted ? '--:' : ':-:'
}

function shown(cell: Cell | undefined): string {
  if (cell === undefined) return ''
  if (cell.outcome === 'failed') return '**fails**'
  if (cell.outcome === 'absent') return '–'
  return cell.tests === undefined ? 'yes' : cell.tests.toLocaleString('en')
}

function noteOf(title: string, { check, note }: Cell): string[] {
  return note === undefined ? [] : [`- ${escaped(title)}, ${escaped(check)}: ${escaped(note)}`]
}

/** What Markdown takes for something else. Code spans stay what they are. */
function escaped(text: string): string {
  return text.replaceAll(/[\\*_<>|[\]]/g, '\\$&').replaceAll(/\s+/g, ' ')
}

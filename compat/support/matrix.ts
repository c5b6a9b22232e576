/**
 * A matrix as a program: its command line, its progress, its exit code, and what it writes.
 *
 * A column that cannot be tried, because something is missing, has failed, and says what is missing. Nothing is left running.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runCommand } from '../../scripts/support/command.ts'
import { describe } from '../programs/check.ts'
import type { Cell } from '../programs/check.ts'
import { withColumn, withTables } from './results.ts'
import type { Column, Results } from './results.ts'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

export interface ColumnPlan {
  readonly id: string
  /** What the matrix's own option names it by; several columns may have the same. */
  readonly choice: string
  /** With versions. Rejects with a sentence about what is missing here. */
  title(): Promise<string>
  /** Makes the checks whose names are wanted, and reports each as it ends. */
  run(wanted: (check: string) => boolean, report: (cell: Cell) => void): Promise<void>
}

export interface MatrixPlan {
  /** Its part of the page, and of `npm run compat:NAME`. */
  readonly name: string
  /** What it does, for `--help`. */
  readonly help: string
  /** The option that chooses columns, without its dashes. */
  readonly option: string
  readonly columns: readonly ColumnPlan[]
  /** Minutes that a column may take. */
  readonly minutes: number
  /** What is needed once, for all columns; answers what ends it. */
  prepare?(): Promise<() => Promise<void>>
}

export async function runMatrix(plan: MatrixPlan, args: readonly string[] = process.argv.slice(2)): Promise<void> {
  // Unless something comes to its end.
  process.exitCode = 2
  try {
    const options = parseOptions(plan, args)
    process.exitCode = 1
    if (options.help) console.log(helpOf(plan))
    if (options.help || (await run(plan, options))) process.exitCode = 0
  } catch (error) {
    console.error(describe(error))
  }
}

export interface Options {
  readonly help: boolean
  readonly columns: readonly ColumnPlan[]
  readonly only: readonly string[] | undefined
  readonly json: string | undefined
  readonly write: boolean
}

/** Throws a TypeError that says what is wrong. */
export function parseOptions({ option, columns }: MatrixPlan, args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
      [option]: { type: 'string' },
    },
  })
  const choices = [...new Set(columns.map(({ choice }) => choice))]
  const chosen = list(values[option]) ?? choices
  const unknown = chosen.filter((choice) => !choices.includes(choice))
  if (unknown.length > 0) {
    throw new TypeError(`--${option} takes ${choices.join(', ')}, not ${unknown.join(', ')}`)
  }
  return {
    help: values.help,
    columns: columns.filter(({ choice }) => chosen.includes(choice)),
    only: list(values.only),
    json: values.json,
    write: values.write,
  }
}

function list(text: unknown): string[] | undefined {
  return typeof text === 'string' ? text.split(',').filter((word) => word !== '') : undefined
}

function helpOf({ name, help, option, columns }: MatrixPlan): string {
  const choices = [...new Set(columns.map(({ choice }) => choice))].join(',')
  return `npm run compat:${name} -- [options]

${help}

  --${`${option} NAMES`.padEnd(20)} these only, of ${choices}
  --only WORDS           only checks whose names begin with one of these, separated by commas
  --json FILE            write what came of it
  --write                write docs/compatibility.json and the tables of docs/compatibility.md; what this run has not tried
                         stays as it is there
  --help                 this text

The exit code is 1 when anything failed or was missing, 2 for options that are wrong.`
}

/** Answers whether all is well. */
async function run(plan: MatrixPlan, { columns, only, json, write }: Options): Promise<boolean> {
  const wanted = (check: string): boolean => only?.some((word) => check.startsWith(word)) ?? true
  const end = await plan.prepare?.()
  const done: Column[] = []
  try {
    for (const column of columns) done.push(await runColumn(column, wanted, plan.minutes))
  } finally {
    await end?.()
  }
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ [plan.name]: done }, undefined, 2)}\n`)
  if (write) await keep(plan, done, only !== undefined)
  const cells = done.flatMap((column) => column.cells)
  const count = (outcome: Cell['outcome']): number => cells.filter((cell) => cell.outcome === outcome).length
  console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('absent')} not to be had`)
  return count('failed') === 0 && count('passed') > 0
}

async function runColumn(plan: ColumnPlan, wanted: (check: string) => boolean, minutes: number): Promise<Column> {
  const start = performance.now()
  const cells: Cell[] = []
  const report = (cell: Cell): void => {
    cells.push(cell)
    console.log(lineOf(cell))
  }
  let title = plan.id
  try {
    title = await plan.title()
    console.log(`\n${title}`)
    await within(minutes, plan.run(wanted, report))
  } catch (error) {
    report({ check: 'it can be tried', outcome: 'failed', note: describe(error) })
  }
  const date = new Date().toISOString().slice(0, 10)
  return { id: plan.id, title, date, seconds: Math.round((performance.now() - start) / 1000), cells }
}

async function within(minutes: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${minutes} minutes`)), minutes * 60_000)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function lineOf({ check, outcome, tests, note }: Cell): string {
  const mark = { passed: 'ok  ', failed: 'FAIL', absent: '-   ' }[outcome]
  return `${mark}  ${check}${tests === undefined ? '' : `: ${tests} tests`}${note === undefined ? '' : `: ${note}`}`
}

/** Into both files, as the formatter wants them. */
async function keep({ name, columns }: MatrixPlan, done: readonly Column[], partial: boolean): Promise<void> {
  const data = join(root, 'docs/compatibility.json')
  const page = join(root, 'docs/compatibility.md')
  const kept = JSON.parse(await readFile(data, 'utf8').catch(() => '{}')) as Results
  const order = columns.map(({ id }) => id)
  let matrix = (kept[name] ?? []).filter(({ id }) => order.includes(id))
  for (const column of done) matrix = withColumn(matrix, column, partial, order)
  const results = { ...kept, [name]: matrix }
  await writeFile(data, `${JSON.stringify(results, undefined, 2)}\n`)
  await writeFile(page, withTables(await readFile(page, 'utf8'), results))
  const { code, output } = await runCommand('npx', ['oxfmt', data, page], { cwd: root })
  if (code !== 0) throw new Error(`oxfmt failed:\n${output}`)
}

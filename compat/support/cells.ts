/** Programs that make checks and print what came of them, each a line of JSON. */
import { runCommand } from '../../scripts/support/command.ts'
import type { CommandOptions } from '../../scripts/support/command.ts'
import type { Cell } from '../programs/check.ts'

/** Milliseconds for all checks of a program. */
const LIMIT = 180_000

/** What such a program says. That it ends by itself, with 0, is a check as well. */
export async function runProgram(
  command: readonly [string, ...string[]],
  options: CommandOptions,
  report: (cell: Cell) => void,
): Promise<void> {
  const [executable, ...args] = command
  const { code, output } = await runCommand(executable, args, { timeout: LIMIT, ...options })
  const { cells, rest } = readCells(output)
  for (const cell of cells) report(cell)
  const check = 'the client ends by itself'
  if (code === 0 && cells.length > 0) report({ check, outcome: 'passed' })
  else report({ check, outcome: 'failed', note: `exit code ${code} ${rest}`.slice(0, 300).trimEnd() })
}

/** The lines that are cells, and what is left. */
export function readCells(output: string): { cells: Cell[]; rest: string } {
  const cells: Cell[] = []
  const rest: string[] = []
  for (const line of output.split('\n')) {
    if (line.startsWith('{"check":')) cells.push(JSON.parse(line) as Cell)
    else rest.push(line)
  }
  return { cells, rest: rest.join(' ').trim() }
}

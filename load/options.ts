/** The command lines of `soak`, `churn` and `idle`: numbers within bounds, and what all three take. */
import type { ParseArgsConfig } from 'node:util'
import { fail, readArguments } from '../scripts/support/arguments.ts'

/** What was given, as text: flags are `true`. */
export type Given = Readonly<Record<string, string | boolean | undefined>>

export interface CommonOptions {
  /** A server of the user's, as a command of the shell. */
  readonly server: string | undefined
  readonly json: string | undefined
  readonly charts: string | undefined
}

const COMMON_HELP = `  --server COMMAND   another server, as a command of the shell, which prints its ws:// URL as its first line
  --json FILE        write all figures
  --charts FOLDER    draw charts (SVG); the packages of bench are installed for that
  --help             this text

The exit code is 1 when a check failed, 2 for options that are wrong. Linux only. Server and clients are processes of their own,
each with a core of its own where taskset (util-linux) is installed.`

/** Parses, prints `help` when asked to, and answers what `read` makes of it; ends the process for what is wrong. */
export function readOptions<Options>(
  help: string,
  options: ParseArgsConfig['options'],
  read: (given: Given) => Options,
): Options {
  const text = { type: 'string' } as const
  const { values } = readArguments(`${help}\n${COMMON_HELP}`, {
    options: { ...options, server: text, json: text, charts: text },
  })
  try {
    return read(values)
  } catch (error) {
    return fail((error as Error).message)
  }
}

export function common({ server, json, charts }: Given): CommonOptions {
  return { server: textOf(server), json: textOf(json), charts: textOf(charts) }
}

function textOf(given: string | boolean | undefined): string | undefined {
  return typeof given === 'string' ? given : undefined
}

interface Bounds {
  readonly usual: number
  readonly least: number
  readonly most: number
  /** Whether there may be a fraction. */
  readonly fraction?: boolean
}

/** Throws a RangeError for what is no such number. */
export function numberOf(given: Given, name: string, { usual, least, most, fraction = false }: Bounds): number {
  const value = given[name]
  if (value === undefined) return usual
  const number = Number(value)
  const right = number >= least && number <= most && (fraction || Number.isInteger(number))
  if (!right) {
    throw new RangeError(`--${name} takes a ${fraction ? '' : 'whole '}number from ${least} to ${most}, not ${value}`)
  }
  return number
}

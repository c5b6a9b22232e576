/** The values of options: numbers, times, ports, header fields, files. What is none is refused with a sentence. */
import { readFileSync } from 'node:fs'
import { quote } from '../errors.ts'
import { CommandError, UsageError } from './io.ts'
import type { Options } from './options.ts'

/** A whole number from `least` to `most`; `fallback` when the option is not given. */
export function countOf(options: Options, name: string, fallback: number, least: number, most: number): number {
  const text = options.get(name)
  if (text === undefined) return fallback
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new UsageError(`--${name} needs a whole number, ${least} to ${most}`)
}

/** The longest time that a timer of Node can wait is a little more, 24.8 days. */
const MOST_SECONDS = 2_000_000

/** Seconds, parts of them too, as milliseconds; `fallback`, in milliseconds, when the option is not given. */
export function timeOf(options: Options, name: string, fallback: number, least = 0): number {
  const text = options.get(name)
  if (text === undefined) return fallback
  const value = Number(text)
  if (value >= least && value <= MOST_SECONDS) return Math.ceil(value * 1000)
  throw new UsageError(`--${name} needs a number of seconds, ${least} to ${MOST_SECONDS}`)
}

export function portOf(options: Options, name: string, fallback: number): number {
  const port = Number(options.get(name) ?? fallback)
  if (Number.isInteger(port) && port >= 0 && port <= 0xffff) return port
  throw new UsageError(`--${name} needs a port, 0 to 65535`)
}

/** The fields of all `--header`. */
export function headersOf(options: Options): [name: string, value: string][] {
  return options.all('header').map((text) => {
    const colon = text.indexOf(':')
    if (colon < 1) throw new UsageError("--header needs 'NAME: VALUE'")
    return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()]
  })
}

/** The file that the option names, or `undefined`. Throws a `CommandError` where it cannot be read. */
export function fileOf(options: Options, name: string): Buffer | undefined {
  const path = options.get(name)
  return path === undefined ? undefined : readBytes(path)
}

/** Throws a `CommandError` where the file cannot be read. */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new CommandError(`Cannot read ${quote(path)} (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** The one positional argument; throws a `UsageError` for none, with the sentence `missing`, and for more. */
export function onlyPositional({ positionals }: Options, missing: string): string {
  const [only, ...more] = positionals
  if (only === undefined) throw new UsageError(missing)
  if (more.length > 0) throw new UsageError('Give one address only')
  return only
}

/** Throws a `UsageError` when there is a positional argument. */
export function noPositionals({ positionals }: Options): void {
  if (positionals.length > 0) throw new UsageError(`There is nothing that ${quote(positionals[0])} could mean here`)
}

/** Throws a `UsageError` when both options are given. */
export function notBoth(options: Options, one: string, other: string): void {
  if (options.has(one) && options.has(other)) throw new UsageError(`Give either --${one} or --${other}`)
}

/**
 * The options of a command as data, from which both the reading of a command line and its help are made. Whatever is not in the
 * table is refused with a sentence that says what is.
 */
import { parseArgs } from 'node:util'
import { quote } from '../errors.ts'
import { UsageError } from './io.ts'

export interface OptionSpec {
  readonly name: string
  readonly short?: string
  /** What its value is called in the help; without it the option is a switch. */
  readonly value?: string
  /** Stands for the value where the option has none. */
  readonly fallback?: string
  /** Whether it may be given more than once. */
  readonly multiple?: boolean
  /** What it does, in a line or two of up to 52 characters. */
  readonly help: readonly string[]
}

/** A command line that fits its table. */
export interface Options {
  readonly positionals: readonly string[]
  has(name: string): boolean
  /** The value of an option that is given once. */
  get(name: string): string | undefined
  /** All values of one that may be given more often. */
  all(name: string): readonly string[]
}

/** Reads `args`; throws a `UsageError` for an option that is not in `table`, or is not used as the table says. */
export function readOptions(args: readonly string[], table: readonly OptionSpec[]): Options {
  const { tokens, positionals } = parseArgs({
    args: args.map((arg, at) => withFallback(arg, args[at + 1], table)),
    options: Object.fromEntries(table.map((spec) => [spec.name, parserOption(spec)])),
    strict: false,
    tokens: true,
  })
  const values = new Map<string, string[]>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const spec = table.find(({ name }) => name === token.name)
    if (spec === undefined) throw unknown(token.rawName, table)
    const before = values.get(spec.name) ?? []
    if (before.length > 0 && spec.multiple !== true) throw new UsageError(`--${spec.name} can be given only once`)
    values.set(spec.name, [...before, valueOf(spec, token.value, token.inlineValue === true)])
  }
  return {
    positionals,
    has: (name) => values.has(name),
    get: (name) => values.get(name)?.[0],
    all: (name) => values.get(name) ?? [],
  }
}

function parserOption({ value, short }: OptionSpec): { type: 'string' | 'boolean'; short?: string } {
  return { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) }
}

/** An option whose value may be left out takes none that is an option itself, or an address. */
function withFallback(arg: string, next: string | undefined, table: readonly OptionSpec[]): string {
  const spec = table.find(({ name, fallback }) => fallback !== undefined && arg === `--${name}`)
  if (spec === undefined) return arg
  const absent = next === undefined || (next.startsWith('-') && next !== '-') || next.includes('://')
  return absent ? `${arg}=${spec.fallback}` : arg
}

function valueOf(spec: OptionSpec, value: string | undefined, inline: boolean): string {
  if (spec.value === undefined) {
    if (value !== undefined) throw new UsageError(`--${spec.name} takes no value`)
    return ''
  }
  const looksLikeOption = value !== undefined && !inline && value.startsWith('-') && value !== '-'
  if (value === undefined || value === '' || looksLikeOption) throw new UsageError(`--${spec.name} needs ${spec.value}`)
  return value
}

function unknown(name: string, table: readonly OptionSpec[]): UsageError {
  const known = table.map((spec) => `--${spec.name}`).join(', ')
  return new UsageError(`There is no option ${quote(name)}; there are ${known}`)
}

const HELP_INDENT = 26

/** The options as lines of help. */
export function describeOptions(table: readonly OptionSpec[]): string[] {
  const lines: string[] = []
  for (const spec of table) {
    const short = spec.short === undefined ? '' : `-${spec.short}, `
    const value = spec.value === undefined ? '' : spec.fallback === undefined ? ` ${spec.value}` : ` [${spec.value}]`
    const label = `  ${short}--${spec.name}${value}`
    const fits = label.length < HELP_INDENT
    if (!fits) lines.push(label)
    for (const [at, text] of spec.help.entries()) {
      lines.push((fits && at === 0 ? label : '').padEnd(HELP_INDENT) + text)
    }
  }
  return lines
}

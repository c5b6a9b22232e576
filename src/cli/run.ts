/**
 * The command line as a function: which command it names, help, and what happens to errors. Whatever goes wrong for a reason that
 * the reader can mend is one sentence on standard error and the exit code 2; anything else is a fault of ours, and thrown.
 */
import { readFileSync } from 'node:fs'
import { quote } from '../errors.ts'
import { bench } from './bench.ts'
import { chat } from './chat.ts'
import type { Command } from './command.ts'
import { conform } from './conform.ts'
import { connect } from './connect.ts'
import { inspect } from './inspect.ts'
import { CommandError, Exit, UsageError } from './io.ts'
import type { Io } from './io.ts'
import { describeOptions, readOptions } from './options.ts'
import type { OptionSpec } from './options.ts'
import { serve } from './serve.ts'

const COMMANDS: readonly Command[] = [connect, serve, chat, inspect, conform, bench]

const HELP: OptionSpec = { name: 'help', short: 'h', help: ['Show this.'] }
const VERSION: OptionSpec = { name: 'version', short: 'v', help: ['Show the version.'] }

/** Runs `args`, which are those behind the program's name, and settles with the exit code. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const command = COMMANDS.find(({ name }) => name === args[0])
  try {
    return command === undefined ? general(args, io) : await runCommand(command, args.slice(1), io)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const program = command === undefined ? 'fullduplex' : `fullduplex ${command.name}`
    const hint = error instanceof UsageError ? `Try ${program} --help\n` : ''
    io.stderr.write(`${program}: ${error.message}.\n${hint}`)
    return Exit.Unable
  }
}

function general(args: readonly string[], io: Io): number {
  const [name] = args
  if (name !== undefined && !name.startsWith('-')) {
    if (name === 'help') return help(io)
    const known = COMMANDS.map((command) => command.name).join(', ')
    throw new UsageError(`There is no command ${quote(name)}; there are ${known}`)
  }
  const options = readOptions(args, [HELP, VERSION])
  if (options.has('help')) return help(io)
  if (options.has('version')) {
    io.stdout.write(`${version()}\n`)
    return Exit.Passed
  }
  io.stderr.write(generalHelp())
  return Exit.Unable
}

function help(io: Io): number {
  io.stdout.write(generalHelp())
  return Exit.Passed
}

async function runCommand(command: Command, args: readonly string[], io: Io): Promise<number> {
  const table = [...command.options, HELP]
  const options = readOptions(args, table)
  if (!options.has('help')) return command.run(options, io)
  const lines = [
    command.summary,
    '',
    ...command.usage.map((usage) => `  fullduplex ${usage}`),
    '',
    'Options',
    ...describeOptions(table),
    '',
    ...command.notes,
    '',
    'Examples',
    ...command.examples.map((example) => `  npx fullduplex ${example}`),
  ]
  io.stdout.write(`${lines.join('\n')}\n`)
  return Exit.Passed
}

function generalHelp(): string {
  const lines = [
    `fullduplex ${version()}: WebSockets (RFC 6455) from scratch.`,
    '',
    '  fullduplex COMMAND [OPTIONS]',
    '',
    'Commands',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(24)}${summary}`),
    '',
    'Options',
    ...describeOptions([HELP, VERSION]),
    '',
    'fullduplex COMMAND --help says more about a command.',
  ]
  return `${lines.join('\n')}\n`
}

/** The package's own version. Sources and built files lie equally deep below its root. */
function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

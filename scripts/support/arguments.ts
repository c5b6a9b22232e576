/** The command lines of our commands: what they were given, and a sentence about what is wrong with that. */
import { parseArgs } from 'node:util'
import type { ParseArgsConfig } from 'node:util'

/** Ends the process, with the exit code for options that are wrong. */
export function fail(message: string): never {
  console.error(message)
  return process.exit(2)
}

/** As `parseArgs`. With `--help` it prints `help` and ends the process, and also, with 2, for what it does not know. */
export function readArguments<const Config extends ParseArgsConfig>(
  help: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    const { values } = parseArgs({ strict: false, options: { help: { type: 'boolean', short: 'h' } } })
    if (values['help'] === true) {
      console.log(help)
      process.exit()
    }
    return parseArgs(config)
  } catch (error) {
    return fail((error as Error).message)
  }
}

/** A number from 0 on, `1e8` too. */
export function numberFrom(name: string, text: string): number {
  const number = Number(text)
  return Number.isFinite(number) && number >= 0 && text !== '' ? number : fail(`--${name} must be a number: ${text}`)
}

/** What a command has of the world: where it reads and writes, what the environment says, and whether it was asked to stop. */
import type { Readable } from 'node:stream'

/** A stream that octets are read from; a terminal is one that somebody types into. */
export type Input = Readable & { readonly isTTY?: boolean }

/** A stream that text is written to. */
export interface Output {
  write(text: string): unknown
  /** Whether somebody is watching: colours and lines that are redrawn make sense there only. */
  readonly isTTY?: boolean
  readonly columns?: number | undefined
}

export interface Io {
  readonly stdin: Input
  /** For the result, which may go to another program. */
  readonly stdout: Output
  /** For everything else: progress, hints, errors. */
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted by Ctrl-C, and by SIGTERM. */
  readonly interrupted: AbortSignal
}

/** What was asked for cannot be done, for a reason that the reader can mend; the message says which. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError'
}

/** The command line itself is wrong, so that its help is of use. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError'
}

/** Exit codes, for scripts. */
export const Exit = {
  Passed: 0,
  Failed: 1,
  /** Wrong usage, or nothing there to work on. */
  Unable: 2,
  /** Ctrl-C, as shells count it. */
  Interrupted: 130,
} as const

/** Whether somebody watches `output` on a terminal that can draw. */
export function isWatched(output: Output, env: Io['env']): boolean {
  return output.isTTY === true && env['TERM'] !== 'dumb'
}

/**
 * Whether to write colours to `output`. `FORCE_COLOR` goes first (`0` and `false` mean no), then `NO_COLOR`
 * (https://no-color.org), then whether it is a terminal that knows colours.
 */
export function wantsColors(output: Output, env: Io['env']): boolean {
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  const refused = env['NO_COLOR']
  if (refused !== undefined && refused !== '') return false
  return isWatched(output, env)
}

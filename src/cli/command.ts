/** A command: what it is called, how it is used, and what it does. */
import type { Io } from './io.ts'
import type { OptionSpec, Options } from './options.ts'

export interface Command {
  readonly name: string
  /** What it is for: a few words. */
  readonly summary: string
  /** Ways to call it, without `fullduplex` in front. */
  readonly usage: readonly string[]
  /** Its options; every command has `--help` on top of them. */
  readonly options: readonly OptionSpec[]
  /** Lines below its options in the help. */
  readonly notes: readonly string[]
  /** Calls that show what it can do, without `fullduplex` in front. */
  readonly examples: readonly string[]
  /** Does it; settles with the exit code. Throws a `UsageError` for what cannot be done. */
  run(options: Options, io: Io): Promise<number>
}

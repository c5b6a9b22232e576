/** What every target has in common: what it is fed, and how it says that something is wrong. */
import type { Random } from '../support/random.ts'

/** One input: octets, and a few words about how they are to be read. A finding is replayed from these two alone. */
export interface Input {
  /** As `settings` of the target lists them, such as `server deflate`. */
  readonly settings: string
  readonly octets: Buffer
}

export interface Target {
  readonly name: string
  /** All ways to set it up. */
  readonly settings: readonly string[]
  /** What it counts beside executions: frames, heads … */
  readonly unit: string
  /** Octets that mean something to it, to be put in by the mutator. */
  readonly dictionary: readonly Buffer[]

  /** A new input, made by its grammar. */
  generate(random: Random, settings: string): Buffer

  /**
   * Feeds the input to the library in several ways, and throws an Error when one of them does what it must not. Answers
   * how many of its units there were. `random` chooses the ways, and nothing about the input.
   */
  run(input: Input, random: Random): number | Promise<number>

  /** What the input means to the library, in words; what the corpus holds it to. */
  outcome(input: Input): string | Promise<string>
}

/** Throws the Error of a finding unless `condition` holds; `message` is only asked for then. */
export function check(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Error(message())
}

/** An error's code if it has one of ours; any other error is a finding, and thrown on. */
export function codeOf(error: unknown, ...kinds: readonly (new (...args: never[]) => Error)[]): string {
  const isExpected = kinds.some((kind) => error instanceof kind)
  if (isExpected && error instanceof Error && 'code' in error && typeof error.code === 'string') {
    if (error.code.startsWith('ERR_WS_')) return error.code
  }
  throw error
}

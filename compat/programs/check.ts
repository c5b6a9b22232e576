/** One thing that is tried, and what came of it. Runs in Node, Bun and Deno. */

/** `absent`: what is on the other side has no way to do it. */
export type Outcome = 'passed' | 'failed' | 'absent'

export interface Cell {
  readonly check: string
  readonly outcome: Outcome
  /** How many tests passed, where they are counted. */
  readonly tests?: number
  /** What went wrong, why it could not be tried, or what else there is to say. */
  readonly note?: string
}

export interface Check<T> {
  readonly name: string
  run(target: T): Promise<void>
}

/** Thrown by a check that cannot be made. */
export class Absent extends Error {}

/** Milliseconds that a check may take. */
const LIMIT = 30_000

export async function tryCheck<T>({ name, run }: Check<T>, target: T): Promise<Cell> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${LIMIT / 1000} s`)), LIMIT)
  })
  try {
    await Promise.race([run(target), late])
    return { check: name, outcome: 'passed' }
  } catch (error) {
    const note = describe(error)
    return { check: name, outcome: error instanceof Absent ? 'absent' : 'failed', note }
  } finally {
    clearTimeout(timer)
  }
}

/** One line, of a length that a table can bear, with the causes. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const text = error.cause === undefined ? error.message : `${error.message} (${describe(error.cause)})`
  return text.replaceAll(/\s+/g, ' ').slice(0, 300)
}

/** What a worker and whoever started it say to each other. */

/** Where what stands in the memory that they share. */
export const Slot = { Executions: 0, Units: 1, Seed: 2, Stop: 3 } as const
export const SLOTS = 4

export interface Order {
  readonly target: string
  readonly seed: number
  /** By `Slot`. */
  readonly account: Float64Array
}

export interface ReportedFinding {
  readonly target: string
  readonly seed: number
  readonly settings: string
  /** Hex; empty when the worker could not tell any more. */
  readonly octets: string
  /** The same, made smaller. */
  readonly smallest: string
  /** Message and stack. */
  readonly error: string
}

/** What goes on a command line at most. */
const LONGEST = 6000

/** A finding, with the commands that replay it. */
export function describeFinding({ target, seed, settings, octets, smallest, error }: ReportedFinding): string {
  const command = `npm run fuzz -- --target ${target} --replay ${seed}`
  const lines = [`FINDING in ${target} (${settings || 'no settings'})`, error, '', `replay:   ${command}`]
  if (octets !== '' && smallest.length <= LONGEST) {
    lines.push(
      `octets:   ${octets.length / 2}, made ${smallest.length / 2}`,
      `smallest: ${command} --settings '${settings}' --octets '${smallest}'`,
    )
  }
  return lines.join('\n')
}

/**
 * One piece of work of the codec, done in several ways: by ours, by ws, and by the limit, which is what the machine or
 * node does at best and often is less than the whole work.
 *
 * A way is prepared once and then done again and again, so that `run` measures the work and nothing else. Before anything
 * is timed, `checkCase` does it once more and compares what came of it.
 */
import { deepStrictEqual } from 'node:assert/strict'

export interface Way {
  /** Does the work; a promise where it cannot be done at once. This is what is timed. */
  run(): unknown
  /** Does the work by `run`, once, on fresh input, and answers what came of it; a limit that does less has none. */
  result?(): unknown
  /** Octets that come of it, where that is a matter of choice. */
  readonly octets?: number
}

export const PROGRAMS = ['fullduplex', 'ws', 'limit'] as const
export type Program = (typeof PROGRAMS)[number]

export interface Case {
  readonly group: string
  readonly name: string
  /** What all ways that have a result come to. */
  readonly expected: unknown
  readonly ways: { readonly [P in Program]?: Way }
}

/** Throws when one of the ways does not come to what is expected. */
export async function checkCase({ group, name, expected, ways }: Case): Promise<void> {
  for (const program of PROGRAMS) {
    const result = ways[program]?.result
    if (result === undefined) continue
    const found = await result()
    try {
      deepStrictEqual(found, expected)
    } catch (cause) {
      throw new Error(`${group}, ${name}: ${program} comes to something else`, { cause })
    }
  }
}

/** `32 B`, `1 KiB`, `1 MiB`: octets as the names of cases say them. */
export function sizeName(octets: number): string {
  if (octets >= 1_048_576) return `${octets / 1_048_576} MiB`
  return octets >= 1024 ? `${octets / 1024} KiB` : `${octets} B`
}

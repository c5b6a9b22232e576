/**
 * The parts of the codec by themselves, in this process: what each costs ours and ws, and what the machine could do at best.
 *
 * Programs take turns, and the best of a few rounds' medians counts: whatever else the machine does can only add to it.
 * Nothing is timed before all ways of a case came to the same.
 */
import { fileURLToPath } from 'node:url'
import { installPackages } from '../../scripts/support/packages.ts'
import type { CodecRow } from '../results.ts'
import { PROGRAMS, checkCase } from './case.ts'
import type { Case } from './case.ts'
import { codecCases } from './cases.ts'
import { loadOurs, loadWs } from './parts.ts'

export interface CodecOptions {
  /** Under 20 seconds instead of under three minutes: one short round, without the cases that are much like others. */
  readonly quick?: boolean
  /** A part of the group's and the case's name; all cases unless given. */
  readonly only?: string
}

/** What `quick` leaves out. */
const MUCH_ALIKE = /unaligned|64 KiB|many scripts|ws as ours/

/** Rounds, and milliseconds of each. */
const QUICK = { rounds: 1, milliseconds: 15 }
const FULL = { rounds: 3, milliseconds: 90 }
/** Milliseconds for all cases: on a machine that is busy there are fewer rounds, and not a longer run. */
const BUDGET = 150_000

export async function runCodec(options: CodecOptions, onProgress: (line: string) => void): Promise<CodecRow[]> {
  const { quick = false, only = '' } = options
  await installPackages(fileURLToPath(new URL('..', import.meta.url)))
  const all = await codecCases(await loadOurs(), loadWs())
  const cases = all.filter(({ group, name }) => {
    return `${group}: ${name}`.includes(only) && !(quick && MUCH_ALIKE.test(name))
  })
  for (const one of cases) await checkCase(one)
  const rows: CodecRow[] = []
  const start = performance.now()
  for (const [index, one] of cases.entries()) {
    onProgress(`codec ${index + 1} of ${cases.length}: ${one.group}, ${one.name}`)
    rows.push(...(await measureCase(one, quick ? QUICK : FULL, start + (BUDGET * (index + 1)) / cases.length)))
  }
  return rows
}

async function measureCase(
  { group, name, ways }: Case,
  { rounds, milliseconds }: typeof FULL,
  deadline: number,
): Promise<CodecRow[]> {
  const { nanosecondsOf } = await import('./measure.ts')
  const best = new Map<string, number>()
  for (let round = 0; round < rounds && (round === 0 || performance.now() < deadline); round++) {
    for (const program of PROGRAMS) {
      const way = ways[program]
      if (way === undefined) continue
      const nanoseconds = await nanosecondsOf(way.run, milliseconds)
      best.set(program, Math.min(nanoseconds, best.get(program) ?? Infinity))
    }
  }
  return Array.from(best, ([program, nanoseconds]) => {
    const octets = ways[program as keyof typeof ways]?.octets
    const row = { group, case: name, program, nanoseconds: Number(nanoseconds.toPrecision(3)) }
    return octets === undefined ? row : { ...row, octets }
  })
}

/**
 * How cost grows: with connections, message size, fragments, topics, subscribers, and the octets of the opening handshake, each doubled
 * until it is large. The cost is that of the whole, so twice as much may cost twice as much, and no more.
 */
import { openingRequest } from './load/link.ts'
import { cheapest } from './measurement.ts'
import type { Pinning } from './pinning.ts'
import { subjectsOf } from './programs.ts'
import type { Growth } from './results.ts'
import type { Progress } from './rounds.ts'
import { measureServer } from './run.ts'
import type { Scenario } from './scenarios.ts'

interface Course {
  readonly of: string
  readonly programs: readonly string[]
  readonly first: number
  readonly last: number
  scenario(x: number): Scenario
  /** How many of what the scenario counts make the whole. */
  whole?(x: number): number
}

const KiB = 1024
/** Octets of an opening handshake without further fields. */
const REQUEST = openingRequest({ host: '127.0.0.1', port: 50_000, path: '/' }).length
const base: Scenario = {
  id: 'growth',
  title: '',
  mode: 'echo',
  traffic: 'replies',
  connections: 4,
  size: 32,
  kind: 'binary',
  depth: 1,
  batch: false,
  unit: 'message',
}

const courses: readonly Course[] = [
  {
    of: 'connections',
    programs: ['fullduplex', 'ws', 'raw'],
    first: 1,
    last: 1024,
    scenario: (x) => ({ ...base, connections: x }),
    whole: (x) => x,
  },
  {
    of: 'size',
    programs: ['fullduplex', 'ws', 'raw'],
    first: 16,
    last: KiB * KiB,
    scenario: (x) => ({ ...base, size: x }),
  },
  {
    of: 'fragments',
    programs: ['fullduplex', 'ws'],
    first: 1,
    last: 1024,
    scenario: (x) => ({ ...base, mode: 'answer', size: 64 * KiB, fragment: (64 * KiB) / x }),
  },
  {
    of: 'topics',
    programs: ['fullduplex'],
    first: 1,
    last: 1024,
    scenario: (x) => ({ ...base, mode: 'topics', connections: 1, topics: x }),
    whole: (x) => x,
  },
  {
    of: 'subscribers',
    programs: ['fullduplex', 'ws', 'raw'],
    first: 1,
    last: 1024,
    scenario: (x) => ({ ...base, mode: 'broadcast', traffic: 'broadcast', connections: x, unit: 'delivery' }),
    whole: (x) => x,
  },
  {
    of: 'header octets',
    programs: ['fullduplex', 'ws'],
    first: KiB,
    last: 8 * KiB,
    scenario: (x) => ({
      ...base,
      traffic: 'churn',
      connections: 32,
      size: 0,
      headerOctets: x - REQUEST,
      warmUp: 2000,
      unit: 'connection',
    }),
  },
]

const ROUNDS = 2

/** `quick` quadruples and shortens, `smoke` looks at both ends only. `failed` is told which points have no figure, and why. */
export async function measureGrowth(
  pace: 'full' | 'quick' | 'smoke',
  pinning: Pinning,
  progress: Progress,
  failed: (problem: string) => void,
): Promise<Growth[]> {
  const factor = pace === 'full' ? 2 : pace === 'quick' ? 4 : Infinity
  const seconds = pace === 'full' ? 0.7 : pace === 'quick' ? 0.4 : 0.05
  const growths: Growth[] = []
  for (const course of courses) {
    for (const program of course.programs) {
      const points: { x: number; cost: number }[] = []
      for (const x of steps(course, factor)) {
        progress(`growth with ${course.of}, ${x}: ${program}`)
        const cost = await cheapestOf(course.scenario(x), program, pace === 'full' ? ROUNDS : 1, seconds, pinning)
        if (typeof cost === 'string') failed(`growth with ${course.of}, ${x}: ${program}: ${cost}`)
        else points.push({ x, cost: cost * (course.whole?.(x) ?? 1) })
      }
      growths.push({ of: course.of, program, points })
    }
  }
  return growths
}

function steps({ first, last }: Course, factor: number): number[] {
  const values: number[] = []
  for (let x = first; x < last; x *= factor) values.push(x)
  return [...values, last]
}

/** Whatever else the machine does can only add to it. Answers what is wrong where something is. */
async function cheapestOf(
  scenario: Scenario,
  program: string,
  rounds: number,
  seconds: number,
  pinning: Pinning,
): Promise<number | string> {
  const [subject] = subjectsOf(program, 'server')
  const reports = []
  for (let round = 0; round < rounds; round++) {
    const { warmUp: warmUpMessages = 0 } = scenario
    const timing = { warmUp: seconds, seconds, warmUpMessages, measure: 'cost' } as const
    reports.push(await measureServer(subject, scenario, timing, pinning))
  }
  return cheapest(reports)
}

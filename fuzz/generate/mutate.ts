/** Small changes to octets that were good or bad before: most of what is in them stays, and leads deep into the code. */
import type { Random } from '../support/random.ts'

const INTERESTING = [0, 1, 0x0a, 0x0d, 0x20, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x88, 0xc1, 0xfe, 0xff]
const LONGEST = 200_000

type Change = (octets: Buffer, random: Random, others: readonly Buffer[]) => Buffer

function replaced(octets: Buffer, start: number, end: number, by: Buffer): Buffer {
  return Buffer.concat([octets.subarray(0, start), by, octets.subarray(end)])
}

/** Two places, the first one not behind the second, mostly near to each other. */
function range(octets: Buffer, random: Random): [start: number, end: number] {
  const start = random.int(octets.length + 1)
  return [start, Math.min(octets.length, start + 1 + random.small(64))]
}

const CHANGES: readonly Change[] = [
  (octets, random) => {
    const changed = Buffer.from(octets)
    if (changed.length > 0) changed[random.int(changed.length)] ^= 1 << random.int(8)
    return changed
  },
  (octets, random) => {
    const changed = Buffer.from(octets)
    if (changed.length > 0) changed[random.int(changed.length)] = random.pick(INTERESTING)
    return changed
  },
  (octets, random) => {
    const at = random.int(octets.length + 1)
    return replaced(octets, at, at, random.bytes(random.between(1, 4)))
  },
  (octets, random) => {
    const [start, end] = range(octets, random)
    return replaced(octets, start, end, Buffer.alloc(0))
  },
  (octets, random) => {
    const [start, end] = range(octets, random)
    return replaced(octets, end, end, octets.subarray(start, end))
  },
  (octets, random) => octets.subarray(0, random.int(octets.length + 1)),
  (octets, random, others) => {
    const [start, end] = range(octets, random)
    return replaced(octets, start, random.chance(0.5) ? start : end, random.pick(others))
  },
  (octets, random, others) => {
    const other = random.pick(others)
    const [start] = range(octets, random)
    return Buffer.concat([octets.subarray(0, start), other.subarray(random.int(other.length + 1))])
  },
]

/** A copy of `octets` with one to four changes; `others` are what may be put in, at least one. */
export function mutate(random: Random, octets: Buffer, others: readonly Buffer[]): Buffer {
  let changed = octets
  for (let left = random.between(1, 4); left > 0; left--) changed = random.pick(CHANGES)(changed, random, others)
  return Buffer.from(changed.subarray(0, LONGEST))
}

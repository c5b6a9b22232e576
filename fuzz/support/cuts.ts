/**
 * The ways in which a network may cut octets. Whatever reads them has to come to the same end in all of them.
 */
import type { Random } from './random.ts'

/** So short that each place may be cut. */
const CUT_EVERYWHERE_UP_TO = 64
const OCTET_BY_OCTET_UP_TO = 2000

/** Where chunks end, but for the last one. */
export type Cuts = readonly number[]

/** Some ways to cut `length` octets: a random one always, octet by octet and in two at each place now and then. */
export function* waysToCut(length: number, random: Random): Generator<Cuts> {
  yield randomCuts(length, random)
  if (length <= OCTET_BY_OCTET_UP_TO && random.chance(0.1)) yield Array.from({ length }, (_, at) => at)
  if (length <= CUT_EVERYWHERE_UP_TO && random.chance(0.3)) for (let at = 0; at <= length; at++) yield [at]
}

function randomCuts(length: number, random: Random): Cuts {
  const cuts = Array.from({ length: random.between(1, 6) }, () => random.int(length + 1))
  return cuts.toSorted((a, b) => a - b)
}

/** The chunks, in memory of their own: whoever reads them may change them. */
export function cutUp(octets: Buffer, cuts: Cuts): Buffer[] {
  const copy = Buffer.from(octets)
  const chunks: Buffer[] = []
  let start = 0
  for (const end of [...cuts, octets.length]) {
    chunks.push(copy.subarray(start, end))
    start = end
  }
  return chunks
}

/** A run: streams from a seed, a verdict of ours and of each peer, and what differs. */
import { Case, Tally } from './compare.ts'
import { ours } from './peers/ours.ts'
import { rules } from './rules.ts'
import { createStream } from './streams.ts'
import type { Endpoint } from './verdict.ts'

const BATCH = 256

export interface RunOptions {
  readonly seed: number
  /** The first stream, and how many from there. */
  readonly first?: number
  readonly streams: number
  readonly peers: readonly Endpoint[]
  /** A difference, with the number of its stream and the rules that explain it; a finding has none. */
  onDifference?(difference: Case, index: number, rules: readonly string[]): void
  onProgress?(done: number): void
}

/** What became of it, by peer. */
export async function run(options: RunOptions): Promise<ReadonlyMap<string, Tally>> {
  const { seed, first = 0, streams, peers } = options
  const tallies = new Map(peers.map(({ name }) => [name, new Tally(name, rules)]))
  for (let at = first; at < first + streams; at += BATCH) {
    const length = Math.min(BATCH, first + streams - at)
    const batch = Array.from({ length }, (_, index) => ({ index: at + index, stream: createStream(seed, at + index) }))
    const verdicts = await ours.judge(batch.map(({ stream }) => stream))
    await Promise.all(
      peers.map(async (peer) => {
        const given = batch
          .map((one, position) => ({ ...one, ours: verdicts[position] }))
          .filter(({ stream }) => peer.takes(stream))
        const theirs = await peer.judge(given.map(({ stream }) => stream))
        for (const [position, one] of given.entries()) {
          const difference = new Case(peer.name, one.stream, one.ours, theirs[position])
          const explained = tallies.get(peer.name)?.count(difference)
          if (explained !== undefined) options.onDifference?.(difference, one.index, explained)
        }
      }),
    )
    options.onProgress?.(at + length - first)
  }
  return tallies
}

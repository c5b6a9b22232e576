/**
 * What the bench has measured, as it is kept in `docs/benchmarks.json`: figures only. What is said about them, and how they are
 * drawn, is made from this file again whenever it is needed.
 */
import { readFile, writeFile } from 'node:fs/promises'

export interface Results {
  /** When the run ended, as in `2026-01-31`. */
  readonly date: string
  /** The command that made it. */
  readonly command: string
  readonly machine: Machine
  /** What ran under a program's name: `fullduplex` → `fullduplex 0.1.0, Node 20.20.2`. */
  readonly versions: Readonly<Record<string, string>>
  readonly servers: readonly Measurement[]
  readonly clients: readonly Measurement[]
  readonly growth: readonly Growth[]
  readonly codec: readonly CodecRow[]
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory: string
  readonly kernel: string
  readonly node: string
}

/** One program in one scenario, as a server or as a client. */
export interface Measurement {
  /** The id of the scenario: `S1-50`. */
  readonly scenario: string
  readonly program: string
  /** What ran the program: `node20`, `bun`. */
  readonly runtime: string
  /** Microseconds of CPU time for a message; for a delivery where one message goes to many, for a connection in S7. */
  readonly cost?: Spread
  /** Messages (deliveries, connections) in a second. */
  readonly rate?: Spread
  /** The share of its core that each side used, 0 to 1; and what else the machine did meanwhile, in cores. */
  readonly busy?: { readonly program: number; readonly load: number; readonly others?: number }
  /** `false` when the cost says too little to be compared: `why` tells the reason. */
  readonly ranked: boolean
  readonly why?: string
  readonly latency?: Latency
  /** Octets of resident memory for an idle connection. */
  readonly memory?: Spread
  /** Mean octets of a compressed reply. */
  readonly octets?: number
  /** Why there is no figure. */
  readonly skipped?: string
}

/** The middle of several rounds, and their ends. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly rounds: number
}

/** Microseconds from the moment that a message was due, at a rate that does not wait for replies. */
export interface Latency {
  /** Messages in a second, as planned and as answered. */
  readonly rate: number
  readonly achieved: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** How the cost of one thing grows with another. */
export interface Growth {
  /** What is doubled: `connections`, `size`, `fragments`, `topics`, `subscribers`, `header octets`. */
  readonly of: string
  readonly program: string
  readonly points: readonly { readonly x: number; readonly cost: number }[]
}

/** One part of the codec by itself; `limit` is the fastest that the machine could do. */
export interface CodecRow {
  readonly group: string
  readonly case: string
  readonly program: string
  readonly nanoseconds: number
  readonly octets?: number
}

/** Answers to nothing when there is no such file. */
export async function readResults(path: string): Promise<Results | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? undefined : (JSON.parse(text) as Results)
}

export async function writeResults(path: string, results: Results): Promise<void> {
  await writeFile(path, `${JSON.stringify(results, undefined, 2)}\n`)
}

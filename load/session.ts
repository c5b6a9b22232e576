/** What the three commands have in common: two processes that are started and stopped, checks that are printed, and what is kept. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { machine } from '../bench/machine.ts'
import { pinning } from '../bench/pinning.ts'
import type { Chart } from '../bench/report/charts.ts'
import type { Machine } from '../bench/results.ts'
import { installPackages } from '../scripts/support/packages.ts'
import type { CommonOptions } from './options.ts'
import type { Sample } from './probe.ts'
import type { Counted } from './servers/fullduplex.ts'
import { inMiB } from './verdict.ts'
import type { Check } from './verdict.ts'
import { Watched } from './watched.ts'

/** Milliseconds that the server has to notice that all have ended. */
const QUIET = 10_000
const bench = fileURLToPath(new URL('../bench', import.meta.url))

/** A server with its clients, and where it listens. */
export interface Pair {
  readonly server: Watched
  readonly clients: Watched
  readonly url: string
}

/** Which programs: files in this folder, or a command in place of the server. */
export interface Programs {
  readonly server: string
  readonly arguments: readonly string[]
  readonly clients: string
  readonly command: string | undefined
}

/** Starts both, and stops them whatever becomes of `act`. */
export async function together<Result>(programs: Programs, act: (pair: Pair) => Promise<Result>): Promise<Result> {
  const pins = pinning()
  if (pins.none !== undefined) console.error(`Nothing is pinned to a core: ${pins.none}.`)
  const { command, arguments: args } = programs
  const server = new Watched(
    'server',
    command === undefined ? { file: programs.server, args } : { command, args },
    pins,
  )
  const clients = new Watched('clients', { file: programs.clients, args: [] }, pins)
  try {
    const [url] = await Promise.all([server.ready(), clients.ready()])
    return await act({ server, clients, url })
  } finally {
    await Promise.all([server.stop(), clients.stop()])
  }
}

/** What a run came to. */
export interface Outcome {
  /** Everything that was measured. */
  readonly figures: object
  readonly checks: readonly Check[]
  readonly charts: readonly Chart[]
}

interface Kept {
  readonly date: string
  readonly command: string
  readonly machine: Machine
}

/**
 * Runs `act`, prints its checks, keeps what shall be kept, and sets the exit code. What goes wrong on the way is a check that failed,
 * and the only one.
 */
export async function judge(name: string, options: CommonOptions, act: () => Promise<Outcome>): Promise<void> {
  const outcome = await act().catch((error: unknown): Outcome => {
    const found = error instanceof Error ? error.message : String(error)
    return { figures: {}, checks: [{ what: 'everything arrives', holds: false, found }], charts: [] }
  })
  const { checks } = outcome
  console.log(`\n${checks.map(lineOf).join('\n')}\n`)
  await keep(name, options, outcome)
  const failed = checks.filter(({ holds }) => !holds).length
  console.log(`${name}: ${checks.length - failed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

async function keep(name: string, { json, charts: folder }: CommonOptions, outcome: Outcome): Promise<void> {
  const { figures, checks, charts } = outcome
  if (json !== undefined) {
    const kept: Kept = {
      date: new Date().toISOString().slice(0, 10),
      command: [`npm run ${name}`, ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
      machine: machine(),
    }
    await writeFile(json, `${JSON.stringify({ ...kept, ...figures, checks }, undefined, 2)}\n`)
  }
  if (folder === undefined || charts.length === 0) return
  await installPackages(bench)
  const { draw } = await import('../bench/report/draw.ts')
  await mkdir(folder, { recursive: true })
  for (const chart of charts) await writeFile(join(folder, chart.file), draw(chart))
}

function lineOf({ what, holds, found }: Check): string {
  return `${holds ? 'ok  ' : 'FAIL'}  ${what}: ${found}`
}

/** What a sample says, in a few words. */
export function memoryOf({ used, rss }: Sample): string {
  return `${inMiB(used)} used, ${inMiB(rss)} RSS`
}

/** The samples of both sides, at one time. */
export interface Samples {
  readonly server: Sample
  readonly clients: Sample
}

export async function sampleBoth({ server, clients }: Pair): Promise<Samples> {
  const [ofServer, ofClients] = await Promise.all([server.sample(), clients.sample()])
  return { server: ofServer, clients: ofClients }
}

/** What the server has counted, once it has noticed that all have ended, or when it has had its time. */
export async function quiet({ server }: Pair): Promise<Counted | undefined> {
  const until = performance.now() + QUIET
  let counted = await server.ask<Counted>('counts')
  while (counted !== undefined && counted.connections + counted.pendingHandshakes > 0 && performance.now() < until) {
    await delay(20)
    counted = await server.ask<Counted>('counts')
  }
  return counted
}

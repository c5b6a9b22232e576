/**
 * `npm run bench`: what servers and clients cost, beside each other. `npm run bench -- --help` says what can be asked for.
 *
 * The figure is the CPU time of the program, user and system, for a message, as Linux counts it: far steadier than how many messages
 * there are in a second, and it shows what the rate hides. Compare only what was measured in the same run.
 */
import { join } from 'node:path'
import { runCodec } from './codec/run.ts'
import { codecTable } from './codec/table.ts'
import { measureGrowth } from './growth.ts'
import { compare } from './guard.ts'
import { machine } from './machine.ts'
import { isWrong } from './measurement.ts'
import { HELP, parseOptions } from './options.ts'
import type { Options } from './options.ts'
import { pinning } from './pinning.ts'
import type { Pinning } from './pinning.ts'
import { prepare } from './prepare.ts'
import { root, versionsOf } from './programs.ts'
import { readResults, writeResults } from './results.ts'
import type { Measurement, Results } from './results.ts'
import { measureClients, measureServers } from './rounds.ts'
import { comparisonLine, growthTables, overview, scenarioBlock } from './table.ts'

const failures: string[] = []
const RECORD = join(root, 'docs/benchmarks.json')

let options: Options
try {
  options = parseOptions(process.argv.slice(2))
} catch (error) {
  console.error(`${(error as Error).message}\nnpm run bench -- --help says more.`)
  process.exit(2)
}
if (options.help) {
  console.log(HELP)
  process.exit()
}
if (process.platform !== 'linux') {
  console.error('The bench needs Linux: CPU time is read from /proc.')
  process.exit(1)
}
process.exitCode = await bench()

async function bench(): Promise<number> {
  const { parts, servers, clients, guard, json, write } = options
  const subjects = [
    ...(parts.includes('servers') ? servers.subjects : []),
    ...(parts.includes('clients') ? clients.subjects : []),
  ]
  await prepare(subjects, options)
  const record = await readResults(RECORD)
  const pins = pinning()
  if (pins.none !== undefined) console.error(`Nothing is pinned to a core: ${pins.none}.`)
  const versions = await versionsOf(subjects)
  if (subjects.length > 0) console.log(`${Object.values(versions).join(' · ')}\n`)
  const measured = await measureParts(pins, record)
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    machine: machine(),
    versions,
    ...measured,
  }
  if (json !== undefined) await writeResults(json, results)
  if (write) await keep(results, record)
  const all = [...measured.servers, ...measured.clients]
  const worse = guard ? compare(measured.servers, record?.servers ?? []).filter((one) => one.worse) : []
  for (const one of worse) console.error(`${one.scenario}: ${comparisonLine(one)}`)
  return worse.length > 0 || failures.length > 0 || all.some(isWrong) ? 1 : 0
}

function failed(problem: string): void {
  failures.push(problem)
  console.error(problem)
}

async function measureParts(
  pins: Pinning,
  record: Results | undefined,
): Promise<Pick<Results, 'servers' | 'clients' | 'growth' | 'codec'>> {
  const { parts, servers, clients, settings, pace } = options
  const quick = pace !== 'full'
  const measured = { servers: [] as Measurement[], clients: [] as Measurement[] }
  if (parts.includes('servers')) {
    for (const scenario of servers.scenarios) {
      const block = await measureServers(scenario, servers.subjects, settings, pins, progress)
      show(scenario, block, record?.servers)
      measured.servers.push(...block)
    }
    atAGlance(measured.servers)
  }
  if (parts.includes('clients')) {
    for (const scenario of clients.scenarios) {
      const block = await measureClients(scenario, clients.subjects, settings, pins, progress)
      show(scenario, block, record?.clients)
      measured.clients.push(...block)
    }
    atAGlance(measured.clients)
  }
  const growth = parts.includes('growth') ? await measureGrowth(pace, pins, progress, failed) : []
  progress('')
  if (growth.length > 0 && pace !== 'smoke') console.log(growthTables(growth))
  const codec = parts.includes('codec') ? await runCodec({ quick }, progress) : []
  progress('')
  if (codec.length > 0) console.log(codecTable(codec))
  return { ...measured, growth, codec }
}

function show(
  scenario: Parameters<typeof scenarioBlock>[0],
  block: readonly Measurement[],
  recorded: readonly Measurement[] = [],
) {
  progress('')
  if (options.pace !== 'smoke') console.log(scenarioBlock(scenario, block, recorded))
  else for (const { program, skipped } of block) console.log(`${scenario.id} ${program}: ${skipped ?? 'right'}`)
}

function atAGlance(measured: readonly Measurement[]): void {
  const scenarios = new Set(measured.map(({ scenario }) => scenario))
  if (options.pace !== 'smoke' && scenarios.size > 1) console.log(`${overview(measured)}\n`)
}

/** The record and its page; parts that were not measured now are those of the last time. */
async function keep(results: Results, record: Results | undefined): Promise<void> {
  const { parts } = options
  const old = record ?? { versions: {}, servers: [], clients: [], growth: [], codec: [] }
  const whole: Results = {
    ...results,
    versions: { ...old.versions, ...results.versions },
    servers: parts.includes('servers') ? results.servers : old.servers,
    clients: parts.includes('clients') ? results.clients : old.clients,
    growth: parts.includes('growth') ? results.growth : old.growth,
    codec: parts.includes('codec') ? results.codec : old.codec,
  }
  await writeResults(RECORD, whole)
  const { writeReport } = await import('./report/write.ts')
  await writeReport(whole, root)
}

/** One line that is written over, where somebody may be looking. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

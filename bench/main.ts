/**
 * `npm run bench`: what servers cost, beside each other. `npm run bench -- --help` says what can be asked for.
 *
 * The figure is the CPU time of the program, user and system, for a message, as Linux counts it: far steadier than how many messages
 * there are in a second, and it shows what the rate hides. Compare only what was measured in the same run.
 */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../scripts/support/command.ts'
import { installPackages } from '../scripts/support/packages.ts'
import { compare } from './guard.ts'
import { machine } from './machine.ts'
import { isWrong } from './measurement.ts'
import { HELP, parseOptions } from './options.ts'
import type { Options } from './options.ts'
import { pinning } from './pinning.ts'
import { atHand, folder, root } from './programs.ts'
import type { Subject } from './programs.ts'
import { readResults, writeResults } from './results.ts'
import type { Measurement, Results } from './results.ts'
import { measureScenario } from './servers-part.ts'
import { comparisonLine, overview, scenarioBlock } from './table.ts'

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
process.exitCode = await bench(options)

async function bench({ scenarios, subjects, settings, smoke, guard, json }: Options): Promise<number> {
  if (process.platform !== 'linux') throw new Error('Linux is needed: CPU time is read from /proc')
  await prepare(subjects)
  const recorded = (await readResults(join(root, 'docs/benchmarks.json')))?.servers ?? []
  const pins = pinning()
  if (pins.none !== undefined) console.error(`Nothing is pinned to a core: ${pins.none}.`)
  const versions = await versionsOf(subjects)
  console.log(`${Object.values(versions).join(' · ')}\n`)
  const servers: Measurement[] = []
  for (const scenario of scenarios) {
    const measured = await measureScenario(scenario, subjects, settings, pins, progress)
    progress('')
    console.log(smoke ? smokeLines(scenario.id, measured) : scenarioBlock(scenario, measured, recorded))
    servers.push(...measured)
  }
  if (!smoke && scenarios.length > 1) console.log(`${overview(servers)}\n`)
  if (json !== undefined) await writeResults(json, { ...frame(versions), servers, clients: [], growth: [], codec: [] })
  const worse = guard ? compare(servers, recorded).filter((one) => one.worse) : []
  for (const one of worse) console.error(`${one.scenario}: ${comparisonLine(one)}`)
  return worse.length > 0 || servers.some(isWrong) ? 1 : 0
}

/** JavaScript of the programs, and the packages of those that need some. */
async function prepare(subjects: readonly Subject[]): Promise<void> {
  const needed = subjects.some(
    ({ program, runtime, executable }) =>
      runtime !== 'foreign' && !(atHand.includes(program) && executable === process.execPath),
  )
  if (needed) await installPackages(folder)
  await access(join(root, 'dist/index.js')).catch(() => {
    throw new Error('the library is not built: npm run build')
  })
  const { code, output } = await runCommand(join(root, 'node_modules/.bin/tsc'), ['-p', folder])
  if (code !== 0) throw new Error(`the programs of the bench could not be compiled:\n${output}`)
}

async function versionsOf(subjects: readonly Subject[]): Promise<Record<string, string>> {
  const severalNodes =
    new Set(subjects.map(({ runtime }) => runtime).filter((name) => name.startsWith('node'))).size > 1
  const entries = await Promise.all(
    subjects.map(async ({ program, runtime, version }): Promise<[string, string]> => {
      const name = severalNodes && runtime.startsWith('node') ? `${program} · ${runtime}` : program
      return [name, (await version()) ?? `${program}: not here`]
    }),
  )
  return Object.fromEntries(entries)
}

function frame(versions: Record<string, string>): Pick<Results, 'date' | 'command' | 'machine' | 'versions'> {
  const date = new Date().toISOString().slice(0, 10)
  return { date, command: ['npm run bench --', ...process.argv.slice(2)].join(' '), machine: machine(), versions }
}

function smokeLines(id: string, measured: readonly Measurement[]): string {
  return measured.map(({ program, skipped }) => `${id} ${program}: ${skipped ?? 'right'}`).join('\n')
}

/** One line that is written over, where somebody may be looking. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

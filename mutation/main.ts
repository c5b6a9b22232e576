/**
 * `npm run mutation -- [area or source file …]`: changes the sources, a little at a time, and sees whether a test notices
 * each change. Needs `npm ci --prefix mutation`. What was found is kept in .mutation/, so that a later run looks only at what
 * changed; `--score` shows it without a run, `--write` puts it into docs/mutation.md. It fails when an area's score is below 85.
 * `--concurrency 4` tries as many at a time.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { areas, sourcesOf, testsOf } from './areas.ts'
import { lowest, tableOf, withTable } from './scores.ts'
import type { Report } from './scores.ts'

const LEAST = 85
const FOLDER = '.mutation'
const PAGE = 'docs/mutation.md'
const STRYKER = 'mutation/node_modules/@stryker-mutator/core/bin/stryker.js'

const { values: options, positionals } = parseArgs({
  options: {
    score: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '1' },
  },
  allowPositionals: true,
})
const all = Object.keys(areas)
const wanted = (positionals.length > 0 ? positionals : all).flatMap(sourcesNamed)

let failed = false
if (!options.score && !options.write) {
  if (!existsSync(STRYKER)) throw new Error('npm ci --prefix mutation, first')
  for (const source of wanted) failed = !mutate(source) || failed
}
const reports = all.map((area) => [area, sourcesOf(area).flatMap(reportOf)] as const)
const known = reports.filter(([, found]) => found.length > 0)
const table = tableOf(known)
console.log(table)
if (options.write) writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), table))
process.exitCode = failed || lowest(known) < LEAST ? 1 : 0

function sourcesNamed(name: string): string[] {
  if (all.includes(name)) return sourcesOf(name)
  if (all.some((area) => sourcesOf(area).includes(name))) return [name]
  throw new Error(`${name} is neither one of ${all.join(', ')} nor a source of one`)
}

/** Whether Stryker could do its work. */
function mutate(source: string): boolean {
  const config = fileFor(source, 'config.json')
  mkdirSync(dirname(config), { recursive: true })
  writeFileSync(config, JSON.stringify(configuration(source), undefined, 2))
  const env = { ...process.env, MUTATION_TESTS: testsOf(source).join(',') }
  return spawnSync(process.execPath, [STRYKER, 'run', config], { env, stdio: 'inherit' }).status === 0
}

function configuration(source: string): object {
  return {
    testRunner: 'vitest',
    vitest: { configFile: 'mutation/vitest.config.ts' },
    plugins: [`${process.cwd()}/mutation/node_modules/@stryker-mutator/vitest-runner/dist/src/index.js`],
    mutate: [source],
    coverageAnalysis: 'perTest',
    // What happens while a module is loaded cannot be told apart by test.
    ignoreStatic: true,
    incremental: true,
    incrementalFile: fileFor(source, 'json'),
    // A mutant that loops for ever is found by counting; these milliseconds are for one that waits.
    timeoutMS: 6000,
    timeoutFactor: 2,
    concurrency: Number(options.concurrency),
    tempDirName: `${FOLDER}/tmp`,
    ignorePatterns: ['dist', 'coverage'],
    // Our TypeScript has not the functions with which Stryker would rewrite it.
    tsconfigFile: 'none',
    disableTypeChecks: false,
    reporters: ['clear-text', 'html'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    htmlReporter: { fileName: fileFor(source, 'html') },
  }
}

function fileFor(source: string, extension: string): string {
  return `${FOLDER}/${source.slice(0, -'.ts'.length)}.${extension}`
}

/** None, or one. */
function reportOf(source: string): Report[] {
  const file = fileFor(source, 'json')
  return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8')) as Report] : []
}

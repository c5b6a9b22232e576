/** `npm run mutation`: changes the sources, a little at a time, and sees whether a test notices each change (docs/mutation.md). */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fail, numberFrom, readArguments } from '../scripts/support/arguments.ts'
import { areas, sourcesOf, testsOf } from './areas.ts'
import { lowest, tableOf, withTable } from './scores.ts'
import type { Report } from './scores.ts'

const LEAST = 85
const FOLDER = '.mutation'
const PAGE = 'docs/mutation.md'
const STRYKER = 'mutation/node_modules/@stryker-mutator/core/bin/stryker.js'

const HELP = `npm run mutation -- [options] [area or source file …]

  --concurrency 4   so many changes at a time
  --score           what is known, without a run
  --write           that, and in docs/mutation.md, too

Areas: ${Object.keys(areas).join(', ')}; all of them unless some are named. What was found is kept in ${FOLDER}/, so that a later
run looks only at what changed. Needs "npm ci --prefix mutation". The exit code is 1 when the score of an area is below ${LEAST}, 2
for options that are wrong.`

const { values: options, positionals } = readArguments(HELP, {
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
  if (!existsSync(STRYKER)) fail('npm ci --prefix mutation, first')
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
  return fail(`${name} is neither one of ${all.join(', ')} nor a source of one`)
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
    concurrency: numberFrom('concurrency', options.concurrency),
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

/**
 * `npm run mutation -- [area or source file …]`: changes the sources, a little at a time, and sees whether a test notices
 * each change. Needs `npm ci --prefix mutation`. What was found is kept in .mutation/, so that a later run looks only at what
 * changed; `--score` shows it without a run, `--write` puts it into docs/mutation.md. It fails when an area's score is below 85.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { areaOf, areas, patterns } from './areas.ts'
import { lowest, tableOf, withTable } from './scores.ts'
import type { Report } from './scores.ts'

const LEAST = 85
const FOLDER = '.mutation'
const PAGE = 'docs/mutation.md'
const STRYKER = 'mutation/node_modules/@stryker-mutator/core/bin/stryker.js'

const { values: options, positionals } = parseArgs({
  options: { score: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const wanted = wantedFiles(positionals.length > 0 ? positionals : Object.keys(areas))

let failed = false
if (!options.score && !options.write) {
  if (!existsSync(STRYKER)) throw new Error('npm ci --prefix mutation, first')
  for (const [area, mutate] of wanted) failed = !mutateArea(area, mutate) || failed
}
const reports = Object.keys(areas).flatMap(reportOf)
const table = tableOf(reports)
console.log(table)
if (options.write) writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), table))
process.exitCode = failed || lowest(reports) < LEAST ? 1 : 0

/** By area, the patterns of what is mutated. */
function wantedFiles(names: readonly string[]): Map<string, string[]> {
  const files = new Map<string, string[]>()
  for (const name of names) {
    const area = name in areas ? name : areaOf(name)
    if (area === undefined) throw new Error(`${name} is no source of ${Object.keys(areas).join(', ')}`)
    const mutate = name in areas ? patterns(areas[name].sources, '*.ts') : [name]
    files.set(area, [...(files.get(area) ?? []), ...mutate])
  }
  return files
}

/** Whether Stryker could do its work. */
function mutateArea(area: string, mutate: readonly string[]): boolean {
  mkdirSync(FOLDER, { recursive: true })
  const config = `${FOLDER}/${area}.config.json`
  writeFileSync(config, JSON.stringify(configuration(area, mutate), undefined, 2))
  const env = { ...process.env, MUTATION_TESTS: patterns(areas[area].tests, '**/*.test.ts').join(',') }
  return spawnSync(process.execPath, [STRYKER, 'run', config], { env, stdio: 'inherit' }).status === 0
}

function configuration(area: string, mutate: readonly string[]): object {
  return {
    testRunner: 'vitest',
    vitest: { configFile: 'mutation/vitest.config.ts' },
    plugins: [`${process.cwd()}/mutation/node_modules/@stryker-mutator/vitest-runner/dist/src/index.js`],
    mutate: [...mutate, '!src/**/index.ts'],
    coverageAnalysis: 'perTest',
    // What happens while a module is loaded cannot be told apart by test: it would take all tests of the area each time.
    ignoreStatic: true,
    incremental: true,
    incrementalFile: reportFile(area),
    // A mutant that loops for ever is found by counting; these milliseconds are for one that waits.
    timeoutMS: 10_000,
    timeoutFactor: 3,
    concurrency: 1,
    tempDirName: `${FOLDER}/tmp`,
    ignorePatterns: ['dist', 'coverage'],
    // Our TypeScript has not the functions with which Stryker would rewrite it.
    tsconfigFile: 'none',
    reporters: ['clear-text', 'html', 'progress-append-only'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportMutants: true },
    htmlReporter: { fileName: `${FOLDER}/${area}.html` },
    allowEmpty: true,
    disableTypeChecks: false,
  }
}

function reportFile(area: string): string {
  return `${FOLDER}/${area}.json`
}

/** None, or one. */
function reportOf(area: string): Array<[string, Report]> {
  const file = reportFile(area)
  return existsSync(file) ? [[area, JSON.parse(readFileSync(file, 'utf8')) as Report]] : []
}

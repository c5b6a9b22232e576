/**
 * The steps of a check. A step passes or fails as one, except the tests and what counts for itself, which count one by one.
 *
 * - Every step runs, whatever became of those before it.
 * - A step that cannot run has failed: a missing tool, a time limit, a report that nobody wrote, a suite without a test.
 * - What a step prints is shown only when it fails, for the tests as it comes.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { runCommand } from './command.ts'
import type { CommandOptions } from './command.ts'

export interface Outcome {
  readonly passed: number
  readonly failed: number
  /** A few words for the table, such as the number of skipped tests. */
  readonly note?: string
  /** Shown when the step failed. */
  readonly output?: string
}

export interface Step {
  readonly name: string
  run(): Promise<Outcome>
}

export interface StepResult extends Outcome {
  readonly name: string
  readonly milliseconds: number
}

/** A step that passes when the npm script `script` exits with 0. */
export function npmScript(name: string, script: string = name, options: CommandOptions = {}): Step {
  return {
    name,
    async run() {
      const { code, output } = await runCommand('npm', ['run', '--loglevel=error', script], options)
      return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, note: `exit code ${code}`, output }
    },
  }
}

/** A step that counts for itself: the last line of the npm script `script` is `N passed, N failed`. */
export function countingScript(name: string, script: string = name, options: CommandOptions = {}): Step {
  return {
    name,
    async run() {
      const { code, output } = await runCommand('npm', ['run', '--loglevel=error', script], options)
      const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(output.trimEnd().split('\n').at(-1) ?? '') ?? []
      const counted = { passed: Number(passed ?? 0), failed: Number(failed ?? 0) }
      if (code === 0 && counted.passed > 0 && counted.failed === 0) return { ...counted, note: `${passed} checks` }
      return { ...counted, failed: Math.max(counted.failed, 1), note: `exit code ${code}`, output }
    },
  }
}

/** The tests, run by the npm script `script`, which must be vitest; counted from the report that it writes. */
export function vitest(name: string, script: string, options: CommandOptions = {}): Step {
  return {
    name,
    async run() {
      const folder = await mkdtemp(join(tmpdir(), 'fullduplex-tests-'))
      try {
        const report = join(folder, 'report.json')
        const args = ['--coverage', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
        const { code, output } = await runCommand('npm', ['run', '--loglevel=error', script, '--', ...args], {
          live: true,
          timeout: 3_600_000,
          ...options,
        })
        const json = await readFile(report, 'utf8').catch(() => undefined)
        return { ...countTests(json, code), output }
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

/** What is read of vitest's JSON report. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

/**
 * Counts what `json`, vitest's report, says, together with the exit code. A test file that failed without a failing test, for
 * example because it could not be imported, counts as one failure; so does a run that failed although every test passed,
 * for example because of the coverage; so does a run without a report or without a test.
 */
export function countTests(json: string | undefined, code: number): Outcome {
  if (json === undefined) return { passed: 0, failed: 1, note: `exit code ${code}, no report` }
  const report = JSON.parse(json) as Report
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  )
  const passed = report.numPassedTests
  const failed = report.numFailedTests + broken.length
  const skipped = report.numPendingTests + report.numTodoTests
  const notes = [`${passed} of ${passed + failed} tests`]
  if (skipped > 0) notes.push(`${skipped} skipped`)
  if (failed > 0) return { passed, failed, note: notes.join(', ') }
  if (code !== 0) return { passed, failed: 1, note: [...notes, `exit code ${code}`].join(', ') }
  if (passed === 0) return { passed, failed: 1, note: 'no test ran' }
  return { passed, failed, note: notes.join(', ') }
}

/** Runs `steps` in order, with one line for each as it ends. */
export async function runSteps(steps: readonly Step[], print: (line: string) => void): Promise<StepResult[]> {
  const results: StepResult[] = []
  for (const step of steps) {
    const start = performance.now()
    const outcome = await step.run().catch((error: unknown) => ({ passed: 0, failed: 1, output: describe(error) }))
    const result = { ...outcome, name: step.name, milliseconds: performance.now() - start }
    if (result.failed > 0 && result.output) print(result.output.trimEnd())
    print(line(result))
    results.push(result)
  }
  return results
}

/** The table of all results and, as the last line and alone on it, the totals. */
export function summarize(results: readonly StepResult[]): string {
  let passed = 0
  let failed = 0
  for (const result of results) {
    passed += result.passed
    failed += result.failed
  }
  return ['', ...results.map(line), '', `${passed} passed, ${failed} failed`].join('\n')
}

function line({ name, failed, milliseconds, note = '' }: StepResult): string {
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`
  return `${failed === 0 ? 'ok  ' : 'FAIL'}  ${name.padEnd(16)} ${seconds.padStart(8)}  ${note}`.trimEnd()
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

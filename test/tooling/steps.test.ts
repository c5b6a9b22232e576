/**
 * The check counts truly: what a vitest report and its exit code come to, what becomes of steps that fail, throw, hang or cannot
 * be started, and what the last line says. Commands are small programs of Node, in a project in a temporary folder.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../../scripts/support/command.ts'
import { countTests, countingScript, npmScript, runSteps, summarize, vitest } from '../../scripts/support/steps.ts'
import type { Step } from '../../scripts/support/steps.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fullduplex-steps-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

describe('countTests', () => {
  /** A report of one file for each list of statuses. */
  function report(...files: readonly (readonly string[])[]): string {
    const all = files.flat()
    const count = (status: string): number => all.filter((each) => each === status).length
    return JSON.stringify({
      numPassedTests: count('passed'),
      numFailedTests: count('failed'),
      numPendingTests: count('pending'),
      numTodoTests: count('todo'),
      testResults: files.map((statuses) => ({
        status: statuses.length === 0 || statuses.includes('failed') ? 'failed' : 'passed',
        assertionResults: statuses.map((status) => ({ status })),
      })),
    })
  }

  it('counts every test', () => {
    expect(countTests(report(['passed', 'passed'], ['passed']), 0)).toEqual({
      passed: 3,
      failed: 0,
      note: '3 of 3 tests',
    })
  })

  it('counts failed tests, and skipped ones apart', () => {
    expect(countTests(report(['passed', 'failed'], ['failed', 'pending', 'todo']), 1)).toEqual({
      passed: 1,
      failed: 2,
      note: '1 of 3 tests, 2 skipped',
    })
  })

  it('counts a file that could not run as one failure', () => {
    expect(countTests(report(['passed'], []), 1)).toEqual({ passed: 1, failed: 1, note: '1 of 2 tests' })
  })

  it('counts a failure that no test explains, such as the coverage', () => {
    expect(countTests(report(['passed']), 1)).toEqual({ passed: 1, failed: 1, note: '1 of 1 tests, exit code 1' })
  })

  it('fails when no test ran, whatever the exit code', () => {
    expect(countTests(report(), 0)).toEqual({ passed: 0, failed: 1, note: 'no test ran' })
    expect(countTests(report(['pending']), 0)).toEqual({ passed: 0, failed: 1, note: 'no test ran' })
    expect(countTests(report(), 1).failed).toBe(1)
  })

  it('fails without a report', () => {
    expect(countTests(undefined, 0)).toEqual({ passed: 0, failed: 1, note: 'exit code 0, no report' })
  })
})

describe('runSteps', () => {
  it('runs every step, shows the output of failed ones only, and counts', async () => {
    const steps: Step[] = [
      { name: 'fine', run: () => Promise.resolve({ passed: 1, failed: 0, output: 'quiet' }) },
      { name: 'bad', run: () => Promise.resolve({ passed: 0, failed: 1, note: 'exit code 2', output: 'loud\n' }) },
      { name: 'throws', run: () => Promise.reject(new Error('cannot run')) },
      { name: 'tests', run: () => Promise.resolve({ passed: 40, failed: 2 }) },
    ]
    const printed: string[] = []
    const results = await runSteps(steps, (line) => printed.push(line))
    expect(results.map(({ name, passed, failed }) => [name, passed, failed])).toEqual([
      ['fine', 1, 0],
      ['bad', 0, 1],
      ['throws', 0, 1],
      ['tests', 40, 2],
    ])
    expect(printed.join('\n')).toMatch(
      /^ok {4}fine .*\nloud\nFAIL {2}bad .* exit code 2\nError: cannot run\n[^]*FAIL {2}throws .*\nFAIL {2}tests .*$/,
    )
    const lines = summarize(results).split('\n')
    expect(lines.at(-1)).toBe('41 passed, 4 failed')
    expect(lines.filter((line) => line.startsWith('FAIL'))).toHaveLength(3)
  })
})

describe('npmScript', () => {
  beforeEach(() =>
    write('package.json', '{ "scripts": { "fine": "echo yes", "bad": "echo no; exit 3", "tool": "no-such-tool" } }'),
  )

  it('passes when the script exits with 0', async () => {
    expect(await npmScript('step', 'fine', { cwd: root }).run()).toEqual({ passed: 1, failed: 0 })
  })

  it.each([
    ['exits with another code', 'bad', 3, 'no'],
    ['runs a tool that is not there', 'tool', 127, 'no-such-tool'],
    ['is not in package.json', 'absent', 1, 'Missing script'],
  ])('fails when the script %s', async (_, script, code, output) => {
    const outcome = await npmScript('step', script, { cwd: root }).run()
    expect(outcome).toMatchObject({ passed: 0, failed: 1, note: `exit code ${code}` })
    expect(outcome.output).toContain(output)
  })
})

describe('countingScript', () => {
  beforeEach(() =>
    write(
      'package.json',
      JSON.stringify({
        scripts: {
          fine: "echo one; echo '7 passed, 0 failed'",
          bad: "echo no; echo '5 passed, 2 failed'; exit 1",
          liar: "echo '5 passed, 0 failed'; exit 4",
          nothing: "echo '0 passed, 0 failed'",
          silent: 'echo done',
        },
      }),
    ),
  )

  it('passes on what the last line says', async () => {
    const outcome = await countingScript('step', 'fine', { cwd: root }).run()
    expect(outcome).toEqual({ passed: 7, failed: 0, note: '7 checks' })
  })

  it.each([
    ['says that something failed', 'bad', { passed: 5, failed: 2, note: 'exit code 1' }],
    ['says that nothing failed, and fails', 'liar', { passed: 5, failed: 1, note: 'exit code 4' }],
    ['counted nothing', 'nothing', { passed: 0, failed: 1, note: 'exit code 0' }],
    ['says nothing', 'silent', { passed: 0, failed: 1, note: 'exit code 0' }],
  ])('fails when the script %s', async (_, script, counted) => {
    expect(await countingScript('step', script, { cwd: root }).run()).toMatchObject(counted)
  })
})

describe('vitest', () => {
  const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
  beforeEach(() => {
    symlinkSync(modules, join(root, 'node_modules'))
    write('package.json', '{ "type": "module", "scripts": { "test": "vitest run --root ." } }')
  })

  it('counts the tests of a real run, and a file that cannot be imported', { timeout: 60_000 }, async () => {
    const head = "import { expect, it } from 'vitest'\n"
    write(
      'good.test.js',
      `${head}it('one', () => expect(1).toBe(1))\nit('two', () => expect(2).toBe(2))\nit.skip('three')\n`,
    )
    write('bad.test.js', `${head}it('four', () => expect(4).toBe(5))\n`)
    write('broken.test.js', "import './absent.js'\n")
    const outcome = await vitest('tests', 'test', { cwd: root, live: false }).run()
    expect(outcome).toMatchObject({ passed: 2, failed: 2, note: '2 of 4 tests, 1 skipped' })
  })

  it('fails when there is no test', { timeout: 60_000 }, async () => {
    expect(await vitest('tests', 'test', { cwd: root, live: false }).run()).toMatchObject({ passed: 0, failed: 1 })
  })
})

describe('runCommand', () => {
  it('returns the exit code and what was written to both outputs', async () => {
    const program = "console.log('out'); console.error('err'); process.exitCode = 7"
    const { code, output } = await runCommand(process.execPath, ['-e', program])
    expect(code).toBe(7)
    expect(output.split('\n').toSorted()).toEqual(['', 'err', 'out'])
  })

  it('passes the environment and the folder on', async () => {
    const program = 'console.log(process.env.PROBE, process.cwd())'
    const { output } = await runCommand(process.execPath, ['-p', program], { cwd: root, env: { PROBE: 'here' } })
    expect(output).toContain(`here ${root}`)
  })

  it('reports a command that does not exist', async () => {
    expect(await runCommand(join(root, 'absent'), [])).toMatchObject({
      code: 127,
      output: expect.stringContaining('ENOENT'),
    })
  })

  it('kills a command that takes too long, with everything that it started', async () => {
    // The result comes when the output has ended, which the inner program would hold open for ever.
    const program = `
      const forever = 'setInterval(() => {}, 1000)'
      require('node:child_process').spawn(process.execPath, ['-e', forever], { stdio: 'inherit' })
      setInterval(() => {}, 1000)`
    const result = await runCommand(process.execPath, ['-e', program], { timeout: 500 })
    expect(result).toMatchObject({ code: 124, output: expect.stringContaining('did not end within 500 ms') })
  })

  it('reports a command that a signal ended', async () => {
    const { code } = await runCommand(process.execPath, ['-e', "process.kill(process.pid, 'SIGKILL')"])
    expect(code).toBe(128)
  })
})

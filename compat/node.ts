/** `npm run compat:node`: the whole test suite on every version of Node that is supported. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { runCommand } from '../scripts/support/command.ts'
import { countTests } from '../scripts/support/steps.ts'
import type { Cell } from './programs/check.ts'
import { root, runMatrix } from './support/matrix.ts'
import type { ColumnPlan } from './support/matrix.ts'
import { nodeRuntime } from './support/runtimes.ts'

/** Milliseconds for the tests of one folder. */
const LIMIT = 900_000

const folders = (await readdir(join(root, 'test'), { withFileTypes: true }))
  .filter((entry) => entry.isDirectory() && entry.name !== 'support')
  .map(({ name }) => name)
  .toSorted()

await runMatrix({
  name: 'node',
  option: 'node',
  minutes: 90,
  help: `Runs the test suite on each version of Node, a process for each folder of tests. It takes some ten minutes for each
version; checks are the folders.`,
  columns: ['20', '22', '24', '26'].map(columnOf),
})
// Whatever hangs does not keep this program.
process.exit()

function columnOf(major: string): ColumnPlan {
  const { executable, title } = nodeRuntime(major)
  return {
    id: major,
    choice: major,
    title,
    async run(wanted, report) {
      for (const folder of folders.filter(wanted)) report(await runTests(executable, folder))
    },
  }
}

/** The tests of one folder. Programs that they start by the name of `node` find the same one. */
async function runTests(executable: string, folder: string): Promise<Cell> {
  const reports = await mkdtemp(join(tmpdir(), 'fullduplex-tests-'))
  try {
    const report = join(reports, 'report.json')
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const args = [
      vitest,
      'run',
      `test/${folder}/`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ]
    const path = `${dirname(executable)}${delimiter}${process.env['PATH'] ?? ''}`
    const { code, output } = await runCommand(executable, args, {
      cwd: root,
      env: { PATH: path, NO_COLOR: '1' },
      timeout: LIMIT,
    })
    const json = await readFile(report, 'utf8').catch(() => undefined)
    const { passed, failed, note = '' } = countTests(json, code)
    if (failed > 0) {
      console.error(output.trimEnd())
      return { check: folder, outcome: 'failed', tests: passed, note }
    }
    const [, skipped] = /, (\d+ skipped)/.exec(note) ?? []
    return { check: folder, outcome: 'passed', tests: passed, ...(skipped !== undefined && { note: skipped }) }
  } finally {
    await rm(reports, { recursive: true, force: true })
  }
}

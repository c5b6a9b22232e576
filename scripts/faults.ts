/** `npm run faults`: the tests of test/fault/fault-*.test.ts at full size (docs/faults.md). */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fail, readArguments } from './support/arguments.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const names = readdirSync(`${root}/test/fault`).flatMap((file) => /^fault-(\w+)\.test\.ts$/.exec(file)?.[1] ?? [])
const HELP = `npm run faults -- [names]

All of them one after the other at full size, or those that are named: ${names.join(', ')}.`
const { positionals: wanted } = readArguments(HELP, { allowPositionals: true })
const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0) fail(`There are no faults ${unknown.join(', ')}; there are ${names.join(', ')}`)
const files = (wanted.length > 0 ? wanted : names).map((name) => `test/fault/fault-${name}.test.ts`)
// One after the other, so that no test disturbs the times of another.
const args = ['vitest', 'run', '--no-file-parallelism', '--testTimeout=600000', ...files]
const env = { ...process.env, FULLDUPLEX_FAULTS: 'full' }
process.exitCode =
  spawnSync('npx', args, { cwd: root, env, stdio: 'inherit', shell: process.platform === 'win32' }).status ?? 1

/**
 * The tests that would run, as vitest collects them: tables filled in, and without those that are skipped or still to be written. Files
 * are imported for that, but no test is run. They share one process, which changes nothing about their titles and takes a fifth of the
 * time.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { runCommand } from './command.ts'
import type { CollectedTest } from './requirements.ts'

/** The tests below `root`. Throws an Error with what vitest printed when a file cannot be imported. */
export async function collectTests(root: string): Promise<CollectedTest[]> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
  const folder = await mkdtemp(join(tmpdir(), 'fullduplex-titles-'))
  try {
    const file = join(folder, 'titles.json')
    const args = [vitest, 'list', '--root', root, '--no-isolate', '--pool=threads', `--json=${file}`]
    const { code, output } = await runCommand(process.execPath, args, { cwd: root, timeout: 300_000 })
    const json = await readFile(file, 'utf8').catch(() => undefined)
    if (code !== 0 || json === undefined) throw new Error(`The tests could not be collected:\n${output.trimEnd()}`)
    const tests = JSON.parse(json) as readonly CollectedTest[]
    return tests.map(({ name, file: path }) => ({ name, file: relative(root, path).replaceAll(sep, '/') }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

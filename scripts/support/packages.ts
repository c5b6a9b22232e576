/**
 * The folders of programs that bring packages of their own, `peers` and `bench`: installed when they are needed, which the package
 * itself never does.
 */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from './command.ts'

/** Installs what the lockfile of `folder` names, unless that is there already. */
export async function installPackages(folder: string): Promise<void> {
  if (await installed(folder)) return
  console.error(`Installing the packages of ${folder} ...`)
  const { code, output } = await runCommand('npm', ['ci', '--no-audit', '--no-fund', '--prefix', folder])
  if (code !== 0) throw new Error(`npm ci failed in ${folder}:\n${output}`)
}

/** Whether npm's own record of what it installed is there, and no older than the lockfile. */
async function installed(folder: string): Promise<boolean> {
  const [record, lockfile] = await Promise.all(
    ['node_modules/.package-lock.json', 'package-lock.json'].map((path) =>
      stat(join(folder, path)).then(
        ({ mtimeMs }) => mtimeMs,
        () => undefined,
      ),
    ),
  )
  return record !== undefined && lockfile !== undefined && record >= lockfile
}

/** The version of a package that is installed in `modules`; rejects where it is not. */
export async function packageVersion(modules: string, name: string): Promise<string> {
  const text = await readFile(join(modules, name, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** A project in which somebody has installed the package, and in which the programs of `compat/programs` are. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../../scripts/support/command.ts'
import { root } from './matrix.ts'

export interface Project {
  readonly folder: string
  remove(): Promise<void>
}

/** Builds, packs and installs the package, without a network. */
export async function installPackage(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'fullduplex-compat-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await mkdir(join(folder, 'packed'))
    await must('npm', ['pack', '--silent', '--pack-destination', join(folder, 'packed')], root)
    const [tarball] = await readdir(join(folder, 'packed'))
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
    await must('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, 'packed', tarball)], folder)
    await must(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'compat'), '--outDir', folder], root)
    return { folder, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function must(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, output } = await runCommand(command, args, { cwd })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${output}`)
}

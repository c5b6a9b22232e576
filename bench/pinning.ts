/** Cores: one for the program that is measured, one for the load. */
import { spawnSync } from 'node:child_process'
import { allowedCores } from './proc.ts'

export interface Pinning {
  /** Why nothing is pinned, when nothing is. */
  readonly none?: string
  /** The command that runs `executable` with `args` on the core of that side. */
  command(side: 'program' | 'load', executable: string, args: readonly string[]): [string, string[]]
}

/** The first two cores that this process may use, with util-linux's `taskset`. */
export function pinning(): Pinning {
  const cores = allowedCores()
  const missing = spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status !== 0
  if (missing || cores.length < 2) {
    return {
      none: missing ? 'there is no taskset (of util-linux)' : 'there is one core only',
      command: (_side, executable, args) => [executable, [...args]],
    }
  }
  return {
    command: (side, executable, args) => [
      'taskset',
      ['--cpu-list', String(cores[side === 'program' ? 0 : 1]), executable, ...args],
    ],
  }
}

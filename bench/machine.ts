/** What the figures were measured on. */
import { cpus, release, totalmem, type } from 'node:os'
import { allowedCores } from './proc.ts'
import type { Machine } from './results.ts'

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: allowedCores().length,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    kernel: `${type()} ${release()}`,
    node: process.versions.node,
  }
}

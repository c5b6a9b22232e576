/**
 * Workers that execute one target, watched from outside: one that makes no step for long hangs, one that runs out of memory
 * has found something, too.
 */
import { Worker } from 'node:worker_threads'
import { Random } from './random.ts'
import { SLOTS, Slot } from './report.ts'
import type { Order, ReportedFinding } from './report.ts'

/** Milliseconds in which one execution has to end; that it is minimised comes on top. */
const HANGS_AFTER = 20_000
const MINIMISES_FOR = 60_000
const LOOK_EVERY = 200
/** MiB of heap that a worker may have: none of our inputs needs a tenth of it. */
const MAX_HEAP = 512

export interface Limits {
  readonly seconds: number
  readonly executions: number
  readonly units: number
}

export interface Progress {
  readonly seconds: number
  readonly executions: number
  readonly units: number
}

/** Node 20 has no TypeScript in a worker unless told how. */
const start = `
  const { workerData } = require('node:worker_threads')
  import(workerData.tsx).then(({ register }) => { register(); return import(workerData.program) })
`

interface Member {
  readonly worker: Worker
  readonly account: Float64Array
  executions: number
  movedAt: number
  isOver: boolean
}

function enlist(target: string, seed: number): Member {
  const account = new Float64Array(new SharedArrayBuffer(SLOTS * Float64Array.BYTES_PER_ELEMENT))
  const order: Order = { target, seed, account }
  const workerData = {
    ...order,
    tsx: import.meta.resolve('tsx/esm/api'),
    program: new URL('worker.ts', import.meta.url).href,
  }
  const worker = new Worker(start, { eval: true, workerData, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP } })
  return { worker, account, executions: 0, movedAt: performance.now(), isOver: false }
}

/**
 * Runs `count` workers until a limit is reached or something is found, and answers what, if anything was; `tell` hears how
 * far they are.
 */
export async function run(
  target: string,
  count: number,
  seed: number,
  limits: Limits,
  tell: (progress: Progress, isLast: boolean) => void,
): Promise<ReportedFinding | undefined> {
  const random = new Random(seed)
  const members = Array.from({ length: count }, () => enlist(target, random.seed()))
  const began = performance.now()
  let finding: ReportedFinding | undefined
  for (const member of members) {
    const { worker, account } = member
    worker.on('message', (message: ReportedFinding) => (finding ??= message))
    worker.on('exit', () => (member.isOver = true))
    worker.on('error', (error) => (finding ??= lastOf(target, account, error.stack ?? String(error))))
  }
  const sum = (slot: number): number => members.reduce((total, { account }) => total + account[slot], 0)
  const progress = (): Progress => ({
    seconds: (performance.now() - began) / 1000,
    executions: sum(Slot.Executions),
    units: sum(Slot.Units),
  })
  let stopped = 0
  while (members.some(({ isOver }) => !isOver)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))
    const now = performance.now()
    const { seconds, executions, units } = progress()
    const isEnough = seconds >= limits.seconds || executions >= limits.executions || units >= limits.units
    if (isEnough || finding !== undefined) for (const { account } of members) account[Slot.Stop] = 1
    if (sum(Slot.Stop) > 0 && stopped === 0) stopped = now
    for (const member of members.filter(({ isOver }) => !isOver)) {
      if (member.account[Slot.Executions] !== member.executions) member.movedAt = now
      member.executions = member.account[Slot.Executions]
      if (now - Math.max(member.movedAt, stopped) < (stopped > 0 ? MINIMISES_FOR : HANGS_AFTER)) continue
      if (stopped === 0) finding ??= lastOf(target, member.account, `an execution took more than ${HANGS_AFTER} ms`)
      await member.worker.terminate()
    }
    tell(progress(), false)
  }
  tell(progress(), true)
  return finding
}

/** The seed that a worker was at last is all that is left of it. */
function lastOf(target: string, account: Float64Array, error: string): ReportedFinding {
  return { target, seed: account[Slot.Seed], settings: '', octets: '', smallest: '', error }
}

/**
 * A worker: executes one target again and again, and keeps an account in memory that it shares with whoever started it. That
 * one sees by it how far we are, and which seed we hang with, if we do.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { targets } from '../targets/index.ts'
import type { Target } from '../targets/target.ts'
import { execute } from './execution.ts'
import type { Finding } from './execution.ts'
import { minimize } from './minimize.ts'
import { Random } from './random.ts'
import type { Order, ReportedFinding } from './report.ts'
import { Slot } from './report.ts'
import { catchStrays, takeStray } from './strays.ts'

/** How often the loop of events has its turn, so that exceptions that nobody caught get through. */
const EXECUTIONS_A_TURN = 256

async function report(target: Target, { seed, input, error }: Finding): Promise<ReportedFinding> {
  const smallest = await minimize(input, async (smaller) => typeof (await execute(target, seed, smaller)) !== 'number')
  return {
    target: target.name,
    seed,
    settings: input.settings,
    octets: input.octets.toString('hex'),
    smallest: smallest.octets.toString('hex'),
    error: error.stack ?? error.message,
  }
}

async function work({ target: name, seed, account }: Order): Promise<void> {
  const target = targets.find((one) => one.name === name)!
  const random = new Random(seed)
  for (let count = 1; account[Slot.Stop] === 0; count++) {
    const next = random.seed()
    account[Slot.Seed] = next
    let outcome = execute(target, next)
    if (outcome instanceof Promise) outcome = await outcome
    account[Slot.Executions]++
    if (typeof outcome === 'number') account[Slot.Units] += outcome
    if (count % EXECUTIONS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    const stray = takeStray()
    if (typeof outcome !== 'number') {
      account[Slot.Stop] = 1
      parentPort!.postMessage(await report(target, outcome))
    } else if (stray !== undefined) {
      throw stray
    }
  }
}

catchStrays()
const order = workerData as Order
// What is thrown here is told by the worker's `error`.
await work(order)
parentPort!.close()

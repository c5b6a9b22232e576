/** Measuring: two looks at CPU time and counts with traffic between them, the waiting times of replies, or memory. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuBetween, cpuTime, machineTime, residentMemory } from '../proc.ts'
import { percentile } from '../statistics.ts'
import { openAll, openingRequest } from './link.ts'
import type { Target } from './link.ts'
import { WrongReply } from './plan.ts'
import type { CostReport, LatencyReport, Plan, Timing } from './plan.ts'
import type { Traffic } from './traffic.ts'

type Going = Pick<Traffic, 'count' | 'octets' | 'failure'>

/** A window is prolonged while it has fewer messages than this, and by no more than so many times its length. */
const FEWEST = 30
const LONGEST = 4
/** Seconds for the very first. */
const PATIENCE = 20
/** Memory is steady when looks that span a window's length differ by no more than this share. */
const STEADY = 0.002
const LOOKS = 8
const MOST_LOOKS = 80

/** Milliseconds that the last replies may take, however close messages are. */
const GRACE = 20
/** Milliseconds after which nobody waits for more. */
const ENOUGH = 1000

/** Of traffic that goes on already. */
export async function measureCost(
  traffic: Going,
  pid: number,
  { warmUp, seconds, warmUpMessages = 0 }: Timing,
): Promise<CostReport> {
  await pause(traffic, warmUp)
  for (let more = 0; more < LONGEST && traffic.count < warmUpMessages; more++) await pause(traffic, warmUp)
  const before = look()
  await pause(traffic, seconds)
  // Where messages are few, the one that is half done at each end would tell.
  for (let more = 0; more < LONGEST && traffic.count - before.count < FEWEST; more++) await pause(traffic, seconds)
  for (let each = 0; each < PATIENCE && traffic.count === before.count; each++) await pause(traffic, 1)
  const after = look()
  const count = after.count - before.count
  if (count === 0) throw new WrongReply(`nothing came back in ${PATIENCE} s`)
  const program = cpuBetween(before.program, after.program)
  const load = cpuBetween(before.load, after.load)
  return {
    count,
    seconds: (after.time - before.time) / 1000,
    program,
    load,
    others: Math.max(0, after.machine - before.machine - program - load),
    octets: after.octets - before.octets,
  }

  function look() {
    const { count: soFar, octets } = traffic
    return {
      count: soFar,
      octets,
      time: performance.now(),
      program: cpuTime(pid),
      load: cpuTime(process.pid),
      machine: machineTime(),
    }
  }
}

function pause(traffic: Going, seconds: number): Promise<void> {
  return Promise.race([sleep(seconds * 1000), traffic.failure])
}

/**
 * Sends at a fixed rate, whether replies come or not, and counts from the moment when each message was due: who makes others wait
 * does not look better for it. What was due during the warm-up is not counted. What has no reply when nobody waits any longer has
 * waited until then, at least.
 */
export async function measureLatency(traffic: Traffic, plan: Plan): Promise<LatencyReport> {
  const { scenario, warmUp, seconds, warmUpMessages = 0 } = plan
  const { rate = 1, traffic: kind, batch, depth } = scenario
  const interval = (batch && kind === 'replies' ? depth * 1000 : 1000) / rate
  const start = performance.now() + 1
  const first = start + Math.max(warmUp, warmUpMessages / rate) * 1000
  const end = first + seconds * 1000
  // The last ones are due just before the end. Who keeps up has answered them when two more would have been due.
  const grace = 2 * interval + GRACE
  /** What is on its way of each turn of sending. */
  const open: number[] = []
  const waited: number[] = []
  let planned = 0
  let inTime = 0
  traffic.answered = (due) => {
    open[Math.round((due - start) / interval)]--
    if (due < first) return
    const now = performance.now()
    waited.push((now - due) * 1000)
    if (now <= end + grace) inTime++
  }
  // Timers are too coarse. The loop spins instead, on a core that has nothing else to do.
  const spun = new Promise<void>((resolve) => {
    const spin = (): void => {
      const now = performance.now()
      for (;;) {
        const due = start + open.length * interval
        if (due > now || due >= end) break
        open.push(0)
        const count = traffic.issue(due)
        open[open.length - 1] += count
        if (due >= first) planned += count
      }
      if (now < end || (waited.length < planned && now < end + grace + ENOUGH)) setImmediate(spin)
      else resolve()
    }
    spin()
  })
  await Promise.race([spun, traffic.failure])
  const now = performance.now()
  for (const [turn, count] of open.entries()) {
    const due = start + turn * interval
    if (due >= first) waited.push(...Array.from({ length: count }, () => (now - due) * 1000))
  }
  const sorted = Float64Array.from(waited).toSorted()
  const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => percentile(sorted, share))
  return { planned, answered: inTime, seconds, p50, p99, p999 }
}

/** What each connection adds to the program's memory, when all are open and nothing happens. */
export async function measureMemory(target: Target, { scenario, pid, seconds }: Plan): Promise<number> {
  const { connections } = scenario
  const request = openingRequest(target)
  // The first ones bring what is there once for all.
  const early = Math.ceil(connections / 100)
  const first = await openAll(early, target, request)
  const before = await steadyMemory(pid, seconds)
  const links = [...first, ...(await openAll(connections - early, target, request))]
  let lost: Error | undefined
  for (const link of links) link.failed = (error) => (lost = error)
  const after = await steadyMemory(pid, seconds)
  for (const link of links) link.end()
  if (lost !== undefined) throw lost
  return (after - before) / (connections - early)
}

async function steadyMemory(pid: number, seconds: number): Promise<number> {
  const looks: number[] = []
  for (;;) {
    looks.push(residentMemory(pid))
    const last = looks.slice(-LOOKS)
    const [least, most] = [Math.min(...last), Math.max(...last)]
    if (looks.length >= LOOKS && most - least <= STEADY * most) return last[LOOKS - 1]
    if (looks.length === MOST_LOOKS) return last[LOOKS - 1]
    await sleep((seconds / LOOKS) * 1000)
  }
}

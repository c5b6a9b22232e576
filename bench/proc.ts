/**
 * CPU time and memory of a process and of all processes below it, from Linux's `/proc`: the same source for whatever runs, and
 * nothing that the measured program has to do.
 *
 * `/proc/PID/task/TID/schedstat` has nanoseconds, but only of threads that still run, and some kernels leave it at zero;
 * `/proc/PID/stat` has it all, in ticks of 10 ms. The first is taken unless the second contradicts it.
 */
import { readFileSync, readdirSync } from 'node:fs'

export interface CpuTime {
  /** Seconds, of the threads that run now. */
  readonly precise: number
  /** Seconds, of all threads that there have been. */
  readonly complete: number
}

/** In which `/proc/PID/stat` counts: what `getconf CLK_TCK` says, 100 on every machine that Node runs on. */
const TICKS_PER_SECOND = 100
const PAGE = 4096

export function cpuTime(pid: number): CpuTime {
  let precise = 0
  let complete = 0
  for (const one of family(pid)) {
    for (const thread of entries(`/proc/${one}/task`)) {
      precise += Number(read(`/proc/${one}/task/${thread}/schedstat`).split(' ', 1)[0]) / 1e9
    }
    complete += ticks(read(`/proc/${one}/stat`)) / TICKS_PER_SECOND
  }
  return { precise, complete }
}

/** Seconds of CPU time from `before` to `after`. */
export function cpuBetween(before: CpuTime, after: CpuTime): number {
  const precise = after.precise - before.precise
  const complete = after.complete - before.complete
  // A tick may be missing at each end; more than that, and 5 %, is what threads took with them.
  const doubt = 3 / TICKS_PER_SECOND + complete * 0.05
  return Math.abs(complete - precise) > doubt ? complete : precise
}

/** Seconds of CPU time that the whole machine has spent on anything; 0 where it does not say. */
export function machineTime(stat: string = read('/proc/stat')): number {
  // user, nice, system, idle, iowait, irq, softirq, steal: all but the two that are waiting.
  const fields = /^cpu +(.*)$/m.exec(stat)?.[1].split(' ').slice(0, 8).map(Number) ?? []
  let spent = 0
  for (const [index, value] of fields.entries()) if (index !== 3 && index !== 4) spent += value
  return spent / TICKS_PER_SECOND
}

/** Octets of memory that a process and those below it have in RAM. */
export function residentMemory(pid: number): number {
  let pages = 0
  for (const one of family(pid)) pages += Number(read(`/proc/${one}/statm`).split(' ')[1] ?? 0)
  return pages * PAGE
}

/** utime and stime. The name of the program, before them, may have blanks and parentheses in it. */
export function ticks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

/** A process and all below it. */
export function family(pid: number): number[] {
  const members = [pid]
  for (const one of members) {
    for (const thread of entries(`/proc/${one}/task`)) {
      const children = read(`/proc/${one}/task/${thread}/children`).trim()
      if (children !== '') members.push(...children.split(' ').map(Number))
    }
  }
  return members
}

/** The cores that this process may run on: `0-3,8` in `/proc/self/status`. */
export function allowedCores(status: string = read('/proc/self/status')): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? ''
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-')
    if (first === '') return []
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index)
  })
}

/** A process or a thread may end while it is looked at; then it has nothing to say. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** CPU time and memory are those of the process that was named, and of what it started, whatever its name looks like. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { allowedCores, cpuBetween, cpuTime, family, machineTime, residentMemory, ticks } from '../../bench/proc.ts'

const linux = process.platform === 'linux'

describe('ticks', () => {
  it('adds user and system time, behind a name with blanks and parentheses', () => {
    expect(ticks('42 (a) b (c)) S 1 42 42 0 -1 4194560 10 20 30 40 120 34 5 6 20 0 1 0')).toBe(154)
  })
})

describe('cpuBetween', () => {
  it('takes nanoseconds when ticks agree', () => {
    expect(cpuBetween({ precise: 1, complete: 1 }, { precise: 2.004, complete: 2 })).toBeCloseTo(1.004)
  })

  it('takes ticks when threads have ended, or nanoseconds are not counted', () => {
    expect(cpuBetween({ precise: 1, complete: 1 }, { precise: 0.5, complete: 2 })).toBe(1)
    expect(cpuBetween({ precise: 0, complete: 0 }, { precise: 0, complete: 0.5 })).toBe(0.5)
  })
})

describe('machineTime', () => {
  it('adds all but what was spent on waiting', () => {
    expect(machineTime('cpu  100 20 30 4000 500 6 7 80 9 9\ncpu0 1 2 3\n')).toBe(2.43)
    expect(machineTime('')).toBe(0)
  })
})

describe('allowedCores', () => {
  it('reads ranges and single cores', () => {
    expect(allowedCores('Name:\tnode\nCpus_allowed_list:\t0-2,5,8-9\n')).toEqual([0, 1, 2, 5, 8, 9])
  })

  it('knows none where the system does not say', () => {
    expect(allowedCores('Name:\tnode\n')).toEqual([])
  })
})

describe.runIf(linux)('a process', () => {
  it('has used as much CPU time as it says itself', () => {
    const own = process.cpuUsage()
    const before = cpuTime(process.pid)
    while (process.cpuUsage(own).user < 300_000) Math.sqrt(own.user)
    const { user, system } = process.cpuUsage(own)
    const used = cpuBetween(before, cpuTime(process.pid))
    // Some milliseconds may be counted late, and other threads of this process work, too.
    expect(Math.abs(used - (user + system) / 1e6)).toBeLessThan(0.1)
  })

  it('counts those that it started, and those that they started', async () => {
    const inner = 'console.log(process.pid); setInterval(() => {}, 1000)'
    const outer = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(inner)}], { stdio: 'inherit' })`
    const child = spawn(process.execPath, ['-e', outer], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const grandchild = Number(String(line))
    try {
      expect(family(child.pid ?? 0)).toEqual([child.pid, grandchild])
      const alone = residentMemory(grandchild)
      expect(alone).toBeGreaterThan(1_000_000)
      expect(residentMemory(child.pid ?? 0)).toBeGreaterThan(alone * 1.5)
    } finally {
      process.kill(grandchild)
      child.kill()
    }
  })

  it('that has ended has used nothing', () => {
    expect(cpuTime(2 ** 30)).toEqual({ precise: 0, complete: 0 })
    expect(residentMemory(2 ** 30)).toBe(0)
  })
})

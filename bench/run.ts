/** One measurement: starts the program and the load, each on its core, and hands on what the load reports. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Program } from '../scripts/support/program.ts'
import type { Plan, Report } from './load/plan.ts'
import type { Pinning } from './pinning.ts'
import { folder, root, serverArguments } from './programs.ts'
import type { Subject } from './programs.ts'
import type { Scenario } from './scenarios.ts'

/** Milliseconds that a program has to start, and that the load may take beyond its traffic. */
const START = 20_000
const PATIENCE = 120_000

export type Timing = Pick<Plan, 'warmUp' | 'seconds' | 'measure'>

/** A fresh process of the program, under the scenario's load. */
export async function measureServer(
  subject: Subject,
  scenario: Scenario,
  timing: Timing,
  pinning: Pinning,
): Promise<Report> {
  const args = serverArguments(subject, scenario.id, scenario.mode)
  const [executable, all] = pinning.command('program', subject.executable, args)
  const server = new Program(executable, all, { cwd: root, ...(subject.env && { env: subject.env }) })
  let url: string
  try {
    url = await server.url(START)
  } catch (error) {
    await server.stop()
    return { unable: (error as Error).message }
  }
  try {
    const check = subject.program === 'raw' ? 'same' : 'all'
    return await runLoad({ scenario, url, pid: server.pid, check, ...timing }, pinning)
  } finally {
    await server.stop()
  }
}

/** The load ends with this process, as the channel to it does. */
function runLoad(plan: Plan, pinning: Pinning): Promise<Report> {
  const [executable, args] = pinning.command('load', process.execPath, [join(folder, 'dist/load/main.js')])
  const child = spawn(executable, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return new Promise<Report>((resolve, reject) => {
    const timer = setTimeout(
      () => {
        child.kill('SIGKILL')
        resolve({ wrong: 'the load came to no end in time' })
      },
      (plan.warmUp + plan.seconds) * 1000 + PATIENCE,
    )
    child.once('error', reject)
    child.once('message', (report: Report) => {
      resolve(report)
      child.disconnect()
    })
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      reject(new Error(`the load ended with ${signal ?? code}`))
    })
    child.send(plan)
  })
}

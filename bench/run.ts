/** One measurement: starts the program and the load, each on its core, and hands on what the load reports. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Program } from '../scripts/support/program.ts'
import type { ClientPlan, Listening, Plan, Report, Started, Timing } from './load/plan.ts'
import type { Pinning } from './pinning.ts'
import { clientArguments, folder, root, serverArguments } from './programs.ts'
import type { Subject } from './programs.ts'
import type { ClientScenario, Scenario } from './scenarios.ts'

/** Milliseconds that a program has to start, and that the load may take beyond its traffic. */
const START = 20_000
const PATIENCE = 120_000

/** A fresh process of the server, under the scenario's load. */
export async function measureServer(
  subject: Subject,
  scenario: Scenario,
  timing: Timing & Pick<Plan, 'measure'>,
  pinning: Pinning,
): Promise<Report> {
  const server = start(subject, serverArguments(subject, scenario), pinning)
  let url: string
  try {
    url = await server.url(START)
  } catch (error) {
    await server.stop()
    return { unable: (error as Error).message }
  }
  const load = new Load(pinning)
  try {
    const check = subject.program === 'raw' ? 'same' : 'all'
    load.send({ role: 'server', scenario, url, pid: server.pid, check, ...timing })
    return await load.next<Report>(timing).catch(lost)
  } finally {
    load.end()
    await server.stop()
  }
}

/** A fresh process of the client, with the cheapest of servers on the other side. */
export async function measureClient(
  subject: Subject,
  scenario: ClientScenario,
  timing: Timing,
  pinning: Pinning,
): Promise<Report> {
  const load = new Load(pinning)
  let client: Program | undefined
  try {
    load.send({ role: 'client', scenario, ...timing })
    const { url } = await load.next<Listening>(timing)
    client = start(subject, clientArguments(subject, scenario, url), pinning)
    const ended = client.ended.then((how): Report => ({ unable: `it ${how}` }))
    load.send({ pid: client.pid })
    return await Promise.race([ended, load.next<Report>(timing).catch(lost)])
  } finally {
    load.end()
    await client?.stop()
  }
}

function start(subject: Subject, args: readonly string[], pinning: Pinning): Program {
  const [executable, all] = pinning.command('program', subject.executable, args)
  return new Program(executable, all, { cwd: root, ...(subject.env && { env: subject.env }) })
}

/** One measurement that fails does not end all others. */
function lost(error: unknown): Report {
  return { wrong: (error as Error).message }
}

/** The load's process. It ends with this one, as the channel to it does. */
class Load {
  readonly #child: ChildProcess

  constructor(pinning: Pinning) {
    const [executable, args] = pinning.command('load', process.execPath, [join(folder, 'dist/load/main.js')])
    this.#child = spawn(executable, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  }

  send(message: Plan | ClientPlan | Started): void {
    this.#child.send(message)
  }

  /** What it tells next. Rejects when it ends, or takes too long. */
  async next<T>({ warmUp, seconds }: Timing): Promise<T> {
    const limit = new AbortController()
    const { signal } = limit
    const late = new Error('the load came to no end in time')
    const timer = setTimeout(() => limit.abort(late), (warmUp + seconds) * 1000 + PATIENCE)
    try {
      const ended = once(this.#child, 'exit', { signal }).then(([code, name]): never => {
        throw new Error(`the load ended with ${name ?? code}`)
      })
      const [message] = await Promise.race([once(this.#child, 'message', { signal }), ended])
      return message as T
    } catch (error) {
      throw signal.aborted ? late : error
    } finally {
      clearTimeout(timer)
      limit.abort()
    }
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }
}

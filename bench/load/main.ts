/**
 * The load, a process of its own, on a core of its own: is told a plan, carries it out, tells what came of it, and waits to be ended.
 * It ends when the one that started it does.
 */
import { once } from 'node:events'
import { openBroadcasts } from './broadcasts.ts'
import { openChurn } from './churn.ts'
import { Counterpart } from './counterpart.ts'
import { openEchoes } from './echoes.ts'
import { targetOf } from './link.ts'
import type { Target } from './link.ts'
import { measureCost, measureLatency, measureMemory } from './measure.ts'
import { Unable, WrongReply } from './plan.ts'
import type { ClientPlan, Listening, Plan, Report, Started } from './plan.ts'
import type { Traffic } from './traffic.ts'

process.on('disconnect', () => process.exit())
process.once('message', (plan: Plan | ClientPlan) => {
  void (plan.role === 'server' ? loadServer(plan) : loadClient(plan))
    .catch(problem)
    .then((report) => process.send?.(report))
})

async function loadServer(plan: Plan): Promise<Report> {
  const target = targetOf(plan.url)
  if (plan.scenario.traffic === 'idle') return { memory: await measureMemory(target, plan) }
  const traffic = await open(plan, target)
  try {
    if (plan.measure === 'latency') return { latency: await measureLatency(traffic, plan) }
    traffic.run()
    return { cost: await measureCost(traffic, plan.pid, plan) }
  } finally {
    traffic.end()
  }
}

/** `idle` is none of these. */
function open(plan: Plan, target: Target): Promise<Traffic> {
  const { traffic } = plan.scenario
  if (traffic === 'broadcast') return openBroadcasts(plan, target)
  return traffic === 'churn' ? openChurn(plan, target) : openEchoes(plan, target)
}

/** The client sends of its own accord from when it is started. */
async function loadClient(plan: ClientPlan): Promise<Report> {
  const counterpart = new Counterpart(plan.scenario)
  const listening: Listening = { url: await counterpart.listen() }
  process.send?.(listening)
  const [{ pid }] = (await once(process, 'message')) as [Started]
  try {
    await counterpart.check()
    return { cost: await measureCost(counterpart, pid, plan) }
  } finally {
    counterpart.end()
  }
}

function problem(error: unknown): Report {
  if (error instanceof Unable) return { unable: error.message }
  if (error instanceof WrongReply) return { wrong: error.message }
  return { wrong: error instanceof Error ? error.message : String(error) }
}

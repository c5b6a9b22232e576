/**
 * The load, a process of its own, on a core of its own: is told a plan, carries it out, tells what came of it, and waits to be ended.
 * It ends when the one that started it does.
 */
import { openBroadcasts } from './broadcasts.ts'
import { openChurn } from './churn.ts'
import { openEchoes } from './echoes.ts'
import { targetOf } from './link.ts'
import type { Target } from './link.ts'
import { measureCost, measureLatency, measureMemory } from './measure.ts'
import { Unable, WrongReply } from './plan.ts'
import type { Plan, Report } from './plan.ts'
import type { Traffic } from './traffic.ts'

process.on('disconnect', () => process.exit())
process.once('message', (plan: Plan) => {
  void carryOut(plan)
    .catch(problem)
    .then((report) => process.send?.(report))
})

async function carryOut(plan: Plan): Promise<Report> {
  const target = targetOf(plan.url)
  if (plan.scenario.traffic === 'idle') return { memory: await measureMemory(target, plan) }
  const traffic = await open(plan, target)
  try {
    if (plan.measure === 'latency') return { latency: await measureLatency(traffic, plan) }
    return { cost: await measureCost(traffic, plan) }
  } finally {
    traffic.end()
  }
}

function open(plan: Plan, target: Target): Promise<Traffic> {
  switch (plan.scenario.traffic) {
    case 'broadcast':
      return openBroadcasts(plan, target)
    case 'churn':
      return openChurn(plan, target)
    case 'replies':
    case 'idle':
      return openEchoes(plan, target)
  }
}

function problem(error: unknown): Report {
  if (error instanceof Unable) return { unable: error.message }
  if (error instanceof WrongReply) return { wrong: error.message }
  return { wrong: error instanceof Error ? error.message : String(error) }
}

/**
 * `npm run check`: everything that must hold before a change lands, and what CI runs. Steps are npm scripts, so that each can
 * be run by itself; `npm run check -- lint types` runs some of them. Every step runs even if one before it failed.
 * The last line is `N passed, N failed`, where every test and every check of the package counts, and every other step as one;
 * the exit code is 1 when anything failed.
 */
import { countingScript, npmScript, runSteps, summarize, vitest } from './support/steps.ts'
import type { Step } from './support/steps.ts'

const steps: readonly Step[] = [
  npmScript('format', 'format:check'),
  npmScript('lint'),
  npmScript('types'),
  npmScript('docs'),
  npmScript('requirements'),
  npmScript('threats'),
  npmScript('build'),
  vitest('test', 'test'),
  npmScript('publint'),
  npmScript('attw'),
  npmScript('knip'),
  countingScript('package'),
  npmScript('size'),
  npmScript('api', 'api:check'),
  npmScript('smoke'),
  npmScript('bench', 'bench:smoke'),
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name))
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(', ')}; there are ${steps.map((step) => step.name).join(', ')}`)
  process.exit(1)
}

const results = await runSteps(
  steps.filter((step) => wanted.length === 0 || wanted.includes(step.name)),
  console.log,
)
console.log(summarize(results))
process.exitCode = results.some((result) => result.failed > 0) ? 1 : 0

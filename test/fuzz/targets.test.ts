import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { execute } from '../../fuzz/support/execution.ts'
import { Random } from '../../fuzz/support/random.ts'
import { targets } from '../../fuzz/targets/index.ts'

/** Executions of each, which take a second or two. */
const EXECUTIONS: Readonly<Record<string, number>> = {
  request: 4000,
  response: 4000,
  frames: 2500,
  extensions: 15_000,
  close: 15_000,
  api: 400,
}

const ignore = (): void => {}

describe('every target', () => {
  // What handlers do wrong is warned of, which is no news here.
  const listeners = process.listeners('warning')
  beforeAll(() => {
    process.removeAllListeners('warning').on('warning', ignore)
  })
  afterAll(() => {
    process.off('warning', ignore)
    for (const listener of listeners) process.on('warning', listener)
  })

  for (const target of targets) {
    it(`finds nothing in ${target.name} within a short run [V21]`, { timeout: 60_000 }, async () => {
      const random = new Random(6455)
      let units = 0
      for (let left = EXECUTIONS[target.name]; left > 0; left--) {
        const outcome = await execute(target, random.seed())
        if (typeof outcome !== 'number') {
          const { seed, input, error } = outcome
          throw new Error(`--target ${target.name} --replay ${seed} (${input.settings})`, { cause: error })
        }
        units += outcome
      }
      expect(units).toBeGreaterThanOrEqual(EXECUTIONS[target.name])
    })
  }
})

import { expect, it } from 'vitest'
import { spendSince, turnIsOver } from '../../src/deflate/turn.ts'

it('inflating at once has a share of every turn, whoever it is that inflates', async () => {
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  expect(turnIsOver()).toBe(false)
  const began = performance.now()
  spendSince(began - 3)
  expect(turnIsOver()).toBe(false)
  spendSince(began - 3)
  expect(turnIsOver()).toBe(true)
  await nextTurn()
  await nextTurn()
  expect(turnIsOver()).toBe(false)
})

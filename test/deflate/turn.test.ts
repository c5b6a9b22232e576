import { afterEach, expect, it, vi } from 'vitest'
import { spendSince, turnIsOver } from '../../src/deflate/turn.ts'
import { turn } from '../support/clock.ts'

afterEach(async () => {
  vi.restoreAllMocks()
  await turn(1)
})

it('inflating at once has 5 ms of a turn, and not a moment more', async () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(5)
  spendSince(0)
  expect(turnIsOver()).toBe(false)
  clock.mockReturnValue(5.001)
  spendSince(5)
  expect(turnIsOver()).toBe(true)
})

it('inflating at once has another share in the next turn, though it took all of this one at a stroke', async () => {
  spendSince(performance.now() - 100)
  expect(turnIsOver()).toBe(true)
  await turn(1)
  expect(turnIsOver()).toBe(false)
})

it('inflating at once has a share of every turn, whoever it is that inflates', async () => {
  expect(turnIsOver()).toBe(false)
  const began = performance.now()
  spendSince(began - 3)
  expect(turnIsOver()).toBe(false)
  spendSince(began - 3)
  expect(turnIsOver()).toBe(true)
  await turn()
  expect(turnIsOver()).toBe(false)
})

/**
 * The time of the connections' clocks in the tests' hands: `useClock` in a `describe`, then `pass`. Only intervals and
 * `setTimeout` are fake, so that `turn` still lets streams and promises do what they have to.
 */
import { afterEach, beforeEach, expect, vi } from 'vitest'

/** Fakes the timers for every test around; afterwards none may be left running. */
export function useClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'Date'] })
  })
  afterEach(() => {
    const left = vi.getTimerCount()
    vi.useRealTimers()
    expect({ timersLeft: left }).toEqual({ timersLeft: 0 })
  })
}

/** Lets everything that is due now happen: ticks, promises, stream events. */
export async function turn(times = 2): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** The longest that passes at once: a tick of the coarsest clock. */
const STEP = 500

/** Lets `milliseconds` pass, with everything in between that is due. */
export async function pass(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += STEP) {
    vi.advanceTimersByTime(Math.min(STEP, milliseconds - passed))
    await turn()
  }
}

/** The process stands still for so long: its timers come late, and once. */
export async function stall(milliseconds: number): Promise<void> {
  vi.setSystemTime(Date.now() + milliseconds)
  vi.advanceTimersToNextTimer()
  await turn()
}

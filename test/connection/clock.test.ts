/** One timer for many connections. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Clock } from '../../src/connection/clock.ts'
import type { Timed } from '../../src/connection/clock.ts'

/** The periods of the timers that were begun. */
function periods(spy: { readonly mock: { readonly calls: readonly (readonly unknown[])[] } }): unknown[] {
  return spy.mock.calls.map(([, period]) => period)
}

function expectNoTimer(): void {
  expect(vi.getTimerCount()).toBe(0)
}

describe('Clock', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    expectNoTimer()
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  it.each([
    [1, 5],
    [100, 5],
    [119, 5],
    [120, 6],
    [1000, 50],
    [1019, 50],
    [10_000, 500],
    [30_000, 500],
  ])('ticks twenty times in the shortest timeout, within bounds: %i ms every %i ms', (shortest, period) => {
    const spy = vi.spyOn(globalThis, 'setInterval')
    const clock = Clock.for(shortest)
    const member = { tick: () => {} }
    clock.add(member)
    expect(periods(spy)).toEqual([period])
    clock.delete(member)
  })

  it('is shared by those with equal needs', () => {
    expect(Clock.for(2000)).toBe(Clock.for(2010))
    expect(Clock.for(2000)).not.toBe(Clock.for(2100))
  })

  it('runs one timer, while anybody is on it', () => {
    const clock = Clock.for(1000)
    const members: Timed[] = [1, 2, 3].map(() => ({ tick: vi.fn<Timed['tick']>() }))
    expect(vi.getTimerCount()).toBe(0)
    for (const member of members) clock.add(member)
    expect(vi.getTimerCount()).toBe(1)
    for (const member of members.slice(1)) clock.delete(member)
    expect(vi.getTimerCount()).toBe(1)
    clock.delete(members[0])
    expect(vi.getTimerCount()).toBe(0)
    clock.delete(members[0])
    clock.add(members[0])
    expect(vi.getTimerCount()).toBe(1)
    clock.delete(members[0])
  })

  it('never keeps the process alive', () => {
    vi.useRealTimers()
    const spy = vi.spyOn(globalThis, 'setInterval')
    const member = { tick: () => {} }
    const clock = Clock.for(1000)
    clock.add(member)
    expect(spy.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([false])
    clock.delete(member)
    vi.useFakeTimers()
  })

  it('tells every member the time, and stands still while there are none', () => {
    const clock = Clock.for(1000)
    const began = clock.now
    const heard: number[] = []
    const member = { tick: (now: number) => heard.push(now - began) }
    clock.add(member)
    vi.advanceTimersByTime(149)
    expect(heard).toEqual([50, 100])
    expect(clock.now - began).toBe(100)
    clock.delete(member)
    vi.advanceTimersByTime(1000)
    expect(clock.now - began).toBe(100)
  })

  it('goes on with the other members when one leaves, or ends it, within a tick', () => {
    const clock = Clock.for(1000)
    const heard: string[] = []
    const leaving = {
      tick: () => {
        heard.push('leaving')
        clock.delete(leaving)
        clock.delete(removed)
      },
    }
    const removed = { tick: () => heard.push('removed') }
    const staying = { tick: () => heard.push('staying') }
    for (const member of [leaving, removed, staying]) clock.add(member)
    vi.advanceTimersByTime(100)
    expect(heard).toEqual(['leaving', 'staying', 'staying'])
    clock.delete(staying)
  })

  it('keeps a deadline late rather than early, by at most a tick', () => {
    const clock = Clock.for(1000)
    let began = 0
    let deadline = Infinity
    let kept: number | undefined
    const member = {
      tick: (now: number) => {
        if (now >= deadline) kept ??= Date.now() - began
      },
    }
    clock.add(member)
    for (const into of [0, 1, 30, 49]) {
      // So much of a tick is over, which the clock does not know.
      vi.advanceTimersByTime(into)
      began = Date.now()
      deadline = clock.after(100)
      kept = undefined
      vi.advanceTimersByTime(200)
      expect(kept).toBeGreaterThanOrEqual(100)
      expect(kept).toBeLessThanOrEqual(150)
    }
    clock.delete(member)
  })
})

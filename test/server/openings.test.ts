/** The openings that are under way, as a list: who is on it, whether there was room, and that a clock looks after them. */
import { describe, expect, it, vi } from 'vitest'
import type { Clock } from '../../src/connection/index.ts'
import type { Opening } from '../../src/server/opening.ts'
import { Openings } from '../../src/server/openings.ts'

function opening(pending = true): Opening {
  return { place: -1, pending, tick: vi.fn<(now: number) => void>() } as unknown as Opening
}

/** A clock that says what it is to look after. */
function watched(): { clock: Clock; on: Set<unknown>; add: ReturnType<typeof vi.fn> } {
  const on = new Set<unknown>()
  const add = vi.fn<(timed: unknown) => void>((timed) => void on.add(timed))
  return { clock: { add, delete: (timed: unknown) => on.delete(timed) } as unknown as Clock, on, add }
}

describe('Openings', () => {
  it('have room for so many, and keep those beyond, too, until they have been answered', () => {
    const openings = new Openings(watched().clock, 2)
    const all = [opening(), opening(), opening()]
    expect(all.map((one) => openings.add(one))).toEqual([true, true, false])
    expect(openings.all).toEqual(all)
    openings.delete(all[2])
    openings.delete(all[1])
    expect(openings.add(all[2])).toBe(true)
    expect(openings.add(all[1])).toBe(false)
  })

  it('forget whichever has ended, wherever it stands, and no other', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [1, 0, 2],
    ]) {
      const openings = new Openings(watched().clock, 9)
      const left = new Set([opening(), opening(), opening()])
      const all = [...left]
      for (const one of all) openings.add(one)
      for (const index of order) {
        openings.delete(all[index])
        left.delete(all[index])
        expect(new Set(openings.all)).toEqual(left)
      }
    }
  })

  it('count as pending those that have no answer yet', () => {
    const openings = new Openings(watched().clock, 9)
    expect(openings.pending).toBe(0)
    for (const pending of [true, false, true]) openings.add(opening(pending))
    expect(openings.pending).toBe(2)
  })

  it('tell each the time, also while some of them end', () => {
    const openings = new Openings(watched().clock, 9)
    const all = [opening(), opening(), opening()]
    for (const one of all) openings.add(one)
    vi.mocked(all[0].tick).mockImplementation(() => openings.delete(all[0]))
    openings.tick(5)
    for (const one of all) expect(one.tick).toHaveBeenCalledExactlyOnceWith(5)
  })

  it('are on the clock once, from the first one to the first tick without any', () => {
    const { clock, on, add } = watched()
    const openings = new Openings(clock, 9)
    expect(on.size).toBe(0)
    const [one, two] = [opening(), opening()]
    for (const each of [one, two]) openings.add(each)
    expect([[...on], add.mock.calls.length]).toEqual([[openings], 1])
    openings.delete(one)
    openings.tick(1)
    openings.delete(two)
    expect(on.size).toBe(1)
    openings.tick(2)
    expect(on.size).toBe(0)
    openings.add(one)
    expect(on.size).toBe(1)
    openings.stop()
    expect(on.size).toBe(0)
  })
})

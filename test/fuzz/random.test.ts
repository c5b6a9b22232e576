import { describe, expect, it } from 'vitest'
import { Random } from '../../fuzz/support/random.ts'

describe('Random', () => {
  it('says the same after the same seed, on every machine', () => {
    const random = new Random(1)
    expect(Array.from({ length: 4 }, () => random.word())).toEqual([2012149540, 1872316204, 1707632675, 1779833415])
  })

  it('heeds all bits of a seed', () => {
    const seeds = [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER]
    expect(new Set(seeds.map((seed) => new Random(seed).word())).size).toBe(seeds.length)
  })

  it('spreads evenly, within its bounds', () => {
    const random = new Random(2)
    const counts = Array.from({ length: 10 }, () => 0)
    for (let i = 0; i < 100_000; i++) counts[random.int(10)]++
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)

    const between = new Set(Array.from({ length: 1000 }, () => random.between(-1, 1)))
    expect([...between].toSorted((a, b) => a - b)).toEqual([-1, 0, 1])
    const small = Array.from({ length: 10_000 }, () => random.small(400))
    expect([Math.min(...small), Math.max(...small) < 400]).toEqual([0, true])
    const chances = Array.from({ length: 10_000 }, () => random.chance(0.25)).filter(Boolean)
    expect(Math.abs(chances.length - 2500)).toBeLessThan(200)
    expect([random.chance(0), random.chance(1)]).toEqual([false, true])
    expect(new Set(random.bytes(10_000)).size).toBe(256)
    expect(Number.isSafeInteger(random.seed())).toBe(true)
  })
})

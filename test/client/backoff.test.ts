/** Truncated exponential backoff (RFC 6455 7.2.3). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffSettings, delayBefore } from '../../src/client/backoff.ts'
import type { BackoffOptions } from '../../src/client/backoff.ts'

/** The shortest and the longest of the first `count` delays. */
function ranges(options: BackoffOptions, count: number): readonly (readonly [number, number])[] {
  const settings = backoffSettings(options)
  return Array.from({ length: count }, (_, index) => [
    delayBefore(index + 1, settings, 0),
    delayBefore(index + 1, settings, 1),
  ])
}

describe('delayBefore', () => {
  it('is a random time from the first on, which grows and is cut off [6455:7.2.3-02] [6455:7.2.3-03] [6455:7.2.3-04]', () => {
    expect(ranges({}, 8)).toEqual([
      [1_000, 2_000],
      [2_000, 4_000],
      [4_000, 8_000],
      [8_000, 16_000],
      [16_000, 32_000],
      [30_000, 60_000],
      [30_000, 60_000],
      [30_000, 60_000],
    ])
  })

  it('is what its options say', () => {
    expect(ranges({ minDelay: 100, maxDelay: 1_000, factor: 3, jitter: 0.5 }, 4)).toEqual([
      [100, 150],
      [300, 450],
      [667, 1_000],
      [667, 1_000],
    ])
    expect(ranges({ minDelay: 100, maxDelay: 350, jitter: 0 }, 4)).toEqual([
      [100, 100],
      [200, 200],
      [350, 350],
      [350, 350],
    ])
    expect(ranges({ minDelay: 500, maxDelay: 500 }, 2)).toEqual([
      [500, 500],
      [500, 500],
    ])
    expect(ranges({ factor: 1 }, 3).at(-1)).toEqual([1_000, 2_000])
  })

  it('is never shorter than the least and never longer than the most, however often it was tried', () => {
    const options = fc.record({
      minDelay: fc.integer({ min: 1, max: 10_000 }),
      more: fc.nat(1_000_000),
      factor: fc.double({ min: 1, max: 1e300, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(
        options,
        fc.integer({ min: 1, max: 10_000 }),
        random,
        ({ minDelay, more, ...others }, count, chance) => {
          const settings = backoffSettings({ minDelay, maxDelay: minDelay + more, ...others })
          const delay = delayBefore(count, settings, chance)
          return Number.isInteger(delay) && delay >= minDelay && delay <= minDelay + more
        },
      ),
    )
  })
})

describe('backoffSettings', () => {
  it('has a default for what is left out, and for nothing else', () => {
    const defaults = { minDelay: 1_000, maxDelay: 60_000, factor: 2, jitter: 1, stableAfter: 10_000 }
    expect(backoffSettings({})).toEqual(defaults)
    expect(backoffSettings({ minDelay: undefined, factor: 3 })).toEqual({ ...defaults, factor: 3 })
    for (const name of Object.keys(defaults)) {
      for (const value of [null, '5', true]) {
        expect(() => backoffSettings({ [name]: value }), name).toThrow(
          expect.objectContaining({ name: 'TypeError', code: 'ERR_WS_INVALID_OPTION' }),
        )
      }
    }
  })

  it('refuses what is out of range', () => {
    for (const options of [
      { minDelay: 0 },
      { minDelay: 1.5 },
      { minDelay: 60_001 },
      { maxDelay: 999 },
      { maxDelay: 2 ** 31 },
      { factor: 0.9 },
      { factor: Infinity },
      { factor: Number.NaN },
      { jitter: -0.1 },
      { jitter: 1.1 },
      { jitter: Number.NaN },
      { stableAfter: -1 },
    ]) {
      expect(() => backoffSettings(options), JSON.stringify(options)).toThrow(
        expect.objectContaining({ name: 'RangeError', code: 'ERR_WS_INVALID_OPTION' }),
      )
    }
  })
})

/** What is made of many figures. */
import { describe, expect, it } from 'vitest'
import { percentile, spread } from '../../bench/statistics.ts'

describe('spread', () => {
  it('tells the middle of an odd number of values, and their ends', () => {
    expect(spread([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9, rounds: 3 })
  })

  it('takes what is between the two in the middle of an even number', () => {
    expect(spread([10, 2, 4, 100])).toEqual({ median: 7, min: 2, max: 100, rounds: 4 })
  })

  it('sorts by size, not as text', () => {
    expect(spread([100, 20, 3]).median).toBe(20)
  })
})

describe('percentile', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1)

  it('is a value that was there, which that share does not exceed', () => {
    expect([0.5, 0.99, 0.999, 1].map((share) => percentile(hundred, share))).toEqual([50, 99, 100, 100])
  })

  it('is the only one of one, and the least for a share of nothing', () => {
    expect(percentile(Float64Array.of(7), 0.999)).toBe(7)
    expect(percentile(hundred, 0)).toBe(1)
  })
})

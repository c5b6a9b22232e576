/** Being ahead of ws by less than before is noticed, from a quarter on, and only where both can be compared. */
import { describe, expect, it } from 'vitest'
import { compare } from '../../bench/guard.ts'
import type { Measurement } from '../../bench/results.ts'

function measured(program: string, cost: number, more: Partial<Measurement> = {}): Measurement {
  const spread = { median: cost, min: cost, max: cost, rounds: 1 }
  return { scenario: 'S2', program, runtime: 'node20', ranked: true, cost: spread, ...more }
}

const recorded = [measured('fullduplex', 1), measured('ws', 4)]

describe('compare', () => {
  it('tells both ratios', () => {
    const now = [measured('fullduplex', 2), measured('ws', 9)]
    expect(compare(now, recorded)).toEqual([{ scenario: 'S2', now: 4.5, before: 4, worse: false }])
  })

  it('finds nothing where three quarters are left, whatever the machine', () => {
    expect(compare([measured('fullduplex', 100), measured('ws', 300)], recorded)[0].worse).toBe(false)
  })

  it('finds what is worse by more than a quarter', () => {
    expect(compare([measured('fullduplex', 100), measured('ws', 299)], recorded)[0].worse).toBe(true)
  })

  it('finds nothing where there is no record', () => {
    const [found] = compare([measured('fullduplex', 100), measured('ws', 1)], [])
    expect(found).toEqual({ scenario: 'S2', now: 0.01, before: undefined, worse: false })
  })

  it('leaves out what is not ranked, or skipped', () => {
    expect(compare([measured('fullduplex', 100), measured('ws', 1, { ranked: false })], recorded)).toEqual([])
    expect(compare([measured('ws', 1)], recorded)).toEqual([])
  })

  it('compares under the same Node', () => {
    const now = [measured('ws', 9, { runtime: 'node26' }), measured('fullduplex', 2), measured('ws', 8)]
    expect(compare(now, recorded)[0].now).toBe(4)
  })

  it('compares memory where that is the figure', () => {
    const memory = (octets: number) => ({ memory: { median: octets, min: 1, max: 1, rounds: 1 }, cost: undefined })
    const one = (program: string, octets: number) => {
      const { cost: _, ...rest } = { ...measured(program, 0), ...memory(octets) }
      return rest
    }
    expect(compare([one('fullduplex', 1000), one('ws', 3000)], [])[0].now).toBe(3)
  })
})

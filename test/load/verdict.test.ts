/** Checks say what holds and what does not, at their bounds, too, and none holds without something to look at. */
import { describe, expect, it } from 'vitest'
import { Latencies } from '../../load/latency.ts'
import { MiB, atLeast, atMost, flat, grows, noMore, same, slope, warm } from '../../load/verdict.ts'

const points = (...ys: number[]): { x: number; y: number }[] => ys.map((y, at) => ({ x: at * 10, y: y * MiB }))

describe('A check', () => {
  it('that memory is flat looks at all samples', () => {
    expect(flat('memory', [10 * MiB, 12 * MiB, 11 * MiB], 2 * MiB)).toEqual({
      what: 'memory is flat within 2 MiB',
      holds: true,
      found: '2 MiB between least and most of 3',
    })
    expect(flat('memory', [12.1 * MiB, 10 * MiB, 10 * MiB], 2 * MiB).holds).toBe(false)
  })

  it('that memory grows by little looks at where the samples lead, not at one of them', () => {
    expect(grows('RSS', points(10, 15, 10, 10.5, 10), MiB)).toEqual({
      what: 'RSS grows by 1 MiB at most',
      holds: true,
      found: '-1.8 MiB, by the line through 5',
    })
    expect(grows('RSS', points(10, 10.5, 11, 11.5), MiB)).toMatchObject({ holds: false })
    expect(grows('RSS', points(10, 10.5, 11), MiB)).toMatchObject({
      holds: true,
      found: '1 MiB, by the line through 3',
    })
  })

  it.each([[[]], [[1]]])('of too few samples does not hold: %j', (values) => {
    expect(flat('memory', values, MiB)).toMatchObject({ holds: false, found: 'too few samples' })
    expect(grows('memory', points(...values), MiB)).toMatchObject({ holds: false, found: 'too few samples' })
  })

  it('compares with a bound', () => {
    expect(atMost('p99', 20, 20, 'ms')).toEqual({ what: 'p99 is at most 20 ms', holds: true, found: '20 ms' })
    expect(atMost('p99', 20.1, 20, 'ms').holds).toBe(false)
    expect(atLeast('the rate', 30_000, 30_000, '/s').holds).toBe(true)
    expect(atLeast('the rate', 29_999, 30_000, '/s')).toMatchObject({ holds: false, found: '29,999 /s' })
    expect(atMost('p99', Number.NaN, 20, 'ms').holds).toBe(false)
  })

  it('compares what two sides have counted', () => {
    expect(same('messages', 3, 3)).toEqual({ what: 'messages: 3', holds: true, found: '3' })
    expect(same('messages', 3, 2).holds).toBe(false)
    expect(same('messages', 3, undefined)).toMatchObject({ holds: false, found: 'not told' })
  })

  it('that there is no more of something than at first', () => {
    expect(noMore('handles', [4, 3, 4])).toEqual({ what: 'handles become no more than 4', holds: true, found: '4' })
    expect(noMore('handles', [4, 5, 4]).holds).toBe(false)
    expect(noMore('handles', [4]).holds).toBe(false)
  })
})

describe('slope', () => {
  it('is that of the line nearest to all points, and 0 where there is none', () => {
    expect(slope([1, 2, 3].map((x) => ({ x, y: 5 - 2 * x })))).toBeCloseTo(-2)
    expect(slope([{ x: 1, y: 2 }])).toBe(0)
  })
})

describe('warm', () => {
  it('leaves out the first fifth, one at least', () => {
    expect(warm([1, 2, 3, 4, 5, 6])).toEqual([3, 4, 5, 6])
    expect(warm([1, 2])).toEqual([2])
    expect(warm([1])).toEqual([])
  })
})

describe('Latencies', () => {
  it('tell the middle, the last of a hundred and the most, since they were asked last', () => {
    const latencies = new Latencies()
    for (let each = 1; each <= 1000; each++) latencies.add(each / 10)
    const { count, p50, p99, max } = latencies.take()
    expect(count).toBe(1000)
    expect(p50).toBeCloseTo(50, 0)
    expect(p99).toBeCloseTo(99, 0)
    expect(max).toBeCloseTo(100, 0)
    expect(latencies.take()).toEqual({ count: 0, p50: 0, p99: 0, max: 0 })
  })
})

/** What is printed: the cheapest first, ratios only where they mean something, and what was recorded beside what is now. */
import { describe, expect, it } from 'vitest'
import type { Measurement } from '../../bench/results.ts'
import { growthTables, overview, scenarioBlock } from '../../bench/table.ts'

const scenario = { id: 'S2', title: 'ping-pong', unit: 'message', rate: 30_000 } as const

function measured(program: string, cost: number, more: Partial<Measurement> = {}): Measurement {
  const spread = { median: cost, min: cost * 0.9, max: cost * 1.1, rounds: 3 }
  return {
    scenario: 'S2',
    program,
    runtime: 'node20',
    ranked: true,
    cost: spread,
    rate: { ...spread, median: 1e6 / cost },
    busy: { program: 0.98, load: 0.5 },
    ...more,
  }
}

const latency = { rate: 30_000, achieved: 30_000, p50: 41.2, p99: 120.4, p999: 1234.5 }

describe('scenarioBlock', () => {
  it('orders by cost, with ratios to ws and raw, and what was recorded', () => {
    const all = [measured('ws', 12, { latency }), measured('fullduplex', 8), measured('raw', 6.4)]
    const block = scenarioBlock(scenario, all, [measured('ws', 10), measured('fullduplex', 5)])
    expect(block.split('\n')).toEqual([
      'S2 · ping-pong',
      '              CPU µs per message    min – max  ÷ ws  ÷ raw  messages/s  core used  by load   p50  p99  p99.9 µs at 30,000/s',
      '  raw                       6.40  5.76 – 7.04  0.53   1.00     156,250       98 %     50 %',
      '  fullduplex                8.00  7.20 – 8.80  0.67   1.25     125,000       98 %     50 %',
      '  ws                        12.0  10.8 – 13.2  1.00   1.88      83,333       98 %     50 %  41.2  120                 1,235',
      '',
      '  ws needs 1.50 times as much as fullduplex; recorded: 2.00',
      '',
    ])
  })

  it('puts in parentheses what is not ranked, without a ratio, and says why there is no figure', () => {
    const block = scenarioBlock(
      scenario,
      [
        measured('ws', 12),
        measured('bun', 5, { ranked: false, why: 'the load was the limit' }),
        { scenario: 'S2', program: 'uws', runtime: 'node20', ranked: false, skipped: 'it is not here' },
      ],
      [],
    )
    expect(block).toMatch(/bun +\(5\.00\) +4\.50 – 5\.50 +200,000/)
    expect(block).toMatch(/uws +– it is not here/)
    expect(block).not.toContain('times as much')
  })

  it('says that other work has disturbed', () => {
    const busy = (others: number) => ({ busy: { program: 0.5, load: 0.2, others } })
    expect(scenarioBlock(scenario, [measured('ws', 12, busy(0.05))], [])).not.toContain('Other work')
    expect(scenarioBlock(scenario, [measured('ws', 12, busy(1.25))], [])).toContain('Other work used 1.25 cores')
  })

  it('says who was too slow for the rate', () => {
    const slow = measured('ws', 12, { latency: { ...latency, achieved: 20_000 } })
    expect(scenarioBlock(scenario, [slow], [])).toContain('1,235  – too slow for this rate')
  })

  it('names the versions of Node where there are several, and compares within each', () => {
    const all = [
      measured('ws', 12),
      measured('ws', 10, { runtime: 'node26' }),
      measured('raw', 5, { runtime: 'node26' }),
    ]
    expect(scenarioBlock(scenario, all, [])).toMatch(/raw · node26 +5\.00 +4\.50 – 5\.50 +0\.50 +1\.00/)
  })

  it('tells memory in KiB', () => {
    const memory = { median: 4096, min: 2048, max: 8192, rounds: 3 }
    const { cost: _cost, rate: _rate, busy: _busy, ...rest } = measured('ws', 1)
    const block = scenarioBlock({ ...scenario, unit: 'connection' }, [{ ...rest, memory }], [])
    expect(block).toMatch(/KiB per connection/)
    expect(block).toMatch(/ws +4\.00 +2\.00 – 8\.00/)
  })
})

describe('overview', () => {
  it('has a line for each scenario and a column for each program', () => {
    const all = [measured('ws', 12), measured('bun', 5, { ranked: false }), measured('ws', 120, { scenario: 'S3' })]
    expect(overview(all).split('\n')).toEqual(['      ws     bun', 'S2  12.0  (5.00)', 'S3   120       –'])
  })
})

describe('growthTables', () => {
  it('tells the growth for each doubling, and marks what is more than doubled', () => {
    const growth = [
      { of: 'size', program: 'fullduplex', points: [16, 32, 128].map((x, at) => ({ x, cost: [1, 2, 18][at] })) },
      { of: 'size', program: 'ws', points: [{ x: 16, cost: 4 }] },
    ]
    const [, , ...lines] = growthTables(growth).split('\n')
    expect(lines).toEqual([
      'size  fullduplex, µs  per doubling  ws, µs',
      '16              1.00                  4.00',
      '32              2.00          2.00',
      '128             18.0        ! 3.00',
      '',
    ])
  })
})

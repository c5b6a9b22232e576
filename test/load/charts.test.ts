/** A chart shows what it was given, and says it in words, too. */
import { describe, expect, it } from 'vitest'
import { lineChart } from '../../load/charts.ts'

const chart = {
  file: 'soak-memory.svg',
  title: 'Memory',
  subtitle: 'After garbage collection',
  x: 'seconds',
  y: 'MiB',
  lines: [
    {
      name: 'server',
      points: [
        { x: 1, y: 10 },
        { x: 2, y: 0 },
      ],
    },
    { name: 'clients', points: [{ x: 1, y: 12.5 }] },
  ],
}

describe('A chart of lines', () => {
  it('says from where to where each goes', () => {
    expect(lineChart(chart)).toMatchObject({
      file: 'soak-memory.svg',
      title: 'Memory',
      description: 'MiB by seconds: server from 0 to 10; clients from 12.5 to 12.5',
    })
  })

  it('has no zero on a logarithmic scale', () => {
    const data = (logarithmic: boolean): unknown => {
      const { series } = lineChart({ ...chart, logarithmic }).option as { series: { data: unknown }[] }
      return series[0].data
    }
    expect(data(false)).toEqual([
      [1, 10],
      [2, 0],
    ])
    expect(data(true)).toEqual([
      [1, 10],
      [2, 0.001],
    ])
  })
})

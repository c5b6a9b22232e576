/** A chart shows what it was given, says it in words, too, and can be drawn. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
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
const drawable = existsSync(fileURLToPath(new URL('../../bench/node_modules/echarts', import.meta.url)))

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

  it.runIf(drawable)('is drawn with its title and its words', async () => {
    const { draw } = await import('../../bench/report/draw.ts')
    const svg = draw(lineChart(chart))
    expect(svg).toMatch(/^<svg [^]*<title id="title">Memory<\/title>\n<desc id="description">MiB by seconds: server/)
    expect(svg).toContain('>clients</text>')
  })
})

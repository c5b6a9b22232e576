/** The page and the charts that are made of the bench's figures: what they say, and that they say the same of the same figures. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { charts } from '../../bench/report/charts.ts'
import { amount, isSteep, number, steps, times } from '../../bench/report/figures.ts'
import { page } from '../../bench/report/page.ts'
import type { CodecRow, Growth, Measurement, Results, Spread } from '../../bench/results.ts'

const EMPTY: Results = {
  date: '2026-01-31',
  command: 'npm run bench -- --write',
  machine: { cpu: 'A CPU', cores: 2, memory: '8 GiB', kernel: 'Linux 6.1', node: '20.20.2' },
  versions: { fullduplex: 'fullduplex 0.1.0, Node 20.20.2' },
  servers: [],
  clients: [],
  growth: [],
  codec: [],
}

function spread(median: number): Spread {
  return { median, min: 0.9 * median, max: 1.2 * median, rounds: 3 }
}

function server(program: string, cost: number, more: Partial<Measurement> = {}): Measurement {
  const busy = { program: 0.98, load: 0.4 }
  const rate = spread(1e6 / cost)
  return { scenario: 'S2', program, runtime: 'node20', cost: spread(cost), rate, busy, ranked: true, ...more }
}

const SERVERS = [server('ws', 12), server('fullduplex', 4), server('raw', 3.2), server('uws', 5)]

function curve(program: string, ...costs: readonly number[]): Growth {
  return { of: 'size', program, points: costs.map((cost, index) => ({ x: 1024 * 2 ** index, cost })) }
}

/** The cells of the first table behind `heading`, without its two lines of head; cells are trimmed. */
function cells(text: string, heading: string): string[][] {
  const lines = text.slice(text.indexOf(heading)).split('\n')
  const start = lines.findIndex((line) => line.startsWith('|'))
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'))
  return lines.slice(start + 2, start + length).map((line) => {
    return line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim())
  })
}

describe('The page', () => {
  it('without figures says how they are made, and has no empty section', () => {
    const headings = page(EMPTY).match(/^#+ .*$/gm)
    expect(headings).toEqual(['# Benchmarks', '## What ran', '## Measure it yourself'])
    expect(page(EMPTY)).toContain(
      '`npm run bench -- --write`, on 2026-01-31: A CPU, 2 cores, 8 GiB; Linux 6.1; Node 20.20.2.',
    )
    expect(page(EMPTY)).toContain('| fullduplex | fullduplex 0.1.0, Node 20.20.2 |')
  })

  it('puts the cheapest first, with the ends of the rounds and both ratios', () => {
    expect(cells(page({ ...EMPTY, servers: SERVERS }), '### S2')).toEqual([
      ['raw', '3.20', '2.88 – 3.84', '3.75 ×', '1.00 ×', '312,500', '98 %', '40 %'],
      ['**fullduplex**', '4.00', '3.60 – 4.80', '3.00 ×', '1.25 ×', '250,000', '98 %', '40 %'],
      ['uws', '5.00', '4.50 – 6.00', '2.40 ×', '1.56 ×', '200,000', '98 %', '40 %'],
      ['ws', '12.0', '10.8 – 14.4', '1.00 ×', '3.75 ×', '83,333', '98 %', '40 %'],
    ])
  })

  it('gives a scenario its title, and keeps the order of the scenarios', () => {
    const servers = [server('ws', 1, { scenario: 'unknown' }), server('ws', 1), server('ws', 1, { scenario: 'S1-50' })]
    const clients = [server('ws', 1, { scenario: 'C1' })]
    const headings = page({ ...EMPTY, servers, clients }).match(/^### .*$/gm)
    expect(headings).toEqual([
      '### S1-50: echo of 32 B text, 50 connections, batches of 100',
      '### S2: ping-pong of 32 B binary, 100 connections',
      '### unknown: unknown',
      '### C1: client: 32 B text, 1 connection, batches of 100',
    ])
  })

  it('sums all scenarios up: ours beside ws, raw and the best other', () => {
    const servers = [...SERVERS, server('ws', 9, { scenario: 'S3' }), server('fullduplex', 3, { scenario: 'S3' })]
    expect(cells(page({ ...EMPTY, servers }), '## Servers')).toEqual([
      ['S2: ping-pong of 32 B binary, 100 connections', '4.00', '3.00 ×', '1.25 ×', 'uws', '1.25 ×'],
      ['S3: echo of 1 KiB text, 50 connections, 10 in flight', '3.00', '3.00 ×', '', 'ws', '3.00 ×'],
    ])
  })

  it('compares what is not ranked with nothing, puts it last, and says why', () => {
    const bun = server('bun', 1, { runtime: 'bun', ranked: false, why: 'the load *was* the limit' })
    const text = page({ ...EMPTY, servers: [bun, ...SERVERS] })
    expect(cells(text, '### S2').at(-1)).toEqual([
      'bun',
      '1.00 (not ranked)',
      '0.900 – 1.20',
      '',
      '',
      '1,000,000',
      '98 %',
      '40 %',
    ])
    expect(text).toContain('- bun: the load \\*was\\* the limit')
    expect(cells(text, '## Servers')[0][4]).toBe('uws')
  })

  it('takes no ratio to ws where ws is not ranked', () => {
    const servers = [server('ws', 12, { ranked: false }), server('fullduplex', 4)]
    const text = page({ ...EMPTY, servers })
    expect(text).not.toContain('×')
    expect(text).toContain('- ws: no reason was given')
  })

  it('says what could not run, and why, and shows no figure of it', () => {
    const uws: Measurement = {
      scenario: 'S2',
      program: 'uws',
      runtime: 'node20',
      ranked: false,
      skipped: 'no | such file',
    }
    const text = page({ ...EMPTY, servers: [uws, ...SERVERS.slice(0, 3)] })
    expect(text).toContain('Could not run here:\n\n- uws: no \\| such file')
    expect(cells(text, '### S2').map(([program]) => program)).toEqual(['raw', '**fullduplex**', 'ws'])
    expect(page({ ...EMPTY, servers: [uws] })).not.toContain('µs of CPU')
  })

  it('tells runtimes of one program apart, and takes the usual one for ours and the same one for a ratio', () => {
    const newer = [server('fullduplex', 2, { runtime: 'node26' }), server('ws', 10, { runtime: 'node26' })]
    const text = page({ ...EMPTY, servers: [...newer, ...SERVERS] })
    const rows = cells(text, '### S2').map(([program, , , ratio]) => [program, ratio])
    expect(rows).toContainEqual(['**fullduplex · node26**', '5.00 ×'])
    expect(rows).toContainEqual(['**fullduplex · node20**', '3.00 ×'])
    expect(rows).toContainEqual(['raw', '3.75 ×'])
    expect(cells(text, '## Servers')[0].slice(1, 3)).toEqual(['4.00', '3.00 ×'])
  })

  it('has a table of latency, which says who was too slow', () => {
    const latency = { rate: 30_000, achieved: 29_990, p50: 120.4, p99: 420, p999: 1800 }
    const servers = [
      server('fullduplex', 4, { latency }),
      server('ws', 12, { latency: { ...latency, achieved: 20_000 } }),
    ]
    expect(cells(page({ ...EMPTY, servers }), 'How long replies take')).toEqual([
      ['**fullduplex**', '30,000', '29,990', '120', '420', '1,800'],
      ['ws', '30,000', '20,000 (too slow)', '120', '420', '1,800'],
    ])
    expect(page({ ...EMPTY, servers: SERVERS })).not.toContain('How long replies take')
  })

  it('has a table of memory, in KiB', () => {
    const idle = (program: string, memory: number): Measurement => {
      return { scenario: 'S8', program, runtime: 'node20', ranked: true, memory: spread(1024 * memory) }
    }
    const servers = [idle('ws', 6), idle('raw', 4), idle('fullduplex', 5)]
    expect(cells(page({ ...EMPTY, servers }), '### S8')).toEqual([
      ['raw', '4.00', '3.60 – 4.80', '1.50 ×', '1.00 ×'],
      ['**fullduplex**', '5.00', '4.50 – 6.00', '1.20 ×', '1.25 ×'],
      ['ws', '6.00', '5.40 – 7.20', '1.00 ×', '1.50 ×'],
    ])
  })

  it('shows octets of compressed replies, and clients, where there are some', () => {
    const clients = [server('fullduplex', 4, { scenario: 'S9', octets: 231.4 })]
    const text = page({ ...EMPTY, clients })
    expect(text).toContain('## Clients')
    expect(text).not.toContain('## Servers')
    expect(cells(text, '### S9')[0].at(-1)).toBe('231')
  })

  it('marks what more than doubles when something doubles', () => {
    const text = page({ ...EMPTY, growth: [curve('fullduplex', 1, 2, 4.5), curve('ws', 1, 3, 3)] })
    expect(cells(text, '### With size')).toEqual([
      ['1 KiB', '1.00', '', '1.00', ''],
      ['2 KiB', '2.00', '2.00 ×', '3.00', '**3.00 × !**'],
      ['4 KiB', '4.50', '**2.25 × !**', '3.00', '1.00 ×'],
    ])
  })

  it('has the parts by groups, and octets where they differ', () => {
    const row = (group: string, program: string, nanoseconds: number, octets?: number): CodecRow => {
      return { group, case: 'a|b', program, nanoseconds, ...(octets !== undefined && { octets }) }
    }
    const codec = [row('text', 'fullduplex', 20), row('text', 'ws', 50), row('deflate', 'fullduplex', 2e4, 233)]
    const text = page({ ...EMPTY, codec })
    expect(cells(text, '### Text')).toEqual([['a\\|b', '20.0 ns', '50.0 ns', '2.50 ×']])
    expect(cells(text, '### Deflate')).toEqual([['a\\|b', '20.0 µs', '233 / – / –']])
  })

  it('shows every chart that there is, and no other', () => {
    const results = { ...EMPTY, servers: SERVERS, clients: SERVERS, growth: [curve('ws', 1, 2)] }
    const shown = Array.from(page(results).matchAll(/!\[[^\]]+\]\(images\/([^)]+)\)/g), ([, file]) => file)
    expect(shown.toSorted()).toEqual(
      charts(results)
        .map(({ file }) => file)
        .toSorted(),
    )
  })

  it('is the same for the same figures, whatever the order of the programs', () => {
    const results = { ...EMPTY, servers: SERVERS }
    expect(page(structuredClone(results))).toBe(page(results))
    expect(page({ ...results, servers: SERVERS.toReversed() })).toBe(page(results))
  })
})

describe('Figures', () => {
  it('have three digits, and thousands apart', () => {
    expect([0, 0.04123, 0.61, 6.352, 42.42, 1234.5].map(number)).toEqual([
      '0',
      '0.0412',
      '0.610',
      '6.35',
      '42.4',
      '1,235',
    ])
    expect([0.5, 12.34, 123.4].map(times)).toEqual(['0.50 ×', '12.3 ×', '123 ×'])
    expect(times(undefined)).toBe('')
  })

  it('say octets as such, and numbers as numbers', () => {
    expect([16, 1024, 16_777_216].map((value) => amount('size', value))).toEqual(['16 B', '1 KiB', '16 MiB'])
    expect([amount('header octets', 2048), amount('connections', 2048)]).toEqual(['2 KiB', '2,048'])
  })

  it('of growth are for a doubling, however far apart the points are', () => {
    const found = steps({
      of: 'x',
      program: 'p',
      points: [
        { x: 16, cost: 16 },
        { x: 1, cost: 1 },
        { x: 4, cost: 9 },
      ],
    })
    expect(found.map(({ x, perDoubling }) => [x, perDoubling && Number(perDoubling.toFixed(3))])).toEqual([
      [1, undefined],
      [4, 3],
      [16, 1.333],
    ])
  })

  it('of growth are steep only when they are above 2 by more than a tenth of it', () => {
    expect([1.9, 2, 2.1, 2.19, 2.21, 3].map(isSteep)).toEqual([false, false, false, false, true, true])
  })
})

describe('The charts', () => {
  const idle: Measurement = { scenario: 'S8', program: 'ws', runtime: 'node20', ranked: true, memory: spread(4096) }
  const skipped: Measurement = { scenario: 'S2', program: 'deno', runtime: 'deno', ranked: false, skipped: 'missing' }
  const bun = server('bun', 1, { ranked: false })
  const s3 = [server('ws', 9, { scenario: 'S3' }), server('fullduplex', 3, { scenario: 'S3' })]
  const results: Results = {
    ...EMPTY,
    servers: [...SERVERS, ...s3, skipped, bun, idle],
    clients: [server('ws', 2)],
    growth: [curve('ws', 2, 4), curve('fullduplex', 1, 2)],
  }
  const found = charts(results)
  const chart = (file: string): (typeof found)[number] => {
    const one = found.find((each) => each.file === file)
    if (one === undefined) throw new Error(`there is no ${file}`)
    return one
  }

  it('are one for each scenario and curve, and one over all scenarios', () => {
    expect(found.map(({ file }) => file)).toEqual([
      'bench-servers.svg',
      'bench-server-S2.svg',
      'bench-server-S3.svg',
      'bench-server-S8.svg',
      'bench-client-S2.svg',
      'bench-growth-size.svg',
    ])
    expect(charts(EMPTY)).toEqual([])
  })

  it('are nothing but data, without quotes in the names of fonts', () => {
    for (const { option } of found) expect(JSON.parse(JSON.stringify(option))).toEqual(option)
    expect(JSON.stringify(found)).not.toMatch(/font-?family":"[^"]*[\\']/i)
  })

  it('of a scenario have bars as the table has rows, ours in its own colour, and lines from least to most', () => {
    const { option, description } = chart('bench-server-S2.svg')
    const { yAxis, series } = option as {
      yAxis: [{ data: string[] }]
      series: { data: (number | { value: number; itemStyle?: { color: string }; label?: { formatter: string } })[] }[]
    }
    expect(yAxis[0].data).toEqual(['raw', 'fullduplex', 'uws', 'ws', 'bun'])
    expect(series[0].data).toMatchObject([{ value: 3.2 }, { value: 4 }, { value: 5 }, { value: 12 }, { value: 1 }])
    const colors = series[0].data.map((bar) => (typeof bar === 'number' ? '' : bar.itemStyle?.color))
    expect(new Set(colors).size).toBe(4)
    expect(colors[2]).toBe(colors[3])
    expect(series[1].data.slice(0, 2)).toEqual([0.9 * 3.2, 3.6])
    expect(series[2].data[1]).toMatchObject({ label: { formatter: '4.00 µs' } })
    expect(series[2].data[4]).toMatchObject({ label: { formatter: '1.00 µs, not ranked' } })
    expect(description).toContain('fullduplex 4.00 µs, uws 5.00 µs')
    expect(description).not.toContain('deno')
  })

  it('over all scenarios show how many times as much ws takes', () => {
    expect(chart('bench-servers.svg').description).toBe(
      'S2: ping-pong of 32 B binary, 100 connections: 3.00 ×; S3: echo of 1 KiB text, 50 connections, 10 in flight: 3.00 ×',
    )
  })

  it('of growth begin with ours, and have a line that doubles', () => {
    const { series } = chart('bench-growth-size.svg').option as { series: { name?: string; data: number[] }[] }
    expect(series.map(({ name, data }) => [name, data])).toEqual([
      ['fullduplex', [1, 2]],
      ['ws', [2, 4]],
      [undefined, [1, 2]],
    ])
  })

  // Where the packages of the bench are installed, which the tests do not need otherwise.
  const modules = fileURLToPath(new URL('../../bench/node_modules', import.meta.url))
  it.runIf(existsSync(join(modules, 'echarts')))(
    'are drawn with a name and a ground, and to the same bytes',
    async () => {
      const { draw } = await import('../../bench/report/draw.ts')
      for (const one of found) {
        const svg = draw(one)
        expect(draw(structuredClone(one))).toBe(svg)
        expect(svg).toMatch(/^<svg role="img" aria-labelledby="title description" /)
        expect(svg).toContain('<title id="title">')
        expect(svg).toContain('fill="#ffffff"')
        // No quote within an attribute, which nobody could read.
        expect(svg.replaceAll(/<\/?[a-z]+(?:\s[\w:-]+="[^"<]*")*\s*\/?>/gi, '')).not.toMatch(/[<>]/)
      }
    },
  )
})

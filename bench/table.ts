/** What is printed on a terminal: a block for each scenario, the cheapest program first, then all scenarios at a glance. */
import { compare, figure } from './guard.ts'
import type { Comparison } from './guard.ts'
import { keptUp } from './measurement.ts'
import { growths, isSteep, number, steps } from './report/figures.ts'
import type { Growth, Measurement, Spread } from './results.ts'
import type { Scenario } from './scenarios.ts'
import { spread } from './statistics.ts'

/** Cores that other work may use before it is mentioned. */
const DISTURBED = 0.1
const DISTURBANCE = 'Other work used N cores meanwhile: all costs are higher than they had to be.'

type Cells = readonly string[]

/** The first column is flush left, the others are flush right; a column without content is left out. */
function layOut(head: Cells, rows: readonly Cells[]): string[] {
  const used = head.map((_, column) => rows.some((row) => row[column] !== ''))
  const lines = [head, ...rows].map((row) => row.filter((_, column) => used[column]))
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  return lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  )
}

export function scenarioBlock(
  { id, title, unit, rate }: Pick<Scenario, 'id' | 'title' | 'unit' | 'rate'>,
  measurements: readonly Measurement[],
  recorded: readonly Measurement[],
): string {
  const sorted = measurements.toSorted((a, b) => order(a) - order(b))
  const memory = sorted.some((one) => one.memory !== undefined)
  const latency = rate === undefined ? 'µs' : `µs at ${number(rate)}/s`
  const head = [
    '',
    memory ? `KiB per ${unit}` : `CPU µs per ${unit}`,
    'min – max',
    '÷ ws',
    '÷ raw',
    `${unit === 'delivery' ? 'deliveries' : `${unit}s`}/s`,
    'core used',
    'by load',
    'octets',
    'p50',
    'p99',
    `p99.9 ${latency}`,
    '',
  ]
  const several = nodesOf(measurements).size > 1
  const rows = sorted.map((one) => rowOf(one, measurements, several))
  const lines = layOut(head, rows).map((line) => `  ${line}`)
  const others = spread(sorted.flatMap(({ busy }) => busy?.others ?? [])).median
  if (others > DISTURBED) lines.push('', `  ${DISTURBANCE.replace('N', others.toFixed(2))}`)
  const [comparison] = compare(measurements, recorded)
  if (comparison !== undefined) lines.push('', `  ${comparisonLine(comparison)}`)
  return [`${id} · ${title}`, ...lines, ''].join('\n')
}

function nodesOf(measurements: readonly Measurement[]): Set<string> {
  return new Set(measurements.map(({ runtime }) => runtime).filter((name) => name.startsWith('node')))
}

function order(measurement: Measurement): number {
  return figure(measurement) ?? Infinity
}

function rowOf(one: Measurement, all: readonly Measurement[], several: boolean): Cells {
  const name = several && one.runtime.startsWith('node') ? `${one.program} · ${one.runtime}` : one.program
  if (one.skipped !== undefined) return [name, ...Array.from({ length: 11 }, () => ''), `– ${shortened(one.skipped)}`]
  const { busy, latency, octets } = one
  return [
    name,
    ...costCells(one),
    ratio(one, all, 'ws'),
    ratio(one, all, 'raw'),
    one.rate === undefined ? '' : number(one.rate.median),
    busy === undefined ? '' : percent(busy.program),
    busy === undefined ? '' : percent(busy.load),
    octets === undefined ? '' : number(octets),
    latency === undefined ? '' : number(latency.p50),
    latency === undefined ? '' : number(latency.p99),
    latency === undefined ? '' : number(latency.p999),
    latency === undefined || keptUp(latency) ? '' : '– too slow for this rate',
  ]
}

/** In parentheses what cannot be compared. */
function costCells({ cost, memory, ranked }: Measurement): [string, string] {
  const scale = (figures: Spread, by: number): [string, string] => [
    ranked ? number(figures.median / by) : `(${number(figures.median / by)})`,
    figures.rounds === 1 ? '' : `${number(figures.min / by)} – ${number(figures.max / by)}`,
  ]
  if (cost !== undefined) return scale(cost, 1)
  return memory === undefined ? ['', ''] : scale(memory, 1024)
}

/** The cost as a share of that of `other`, under the same Node where there are several. */
function ratio(one: Measurement, all: readonly Measurement[], other: string): string {
  const others = all.filter(({ program, ranked }) => program === other && ranked)
  const [mine, theirs] = [figure(one), figure(others.find(({ runtime }) => runtime === one.runtime) ?? others[0])]
  return one.ranked && mine !== undefined && theirs !== undefined ? (mine / theirs).toFixed(2) : ''
}

export function comparisonLine({ now, before, worse }: Comparison): string {
  const line = `ws needs ${number(now)} times as much as fullduplex`
  if (before === undefined) return `${line}; no record to compare with`
  return `${line}; recorded: ${number(before)}${worse ? ' – WORSE' : ''}`
}

/** One line for each scenario, one column for each program. */
export function overview(measurements: readonly Measurement[]): string {
  const key = ({ program, runtime }: Measurement): string =>
    runtime.startsWith('node') && several ? `${program} · ${runtime}` : program
  const several = new Set(measurements.map(({ runtime }) => runtime).filter((name) => name.startsWith('node'))).size > 1
  const programs = [...new Set(measurements.map(key))]
  const scenarios = [...new Set(measurements.map(({ scenario }) => scenario))]
  const rows = scenarios.map((scenario) => [
    scenario,
    ...programs.map((program) => {
      const one = measurements.find((each) => each.scenario === scenario && key(each) === program)
      return one === undefined || one.skipped !== undefined ? '–' : costCells(one)[0]
    }),
  ])
  return layOut(['', ...programs], rows).join('\n')
}

/** For each thing that grows a table: the cost at each point and, from the second on, by what it was multiplied for each doubling. */
export function growthTables(all: readonly Growth[]): string {
  const tables = Array.from(growths(all), ([of, curves]) => {
    const head = [of, ...curves.flatMap(({ program }) => [`${program}, µs`, 'per doubling'])]
    const points = [...new Set(curves.flatMap((curve) => curve.points.map(({ x }) => x)))].toSorted((a, b) => a - b)
    const rows = points.map((x) => [x.toLocaleString('en'), ...curves.flatMap((curve) => growthCells(curve, x))])
    return layOut(head, rows).join('\n')
  })
  return `How CPU time grows; ! marks where it is more than doubled, by more than the noise of a tenth\n\n${tables.join('\n\n')}\n`
}

function growthCells(curve: Growth, x: number): [string, string] {
  const step = steps(curve).find((one) => one.x === x)
  if (step?.perDoubling === undefined) return [step === undefined ? '' : number(step.cost), '']
  return [number(step.cost), `${isSteep(step.perDoubling) ? '! ' : ''}${step.perDoubling.toFixed(2)}`]
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}

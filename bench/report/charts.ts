/**
 * What the charts show, as data: an option object of echarts for each, and nothing that draws. `draw.ts` makes pictures of them.
 *
 * They have a white ground of their own, so that they read the same on a light page and on a dark one.
 */
import type { Growth, Measurement, Results, Spread } from '../results.ts'
import {
  FLOOR,
  OURS,
  PEER,
  amount,
  counterpart,
  groups,
  growths,
  labelOf,
  number,
  ratio,
  slug,
  times,
} from './figures.ts'
import type { Group } from './figures.ts'
import { INK, LEGEND, axis, frame, names, valueLabel } from './style.ts'

export interface Chart {
  readonly file: string
  readonly title: string
  /** What there is to see, for who does not see it. */
  readonly description: string
  readonly width: number
  readonly height: number
  readonly option: object
}

const WIDTH = 820
const BAR = 26
const HEAD = 66
const FOOT = 36
const OUR_COLOR = '#0969da'
const FLOOR_COLOR = '#afb8c1'
const UNRANKED_COLOR = '#e1e5ea'
const OTHERS_COLOR = '#8c959f'
/** Curves: ours first. */
const COLORS = [OUR_COLOR, '#cf222e', '#1a7f37', '#9a6700', '#8250df', '#bf3989', '#59636e', '#0f766e']

export function charts(results: Results): Chart[] {
  const { node } = results.machine
  const [servers, clients] = [groups(results.servers, node), groups(results.clients, node)]
  return [
    ...overview('bench-servers.svg', 'Servers: CPU time for a message', servers),
    ...servers.flatMap((group) => bars('bench-server', group)),
    ...overview('bench-clients.svg', 'Clients: CPU time for a message', clients),
    ...clients.flatMap((group) => bars('bench-client', group)),
    ...Array.from(growths(results.growth), ([of, curves]) => curve(of, curves)),
  ]
}

/** The name of a scenario's chart. */
export function barsFile(prefix: string, { id }: Group): string {
  return `${prefix}-${slug(id)}.svg`
}

export function curveFile(of: string): string {
  return `bench-growth-${slug(of)}.svg`
}

/** How many times as much CPU time ws takes, over all scenarios. */
function overview(file: string, name: string, all: readonly Group[]): Chart[] {
  const found = all.flatMap((group) => {
    const { ours } = group
    const value = ours && ratio(counterpart(PEER, ours, group), ours)
    return value === undefined ? [] : [{ name: `${group.id}: ${group.title}`, value }]
  })
  if (found.length < 2) return []
  const title = `${name}, ${PEER} ÷ ${OURS}`
  const height = HEAD + FOOT + BAR * found.length
  return [
    {
      file,
      title,
      description: found.map((one) => `${one.name}: ${times(one.value)}`).join('; '),
      width: WIDTH,
      height,
      option: {
        ...frame(
          title,
          `How many times as much ${PEER} takes; more is better for ours. Logarithmic, and 1 is the same.`,
        ),
        grid: { left: 560, right: 70, top: HEAD, bottom: FOOT },
        xAxis: { ...axis(), type: 'log', min: Math.min(1, ...found.map(({ value }) => value)), name: '' },
        yAxis: [
          names(
            found.map((one) => one.name),
            390,
          ),
        ],
        series: [
          {
            type: 'bar',
            barWidth: 15,
            itemStyle: { color: OUR_COLOR },
            label: valueLabel(),
            data: found.map(({ value }) => ({ value, label: { formatter: times(value) } })),
          },
        ],
      },
    },
  ]
}

interface Bar {
  readonly measurement: Measurement
  readonly spread: Spread
}

/** One scenario: a bar for each program that has a figure, and a line over it from the least to the most. */
function bars(prefix: string, group: Group): Chart[] {
  const found = group.measurements.flatMap((measurement): Bar[] => {
    const spread = measurement.cost ?? measurement.memory
    return spread === undefined || measurement.skipped !== undefined ? [] : [{ measurement, spread }]
  })
  if (found.length === 0) return []
  const isMemory = found.every(({ measurement }) => measurement.cost === undefined)
  const unit = isMemory ? 'KiB' : 'µs'
  const scale = isMemory ? 1024 : 1
  const labels = found.map(({ measurement }) => labelOf(measurement, group.measurements))
  const texts = found.map(({ measurement, spread }) => {
    const value = `${number(spread.median / scale)} ${unit}`
    return measurement.ranked ? value : `${value}, not ranked`
  })
  const title = `${group.id}: ${group.title}`
  const what = isMemory ? 'Memory of a connection in KiB' : `CPU time for a ${group.unit} in microseconds`
  return [
    {
      file: barsFile(prefix, group),
      title,
      description: `${what}: ${labels.map((label, index) => `${label} ${texts[index]}`).join(', ')}`,
      width: WIDTH,
      height: HEAD + FOOT + BAR * found.length,
      option: {
        ...frame(title, `${what}; less is better. The line goes from the least to the most of all rounds.`),
        grid: { left: 150, right: 140, top: HEAD, bottom: FOOT },
        xAxis: { ...axis(), type: 'value', min: 0 },
        yAxis: [names(labels, 140), { ...names(labels, 140), show: false }],
        series: barSeries(found, texts, scale),
      },
    },
  ]
}

/** The bars, and on an axis of their own thin ones over them, which begin at the least. */
function barSeries(found: readonly Bar[], texts: readonly string[], scale: number): object[] {
  return [
    {
      type: 'bar',
      barWidth: 15,
      data: found.map(({ measurement, spread }) => ({
        value: spread.median / scale,
        itemStyle: { color: colorOf(measurement) },
      })),
    },
    {
      type: 'bar',
      yAxisIndex: 1,
      stack: 'range',
      barWidth: 3,
      itemStyle: { color: 'transparent' },
      data: found.map(({ spread }) => spread.min / scale),
    },
    {
      type: 'bar',
      yAxisIndex: 1,
      stack: 'range',
      barWidth: 3,
      itemStyle: { color: INK },
      label: valueLabel(),
      data: found.map(({ measurement, spread }, index) => ({
        value: (spread.max - spread.min) / scale,
        label: { formatter: texts[index], fontWeight: measurement.program === OURS ? 'bold' : 'normal' },
      })),
    },
  ]
}

function colorOf({ program, ranked }: Measurement): string {
  if (!ranked) return UNRANKED_COLOR
  return program === OURS ? OUR_COLOR : program === FLOOR ? FLOOR_COLOR : OTHERS_COLOR
}

function curve(of: string, curves: readonly Growth[]): Chart {
  const title = `How the cost grows with ${of}`
  const programs = curves.toSorted((a, b) => Number(b.program === OURS) - Number(a.program === OURS))
  const xs = [...new Set(programs.flatMap(({ points }) => points.map(({ x }) => x)))].toSorted((a, b) => a - b)
  const description = programs.map(({ program, points }) => {
    return `${program}: ${points.map(({ x, cost }) => `${amount(of, x)} ${number(cost)} µs`).join(', ')}`
  })
  return {
    file: curveFile(of),
    title,
    description: description.join('; '),
    width: WIDTH,
    height: 400,
    option: {
      ...frame(
        title,
        'CPU time in microseconds. Both scales are logarithmic: the grey line is twice the cost for twice as much.',
      ),
      legend: LEGEND,
      grid: { left: 84, right: 40, top: 92, bottom: 44 },
      xAxis: { ...axis(), type: 'category', boundaryGap: false, data: xs.map((x) => amount(of, x)) },
      yAxis: { ...axis(), type: 'log' },
      series: [
        ...programs.map((one, index) => curveSeries(one, xs, COLORS[index % COLORS.length])),
        guide(programs, xs),
      ],
    },
  }
}

function curveSeries({ program, points }: Growth, xs: readonly number[], color: string): object {
  const ours = program === OURS
  return {
    type: 'line',
    name: program,
    symbol: 'circle',
    symbolSize: ours ? 8 : 6,
    lineStyle: { color, width: ours ? 3.5 : 2 },
    itemStyle: { color },
    z: ours ? 4 : 3,
    connectNulls: true,
    data: xs.map((x) => points.find((point) => point.x === x)?.cost ?? null),
  }
}

/** A line that doubles when `x` does, to the last point of the first curve, as far down as there are points. */
function guide(curves: readonly Growth[], xs: readonly number[]): object {
  const last = curves[0].points.toSorted((a, b) => a.x - b.x).at(-1)
  const least = Math.min(...curves.flatMap(({ points }) => points.map(({ cost }) => cost)))
  const values = xs.map((x) => (last === undefined ? 0 : (last.cost * x) / last.x))
  return {
    type: 'line',
    symbol: 'none',
    silent: true,
    lineStyle: { color: FLOOR_COLOR, width: 1.5, type: 'dashed' },
    data: values.map((value) => (value < least ? null : value)),
  }
}

/** Charts of a run as data, drawn by `bench/report/draw.ts`: lines over time, or over whatever else grows. */
import type { Chart } from '../bench/report/charts.ts'
import { LEGEND, axis, frame } from '../bench/report/style.ts'
import type { Samples } from './session.ts'
import { MiB, figure } from './verdict.ts'
import type { Point } from './verdict.ts'

export interface Line {
  readonly name: string
  readonly points: readonly Point[]
}

export interface LineChart {
  readonly file: string
  readonly title: string
  readonly subtitle: string
  /** What both axes count, such as `s` and `MiB`. */
  readonly x: string
  readonly y: string
  readonly lines: readonly Line[]
  /** Where the values are so far apart that small ones would not be seen. */
  readonly logarithmic?: boolean
}

const COLORS = ['#0969da', '#cf222e', '#1a7f37', '#9a6700', '#8250df', '#59636e']

export function lineChart({ file, title, subtitle, x, y, lines, logarithmic = false }: LineChart): Chart {
  const [width, height] = [820, 352]
  return {
    file,
    title,
    description: `${y} by ${x}: ${lines.map(described).join('; ')}`,
    width,
    height,
    option: {
      ...frame(title, subtitle),
      legend: LEGEND,
      grid: { left: 76, right: 40, top: 104, bottom: 52 },
      xAxis: { ...axis(), type: 'value', name: x, nameLocation: 'middle', nameGap: 30, min: 0, max: 'dataMax' },
      yAxis: { ...axis(), type: logarithmic ? 'log' : 'value', name: y, ...(logarithmic ? {} : { min: 0 }) },
      series: lines.map(({ name, points }, index) => ({
        type: 'line',
        name,
        showSymbol: false,
        lineStyle: { color: COLORS[index % COLORS.length], width: 2 },
        itemStyle: { color: COLORS[index % COLORS.length] },
        // A logarithm has no zero.
        data: points.map((point) => [point.x, logarithmic ? Math.max(point.y, 0.001) : point.y]),
      })),
    },
  }
}

/** One line: what `y` says of each row, over what `x` says. */
export function lineOf<Row>(
  name: string,
  rows: readonly Row[],
  x: (row: Row) => number,
  y: (row: Row) => number,
): Line {
  return { name, points: rows.map((row) => ({ x: x(row), y: y(row) })) }
}

/** The memory of both sides. */
export function memoryChart<Row extends Samples>(
  words: Pick<LineChart, 'file' | 'title' | 'subtitle' | 'x'>,
  rows: readonly Row[],
  x: (row: Row) => number,
): Chart {
  return lineChart({
    ...words,
    y: 'MiB',
    lines: [
      lineOf('server, in use', rows, x, ({ server }) => server.used / MiB),
      lineOf('clients, in use', rows, x, ({ clients }) => clients.used / MiB),
      lineOf('server, RSS', rows, x, ({ server }) => server.rss / MiB),
      lineOf('clients, RSS', rows, x, ({ clients }) => clients.rss / MiB),
    ],
  })
}

function described({ name, points }: Line): string {
  const values = points.map((point) => point.y)
  return `${name} from ${figure(Math.min(...values))} to ${figure(Math.max(...values))}`
}

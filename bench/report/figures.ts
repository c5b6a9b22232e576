/** What the page and the charts say about measurements: who is compared with whom, in which order, and in which words. */
import type { Growth, Measurement } from '../results.ts'
import { clientScenarios, scenarios } from '../scenarios.ts'

export const OURS = 'fullduplex'
/** What our figures are first compared with. */
export const PEER = 'ws'
/** In the order of the page. */
const KNOWN = [...scenarios, ...clientScenarios]
/** The server that frames nothing: a floor, and not a rival. */
export const FLOOR = 'raw'

/** The measurements of one scenario, in the order of the tables: ranked ones from the best, then others, then skipped ones. */
export interface Group {
  readonly id: string
  readonly title: string
  /** What the cost is for: `message`, `delivery`, `connection`. */
  readonly unit: string
  /** Ours, under the runtime that is the usual one. */
  readonly ours: Measurement | undefined
  readonly measurements: readonly Measurement[]
}

/** In the order of the scenarios; those that nobody knows any more come last. `node` is the version that ran the bench. */
export function groups(measurements: readonly Measurement[], node: string): Group[] {
  const usual = `node${node.split('.', 1)[0]}`
  const known = KNOWN.map(({ id }) => id)
  const found = [...new Set(measurements.map(({ scenario }) => scenario))]
  const order = [...known.filter((id) => found.includes(id)), ...found.filter((id) => !known.includes(id))]
  return order.map((id) => {
    const scenario = KNOWN.find((one) => one.id === id)
    const those = measurements.filter((one) => one.scenario === id).toSorted(compare)
    const ours = those.filter(({ program, skipped }) => program === OURS && skipped === undefined)
    return {
      id,
      title: scenario?.title ?? id,
      unit: scenario?.unit ?? 'message',
      ours: ours.find(({ runtime }) => runtime === usual) ?? ours[0],
      measurements: those,
    }
  })
}

function compare(a: Measurement, b: Measurement): number {
  return place(a) - place(b) || valueOf(a) - valueOf(b) || (labelOf(a) < labelOf(b) ? -1 : 1)
}

function place({ skipped, ranked }: Measurement): number {
  return skipped === undefined ? (ranked ? 0 : 1) : 2
}

function valueOf({ cost, memory }: Measurement): number {
  return (cost ?? memory)?.median ?? Infinity
}

/** A program's name, with the runtime where that is not the usual one for `among`. */
export function labelOf({ program, runtime }: Measurement, among: readonly Measurement[] = []): string {
  const runtimes = new Set(among.filter((one) => one.program === program).map((one) => one.runtime))
  return runtimes.size > 1 ? `${program} · ${runtime}` : program
}

/**
 * How many times as much `other` costs as `one`, of whatever `figure` takes of them; `undefined` unless both are ranked and
 * have such a figure.
 */
export function ratio(
  other: Measurement | undefined,
  one: Measurement | undefined,
  figure: 'cost' | 'memory' = 'cost',
): number | undefined {
  if (other?.ranked !== true || one?.ranked !== true) return undefined
  const [above, below] = [other[figure], one[figure]]
  return above === undefined || below === undefined || below.median === 0 ? undefined : above.median / below.median
}

/** The measurement of `program`, under the runtime of `one` where there is such, else under any. */
export function counterpart(program: string, one: Measurement, { measurements }: Group): Measurement | undefined {
  const all = measurements.filter((other) => other.program === program && other.skipped === undefined)
  return all.find(({ runtime }) => runtime === one.runtime) ?? all[0]
}

export interface Step {
  readonly x: number
  readonly cost: number
  /** By what the cost was multiplied for each doubling since the point before; `undefined` for the first. */
  readonly perDoubling: number | undefined
}

export function steps({ points }: Growth): Step[] {
  const sorted = points.toSorted((a, b) => a.x - b.x)
  return sorted.map((point, index) => {
    const before = sorted[index - 1]
    const perDoubling = before && (point.cost / before.cost) ** (1 / Math.log2(point.x / before.x))
    return { ...point, perDoubling }
  })
}

/** What costs in proportion is measured a little above twice as much as often as a little below. */
const NOISE = 0.2

/** Whether the cost grows faster than what it is the cost of. */
export function isSteep(perDoubling: number): boolean {
  return perDoubling > 2 + NOISE
}

/** Curves of the same thing together, in the order in which they came. */
export function growths(all: readonly Growth[]): Map<string, Growth[]> {
  const found = new Map<string, Growth[]>()
  for (const growth of all) {
    const others = found.get(growth.of)
    if (others === undefined) found.set(growth.of, [growth])
    else others.push(growth)
  }
  return found
}

/** A number with three digits, and thousands apart: `0.0412`, `6.35`, `42.4`, `1,234`. */
export function number(value: number): string {
  if (value === 0) return '0'
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.min(Math.max(2 - Math.floor(Math.log10(value)), 0), 4))
}

/** `12.3 ×` */
export function times(value: number | undefined): string {
  return value === undefined ? '' : `${value >= 100 ? number(value) : value.toFixed(value < 9.95 ? 2 : 1)} ×`
}

/** Octets as `32 B`, `1 KiB`, `16 MiB`; other numbers as they are. */
export function amount(of: string, value: number): string {
  if (of !== 'size' && !of.includes('octets')) return value.toLocaleString('en')
  if (value >= 1_048_576) return `${number(value / 1_048_576).replace(/\.0+$/, '')} MiB`
  return value >= 1024 ? `${number(value / 1024).replace(/\.0+$/, '')} KiB` : `${value} B`
}

/** What the name of a file may hold. */
export function slug(text: string): string {
  return text.replaceAll(/[^\w.-]+/g, '-')
}

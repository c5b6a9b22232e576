/** What has to hold, and whether it does: each check is a sentence, with what was found. */

export interface Check {
  readonly what: string
  readonly holds: boolean
  readonly found: string
}

export const MiB = 1_048_576

/** Of a series in time, or over whatever else grows. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** All values, octets each, lie within `most` octets of each other. There have to be two at least. */
export function flat(what: string, values: readonly number[], most: number): Check {
  const spread = Math.max(...values) - Math.min(...values)
  return {
    what: `${what} is flat within ${inMiB(most)}`,
    holds: values.length > 1 && spread <= most,
    found: values.length > 1 ? `${inMiB(spread)} between least and most of ${values.length}` : 'too few samples',
  }
}

/** By how much `points` grow from the first to the last is at most `most` octets; the line of least squares says how much. */
export function grows(what: string, points: readonly Point[], most: number): Check {
  const growth = slope(points) * ((points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0))
  return {
    what: `${what} grows by ${inMiB(most)} at most`,
    holds: points.length > 1 && growth <= most,
    found: points.length > 1 ? `${inMiB(growth)}, by the line through ${points.length}` : 'too few samples',
  }
}

export function atMost(what: string, value: number, most: number, unit: string): Check {
  return {
    what: `${what} is at most ${figure(most)} ${unit}`,
    holds: value <= most,
    found: `${figure(value)} ${unit}`,
  }
}

export function atLeast(what: string, value: number, least: number, unit: string): Check {
  return {
    what: `${what} is at least ${figure(least)} ${unit}`,
    holds: value >= least,
    found: `${figure(value)} ${unit}`,
  }
}

/** None of the values is larger than the first. */
export function noMore(what: string, values: readonly number[]): Check {
  const [first = 0] = values
  const most = Math.max(...values)
  return {
    what: `${what} become no more than ${figure(first)}`,
    holds: values.length > 1 && most <= first,
    found: figure(most),
  }
}

/** Two sides have counted the same. */
export function same(what: string, expected: number, found: number | undefined): Check {
  return {
    what: `${what}: ${figure(expected)}`,
    holds: found === expected,
    found: found === undefined ? 'not told' : figure(found),
  }
}

/** Of the line that is nearest to all points; 0 where there is none. */
export function slope(points: readonly Point[]): number {
  const mean = (values: readonly number[]): number => {
    let sum = 0
    for (const value of values) sum += value
    return sum / values.length
  }
  const x = mean(points.map((point) => point.x))
  const y = mean(points.map((point) => point.y))
  let above = 0
  let below = 0
  for (const point of points) {
    above += (point.x - x) * (point.y - y)
    below += (point.x - x) ** 2
  }
  return below === 0 ? 0 : above / below
}

/** All but the first fifth, in which code is compiled and memory finds its size; that is one at least. */
export function warm<Each>(samples: readonly Each[]): readonly Each[] {
  return samples.slice(Math.max(1, Math.ceil(samples.length / 5)))
}

export function figure(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 })
}

export function inMiB(octets: number): string {
  return `${figure(octets / MiB)} MiB`
}

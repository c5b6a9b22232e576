/** The rows of the codec as a table: a line for each case, the programs side by side. */
import type { CodecRow } from '../results.ts'

export interface CodecLine {
  readonly group: string
  readonly name: string
  /** Nanoseconds; `undefined` for who has no such part. */
  readonly ours: number | undefined
  readonly ws: number | undefined
  readonly limit: number | undefined
  /** How many times as long ws takes as ours does. */
  readonly gain: number | undefined
  /** How many times as long ours takes as the limit does. */
  readonly overLimit: number | undefined
  /** Octets of what is made, where it is not the same for all: ours, ws, limit. */
  readonly octets: readonly (number | undefined)[]
}

export function codecLines(rows: readonly CodecRow[]): CodecLine[] {
  const lines = new Map<string, CodecRow[]>()
  for (const row of rows) {
    const key = JSON.stringify([row.group, row.case])
    const line = lines.get(key)
    if (line === undefined) lines.set(key, [row])
    else line.push(row)
  }
  return Array.from(lines.values(), (line) => {
    const [ours, ws, limit] = ['fullduplex', 'ws', 'limit'].map((name) => line.find(({ program }) => program === name))
    return {
      group: line[0].group,
      name: line[0].case,
      ours: ours?.nanoseconds,
      ws: ws?.nanoseconds,
      limit: limit?.nanoseconds,
      gain: quotient(ws?.nanoseconds, ours?.nanoseconds),
      overLimit: quotient(ours?.nanoseconds, limit?.nanoseconds),
      octets: line.some(({ octets }) => octets !== undefined) ? [ours?.octets, ws?.octets, limit?.octets] : [],
    }
  })
}

function quotient(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other
}

/** For a terminal. */
export function codecTable(rows: readonly CodecRow[]): string {
  const lines = codecLines(rows)
  const width = Math.max(...lines.map(({ name }) => name.length), 0) + 2
  const head = ['fullduplex', 'ws', 'limit', 'ws ÷ ours', 'ours ÷ limit']
  const output: string[] = []
  let group: string | undefined
  for (const line of lines) {
    if (line.group !== group) {
      group = line.group
      output.push('', `${group.padEnd(width)}${head.map((cell) => cell.padStart(14)).join('')}`)
    }
    const times = [line.ours, line.ws, line.limit].map((value) => (value === undefined ? '' : timeOf(value)))
    const ratios = [line.gain, line.overLimit].map((value) => (value === undefined ? '' : value.toFixed(2)))
    const octets = line.octets.length === 0 ? '' : `   ${line.octets.join(', ')} octets`
    output.push(`${line.name.padEnd(width)}${[...times, ...ratios].map((cell) => cell.padStart(14)).join('')}${octets}`)
  }
  return output.slice(1).join('\n')
}

/** `12.3 ns`, `4.56 µs`, `1.20 ms`: three digits. */
export function timeOf(nanoseconds: number): string {
  if (nanoseconds < 1000) return `${digits(nanoseconds)} ns`
  return nanoseconds < 1e6 ? `${digits(nanoseconds / 1000)} µs` : `${digits(nanoseconds / 1e6)} ms`
}

function digits(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}

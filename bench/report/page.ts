/** `docs/benchmarks.md`, from the figures alone: the same figures give the same page, and what is not there is not mentioned. */
import { codecLines, timeOf } from '../codec/table.ts'
import type { CodecLine } from '../codec/table.ts'
import { keptUp } from '../measurement.ts'
import type { CodecRow, Growth, Latency, Measurement, Results } from '../results.ts'
import { barsFile, charts, curveFile } from './charts.ts'
import {
  FLOOR,
  OURS,
  PEER,
  amount,
  counterpart,
  groups,
  growths,
  isSteep,
  labelOf,
  number,
  ratio,
  steps,
  times,
} from './figures.ts'
import type { Group } from './figures.ts'
import { image, plain, section, table } from './markdown.ts'
import type { Column } from './markdown.ts'
import { GROWING, HOW, REPEAT } from './words.ts'

export function page(results: Results): string {
  const pictures = new Map(charts(results).map(({ file, title }) => [file, image(title, file)]))
  const { node } = results.machine
  const picture = (file: string): string => pictures.get(file) ?? ''
  const sides = [
    { heading: 'Servers', prefix: 'bench-server', all: groups(results.servers, node) },
    { heading: 'Clients', prefix: 'bench-client', all: groups(results.clients, node) },
  ]
  const parts = [
    '# Benchmarks',
    HOW,
    ran(results),
    ...sides.map(({ heading, prefix, all }) =>
      section(
        `## ${heading}`,
        picture(`${prefix}s.svg`),
        glance(all),
        ...all.map((group) => scenario(group, picture(barsFile(prefix, group)))),
      ),
    ),
    growth(results.growth, picture),
    codec(results.codec),
    REPEAT,
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function ran({ date, command, machine, versions }: Results): string {
  const { cpu, cores, memory, kernel, node } = machine
  const programs = Object.entries(versions).map(([program, version]) => `| ${plain(program)} | ${plain(version)} |`)
  return section(
    '## What ran',
    `\`${command}\`, on ${date}: ${plain(`${cpu}, ${cores} cores, ${memory}; ${kernel}; Node ${node}`)}.`,
    programs.length === 0 ? '' : ['| program | version and runtime |', '| --- | --- |', ...programs].join('\n'),
  )
}

/** Ours in all scenarios, beside ws, the floor and the best of all others. */
function glance(all: readonly Group[]): string {
  const rows = all.flatMap((group) => {
    const { ours } = group
    return ours?.cost === undefined ? [] : [{ group, ours }]
  })
  const best = ({ group, ours }: (typeof rows)[number]): Measurement | undefined =>
    group.measurements.find(({ program, cost, ranked }) => {
      return ranked && cost !== undefined && program !== ours.program && program !== FLOOR
    })
  const columns: Column<(typeof rows)[number]>[] = [
    { head: 'scenario', left: true, cell: ({ group }) => `${plain(group.id)}: ${plain(group.title)}` },
    { head: `${OURS}, µs`, cell: ({ ours }) => number(ours.cost?.median ?? 0) },
    { head: `${PEER} ÷ ours`, cell: ({ group, ours }) => times(ratio(counterpart(PEER, ours, group), ours)) },
    { head: `ours ÷ ${FLOOR}`, cell: ({ group, ours }) => times(ratio(ours, counterpart(FLOOR, ours, group))) },
    {
      head: 'the best other',
      left: true,
      cell(row) {
        const other = best(row)
        return other === undefined ? '' : plain(labelOf(other, row.group.measurements))
      },
    },
    { head: 'it ÷ ours', cell: (row) => times(ratio(best(row), row.ours)) },
  ]
  return table(columns, rows)
}

function scenario(group: Group, picture: string): string {
  const { id, title, measurements } = group
  const measured = measurements.filter(({ skipped }) => skipped === undefined)
  const skipped = measurements.flatMap((one) => {
    return one.skipped === undefined ? [] : [`- ${plain(labelOf(one, measurements))}: ${plain(one.skipped)}`]
  })
  return section(
    `### ${plain(id)}: ${plain(title)}`,
    picture,
    costs(group, measured),
    latencies(group, measured),
    memories(group, measured),
    unranked(group, measured),
    skipped.length === 0 ? '' : `Could not run here:\n\n${skipped.join('\n')}`,
  )
}

function programColumn({ measurements }: Group): Column<Measurement> {
  const cell = (one: Measurement): string => {
    const label = plain(labelOf(one, measurements))
    return one.program === OURS ? `**${label}**` : label
  }
  return { head: 'program', left: true, cell }
}

function costs(group: Group, measured: readonly Measurement[]): string {
  const percent = (share: number | undefined): string => (share === undefined ? '' : `${Math.round(share * 100)} %`)
  const columns: Column<Measurement>[] = [
    programColumn(group),
    {
      head: `µs of CPU for a ${group.unit}`,
      cell: ({ cost, ranked }) => `${number(cost?.median ?? 0)}${ranked ? '' : ' (not ranked)'}`,
    },
    { head: 'least – most', cell: ({ cost }) => (cost ? `${number(cost.min)} – ${number(cost.max)}` : '') },
    { head: `${PEER} ÷ it`, cell: (one) => times(ratio(counterpart(PEER, one, group), one)) },
    { head: `it ÷ ${FLOOR}`, cell: (one) => times(ratio(one, counterpart(FLOOR, one, group))) },
    {
      head: `${group.unit === 'delivery' ? 'deliveries' : `${group.unit}s`} in a second`,
      cell: ({ rate }) => (rate ? number(rate.median) : ''),
    },
    { head: 'busy', cell: ({ busy }) => percent(busy?.program) },
    { head: 'load busy', cell: ({ busy }) => percent(busy?.load) },
    { head: 'octets of a reply', cell: ({ octets }) => (octets === undefined ? '' : number(octets)) },
  ]
  const rows = measured.filter(({ cost }) => cost !== undefined)
  return table(columns, rows)
}

function latencies(group: Group, measured: readonly Measurement[]): string {
  const rows = measured.filter(({ latency }) => latency !== undefined)
  const micros = (figure: 'p50' | 'p99' | 'p999'): Column<Measurement>['cell'] => {
    return ({ latency }) => number(latency?.[figure] ?? 0)
  }
  const columns: Column<Measurement>[] = [
    programColumn(group),
    { head: 'planned in a second', cell: ({ latency }) => number(latency?.rate ?? 0) },
    { head: 'answered', cell: ({ latency }) => answered(latency) },
    { head: 'median, µs', cell: micros('p50') },
    { head: '99 %, µs', cell: micros('p99') },
    { head: '99.9 %, µs', cell: micros('p999') },
  ]
  const rates = table(columns, rows)
  return rates === '' ? '' : `How long replies take at a rate that does not wait for them:\n\n${rates}`
}

function answered(latency: Latency | undefined): string {
  if (latency === undefined) return ''
  return `${number(latency.achieved)}${keptUp(latency) ? '' : ' (too slow)'}`
}

function memories(group: Group, measured: readonly Measurement[]): string {
  const kib = (octets: number | undefined): string => number((octets ?? 0) / 1024)
  const columns: Column<Measurement>[] = [
    programColumn(group),
    { head: 'KiB of memory for a connection', cell: ({ memory: octets }) => kib(octets?.median) },
    { head: 'least – most', cell: ({ memory: octets }) => `${kib(octets?.min)} – ${kib(octets?.max)}` },
    { head: `${PEER} ÷ it`, cell: (one) => times(ratio(counterpart(PEER, one, group), one, 'memory')) },
    { head: `it ÷ ${FLOOR}`, cell: (one) => times(ratio(one, counterpart(FLOOR, one, group), 'memory')) },
  ]
  return table(
    columns,
    measured.filter(({ memory: octets }) => octets !== undefined),
  )
}

function unranked({ measurements }: Group, measured: readonly Measurement[]): string {
  const reasons = measured.flatMap((one) => {
    return one.ranked ? [] : [`- ${plain(labelOf(one, measurements))}: ${plain(one.why ?? 'no reason was given')}`]
  })
  return reasons.length === 0 ? '' : `Not ranked, and compared with nothing:\n\n${reasons.join('\n')}`
}

function growth(all: readonly Growth[], picture: (file: string) => string): string {
  const parts = Array.from(growths(all), ([of, curves]) => {
    return section(`### With ${plain(of)}`, GROWING[of] ?? '', picture(curveFile(of)), growthTable(of, curves))
  })
  const words =
    'Microseconds of CPU, and by what each doubling multiplies them. Twice as much may cost twice as much; whatever costs more, by more than the noise of a tenth, is **marked**.'
  return parts.length === 0 ? '' : section('## How costs grow', words, ...parts)
}

function growthTable(of: string, curves: readonly Growth[]): string {
  const all = curves.map((one) => ({ program: one.program, found: new Map(steps(one).map((step) => [step.x, step])) }))
  const xs = [...new Set(all.flatMap(({ found }) => [...found.keys()]))].toSorted((a, b) => a - b)
  const columns = all.flatMap(({ program, found }): Column<number>[] => [
    { head: `${plain(program)}, µs`, cell: (x) => optional(found.get(x)?.cost) },
    {
      head: 'for a doubling',
      cell(x) {
        const value = found.get(x)?.perDoubling
        if (value === undefined) return ''
        return isSteep(value) ? `**${times(value)} !**` : times(value)
      },
    },
  ])
  return table([{ head: plain(of), cell: (x) => amount(of, x) }, ...columns], xs)
}

function optional(value: number | undefined): string {
  return value === undefined ? '' : number(value)
}

function codec(rows: readonly CodecRow[]): string {
  const lines = codecLines(rows)
  const names = [...new Set(lines.map(({ group }) => group))]
  const parts = names.map((name) => {
    return section(
      `### ${plain(name[0].toUpperCase() + name.slice(1))}`,
      codecTable(lines.filter(({ group }) => group === name)),
    )
  })
  const words = [
    'The parts by themselves, in one process: the best of a few medians. Both come to the same before anything is timed.',
    'The limit is what the machine or node does at best, and often less than the whole work: a copy of as many octets for masks,',
    "node's own check or conversion for text, what is handed out for reading, the payload alone for writing, node's HTTP parser",
    'for heads, a zlib that is kept at hand for compression.',
    `${PEER} is without its native addon, and its part in reading a head is that of node:http.`,
  ].join(' ')
  return parts.length === 0 ? '' : section('## The parts', words, ...parts)
}

function codecTable(lines: readonly CodecLine[]): string {
  const time = (value: number | undefined): string => (value === undefined ? '' : timeOf(value))
  const columns: Column<CodecLine>[] = [
    { head: 'case', left: true, cell: ({ name }) => plain(name) },
    { head: OURS, cell: ({ ours }) => time(ours) },
    { head: PEER, cell: ({ ws }) => time(ws) },
    { head: 'limit', cell: ({ limit }) => time(limit) },
    { head: `${PEER} ÷ ours`, cell: ({ gain }) => times(gain) },
    { head: 'ours ÷ limit', cell: ({ overLimit }) => times(overLimit) },
    { head: `octets of ${OURS} / ${PEER} / limit`, cell: ({ octets }) => octets.map((one) => one ?? '–').join(' / ') },
  ]
  return table(columns, lines)
}

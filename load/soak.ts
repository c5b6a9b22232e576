/**
 * `npm run soak`: many messages for a long time, every octet of which is looked at, and what memory that took. Now and then the clients
 * stop until everything is answered; then both sides collect their garbage and say what they have.
 */
import type { SoakPlan, SoakTotals, Stretch } from './clients/soak.ts'
import { lineChart, lineOf, memoryChart } from './charts.ts'
import type { Line } from './charts.ts'
import { common, numberOf, readOptions } from './options.ts'
import type { CommonOptions } from './options.ts'
import type { Counted } from './servers/fullduplex.ts'
import { judge, memoryOf, quiet, sampleBoth, together } from './session.ts'
import type { Outcome, Pair, Samples } from './session.ts'
import { MiB, atLeast, atMost, figure, flat, same, slope, warm } from './verdict.ts'
import type { Check } from './verdict.ts'
import { PATIENCE } from './watched.ts'

const HELP = `npm run soak -- [options]

Clients send messages of 64 octets to 64 KiB, text and binary, whole and in fragments, at a rate; the server sends each back, and
one of a thousand to all. Every octet that comes is compared, and nothing may be missing, double or out of order. Some sixty times
a run both sides say what memory they have when their garbage is gone.

  --minutes 5        how long
  --connections 100
  --rate 30000       messages in a second, of all connections together (6000 with --deflate)
  --deflate          with permessage-deflate
  --seed S           what sizes and contents are made of; printed when it is not given
  --keep-up 90       percent of that rate which have to be reached, as else the run is not what was asked for
  --p99 MS           fails when more than one of a hundred messages takes longer
  --heap MIB         how far apart samples of memory may be (2)

A server of yours gets the arguments --pings 100 and, with --deflate, --deflate, and may let them be. It sends every message back as
it came, and one that begins with B to all connections. If Node runs it (not npx or npm), its heap is watched as ours.
`

interface SoakOptions extends CommonOptions {
  readonly minutes: number
  readonly connections: number
  readonly rate: number
  readonly deflate: boolean
  readonly seed: number
  readonly keepUp: number
  readonly p99: number
  readonly heap: number
}

const text = { type: 'string' } as const
const NAMES = {
  minutes: text,
  connections: text,
  rate: text,
  deflate: { type: 'boolean' },
  seed: text,
  'keep-up': text,
  p99: text,
  heap: text,
} as const
const RATE = 30_000
/** Compressing costs that many times as much. */
const DEFLATE_SHARE = 5
const STRETCHES = 60
/** Milliseconds. */
const SHORTEST_STRETCH = 500

/** What was found at the end of a stretch. */
interface Row extends Samples {
  /** Seconds of load before it. */
  readonly seconds: number
  readonly stretch: Stretch
  /** What the server says for itself, if it does. */
  readonly counted: Counted | undefined
}

const options = readOptions(HELP, NAMES, (given): SoakOptions => {
  const deflate = given['deflate'] === true
  return {
    ...common(given),
    minutes: numberOf(given, 'minutes', { usual: 5, least: 0.01, most: 10_000, fraction: true }),
    connections: numberOf(given, 'connections', { usual: 100, least: 1, most: 1000 }),
    rate: numberOf(given, 'rate', { usual: deflate ? RATE / DEFLATE_SHARE : RATE, least: 1, most: 1_000_000 }),
    deflate,
    seed: numberOf(given, 'seed', { usual: Math.floor(Math.random() * 2 ** 31), least: 0, most: 2 ** 31 - 1 }),
    keepUp: numberOf(given, 'keep-up', { usual: 90, least: 0, most: 100, fraction: true }),
    p99: numberOf(given, 'p99', { usual: Infinity, least: 0.001, most: 100_000, fraction: true }),
    heap: numberOf(given, 'heap', { usual: 2, least: 0.1, most: 1000, fraction: true }),
  }
})

await judge('soak', options, () =>
  together(
    {
      server: 'servers/fullduplex.ts',
      arguments: ['--pings', '100', ...(options.deflate ? ['--deflate'] : [])],
      clients: 'clients/soak.ts',
      command: options.server,
    },
    soak,
  ),
)

async function soak(pair: Pair): Promise<Outcome> {
  const { minutes, connections, rate, deflate, seed } = options
  console.log(
    `${connections} connections, ${figure(rate)} messages/s${deflate ? ' with permessage-deflate' : ''}, ` +
      `${figure(minutes)} min, --seed ${seed}`,
  )
  await pair.clients.get('open', { url: pair.url, connections, rate, deflate, seed } satisfies SoakPlan)
  const rows = await stretches(pair)
  const totals = await pair.clients.get<SoakTotals>('close')
  const counted = await quiet(pair)
  const { messages, octets } = total(rows)
  console.log(`${figure(messages)} messages arrived, ${figure(octets / MiB)} MiB of payload, each octet as it was sent`)
  return {
    figures: { minutes, connections, rate, deflate, seed, totals, rows },
    checks: [...memoryChecks(rows), ...countChecks(totals, counted), ...rateChecks(rows)],
    charts: charts(rows),
  }
}

async function stretches(pair: Pair): Promise<Row[]> {
  const milliseconds = Math.max(SHORTEST_STRETCH, (options.minutes * 60_000) / STRETCHES)
  const count = Math.max(2, Math.round((options.minutes * 60_000) / milliseconds))
  const rows: Row[] = []
  await Promise.all([pair.server.ask('time the loop'), pair.clients.ask('time the loop')])
  for (let at = 1; at <= count; at++) {
    const stretch = await pair.clients.get<Stretch>('run', milliseconds, milliseconds + 2 * PATIENCE)
    const samples = await sampleBoth(pair)
    const counted = await pair.server.ask<Counted>('counts')
    const row = { seconds: (at * milliseconds) / 1000, stretch, ...samples, counted }
    rows.push(row)
    progress(row)
  }
  return rows
}

function progress({ seconds, stretch, server, clients }: Row): void {
  const { sent, milliseconds, latency } = stretch
  console.log(
    `${figure(seconds).padStart(6)} s  ${figure((sent / milliseconds) * 1000).padStart(7)}/s  ` +
      `p50 ${figure(latency.p50)} ms, p99 ${figure(latency.p99)} ms  ` +
      `server: ${memoryOf(server)}, loop p99 ${figure(server.delay.p99)} ms  ` +
      `clients: ${memoryOf(clients)}, loop p99 ${figure(clients.delay.p99)} ms`,
  )
}

function total(rows: readonly Row[]): { messages: number; octets: number; sent: number; milliseconds: number } {
  const all = { messages: 0, octets: 0, sent: 0, milliseconds: 0 }
  for (const { stretch } of rows) {
    all.messages += stretch.received
    all.octets += stretch.octets
    all.sent += stretch.sent
    all.milliseconds += stretch.milliseconds
  }
  return all
}

function memoryChecks(rows: readonly Row[]): Check[] {
  return (['server', 'clients'] as const).map((side) => {
    const used = warm(rows).map((row) => row[side].used)
    const perHour = slope(warm(rows).map((row) => ({ x: row.seconds / 3600, y: row[side].used })))
    const check = flat(`memory of the ${side} after garbage collection`, used, options.heap * MiB)
    return { ...check, found: `${check.found}; ${figure(perHour / MiB)} MiB per hour` }
  })
}

function countChecks({ echoes, broadcasts, deliveries, clean }: SoakTotals, counted: Counted | undefined): Check[] {
  const { connections } = options
  const checks = [
    same('broadcasts that came to all', broadcasts * connections, deliveries),
    same('connections that were closed cleanly', connections, clean),
  ]
  if (counted === undefined) return checks
  return [
    ...checks,
    same('messages that the server received', echoes + broadcasts, counted.messagesReceived),
    same('messages that the server sent', echoes + deliveries, counted.messagesSent),
    same('connections that the server opened', connections, counted.opened),
    same('connections that the server closed cleanly', connections, counted.clean),
  ]
}

function rateChecks(rows: readonly Row[]): Check[] {
  const { sent, milliseconds } = total(rows)
  const { p50, p99 } = medians(rows)
  console.log(
    `Half of all messages came back in ${figure(p50)} ms, 99 of 100 in ${figure(p99)} ms (medians of all stretches)`,
  )
  const rate = atLeast('the rate', (sent / milliseconds) * 1000, (options.rate * options.keepUp) / 100, 'messages/s')
  return options.p99 === Infinity ? [rate] : [rate, atMost('p99', p99, options.p99, 'ms')]
}

function medians(rows: readonly Row[]): { p50: number; p99: number } {
  const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]
  return {
    p50: middle(warm(rows).map(({ stretch }) => stretch.latency.p50)),
    p99: middle(warm(rows).map(({ stretch }) => stretch.latency.p99)),
  }
}

function charts(rows: readonly Row[]): Outcome['charts'] {
  const { connections, rate, deflate } = options
  const name = deflate ? 'soak-deflate' : 'soak'
  const how = `${connections} connections, ${figure(rate)} messages/s${deflate ? ', permessage-deflate' : ''}`
  const x = ({ seconds }: Row): number => seconds
  const line = (title: string, y: (row: Row) => number): Line => lineOf(title, rows, x, y)
  const pings = rows.every(({ counted }) => counted !== undefined)
  const words = { title: 'Soak: memory', subtitle: `After garbage collection. ${how}`, x: 'seconds' }
  return [
    memoryChart({ file: `${name}-memory.svg`, ...words }, rows, x),
    lineChart({
      file: `${name}-latency.svg`,
      title: 'Soak: how long messages take, and how late event loops are',
      subtitle: `Milliseconds, of each stretch. ${how}`,
      x: 'seconds',
      y: 'ms',
      logarithmic: true,
      lines: [
        line('message, p50', ({ stretch }) => stretch.latency.p50),
        line('message, p99', ({ stretch }) => stretch.latency.p99),
        ...(pings ? [line("server's Ping, p99", ({ counted }) => counted?.pings.p99 ?? 0)] : []),
        line("server's loop, p99", ({ server }) => server.delay.p99),
        line("clients' loop, p99", ({ clients }) => clients.delay.p99),
      ],
    }),
  ]
}

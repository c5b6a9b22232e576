/**
 * `npm run idle`: many connections that say nothing, what each costs beside a bare socket, and whether that stays so. The cost is what
 * the memory of a process grows by while they are opened, without and with the WebSocket.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { cpuBetween, cpuTime } from '../bench/proc.ts'
import type { CpuTime } from '../bench/proc.ts'
import { memoryChart } from './charts.ts'
import type { IdlePlan, Pings } from './clients/idle.ts'
import { common, numberOf, readOptions } from './options.ts'
import type { CommonOptions } from './options.ts'
import { judge, memoryOf, quiet, sampleBoth, together } from './session.ts'
import type { Outcome, Pair, Samples } from './session.ts'
import { MiB, atLeast, atMost, figure, grows, same, warm } from './verdict.ts'
import type { Check } from './verdict.ts'

const HELP = `npm run idle -- [options]

Opens connections that say nothing, and waits. Then all have to echo one message, and to close cleanly.

  --connections 10000
  --minutes 10       how long
  --heartbeat 30     seconds of silence after which the server sends a Ping
  --each 10          KiB of RSS that a connection may cost beside a bare socket, in each process
  --growth 1         MiB by which RSS may grow in ten minutes, or in less
  --cpu 2            percent of a core that each process may use
  --addresses 9      they come from 127.0.0.1 to 127.0.0.9

A server of yours gets the arguments --heartbeat MILLISECONDS, sends Pings accordingly, and every message back as it came. If Node
runs it (not npx or npm), its memory is watched as ours.
`

interface IdleOptions extends CommonOptions {
  readonly connections: number
  readonly minutes: number
  readonly heartbeat: number
  readonly each: number
  readonly growth: number
  readonly cpu: number
  readonly addresses: number
}

const KiB = 1024
const text = { type: 'string' } as const
const NAMES = {
  connections: text,
  minutes: text,
  heartbeat: text,
  each: text,
  growth: text,
  cpu: text,
  addresses: text,
}
/** Connections that are open before memory is looked at first: code that is used for the first time is not theirs. */
const FIRST = 50
/** MiB by which a process may have grown besides, whatever the number of its connections. */
const BESIDES = 2
const SAMPLES = 40
const SHORTEST_INTERVAL = 500
/** Milliseconds. */
const PATIENCE = 120_000

type Side = 'server' | 'clients'
const SIDES: readonly Side[] = ['server', 'clients']

/** By how many octets opening the connections has made a process larger. */
interface Growth {
  readonly rss: Readonly<Record<Side, number>>
  readonly used: Readonly<Record<Side, number>>
}

/** What was found after an interval. */
interface Row extends Samples {
  readonly seconds: number
  /** Seconds of CPU time in the interval, without what the sample took. */
  readonly cpu: Readonly<Record<Side, number>>
}

const options = readOptions(HELP, NAMES, (given): IdleOptions => {
  return {
    ...common(given),
    connections: numberOf(given, 'connections', { usual: 10_000, least: 2 * FIRST, most: 1_000_000 }),
    minutes: numberOf(given, 'minutes', { usual: 10, least: 0.01, most: 10_000, fraction: true }),
    heartbeat: numberOf(given, 'heartbeat', { usual: 30, least: 0.01, most: 100_000, fraction: true }),
    each: numberOf(given, 'each', { usual: 10, least: 0.01, most: 1000, fraction: true }),
    growth: numberOf(given, 'growth', { usual: 1, least: 0.01, most: 1000, fraction: true }),
    cpu: numberOf(given, 'cpu', { usual: 2, least: 0.01, most: 100, fraction: true }),
    addresses: numberOf(given, 'addresses', { usual: 9, least: 1, most: 254 }),
  }
})

await judge('idle', options, async () => {
  const { connections, minutes, heartbeat, server: command } = options
  console.log(
    `${figure(connections)} connections, ${figure(minutes)} min, Pings after ${figure(heartbeat)} s of silence`,
  )
  const clients = 'clients/idle.ts'
  const bare = await together({ server: 'servers/bare.ts', arguments: [], clients, command: undefined }, (pair) =>
    openAll(pair, true),
  )
  const beat = ['--heartbeat', String(heartbeat * 1000)]
  return together({ server: 'servers/fullduplex.ts', arguments: beat, clients, command }, (pair) => idle(pair, bare))
})

async function idle(pair: Pair, bare: Growth): Promise<Outcome> {
  const { connections, minutes, heartbeat } = options
  const growth = await openAll(pair, false)
  const rows = await watch(pair)
  const [lost] = await pair.clients.get<string[]>('lost')
  if (lost !== undefined) throw new Error(lost)
  const pings = await pair.clients.get<Pings>('pings')
  const echoed = await pair.clients.get<number>('echo', undefined, PATIENCE)
  const clean = await pair.clients.get<number>('close', undefined, PATIENCE)
  const counted = await quiet(pair)
  return {
    figures: { connections, minutes, heartbeat, bare, growth, pings, rows },
    checks: [
      ...SIDES.flatMap((side) => costChecks(side, bare, growth)),
      ...SIDES.flatMap((side) => idleChecks(side, rows)),
      atLeast('what each connection got', pings.least, Math.floor((minutes * 60) / heartbeat / 1.5), 'Pings'),
      same('connections that echo a message in the end', connections, echoed),
      same('connections that were closed cleanly', connections, clean),
      ...(counted === undefined ? [] : [same('those that the server closed cleanly', connections, counted.clean)]),
    ],
    charts: charts(rows),
  }
}

async function openAll(pair: Pair, bare: boolean): Promise<Growth> {
  const { connections, addresses } = options
  const open = (count: number): Promise<void> =>
    pair.clients.get('open', { url: pair.url, connections: count, addresses, bare } satisfies IdlePlan, PATIENCE)
  await open(FIRST)
  const before = await sampleBoth(pair)
  await open(connections)
  const after = await sampleBoth(pair)
  const growth = (kind: 'rss' | 'used'): Record<Side, number> => ({
    server: after.server[kind] - before.server[kind],
    clients: after.clients[kind] - before.clients[kind],
  })
  const grown: Growth = { rss: growth('rss'), used: growth('used') }
  for (const side of SIDES) {
    const each = (octets: number): string => figure(octets / (connections - FIRST) / KiB)
    const what = `${bare ? 'bare socket' : 'connection '}, ${side.padEnd(7)}`
    console.log(`  a ${what}: ${each(grown.rss[side])} KiB of RSS, ${each(grown.used[side])} KiB in use`)
  }
  return grown
}

async function watch(pair: Pair): Promise<Row[]> {
  const milliseconds = Math.max(SHORTEST_INTERVAL, (options.minutes * 60_000) / SAMPLES)
  const count = Math.max(2, Math.round((options.minutes * 60_000) / milliseconds))
  const times = (): Record<Side, CpuTime> => ({
    server: cpuTime(pair.server.pid),
    clients: cpuTime(pair.clients.pid),
  })
  const rows: Row[] = []
  for (let at = 1; at <= count; at++) {
    const before = times()
    await delay(milliseconds)
    const after = times()
    const cpu = {
      server: cpuBetween(before.server, after.server),
      clients: cpuBetween(before.clients, after.clients),
    }
    const row = { seconds: (at * milliseconds) / 1000, cpu, ...(await sampleBoth(pair)) }
    rows.push(row)
    console.log(
      `${figure(row.seconds).padStart(6)} s  ${SIDES.map((side) => `${side}: ${memoryOf(row[side])}, ${figure(share(cpu[side], milliseconds))} % CPU`).join('  ')}`,
    )
  }
  return rows
}

/** Percent of a core. */
function share(seconds: number, milliseconds: number): number {
  return (seconds * 100_000) / milliseconds
}

function costChecks(side: Side, bare: Growth, growth: Growth): Check[] {
  const { connections, each } = options
  const count = connections - FIRST
  const beside = growth.rss[side] - bare.rss[side]
  const limit = each + (BESIDES * MiB) / count / KiB
  return [atMost(`RSS of a connection beside a bare socket, ${side}`, beside / count / KiB, limit, 'KiB')]
}

function idleChecks(side: Side, rows: readonly Row[]): Check[] {
  const points = warm(rows).map((row) => ({ x: row.seconds, y: row[side].rss }))
  let spent = 0
  for (const row of rows) spent += row.cpu[side]
  const most = options.growth * MiB * Math.max(1, options.minutes / 10)
  const percent = share(spent, (rows.at(-1)?.seconds ?? 0) * 1000)
  return [grows(`RSS of the ${side}`, points, most), atMost(`CPU of the ${side}`, percent, options.cpu, '% of a core')]
}

function charts(rows: readonly Row[]): Outcome['charts'] {
  const words = {
    file: 'idle-memory.svg',
    title: `Idle: memory of ${figure(options.connections)} connections`,
    subtitle: `After garbage collection. Pings after ${figure(options.heartbeat)} s of silence.`,
    x: 'seconds',
  }
  return [memoryChart(words, rows, ({ seconds }) => seconds)]
}

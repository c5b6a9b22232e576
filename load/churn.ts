/**
 * `npm run churn`: connections by the hundred thousand that come and go, some of them by a reset, and what that leaves behind: nothing.
 * After every fiftieth of them all have ended, both sides collect their garbage, say what they have, and have counted the same.
 */
import { memoryChart } from './charts.ts'
import type { ChurnPlan, ChurnTotals } from './clients/churn.ts'
import { common, numberOf, readOptions } from './options.ts'
import type { CommonOptions } from './options.ts'
import type { Counted } from './servers/fullduplex.ts'
import { judge, memoryOf, quiet, sampleBoth, together } from './session.ts'
import type { Outcome, Pair, Samples } from './session.ts'
import { MiB, figure, flat, grows, noMore, same, warm } from './verdict.ts'
import type { Check } from './verdict.ts'

const HELP = `npm run churn -- [options]

Opens and closes connections, each of which says one thing and hears it back. They are closed by the client, by the server, or cut
without a Close frame, in turn; some are reset (RST): open, in the middle of a frame, and in the middle of the opening handshake.

  --connections 100000   how many in all
  --reset 10000          how many of them are reset
  --at-once 50           how many there are at a time
  --addresses 50         they come from 127.0.0.1 to 127.0.0.50, as a port cannot be used again at once
  --heap MIB             how far apart samples of memory may be (2)
  --rss MIB              by how much RSS may grow after the first fifth (8)

A server of yours sends every message back as it came, and closes the connection when the message is a C. If Node runs it (not npx
or npm), its heap and its handles are watched as ours.
`

interface ChurnOptions extends CommonOptions {
  readonly connections: number
  readonly reset: number
  readonly atOnce: number
  readonly addresses: number
  readonly heap: number
  readonly rss: number
}

const text = { type: 'string' } as const
const NAMES = { connections: text, reset: text, 'at-once': text, addresses: text, heap: text, rss: text }
/** How often is looked at what is left: so many times, but not after fewer connections than that. */
const BATCHES = 50
const SMALLEST_BATCH = 100

/** What was found after a batch. */
interface Row extends Samples {
  /** Connections that have been, and seconds that this batch of them took. */
  readonly connections: number
  readonly seconds: number
}

const options = readOptions(HELP, NAMES, (given): ChurnOptions => {
  const connections = numberOf(given, 'connections', { usual: 100_000, least: 100, most: 1e9 })
  return {
    ...common(given),
    connections,
    reset: numberOf(given, 'reset', { usual: Math.floor(connections / 10), least: 0, most: connections }),
    atOnce: numberOf(given, 'at-once', { usual: 50, least: 1, most: 1000 }),
    addresses: numberOf(given, 'addresses', { usual: 50, least: 1, most: 254 }),
    heap: numberOf(given, 'heap', { usual: 2, least: 0.1, most: 1000, fraction: true }),
    rss: numberOf(given, 'rss', { usual: 8, least: 0.1, most: 1000, fraction: true }),
  }
})

await judge('churn', options, () =>
  together(
    { server: 'servers/fullduplex.ts', arguments: [], clients: 'clients/churn.ts', command: options.server },
    churn,
  ),
)

async function churn(pair: Pair): Promise<Outcome> {
  const { connections, reset, atOnce, addresses } = options
  console.log(
    `${figure(connections)} connections, of which ${figure(reset)} are reset, ${atOnce} at once, from ${addresses} addresses`,
  )
  const resetEvery = reset === 0 ? Infinity : Math.max(1, Math.round(connections / reset))
  await pair.clients.get('begin', { url: pair.url, atOnce, addresses, resetEvery, seed: 1 } satisfies ChurnPlan)
  const rows: Row[] = []
  let totals: ChurnTotals | undefined
  let counted: Counted | undefined
  const batches = Math.min(BATCHES, Math.max(3, Math.floor(connections / SMALLEST_BATCH)))
  for (let batch = 0, done = 0; batch < batches; batch++) {
    const next = Math.round(((batch + 1) * connections) / batches)
    const began = performance.now()
    totals = await pair.clients.get<ChurnTotals>('run', next - done, 60_000 + (next - done) * 20)
    const seconds = (performance.now() - began) / 1000
    counted = await quiet(pair)
    const row = { connections: next, seconds, ...(await sampleBoth(pair)) }
    rows.push(row)
    progress(row, next - done)
    done = next
  }
  if (totals === undefined) throw new Error('there was no batch')
  for (const [end, count] of Object.entries(totals.ends)) console.log(`${figure(count).padStart(9)} ${end}`)
  return {
    figures: { connections, reset, atOnce, addresses, totals, counted, rows },
    checks: [...endChecks(totals), ...countChecks(totals, counted), ...memoryChecks(rows)],
    charts: charts(rows),
  }
}

function progress({ connections, seconds, server, clients }: Row, count: number): void {
  console.log(
    `${figure(connections).padStart(9)}  ${figure(count / seconds).padStart(6)}/s  ` +
      `server: ${memoryOf(server)}, ${server.descriptors} descriptors, ${server.resources} handles  ` +
      `clients: ${memoryOf(clients)}, ${clients.descriptors} descriptors, ${clients.resources} handles`,
  )
}

function endChecks({ ends, failures }: ChurnTotals): Check[] {
  let total = 0
  for (const count of Object.values(ends)) total += count
  const failed = Object.entries(failures).map(([what, count]) => `${count} times ${what}`)
  const all = same('connections that went as they should', options.connections, total)
  return [{ ...all, found: [all.found, ...failed].join('; ') }]
}

function countChecks({ ends }: ChurnTotals, counted: Counted | undefined): Check[] {
  if (counted === undefined) return []
  const clean = ends['closed by the client'] + ends['closed by the server']
  const cut = ends.cut + ends.reset + ends['reset in a frame']
  return [
    same('connections that the server opened', clean + cut, counted.opened),
    same('connections that the server has seen end', clean + cut, counted.closed),
    same('those that it closed cleanly', clean, counted.clean),
    same('those that were cut or reset', cut, counted.cut),
    same('handshakes that were reset', ends['reset in the handshake'], counted.refused['none'] ?? 0),
    // A C from the client is a message, too.
    same('messages', clean + cut + ends['closed by the server'], counted.messagesReceived),
  ]
}

function memoryChecks(rows: readonly Row[]): Check[] {
  return (['server', 'clients'] as const).flatMap((side) => {
    const samples = warm(rows).map((row) => row[side])
    const rss = warm(rows).map((row) => ({ x: row.connections, y: row[side].rss }))
    const used = samples.map((sample) => sample.used)
    return [
      flat(`memory of the ${side} after garbage collection`, used, options.heap * MiB),
      grows(`RSS of the ${side}`, rss, options.rss * MiB),
      noMore(
        `descriptors of the ${side}`,
        samples.map(({ descriptors }) => descriptors),
      ),
      noMore(
        `handles of the ${side}`,
        samples.map(({ resources }) => resources),
      ),
    ]
  })
}

function charts(rows: readonly Row[]): Outcome['charts'] {
  const words = {
    file: 'churn-memory.svg',
    title: 'Churn: memory',
    subtitle: 'After garbage collection, when all connections have ended.',
    x: 'connections so far',
  }
  return [memoryChart(words, rows, ({ connections }) => connections)]
}

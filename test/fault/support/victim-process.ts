/**
 * An endpoint whose memory is watched from outside: a server, or a client that connects as often as it is told to. It has
 * no handlers but those that count, and says what it has whenever it is asked.
 */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connect } from '../../../src/client/index.ts'
import type { Connection, ConnectionHandler, ConnectionOptions } from '../../../src/connection/index.ts'
import type { Role } from '../../../src/framing/rules.ts'
import { serve } from '../../../src/server/index.ts'

export interface Start {
  readonly role: Role
  /** Where a client connects to. */
  readonly port: number
  readonly options: ConnectionOptions
  /** Whether messages are read in parts, as they come. */
  readonly inParts: boolean
}

/** One of them: to connect so often, to wait until so many octets have been read, or to say what there is. */
export type Order = { readonly connect: number } | { readonly until: number } | { readonly report: true }

export interface Report {
  /** Octets of the process now, and the most that it had since the last report. */
  readonly rss: number
  readonly most: number
  /** Octets in use, of the heap and of Buffers. */
  readonly used: number
  readonly open: number
  /** Octets read so far, of all connections. */
  readonly read: number
  readonly messages: number
  /** How often each code came in `close`, and in `error`. */
  readonly closes: Readonly<Record<string, number>>
  readonly errors: Readonly<Record<string, number>>
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const connections = new Set<Connection>()
const counts = new Set<{ readonly octetsReceived: number }>()
const closes: Record<string, number> = {}
const errors: Record<string, number> = {}
let messages = 0
let most = 0

const counting: ConnectionHandler = {
  open(ws) {
    connections.add(ws)
    counts.add(ws.settings.counts)
  },
  error(_ws, error) {
    const name = 'code' in error ? String(error.code) : error.message
    errors[name] = (errors[name] ?? 0) + 1
  },
  close(ws, { code }) {
    connections.delete(ws)
    closes[code] = (closes[code] ?? 0) + 1
  },
}

const whole: ConnectionHandler = { ...counting, message: () => void messages++ }

const inPartsOnly: ConnectionHandler = {
  ...counting,
  open(ws) {
    connections.add(ws)
    counts.add(ws.settings.counts)
    readParts(ws).catch(() => {})
  },
}

/** Drops all that comes, part by part. */
async function readParts(ws: Connection): Promise<void> {
  for await (const message of ws.messages({ stream: true })) {
    for await (const part of message) if (part.length === 0) throw new Error('An empty part')
    messages++
  }
}

function sample(): number {
  const rss = process.memoryUsage.rss()
  most = Math.max(most, rss)
  return rss
}

function read(): number {
  let octets = 0
  for (const { octetsReceived } of counts) octets += octetsReceived
  return octets
}

async function report(): Promise<Report> {
  // What has ended is let go of within a few turns.
  for (let i = 0; i < 5; i++) await turn()
  for (let i = 0; i < 3; i++) collect()
  const { heapUsed, external } = process.memoryUsage()
  const rss = sample()
  const told = { rss, most, used: heapUsed + external, open: connections.size, read: read(), messages, closes, errors }
  most = rss
  return told
}

async function start({ role, port, options, inParts }: Start): Promise<void> {
  const handler = inParts ? inPartsOnly : whole
  const server = role === 'server' ? await serve({ host: '127.0.0.1', ...options, ...handler }) : undefined
  const connectNext = (): Promise<unknown> =>
    connect(`ws://127.0.0.1:${port}`, { ...options, ...handler, oneAtATime: false })
  const obey = async (order: Order): Promise<unknown> => {
    if ('connect' in order) {
      // Some at a time, as many as a listener may have waiting.
      for (let left = order.connect; left > 0; left -= 50) {
        await Promise.all(Array.from({ length: Math.min(left, 50) }, connectNext))
      }
      return connections.size
    }
    if ('until' in order) {
      while (read() < order.until) await sleep(5)
      return read()
    }
    return report()
  }
  process.on('message', (order: Order) => void obey(order).then((told) => process.send?.(told)))
  setInterval(sample, 10)
  process.send?.(server?.port ?? port)
}

process.once('message', (options: Start) => void start(options))
process.once('disconnect', () => process.exit())

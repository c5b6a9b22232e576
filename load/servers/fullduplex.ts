/**
 * The server of this project, as it is loaded: it sends every message back, one that begins with B to all connections, and
 * answers one that begins with C by closing. Its own Pings, when it sends any, tell how long an answer takes from its side.
 *
 *     fullduplex.ts [--deflate] [--pings PER-SECOND] [--heartbeat MILLISECONDS]
 */
import { parseArgs } from 'node:util'
import { serve } from '../../src/index.ts'
import type { ServerConnection, ServerStats } from '../../src/index.ts'
import { Latencies } from '../latency.ts'
import type { Latency } from '../latency.ts'
import { answer } from '../probe.ts'

/** What the server has counted, and how long its Pings took to be answered since it was asked last. */
export interface Counted extends ServerStats {
  /** Connections that ended with both Close frames. */
  readonly clean: number
  /** Those that the transport ended. */
  readonly cut: number
  readonly pings: Latency
}

const { values } = parseArgs({
  options: {
    deflate: { type: 'boolean', default: false },
    pings: { type: 'string' },
    heartbeat: { type: 'string' },
  },
})

const pings = new Latencies()
let clean = 0
let cut = 0

const server = await serve({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: values.deflate,
  ...(values.heartbeat !== undefined && {
    heartbeat: { interval: Number(values.heartbeat), timeout: Number(values.heartbeat) },
  }),
  message(ws, data) {
    const first = typeof data === 'string' ? data[0] : String.fromCharCode(data[0])
    if (first === 'B') server.broadcast(data)
    else if (first === 'C') void ws.close(1000)
    else ws.send(data)
  },
  pong(_ws, payload) {
    if (payload.length === 8) pings.add(performance.now() - payload.readDoubleBE())
  },
  close(_ws, { wasClean, initiator }) {
    if (wasClean) clean++
    else if (initiator === 'network') cut++
  },
})

/** Pings one connection after the other. */
function pingInTurn(perSecond: number): void {
  let turn = server.connections.values()
  setInterval(() => {
    let next: IteratorResult<ServerConnection> = turn.next()
    if (next.done === true) {
      turn = server.connections.values()
      next = turn.next()
    }
    const payload = Buffer.alloc(8)
    payload.writeDoubleBE(performance.now())
    if (next.done !== true) next.value.ping(payload)
  }, 1000 / perSecond)
}

if (values.pings !== undefined) pingInTurn(Number(values.pings))
answer('counts', (): Counted => ({ ...server.stats(), clean, cut, pings: pings.take() }))
console.log(`ws://127.0.0.1:${server.port}`)

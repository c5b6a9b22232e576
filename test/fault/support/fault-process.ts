/**
 * A process of its own with a server or with clients in it: to be killed, stopped, or put behind a bad network.
 * `fault-peers.ts` starts it.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connect, serve } from '../../../src/index.ts'
import type { Connection, ConnectionHandler, ConnectOptions, ServeOptions } from '../../../src/index.ts'

/** What it is to be. Options are those that can be sent from one process to another. */
export type Start =
  | {
      readonly serve: Pick<
        ServeOptions,
        'host' | 'heartbeat' | 'maxBufferedAmount' | 'frameTimeout' | 'handshakeTimeout'
      >
    }
  | { readonly connect: Pick<ConnectOptions, 'heartbeat'>; readonly url: string; readonly count: number }

/** What its connections are to do. */
export type Order =
  /** Send a message of so many octets each. */
  | { readonly send: number }
  /** Send the first fragment of a message, and never the rest. */
  | { readonly begin: true }
  /** Read nothing more. */
  | { readonly pause: true }
  /** Collect garbage, and tell how much memory there is left. */
  | { readonly collect: true }

/** What it tells. */
export type News =
  | { readonly port: number }
  /** All connections are open. */
  | { readonly opened: number }
  /** One of them was sent a message of so many octets. */
  | { readonly message: number }
  /** Octets of the process, garbage left out. */
  | { readonly rss: number }
  /** One of them has ended: `1006 timeout ERR_WS_HEARTBEAT_TIMEOUT`. */
  | { readonly closed: string }

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const connections = new Set<Connection>()

function tell(news: News): void {
  process.send?.(news)
}

const handler: ConnectionHandler = {
  open: (ws) => void connections.add(ws),
  message: (_ws, data) => tell({ message: data.length }),
  close(ws, { code, initiator, cause }) {
    connections.delete(ws)
    const why = cause !== undefined && 'code' in cause ? ` ${String(cause.code)}` : ''
    tell({ closed: `${code} ${initiator}${why}` })
  },
}

async function* beginning(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(1000)
  // As a timer would keep the process: nobody ends it but who started it.
  await new Promise(() => {})
}

function obey(order: Order): void {
  if ('collect' in order) {
    collect()
    tell({ rss: process.memoryUsage.rss() })
    return
  }
  for (const ws of connections) {
    if ('send' in order) ws.send(Buffer.alloc(order.send))
    else if ('pause' in order) ws.pause()
    else ws.sendStream(beginning()).catch(() => {})
  }
}

async function main(start: Start): Promise<void> {
  process.on('message', (order: Order) => obey(order))
  if ('serve' in start) {
    const server = await serve({ ...start.serve, ...handler })
    tell({ port: server.port! })
    return
  }
  const options = { ...start.connect, ...handler, oneAtATime: false }
  await Promise.all(Array.from({ length: start.count }, () => connect(start.url, options)))
  tell({ opened: connections.size })
}

process.once('message', (start: Start) => void main(start))
process.once('disconnect', () => process.exit())

/**
 * A server whose memory is watched from outside: it says what it has after its garbage was collected, whenever it is asked.
 * `bare` is a server of node:net that does nothing, to compare with.
 */
import { createServer } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { serve } from '../../src/server/index.ts'

export interface Start {
  readonly bare: boolean
  readonly socketPath?: string
  readonly maxBufferedAmount?: number
}

/** Asks for `Memory`; before that, so many octets are sent to all connections as one message. */
export interface Question {
  readonly broadcast?: number
}

export interface Memory {
  readonly connections: number
  /** Octets in use, of the heap and of Buffers. */
  readonly used: number
  readonly rss: number
  /** Connections that were failed, as too much waited for their peers. */
  readonly overflows: number
  /** Octets that wait for the connection for which the most do. */
  readonly mostBuffered: number
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

let overflows = 0

async function start({ bare, socketPath, maxBufferedAmount }: Start): Promise<void> {
  const open = new Set<{ readonly bufferedAmount: number }>()
  let broadcast: (octets: Buffer) => void = () => {}
  let port = 0
  if (bare) {
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const connection = { bufferedAmount: 0 }
      open.add(connection)
      socket.on('data', () => {}).on('error', () => {})
      socket.on('close', () => open.delete(connection))
      socket.write('welcome')
    })
    await new Promise<void>((resolve) => {
      listener.listen(0, '127.0.0.1', resolve)
    })
    const address = listener.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  } else {
    const where = socketPath === undefined ? { host: '127.0.0.1' } : { socketPath }
    const server = await serve({
      ...where,
      ...(maxBufferedAmount === undefined ? {} : { maxBufferedAmount }),
      message: (ws, data) => ws.send(data),
      error(_ws, error) {
        if ('code' in error && error.code === 'ERR_WS_BUFFER_OVERFLOW') overflows++
      },
    })
    port = server.port ?? 0
    broadcast = (octets) => void server.broadcast(octets)
    process.on('message', (question: Question) => void answer(server.connections, question, broadcast))
    process.send?.(port)
    return
  }
  process.on('message', (question: Question) => void answer(open, question, broadcast))
  process.send?.(port)
}

async function answer(
  open: ReadonlySet<{ readonly bufferedAmount: number }>,
  { broadcast: size }: Question,
  broadcast: (octets: Buffer) => void,
): Promise<void> {
  if (size !== undefined) broadcast(Buffer.alloc(size))
  // What has ended is let go of within a few turns.
  for (let i = 0; i < 5; i++) await turn()
  for (let i = 0; i < 3; i++) collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  const mostBuffered = Math.max(0, ...[...open].map(({ bufferedAmount }) => bufferedAmount))
  process.send?.({ connections: open.size, used: heapUsed + external, rss, overflows, mostBuffered } satisfies Memory)
}

process.once('message', (options: Start) => void start(options))
process.once('disconnect', () => process.exit())

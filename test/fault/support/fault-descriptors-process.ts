/**
 * A process that may have few file descriptors (`ulimit -n`): an echo server, and a client that tries to connect when there
 * are none left. `fault-descriptors.test.ts` starts it.
 */
import { closeSync, openSync } from 'node:fs'
import { connect, serve } from '../../../src/index.ts'

export interface Order {
  /** Take all descriptors that there are, try to connect there, give them back, and try again. */
  readonly connect: string
}

export type News =
  | { readonly port: number }
  | {
      readonly failed: { readonly code: string; readonly message: string; readonly cause: string }
      readonly later: string
    }

function tell(news: News): void {
  process.send?.(news)
}

async function connectWithout(url: string): Promise<void> {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {
    // That was the last.
  }
  const outcome = await connect(url).catch((error: unknown) => error)
  for (const descriptor of taken) closeSync(descriptor)
  const { code = '', message = 'connected', cause } = outcome as { code?: string; message?: string; cause?: unknown }
  const ws = await connect(url)
  ws.send('again')
  for await (const answer of ws) {
    tell({ failed: { code, message, cause: String(Reflect.get(Object(cause), 'code')) }, later: String(answer) })
    break
  }
}

process.on('message', (order: Order) => void connectWithout(order.connect))
process.once('disconnect', () => process.exit())
const server = await serve({ host: '127.0.0.1', message: (ws, data) => ws.send(data) })
tell({ port: server.port! })

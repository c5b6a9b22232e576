/**
 * A program with four servers and nothing in them but `message`: what an application writes on its first day. The test
 * that starts it is told where they listen, abuses them, and at last says `shutdown`.
 */
import { createServer } from 'node:http'
import type { TlsOptions } from 'node:tls'
import { attach, createHandler, serve } from '../../src/server/index.ts'
import type { ServerConnection } from '../../src/server/index.ts'
import { remaining } from '../support/remaining.ts'

/** Where the servers listen. */
export type Ports = Readonly<Record<'tcp' | 'tls' | 'http' | 'attached', number>>

/** What a server had left when it was shut down. */
export interface Remains {
  /** Of `process.getActiveResourcesInfo`, the channel to the test left out. */
  readonly resources: readonly string[]
  readonly connections: number
}

function message(ws: ServerConnection, data: string | Buffer): unknown {
  if (data === 'throw') throw new Error('on purpose')
  if (data === 'reject') return Promise.reject(new Error('on purpose'))
  return ws.send(data)
}

/** Takes its time, so that clients can go while it decides. */
function upgrade({ path }: { readonly path: string }): Promise<undefined> | undefined {
  if (path !== '/slow') return undefined
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), 20)
  })
}

async function main(tls: TlsOptions): Promise<void> {
  const host = '127.0.0.1'
  const application = createServer((_request, response) => response.end('page'))
  const existing = createServer((_request, response) => response.end('page'))
  const handler = createHandler({ message, upgrade })
  attach(existing, handler)
  await new Promise<void>((resolve) => {
    existing.listen(0, host, resolve)
  })
  const servers = [
    await serve({ host, message, upgrade }),
    await serve({ host, message, upgrade, tls }),
    await serve({ host, message, upgrade, http: application }),
  ]
  const [tcp, secure, http] = servers.map(({ port = 0 }) => port)
  const address = existing.address()
  const attached = typeof address === 'object' && address !== null ? address.port : 0
  process.send?.({ tcp, tls: secure, http, attached } satisfies Ports)
  const shutdown = async (): Promise<void> => {
    const closed = new Promise((resolve) => existing.close(resolve))
    await Promise.all([handler, ...servers].map((service) => service.shutdown({ timeout: 100 })))
    existing.closeAllConnections()
    await closed
    const remains: Remains = {
      resources: await remaining(),
      connections: [handler, ...servers].reduce((sum, { connections }) => sum + connections.size, 0),
    }
    process.send?.(remains, () => process.disconnect())
  }
  process.once('message', () => void shutdown())
}

process.once('message', (tls: TlsOptions) => void main(tls))

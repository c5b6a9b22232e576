/** The echo of `echo.ts`, in every way in which it can be reached. Runs in Node, Bun and Deno. */
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { attach, serve } from 'fullduplex'
import { createHandlers } from './echo.ts'

export interface StageOptions {
  /** PEM, for `wss:`. */
  readonly key: string
  readonly cert: string
  /** The path of a Unix socket to listen on as well. */
  readonly socketPath: string
  /** Answers requests that are no upgrades to WebSocket. */
  readonly page?: RequestListener
}

/** Where it listens; URLs have no path. */
export interface Endpoints {
  readonly ws: string
  readonly wss: string
  /** A server of node:http that it is attached to. */
  readonly attached: string
  readonly socketPath: string
}

export interface Stage extends Endpoints {
  close(): Promise<void>
}

const HOST = '127.0.0.1'

export async function startStage({ key, cert, socketPath, page = sayHello }: StageOptions): Promise<Stage> {
  const handlers = createHandlers()
  const routes = Object.fromEntries(handlers.map((handler) => [handler.path, handler]))
  const [plain, secure, local] = await Promise.all([
    serve({ host: HOST, routes, http: createServer(page) }),
    serve({ host: HOST, routes, http: createServer(page), tls: { key, cert } }),
    serve({ socketPath, routes }),
  ])
  const http = createServer(page)
  attach(http, handlers)
  await new Promise<void>((resolve) => http.listen(0, HOST, resolve))
  return {
    ws: `ws://${HOST}:${plain.port}`,
    wss: `wss://${HOST}:${secure.port}`,
    attached: `ws://${HOST}:${(http.address() as AddressInfo).port}`,
    socketPath,
    async close() {
      http.close()
      http.closeAllConnections()
      await Promise.all([plain, secure, local].map((server) => server.shutdown()))
    },
  }
}

const sayHello: RequestListener = (_request, response) => {
  response.end('a page')
}

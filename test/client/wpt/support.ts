/**
 * The places that the web-platform-tests speak to, as far as the tests here need them, over `ws:` and `wss:`. The server
 * is that of the package `ws`, so that what is tested is not on both sides.
 */
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll } from 'vitest'
import { WebSocketServer } from 'ws'
import type { WebSocket as Theirs } from 'ws'
import type { WebSocketInit } from '../../../src/client/websocket-arguments.ts'
import { WebSocket } from '../../../src/client/websocket.ts'
import { createAuthority } from '../../support/certificates.ts'

export const SCHEMES = ['ws', 'wss'] as const

type Serve = (ws: Theirs, query: URLSearchParams, request: IncomingMessage) => void

const PLACES: Readonly<Record<string, Serve>> = {
  '/echo': (ws) => ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary })),
  '/echo_exit': (ws) => {
    ws.on('message', (data: Buffer) => {
      if (data.toString() === 'Goodbye') ws.close(1000)
    })
  },
  '/echo-query': (ws, _query, { url = '' }) => ws.send(url.slice(url.indexOf('?') + 1)),
  '/empty-message': (ws) => ws.on('message', (data: Buffer) => ws.send(data.length === 0 ? 'pass' : 'fail')),
  '/protocol_array': (ws) => ws.send(ws.protocol),
  '/receive-many': (ws) => ws.on('message', (data: Buffer) => ws.send(String(data.length))),
  '/basic_auth': (ws, _query, { headers }) => {
    if (headers.authorization !== `Basic ${btoa('foo:bar')}`) ws.terminate()
  },
  '/remote-close': (ws, query) => {
    const code = query.get('code')
    if (query.has('abrupt')) ws.terminate()
    else if (code === null) ws.close()
    else ws.close(Number(code), query.get('reason') ?? '')
  },
}

export class Places {
  readonly #scheme: string
  readonly #servers = new WebSocketServer({ noServer: true })
  readonly #sockets = new Set<Duplex>()
  #server = createServer()
  /** What a client needs to trust them. */
  init: WebSocketInit = {}

  constructor(scheme: string) {
    this.#scheme = scheme
  }

  async start(): Promise<void> {
    if (this.#scheme === 'wss') {
      const authority = await createAuthority()
      this.#server = createSecureServer(await authority.issue())
      this.init = { tls: { ca: authority.cert } }
    }
    this.#server.on('connection', (socket) => this.#sockets.add(socket.on('error', () => {})))
    this.#server.on('upgrade', (request, socket, head) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'ws://localhost')
      socket.on('error', () => {})
      if (pathname === '/redirect') socket.end('HTTP/1.1 301 Moved\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n')
      else if (!(pathname in PLACES)) socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
      else this.#servers.handleUpgrade(request, socket, head, (ws) => PLACES[pathname](ws, searchParams, request))
    })
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
  }

  url(path: string): string {
    return `${this.#scheme}://localhost:${(this.#server.address() as AddressInfo).port}${path}`
  }

  create(path: string, protocols?: string | string[]): WebSocket {
    return new WebSocket(this.url(path), protocols, this.init)
  }

  stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

/** For all tests of a block. */
export function usePlaces(scheme: string): Places {
  const places = new Places(scheme)
  beforeAll(() => places.start())
  afterAll(() => places.stop())
  return places
}

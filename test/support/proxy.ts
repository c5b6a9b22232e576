/**
 * An HTTP proxy that opens tunnels, of node:http. Every name leads to this machine, so that tests can go by any. All of it ends
 * with the test that asked for it.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { Certificate } from './certificates.ts'

export interface TunnelProxyOptions {
  /** Makes it `https:`. */
  readonly tls?: Certificate
  /** What it wants in Proxy-Authorization. */
  readonly credentials?: string
}

export interface TunnelProxy {
  readonly url: string
  readonly port: number
  /** The CONNECT requests that came. */
  readonly requests: IncomingMessage[]
  /** Sockets, of clients and to servers, that are open. */
  readonly sockets: ReadonlySet<Duplex>
}

export async function tunnelProxy({ tls, credentials }: TunnelProxyOptions = {}): Promise<TunnelProxy> {
  const requests: IncomingMessage[] = []
  const sockets = new Set<Duplex>()
  const keep = (socket: Duplex): void => {
    sockets.add(socket.on('error', () => {}))
    socket.on('close', () => sockets.delete(socket))
  }
  const server: Server = tls === undefined ? createServer() : createSecureServer(tls)
  server.on('connection', keep)
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    requests.push(request)
    client.on('error', () => {})
    if (credentials !== undefined && request.headers['proxy-authorization'] !== credentials) {
      client.end('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 6\r\n\r\nlog in')
      return
    }
    const { hostname, port } = new URL(`http://${request.url}`)
    const upstream = connect({ port: Number(port || 80), host: hostname === '[::1]' ? '::1' : '127.0.0.1' })
    keep(upstream)
    upstream.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      client.pipe(upstream).pipe(client)
    })
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy())
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => {
      server.close(resolve)
    })
  })
  const { port } = server.address() as AddressInfo
  return { url: `${tls === undefined ? 'http' : 'https'}://localhost:${port}`, port, requests, sockets }
}

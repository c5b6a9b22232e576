/**
 * The server of `echo.ts`, in a process of its own: `fullduplex` as it is built, or `ws`. Tells its parent the port, and on
 * demand the CPU time, user and system, that it has used so far.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type * as Fullduplex from 'fullduplex'
import { WebSocketServer } from 'ws'

const HOST = '127.0.0.1'
const MAX_MESSAGE = 64 * 1024 * 1024

const servers: Record<string, () => Promise<number | undefined>> = {
  async fullduplex() {
    const built = new URL('../dist/index.js', import.meta.url).href
    const { serve } = (await import(built)) as typeof Fullduplex
    const server = await serve({
      port: 0,
      host: HOST,
      maxMessageSize: MAX_MESSAGE,
      perMessageDeflate: true,
      message: (ws, data) => ws.send(data),
    })
    return server.port
  },
  async ws() {
    const server = new WebSocketServer({ port: 0, host: HOST, maxPayload: MAX_MESSAGE, perMessageDeflate: true })
    server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
}

const port = await servers[process.argv[2]]()
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
process.on('disconnect', () => process.exit())
process.send?.({ port })

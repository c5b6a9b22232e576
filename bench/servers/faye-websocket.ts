/** `faye-websocket`, whose compression is a package of its own. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import WebSocket from 'faye-websocket'
import type { Connection } from 'faye-websocket'
import deflate from 'permessage-deflate'
import { announce, host, mode } from './mode.ts'

const options = mode === 'deflate' ? { extensions: [deflate] } : {}
const connections = new Set<Connection>()

const answers: Record<typeof mode, (ws: Connection, data: string | Buffer) => void> = {
  echo: (ws, data) => ws.send(data),
  deflate: (ws, data) => ws.send(data),
  answer: (ws, data) => ws.send(String(data.length)),
  broadcast(_ws, data) {
    for (const connection of connections) connection.send(data)
  },
}

const server = createServer((_, response) => response.writeHead(426).end())
server.on('upgrade', (request, socket, body) => {
  if (!WebSocket.isWebSocket(request)) {
    socket.destroy()
    return
  }
  const ws = new WebSocket(request, socket, body, [], options)
  connections.add(ws)
  ws.on('error', () => {})
  ws.on('close', () => connections.delete(ws))
  ws.on('message', (event: { readonly data: string | Buffer }) => answers[mode](ws, event.data))
})
server.listen(0, host, () => announce((server.address() as AddressInfo).port))

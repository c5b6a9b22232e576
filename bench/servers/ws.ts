/** `ws`, with `bufferutil` or without it, which is decided by the environment. */
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { announce, host, mode } from './mode.ts'

const server = new WebSocketServer({ host, port: 0, perMessageDeflate: mode === 'deflate' })
server.on('listening', () => announce((server.address() as AddressInfo).port))

const message: Record<typeof mode, (ws: WebSocket, data: Buffer, isBinary: boolean) => void> = {
  echo: (ws, data, isBinary) => ws.send(data, { binary: isBinary }),
  deflate: (ws, data, isBinary) => ws.send(data, { binary: isBinary }),
  answer: (ws, data) => ws.send(String(data.length)),
  broadcast(_ws, data, isBinary) {
    for (const client of server.clients) client.send(data, { binary: isBinary })
  },
}

server.on('connection', (ws) => {
  ws.on('error', () => {})
  ws.on('message', (data: Buffer, isBinary) => message[mode](ws, data, isBinary))
})

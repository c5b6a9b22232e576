/** Bun's own server. */
import { LARGEST_MESSAGE, announce, host, mode } from './mode.ts'

const message: Record<typeof mode, (ws: Bun.ServerWebSocket, data: string | Uint8Array) => void> = {
  echo: (ws, data) => void ws.send(data),
  // Messages are compressed when they are asked to be.
  deflate: (ws, data) => void ws.send(data, true),
  answer: (ws, data) => void ws.send(String(data.length)),
  broadcast: (_ws, data) => void server.publish('all', data),
}

const server = Bun.serve({
  hostname: host,
  port: 0,
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('', { status: 426 })),
  websocket: {
    perMessageDeflate: mode === 'deflate' ? { compress: 'dedicated', decompress: 'dedicated' } : false,
    maxPayloadLength: LARGEST_MESSAGE,
    ...(mode === 'broadcast' && { open: (ws: Bun.ServerWebSocket) => ws.subscribe('all') }),
    message: message[mode],
  },
})
announce(server.port)

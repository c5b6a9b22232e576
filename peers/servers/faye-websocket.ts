/** `faye-websocket`. */
import { createServer } from 'node:http'
import WebSocket from 'faye-websocket'
import { onMessage, options } from '../support/faye.ts'
import { listen } from '../support/listen.ts'

const server = createServer((_, response) => response.writeHead(426).end())
server.on('upgrade', (request, socket, body) => {
  if (WebSocket.isWebSocket(request)) onMessage(new WebSocket(request, socket, body, [], options))
  else socket.destroy()
})
listen(server)

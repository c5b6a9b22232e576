// #region attach
import { createServer } from 'node:http'
import { attach, createHandler } from 'fullduplex'

const httpServer = createServer((_request, response) => response.end('a page'))

attach(httpServer, [
  createHandler({ path: '/chat', message: (ws, data) => ws.send(`chat: ${String(data)}`) }),
  createHandler({ path: '/game', message: (ws, data) => ws.send(`game: ${String(data)}`) }),
])
// #endregion

// #region handle-upgrade
const handler = createHandler({ message: (ws, data) => ws.send(data) })
const other = createServer()
other.on('upgrade', (request, socket, head) => handler.handleUpgrade(request, socket, head))
// #endregion
export { httpServer, other }

import { app } from '../context.ts'
// #region http
import { createServer } from 'node:http'
import { serve } from 'fullduplex'

// One port: upgrades to WebSocket are served here, everything else goes, byte for byte, to the HTTP server.
const server = await serve({
  port: 8080,
  path: '/chat',
  http: createServer(app),
  message: (ws, data) => ws.send(data),
})
// #endregion
export { server }

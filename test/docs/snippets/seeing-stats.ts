// #region seeing-stats
import { createServer } from 'node:http'
import { serve } from 'fullduplex'

const server = await serve({ port: 8080, message: (ws, data) => ws.send(data) })

/** The figures as Prometheus reads them: `websocket_messages_received 42`. */
const metrics = createServer((_request, response) => {
  const { refused, ...figures } = server.stats()
  let text = ''
  for (const [name, value] of Object.entries(figures)) {
    text += `websocket_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)} ${value}\n`
  }
  for (const [status, count] of Object.entries(refused)) text += `websocket_refused{status="${status}"} ${count}\n`
  response.setHeader('content-type', 'text/plain; version=0.0.4').end(text)
})
// #endregion

export { metrics }

/** `faye-websocket`. */
import WebSocket from 'faye-websocket'
import { drive } from '../support/drive.ts'
import { onMessage, options } from '../support/faye.ts'

await drive('faye-websocket', (url, message) => {
  return new Promise((resolve) => {
    const ws = new WebSocket.Client(url, [], options)
    onMessage(ws, message)
    ws.on('close', () => resolve())
  })
})

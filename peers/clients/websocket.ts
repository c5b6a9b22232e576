/** `websocket`. */
import websocket from 'websocket'
import type { Connection } from 'websocket'
import { drive } from '../support/drive.ts'
import { limits, onMessage } from '../support/websocket.ts'

await drive('websocket', (url, message) => {
  return new Promise((resolve) => {
    const client = new websocket.client(limits)
    client.on('connectFailed', () => resolve())
    client.on('connect', (connection: Connection) => {
      onMessage(connection, message)
      connection.on('close', () => resolve())
    })
    client.connect(url)
  })
})

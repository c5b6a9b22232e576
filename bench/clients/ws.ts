/** `ws`. */
import { WebSocket } from 'ws'
import { keepBusy } from './traffic.ts'

keepBusy((url, opened, message) => {
  const ws = new WebSocket(url)
  ws.on('open', () => opened(ws))
  ws.on('message', () => message(ws))
})

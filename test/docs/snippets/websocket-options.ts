import { headers } from '../context.ts'
// #region websocket-options
import { WebSocket } from 'fullduplex'

export const socket = new WebSocket('ws://localhost:8080/chat', 'chat.v2', {
  headers, // such as { cookie, origin, authorization }
  perMessageDeflate: true,
  heartbeat: { interval: 30_000, timeout: 10_000 },
})
// #endregion

import { seen } from '../context.ts'
// #region websocket
import { WebSocket } from 'fullduplex'

const socket = new WebSocket('ws://localhost:8080/chat', 'chat.v2')
socket.onopen = () => socket.send('hello')
socket.onmessage = ({ data }) => {
  seen.push(data)
  if (data === 'bye') socket.close(1000, 'done')
}
socket.addEventListener('close', ({ code, reason, wasClean }) => seen.push({ code, reason, wasClean }))
// #endregion

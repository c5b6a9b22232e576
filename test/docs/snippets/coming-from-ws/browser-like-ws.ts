import { seen } from '../../context.ts'
// #region ws-class
import { WebSocket } from 'ws'

export function listen(url: string): void {
  const socket = new WebSocket(url) // binaryType is 'nodebuffer'; no dispatchEvent, no Blob
  socket.onopen = () => socket.send('hello')
  socket.onmessage = ({ data }) => seen.push(data)
  socket.onerror = ({ message }) => seen.push(message)
  socket.onclose = ({ code, wasClean }) => seen.push({ code, wasClean })
}
// #endregion

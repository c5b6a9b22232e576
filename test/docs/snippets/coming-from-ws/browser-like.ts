import { seen } from '../../context.ts'
// #region fullduplex-class
import { WebSocket } from 'fullduplex'

export function listen(url: string): void {
  const socket = new WebSocket(url) // an EventTarget, as in a browser: binaryType is 'blob'
  socket.onopen = () => socket.send('hello')
  socket.onmessage = ({ data }) => seen.push(data)
  socket.onerror = ({ type }) => seen.push(type)
  socket.onclose = ({ code, wasClean }) => seen.push({ code, wasClean })
}
// #endregion

import { seen } from '../context.ts'
// #region websocket-stream-error
import { WebSocketStream, WebSocketStreamError } from 'fullduplex'

/** Given to `abort` or `cancel` it tells what to close with; anything else closes without a code. */
export async function refuse(): Promise<void> {
  const wss = new WebSocketStream('ws://localhost:8080')
  const { readable } = await wss.opened
  await readable.cancel(new WebSocketStreamError('', { closeCode: 4000, reason: 'not for me' }))
  await wss.closed
}

/** And it tells how a connection ended, or why there was none. */
export async function tellWhy(): Promise<void> {
  const wss = new WebSocketStream('ws://localhost:8080')
  try {
    await wss.closed
  } catch (error) {
    if (!(error instanceof WebSocketStreamError)) throw error
    seen.push(error.closeCode, error.cause) // 1006, and the HandshakeError that connect would have thrown
  }
}
// #endregion

import { seen } from '../context.ts'
// #region websocket-stream
import { WebSocketStream } from 'fullduplex'

/** Sends texts, and takes the answers, neither faster than the server nor faster than we are. */
export async function copy(texts: readonly string[]): Promise<void> {
  const wss = new WebSocketStream('ws://localhost:8080', { signal: AbortSignal.timeout(10_000) })
  const { readable, writable } = await wss.opened
  const reader = readable.getReader()
  const writer = writable.getWriter()

  for (const text of texts) {
    await writer.write(text) // settles when there is room for more
    const { value } = await reader.read() // the server waits for this, too
    seen.push(value)
  }

  wss.close({ closeCode: 1000, reason: 'done' })
  seen.push(await wss.closed) // { closeCode: 1000, reason: 'done' }
}
// #endregion

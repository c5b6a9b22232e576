import type { Connection } from 'fullduplex'

// #region backpressure
/** Sends a stream of any length in constant memory, as fast as the peer reads. */
export async function sendAll(ws: Connection, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) {
    if (!ws.send(chunk)) await ws.drained()
  }
}
// #endregion

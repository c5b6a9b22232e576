import { seen } from '../context.ts'
// #region client-reconnecting-messages
import { ConnectionClosedError, reconnecting } from 'fullduplex'

for await (const ws of reconnecting('ws://localhost:8080/prices', {
  minDelay: 100,
  retry: (_error, attempt) => attempt < 10,
})) {
  ws.send('subscribe')
  try {
    for await (const message of ws) seen.push(message)
  } catch (error) {
    // The end of a connection is what the outer loop is for.
    if (!(error instanceof ConnectionClosedError)) throw error
    if (error.closeCode === 4001) break
  }
}
// #endregion

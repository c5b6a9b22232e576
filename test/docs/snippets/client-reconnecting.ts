import { seen, signal } from '../context.ts'
// #region client-reconnecting
import { reconnecting } from 'fullduplex'

for await (const ws of reconnecting('ws://localhost:8080/prices', {
  message: (_ws, data) => seen.push(data),
  signal, // ends it all
})) {
  // Once for each connection; the loop goes on when it has ended.
  ws.send('subscribe')
  const { code } = await ws.closed
  if (code === 4001) break // whatever it is that makes this one the last
}
// #endregion

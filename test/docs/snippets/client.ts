import { headers, seen, signal } from '../context.ts'
// #region client
import { connect } from 'fullduplex'

const ws = await connect('ws://localhost:8080/chat', { headers, protocols: ['chat.v2'], signal })
ws.send('hello')

for await (const message of ws) {
  // A string for text, a Buffer for binary. The loop ends on 1000, 1001 or a close without a code,
  // and throws ConnectionClosedError otherwise.
  seen.push(message)
  if (message === 'bye') await ws.close(1000, 'done') // settles when the closing handshake has ended
}
// #endregion

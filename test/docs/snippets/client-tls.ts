import { ca, cert, key } from '../tls.ts'
import { seen } from '../context.ts'
// #region client-tls
import { connect } from 'fullduplex'

const ws = await connect('wss://localhost:8443/chat?room=1', {
  tls: { ca, cert, key }, // as for tls.connect: whom to trust, and who we are
  headers: { authorization: 'Bearer 7f3a' },
  handshakeTimeout: 5_000, // from the first try to the server's answer
  signal: AbortSignal.timeout(20_000), // with the wait for other attempts to the same host before it
})
seen.push(ws.url)
// #endregion
await ws.close()

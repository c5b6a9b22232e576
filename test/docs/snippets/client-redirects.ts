import { seen } from '../context.ts'
// #region client-redirects
import { HandshakeError, connect } from 'fullduplex'

const ws = await connect('ws://localhost:8080/old', { redirects: 3 })
seen.push(ws.url) // where it got: ws://localhost:8080/new

try {
  await connect('ws://localhost:8080/old')
} catch (error) {
  if (!(error instanceof HandshakeError)) throw error
  seen.push(error.status, error.headers.get('location'))
}
// #endregion
await ws.close()

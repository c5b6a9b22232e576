import { seen } from '../context.ts'
// #region refused
import { HandshakeError, connect } from 'fullduplex'

try {
  await connect('ws://localhost:8080/private')
} catch (error) {
  if (!(error instanceof HandshakeError)) throw error
  // The server's whole answer: status, header fields, the first 64 KiB of the body.
  seen.push(error.status, error.headers.get('www-authenticate'), String(error.body))
}
// #endregion

/** The WebSocket of undici. */
import { WebSocket, ping } from 'undici'
import { drive } from '../support/drive.ts'
import { standard } from '../support/standard.ts'

await drive(
  'undici',
  standard(
    (url) => new WebSocket(url),
    (ws, payload) => ping(ws, Buffer.from(payload)),
  ),
)

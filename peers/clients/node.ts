/** The WebSocket that Node has as a global. */
import { drive } from '../support/drive.ts'
import { standard } from '../support/standard.ts'
import type { StandardWebSocket } from '../support/standard.ts'

const { WebSocket } = globalThis as unknown as { readonly WebSocket: new (url: string) => StandardWebSocket }
await drive(
  'node',
  standard((url) => new WebSocket(url)),
)

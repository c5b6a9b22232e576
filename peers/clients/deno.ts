/** The WebSocket that Deno has as a global. */
import { drive } from '../support/drive.ts'
import { standard } from '../support/standard.ts'
import type { StandardWebSocket } from '../support/standard.ts'

const { WebSocket } = globalThis as unknown as { readonly WebSocket: new (url: string) => StandardWebSocket }
await drive(
  'deno',
  standard((url) => new WebSocket(url)),
)

/** What the peers with `faye-websocket` have in common: compression comes with `permessage-deflate`, of the same author. */
import type { Connection } from 'faye-websocket'
import deflate from 'permessage-deflate'
import type { Connect } from './drive.ts'
import { LARGEST_MESSAGE, answer } from './echo.ts'

export const options = { maxLength: LARGEST_MESSAGE, extensions: [deflate] }

export function onMessage(ws: Connection, message: Parameters<Connect>[1] = answer): void {
  ws.on('error', () => {})
  ws.on('message', (event: { readonly data: string | Buffer }) => message(ws, event.data))
}

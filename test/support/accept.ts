/** Sec-WebSocket-Accept by other hands than those of `src`. */
import { createHash } from 'node:crypto'

/** The value for a request (RFC 6455 4.2.2, item 5.4). */
export function acceptOf(request: string): string {
  const key = /^sec-websocket-key: (.*)\r$/im.exec(request)?.[1]
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

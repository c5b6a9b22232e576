/** The client of those who have the WebSocket class of browsers: undici, Node, Bun and Deno. */
import type { Connect } from './drive.ts'
import type { Link } from './echo.ts'

/** The class, as far as it is needed; `ping` is Bun's. */
export interface StandardWebSocket {
  binaryType: string
  send(data: string | Uint8Array): void
  close(code?: number, reason?: string): void
  ping?(payload: string): void
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: unknown) => void): void
}

/** `ping`, where a library has it beside the class. */
export function standard<Socket extends StandardWebSocket>(
  create: (url: string) => Socket,
  ping?: (ws: Socket, payload: string) => void,
): Connect {
  return (url, message) =>
    new Promise((resolve) => {
      const ws = create(url)
      const link: Link = { send: (data) => ws.send(data), close: (code, reason) => ws.close(code, reason) }
      if (ping) link.ping = (payload) => ping(ws, payload)
      else if (ws.ping) link.ping = (payload) => ws.ping?.(payload)
      ws.binaryType = 'arraybuffer'
      ws.addEventListener('message', (event) => {
        const { data } = event as { data: string | ArrayBuffer }
        message(link, typeof data === 'string' ? data : new Uint8Array(data))
      })
      ws.addEventListener('error', () => {})
      ws.addEventListener('close', () => resolve())
    })
}

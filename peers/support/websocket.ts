/** What the peers with `websocket` have in common. It has no compression; its limits are raised for the kit's largest messages. */
import type { Connection, Limits, Message } from 'websocket'
import type { Connect } from './drive.ts'
import { LARGEST_MESSAGE, answer } from './echo.ts'
import type { Link } from './echo.ts'

export const limits: Limits = { maxReceivedFrameSize: LARGEST_MESSAGE, maxReceivedMessageSize: LARGEST_MESSAGE }

export function onMessage(connection: Connection, message: Parameters<Connect>[1] = answer): void {
  const link: Link = {
    send: (data) => (typeof data === 'string' ? connection.sendUTF(data) : connection.sendBytes(data)),
    close: (code, reason) => connection.close(code, reason),
    ping: (payload) => connection.ping(payload),
  }
  connection.on('error', () => {})
  connection.on('message', (data: Message) => message(link, data.type === 'utf8' ? data.utf8Data : data.binaryData))
}

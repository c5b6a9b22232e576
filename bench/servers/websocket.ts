/** `websocket`. It has no compression; it sets out with a limit of 64 KiB on frames and 1 MiB on messages. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import websocket from 'websocket'
import type { Connection, Message } from 'websocket'
import { LARGEST_MESSAGE, announce, host, mode } from './mode.ts'

const httpServer = createServer((_, response) => response.writeHead(426).end())
const server = new websocket.server({
  httpServer,
  autoAcceptConnections: true,
  maxReceivedFrameSize: LARGEST_MESSAGE,
  maxReceivedMessageSize: LARGEST_MESSAGE,
})

const connections = new Set<Connection>()

function send(connection: Connection, message: Message): void {
  if (message.type === 'utf8') connection.sendUTF(message.utf8Data)
  else connection.sendBytes(message.binaryData)
}

const answers: Record<typeof mode, (connection: Connection, message: Message) => void> = {
  echo: send,
  deflate: send,
  answer: (connection, message) =>
    connection.sendUTF(String(message.type === 'utf8' ? message.utf8Data.length : message.binaryData.length)),
  broadcast(_connection, message) {
    for (const connection of connections) send(connection, message)
  },
}

server.on('connect', (connection: Connection) => {
  connections.add(connection)
  connection.on('error', () => {})
  connection.on('close', () => connections.delete(connection))
  connection.on('message', (message: Message) => answers[mode](connection, message))
})
httpServer.listen(0, host, () => announce((httpServer.address() as AddressInfo).port))

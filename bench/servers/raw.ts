/**
 * The floor for anything on node:net: frames nothing. It is told the scenario, as JSON before the mode, so it counts octets and answers each
 * read with as many octets as the replies would have, which are prepared.
 */
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { OPCODE, clientMessage, payloadOf, serverFrame } from '../load/frames.ts'
import type { Scenario } from '../scenarios.ts'
import { announce, host, mode } from './mode.ts'

const ACCEPTED = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  // For the key of the RFC, which is the one that the load sends.
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  '\r\n',
].join('\r\n')
const CLOSE = Buffer.from('880203e8', 'hex')

const { kind, size, fragment = size, depth, traffic } = JSON.parse(process.argv[process.argv.length - 2]) as Scenario

const payload = payloadOf(kind, size, 0)
const request = clientMessage(payload, OPCODE[kind], fragment).length
const reply =
  mode === 'answer' ? serverFrame(Buffer.from(String(size)), OPCODE.text) : serverFrame(payload, OPCODE[kind])
/** The replies to 0, 1, 2 … messages. */
const many = Buffer.concat(Array.from({ length: depth }, () => reply))
const replies = Array.from({ length: depth + 1 }, (_, count) => many.subarray(0, count * reply.length))

const sockets = new Set<Socket>()

function answer(socket: Socket, octets: Buffer): void {
  if (mode !== 'broadcast') socket.write(octets)
  else for (const each of sockets) each.write(octets)
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending = 0
  sockets.add(socket)
  socket.on('error', () => {})
  socket.on('close', () => sockets.delete(socket))
  // The request comes in one piece, and nothing behind it.
  socket.once('data', () => {
    socket.write(ACCEPTED)
    socket.on('data', (chunk) => {
      if (traffic === 'churn') {
        socket.end(CLOSE)
        return
      }
      pending += chunk.length
      let complete = Math.floor(pending / request)
      pending -= complete * request
      for (; complete > 0; complete -= depth) answer(socket, replies[Math.min(complete, depth)])
    })
  })
})
server.listen(0, host, () => announce((server.address() as AddressInfo).port))

/**
 * A program whose connections all fail, in every way, some of them after they have opened, with nobody listening for
 * errors. It has nothing to do at its end: if it does not exit then, something was left behind.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { connect } from '../../src/client/index.ts'
import { ConnectionClosedError, HandshakeError } from '../../src/errors.ts'
import { acceptOf } from './accept.ts'

const ways: Record<string, (socket: Socket, request: string) => void> = {
  refused: (socket) => socket.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'),
  malformed: (socket) => socket.write('\0'),
  ended: (socket) => socket.end(),
  reset: (socket) => socket.resetAndDestroy(),
  silent: () => {},
  // Not what TLS would say.
  secure: (socket) => socket.write('HTTP/1.1 400 No\r\n\r\n'),
  crashed: (socket, request) => {
    socket.write(
      `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(request)}\r\n\r\n`,
    )
    setImmediate(() => socket.resetAndDestroy())
  },
  broken: (socket, request) => {
    socket.write(
      `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(request)}\r\n\r\n`,
    )
    socket.write(Buffer.from([0x83, 0x00]))
  },
}

const listener = createServer().listen(0, '127.0.0.1')
await once(listener, 'listening')
const { port } = listener.address() as AddressInfo

for (const [name, act] of Object.entries(ways)) {
  listener.once('connection', (socket) => {
    socket.on('error', () => {})
    socket.once('data', (request: Buffer) => act(socket, request.toString('latin1')))
  })
  const scheme = name === 'secure' ? 'wss' : 'ws'
  try {
    const ws = await connect(`${scheme}://localhost:${port}`, { handshakeTimeout: name === 'silent' ? 50 : 5_000 })
    for await (const message of ws) console.log(message)
  } catch (error) {
    if (!(error instanceof HandshakeError || error instanceof ConnectionClosedError)) throw error
    const left = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
    console.log(name, error.code, left, 'left')
  }
}
listener.close()
console.log('all done')

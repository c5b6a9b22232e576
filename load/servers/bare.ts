/**
 * What an idle socket costs by itself: a server of node:net that answers once, as an opening handshake does, and then waits with the
 * listeners that every socket needs.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.once('data', () => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    socket.on('data', ignore)
  })
  socket.on('end', () => socket.end())
  socket.on('error', ignore)
  socket.on('close', ignore)
})

function ignore(): void {}

server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)

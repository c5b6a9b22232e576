/** A server that echoes in upper case, which is wrong, unless it is told to be right. */
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

const right = process.argv.includes('right')
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
server.on('listening', () => console.log(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`))
server.on('connection', (ws) => {
  ws.on('message', (data: Buffer) => ws.send(right ? data.toString() : data.toString().toUpperCase()))
})

/** `ws` as it is when nothing is asked of it, which means without compression. */
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { host, port, announce } from '../support/listen.ts'
import { onMessage } from '../support/ws.ts'

const server = new WebSocketServer({ host, port })
server.on('listening', () => announce((server.address() as AddressInfo).port))
server.on('connection', (ws) => onMessage(ws))

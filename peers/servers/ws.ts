/** `ws`, with compression and without its limits on the fragments of a message and on pongs that wait. */
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { host, port, announce } from '../support/listen.ts'
import { onMessage, withoutLimits } from '../support/ws.ts'

const server = new WebSocketServer({ host, port, perMessageDeflate: true, ...withoutLimits })
server.on('listening', () => announce((server.address() as AddressInfo).port))
server.on('connection', (ws) => onMessage(ws))

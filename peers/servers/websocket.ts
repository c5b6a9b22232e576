/** `websocket`. */
import { createServer } from 'node:http'
import process from 'node:process'
import websocket from 'websocket'
import type { Connection } from 'websocket'
import { listen } from '../support/listen.ts'
import { limits, onMessage } from '../support/websocket.ts'

const httpServer = createServer((_, response) => response.writeHead(426).end())
const server = new websocket.server({ httpServer, autoAcceptConnections: true, ...limits })
server.on('connect', (connection: Connection) => onMessage(connection))
listen(httpServer)

// It throws for some requests, in a listener of its own where no program can catch it. One that is judged goes on.
process.on('uncaughtException', () => {})

/** uWebSockets.js, as it comes with `@btc-vision/uwebsockets.js`: a C++ addon, built for some versions of Node and of glibc. */
import { createRequire } from 'node:module'
import { LARGEST_MESSAGE, announce, host, mode } from './mode.ts'

interface WebSocket {
  send(data: ArrayBuffer | string, isBinary: boolean, compress?: boolean): number
  subscribe(topic: string): boolean
}
interface App {
  ws(path: string, behavior: object): App
  listen(host: string, port: number, listening: (socket: unknown) => void): App
  publish(topic: string, data: ArrayBuffer, isBinary: boolean): boolean
}
interface Library {
  readonly App: () => App
  readonly DEDICATED_COMPRESSOR: number
  readonly DEDICATED_DECOMPRESSOR: number
  us_socket_local_port(socket: unknown): number
}

const uws = createRequire(import.meta.url)('@btc-vision/uwebsockets.js') as Library

const message: Record<typeof mode, (ws: WebSocket, data: ArrayBuffer, isBinary: boolean) => void> = {
  echo: (ws, data, isBinary) => void ws.send(data, isBinary),
  // Messages are compressed when they are asked to be.
  deflate: (ws, data, isBinary) => void ws.send(data, isBinary, true),
  answer: (ws, data) => void ws.send(String(data.byteLength), false),
  broadcast: (_ws, data, isBinary) => void app.publish('all', data, isBinary),
}

const app = uws.App().ws('/*', {
  maxPayloadLength: LARGEST_MESSAGE,
  maxBackpressure: LARGEST_MESSAGE,
  ...(mode === 'deflate' && { compression: uws.DEDICATED_COMPRESSOR | uws.DEDICATED_DECOMPRESSOR }),
  ...(mode === 'broadcast' && { open: (ws: WebSocket) => ws.subscribe('all') }),
  message: message[mode],
})
app.listen(host, 0, (socket) => announce(uws.us_socket_local_port(socket)))

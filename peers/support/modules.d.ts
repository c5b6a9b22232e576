/** The libraries and runtimes that bring no types of their own, as far as the peers and the programs of the bench use them. */

declare module 'websocket' {
  import type { EventEmitter } from 'node:events'
  import type { Server } from 'node:http'

  export type Message =
    | { readonly type: 'utf8'; readonly utf8Data: string }
    | { readonly type: 'binary'; readonly binaryData: Buffer }
  export interface Connection extends EventEmitter {
    sendUTF(text: string): void
    sendBytes(octets: Uint8Array): void
    close(code?: number, reason?: string): void
    ping(payload: string): void
  }
  export interface Limits {
    readonly maxReceivedFrameSize?: number
    readonly maxReceivedMessageSize?: number
  }
  interface Client extends EventEmitter {
    connect(url: string): void
  }
  const websocket: {
    readonly server: new (
      options: Limits & { readonly httpServer: Server; readonly autoAcceptConnections?: boolean },
    ) => EventEmitter
    readonly client: new (options: Limits) => Client
  }
  export default websocket
}

declare module 'faye-websocket' {
  import type { EventEmitter } from 'node:events'
  import type { IncomingMessage } from 'node:http'
  import type { Duplex } from 'node:stream'

  interface Options {
    readonly maxLength?: number
    readonly extensions?: readonly unknown[]
  }
  export interface Connection extends EventEmitter {
    send(data: string | Uint8Array): boolean
    close(code?: number, reason?: string): boolean
    ping(payload: string): boolean
  }
  const WebSocket: {
    new (
      request: IncomingMessage,
      socket: Duplex,
      body: Buffer,
      protocols: readonly string[],
      options: Options,
    ): Connection
    isWebSocket(request: IncomingMessage): boolean
    readonly Client: new (url: string, protocols: readonly string[], options: Options) => Connection
  }
  export default WebSocket
}

declare module 'permessage-deflate' {
  const deflate: unknown
  export default deflate
}

declare namespace Bun {
  interface ServerWebSocket {
    send(data: string | Uint8Array, compress?: boolean): number
    close(code?: number, reason?: string): void
    ping(payload: string): number
    subscribe(topic: string): void
  }
  interface Server {
    readonly port: number
    upgrade(request: Request): boolean
    publish(topic: string, data: string | Uint8Array): number
  }
  interface Options {
    readonly hostname: string
    readonly port: number
    fetch(request: Request, server: Server): Response | undefined
    readonly websocket: {
      readonly perMessageDeflate?: boolean | { readonly compress?: string; readonly decompress?: string }
      readonly maxPayloadLength?: number
      readonly backpressureLimit?: number
      open?(ws: ServerWebSocket): void
      message(ws: ServerWebSocket, message: string | Uint8Array): void
    }
  }
  function serve(options: Options): Server
}

declare namespace Deno {
  interface Upgrade {
    readonly socket: {
      binaryType: string
      onmessage: ((event: { readonly data: string | ArrayBuffer }) => void) | null
      onerror: (() => void) | null
      onopen: (() => void) | null
      onclose: (() => void) | null
      send(data: string | Uint8Array | ArrayBuffer): void
      close(code?: number, reason?: string): void
    }
    readonly response: Response
  }
  interface Options {
    readonly hostname: string
    readonly port: number
    onListen(address: { readonly port: number }): void
  }
  function serve(options: Options, handler: (request: Request) => Response): unknown
  function upgradeWebSocket(request: Request): Upgrade
}

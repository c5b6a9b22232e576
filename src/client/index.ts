/**
 * The client's side of RFC 6455.
 * @module fullduplex/client
 */
export type { BackoffOptions } from './backoff.ts'
export { connect } from './connect.ts'
export type { ConnectOptions } from './connect.ts'
export type { ClientConnection } from './connection.ts'
export { CloseEvent, ErrorEvent } from './events.ts'
export type { CloseEventInit, ErrorEventInit, EventClass } from './events.ts'
export type { NetworkOptions } from './options.ts'
export type { ProxyOptions } from './proxy.ts'
export { reconnecting } from './reconnecting.ts'
export type { ReconnectingOptions } from './reconnecting.ts'
export type { StreamTarget } from './transport.ts'
export { WebSocket } from './websocket.ts'
export type { BinaryType } from './websocket.ts'
export type { WebSocketCloseInfo, WebSocketInit } from './websocket-arguments.ts'
export type { EventHandler, WebSocketEventMap } from './websocket-handler.ts'
export { WebSocketStream } from './websocket-stream.ts'
export type { WebSocketOpenInfo, WebSocketStreamOptions } from './websocket-stream.ts'
export { WebSocketStreamError } from './websocket-stream-error.ts'

/** The client's side of RFC 6455. */
export { connect } from './connect.ts'
export type { ConnectOptions } from './connect.ts'
export { CloseEvent, ErrorEvent } from './events.ts'
export type { CloseEventInit, ErrorEventInit, EventClass } from './events.ts'
export { WebSocket } from './websocket.ts'
export type { BinaryType } from './websocket.ts'
export type { WebSocketInit } from './websocket-arguments.ts'
export type { EventHandler, WebSocketEventMap } from './websocket-handler.ts'

/**
 * The server's side of RFC 6455.
 * @module fullduplex/server
 */
export { attach } from './attach.ts'
export type { UpgradeListener, UpgradeSource } from './attach.ts'
export type { ServerConnection } from './connection.ts'
export { createHandler } from './handler.ts'
export type {
  HandlerOptions,
  ShutdownOptions,
  UpgradeAcceptance,
  UpgradeAnswer,
  UpgradeContext,
  WebSocketHandler,
} from './handler.ts'
export type { UpgradeRequest } from './request.ts'
export { serve } from './server.ts'
export type { ServerStats } from './stats.ts'
export type { ListenOptions, RoutedServeOptions, ServeOptions, WebSocketServer } from './server.ts'

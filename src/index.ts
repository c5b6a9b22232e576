/**
 * WebSocket (RFC 6455) from scratch on raw TCP: server and client. The core without I/O is in `framing` and `handshake`.
 * @module fullduplex
 */
export {
  CloseEvent,
  ErrorEvent,
  WebSocket,
  WebSocketStream,
  WebSocketStreamError,
  connect,
  reconnecting,
} from './client/index.ts'
export type {
  BackoffOptions,
  BinaryType,
  ClientConnection,
  CloseEventInit,
  ConnectOptions,
  ErrorEventInit,
  EventClass,
  EventHandler,
  WebSocketCloseInfo,
  NetworkOptions,
  ProxyOptions,
  ReconnectingOptions,
  StreamTarget,
  WebSocketEventMap,
  WebSocketInit,
  WebSocketOpenInfo,
  WebSocketStreamOptions,
} from './client/index.ts'
export { ReadyState, defaults, toDuplex, toWebStreams } from './connection/index.ts'
export type {
  Connection,
  ConnectionHandler,
  ConnectionOptions,
  DeflateOptions,
  DiagnosticsMessages,
  HeartbeatOptions,
  Message,
  MessageData,
  MessageSource,
  MessageStream,
  MessagesOptions,
  SendOptions,
  Tap,
  TapOptions,
  TappedFrame,
  WebStreams,
} from './connection/index.ts'
export { ConnectionClosedError, HandshakeError, ProtocolError, WebSocketError } from './errors.ts'
export type { CloseInfo, CloseInitiator, HandshakeErrorOptions, WebSocketErrorOptions } from './errors.ts'
export { CloseCode } from './framing/index.ts'
export { attach, createHandler, serve } from './server/index.ts'
export type {
  HandlerOptions,
  ListenOptions,
  RoutedServeOptions,
  ServeOptions,
  ServerConnection,
  ServerStats,
  ShutdownOptions,
  UpgradeAcceptance,
  UpgradeAnswer,
  UpgradeContext,
  UpgradeListener,
  UpgradeRequest,
  UpgradeSource,
  WebSocketHandler,
  WebSocketServer,
} from './server/index.ts'

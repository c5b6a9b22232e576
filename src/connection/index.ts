/** The protocol bound to a Duplex. */
export type { DeflateOptions } from '../deflate/index.ts'
export { Connection } from './connection.ts'
export { createCounts } from './counts.ts'
export type { Counts } from './counts.ts'
export type { DiagnosticsMessages } from './diagnostics.ts'
export { ReadyState } from './ending.ts'
export type { ConnectionHandler, MessageData, MessagesOptions, SendOptions } from './handler.ts'
export type { MessageStream } from './incoming.ts'
export type { MessageSource } from './chunks.ts'
export { lent, readIntoLent } from './lent.ts'
export { toDuplex, toWebStreams } from './streams.ts'
export type { WebStreams } from './streams.ts'
export type { Message } from './messages.ts'
export {
  CONNECTION_NAMES,
  END_TIMEOUT,
  checkCallbacks,
  checkCount,
  checkNames,
  checkTime,
  connectionSettings,
  defaults,
} from './options.ts'
export type { ConnectionOptions, ConnectionSettings, HeartbeatOptions } from './options.ts'
export type { Clock, Timed } from './clock.ts'
export { Deferred, isThenable, warn } from './deferred.ts'
export { Watcher } from './tap.ts'
export type { Tap, TapOptions, TappedFrame } from './tap.ts'
export { payloadOf } from './payload.ts'
export { PreparedMessage } from './prepared.ts'

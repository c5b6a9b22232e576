/**
 * What an application gives a connection to call. One handler object serves all connections of a server, so a
 * connection costs no listeners and no closures.
 */
import type { CloseInfo } from '../errors.ts'
import type { Connection } from './connection.ts'

/** What `send` takes: a string leaves as a text message, octets as a binary one. */
export type MessageData = string | ArrayBufferView | ArrayBufferLike

/** How one message is sent. */
export interface SendOptions {
  /** Sends octets as text (`false`) or a string as binary (`true`). Octets sent as text must be valid UTF-8. */
  readonly binary?: boolean
  /** Octets of payload above which this message leaves in fragments; overrides the connection's. */
  readonly fragmentSize?: number
  /** Whether this message is compressed, whatever its size; only where `perMessageDeflate` was agreed upon. */
  readonly compress?: boolean
}

/** How messages are iterated over. */
export interface MessagesOptions {
  /** Messages as they come, each an iterable of its parts. */
  readonly stream?: boolean
  /** With `stream`: octets of a message, once inflated. Unless given, none, and the connection's for compressed ones. */
  readonly maxMessageSize?: number
  /** With `stream`: octets of a part, which is cut where it has more. 64 KiB. */
  readonly maxPartSize?: number
}

/**
 * The functions of a handler; all may be async. One that throws or rejects fails its connection with 1011, is reported
 * to `error`, and harms no other connection.
 */
export interface ConnectionHandler<C = Connection> {
  /** The connection is open. While a promise of this function is unsettled, no message is read for `message`. */
  open?(ws: C): unknown
  /** A message: text is a string (a Buffer with `text: 'buffer'`), binary a Buffer; both may be kept. */
  message?(ws: C, data: string | Buffer, isBinary: boolean): unknown
  /** A Ping came; it is answered without this. */
  ping?(ws: C, payload: Buffer): unknown
  /** A Pong came, asked for or not. */
  pong?(ws: C, payload: Buffer): unknown
  /** The queue is below the high-water mark again, after `send` had answered `false`. */
  drain?(ws: C): unknown
  /** The last event, exactly once. */
  close?(ws: C, info: CloseInfo): unknown
  /**
   * At most once, before `close`: the peer broke the protocol, a deadline passed, the transport or a handler failed. A FIN
   * without a Close frame is told to `close` alone.
   */
  error?(ws: C, error: Error): unknown
}

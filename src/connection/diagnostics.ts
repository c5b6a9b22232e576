/**
 * What happens on connections, for whoever subscribes by `node:diagnostics_channel`: servers' and clients', without a word
 * in the application. Each costs one look when nobody has subscribed. A subscriber that throws ends the process, as Node
 * has it, and not the connection.
 */
import { channel } from 'node:diagnostics_channel'
import type { Channel } from 'node:diagnostics_channel'
import type { CloseInfo } from '../errors.ts'
import type { Connection } from './connection.ts'

/** The names of the channels, and what is published there, before the handler's function of that name is called. */
export interface DiagnosticsMessages {
  readonly 'fullduplex:open': { readonly connection: Connection }
  /** The last of a connection, exactly once. */
  readonly 'fullduplex:close': { readonly connection: Connection; readonly info: CloseInfo }
  /** At most once for a connection. */
  readonly 'fullduplex:error': { readonly connection: Connection; readonly error: Error }
  /** A message was accepted to be sent, or is handed on. */
  readonly 'fullduplex:message': {
    readonly connection: Connection
    readonly direction: 'in' | 'out'
    readonly isBinary: boolean
    /** Of its payload, uncompressed; `undefined` for one that was streamed. */
    readonly octets: number | undefined
  }
  /** A Ping was sent, or came. */
  readonly 'fullduplex:ping': {
    readonly connection: Connection
    readonly direction: 'in' | 'out'
    readonly payload: Buffer
  }
  /** A Pong came. */
  readonly 'fullduplex:pong': {
    readonly connection: Connection
    readonly payload: Buffer
    /** Milliseconds since the latest Ping was sent; `undefined` if it is not the answer to that. */
    readonly roundTripTime: number | undefined
  }
}

/** The channels, by what they tell. */
export const channels: Readonly<Record<'open' | 'close' | 'error' | 'message' | 'ping' | 'pong', Channel>> = {
  open: channel('fullduplex:open'),
  close: channel('fullduplex:close'),
  error: channel('fullduplex:error'),
  message: channel('fullduplex:message'),
  ping: channel('fullduplex:ping'),
  pong: channel('fullduplex:pong'),
}

/** Tells a message; `data`: but for one that was streamed. */
export function tellMessage(
  connection: Connection,
  direction: 'in' | 'out',
  isBinary: boolean,
  data: string | Buffer | undefined,
): void {
  const octets = data === undefined ? undefined : Buffer.byteLength(data)
  channels.message.publish({ connection, direction, isBinary, octets })
}

/** The latest Ping, when somebody wants to know how long its answer takes. */
export class SentPing {
  readonly #payload: Buffer
  readonly #at = performance.now()

  constructor(payload: Buffer) {
    this.#payload = Buffer.from(payload)
  }

  /** Milliseconds until now, if `payload` answers it (RFC 6455 5.5.3). */
  roundTripTime(payload: Buffer): number | undefined {
    return this.#payload.equals(payload) ? performance.now() - this.#at : undefined
  }
}

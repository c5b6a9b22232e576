/**
 * The arguments of the standard's `WebSocket`: converted as Web IDL has it, and checked by the standard's own steps.
 * Names in quotes are the standard's.
 */
import { toUSVString } from 'node:util'
import { isAnyArrayBuffer, isSharedArrayBuffer } from 'node:util/types'
import { payloadOf } from '../connection/index.ts'
import type { ConnectionHandler } from '../connection/index.ts'
import { CloseCode, MAX_REASON_LENGTH } from '../framing/index.ts'
import { parseUri } from '../handshake/index.ts'
import { checkOffers } from '../handshake/subprotocol.ts'
import type { ConnectOptions } from './connect.ts'
import { enforceUnsignedShort, toDictionary } from './websocket-idl.ts'
import type { Outgoing } from './websocket-outbox.ts'

type Handlers = keyof ConnectionHandler | 'data' | 'text'

/** The options of `connect`, as far as they are not what events are for. */
export interface WebSocketInit extends Omit<ConnectOptions, Handlers | 'protocols'> {
  readonly protocols?: string | Iterable<string>
}

/** The code and reason of a Close frame, as `WebSocketStream` has them. */
export interface WebSocketCloseInfo {
  readonly closeCode?: number
  readonly reason?: string
}

const EMPTY = Buffer.alloc(0)

/** The dictionary, wherever it stands. Further arguments that are none are ignored, as everywhere on the platform. */
export function initOf(protocols: string | Iterable<string> | WebSocketInit, options: unknown): WebSocketInit {
  // Web IDL: an object that cannot be iterated over is no sequence. The standard would make it a string.
  if (isObject(protocols) && !(Symbol.iterator in protocols)) return protocols
  return { ...(isObject(options) ? options : {}), protocols }
}

/** `(DOMString or sequence<DOMString>)` */
export function protocolsOf(protocols: string | Iterable<string> = []): string[] {
  return isObject(protocols) ? Array.from(protocols, (protocol) => toUSVString(protocol)) : [toUSVString(protocols)]
}

/** `sequence<DOMString>` */
export function protocolSequenceOf(protocols: Iterable<string>): string[] {
  if (isObject(protocols) && Symbol.iterator in protocols) return protocolsOf(protocols)
  throw new TypeError('protocols must be an array of strings')
}

/** "Getting a URL record", and the steps of the constructor that check it. Node has no base URL. */
export function urlRecordOf(text: string): URL {
  if (!URL.canParse(text)) throw syntaxError('The URL must be absolute and well-formed, such as wss://example.com/chat')
  const record = new URL(text)
  if (record.protocol === 'http:') record.protocol = 'ws:'
  else if (record.protocol === 'https:') record.protocol = 'wss:'
  try {
    parseUri(record)
  } catch (error) {
    throw syntaxError((error as Error).message)
  }
  return record
}

/** "If any of the values in protocols occur more than once", in whatever case, or is no token. */
export function checkProtocols(protocols: readonly string[]): void {
  try {
    checkOffers(protocols)
    checkOffers(protocols.map((protocol) => protocol.toLowerCase()))
  } catch (error) {
    throw syntaxError((error as Error).message)
  }
}

/** "Validate close code and reason". */
export function checkClose(code: number | undefined, reason: string): void {
  if (code !== undefined && code !== CloseCode.NormalClosure && !(code >= 3000 && code <= 4999)) {
    throw new DOMException(`The close code must be 1000 or from 3000 to 4999, not ${code}`, 'InvalidAccessError')
  }
  const length = Buffer.byteLength(reason)
  if (length > MAX_REASON_LENGTH) {
    throw syntaxError(`The reason must have at most ${MAX_REASON_LENGTH} octets of UTF-8, this one has ${length}`)
  }
}

/** A `WebSocketCloseInfo`, checked. */
export function closeInfoOf(given: WebSocketCloseInfo): { closeCode: number | undefined; reason: string } {
  const { closeCode, reason = '' } = toDictionary(given)
  const code = closeCode === undefined ? undefined : enforceUnsignedShort(closeCode)
  const text = toUSVString(reason)
  checkClose(code, text)
  // "If reason is non-empty, but code is not set, then set code to 1000".
  return { closeCode: text === '' ? code : (code ?? CloseCode.NormalClosure), reason: text }
}

/** `(BufferSource or Blob or USVString)` */
export function outgoingOf(data: string | ArrayBufferView | ArrayBuffer | Blob): Outgoing {
  return data instanceof Blob ? data : payloadOrTextOf(data)
}

/** `(BufferSource or USVString)`: memory that others can change or resize meanwhile is none. */
export function payloadOrTextOf(data: string | ArrayBufferView | ArrayBuffer): string | Buffer {
  if (typeof data === 'string') return data
  if (!ArrayBuffer.isView(data) && !isAnyArrayBuffer(data)) return toUSVString(data)
  const memory: ArrayBufferLike & { readonly resizable?: boolean } = ArrayBuffer.isView(data) ? data.buffer : data
  if (isSharedArrayBuffer(memory) || memory.resizable === true) {
    throw new TypeError('Shared and resizable memory cannot be sent; send a copy of it')
  }
  // Memory that was transferred away has no octets.
  return data.byteLength === 0 ? EMPTY : payloadOf(data)
}

function syntaxError(message: string): DOMException {
  return new DOMException(message, 'SyntaxError')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

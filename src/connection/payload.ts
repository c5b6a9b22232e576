/** What applications send, as what frames carry. */
import { isUtf8 } from 'node:buffer'
import { isAnyArrayBuffer } from 'node:util/types'
import { invalidType } from '../errors.ts'
import { Opcode } from '../framing/index.ts'
import type { MessageData } from './handler.ts'

/** Text as it is, octets as a Buffer that shares their memory. Throws a `TypeError` for anything else. */
export function payloadOf(data: MessageData): string | Buffer {
  if (typeof data === 'string') return data
  // By what it is first: an object that only has the prototype of a Buffer has no octets.
  if (ArrayBuffer.isView(data)) {
    return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  }
  if (isAnyArrayBuffer(data)) return Buffer.from(data)
  throw invalidType(
    'ERR_WS_INVALID_DATA',
    'Only a string, an ArrayBuffer or a view of one (such as a Buffer) can be sent',
  )
}

/** Text or Binary. Throws a `TypeError` for octets that are to leave as text and are none (RFC 6455 5.6). */
export function opcodeOf(payload: string | Buffer, binary: boolean = typeof payload !== 'string'): number {
  if (binary) return Opcode.Binary
  if (typeof payload !== 'string' && !isUtf8(payload)) {
    throw invalidType('ERR_WS_INVALID_DATA', 'These octets are not valid UTF-8, so they can only be sent as binary')
  }
  return Opcode.Text
}

/**
 * Close codes and the body of Close frames (RFC 6455 5.5.1, 7.4).
 *
 * A body is empty, or a code of two octets in network order with a reason in UTF-8 behind it. Together they fit a
 * control frame: a reason has at most 123 octets.
 */
import { ProtocolError, invalidType, invalidValue, quote } from '../errors.ts'
import { isValidUtf8 } from './utf8.ts'

/** Close codes by their names in 7.4.1 and in the IANA registry that grew from it (11.7). */
export const CloseCode = {
  NormalClosure: 1000,
  GoingAway: 1001,
  ProtocolError: 1002,
  UnsupportedData: 1003,
  /** Never on the wire: the Close frame had no code. */
  NoStatusReceived: 1005,
  /** Never on the wire: there was no Close frame. */
  AbnormalClosure: 1006,
  InvalidFramePayloadData: 1007,
  PolicyViolation: 1008,
  MessageTooBig: 1009,
  MandatoryExtension: 1010,
  InternalError: 1011,
  ServiceRestart: 1012,
  TryAgainLater: 1013,
  BadGateway: 1014,
  /** Never on the wire: the TLS handshake failed. */
  TlsHandshake: 1015,
} as const

/** Octets that a reason may have: 125 of a control frame less two of the code. */
export const MAX_REASON_LENGTH = 123

/** What the body of a Close frame says; `code` is 1005 when it is empty. */
export interface CloseBody {
  readonly code: number
  readonly reason: string
}

const NOTHING: CloseBody = { code: CloseCode.NoStatusReceived, reason: '' }

/**
 * Whether a code may stand in a Close frame (7.4): 1000-1003 and 1007-1014 are defined, 1004, 1005, 1006 and 1015 must
 * not be sent, 3000-3999 are registered, 4000-4999 are private; all others nobody has defined.
 */
export function isSendableCloseCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)
  )
}

/** Reads the body of a Close frame that came from the peer. */
export function readCloseBody(body: Buffer): CloseBody {
  if (body.length === 0) return NOTHING
  // 5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer".
  if (body.length === 1) {
    throw closeError('ERR_WS_BAD_CLOSE_BODY', 'RFC 6455 5.5.1', 'A Close body of one octet holds no close code')
  }
  const code = body.readUInt16BE(0)
  if (!isSendableCloseCode(code)) {
    throw closeError('ERR_WS_BAD_CLOSE_CODE', 'RFC 6455 7.4', `Close code ${code} must not stand in a Close frame`)
  }
  const reason = body.subarray(2)
  if (!isValidUtf8(reason)) {
    throw new ProtocolError(
      'ERR_WS_INVALID_UTF8',
      CloseCode.InvalidFramePayloadData,
      'RFC 6455 8.1',
      'The reason in a Close frame is not valid UTF-8; send text as UTF-8',
    )
  }
  return { code, reason: reason.toString() }
}

function closeError(code: string, section: string, message: string): ProtocolError {
  return new ProtocolError(code, CloseCode.ProtocolError, section, message)
}

/**
 * The body of a Close frame that we send; empty without a code. Throws a `TypeError` or `RangeError` for a code that
 * must not be sent and for a reason that does not fit.
 */
export function writeCloseBody(code?: number, reason = ''): Buffer {
  if (typeof reason !== 'string') throw invalidType('ERR_WS_INVALID_REASON', 'A close reason must be a string')
  if (code === undefined) {
    if (reason === '') return Buffer.alloc(0)
    throw invalidType('ERR_WS_INVALID_CLOSE_CODE', 'A close reason needs a close code in front of it, such as 1000')
  }
  if (!Number.isInteger(code) || !isSendableCloseCode(code)) {
    // An object is not shown, as it may throw when it is asked for a string.
    const shown = typeof code === 'object' ? 'of type object' : quote(String(code))
    throw invalidValue(
      'ERR_WS_INVALID_CLOSE_CODE',
      `Close code ${shown} cannot be sent; use 1000 or 3000 to 4999, or 1001 to 1003 and 1007 to 1014 as RFC 6455 7.4 means them`,
    )
  }
  const length = Buffer.byteLength(reason)
  if (length > MAX_REASON_LENGTH) {
    throw invalidValue(
      'ERR_WS_INVALID_REASON',
      `A close reason has at most 123 octets of UTF-8, this one has ${length}`,
    )
  }
  const body = Buffer.allocUnsafe(2 + length)
  body.writeUInt16BE(code, 0)
  body.write(reason, 2)
  return body
}

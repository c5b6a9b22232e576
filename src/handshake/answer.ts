/**
 * What a server writes in answer to an opening handshake: 101 (RFC 6455 4.2.2), or an HTTP error that ends the connection,
 * because a proxy in between may have taken the upgrade for granted and forward whatever comes next.
 *
 * Every field passes `formatFields`. The 101 is a string to be written as Latin-1; a rejection, which has a body, is bytes.
 */

import { invalidValue } from '../errors.ts'
import { formatExtensions } from './extensions.ts'
import type { FieldsInit } from './fields.ts'
import { fieldEntries, formatFields } from './fields.ts'
import type { Acceptance } from './server.ts'
import { checkChoice } from './subprotocol.ts'

/** What an answer of 101 says beside what it must. */
export interface AcceptanceExtras {
  /** One of the offered subprotocols, instead of the one that was chosen. */
  readonly protocol?: string | undefined
  /** Further fields, such as `set-cookie`. */
  readonly headers?: FieldsInit | undefined
}

/** An answer that refuses a request, or sends it elsewhere. */
export interface RejectionAnswer {
  /** 300 to 599, but not 304, which has no body. */
  readonly status: number
  readonly headers?: FieldsInit | undefined
  /** Text is sent as UTF-8; default: the reason phrase on a line of its own. */
  readonly body?: string | Uint8Array | undefined
}

/**
 * The 101 response, to be written as Latin-1.
 *
 * @throws TypeError `ERR_WS_INVALID_HEADER` for a header that is malformed or belongs to the handshake,
 * `ERR_WS_INVALID_PROTOCOL` for a subprotocol that was not offered
 */
export function formatAcceptance(acceptance: Acceptance, extras: AcceptanceExtras = {}): string {
  // RFC 6455 4.2.2: the subprotocol is one of the offers or none, and none means no field.
  const protocol = checkChoice(extras.protocol, acceptance.offeredProtocols) ?? acceptance.protocol
  let head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptance.accept}\r\n`
  if (protocol !== undefined) head += formatFields([['Sec-WebSocket-Protocol', protocol]])
  if (acceptance.extensions.length > 0) {
    head += formatFields([['Sec-WebSocket-Extensions', formatExtensions(acceptance.extensions)]])
  }
  return `${head}${formatFields(fieldEntries(extras.headers, isHandshakeField))}\r\n`
}

/**
 * An error response, whole: it says that the connection closes, how long it is, and when that was.
 *
 * @throws TypeError `ERR_WS_INVALID_HEADER` for a header that is malformed or says how the message ends,
 * RangeError `ERR_WS_INVALID_STATUS` for a status that cannot reject
 */
export function formatRejection({ status, headers, body }: RejectionAnswer, now: Date = new Date()): Buffer {
  if (!Number.isInteger(status) || status < 300 || status > 599 || status === 304) {
    throw invalidValue('ERR_WS_INVALID_STATUS', 'A handshake is rejected with a status from 300 to 599, but not 304.')
  }
  const reason = REASONS.get(status) ?? ''
  const content = Buffer.from(body ?? `${reason || status}\n`)
  const entries = fieldEntries(headers, isMessageField)
  const names = new Set(entries.map(([name]) => name.toLowerCase()))
  // RFC 9110 7.8: whoever sends Upgrade, as 426 must, names it in Connection.
  const connection = names.has('upgrade') ? 'close, Upgrade' : 'close'
  // RFC 9112 4: the space behind the code stays, even if nothing follows.
  let head = `HTTP/1.1 ${status} ${reason}\r\nConnection: ${connection}\r\nContent-Length: ${content.length}\r\n`
  // RFC 9110 6.6.1, 5.6.7: an origin server that has a clock tells the time.
  if (!names.has('date')) head += `Date: ${now.toUTCString()}\r\n`
  if (!names.has('content-type')) head += 'Content-Type: text/plain; charset=utf-8\r\n'
  head += formatFields(entries)
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), content])
}

/** Does a field, named in lower case, say how the message goes on? Users leave these to us. */
export function isMessageField(name: string): boolean {
  return name === 'connection' || name === 'content-length' || name === 'transfer-encoding'
}

/** Does a field, named in lower case, belong to the handshake itself? Users leave these to us. */
export function isHandshakeField(name: string): boolean {
  return isMessageField(name) || name === 'upgrade' || name.startsWith('sec-websocket-')
}

/** Reason phrases, as RFC 9110 15 and the registry have them. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [300, 'Multiple Choices'],
  [301, 'Moved Permanently'],
  [302, 'Found'],
  [303, 'See Other'],
  [307, 'Temporary Redirect'],
  [308, 'Permanent Redirect'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [402, 'Payment Required'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [408, 'Request Timeout'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [411, 'Length Required'],
  [412, 'Precondition Failed'],
  [413, 'Content Too Large'],
  [414, 'URI Too Long'],
  [415, 'Unsupported Media Type'],
  [417, 'Expectation Failed'],
  [421, 'Misdirected Request'],
  [422, 'Unprocessable Content'],
  [426, 'Upgrade Required'],
  [428, 'Precondition Required'],
  [429, 'Too Many Requests'],
  [431, 'Request Header Fields Too Large'],
  [451, 'Unavailable For Legal Reasons'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
  [505, 'HTTP Version Not Supported'],
  [511, 'Network Authentication Required'],
])

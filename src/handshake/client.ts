/**
 * The client's side of the opening handshake (RFC 6455 4.1): the request, and the check of the response.
 *
 * Local mistakes in what is to be sent are a `TypeError`, thrown before anything is sent. Whatever is wrong with the
 * response is a `HandshakeError` with the status and fields of what the server answered.
 */

import { HandshakeError, invalidType, quote } from '../errors.ts'
import { isHandshakeField } from './answer.ts'
import type { ExtensionOffer } from './extensions.ts'
import { formatExtensions, readExtensions } from './extensions.ts'
import type { FieldsInit } from './fields.ts'
import { fieldEntries, formatFields, invalidHeader } from './fields.ts'
import { includesIgnoringCase, isKey, parseTokens } from './grammar.ts'
import type { ResponseHead } from './decode.ts'
import { acceptKey } from './key.ts'
import { WEBSOCKET_VERSION } from './server.ts'
import { checkOffers } from './subprotocol.ts'
import type { ParsedUri } from './uri.ts'
import { parseAuthority, parseTarget } from './uri.ts'

/** What a client's request says. */
export interface RequestOptions {
  readonly uri: ParsedUri
  /** From `createKey`, a new one for every attempt. */
  readonly key: string
  /** Subprotocols in order of preference. */
  readonly protocols?: readonly string[] | undefined
  /** Extensions in order of preference, or the field value itself. */
  readonly extensions?: string | readonly ExtensionOffer[] | undefined
  /** Further fields. `Host` and `Authorization` replace what the URI says. */
  readonly headers?: FieldsInit | undefined
}

/** What the client asked for, and the response must fit. */
export interface ExpectedResponse {
  readonly key: string
  readonly protocols?: readonly string[] | undefined
  /** The names of the extensions that were offered. */
  readonly extensions?: readonly string[] | undefined
}

/** What the server agreed to. */
export interface Agreement {
  readonly protocol: string | undefined
  /** In the order in which they apply (RFC 6455 9.1). */
  readonly extensions: readonly ExtensionOffer[]
}

/** Fields that have one value: a second line of them is a mistake (RFC 9110 5.3). */
const SINGLE_FIELDS = ['host', 'origin', 'authorization', 'user-agent', 'cookie']

/**
 * The request, to be written as Latin-1.
 *
 * @throws TypeError `ERR_WS_INVALID_HEADER`, `ERR_WS_INVALID_URI`, `ERR_WS_INVALID_KEY`, `ERR_WS_INVALID_PROTOCOL` or
 * `ERR_WS_INVALID_EXTENSION` for what cannot be sent
 */
export function createRequest({ uri, key, protocols = [], extensions = [], headers }: RequestOptions): string {
  // RFC 6455 4.1: every component is valid before anything is sent.
  if (!uri.resourceName.startsWith('/') || parseTarget(uri.resourceName) === undefined) {
    throw invalidType('ERR_WS_INVALID_URI', 'The resource name must be a path in visible ASCII without a fragment.')
  }
  if (!isKey(key)) throw invalidType('ERR_WS_INVALID_KEY', 'The key must be 16 bytes in base64: use createKey().')
  checkOffers(protocols)
  const given = fieldEntries(headers, isHandshakeField)
  const names = given.map(([name]) => name.toLowerCase())
  for (const name of SINGLE_FIELDS) {
    if (names.indexOf(name) !== names.lastIndexOf(name)) throw invalidHeader(`The header "${name}" may be given once.`)
  }
  const host = given.find((_, index) => names[index] === 'host')?.[1] ?? uri.authority
  if (parseAuthority(host) === undefined) throw invalidHeader('Host must be a host with an optional port.')

  const fields: Array<readonly [name: string, value: string]> = [
    ['Host', host],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key],
    ['Sec-WebSocket-Version', WEBSOCKET_VERSION],
  ]
  if (protocols.length > 0) fields.push(['Sec-WebSocket-Protocol', protocols.join(', ')])
  const offers = checkExtensions(extensions)
  if (offers !== '') fields.push(['Sec-WebSocket-Extensions', offers])
  if (uri.userinfo !== undefined && !names.includes('authorization')) {
    fields.push(['Authorization', basicCredentials(uri.userinfo)])
  }
  fields.push(...given.filter((_, index) => names[index] !== 'host'))
  return `GET ${uri.resourceName} HTTP/1.1\r\n${formatFields(fields)}\r\n`
}

/**
 * Checks the final response to a request. Interim responses, 1xx other than 101, are not for here: skip them.
 *
 * @throws HandshakeError if the connection is not established; RFC 6455 4.1 then demands to fail it
 */
export function checkResponse(head: ResponseHead, expected: ExpectedResponse): Agreement {
  if (head.status !== 101) throw unexpectedResponse(head)
  const { fields } = head
  const fail = (code: string, section: string, message: string): HandshakeError =>
    new HandshakeError(code, message, { section, ...answered(head) })

  if (head.version !== '1.1') throw fail('ERR_WS_BAD_RESPONSE', 'RFC 9110 15.2', 'A 101 response must be HTTP/1.1.')
  // RFC 6455 4.1, response item 2
  if (fields.get('upgrade')?.toLowerCase() !== 'websocket') {
    throw fail('ERR_WS_BAD_UPGRADE', 'RFC 6455 4.1', 'The server did not answer with "Upgrade: websocket".')
  }
  // item 3
  if (!includesIgnoringCase(parseTokens(fields.get('connection') ?? ''), 'upgrade')) {
    throw fail('ERR_WS_BAD_UPGRADE', 'RFC 6455 4.1', 'The server did not answer with "Connection: Upgrade".')
  }
  // item 4
  if (fields.get('sec-websocket-accept') !== acceptKey(expected.key)) {
    throw fail('ERR_WS_BAD_ACCEPT', 'RFC 6455 4.1', 'Sec-WebSocket-Accept is missing or does not fit the key.')
  }
  // item 5
  const value = fields.get('sec-websocket-extensions')
  const extensions = value === undefined ? [] : readExtensions(value)
  if (extensions === undefined) {
    throw fail('ERR_WS_BAD_EXTENSIONS', 'RFC 6455 9.1', 'Sec-WebSocket-Extensions must be a list of extensions.')
  }
  const uninvited = extensions.find(({ name }) => !(expected.extensions ?? []).includes(name))
  if (uninvited !== undefined) {
    const message = `The server chose the extension ${quote(uninvited.name)}, which was not offered.`
    throw fail('ERR_WS_BAD_EXTENSIONS', 'RFC 6455 4.1', message)
  }
  // item 6
  const protocol = fields.get('sec-websocket-protocol')
  if (protocol !== undefined && !(expected.protocols ?? []).includes(protocol)) {
    const message = `The server chose the subprotocol ${quote(protocol)}, which was not offered.`
    throw fail('ERR_WS_BAD_PROTOCOL', 'RFC 6455 4.1', message)
  }
  return { protocol, extensions }
}

/** The error for a status other than 101, which is handled as in any HTTP; `body` is what was read of the content. */
export function unexpectedResponse(head: ResponseHead, body?: Buffer): HandshakeError {
  const location = head.fields.get('location')
  const pointer = location === undefined ? '' : ` It points to ${quote(location)}.`
  const message = `The server answered with status ${head.status} instead of 101.${pointer}`
  const options = { section: 'RFC 6455 4.1', ...answered(head), ...(body === undefined ? {} : { body }) }
  return new HandshakeError('ERR_WS_UNEXPECTED_RESPONSE', message, options)
}

/** What an error tells of an answer. */
export function answered({ status, fields }: ResponseHead): { status: number; headers: Map<string, string> } {
  const headers = new Map<string, string>()
  for (const [name, value] of fields) {
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return { status, headers }
}

function checkExtensions(extensions: string | readonly ExtensionOffer[]): string {
  const value = typeof extensions === 'string' ? extensions : formatExtensions(extensions)
  if (value === '' || readExtensions(value) !== undefined) return value
  throw invalidType('ERR_WS_INVALID_EXTENSION', 'The extensions must be a list as in Sec-WebSocket-Extensions.')
}

/** RFC 7617 2, with UTF-8. */
export function basicCredentials({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/**
 * What names a place: the URI that a client is given (RFC 6455 3), and the Host field and request-target that a server
 * receives (RFC 9110 7.2, RFC 9112 3.2). A client's URI comes from its own user and goes through the URL parser of the
 * platform; what comes from the wire is read by byte, and never leads to a connection.
 */

import { invalidType } from '../errors.ts'
import { ByteClass, classAt, COLON, isVisible } from './grammar.ts'

/** A `ws:` or `wss:` URI, taken apart. */
export interface ParsedUri {
  readonly secure: boolean
  /** What to connect to: a name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
  /** The value of the Host field: the port is left out where it is the default one. */
  readonly authority: string
  /** Path and query: ASCII, beginning with `/`. */
  readonly resourceName: string
  /** What stood before the `@`, decoded. */
  readonly userinfo: { readonly username: string; readonly password: string } | undefined
}

/** The port of a scheme where none is given (RFC 6455 3, RFC 9110 4.2). */
export function defaultPort(secure: boolean): number {
  return secure ? 443 : 80
}

/**
 * Reads a `ws:` or `wss:` URI; a `URL` is left as it is.
 *
 * @throws TypeError `ERR_WS_INVALID_URI` if it is malformed, has another scheme, a fragment, or control characters.
 * The message does not repeat the URI, which may hold a password.
 */
export function parseUri(uri: string | URL): ParsedUri {
  const text = String(uri)
  for (let index = 0; index < text.length; index++) {
    // The URL parser drops tabs and line breaks silently; whoever put them there did not mean the URI that is left.
    const code = text.charCodeAt(index)
    if (code < 0x20 || code === 0x7f) throw invalidUri('must not contain control characters')
  }
  if (!URL.canParse(text)) throw invalidUri('must be absolute and well-formed, such as wss://example.com/chat')
  const url = new URL(text)
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw invalidUri('must begin with ws: or wss:')
  // RFC 6455 3: no fragments, not even an empty one; "#" in a path is written %23.
  if (url.href.includes('#')) throw invalidUri('must not have a fragment: write # as %23')
  const secure = url.protocol === 'wss:'
  return {
    secure,
    host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port === '' ? defaultPort(secure) : Number(url.port),
    authority: url.host,
    resourceName: url.pathname + url.search,
    userinfo: decodeUserinfo(url),
  }
}

/** The URI of a place again, without user name and password. */
export function formatUri({ secure, authority, resourceName }: ParsedUri): string {
  return `${secure ? 'wss' : 'ws'}://${authority}${resourceName}`
}

/** The place that an `http:` or `https:` URL names, as a `ws:` or `wss:` URL; any other is left as it is. */
export function toWebSocketUrl(url: URL): URL {
  const same = new URL(url)
  if (url.protocol === 'http:') same.protocol = 'ws:'
  else if (url.protocol === 'https:') same.protocol = 'wss:'
  return same
}

function decodeUserinfo({ username, password }: URL): ParsedUri['userinfo'] {
  if (username === '' && password === '') return undefined
  const decoded = { username: decodePercent(username), password: decodePercent(password) }
  // RFC 7617 2: the first colon ends the user-id.
  if (decoded.username.includes(':')) throw invalidUri('must not have a colon in the user name')
  return decoded
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidUri('has a malformed user name or password')
  }
}

function invalidUri(problem: string): TypeError {
  return invalidType('ERR_WS_INVALID_URI', `The URI ${problem}.`)
}

/** A host in lower case, IPv6 in brackets, and its port unless it was left out. */
export interface Authority {
  readonly host: string
  readonly port: number | undefined
}

const HIGHEST_PORT = 65_535

/** `uri-host [ ":" port ]` (RFC 9110 7.2), or `undefined`. Percent-encoding, which no name in use needs, is refused. */
export function parseAuthority(text: string): Authority | undefined {
  const hostEnd = text.startsWith('[') ? endOfLiteral(text) : endOfName(text)
  if (hostEnd < 1) return undefined
  const host = text.slice(0, hostEnd).toLowerCase()
  if (hostEnd === text.length) return { host, port: undefined }
  if (text.charCodeAt(hostEnd) !== COLON) return undefined
  let port = 0
  for (let index = hostEnd + 1; index < text.length; index++) {
    if (classAt(text, index) !== ByteClass.Digit) return undefined
    port = port * 10 + (text.charCodeAt(index) - 0x30)
    if (port > HIGHEST_PORT) return undefined
  }
  return { host, port: hostEnd + 1 === text.length ? undefined : port }
}

/** reg-name (RFC 3986 3.2.2): letters, digits, and these. */
const NAME_MARKS = "-._~!$&'()*+,;="
const nameBytes = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return isAlphanumericAt(character, 0) || NAME_MARKS.includes(character) ? 1 : 0
})

function endOfName(text: string): number {
  let index = 0
  while (index < text.length && nameBytes[text.charCodeAt(index)] === 1) index++
  return index
}

/** IP-literal (RFC 3986 3.2.2) of the only kind there is, IPv6; -1 if it is not closed or has other characters in it. */
function endOfLiteral(text: string): number {
  const close = text.indexOf(']')
  for (let index = 1; index < close; index++) {
    const lower = text.charCodeAt(index) | 0x20
    const isHexadecimal = classAt(text, index) === ByteClass.Digit || (lower >= 0x61 && lower <= 0x66)
    if (!isHexadecimal && text[index] !== ':' && text[index] !== '.') return -1
  }
  return close > 1 ? close + 1 : -1
}

function isAlphanumericAt(text: string, index: number): boolean {
  const lower = text.charCodeAt(index) | 0x20
  return classAt(text, index) === ByteClass.Digit || (lower >= 0x61 && lower <= 0x7a)
}

/** A request-target that names a resource. */
export interface Target {
  /** Path and query. */
  readonly resourceName: string
  /** Of the absolute form: which host is meant, whatever the Host field says. */
  readonly authority: string | undefined
}

/** origin-form or absolute-form (RFC 6455 4.2.1, RFC 9112 3.2), or `undefined` for anything else. */
export function parseTarget(target: string): Target | undefined {
  if (!isVisible(target) || target.includes('#')) return undefined
  if (target.startsWith('/')) return { resourceName: target, authority: undefined }
  const scheme = ['http://', 'https://'].find((prefix) => target.slice(0, prefix.length).toLowerCase() === prefix)
  if (scheme === undefined) return undefined
  let end = scheme.length
  while (end < target.length && target[end] !== '/' && target[end] !== '?') end++
  const authority = target.slice(scheme.length, end)
  if (parseAuthority(authority) === undefined) return undefined
  const resource = target.slice(end)
  return { resourceName: resource.startsWith('/') ? resource : `/${resource}`, authority }
}

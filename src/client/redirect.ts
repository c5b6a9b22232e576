/**
 * Redirects of the opening handshake (RFC 6455 4.1 leaves them to the client; RFC 9110 15.4). Where one leads is the choice of
 * a server, so it never leads from `wss:` to `ws:`, and what was meant for one origin does not reach another one.
 */
import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls'
import { HandshakeError } from '../errors.ts'
import { formatUri, parseUri, toWebSocketUrl } from '../handshake/index.ts'
import type { ParsedUri } from '../handshake/index.ts'

/** Whom to ask, and with what. */
export interface Addressee {
  readonly uri: ParsedUri
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly tls: TlsConnectionOptions | undefined
}

const STATUSES: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308])
/** Header fields that are for one origin only. */
const OWN_FIELDS = new Set(['authorization', 'cookie', 'host', 'proxy-authorization'])
/** Options of TLS that show who we are, or are about one server. */
const OWN_TLS = new Set([
  'cert',
  'key',
  'pfx',
  'passphrase',
  'secureContext',
  'clientCertEngine',
  'privateKeyEngine',
  'privateKeyIdentifier',
  'pskCallback',
  'servername',
  'session',
])

/** Does the failure of an attempt point somewhere else? */
export function isRedirect(error: unknown): error is HandshakeError {
  if (!(error instanceof HandshakeError) || error.code !== 'ERR_WS_UNEXPECTED_RESPONSE') return false
  return STATUSES.has(error.status) && error.headers.has('location')
}

/**
 * Whom the answer of `from` points to. Throws a `HandshakeError` with that answer if it is nowhere to go: not a URL of
 * WebSocket or HTTP, one with credentials, one without TLS from one with it, or another origin than that of a Unix socket; or if it cannot be
 * reached in the same way.
 */
export function redirected(from: Addressee, answer: HandshakeError, socketPath: string | undefined): Addressee {
  const uri = locationOf(from.uri, answer)
  if (from.tls?.socket !== undefined) throw refused(answer, 'would need another socket than the one in tls')
  // RFC 6454 4
  const { secure, host, port } = from.uri
  if (uri.secure === secure && uri.host === host && uri.port === port) {
    return { ...from, uri: { ...uri, userinfo: from.uri.userinfo } }
  }
  if (secure && !uri.secure) throw refused(answer, 'leads from wss: to ws:')
  if (socketPath !== undefined) throw refused(answer, 'leads from a Unix socket to another origin')
  const headers = from.headers.filter(([name]) => !OWN_FIELDS.has(name.toLowerCase()))
  const tls = Object.fromEntries(Object.entries(from.tls ?? {}).filter(([name]) => !OWN_TLS.has(name)))
  return { uri, headers, tls }
}

/** The error for one redirect too many. */
export function tooManyRedirects(answer: HandshakeError, redirects: number): HandshakeError {
  return refusal('ERR_WS_TOO_MANY_REDIRECTS', `The server redirects more than ${redirects} times`, answer)
}

/** RFC 9110 10.2.2: relative to where the request went. A fragment is nothing that could be asked for. */
function locationOf(from: ParsedUri, answer: HandshakeError): ParsedUri {
  const location = answer.headers.get('location')
  const base = formatUri(from)
  if (location === undefined || !URL.canParse(location, base)) throw refused(answer, 'has no URL in Location')
  const url = toWebSocketUrl(new URL(location, base))
  url.hash = ''
  // RFC 9110 4.2.4: credentials in a URL from somebody else are there to deceive.
  if (url.username !== '' || url.password !== '') throw refused(answer, 'has credentials in Location')
  try {
    return parseUri(url)
  } catch {
    throw refused(answer, 'leads to what is neither ws: nor wss:')
  }
}

function refused(answer: HandshakeError, why: string): HandshakeError {
  return refusal('ERR_WS_BAD_REDIRECT', `The redirect is not followed: it ${why}`, answer)
}

function refusal(code: string, message: string, cause: HandshakeError): HandshakeError {
  const { status, headers, body } = cause
  const options = { cause, status, headers, ...(body === undefined ? {} : { body }) }
  return new HandshakeError(code, message, { section: 'RFC 9110 15.4', ...options })
}

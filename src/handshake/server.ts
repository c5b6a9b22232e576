/**
 * The server's side of the opening handshake: may this request become a WebSocket connection (RFC 6455 4.2)?
 *
 * `acceptRequest` answers with an `Acceptance` or a `Rejection`; `answer.ts` writes either. The request is checked in full
 * before anything is chosen: every item of 4.2.1, and that it has no body, whose bytes would be taken for frames or for
 * the next request (RFC 9110 7.8). A field that may stand there once and stands there twice has no valid value
 * (see `Fields.get`). The sentences of a rejection are fixed: what the peer sent is never sent back.
 *
 * | the request                                                     | answer                                      |
 * |-----------------------------------------------------------------|---------------------------------------------|
 * | has no Host, two, or an invalid one; a target that is no path   | 400                                         |
 * | has a body                                                      | 400                                         |
 * | has a method other than GET                                     | 405; 501 if HTTP knows none as long         |
 * | expects something                                               | 417                                         |
 * | does not ask for `websocket`, or asks in HTTP/1.0               | 426 with Upgrade and the version            |
 * | has an Upgrade that is no list, or does not name it in Connection | 400                                       |
 * | has a version other than `13`                                   | 426 with Upgrade and the version            |
 * | has a Key that is not base64 of 16 bytes                        | 400                                         |
 * | has an Origin that is refused, or two                           | 403                                         |
 * | has malformed extensions or subprotocols                        | 400                                         |
 */

import { HandshakeError, invalidType } from '../errors.ts'
import type { ExtensionOffer } from './extensions.ts'
import { parseExtensions } from './extensions.ts'
import type { Fields } from './fields.ts'
import { describe, includesIgnoringCase, isKey, parseTokens, parseUpgrade } from './grammar.ts'
import type { RequestHead } from './decode.ts'
import { acceptKey } from './key.ts'
import type { OriginPolicy } from './origin.ts'
import { isOriginAllowed } from './origin.ts'
import type { ProtocolPolicy } from './subprotocol.ts'
import { chooseProtocol, parseProtocols } from './subprotocol.ts'
import { parseAuthority, parseTarget } from './uri.ts'

/** The only version of the protocol that is spoken (RFC 6455 4.1). */
export const WEBSOCKET_VERSION = '13'

/** What a server lets in, and what it chooses of the client's offers. */
export interface AcceptOptions {
  /** Whether the request came over TLS; default `false`. */
  readonly secure?: boolean | undefined
  /** Default: the host that the request came to. */
  readonly origins?: OriginPolicy
  /** Default: none is chosen. */
  readonly protocols?: ProtocolPolicy | undefined
  /** Chooses extensions from the offers, with the parameters to answer; default: none. Not asked if there are no offers. */
  readonly extensions?: ((offers: readonly ExtensionOffer[]) => readonly ExtensionOffer[]) | undefined
}

/** The request may become a WebSocket connection. */
export interface Acceptance {
  readonly accepted: true
  /** The value of `Sec-WebSocket-Accept`. */
  readonly accept: string
  /** Path and query. */
  readonly resourceName: string
  /** The host that the request came to, with its port if one was given. */
  readonly authority: string
  /** The subprotocol chosen. */
  readonly protocol: string | undefined
  readonly offeredProtocols: readonly string[]
  /** The extensions chosen, in the order in which they apply (RFC 6455 9.1). */
  readonly extensions: readonly ExtensionOffer[]
}

/** The request must be answered with an HTTP error, and the connection ended. */
export interface Rejection {
  readonly accepted: false
  readonly status: number
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: string
  readonly error: HandshakeError
}

/** Does a request ask for WebSocket at all? RFC 9110 7.8: an Upgrade in HTTP/1.0 is to be ignored. */
export function isUpgradeRequest(head: RequestHead): boolean {
  const upgrade = head.fields.get('upgrade')
  return head.version === '1.1' && upgrade !== undefined && includesIgnoringCase(parseUpgrade(upgrade), 'websocket')
}

/**
 * Judges a request.
 *
 * @throws TypeError if `protocols` or `extensions` chose what was not offered; whatever functions in `options` throw
 */
export function acceptRequest(head: RequestHead, options: AcceptOptions = {}): Acceptance | Rejection {
  try {
    return judge(head, options)
  } catch (error) {
    if (error instanceof HandshakeError) return rejectionOf(error)
    throw error
  }
}

/** How a request is answered whose handshake failed with `error`, be it here or while the head was read. */
export function rejectionOf(error: HandshakeError): Rejection {
  const status = error.status ?? 400
  return { accepted: false, status, headers: headersOf(status), body: `${error.message}\n`, error }
}

function judge(head: RequestHead, options: AcceptOptions): Acceptance {
  const { authority, resourceName } = checkMessage(head)
  checkUpgrade(head)
  const key = checkWebSocketFields(head.fields)

  // RFC 6455 4.2.2, 10.2: an unacceptable origin is answered with 403.
  if (!isOriginAllowed(head, options.origins, { authority, secure: options.secure === true })) {
    throw refusal(403, 'ERR_WS_ORIGIN_REFUSED', 'RFC 6455 10.2', 'Connections from this origin are not allowed.')
  }

  const offeredProtocols = parseIfPresent(head.fields.get('sec-websocket-protocol'), parseProtocols)
  const offers = parseIfPresent(head.fields.get('sec-websocket-extensions'), parseExtensions)
  return {
    accepted: true,
    accept: acceptKey(key),
    resourceName,
    authority,
    protocol: chooseProtocol(offeredProtocols, options.protocols, head),
    offeredProtocols,
    extensions: offers.length === 0 ? offers : chooseExtensions(offers, options.extensions),
  }
}

/** What must hold for any request that is served here: where it goes, and that it ends with its head. */
function checkMessage({ method, target, version, fields }: RequestHead): { authority: string; resourceName: string } {
  // RFC 9112 3.2: a missing, repeated or invalid Host is answered with 400, even where the target overrides it.
  const host = fields.get('host')
  if (host === undefined || parseAuthority(host) === undefined) {
    throw badRequest('RFC 9112 3.2', 'A request must have exactly one valid Host.')
  }
  // RFC 6455 4.2.1 item 1
  const parsed = parseTarget(target)
  if (parsed === undefined) {
    throw badRequest('RFC 6455 4.2.1', 'The request-target must be a path or an absolute http or https URI.')
  }
  // RFC 9110 7.8, RFC 9112 6.3: nobody is to read the bytes of a body as frames.
  const contentLength = fields.get('content-length')
  if (fields.has('transfer-encoding') || (contentLength !== undefined && contentLength !== '0')) {
    throw badRequest('RFC 9112 6', 'A handshake must not have a body.')
  }
  if (method !== 'GET') throw methodRefusal(method)
  // RFC 9110 7.8, 10.1.1: 100 would have to be sent before 101; in HTTP/1.0 there is no such thing.
  if (version === '1.1' && fields.has('expect')) {
    throw refusal(417, 'ERR_WS_EXPECTATION_FAILED', 'RFC 9110 10.1.1', 'A handshake must not have Expect.')
  }
  // RFC 9112 3.2.2: the absolute form overrides Host.
  return { authority: parsed.authority ?? host, resourceName: parsed.resourceName }
}

/** RFC 6455 4.2.1 items 1, 3 and 4. */
function checkUpgrade({ version, fields }: RequestHead): void {
  const upgrade = version === '1.1' ? fields.get('upgrade') : undefined
  if (upgrade === undefined) throw upgradeRequired()
  const connection = fields.get('connection') ?? ''
  // What nearly all clients write: nothing needs to be taken apart.
  if (upgrade === 'websocket' && connection === 'Upgrade') return
  const protocols = parseUpgrade(upgrade)
  if (protocols === undefined) throw badUpgrade('Upgrade must be a list of protocols.')
  if (!includesIgnoringCase(protocols, 'websocket')) throw upgradeRequired()
  // RFC 9110 7.8: whoever sends Upgrade names it in Connection. Without that the field may be left over from another hop.
  if (!includesIgnoringCase(parseTokens(connection), 'upgrade')) {
    throw badUpgrade('Connection must be a list of tokens with "Upgrade" in it.')
  }
}

/** RFC 6455 4.2.1 items 5 and 6; the version first, as it says what the other fields mean. Returns the key. */
function checkWebSocketFields(fields: Fields): string {
  // RFC 6455 4.2.2, 4.4
  if (fields.get('sec-websocket-version') !== WEBSOCKET_VERSION) {
    throw refusal(426, 'ERR_WS_BAD_VERSION', 'RFC 6455 4.4', 'Sec-WebSocket-Version must be 13.')
  }
  const key = fields.get('sec-websocket-key')
  if (key === undefined || !isKey(key)) {
    throw refusal(400, 'ERR_WS_BAD_KEY', 'RFC 6455 4.2.1', 'Sec-WebSocket-Key must be 16 bytes in base64.')
  }
  return key
}

function parseIfPresent<T>(value: string | undefined, parse: (value: string) => T[]): T[] {
  return value === undefined ? [] : parse(value)
}

function chooseExtensions(
  offers: readonly ExtensionOffer[],
  choose: AcceptOptions['extensions'],
): readonly ExtensionOffer[] {
  if (choose === undefined) return []
  const chosen = choose(offers)
  // RFC 6455 4.2.2, 9: nothing is answered that was not offered.
  for (const { name } of chosen) {
    if (!offers.some((offer) => offer.name === name)) {
      throw invalidType('ERR_WS_INVALID_EXTENSION', `The extension ${describe(name)} was not offered.`)
    }
  }
  return chosen
}

/** As long as the longest method that is registered, UPDATEREDIRECTREF (RFC 4437). */
const LONGEST_METHOD = 17

/** Header fields that the answer of a status needs (RFC 9110 15.5.6, 15.5.22; RFC 6455 4.4). */
const HEADERS_OF = new Map<number, Rejection['headers']>([
  [405, [['Allow', 'GET']]],
  [
    426,
    [
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Version', WEBSOCKET_VERSION],
    ],
  ],
])

function headersOf(status: number): Rejection['headers'] {
  return HEADERS_OF.get(status) ?? []
}

function refusal(status: number, code: string, section: string, message: string): HandshakeError {
  const headers = headersOf(status).map(([name, value]) => [name.toLowerCase(), value] as const)
  return new HandshakeError(code, message, { section, status, headers })
}

function badRequest(section: string, message: string): HandshakeError {
  return refusal(400, 'ERR_WS_BAD_REQUEST', section, message)
}

function badUpgrade(message: string): HandshakeError {
  return refusal(400, 'ERR_WS_BAD_UPGRADE', 'RFC 6455 4.2.1', message)
}

function upgradeRequired(): HandshakeError {
  const message = 'This is a WebSocket server: send an opening handshake in HTTP/1.1.'
  return refusal(426, 'ERR_WS_UPGRADE_REQUIRED', 'RFC 6455 4.2.1', message)
}

function methodRefusal(method: string): HandshakeError {
  // RFC 9112 3: a method longer than any that is known is answered with 501.
  return method.length > LONGEST_METHOD
    ? refusal(501, 'ERR_WS_METHOD_NOT_IMPLEMENTED', 'RFC 9112 3', 'The method is not implemented: use GET.')
    : refusal(405, 'ERR_WS_METHOD_NOT_ALLOWED', 'RFC 6455 4.2.1', 'A handshake must use the method GET.')
}

/**
 * `Sec-WebSocket-Protocol` (RFC 6455 1.9, 4.1, 4.2.2): the client offers subprotocols in its order of preference, the server
 * chooses one of them or none.
 */

import { HandshakeError, invalidType } from '../errors.ts'
import { describe, isToken, parseTokens } from './grammar.ts'
import type { RequestHead } from './decode.ts'

/**
 * Which subprotocol a server speaks: a list in its own order of preference, or a function that returns one of the offers,
 * or `undefined` for none. The function is not asked when nothing is offered.
 */
export type ProtocolPolicy =
  | readonly string[]
  | ((offers: readonly string[], request: RequestHead) => string | undefined)

/**
 * The subprotocols of a field value, in order.
 *
 * @throws HandshakeError `ERR_WS_BAD_PROTOCOL`, status 400, unless they are tokens, at least one, each named once
 */
export function parseProtocols(value: string): string[] {
  const protocols = parseTokens(value)
  if (protocols !== undefined && areUnique(protocols)) return protocols
  throw new HandshakeError('ERR_WS_BAD_PROTOCOL', 'Sec-WebSocket-Protocol must be a list of different tokens.', {
    section: 'RFC 6455 4.1',
    status: 400,
  })
}

/**
 * One of the offers, or `undefined` (RFC 6455 4.2.2). Without a policy none is chosen.
 *
 * @throws TypeError `ERR_WS_INVALID_PROTOCOL` if a function chose what was not offered
 */
export function chooseProtocol(
  offers: readonly string[],
  policy: ProtocolPolicy | undefined,
  request: RequestHead,
): string | undefined {
  if (policy === undefined || offers.length === 0) return undefined
  // The server's own string is returned, not the equal one that would hold on to the text of the head.
  if (typeof policy !== 'function') return policy.find((protocol) => offers.includes(protocol))
  return checkChoice(policy(offers, request), offers)
}

/** `protocol` itself; @throws TypeError `ERR_WS_INVALID_PROTOCOL` if it is neither `undefined` nor among the offers */
export function checkChoice(protocol: string | undefined, offers: readonly string[]): string | undefined {
  if (protocol === undefined || offers.includes(protocol)) return protocol
  throw invalidProtocol(`The subprotocol ${describe(protocol)} was not offered: choose one of the offers or none.`)
}

/** @throws TypeError `ERR_WS_INVALID_PROTOCOL` unless a client may offer these: tokens, each named once (RFC 6455 4.1) */
export function checkOffers(protocols: readonly string[]): void {
  for (const protocol of protocols) {
    if (typeof protocol !== 'string' || !isToken(protocol)) {
      throw invalidProtocol(`A subprotocol must be an HTTP token, not ${describe(protocol)}.`)
    }
  }
  if (!areUnique(protocols)) throw invalidProtocol('Each subprotocol may be offered once.')
}

function invalidProtocol(message: string): TypeError {
  return invalidType('ERR_WS_INVALID_PROTOCOL', message)
}

/** Sorted, equal names are neighbours: no hash is involved that names from the wire could be made to collide in. */
function areUnique(names: readonly string[]): boolean {
  const sorted = names.toSorted()
  return sorted.every((name, index) => index === 0 || name !== sorted[index - 1])
}

/**
 * The opening handshake's request as `upgrade` sees it. Nothing is parsed before it is asked for, and nothing that the
 * peer wrote becomes a property of an object.
 */
import { parseExtensions, parseProtocols } from '../handshake/index.ts'
import type { ExtensionOffer, Fields, RequestHead } from '../handshake/index.ts'
import type { Peer } from './peer.ts'

/** A request for an upgrade, whose handshake is in order. */
export class UpgradeRequest {
  /** `GET`: nothing else gets here (RFC 6455 4.1). */
  readonly method: string
  /** The request-target as it was sent. */
  readonly target: string
  /** The path of the resource name, undecoded. */
  readonly path: string
  /** The header fields. */
  readonly headers: Fields
  /** Whether the transport is TLS. */
  readonly secure: boolean
  readonly #search: string
  readonly #peer: Pick<Peer, 'address'>

  /** @internal */
  constructor(head: RequestHead, resourceName: string, peer: Pick<Peer, 'address'>, secure: boolean) {
    const question = resourceName.indexOf('?')
    this.method = head.method
    this.target = head.target
    this.path = question < 0 ? resourceName : resourceName.slice(0, question)
    this.#search = question < 0 ? '' : resourceName.slice(question)
    this.headers = head.fields
    this.#peer = peer
    this.secure = secure
  }

  /** The address of the peer; empty where the transport has none, as on a Unix socket. */
  get remoteAddress(): string {
    return this.#peer.address
  }

  /** What stands behind `?` in the request-target, decoded; made anew each time. */
  get query(): URLSearchParams {
    return new URLSearchParams(this.#search)
  }

  /** By name; of several cookies of one name the first, which browsers send for the more specific path (RFC 6265 5.4). */
  get cookies(): ReadonlyMap<string, string> {
    return parseCookies(this.headers.getAll('cookie').join('; '))
  }

  /** The subprotocols offered, in the client's order of preference. */
  get protocols(): readonly string[] {
    return parseIfValid(this.headers.get('sec-websocket-protocol'), parseProtocols)
  }

  /** The extensions offered, in the client's order of preference. */
  get extensions(): readonly ExtensionOffer[] {
    return parseIfValid(this.headers.get('sec-websocket-extensions'), parseExtensions)
  }

  /** Where the page that connects came from (RFC 6454); `undefined` when the client is no browser. */
  get origin(): string | undefined {
    return this.headers.get('origin')
  }
}

/** What is malformed offers nothing: the handshake is refused for it already, and whoever logs that needs no second error. */
function parseIfValid<T>(value: string | undefined, parse: (value: string) => readonly T[]): readonly T[] {
  if (value === undefined) return []
  try {
    return parse(value)
  } catch {
    return []
  }
}

/** Lenient, as cookies need not follow any grammar: what has no name is passed over. */
function parseCookies(text: string): Map<string, string> {
  const cookies = new Map<string, string>()
  for (let start = 0; start < text.length;) {
    let end = text.indexOf(';', start)
    if (end < 0) end = text.length
    const equals = text.indexOf('=', start)
    if (equals > start && equals < end) {
      const name = text.slice(start, equals)
      if (!cookies.has(name)) cookies.set(name, text.slice(equals + 1, end))
    }
    start = end + 1
    while (text[start] === ' ') start++
  }
  return cookies
}

/**
 * The client's opening handshake (RFC 6455 4.1): a transport, a request on it, an answer that is checked in full, and
 * then a `Connection`. One deadline spans it all, and an `AbortSignal` ends it at any point. Where the answer points
 * somewhere else and the user allows it, the same begins anew there.
 */
import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { checkTime, connectionSettings } from '../connection/index.ts'
import type { ConnectionHandler, ConnectionOptions, ConnectionSettings } from '../connection/index.ts'
import { createOffers } from '../deflate/index.ts'
import { createKey, createRequest, formatUri, parseUri } from '../handshake/index.ts'
import type { FieldsInit } from '../handshake/index.ts'
import { isHandshakeField } from '../handshake/answer.ts'
import { fieldEntries } from '../handshake/fields.ts'
import { attempt, exchange, serverAt } from './attempt.ts'
import { ClientConnection } from './connection.ts'
import { checkOptions } from './options.ts'
import { proxyFor } from './proxy.ts'
import type { Proxy, ProxyOptions } from './proxy.ts'
import { isRedirect, redirected, tooManyRedirects } from './redirect.ts'
import type { Addressee } from './redirect.ts'
import { ResponseReader } from './response.ts'
import { reach } from './transport.ts'
import type { WayOptions } from './transport.ts'
import { takeTurn } from './turns.ts'

/** Options of a client, and the functions of its handler. */
export interface ConnectOptions<Data = undefined>
  extends ConnectionOptions, ConnectionHandler<ClientConnection<Data>>, WayOptions {
  /** What `ws.data` will be. */
  readonly data?: Data
  /** Further header fields of the request, such as `origin`, `cookie` or `authorization`. */
  readonly headers?: FieldsInit
  /** Subprotocols to offer, in order of preference. */
  readonly protocols?: readonly string[]
  /** Ends the attempt; a connection that is open it does not touch. */
  readonly signal?: AbortSignal
  /** Milliseconds from the first try to reach the host, or its proxy, to the server's answer; anew for a redirect. 10 s. */
  readonly handshakeTimeout?: number
  /** For `wss:`. Certificates are verified unless `rejectUnauthorized` is exactly `false`. */
  readonly tls?: TlsConnectionOptions
  /**
   * An HTTP proxy that is asked for a tunnel; `'environment'` for the one that `https_proxy` (`wss:`), `http_proxy` (`ws:`) or
   * `all_proxy` names, with the exceptions in `no_proxy`. None, unless given.
   */
  readonly proxy?: 'environment' | (string & {}) | URL | ProxyOptions
  /** How many redirects are followed, at most 20. 0. */
  readonly redirects?: number
  /** `false` lets several attempts to one host and port run at once, which RFC 6455 4.1 forbids. */
  readonly oneAtATime?: boolean
}

const HANDSHAKE_TIMEOUT = 10_000

/**
 * Opens a connection to a `ws:` or `wss:` URI. Without a `message` function among the options, messages are for
 * `for await`.
 *
 * Throws a `TypeError` or `RangeError` for wrong arguments. Rejects with a `HandshakeError` when no connection comes
 * about: with `status`, `headers` and `body` when the server, or the proxy, answered something else, with `cause` when it
 * could not be reached; or with the reason of `signal`.
 */
export function connect<Data = undefined>(
  uri: string | URL,
  options: ConnectOptions<Data> = {},
): Promise<ClientConnection<Data>> {
  const { first, settings } = prepare(uri, options)
  return follow(first, settings, options)
}

let latest = connectionSettings('client', {})

/**
 * What `options` ask for: the same object as the last time when they ask for the same. Ten thousand clients, each of which was
 * given its options, need one; the clock that they share would have ten thousand of them to look at.
 */
function settingsFor(options: ConnectionOptions): ConnectionSettings {
  const settings = connectionSettings('client', options)
  const { receivers, counts } = latest
  if (!isDeepStrictEqual({ ...settings, receivers, counts }, latest)) latest = settings
  return latest
}

/** A server to ask, what it is asked, and who reads the answer. */
interface Hop extends Addressee {
  readonly proxy: Proxy | undefined
  readonly request: string
  readonly reader: ResponseReader
}

/** Everything that can be wrong before anybody is reached. Throws a `TypeError` or `RangeError` if it is. */
export function prepare<Data>(
  uri: string | URL,
  options: ConnectOptions<Data>,
): { readonly first: Hop; readonly settings: ConnectionSettings } {
  const parsed = parseUri(uri)
  checkOptions(options)
  checkTime('handshakeTimeout', options.handshakeTimeout ?? HANDSHAKE_TIMEOUT)
  const settings = settingsFor(options)
  const headers = fieldEntries(options.headers, isHandshakeField)
  return { first: createHop({ uri: parsed, headers, tls: options.tls }, settings, options), settings }
}

function createHop(
  to: Addressee,
  settings: ConnectionSettings,
  { protocols = [], proxy }: Pick<ConnectOptions, 'protocols' | 'proxy'>,
): Hop {
  const { uri, headers } = to
  const key = createKey()
  const extensions = settings.deflate === undefined ? [] : createOffers(settings.deflate)
  return {
    ...to,
    proxy: proxyFor(uri, proxy),
    request: createRequest({ uri, key, protocols, extensions, headers }),
    reader: new ResponseReader({ key, protocols, extensions: extensions.map(({ name }) => name) }),
  }
}

async function follow<Data>(
  first: Hop,
  settings: ConnectionSettings,
  options: ConnectOptions<Data>,
): Promise<ClientConnection<Data>> {
  const { redirects = 0, socketPath } = options
  let hop = first
  for (let left = redirects; ; left--) {
    try {
      return await open(hop, settings, options)
    } catch (error) {
      if (redirects === 0 || !isRedirect(error)) throw error
      if (left === 0) throw tooManyRedirects(error, redirects)
      hop = createHop(redirected(hop, error, socketPath), settings, options)
    }
  }
}

async function open<Data>(
  hop: Hop,
  settings: ConnectionSettings,
  options: ConnectOptions<Data>,
): Promise<ClientConnection<Data>> {
  const { signal, socketPath, oneAtATime = true, handshakeTimeout = HANDSHAKE_TIMEOUT } = options
  signal?.throwIfAborted()
  const { uri, request, reader } = hop
  const endTurn = oneAtATime ? await takeTurn(socketPath ?? `${uri.host} ${uri.port}`, signal) : undefined
  try {
    // Nobody listened to it between the end of the wait and here.
    signal?.throwIfAborted()
    return await attempt(handshakeTimeout, signal, async (current) => {
      const way = reach(hop, options, current)
      const transport = way instanceof Promise ? await way : way
      const { rest, ...agreement } = await exchange(transport, request, reader, serverAt(uri), current.limit)
      const url = formatUri(uri)
      const connection = new ClientConnection<Data>(
        transport.stream,
        settings,
        options,
        options.data as Data,
        agreement,
        url,
      )
      connection.start('', rest)
      return connection
    })
  } finally {
    endTurn?.()
  }
}

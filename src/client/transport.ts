/**
 * The way to a server, up to where its opening handshake can begin: straight to it, through a tunnel that a proxy opens, or
 * over a stream that the user brings. Whichever it is, `wss:` is TLS with the server itself, verified and with its name
 * (RFC 6455 4.1); inside a tunnel of TLS that makes two layers of it.
 */
import { connect as connectTcp, isIP } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls'
import type { ParsedUri } from '../handshake/index.ts'
import { orAborted } from './abort.ts'
import { discard, exchange, ignore, serverAt } from './attempt.ts'
import type { Attempt, Transport } from './attempt.ts'
import { invalidOption, networkOptions } from './options.ts'
import type { NetworkOptions } from './options.ts'
import { TunnelReader } from './proxy.ts'
import type { Proxy } from './proxy.ts'

/** Where a stream that `createConnection` makes has to lead. */
export interface StreamTarget {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
  /** Whether TLS is going to be spoken over the stream. */
  readonly secure: boolean
  /** Aborts when the stream is no longer wanted. */
  readonly signal: AbortSignal
}

export interface WayOptions extends NetworkOptions {
  /**
   * Makes the stream to the server, instead of ours: a tunnel through SSH or SOCKS, or a pipe in memory. For `wss:` TLS
   * comes on top of it.
   */
  readonly createConnection?: (target: StreamTarget) => Duplex | Promise<Duplex>
  /** The path of a Unix socket to connect to; the URI then only tells Host and resource name. */
  readonly socketPath?: string
}

export interface Destination {
  readonly uri: ParsedUri
  readonly tls: TlsConnectionOptions | undefined
  readonly proxy: Proxy | undefined
}

/**
 * A transport to the server, which may be on its way still, among the streams of the attempt. It may also fail at once, so
 * whoever is given it without a promise has to listen without waiting for one.
 */
export function reach(destination: Destination, options: WayOptions, attempt: Attempt): Transport | Promise<Transport> {
  const { uri, tls, proxy } = destination
  const { createConnection, socketPath } = options
  const over = (below: Duplex): Transport => secured(below, destination, attempt)
  if (createConnection !== undefined) return created(uri, createConnection, attempt).then(over)
  if (proxy !== undefined) return tunnel(proxy, options, attempt).then(over)
  // A path comes before host and port; the host is then still what a certificate has to be for.
  return dial(
    uri,
    tls,
    { ...networkOptions(options), ...(socketPath === undefined ? {} : { path: socketPath }) },
    attempt,
  )
}

/** To a server or to a proxy, with TLS or without. */
function dial(
  { secure, host, port }: Pick<ParsedUri, 'secure' | 'host' | 'port'>,
  tls: TlsConnectionOptions | undefined,
  how: NetworkOptions & { readonly path?: string },
  { streams }: Attempt,
): Transport {
  const where = { ...how, host, port, allowHalfOpen: true }
  const socket = secure ? connectTls({ ...verified(host, tls), ...where }) : connectTcp(where)
  streams.push(socket.setNoDelay(true))
  return { stream: socket, connected: secure ? 'secureConnect' : 'connect' }
}

/** Options for TLS with `host`. SNI holds names, not addresses (RFC 6066 3). */
function verified(host: string, tls: TlsConnectionOptions | undefined): TlsConnectionOptions {
  const servername = tls?.servername ?? (isIP(host) === 0 ? host : '')
  return { ...tls, host, servername, rejectUnauthorized: tls?.rejectUnauthorized !== false }
}

/** A tunnel to the server (RFC 6455 4.1; RFC 9110 9.3.6). */
async function tunnel(proxy: Proxy, options: NetworkOptions, attempt: Attempt): Promise<Duplex> {
  const transport = dial(proxy, proxy.tls, networkOptions(options), attempt)
  const { request, party } = proxy
  const { rest } = await exchange(transport, request, new TunnelReader(), party, attempt.limit)
  // The server has spoken already, and shall be heard.
  if (rest.length > 0) transport.stream.unshift(rest)
  return transport.stream
}

/** A stream of the user's own; one that comes too late is not wanted any more. */
async function created(
  uri: ParsedUri,
  createConnection: NonNullable<WayOptions['createConnection']>,
  { limit, streams }: Attempt,
): Promise<Duplex> {
  const { host, port, secure } = uri
  // As a step of a promise, so that nothing that the stream says can come before somebody listens to it.
  const making = Promise.resolve().then(() => createConnection({ host, port, secure, signal: limit }))
  let stream: unknown
  try {
    stream = await orAborted(making, limit)
  } catch (error) {
    making.then((late: unknown) => void (late instanceof Duplex && discard(late)), ignore)
    limit.throwIfAborted()
    throw serverAt(uri).unreachable(error)
  }
  if (!(stream instanceof Duplex)) throw invalidOption('createConnection must return a Duplex, or a promise of one')
  streams.push(stream)
  return stream
}

/** What is spoken over `below`: TLS for `wss:`, nothing more for `ws:`. */
function secured(below: Duplex, { uri, tls }: Destination, { streams }: Attempt): Transport {
  // What has ended cannot be built upon, and whoever tries hears so.
  if (!uri.secure || below.destroyed) return { stream: below }
  // TLS tells of them, too.
  below.on('error', ignore)
  const socket = connectTls({ ...verified(uri.host, tls), socket: below })
  streams.push(socket)
  return { stream: socket, connected: 'secureConnect' }
}

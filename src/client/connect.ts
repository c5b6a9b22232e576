/**
 * The client's opening handshake (RFC 6455 4.1): a transport, a request on it, an answer that is checked in full, and
 * then a `Connection`. One deadline spans it all, and an `AbortSignal` ends it at any point.
 */
import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls'
import { Connection, Deferred, checkTime, connectionSettings } from '../connection/index.ts'
import type { ConnectionHandler, ConnectionOptions, ConnectionSettings } from '../connection/index.ts'
import { createOffers } from '../deflate/index.ts'
import { HandshakeError } from '../errors.ts'
import { createKey, createRequest, parseUri } from '../handshake/index.ts'
import type { FieldsInit, ParsedUri } from '../handshake/index.ts'
import { checkOptions } from './options.ts'
import { ResponseReader } from './response.ts'
import type { Opened } from './response.ts'
import { takeTurn } from './turns.ts'

/** Options of a client, and the functions of its handler. */
export interface ConnectOptions<Data = undefined> extends ConnectionOptions, ConnectionHandler<Connection<Data>> {
  /** What `ws.data` will be. */
  readonly data?: Data
  /** Further header fields of the request, such as `origin`, `cookie` or `authorization`. */
  readonly headers?: FieldsInit
  /** Subprotocols to offer, in order of preference. */
  readonly protocols?: readonly string[]
  /** Ends the attempt; a connection that is open it does not touch. */
  readonly signal?: AbortSignal
  /** Milliseconds from the first try to reach the host to the server's answer. 10 s. */
  readonly handshakeTimeout?: number
  /** For `wss:`. Certificates are verified unless `rejectUnauthorized` is exactly `false`. */
  readonly tls?: TlsConnectionOptions
  /** The path of a Unix socket to connect to; the URI then only tells Host and resource name. */
  readonly socketPath?: string
  /** `false` lets several attempts to one host and port run at once, which RFC 6455 4.1 forbids. */
  readonly oneAtATime?: boolean
}

const HANDSHAKE_TIMEOUT = 10_000

/**
 * Opens a connection to a `ws:` or `wss:` URI. Without a `message` function among the options, messages are for
 * `for await`.
 *
 * Throws a `TypeError` or `RangeError` for wrong arguments. Rejects with a `HandshakeError` when no connection comes
 * about: with `status`, `headers` and `body` when the server answered something else, with `cause` when it could not be
 * reached; or with the reason of `signal`.
 */
export function connect<Data = undefined>(
  uri: string | URL,
  options: ConnectOptions<Data> = {},
): Promise<Connection<Data>> {
  const parsed = parseUri(uri)
  checkOptions(options)
  const timeout = checkTime('handshakeTimeout', options.handshakeTimeout ?? HANDSHAKE_TIMEOUT)
  const settings = connectionSettings('client', options)
  const { protocols = [], headers } = options
  const key = createKey()
  const extensions = settings.deflate === undefined ? [] : createOffers(settings.deflate)
  const request = createRequest({ uri: parsed, key, protocols, extensions, headers })
  const reader = new ResponseReader({ key, protocols, extensions: extensions.map(({ name }) => name) })
  const attempt = { uri: parsed, request, reader, timeout }
  return open(attempt, settings, options)
}

interface Attempt {
  readonly uri: ParsedUri
  readonly request: string
  readonly reader: ResponseReader
  readonly timeout: number
}

async function open<Data>(
  attempt: Attempt,
  settings: ConnectionSettings,
  options: ConnectOptions<Data>,
): Promise<Connection<Data>> {
  const { signal, socketPath, oneAtATime = true } = options
  signal?.throwIfAborted()
  const { host, port } = attempt.uri
  const endTurn = oneAtATime ? await takeTurn(socketPath ?? `${host} ${port}`, signal) : undefined
  try {
    // Nobody listened to it between the end of the wait and here.
    signal?.throwIfAborted()
    const socket = reach(attempt.uri, options)
    const { rest, protocol = '', extensions } = await shakeHands(socket, attempt, signal)
    const connection = new Connection<Data>(socket, settings, options, options.data as Data, protocol, extensions)
    connection.start('', rest)
    return connection
  } finally {
    endTurn?.()
  }
}

/** A transport on its way; `wss:` is TLS, verified and with the server's name (4.1). */
function reach(
  { secure, host, port }: ParsedUri,
  { tls, socketPath }: Pick<ConnectOptions, 'tls' | 'socketPath'>,
): Socket {
  // A path comes before host and port; the host is then still what a certificate has to be for.
  const where = { host, port, ...(socketPath === undefined ? {} : { path: socketPath }), allowHalfOpen: true }
  if (!secure) return connectTcp(where).setNoDelay(true)
  // SNI holds names, not addresses (RFC 6066 3).
  const servername = tls?.servername ?? (isIP(host) === 0 ? host : '')
  const rejectUnauthorized = tls?.rejectUnauthorized !== false
  return connectTls({ ...tls, ...where, servername, rejectUnauthorized }).setNoDelay(true)
}

/** The request and its answer. The socket is paused when it succeeds, and destroyed when it fails. */
async function shakeHands(socket: Socket, attempt: Attempt, signal: AbortSignal | undefined): Promise<Opened> {
  const { uri, request, reader, timeout } = attempt
  const answer = new Deferred<Opened>()
  const onConnect = (): void => {
    socket.write(request, 'latin1')
  }
  const onData = (chunk: Buffer): void => {
    try {
      const opened = reader.take(chunk)
      if (opened === undefined) return
      // At once: what comes next is for the connection.
      socket.pause()
      answer.resolve(opened)
    } catch (error) {
      answer.reject(error)
    }
  }
  const onEnd = (): void => {
    socket.end()
  }
  const onClose = (): void => answer.reject(reader.failure(noAnswer()))
  const onError = (cause: Error): void => answer.reject(reader.failure(unreachable(uri, cause)))
  const onAbort = (): void => answer.reject(signal?.reason)
  const onTimeout = (): void => answer.reject(reader.failure(timedOut(timeout)))
  const connected = uri.secure ? 'secureConnect' : 'connect'
  const timer = setTimeout(onTimeout, timeout)
  socket.on(connected, onConnect).on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError)
  signal?.addEventListener('abort', onAbort)
  try {
    return await answer.promise
  } catch (error) {
    // It may still have something to say about its own end.
    socket.on('error', ignore).destroy()
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    socket.off(connected, onConnect).off('data', onData).off('end', onEnd).off('close', onClose).off('error', onError)
  }
}

function ignore(): void {}

/** The text of the cause is not repeated: a certificate may have written it. */
function unreachable({ authority, secure }: ParsedUri, cause: Error): HandshakeError {
  const why = 'code' in cause ? String(cause.code) : cause.name
  const message = `Cannot connect to ${secure ? 'wss' : 'ws'}://${authority}: ${why}; the cause of this error tells more`
  return new HandshakeError('ERR_WS_CONNECT_FAILED', message, { cause, section: 'RFC 6455 4.1' })
}

function noAnswer(): HandshakeError {
  return new HandshakeError('ERR_WS_NO_RESPONSE', 'The server ended the connection without answering the handshake')
}

function timedOut(timeout: number): HandshakeError {
  return new HandshakeError('ERR_WS_HANDSHAKE_TIMEOUT', `The opening handshake took longer than ${timeout} ms`)
}

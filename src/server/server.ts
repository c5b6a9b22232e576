/**
 * A WebSocket server on raw TCP, TLS or a Unix socket: `serve`.
 *
 * Each transport becomes an `Opening`; one that turns out to want something else than WebSocket goes to the HTTP server
 * of the `http` option, with every byte that was read from it.
 */
import { Server as HttpServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { Server as NetServer, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import type { TLSSocket, TlsOptions } from 'node:tls'
import {
  Deferred,
  checkCallbacks,
  checkCount,
  checkNames,
  checkTime,
  connectionSettings,
  createCounts,
} from '../connection/index.ts'
import type { Clock, MessageData, SendOptions, Tap, TapOptions } from '../connection/index.ts'
import { invalidType } from '../errors.ts'
import { HeadReader } from '../handshake/index.ts'
import type { HeadLimits } from '../handshake/index.ts'
import type { ServerConnection } from './connection.ts'
import {
  HANDLER_CALLBACKS,
  HANDLER_NAMES,
  HANDSHAKE_TIMEOUT,
  MAX_PENDING_HANDSHAKES,
  WebSocketHandler,
  shutdownOptions,
  tellHandshakeError,
} from './handler.ts'
import type { HandlerOptions, ShutdownOptions } from './handler.ts'
import { HttpSide } from './http.ts'
import { Opening, closeOf } from './opening.ts'
import { Openings } from './openings.ts'
import type { UpgradeRequest } from './request.ts'
import { Refusals, statsOf } from './stats.ts'
import type { ServerStats } from './stats.ts'

/** Where a server listens, and how. */
export interface ListenOptions {
  /** TCP port; 0 for one that is free. */
  readonly port?: number
  /** The address to listen on; default: all. */
  readonly host?: string
  /** The path of a Unix socket, instead of a port. */
  readonly socketPath?: string
  /** How many connections may wait for the system to be accepted; as `net.Server.listen` has it. */
  readonly backlog?: number
  /** Shuts the server down when it aborts. */
  readonly signal?: AbortSignal
  /** Makes it `wss:`. */
  readonly tls?: TlsOptions
  /**
   * An HTTP server, not listening itself, that takes every connection on which no upgrade to WebSocket is asked for. It
   * is closed when this server is shut down.
   */
  readonly http?: HttpServer
  /** Limits of a request head. 16 KiB in all, 8 KiB for a line, 100 fields. */
  readonly headLimits?: Partial<HeadLimits>
}

/** A server with one handler, whose functions and options stand among those of the server. */
export interface ServeOptions<Data = unknown> extends ListenOptions, HandlerOptions<Data> {
  /** A server has either one handler or routes. */
  readonly routes?: undefined
}

/** A server with a handler for each path; limits on connections are the handlers'. */
export interface RoutedServeOptions
  extends ListenOptions, Pick<HandlerOptions, 'handshakeTimeout' | 'maxPendingHandshakes'> {
  /** Handlers, as `createHandler` makes them, by the path that they serve. */
  readonly routes: Readonly<Record<string, WebSocketHandler>>
  /** Told of every handshake that did not succeed, unless the handler of its path has a function for that. */
  handshakeError?(error: Error, request: UpgradeRequest | undefined): unknown
}

type Options = ListenOptions & Pick<HandlerOptions, 'handshakeTimeout' | 'maxPendingHandshakes' | 'handshakeError'>

/** A server that listens. (It is an `OpeningOwner` and an `HttpSideOwner` too, which is nobody's business outside this folder.) */
export class WebSocketServer<Data = unknown> {
  /** @internal */
  readonly clock: Clock
  /** @internal */
  readonly openings: Openings
  /** @internal */
  readonly handshakeTimeout: number
  /** @internal */
  readonly limits: Partial<HeadLimits> | undefined
  /** @internal */
  readonly handOver: ((socket: Duplex, bytes: Buffer) => void) | undefined
  readonly #options: Options
  /** By path; a handler under `undefined` has its own idea of which paths it serves. */
  readonly #routes: ReadonlyMap<string | undefined, WebSocketHandler<Data>>
  readonly #listener: NetServer
  readonly #refusals = new Refusals()
  readonly #begun = performance.now()
  /** Openings whose TLS is being set up, by the ends of their connection. */
  readonly #securing = new Map<string, Opening>()
  /** Transports that are in other hands: those of the HTTP server, or of TLS. */
  readonly #lent = new Set<Duplex>()
  readonly #http: HttpSide | undefined
  readonly #onAbort = (): void => void this.shutdown()
  #url = ''
  #ending: Promise<void> | undefined = undefined

  /** @internal */
  constructor(options: Options, routes: ReadonlyMap<string | undefined, WebSocketHandler<Data>>) {
    const { http, tls } = options
    checkCallbacks(options, ...HANDLER_CALLBACKS)
    if (http !== undefined && !(http instanceof HttpServer)) {
      throw invalidType('ERR_WS_INVALID_OPTION', 'http takes a server of node:http; together with tls it serves https')
    }
    this.#options = options
    this.#routes = routes
    this.handshakeTimeout = checkTime('handshakeTimeout', options.handshakeTimeout ?? HANDSHAKE_TIMEOUT)
    const most = checkCount('maxPendingHandshakes', options.maxPendingHandshakes ?? MAX_PENDING_HANDSHAKES, 0)
    this.clock = connectionSettings('server', {}, this.handshakeTimeout).clock
    this.openings = new Openings(this.clock, most)
    this.limits = options.headLimits
    // Throws for limits that are none, before anything listens.
    void new HeadReader('request', this.limits)
    this.#listener = tls === undefined ? this.#listenerForTcp() : this.#listenerForTls(tls)
    const side = http === undefined ? undefined : new HttpSide(http, this)
    this.#http = side
    this.handOver = side === undefined ? undefined : (socket, bytes) => this.#handOver(side, socket, bytes)
  }

  /** Where clients connect to, such as `ws://localhost:8080`. */
  get url(): string {
    return this.#url
  }

  /** The TCP port that is listened on; `undefined` for a Unix socket. */
  get port(): number | undefined {
    const address = this.#listener.address()
    return typeof address === 'object' && address !== null ? address.port : undefined
  }

  /** Those who are connected now, whichever path they came to. */
  get connections(): ReadonlySet<ServerConnection<Data>> {
    const handlers = [...this.#handlers]
    if (handlers.length === 1) return handlers[0].connections
    const all = new Set<ServerConnection<Data>>()
    for (const handler of handlers) {
      for (const connection of handler.connections) all.add(connection)
    }
    return all
  }

  /** Sends a message to all subscribers of `topic`, encoded once; answers to how many. */
  publish(topic: string, data: MessageData, options?: SendOptions): number {
    return this.#sum((handler) => handler.publish(topic, data, options))
  }

  /** Sends a message to all connections, encoded once; answers to how many. */
  broadcast(data: MessageData, options?: SendOptions): number {
    return this.#sum((handler) => handler.broadcast(data, options))
  }

  /** How many have subscribed to `topic`. */
  subscriberCount(topic: string): number {
    return this.#sum((handler) => handler.subscriberCount(topic))
  }

  /**
   * As `tap` of each connection that there is and that there will be, whichever path it comes to; answers a function that
   * removes it again.
   */
  tap(tap: Tap<ServerConnection<Data>>, options?: TapOptions): () => void {
    const removers = [...this.#handlers].map((handler) => handler.tap(tap, options))
    return () => {
      for (const remove of removers) remove()
    }
  }

  /** What it has done so far, on all paths. */
  stats(): ServerStats {
    const own = { openings: this.openings, refusals: this.#refusals, connections: [], counts: createCounts() }
    return statsOf(this.#begun, [own, ...this.#handlers])
  }

  /**
   * Stops listening, ends all connections with a closing handshake, and those that do not end in time without one.
   * Settles when nothing is left: no connection, no timer, no listener.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const checked = shutdownOptions(options)
    if (this.#ending === undefined) {
      const ending = new Deferred<void>()
      // Before it begins: who is told that it ends may ask for it again.
      this.#ending = ending.promise
      ending.resolve(this.#shutdown(checked))
    }
    await this.#ending
  }

  /** Shuts the server down, as `shutdown()` does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  /** @internal */
  async listen(): Promise<void> {
    const { port = 0, host, socketPath, backlog, signal } = this.#options
    signal?.throwIfAborted()
    const listener = this.#listener
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject)
      const where = socketPath === undefined ? { port, host } : { path: socketPath }
      listener.listen({ ...where, backlog }, resolve)
    })
    listener.on('error', (error) => this.refused(error, undefined))
    this.#url = this.#whereToConnect(host)
    this.#http?.listening()
    if (signal?.aborted === true) await this.shutdown()
    signal?.throwIfAborted()
    signal?.addEventListener('abort', this.#onAbort)
  }

  /** @internal */
  route(path: string): WebSocketHandler | undefined {
    return this.#routes.get(path) ?? this.#routes.get(undefined)?.route(path)
  }

  /** @internal */
  refused(error: Error, request: UpgradeRequest | undefined): void {
    this.#refusals.add(error)
    const handler = request === undefined ? undefined : this.route(request.path)?.handler
    tellHandshakeError(handler?.handshakeError === undefined ? this.#options : handler, error, request)
  }

  /** @internal */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#begin(socket)?.decide(request, head)
  }

  get #handlers(): Iterable<WebSocketHandler<Data>> {
    return new Set(this.#routes.values())
  }

  #sum(count: (handler: WebSocketHandler<Data>) => number): number {
    let sum = 0
    for (const handler of this.#handlers) sum += count(handler)
    return sum
  }

  #listenerForTcp(): NetServer {
    return createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#begin(socket)?.read(socket))
  }

  #listenerForTls(tls: TlsOptions): NetServer {
    const listener = createTlsServer({ noDelay: true, ...tls, handshakeTimeout: this.handshakeTimeout })
    listener.on('connection', (socket: Socket) => this.#secure(socket))
    listener.on('secureConnection', (socket: TLSSocket) => {
      const ends = endsOf(socket)
      const opening = this.#securing.get(ends) ?? this.#begin(socket)
      opening?.read(socket)
      this.#securing.delete(ends)
    })
    listener.on('tlsClientError', (error, socket) => {
      this.#securing.get(endsOf(socket))?.insecure(error)
      if (this.#options.socketPath !== undefined) this.refused(error, undefined)
      // Nobody does this when it has only taken too long.
      socket.destroy()
    })
    return listener
  }

  /**
   * TLS is being set up. Connections to a Unix socket cannot be told apart: there TLS sees to it alone that it comes up
   * in time, and the opening begins behind it.
   */
  #secure(socket: Socket): void {
    if (this.#options.socketPath !== undefined) {
      this.#lend(socket)
      return
    }
    const opening = this.#begin(socket)
    if (opening === undefined) return
    const ends = endsOf(socket)
    this.#securing.set(ends, opening)
    socket.once('close', () => this.#securing.delete(ends))
  }

  #begin(socket: Duplex): Opening | undefined {
    const opening = new Opening(this, socket, this.#options.tls !== undefined)
    const isDown = this.#ending !== undefined
    if (this.openings.add(opening) && !isDown) return opening
    opening.turnAway(isDown)
    return undefined
  }

  #lend(socket: Duplex): void {
    this.#lent.add(socket)
    socket.once('close', () => this.#lent.delete(socket))
  }

  #handOver(http: HttpSide, socket: Duplex, bytes: Buffer): void {
    this.#lend(socket)
    http.take(socket, bytes)
  }

  #whereToConnect(host = ''): string {
    const { socketPath, tls } = this.#options
    const scheme = tls === undefined ? 'ws' : 'wss'
    if (socketPath !== undefined) return `${scheme}+unix:${socketPath}`
    const name = host === '' || host === '0.0.0.0' || host === '::' ? 'localhost' : host
    const path = this.#routes.get(undefined)?.path ?? ''
    return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${this.port}${path}`
  }

  async #shutdown(options: Required<ShutdownOptions>): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    const ends: Promise<unknown>[] = [new Promise<void>((resolve) => this.#listener.close(() => resolve()))]
    for (const opening of this.openings.all) {
      opening.cancel()
      ends.push(opening.closed)
    }
    for (const socket of this.#lent) ends.push(closeOf(socket))
    for (const handler of this.#handlers) ends.push(handler.shutdown(options))
    const stopSweeping = this.#http?.close()
    const timer = setTimeout(() => this.#terminate(), options.timeout)
    await Promise.all(ends)
    clearTimeout(timer)
    this.openings.stop()
    stopSweeping?.()
  }

  #terminate(): void {
    for (const opening of this.openings.all) opening.terminate()
    for (const socket of this.#lent) socket.destroy()
  }
}

/** What tells one TCP connection from all others of a server. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

const LISTEN_NAMES = ['host', 'port', 'socketPath', 'backlog', 'signal', 'tls', 'http', 'headLimits', 'routes']
/** With `routes`, what concerns connections is the handlers'. */
const ROUTED_NAMES = [...LISTEN_NAMES, 'handshakeTimeout', 'maxPendingHandshakes', 'handshakeError']

/** Starts a server; settles when it listens, and rejects when it cannot. */
export function serve<Data = unknown>(options: ServeOptions<Data>): Promise<WebSocketServer<Data>>
export function serve(options: RoutedServeOptions): Promise<WebSocketServer>
export async function serve<Data>(
  options: ServeOptions<Data> | RoutedServeOptions,
): Promise<WebSocketServer<Data> | WebSocketServer> {
  checkNames('serve', options, [...LISTEN_NAMES, ...HANDLER_NAMES])
  if (options.routes === undefined) {
    return listening(new WebSocketServer(options, new Map([[undefined, new WebSocketHandler(options)]])))
  }
  checkNames('serve with routes', options, ROUTED_NAMES)
  return listening(new WebSocketServer(options, checkRoutes(Object.entries(options.routes))))
}

function checkRoutes(routes: ReadonlyArray<[path: string, handler: WebSocketHandler]>): Map<string, WebSocketHandler> {
  if (!routes.every(([path, handler]) => path.startsWith('/') && isHandlerFor(path, handler))) {
    const message = 'routes must be an object of handlers, as createHandler makes them, under paths that begin with /'
    throw invalidType('ERR_WS_INVALID_OPTION', message)
  }
  return new Map(routes)
}

function isHandlerFor(path: string, handler: unknown): boolean {
  return handler instanceof WebSocketHandler && (handler.path === undefined || handler.path === path)
}

async function listening<Data>(server: WebSocketServer<Data>): Promise<WebSocketServer<Data>> {
  await server.listen()
  return server
}

/**
 * One WebSocket service: who may come in, what happens with those who are in, and ways to send to all of them. A server
 * has one, or one for each path; it can also be attached to a server of node:http or node:https.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import {
  CONNECTION_NAMES,
  PreparedMessage,
  Watcher,
  checkCallbacks,
  checkCount,
  checkNames,
  checkTime,
  connectionSettings,
  isThenable,
  warn,
} from '../connection/index.ts'
import type {
  Clock,
  ConnectionHandler,
  ConnectionOptions,
  ConnectionSettings,
  Counts,
  MessageData,
  SendOptions,
  Tap,
  TapOptions,
} from '../connection/index.ts'
import { acceptOffer } from '../deflate/index.ts'
import { invalidType } from '../errors.ts'
import { writeCloseBody } from '../framing/index.ts'
import { isOriginPolicy, parseTarget } from '../handshake/index.ts'
import type {
  AcceptOptions,
  ExtensionOffer,
  FieldsInit,
  OriginPolicy,
  ProtocolPolicy,
  RejectionAnswer,
} from '../handshake/index.ts'
import { ServerConnection } from './connection.ts'
import { Gate } from './gate.ts'
import { Opening, aborted } from './opening.ts'
import { Openings } from './openings.ts'
import type { Peer } from './peer.ts'
import type { UpgradeRequest } from './request.ts'
import { Refusals, statsOf } from './stats.ts'
import type { ServerStats } from './stats.ts'
import { Topics, sendToAll } from './topics.ts'

/** Lets the client in. */
export interface UpgradeAcceptance<Data> {
  /** What `ws.data` will be. */
  readonly data?: Data
  /** Further header fields of the 101 answer. */
  readonly headers?: FieldsInit
  /** One of the subprotocols that the client offers, instead of the one that `protocols` chooses. */
  readonly protocol?: string
}

/** Lets the client in, or answers it with an HTTP status from 300 up. */
export type UpgradeAnswer<Data> = UpgradeAcceptance<Data> | RejectionAnswer | undefined | void

/** What `upgrade` is given beside the request. */
export interface UpgradeContext {
  /** Aborts when the client goes away, or the handshake takes too long. */
  readonly signal: AbortSignal
}

/** A service: who may come in, and what happens with those who are in. */
export interface HandlerOptions<Data = unknown> extends ConnectionOptions, ConnectionHandler<ServerConnection<Data>> {
  /** The path that is served, compared exactly and without the query; others get 404. Default: all. */
  readonly path?: string
  /** Decides who comes in, once the handshake itself is in order. May be async. */
  upgrade?(request: UpgradeRequest, context: UpgradeContext): UpgradeAnswer<Data> | PromiseLike<UpgradeAnswer<Data>>
  /** Pages of which origins may connect. Default: those of the host that the request came to. */
  readonly origins?: OriginPolicy
  /** Subprotocols in order of preference, or a chooser. Default: none is chosen. */
  readonly protocols?: ProtocolPolicy
  /** Milliseconds from the accepted connection, TLS included, to the 101 answer. 10 s. */
  readonly handshakeTimeout?: number
  /** Connections at once; beyond them 503. No limit. */
  readonly maxConnections?: number
  /** Connections at once from one address; beyond them 503. No limit. Those without an address are not counted. */
  readonly maxConnectionsPerAddress?: number
  /** Handshakes under way at once; beyond them 503. 1,024. */
  readonly maxPendingHandshakes?: number
  /** Told of every handshake that did not succeed, for the log; `request` only if one could be read. */
  handshakeError?(error: Error, request: UpgradeRequest | undefined): unknown
}

/** How connections are ended. */
export interface ShutdownOptions {
  /** The close code that clients are sent. 1001, going away. */
  readonly code?: number
  /** The reason that clients are sent, of at most 123 octets. Empty. */
  readonly reason?: string
  /** Milliseconds for the closing handshakes; who has not ended by then is ended. 5 s. */
  readonly timeout?: number
}

/** What a new connection starts with. */
export interface Admission {
  readonly peer: Peer
  readonly data: unknown
  readonly protocol: string
  readonly extensions: readonly ExtensionOffer[]
  /** The 101 answer. */
  readonly greeting: string
  /** What the client sent already. */
  readonly early: Buffer
}

export const HANDSHAKE_TIMEOUT = 10_000
export const MAX_PENDING_HANDSHAKES = 1024
const SHUTDOWN_TIMEOUT = 5_000

/** The functions among the options of a handler that a connection does not have. */
export const HANDLER_CALLBACKS = ['upgrade', 'handshakeError'] as const

/** The options of a handler, by name. */
export const HANDLER_NAMES: readonly string[] = [
  ...CONNECTION_NAMES,
  'path',
  ...HANDLER_CALLBACKS,
  'origins',
  'protocols',
  'handshakeTimeout',
  'maxConnections',
  'maxConnectionsPerAddress',
  'maxPendingHandshakes',
]

/** A policy that is none would fail at the first client that it matters for, or let in whom it should not. */
function checkPolicies({ origins, protocols }: Pick<HandlerOptions, 'origins' | 'protocols'>): void {
  if (!isOriginPolicy(origins)) {
    const message = "origins must be a list such as ['https://app.example'], a function, or 'any'"
    throw invalidType('ERR_WS_INVALID_OPTION', message)
  }
  if (protocols !== undefined && typeof protocols !== 'function' && !isStrings(protocols)) {
    throw invalidType('ERR_WS_INVALID_OPTION', 'protocols must be an array of strings, or a function')
  }
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** Checked and complete; what is wrong throws before anything has ended. */
export function shutdownOptions(options: ShutdownOptions): Required<ShutdownOptions> {
  const { code = 1001, reason = '', timeout = SHUTDOWN_TIMEOUT } = options
  void writeCloseBody(code, reason)
  return { code, reason, timeout: checkTime('timeout', timeout, 0) }
}

/** The path that a request-target names. */
export function pathOf(target = ''): string {
  const resourceName = parseTarget(target)?.resourceName ?? target
  const question = resourceName.indexOf('?')
  return question < 0 ? resourceName : resourceName.slice(0, question)
}

/** One service. (It is a `Home`, an `OpeningOwner` and `Counted` too, which is nobody's business outside this folder.) */
export class WebSocketHandler<Data = unknown> {
  /** The path that is served; `undefined` for all. */
  readonly path: string | undefined
  /** @internal */
  readonly settings: ConnectionSettings
  /** @internal */
  readonly handler: HandlerOptions<Data>
  /** @internal */
  readonly gate: Gate
  /** @internal */
  readonly openings: Openings
  /** @internal */
  readonly handshakeTimeout: number
  /** @internal */
  readonly limits: undefined = undefined
  /** @internal */
  readonly handOver: undefined = undefined
  /** @internal */
  readonly refusals: Refusals = new Refusals()
  readonly #begun = performance.now()
  readonly #watchers = new Set<Watcher>()
  readonly #connections = new Set<ServerConnection<Data>>()
  readonly #topics = new Topics<ServerConnection<Data>>()

  /** @internal */
  constructor(options: HandlerOptions<Data>) {
    checkCallbacks(options, ...HANDLER_CALLBACKS)
    checkPolicies(options)
    const { path, maxConnections = Infinity, maxConnectionsPerAddress = Infinity } = options
    if (path !== undefined && (typeof path !== 'string' || !path.startsWith('/') || path.includes('?'))) {
      throw invalidType('ERR_WS_INVALID_OPTION', 'path must be a string that begins with / and has no query')
    }
    this.path = path
    this.handler = options
    this.handshakeTimeout = checkTime('handshakeTimeout', options.handshakeTimeout ?? HANDSHAKE_TIMEOUT)
    this.settings = connectionSettings('server', options, this.handshakeTimeout)
    this.gate = new Gate(
      checkCount('maxConnections', maxConnections, 0),
      checkCount('maxConnectionsPerAddress', maxConnectionsPerAddress, 0),
    )
    this.openings = new Openings(
      this.clock,
      checkCount('maxPendingHandshakes', options.maxPendingHandshakes ?? MAX_PENDING_HANDSHAKES, 0),
    )
  }

  /** Those who are connected now. */
  get connections(): ReadonlySet<ServerConnection<Data>> {
    return this.#connections
  }

  /** @internal */
  get counts(): Counts {
    return this.settings.counts
  }

  /** @internal */
  get clock(): Clock {
    return this.settings.clock
  }

  /**
   * Sends a message to all subscribers of `topic`, encoded once; answers to how many. Large octets are passed on by
   * reference, as by `send`.
   */
  publish(topic: string, data: MessageData, options?: SendOptions): number {
    const subscribers = this.#topics.subscribers(topic)
    return this.#sendAll(subscribers ?? [], data, options)
  }

  /** Sends a message to all connections, encoded once; answers to how many. */
  broadcast(data: MessageData, options?: SendOptions): number {
    return this.#sendAll(this.#connections, data, options)
  }

  /** How many have subscribed to `topic`. */
  subscriberCount(topic: string): number {
    return this.#topics.subscribers(topic)?.size ?? 0
  }

  /** As `tap` of each connection that there is and that there will be; answers a function that removes it again. */
  tap(tap: Tap<ServerConnection<Data>>, options?: TapOptions): () => void {
    const watcher = new Watcher(tap, options)
    this.#watchers.add(watcher)
    for (const connection of this.#connections) connection.watch(watcher)
    return () => {
      watcher.removed = true
      this.#watchers.delete(watcher)
      for (const connection of this.#connections) connection.unwatch(watcher)
    }
  }

  /** What it has done so far. */
  stats(): ServerStats {
    return statsOf(this.#begun, [this])
  }

  /**
   * Serves an upgrade request that node:http or node:https has read; for its `upgrade` event. `head` is what came
   * behind the request.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Whoever has gone meanwhile needs no answer, and their transport would not say again that they have.
    if (socket.destroyed) {
      this.refused(aborted('The connection closed before the handshake was looked at'), undefined)
      return
    }
    const opening = new Opening(this, socket, socket instanceof TLSSocket)
    if (this.openings.add(opening)) opening.decide(request, head)
    else opening.turnAway(this.gate.closed)
  }

  /**
   * Ends all connections with a closing handshake, and those that do not end in time without one; no new ones are let
   * in. Settles when all have ended.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const { code, reason, timeout } = shutdownOptions(options)
    this.gate.closed = true
    const openings = this.openings.all
    for (const opening of openings) opening.cancel()
    const ends: Promise<unknown>[] = openings.map((opening) => opening.closed)
    for (const connection of this.#connections) ends.push(connection.close(code, reason))
    const timer = setTimeout(() => this.#terminate(), timeout)
    await Promise.all(ends)
    clearTimeout(timer)
    this.openings.stop()
    this.clock.delete(this)
  }

  /** Ends all connections, as `shutdown()` does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  /** @internal */
  route(path: string): WebSocketHandler | undefined {
    return this.path === undefined || this.path === path ? this : undefined
  }

  /** @internal */
  refused(error: Error, request: UpgradeRequest | undefined): void {
    this.refusals.add(error)
    tellHandshakeError(this.handler, error, request)
  }

  /** @internal */
  acceptOptions(secure: boolean): AcceptOptions {
    const { deflate } = this.settings
    const extensions = deflate && ((offers: readonly ExtensionOffer[]) => acceptOffer(offers, deflate))
    return { secure, origins: this.handler.origins, protocols: this.handler.protocols, extensions }
  }

  /** @internal */
  ask(request: UpgradeRequest, context: UpgradeContext): UpgradeAnswer<Data> | PromiseLike<UpgradeAnswer<Data>> {
    return this.handler.upgrade?.(request, context)
  }

  /** @internal */
  open(socket: Duplex, { peer, data, protocol, extensions, greeting, early }: Admission): void {
    if (outlivesTransport(this.handler)) void peer.address
    const connection = new ServerConnection<Data>(socket, this, data as Data, protocol, extensions, peer)
    this.#connections.add(connection)
    this.clock.add(this)
    for (const watcher of this.#watchers) connection.watch(watcher)
    connection.start(greeting, early)
  }

  /** @internal */
  tick(now: number): void {
    for (const connection of this.#connections) connection.tick(now)
    // Not before: on a server that is busy there is soon another one.
    if (this.#connections.size === 0) this.clock.delete(this)
  }

  /** @internal */
  forget(connection: ServerConnection<Data>): void {
    this.#connections.delete(connection)
    this.gate.leave(this.gate.nameOf(connection.peer))
  }

  /** @internal */
  join(topic: string, connection: ServerConnection<Data>): void {
    this.#topics.add(topic, connection)
  }

  /** @internal */
  leave(topic: string, connection: ServerConnection<Data>): void {
    this.#topics.delete(topic, connection)
  }

  /** @internal */
  publishExcept(
    sender: ServerConnection<Data>,
    topic: string,
    data: MessageData,
    options: SendOptions | undefined,
  ): number {
    return this.#sendAll(this.#topics.subscribers(topic) ?? [], data, options, sender)
  }

  #sendAll(
    receivers: Iterable<ServerConnection<Data>>,
    data: MessageData,
    options: SendOptions | undefined,
    except?: ServerConnection<Data>,
  ): number {
    return sendToAll(receivers, new PreparedMessage(data, options, this.settings.fragmentSize), except)
  }

  #terminate(): void {
    for (const opening of this.openings.all) opening.terminate()
    for (const connection of this.#connections) connection.terminate()
  }
}

/** Whether there is somebody to tell when the transport has gone: these functions, or a loop over the messages. */
function outlivesTransport(handler: HandlerOptions): boolean {
  return handler.close !== undefined || handler.error !== undefined || handler.message === undefined
}

/** A failing log must not become anybody's problem. */
export function tellHandshakeError(
  options: Pick<HandlerOptions, 'handshakeError'>,
  error: Error,
  request: UpgradeRequest | undefined,
): void {
  try {
    const answer = options.handshakeError?.(error, request)
    if (isThenable(answer)) answer.then(undefined, warn)
  } catch (failure) {
    warn(failure)
  }
}

/** A service to `attach` to a server of node:http or node:https, or to serve under a path (`routes`). */
export function createHandler<Data = unknown>(options: HandlerOptions<Data>): WebSocketHandler<Data> {
  checkNames('createHandler', options, HANDLER_NAMES)
  return new WebSocketHandler(options)
}

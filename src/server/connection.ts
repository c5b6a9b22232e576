/** A connection on the server's side: a `Connection` that can be a member of topics. */
import type { Duplex } from 'node:stream'
import { Connection } from '../connection/index.ts'
import type { ConnectionHandler, ConnectionSettings, MessageData, SendOptions } from '../connection/index.ts'
import { invalidType } from '../errors.ts'
import type { ExtensionOffer } from '../handshake/index.ts'
import type { Peer } from './peer.ts'

/** What a connection asks of the handler that it belongs to. */
export interface Home<Data> {
  readonly settings: ConnectionSettings
  readonly handler: ConnectionHandler<ServerConnection<Data>>
  join(topic: string, connection: ServerConnection<Data>): void
  leave(topic: string, connection: ServerConnection<Data>): void
  publishExcept(
    sender: ServerConnection<Data>,
    topic: string,
    data: MessageData,
    options: SendOptions | undefined,
  ): number
  forget(connection: ServerConnection<Data>): void
}

const NONE: ReadonlySet<string> = new Set()

/** A connection of a server's: one that can be a member of topics. */
export class ServerConnection<Data = unknown> extends Connection<Data> {
  /** @internal */
  readonly peer: Peer
  readonly #home: Home<Data>
  #topics: Set<string> | undefined = undefined

  /** @internal */
  constructor(
    socket: Duplex,
    home: Home<Data>,
    data: Data,
    protocol: string,
    extensions: readonly ExtensionOffer[],
    peer: Peer,
  ) {
    super(socket, home.settings, home.handler, data, protocol, extensions)
    this.#home = home
    this.peer = peer
  }

  /**
   * The address of the peer; empty where the transport has none, as on a Unix socket. It is asked for when it is read first,
   * or, if the handler has `close` or `error` or no `message`, at once: a transport that has gone cannot say it any more.
   */
  get remoteAddress(): string {
    return this.peer.address
  }

  /** The topics that this connection has subscribed to; in `close` still those that it had when it ended. */
  get subscriptions(): ReadonlySet<string> {
    return this.#topics ?? NONE
  }

  /** From now on, what is published to `topic` is sent to this connection; until it ends, or `unsubscribe`. */
  subscribe(topic: string): void {
    if (typeof topic !== 'string') throw invalidType('ERR_WS_INVALID_TOPIC', 'A topic is a string')
    // Whoever has gone receives nothing, and would never leave the topic again.
    if (this.readyState === 3) return
    this.#topics ??= new Set()
    this.#topics.add(topic)
    this.#home.join(topic, this)
  }

  /** What is published to `topic` is no longer sent to this connection. */
  unsubscribe(topic: string): void {
    if (this.#topics?.delete(topic) === true) this.#home.leave(topic, this)
  }

  /** Whether what is published to `topic` is sent to this connection. */
  isSubscribed(topic: string): boolean {
    return this.subscriptions.has(topic)
  }

  /** Sends a message to all subscribers of `topic` but this one; answers to how many. */
  publish(topic: string, data: MessageData, options?: SendOptions): number {
    return this.#home.publishExcept(this, topic, data, options)
  }

  /**
   * Its home passes on the time.
   * @internal
   */
  protected override begun(): void {}

  /** @internal */
  protected override ended(): void {
    for (const topic of this.subscriptions) this.#home.leave(topic, this)
    this.#home.forget(this)
  }
}

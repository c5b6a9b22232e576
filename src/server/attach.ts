/** WebSocket on a server that exists already: node:http, node:https, and the frameworks on top of them. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { invalidType } from '../errors.ts'
import { WebSocketHandler, pathOf } from './handler.ts'

/** What `attach` needs of a server: http.Server and https.Server have it. */
export interface UpgradeSource {
  /** As every EventEmitter has it. */
  on(event: 'upgrade', listener: UpgradeListener): unknown
  /** As every EventEmitter has it. */
  off(event: 'upgrade', listener: UpgradeListener): unknown
  /** Whether somebody else listens, who may answer what no handler serves. */
  listenerCount(event: 'upgrade'): number
}

/** What is told of a request for an upgrade: its head, its transport, and what came behind the head. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Lets handlers take the upgrade requests of an HTTP server, each for its path. A request that none of them serves is
 * answered with 404, unless somebody else listens for upgrades too. Answers a function that detaches them again.
 */
export function attach(server: UpgradeSource, handlers: WebSocketHandler | readonly WebSocketHandler[]): () => void {
  const list: readonly WebSocketHandler[] = [handlers].flat()
  if (list.length === 0 || !list.every((handler) => handler instanceof WebSocketHandler)) {
    throw invalidType('ERR_WS_INVALID_OPTION', 'attach needs one or more handlers, as createHandler makes them')
  }
  const attachment = attachments.get(server) ?? new Attachment(server)
  attachments.set(server, attachment)
  attachment.add(list)
  return () => attachment.delete(list)
}

/** One for each server, so that what is attached in several places leaves no request to each other. */
const attachments = new WeakMap<UpgradeSource, Attachment>()

class Attachment {
  readonly #server: UpgradeSource
  readonly #lists = new Set<readonly WebSocketHandler[]>()
  readonly #onUpgrade: UpgradeListener = (request, socket, head) => {
    const handlers = [...this.#lists].flat()
    const path = pathOf(request.url)
    const handler = handlers.find((candidate) => candidate.route(path) !== undefined)
    if (handler === undefined && this.#server.listenerCount('upgrade') > 1) return
    const answering = handler ?? handlers[0]
    answering.handleUpgrade(request, socket, head)
  }

  constructor(server: UpgradeSource) {
    this.#server = server
  }

  add(list: readonly WebSocketHandler[]): void {
    if (this.#lists.size === 0) this.#server.on('upgrade', this.#onUpgrade)
    this.#lists.add(list)
  }

  delete(list: readonly WebSocketHandler[]): void {
    this.#lists.delete(list)
    if (this.#lists.size === 0) this.#server.off('upgrade', this.#onUpgrade)
  }
}

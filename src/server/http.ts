/**
 * The HTTP server of the `http` option, which does not listen itself: transports on which something else than WebSocket
 * was asked for are given to it with all bytes that were read from them, as if it had accepted them.
 *
 * On a transport that it has, a later request may ask for an upgrade. To WebSocket: that goes back to us. To anything
 * else, such as `h2c`: nobody here speaks it, so the request is served as if it had not asked (RFC 9110 7.8).
 */
import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { pathOf } from './handler.ts'
import type { WebSocketHandler } from './handler.ts'

/** What it needs of the server that it belongs to. */
export interface HttpSideOwner {
  route(path: string): WebSocketHandler | undefined
  /** A request for an upgrade to WebSocket, and the bytes behind it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** How often connections are ended that have become idle, while the server shuts down. */
const SWEEP = 50

/** Newer versions of Node ask this before they emit `upgrade`; where the answer is no, they serve the request as any other. */
interface Asking {
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean
}

export class HttpSide {
  readonly #http: HttpServer & Asking
  /** What the HTTP server was to be asked before. */
  readonly #asked: Asking['shouldUpgradeCallback']
  readonly #owner: HttpSideOwner
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const isWebSocket = isForWebSocket(request)
    const isOurs = isWebSocket && this.#owner.route(pathOf(request.url)) !== undefined
    // Somebody else may know what to do with it.
    if (!isOurs && this.#hasOthers) return
    if (isWebSocket) this.#owner.upgrade(request, socket, head)
    else this.take(socket, Buffer.concat([withoutUpgrade(request), head]))
  }

  /** From Node 26 on a body is no longer among the bytes behind the head, so that such a request cannot be made anew. */
  readonly #shouldUpgrade = (request: IncomingMessage): boolean =>
    (this.#hasOthers || isForWebSocket(request) || !hasBody(request)) &&
    this.#asked?.call(this.#http, request) !== false

  constructor(http: HttpServer, owner: HttpSideOwner) {
    this.#http = http
    this.#asked = this.#http.shouldUpgradeCallback
    this.#owner = owner
  }

  /** The server listens: an HTTP server watches over its connections, and can end idle ones, from this event on. */
  listening(): void {
    this.#http.on('upgrade', this.#onUpgrade)
    if (this.#asked !== undefined) this.#http.shouldUpgradeCallback = this.#shouldUpgrade
    this.#http.emit('listening')
  }

  /** A transport, and the bytes that were read from it. */
  take(socket: Duplex, bytes: Buffer): void {
    socket.pause()
    socket.unshift(bytes)
    this.#http.emit('connection', socket)
    socket.resume()
  }

  /** Ends connections when they are idle. Answers a function that stops looking for those. */
  close(): () => void {
    this.#http.off('upgrade', this.#onUpgrade).close()
    if (this.#asked !== undefined) this.#http.shouldUpgradeCallback = this.#asked
    const sweep = setInterval(() => this.#http.closeIdleConnections(), SWEEP)
    return () => clearInterval(sweep)
  }

  /** Whether somebody else listens for upgrades, too. */
  get #hasOthers(): boolean {
    return this.#http.listenerCount('upgrade') > 1
  }
}

function isForWebSocket({ headers: { upgrade = '' } }: IncomingMessage): boolean {
  return upgrade.toLowerCase().includes('websocket')
}

/** RFC 9112 6.3: a request has a body if its head says so. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** A request that node:http has read, as bytes again. */
function withoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name.toLowerCase() !== 'upgrade') text += `${name}: ${rawHeaders[index + 1]}\r\n`
  }
  return Buffer.from(`${text}\r\n`, 'latin1')
}

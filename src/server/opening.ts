/**
 * One opening handshake on the server's side (RFC 6455 4.2), from a fresh transport, or from a request that node:http
 * has read, to a connection or to an answer that says no.
 *
 *     securing ──► reading ──► deciding ──► open
 *         │           │           │
 *         └───────────┴───────────┴──────► refused ──► gone
 *
 * One deadline spans it all, TLS and `upgrade` included. An error listener is on the transport from the first tick to
 * the last, so no reset at any moment is anybody's uncaught exception.
 */
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { HandshakeError, invalidType } from '../errors.ts'
import {
  HeadReader,
  acceptRequest,
  formatAcceptance,
  formatRejection,
  isUpgradeRequest,
  parseTarget,
  rejectionOf,
  requestHead,
} from '../handshake/index.ts'
import type { Acceptance, HeadLimits, RejectionAnswer, RequestHead } from '../handshake/index.ts'
import type { Clock } from '../connection/index.ts'
import { END_TIMEOUT, isThenable, lent, readIntoLent } from '../connection/index.ts'
import type { Gate } from './gate.ts'
import type { UpgradeAnswer, UpgradeContext, WebSocketHandler } from './handler.ts'
import type { Openings } from './openings.ts'
import { Peer } from './peer.ts'
import { UpgradeRequest } from './request.ts'

/** What an opening asks of the server, or of the handler, that it is for. */
export interface OpeningOwner {
  readonly clock: Clock
  readonly openings: Openings
  readonly handshakeTimeout: number
  readonly limits: Partial<HeadLimits> | undefined
  /** Which handler serves a path. */
  route(path: string): WebSocketHandler | undefined
  /** A handshake that did not succeed, for the log (RFC 6455 7.1.7). */
  refused(error: Error, request: UpgradeRequest | undefined): void
  /** Takes over a transport on which something else than WebSocket was asked for, with all bytes read from it. */
  readonly handOver: ((socket: Duplex, bytes: Buffer) => void) | undefined
}

type State = 'securing' | 'reading' | 'deciding' | 'open' | 'refused' | 'gone'

/** Octets that a client may send before it has its answer; RFC 6455 4.1 has it wait. */
const MAX_EARLY = 16_384
const EMPTY = Buffer.alloc(0)

/** From a transport to its opening: the listeners below serve all openings, so that none costs a closure. */
const kOpening = Symbol('opening')
type Bound = Duplex & { [kOpening]: Opening | undefined }

function onData(this: Bound, chunk: Buffer): void {
  this[kOpening]?.received(chunk)
}
function onRead(this: Duplex, octets: number): boolean {
  ;(this as Bound)[kOpening]?.received(lent.subarray(0, octets))
  // It may be a connection's now, which holds reading.
  return !this.isPaused()
}
function onEnd(this: Bound): void {
  this[kOpening]?.clientEnded()
}
function onClose(this: Bound): void {
  this[kOpening]?.transportClosed()
}
function onError(this: Bound, error: Error): void {
  this[kOpening]?.transportFailed(error)
}

export class Opening {
  /** Where it stands among the openings of its owner. */
  place = 0
  readonly #owner: OpeningOwner
  readonly #secure: boolean
  #socket: Duplex
  #state: State
  #deadline: number
  readonly #reader: HeadReader<'request'>
  /** What came behind the head. */
  #early: Buffer = EMPTY
  #peer: Peer
  #request: UpgradeRequest | undefined = undefined
  readonly #context = new Context()
  /** The gate that we have a place behind. */
  #inside: Gate | undefined = undefined

  constructor(owner: OpeningOwner, socket: Duplex, secure: boolean) {
    this.#owner = owner
    this.#secure = secure
    this.#socket = socket
    this.#peer = new Peer(socket)
    this.#state = secure && !(socket instanceof TLSSocket) ? 'securing' : 'reading'
    this.#reader = new HeadReader('request', owner.limits)
    this.#deadline = owner.clock.after(owner.handshakeTimeout)
    watch(socket, this)
  }

  received(chunk: Buffer): void {
    if (this.#state === 'reading') this.#read(chunk)
    else if (this.#state === 'deciding') this.#keepEarly(chunk)
  }

  clientEnded(): void {
    this.#lost('The client ended the connection before its handshake was answered')
  }

  transportClosed(): void {
    this.#lost('The connection closed before the handshake was answered')
    this.#settle('gone')
  }

  transportFailed(error: Error): void {
    this.#lost('The transport failed before the handshake was answered', error)
  }

  /** Reads the request from the transport, or from the TLS stream that has come up on it. */
  read(socket: Duplex): void {
    this.#state = 'reading'
    this.#listen(socket)
  }

  /** Goes on from a request that node:http has read, and the bytes behind it. */
  decide({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage, early: Buffer): void {
    const socket = this.#socket
    // The timeout was the HTTP server's.
    if (socket instanceof Socket) socket.setTimeout(0).setNoDelay(true)
    this.#listen(socket)
    let head: RequestHead
    try {
      head = requestHead(method, url, httpVersion, rawHeaders)
    } catch (error) {
      this.#refuseHead(error)
      return
    }
    this.#decide(head, early)
  }

  /** Too many are waiting already, or nobody is served any more. */
  turnAway(isDown: boolean): void {
    this.#refuse({ status: 503 }, unavailable(isDown))
  }

  /** Answers with 503 whatever has not been answered: the server is about to end. */
  cancel(): void {
    this.#giveUp(503, unavailable(true))
  }

  /**
   * TLS could not be set up. OpenSSL may be at work still, when a callback of the application has failed within it: if the
   * transport went now, the process would go with it.
   */
  insecure(cause: Error): void {
    this.#lost('TLS could not be set up', cause, setImmediate)
  }

  /** Settles when its transport has closed. */
  get closed(): Promise<void> {
    return closeOf(this.#socket)
  }

  /** Ends it at once, answered or not. */
  terminate(): void {
    this.#socket.destroy()
  }

  /** Whether it has not been answered yet. */
  get pending(): boolean {
    return this.#state === 'securing' || this.#state === 'reading' || this.#state === 'deciding'
  }

  tick(now: number): void {
    if (now < this.#deadline) return
    if (!this.pending) {
      this.terminate()
      return
    }
    const status = this.#state === 'deciding' ? 503 : 408
    const message = 'The handshake took longer than handshakeTimeout'
    this.#giveUp(status, new HandshakeError('ERR_WS_HANDSHAKE_TIMEOUT', message, { status }))
  }

  #listen(socket: Duplex): void {
    if (socket !== this.#socket) {
      // The TLS stream speaks for the transport below it from now on, and listens to its errors.
      this.#socket.off('close', onClose).off('error', onError)
      this.#socket = socket
      this.#peer = new Peer(socket)
      watch(socket, this)
    }
    // An HTTP server that it may be handed over to would have it read as sockets do by themselves.
    if (this.#owner.handOver === undefined) readIntoLent(socket, onRead)
    socket.on('end', onEnd).on('data', onData)
  }

  #unlisten(): void {
    bind(this.#socket, undefined).off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
  }

  #read(chunk: Buffer): void {
    const reader = this.#reader
    let end: number
    try {
      end = reader.read(chunk)
    } catch (error) {
      if (!this.#handOver(chunk.subarray(reader.taken))) this.#refuseHead(error)
      return
    }
    if (end < 0) return
    const rest = chunk.subarray(end)
    if (this.#owner.handOver !== undefined && !isUpgradeRequest(reader.head) && this.#handOver(rest)) return
    this.#decide(reader.head, rest)
  }

  #handOver(rest: Buffer): boolean {
    const { handOver } = this.#owner
    if (handOver === undefined) return false
    this.#unlisten()
    this.#settle('gone')
    handOver(this.#socket, Buffer.concat([this.#reader.received, rest]))
    return true
  }

  #decide(head: RequestHead, early: Buffer): void {
    this.#state = 'deciding'
    this.#early = early
    try {
      const resourceName = parseTarget(head.target)?.resourceName ?? head.target
      const request = new UpgradeRequest(head, resourceName, this.#peer, this.#secure)
      this.#request = request
      const handler = this.#owner.route(request.path)
      // 4.2.1 before 4.2.2: what is no handshake is told so, whatever it asks for.
      const acceptance = acceptRequest(head, handler?.acceptOptions(this.#secure) ?? { origins: 'any' })
      if (!acceptance.accepted) this.#refuse(acceptance, acceptance.error)
      else if (handler === undefined) this.#refuse({ status: 404 }, notFound())
      else if (!this.#enter(handler)) this.turnAway(handler.gate.closed)
      else this.#ask(handler, request, acceptance)
    } catch (error) {
      this.#failed(error)
    }
  }

  #enter({ gate }: WebSocketHandler): boolean {
    if (!gate.enter(gate.nameOf(this.#peer))) return false
    this.#inside = gate
    return true
  }

  /** Asks the application. */
  #ask(handler: WebSocketHandler, request: UpgradeRequest, acceptance: Acceptance): void {
    const answer = handler.ask(request, this.#context)
    if (!isThenable(answer)) {
      this.#answer(handler, acceptance, answer)
      return
    }
    // The client may have gone when somebody wants to know where it came from.
    void request.remoteAddress
    // What was read is only lent.
    this.#early = Buffer.from(this.#early)
    answer.then(
      (settled) => {
        try {
          this.#answer(handler, acceptance, settled)
        } catch (error) {
          this.#failed(error)
        }
      },
      (error: unknown) => this.#failed(error),
    )
  }

  #answer(handler: WebSocketHandler, acceptance: Acceptance, answer: UpgradeAnswer<unknown>): void {
    if (this.#state !== 'deciding') return
    // Nobody gets in by mistake: `false` and `null` are not what lets a client in.
    if (!isAnswer(answer)) {
      const message = 'upgrade must answer { data, headers, protocol }, { status, headers, body }, or nothing'
      throw invalidType('ERR_WS_INVALID_ANSWER', message)
    }
    if (handler.gate.closed) {
      this.turnAway(true)
      return
    }
    if (answer !== undefined && 'status' in answer) {
      const message = `The application refused the handshake with ${answer.status}`
      this.#refuse(answer, new HandshakeError('ERR_WS_REFUSED', message, { status: answer.status }))
      return
    }
    const { data, ...extras } = answer ?? {}
    const greeting = formatAcceptance(acceptance, extras)
    const protocol = extras.protocol ?? acceptance.protocol ?? ''
    this.#unlisten()
    // The place behind the gate is the connection's now.
    this.#inside = undefined
    this.#settle('open')
    const { extensions } = acceptance
    handler.open(this.#socket, { peer: this.#peer, data, protocol, extensions, greeting, early: this.#early })
  }

  #keepEarly(chunk: Buffer): void {
    this.#early = Buffer.concat([this.#early, chunk])
    if (this.#early.length > MAX_EARLY) this.#socket.pause()
  }

  /** The client has gone, or is going. */
  #lost(message: string, cause?: Error, when: (drop: () => void) => void = atOnce): void {
    if (!this.pending) return
    const error = aborted(message, cause)
    this.#context.abort(error)
    this.#state = 'refused'
    when(() => this.#drop(error))
  }

  /** The clock, or the server, ends it. */
  #giveUp(status: number, error: Error): void {
    if (!this.pending) return
    this.#context.abort(error)
    this.#refuse({ status }, error)
  }

  /** The request was not even HTTP; the reader throws nothing but HandshakeErrors. */
  #refuseHead(error: unknown): void {
    const rejection = rejectionOf(error as HandshakeError)
    this.#refuse(rejection, rejection.error)
  }

  /** The application failed. Why is not the client's business, even if it was another handshake that failed there. */
  #failed(cause: unknown): void {
    const message = 'The application failed to decide about the handshake'
    this.#refuse({ status: 500 }, new HandshakeError('ERR_WS_UPGRADE_FAILED', message, { status: 500, cause }))
  }

  /**
   * Answers, and ends the connection: whatever a proxy in between believes, no byte that follows is looked at
   * (RFC 9112 9.6).
   */
  #refuse(answer: RejectionAnswer, error: Error): void {
    if (!this.pending) return
    // While TLS is being set up there is nobody to answer.
    if (this.#state === 'securing') {
      this.#drop(error)
      return
    }
    let bytes: Buffer
    try {
      bytes = formatRejection(answer)
    } catch (mistake) {
      this.#failed(mistake)
      return
    }
    this.#state = 'refused'
    // For the log, which may be written when the client has gone.
    void this.#request?.remoteAddress
    this.#deadline = this.#owner.clock.after(END_TIMEOUT)
    this.#socket.end(bytes)
    this.#socket.resume()
    this.#owner.refused(error, this.#request)
  }

  /** Ends the connection without a word, as there is nobody to hear it. */
  #drop(error: Error): void {
    this.#state = 'refused'
    this.#socket.destroy()
    this.#owner.refused(error, this.#request)
  }

  #settle(state: 'open' | 'gone'): void {
    this.#state = state
    this.#inside?.leave(this.#inside.nameOf(this.#peer))
    this.#owner.openings.delete(this)
  }
}

function atOnce(drop: () => void): void {
  drop()
}

function bind(socket: Duplex, opening: Opening | undefined): Duplex {
  const bound = socket as Bound
  bound[kOpening] = opening
  return bound
}

function watch(socket: Duplex, opening: Opening): void {
  bind(socket, opening).on('error', onError).on('close', onClose)
}

const ACCEPTING = ['data', 'headers', 'protocol']
const REFUSING = ['status', 'headers', 'body']

/** A slip in a name must not let anybody in. */
function isAnswer(answer: unknown): boolean {
  if (answer === undefined) return true
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer) || answer instanceof Error) return false
  const names = 'status' in answer ? REFUSING : ACCEPTING
  return Object.keys(answer).every((name) => names.includes(name))
}

/** What `upgrade` is given; the signal is made when somebody asks for it. */
class Context implements UpgradeContext {
  #controller: AbortController | undefined = undefined

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.#controller?.abort(reason)
  }
}

/** Settles when a transport closes. */
export function closeOf(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}

/** The client has gone. */
export function aborted(message: string, cause?: Error): HandshakeError {
  return new HandshakeError('ERR_WS_ABORTED', message, { cause })
}

function unavailable(isDown: boolean): HandshakeError {
  if (isDown) return new HandshakeError('ERR_WS_SHUTDOWN', 'The server shuts down', { status: 503 })
  const message = 'There are as many connections, or pending handshakes, as the options allow'
  return new HandshakeError('ERR_WS_TOO_MANY_CONNECTIONS', message, { status: 503 })
}

function notFound(): HandshakeError {
  const message = 'No handler serves this path'
  return new HandshakeError('ERR_WS_NOT_FOUND', message, { status: 404, section: 'RFC 6455 4.2.2' })
}

/**
 * `WebSocket` as the WHATWG WebSockets standard has it, and so as browsers have it: a facade over `connect` and its
 * `Connection`. Names in quotes are the standard's.
 *
 * - Events are fired where the connection tells of them, without a queue of their own and never within a call of the
 *   user. The messages that one read brought follow one another without a pause, as in Node's own `WebSocket`; after
 *   `open` there is one, so that whoever awaits it hears the first message.
 * - Nothing that listeners do harms the socket: `EventTarget` reports what they throw as the platform does.
 * - Why a connection failed the standard does not let on; `connect` tells.
 * - Beyond the standard, a dictionary can stand in for `protocols` or behind them: what Node can do and browsers cannot.
 */
import { toUSVString } from 'node:util'
import { ReadyState } from '../connection/index.ts'
import type { Connection } from '../connection/index.ts'
import type { CloseInfo } from '../errors.ts'
import { CloseCode } from '../framing/index.ts'
import { establish } from './establish.ts'
import { CloseEvent } from './events.ts'
import { checkClose, checkProtocols, initOf, outgoingOf, protocolsOf, urlRecordOf } from './websocket-arguments.ts'
import type { WebSocketInit } from './websocket-arguments.ts'
import { HandlerAttribute, WebSocketTarget } from './websocket-handler.ts'
import type { EventHandler, WebSocketEventMap } from './websocket-handler.ts'
import { clampToUnsignedShort, defineConstants, defineInterface, requireArguments } from './websocket-idl.ts'
import { Outbox, sizeOf } from './websocket-outbox.ts'

type Ended = Pick<CloseInfo, 'wasClean' | 'code' | 'reason'>

/** What binary messages can arrive as. */
export type BinaryType = 'blob' | 'arraybuffer'

const CONNECTING = ReadyState.Connecting
const OPEN = ReadyState.Open
const CLOSING = ReadyState.Closing
const CLOSED = ReadyState.Closed

/** How a connection ends that never was. */
const NEVER_OPEN: Ended = { wasClean: false, code: CloseCode.AbnormalClosure, reason: '' }

/** `WebSocket` of the WHATWG standard. */
export class WebSocket extends WebSocketTarget {
  declare static readonly CONNECTING: 0
  declare static readonly OPEN: 1
  declare static readonly CLOSING: 2
  declare static readonly CLOSED: 3
  declare readonly CONNECTING: 0
  declare readonly OPEN: 1
  declare readonly CLOSING: 2
  declare readonly CLOSED: 3

  readonly #url: string
  readonly #origin: string
  readonly #attempt = new AbortController()
  readonly #onopen = new HandlerAttribute(this, 'open')
  readonly #onmessage = new HandlerAttribute(this, 'message')
  readonly #onerror = new HandlerAttribute(this, 'error')
  readonly #onclose = new HandlerAttribute(this, 'close')
  #readyState: 0 | 1 | 2 | 3 = CONNECTING
  #binaryType: BinaryType = 'blob'
  #connection: Connection<undefined> | undefined = undefined
  #outbox: Outbox | undefined = undefined
  /** Octets that `send` took when nothing could be sent any more. */
  #unsendable = 0

  /**
   * Starts to connect to a `ws:`, `wss:`, `http:` or `https:` URL. Throws a `SyntaxError` `DOMException` for any other
   * URL, for one with a fragment, and for subprotocols that cannot be offered; a `TypeError` or `RangeError` for wrong
   * options.
   */
  constructor(
    url: string | URL,
    protocols: string | Iterable<string> | WebSocketInit = [],
    options: Omit<WebSocketInit, 'protocols'> = {},
  ) {
    requireArguments(arguments.length, 1, 'new WebSocket()')
    super()
    const text = toUSVString(url as string)
    const init = initOf(protocols, options)
    const offers = protocolsOf(init.protocols)
    const record = urlRecordOf(text)
    checkProtocols(offers)
    this.#url = record.href
    this.#origin = record.origin
    const { signal } = this.#attempt
    const connecting = establish(record, {
      ...init,
      protocols: offers,
      signal: init.signal === undefined ? signal : AbortSignal.any([init.signal, signal]),
      text: 'string',
      open: (connection) => this.#established(connection, offers.length > 0),
      message: (_connection, data) => this.#messageReceived(data),
      drain: () => this.#outbox?.settle(),
      error: () => this.#outbox?.fail(),
      close: (_connection, info) => this.#closed(info),
    })
    // "Fail the WebSocket connection": a task of its own, whatever was going on when that came out.
    connecting.catch(() => setImmediate(() => this.#closed(NEVER_OPEN)))
  }

  /** Where it connects to, with `ws:` or `wss:`. */
  get url(): string {
    return this.#url
  }

  /** One of `CONNECTING`, `OPEN`, `CLOSING` and `CLOSED`. */
  get readyState(): 0 | 1 | 2 | 3 {
    // "When the WebSocket closing handshake is started", which the server can do too.
    return this.#readyState === OPEN && this.#connection?.readyState !== OPEN ? CLOSING : this.#readyState
  }

  /** Octets of payload that `send` took and the network did not. What was left at the end stays. */
  get bufferedAmount(): number {
    return (this.#outbox?.bufferedAmount ?? 0) + this.#unsendable
  }

  /** The extensions in use, or empty. */
  get extensions(): string {
    return this.#connection?.extensions ?? ''
  }

  /** The subprotocol in use, or empty. */
  get protocol(): string {
    return this.#connection?.protocol ?? ''
  }

  /** What binary messages arrive as. */
  get binaryType(): BinaryType {
    return this.#binaryType
  }

  /** `blob` unless set; another value is ignored. */
  set binaryType(value: BinaryType) {
    const before = this.#binaryType
    const type = toUSVString(value)
    // Web IDL: a value that the enumeration does not have is ignored.
    this.#binaryType = type === 'blob' || type === 'arraybuffer' ? type : before
  }

  /** The listener for `open` that was set here, or null. */
  get onopen(): EventHandler<WebSocketEventMap['open']> {
    return this.#onopen.value as EventHandler<Event>
  }

  /** Takes the place of the one before; null takes it away. */
  set onopen(handler: EventHandler<WebSocketEventMap['open']>) {
    this.#onopen.value = handler
  }

  /** The listener for `message` that was set here, or null. */
  get onmessage(): EventHandler<WebSocketEventMap['message']> {
    return this.#onmessage.value as EventHandler<Event>
  }

  /** Takes the place of the one before; null takes it away. */
  set onmessage(handler: EventHandler<WebSocketEventMap['message']>) {
    this.#onmessage.value = handler
  }

  /** The listener for `error` that was set here, or null. */
  get onerror(): EventHandler<WebSocketEventMap['error']> {
    return this.#onerror.value as EventHandler<Event>
  }

  /** Takes the place of the one before; null takes it away. */
  set onerror(handler: EventHandler<WebSocketEventMap['error']>) {
    this.#onerror.value = handler
  }

  /** The listener for `close` that was set here, or null. */
  get onclose(): EventHandler<WebSocketEventMap['close']> {
    return this.#onclose.value as EventHandler<Event>
  }

  /** Takes the place of the one before; null takes it away. */
  set onclose(handler: EventHandler<WebSocketEventMap['close']>) {
    this.#onclose.value = handler
  }

  /**
   * Sends a string as text, and a Blob or octets as binary. Throws an `InvalidStateError` while the connection is not
   * established, a `TypeError` for shared or resizable memory; after the close it sends nothing.
   */
  send(data: string | ArrayBufferView | ArrayBuffer | Blob): void {
    const outbox = this.#outbox
    requireArguments(arguments.length, 1, 'send()')
    const outgoing = outgoingOf(data)
    if (this.#readyState === CONNECTING) {
      throw new DOMException('Nothing can be sent before the open event', 'InvalidStateError')
    }
    if (outbox !== undefined && this.readyState === OPEN) outbox.send(outgoing)
    else this.#unsendable += sizeOf(outgoing)
  }

  /**
   * Starts the closing handshake, behind all that was sent; ends an attempt to connect. Throws an `InvalidAccessError`
   * for a code other than 1000 and 3000 to 4999, a `SyntaxError` for a reason of more than 123 octets of UTF-8.
   */
  close(...[code, reason = '']: [code?: number, reason?: string]): void {
    const attempt = this.#attempt
    let sentCode = code === undefined ? undefined : clampToUnsignedShort(code)
    const sentReason = toUSVString(reason)
    checkClose(sentCode, sentReason)
    if (this.#readyState === OPEN) {
      // "Start the WebSocket closing handshake". "If reason is non-empty but code is null, then set code to 1000".
      if (sentReason !== '') sentCode ??= CloseCode.NormalClosure
      this.#readyState = CLOSING
      this.#outbox?.close(sentCode, sentReason)
    } else if (this.#readyState === CONNECTING) {
      // "If the WebSocket connection is not yet established: fail the WebSocket connection".
      this.#readyState = CLOSING
      attempt.abort()
    }
  }

  /**
   * "When the WebSocket connection is established". No message is told before the promise has settled, and whoever
   * awaited `open` has gone on.
   */
  #established(connection: Connection<undefined>, offered: boolean): Promise<void> | undefined {
    // `close` came when the handshake had just succeeded; or the server chose none of the protocols, which RFC 6455 lets it
    // do, and the standard does not: "If protocols is not the empty list", there has to be one.
    if (this.#readyState !== CONNECTING || (offered && connection.protocol === '')) {
      connection.terminate()
      return undefined
    }
    this.#readyState = OPEN
    this.#connection = connection
    this.#outbox = new Outbox(connection)
    super.dispatchEvent(new Event('open'))
    return Promise.resolve()
  }

  /** "When a WebSocket message has been received". */
  #messageReceived(received: string | Buffer): void {
    // "If ready state is not OPEN (1), then return."
    if (this.#readyState !== OPEN) return
    const data = typeof received === 'string' ? received : this.#binary(received)
    super.dispatchEvent(new MessageEvent('message', { data, origin: this.#origin }))
  }

  #binary(octets: Buffer): Blob | ArrayBuffer {
    if (this.#binaryType === 'blob') return new Blob([octets])
    return new Uint8Array(octets).buffer
  }

  /** "When the WebSocket connection is closed". One that did not end cleanly was failed (RFC 6455 7.2.1). */
  #closed({ wasClean, code, reason }: Ended): void {
    this.#readyState = CLOSED
    if (!wasClean) {
      this.#outbox?.fail()
      super.dispatchEvent(new Event('error'))
    }
    super.dispatchEvent(new CloseEvent('close', { wasClean, code, reason }))
  }
}

defineConstants(WebSocket, { CONNECTING, OPEN, CLOSING, CLOSED })
defineInterface(WebSocket, 'WebSocket')

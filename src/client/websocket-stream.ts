/**
 * `WebSocketStream` as the proposal for the WHATWG WebSockets standard has it: a connection as two streams of messages,
 * which wait for each other. Names in quotes are the proposal's, and the standard's.
 *
 * - A message is asked for when the one before has been read; meanwhile TCP makes the server wait. A write settles when
 *   what waits is below `highWaterMark`.
 * - Who does not read does not hear of the end either, where messages stand before it.
 * - Beyond the proposal, the options of `connect` can stand beside its own, and `cause` of an error tells why.
 */
import { ReadableStream, WritableStream } from 'node:stream/web'
import type { ReadableStreamDefaultController, WritableStreamDefaultController } from 'node:stream/web'
import { toUSVString } from 'node:util'
import { Deferred, ReadyState } from '../connection/index.ts'
import type { Connection } from '../connection/index.ts'
import { HandshakeError } from '../errors.ts'
import type { CloseInfo } from '../errors.ts'
import { CloseCode } from '../framing/index.ts'
import { establish } from './establish.ts'
import { checkProtocols, closeInfoOf, payloadOrTextOf, protocolSequenceOf, urlRecordOf } from './websocket-arguments.ts'
import type { WebSocketCloseInfo, WebSocketInit } from './websocket-arguments.ts'
import { defineInterface, requireArguments, toDictionary } from './websocket-idl.ts'
import { WebSocketStreamError, failureOf } from './websocket-stream-error.ts'

/** What the proposal knows, `protocols` and `signal`, and the options of `connect`. */
export interface WebSocketStreamOptions extends Omit<WebSocketInit, 'protocols'> {
  /** Subprotocols to offer, in order of preference. */
  readonly protocols?: Iterable<string>
}

/** What a `WebSocketStream` is once it is open. */
export interface WebSocketOpenInfo {
  /** The messages: text as a string, octets as a `Uint8Array`. Ends with the connection. */
  readonly readable: ReadableStream<string | Uint8Array>
  /** Takes messages: strings as text, octets as binary. Closing it closes the connection. */
  readonly writable: WritableStream<string | ArrayBuffer | ArrayBufferView>
  /** The extensions in use, or empty. */
  readonly extensions: string
  /** The subprotocol in use, or empty. */
  readonly protocol: string
}

/** A client that is two streams, as the proposal for the standard has it: each waits for the other side. */
export class WebSocketStream {
  readonly #url: string
  readonly #signal: AbortSignal | undefined
  /** Ended by `close`, and by what the server should not have answered. */
  readonly #attempt = new AbortController()
  /** Of the attempt, or that of the caller. */
  readonly #stop: AbortSignal
  readonly #opened = new Deferred<WebSocketOpenInfo>()
  readonly #closed = new Deferred<Required<WebSocketCloseInfo>>()
  #connection: Connection<undefined> | undefined = undefined
  /** Of `readable`, until that is cancelled. */
  #source: ReadableStreamDefaultController<string | Uint8Array> | undefined = undefined
  #sink: WritableStreamDefaultController | undefined = undefined
  /** A write waits for the network. */
  #writing = false
  #gone: DOMException | undefined = undefined

  /**
   * Starts to connect to a `ws:`, `wss:`, `http:` or `https:` URL. Throws a `SyntaxError` `DOMException` for any other
   * URL, for one with a fragment, and for subprotocols that cannot be offered; a `TypeError` or `RangeError` for wrong
   * options.
   */
  constructor(url: string | URL, options: WebSocketStreamOptions = {}) {
    requireArguments(arguments.length, 1, 'new WebSocketStream()')
    const text = toUSVString(url as string)
    const { protocols = [], signal, ...init } = toDictionary(options)
    const offers = protocolSequenceOf(protocols)
    const attempt = this.#attempt.signal
    const record = urlRecordOf(text)
    checkProtocols(offers)
    this.#url = record.href
    this.#signal = signal
    this.#stop = signal === undefined ? attempt : AbortSignal.any([signal, attempt])
    const connecting = establish(record, {
      ...init,
      protocols: offers,
      signal: this.#stop,
      text: 'string',
      open: (connection) => this.#established(connection, offers.length > 0),
      message: (_connection, data) => this.#messageReceived(data),
      close: (_connection, info) => this.#ended(info),
    })
    connecting.catch((error: unknown) => this.#failed(error))
  }

  /** Where it connects to, with `ws:` or `wss:`. */
  get url(): string {
    return this.#url
  }

  /**
   * Settles when the connection is established. Rejects with a `WebSocketStreamError` if it cannot be, or with the
   * reason of the signal that was given.
   */
  get opened(): Promise<WebSocketOpenInfo> {
    return this.#opened.promise
  }

  /**
   * Settles when the connection has been closed cleanly, with the code and reason of the server. Rejects with a
   * `WebSocketStreamError` if it ended otherwise, or with the reason of the signal that was given.
   */
  get closed(): Promise<Required<WebSocketCloseInfo>> {
    return this.#closed.promise
  }

  /**
   * Starts the closing handshake, behind all that was written; ends an attempt to connect. Throws an
   * `InvalidAccessError` `DOMException` for a code other than 1000 and 3000 to 4999, a `SyntaxError` for a reason of more
   * than 123 octets of UTF-8.
   */
  close(closeInfo: WebSocketCloseInfo = {}): void {
    const attempt = this.#attempt
    const { closeCode, reason } = closeInfoOf(closeInfo)
    if (this.#connection === undefined) attempt.abort(new DOMException('close() came first', 'AbortError'))
    else void this.#connection.close(closeCode, reason)
  }

  /** "When a WebSocket connection is established". */
  #established(connection: Connection<undefined>, offered: boolean): void {
    // RFC 6455 lets a server choose none of the protocols; the standard does not.
    if (offered && connection.protocol === '') this.#attempt.abort(noProtocol())
    // Or the end came when the handshake had just succeeded.
    if (this.#stop.aborted) {
      connection.terminate()
      return
    }
    this.#connection = connection
    const { extensions, protocol } = connection
    const readable = this.#readable(connection)
    const writable = this.#writable(connection)
    this.#opened.resolve({ readable, writable, extensions, protocol })
  }

  #readable(connection: Connection<undefined>): ReadableStream<string | Uint8Array> {
    return new ReadableStream({
      start: (controller: ReadableStreamDefaultController<string | Uint8Array>) => {
        this.#source = controller
      },
      pull: () => connection.resume(),
      cancel: (reason: unknown) => {
        this.#source = undefined
        this.#closeUsing(reason)
      },
    })
  }

  #writable(connection: Connection<undefined>): WritableStream<string | ArrayBuffer | ArrayBufferView> {
    return new WritableStream({
      start: (controller: WritableStreamDefaultController) => {
        this.#sink = controller
        // Its `abort` would wait for the write before it, which may wait for a server that does not read.
        const { signal } = controller as unknown as { readonly signal: AbortSignal }
        signal.addEventListener('abort', () => this.#closeUsing(signal.reason))
      },
      write: (chunk) => this.#write(connection, chunk),
      close: async () => {
        this.close()
        await this.#closed.promise
      },
    })
  }

  /** "When a WebSocket message has been received". */
  #messageReceived(data: string | Buffer): void {
    const source = this.#source
    // "If stream's ready state is not OPEN (1), then return."
    if (source === undefined || this.#connection?.readyState !== ReadyState.Open) return
    source.enqueue(typeof data === 'string' ? data : new Uint8Array(data))
    // "Apply backpressure to the WebSocket."
    if (source.desiredSize !== 1) this.#connection.pause()
  }

  /** "To write chunk to a WebSocketStream": settles when there is room for more. */
  async #write(connection: Connection<undefined>, chunk: string | ArrayBuffer | ArrayBufferView): Promise<void> {
    const data = payloadOrTextOf(chunk)
    // "If the closing handshake has not yet started".
    if (connection.readyState !== ReadyState.Open || connection.send(data)) return
    this.#writing = true
    try {
      await connection.drained()
    } catch {
      throw this.#closedForWriting
    } finally {
      this.#writing = false
    }
  }

  /** "To close using reason". */
  #closeUsing(reason: unknown): void {
    const { closeCode, reason: text } = reason instanceof WebSocketStreamError ? reason : new WebSocketStreamError()
    try {
      this.close(closeCode === null ? {} : { closeCode, reason: text })
    } catch {
      // "If this throws an exception, discard code and reasonString": the code can be one with which a connection ended.
      this.close()
    }
  }

  /** "When a WebSocket connection is closed". What could not be sent before is lost, and no clean end. */
  #ended({ wasClean, code: closeCode, reason, cause }: CloseInfo): void {
    const writable = this.#sink
    if (this.#connection === undefined) {
      this.#failed(this.#stop.reason)
      return
    }
    if (wasClean && !this.#writing) {
      this.#source?.close()
      writable?.error(this.#closedForWriting)
      this.#closed.resolve({ closeCode, reason })
      return
    }
    const error = failureOf('The WebSocket was not closed cleanly', closeCode, reason, cause)
    this.#source?.error(error)
    writable?.error(this.#writing ? this.#closedForWriting : error)
    this.#closed.reject(error)
  }

  /** It never was open. */
  #failed(cause: unknown): void {
    const signal = this.#signal
    const isAborted = signal?.aborted === true && cause === signal.reason
    const message = 'The WebSocket could not be opened'
    this.#opened.reject(isAborted ? cause : failureOf(message, null, '', cause))
    this.#closed.reject(isAborted ? cause : failureOf(message, CloseCode.AbnormalClosure, '', cause))
  }

  get #closedForWriting(): DOMException {
    this.#gone ??= new DOMException('Nothing can be written to a WebSocketStream that is closed', 'InvalidStateError')
    return this.#gone
  }
}
defineInterface(WebSocketStream, 'WebSocketStream')

function noProtocol(): HandshakeError {
  const message = 'The server chose none of the subprotocols; where some are offered, the standard has it choose one'
  return new HandshakeError('ERR_WS_BAD_PROTOCOL', message)
}

/**
 * The errors of every room. Each carries a stable `code` (`ERR_WS_…`), the RFC section it rests on where there is one,
 * and a sentence that says what to do.
 *
 * - `ProtocolError`: the peer broke the protocol after the opening handshake; `closeCode` is what we fail the connection with.
 * - `HandshakeError`: the opening handshake did not succeed; on a server `status` is what the client was answered.
 * - `ConnectionClosedError`: something was asked of a connection that has ended; it tells why it ended.
 * - Local misuse is a `TypeError` or `RangeError` with a `code`, thrown at the caller before anything is sent.
 */

/** What a `WebSocketError` is made of, beside code and message. */
export interface WebSocketErrorOptions extends ErrorOptions {
  /** The section the error rests on, such as `RFC 6455 5.2`. */
  readonly section?: string
}

/** The base of every error that this library creates for what happens on a connection. */
export class WebSocketError extends Error {
  /** Stable, of the form `ERR_WS_…`: compare this, not the message. */
  readonly code: string
  /** The section the error rests on, such as `RFC 6455 5.2`; `undefined` where no document speaks of it. */
  readonly section: string | undefined

  constructor(code: string, message: string, options: WebSocketErrorOptions = {}) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.section = options.section
  }
}

/** The peer broke the protocol on an open connection: the connection fails with `closeCode` (RFC 6455 7.1.7). */
export class ProtocolError extends WebSocketError {
  /** What the peer is told in our Close frame (7.4.1). */
  readonly closeCode: number

  constructor(code: string, closeCode: number, section: string, message: string) {
    super(code, message, { section })
    this.closeCode = closeCode
  }
}

/** What a `HandshakeError` is made of, beside code and message. */
export interface HandshakeErrorOptions extends WebSocketErrorOptions {
  /** HTTP status of the answer, if there was one. */
  readonly status?: number | undefined
  /** Header fields of the answer. */
  readonly headers?: Iterable<readonly [name: string, value: string]>
  /** The first octets of the answer's body. */
  readonly body?: Buffer
}

/** The opening handshake failed (RFC 6455 4.1, 4.2). */
export class HandshakeError extends WebSocketError {
  /** HTTP status: on a client what the server answered, on a server what the client is answered; else `undefined`. */
  readonly status: number | undefined
  /** Header fields of that answer, names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** On a client the first bytes of the answer's body, at most 64 KiB. */
  readonly body: Buffer | undefined

  constructor(code: string, message: string, options: HandshakeErrorOptions = {}) {
    super(code, message, options)
    this.status = options.status
    this.headers = new Map(options.headers)
    this.body = options.body
  }
}

/** Who began the end of a connection: us, the peer with its Close frame, the transport, or a deadline. */
export type CloseInitiator = 'local' | 'peer' | 'network' | 'timeout'

/** Why and how a connection ended. */
export interface CloseInfo {
  /** The code in the peer's Close frame; 1005 when it had none, 1006 when no Close frame came (RFC 6455 7.1.5). */
  readonly code: number
  /** The reason in the peer's Close frame, or empty (7.1.6). */
  readonly reason: string
  /** Close frames have crossed in both directions (7.1.4). */
  readonly wasClean: boolean
  /** Who began it. */
  readonly initiator: CloseInitiator
  /** What went wrong, when something did. */
  readonly cause?: Error
}

/** Something was asked of a connection that has ended, or that ended before it could be done. */
export class ConnectionClosedError extends WebSocketError {
  /** As `code` of `CloseInfo`. */
  readonly closeCode: number
  /** As `reason` of `CloseInfo`. */
  readonly closeReason: string
  /** As in `CloseInfo`. */
  readonly wasClean: boolean
  /** As in `CloseInfo`. */
  readonly initiator: CloseInitiator

  constructor({ code, reason, wasClean, initiator, cause }: CloseInfo) {
    const why = `code ${code}, ${wasClean ? 'clean' : 'not clean'}, begun by: ${initiator}`
    super('ERR_WS_CLOSED', `The connection has ended (${why}); open another one to go on`, { cause })
    this.closeCode = code
    this.closeReason = reason
    this.wasClean = wasClean
    this.initiator = initiator
  }
}

/** Local misuse: the type of an argument. */
export function invalidType(code: string, message: string): TypeError & { code: string } {
  return Object.assign(new TypeError(message), { code })
}

/** Local misuse: the value of an argument. */
export function invalidValue(code: string, message: string): RangeError & { code: string } {
  return Object.assign(new RangeError(message), { code })
}

const LONGEST_QUOTE = 80

/**
 * Text from the wire, quoted and fit for a log: control characters and everything outside printable ASCII escaped,
 * cut at 80 characters, so that a peer can write neither a line break nor a terminal sequence into it.
 */
export function quote(text: string): string {
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

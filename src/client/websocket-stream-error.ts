/**
 * The `WebSocketError` of the proposal for `WebSocketStream`. It has another name here, as the errors of this library had
 * that one already (docs/decisions/0020-the-two-websocket-errors.md); `name` is the proposal's.
 */
import { closeInfoOf } from './websocket-arguments.ts'
import type { WebSocketCloseInfo } from './websocket-arguments.ts'
import { defineInterface, toDOMString } from './websocket-idl.ts'

let setInfo: (error: WebSocketStreamError, closeCode: number | null, reason: string) => void

/**
 * Why a `WebSocketStream` failed; and, given to `abort` or `cancel` of its streams, what to close it with. Its `name` is
 * `WebSocketError`. Beyond the proposal `cause` tells what `connect` would have told, where there is something to tell.
 */
export class WebSocketStreamError extends DOMException {
  #closeCode: number | null
  #reason: string

  static {
    setInfo = (error, closeCode, reason) => {
      error.#closeCode = closeCode
      error.#reason = reason
    }
  }

  /**
   * Throws an `InvalidAccessError` `DOMException` for a code other than 1000 and 3000 to 4999, a `SyntaxError` for a
   * reason of more than 123 octets of UTF-8.
   */
  constructor(message = '', init: WebSocketCloseInfo = {}) {
    super(toDOMString(message), 'WebSocketError')
    // Some versions of Node make a DOMException of whatever extends it.
    Object.setPrototypeOf(this, new.target.prototype)
    const { closeCode, reason } = closeInfoOf(init)
    this.#closeCode = closeCode ?? null
    this.#reason = reason
  }

  /** The code of the connection (RFC 6455 7.1.5), 1006 if no Close frame came, or `null`. */
  get closeCode(): number | null {
    return this.#closeCode
  }

  /** The reason that came with the code, or empty. */
  get reason(): string {
    return this.#reason
  }
}
defineInterface(WebSocketStreamError, 'WebSocketError')

/** What happened to a connection, whose code may be one that nobody could have sent. */
export function failureOf(
  message: string,
  closeCode: number | null,
  reason: string,
  cause: unknown,
): WebSocketStreamError {
  const error = new WebSocketStreamError(message)
  setInfo(error, closeCode, reason)
  if (cause !== undefined) Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true })
  return error
}

/**
 * The application's functions, called so that nothing they do harms anybody else: what they throw, or reject with,
 * comes back through `failed` and ends their own connection.
 */
import { ConnectionClosedError, WebSocketError } from '../errors.ts'
import type { CloseInfo } from '../errors.ts'
import type { Connection } from './connection.ts'
import { isThenable, warn } from './deferred.ts'
import { ReadyState } from './ending.ts'
import type { ConnectionHandler } from './handler.ts'

export class Application<Data> {
  readonly #connection: Connection<Data>
  readonly #handler: ConnectionHandler<Connection<Data>>
  readonly #failed: (error: Error) => void
  /** What `error` was told. */
  #told: Error | undefined = undefined

  constructor(
    connection: Connection<Data>,
    handler: ConnectionHandler<Connection<Data>>,
    failed: (error: Error) => void,
  ) {
    this.#connection = connection
    this.#handler = handler
    this.#failed = failed
  }

  /** Whether messages are for the handler. */
  get takesMessages(): boolean {
    return this.#handler.message !== undefined
  }

  /** Answers a promise while an async `open` has not settled. */
  open(): Promise<unknown> | undefined {
    try {
      const opening = this.#handler.open?.(this.#connection)
      if (!isThenable(opening)) return undefined
      return Promise.resolve(opening).catch((error: unknown) => this.#mistake(error))
    } catch (error) {
      this.#mistake(error)
      return undefined
    }
  }

  message(data: string | Buffer, isBinary: boolean): void {
    try {
      this.#watch(this.#handler.message?.(this.#connection, data, isBinary))
    } catch (error) {
      this.#mistake(error)
    }
  }

  ping(payload: Buffer): void {
    try {
      this.#watch(this.#handler.ping?.(this.#connection, payload))
    } catch (error) {
      this.#mistake(error)
    }
  }

  pong(payload: Buffer): void {
    try {
      this.#watch(this.#handler.pong?.(this.#connection, payload))
    } catch (error) {
      this.#mistake(error)
    }
  }

  drain(): void {
    try {
      this.#watch(this.#handler.drain?.(this.#connection))
    } catch (error) {
      this.#mistake(error)
    }
  }

  close(info: CloseInfo): void {
    try {
      this.#watch(this.#handler.close?.(this.#connection, info))
    } catch (error) {
      this.#mistake(error)
    }
  }

  /** At most once. */
  error(error: Error): void {
    if (this.#told !== undefined) return
    this.#told = error
    try {
      const answer = this.#handler.error?.(this.#connection, error)
      if (isThenable(answer)) answer.then(undefined, warn)
    } catch (mistake) {
      warn(mistake)
    }
  }

  /** Something else than the application failed, in a way that nobody foresaw. */
  threw(thrown: unknown): void {
    this.#mistake(thrown)
  }

  #watch(answer: unknown): void {
    if (isThenable(answer)) answer.then(undefined, (error: unknown) => this.#mistake(error))
  }

  #mistake(thrown: unknown): void {
    const { readyState } = this.#connection
    const error =
      thrown instanceof Error ? thrown : new WebSocketError('ERR_WS_HANDLER', 'A handler threw', { cause: thrown })
    // Who waited for something of a connection that has ended was told so that way: no mistake.
    if (error instanceof ConnectionClosedError && readyState !== ReadyState.Open) return
    // A mistake must not stay unseen. What peers and networks do is everyday life, and does not come here.
    const canBeTold = this.#told === undefined && readyState !== ReadyState.Closed
    if (this.#handler.error === undefined || !(canBeTold || this.#told === error)) warn(error)
    this.#failed(error)
  }
}

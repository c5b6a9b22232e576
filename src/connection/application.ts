/**
 * The application's functions, called so that nothing they do harms anybody else: what they throw, or reject with,
 * ends their own connection (`mistaken`).
 */
import { ConnectionClosedError, WebSocketError } from '../errors.ts'
import type { CloseInfo } from '../errors.ts'
import { isThenable, warn } from './deferred.ts'
import { channels } from './diagnostics.ts'
import { ReadyState } from './ending.ts'
import type { ConnectionHandler } from './handler.ts'

/** Of a connection, what its application's mistakes are about. */
interface Subject {
  readonly readyState: 1 | 2 | 3
  /** What `error` was told. */
  told: Error | undefined
  /** 7.1.7, with 1011: a function of the handler threw, or rejected. */
  mistaken(error: Error): void
}

const applications = new WeakMap<object, Application<never>>()

/** One for each handler, however many connections it has. */
export class Application<C extends Subject> {
  readonly #handler: ConnectionHandler<C>

  static of<C extends Subject>(handler: ConnectionHandler<C>): Application<C> {
    let application = applications.get(handler) as Application<C> | undefined
    if (application === undefined) {
      application = new Application(handler)
      applications.set(handler, application)
    }
    return application
  }

  private constructor(handler: ConnectionHandler<C>) {
    this.#handler = handler
  }

  /** Whether messages are for the handler. */
  get takesMessages(): boolean {
    return this.#handler.message !== undefined
  }

  /** Answers a promise while an async `open` has not settled. */
  open(ws: C): Promise<unknown> | undefined {
    if (channels.open.hasSubscribers) channels.open.publish({ connection: ws })
    try {
      const opening = this.#handler.open?.(ws)
      if (!isThenable(opening)) return undefined
      return Promise.resolve(opening).catch((error: unknown) => this.#mistake(ws, error))
    } catch (error) {
      this.#mistake(ws, error)
      return undefined
    }
  }

  message(ws: C, data: string | Buffer, isBinary: boolean): void {
    try {
      this.#watch(ws, this.#handler.message?.(ws, data, isBinary))
    } catch (error) {
      this.#mistake(ws, error)
    }
  }

  ping(ws: C, payload: Buffer): void {
    try {
      this.#watch(ws, this.#handler.ping?.(ws, payload))
    } catch (error) {
      this.#mistake(ws, error)
    }
  }

  pong(ws: C, payload: Buffer): void {
    try {
      this.#watch(ws, this.#handler.pong?.(ws, payload))
    } catch (error) {
      this.#mistake(ws, error)
    }
  }

  drain(ws: C): void {
    try {
      this.#watch(ws, this.#handler.drain?.(ws))
    } catch (error) {
      this.#mistake(ws, error)
    }
  }

  close(ws: C, info: CloseInfo): void {
    if (channels.close.hasSubscribers) channels.close.publish({ connection: ws, info })
    try {
      this.#watch(ws, this.#handler.close?.(ws, info))
    } catch (error) {
      this.#mistake(ws, error)
    }
  }

  /** At most once. */
  error(ws: C, error: Error): void {
    if (ws.told !== undefined) return
    ws.told = error
    if (channels.error.hasSubscribers) channels.error.publish({ connection: ws, error })
    try {
      const answer = this.#handler.error?.(ws, error)
      if (isThenable(answer)) answer.then(undefined, warn)
    } catch (mistake) {
      warn(mistake)
    }
  }

  /** Something else than the application failed, in a way that nobody foresaw. */
  threw(ws: C, thrown: unknown): void {
    this.#mistake(ws, thrown)
  }

  #watch(ws: C, answer: unknown): void {
    if (isThenable(answer)) answer.then(undefined, (error: unknown) => this.#mistake(ws, error))
  }

  #mistake(ws: C, thrown: unknown): void {
    const { readyState } = ws
    const error =
      thrown instanceof Error ? thrown : new WebSocketError('ERR_WS_HANDLER', 'A handler threw', { cause: thrown })
    // Who waited for something of a connection that has ended was told so that way: no mistake.
    if (error instanceof ConnectionClosedError && readyState !== ReadyState.Open) return
    // A mistake must not stay unseen. What peers and networks do is everyday life, and does not come here.
    const canBeTold = ws.told === undefined && readyState !== ReadyState.Closed
    if (this.#handler.error === undefined || !(canBeTold || ws.told === error)) warn(error)
    ws.mistaken(error)
  }
}

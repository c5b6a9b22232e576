/**
 * Connections one after another, for as long as somebody asks for them (RFC 6455 7.2.3): when one has ended, or could not be
 * opened, the next comes after a delay. The loop is the user's, and with it what there is to say on a new connection.
 */
import { checkCallbacks } from '../connection/index.ts'
import { CloseCode } from '../framing/index.ts'
import { HandshakeError, invalidType } from '../errors.ts'
import { orAborted } from './abort.ts'
import { backoffSettings, delayBefore } from './backoff.ts'
import type { BackoffOptions, BackoffSettings } from './backoff.ts'
import { connect, prepare } from './connect.ts'
import type { ConnectOptions } from './connect.ts'
import type { ClientConnection } from './connection.ts'

export interface ReconnectingOptions<Data = undefined> extends ConnectOptions<Data>, BackoffOptions {
  /** Ends the loop with its reason, and closes the connection that is open. */
  readonly signal?: AbortSignal
  /**
   * Whether to try again after an attempt has failed with `error`, the `attempt`th in a row from 1 up. Unless given: after a
   * `HandshakeError`, but not if the answer has a status from 300 to 499 other than 408, 425 and 429.
   */
  readonly retry?: (error: unknown, attempt: number) => boolean | Promise<boolean>
}

type Retry = NonNullable<ReconnectingOptions['retry']>

/**
 * Open connections to a `ws:` or `wss:` URI, for one `for await`. The next is opened when the loop asks for it and the one
 * before has ended, after a delay that grows from `minDelay` to `maxDelay` while connections fail or do not last; the first
 * at once. Leaving the loop closes the connection that is open, and does not wait for its end.
 *
 * The loop throws what an attempt failed with if `retry` answers `false`, and the reason of `signal`. Throws a `TypeError` or
 * `RangeError` for wrong arguments at once.
 */
export function reconnecting<Data = undefined>(
  uri: string | URL,
  options: ReconnectingOptions<Data> = {},
): AsyncIterableIterator<ClientConnection<Data>, undefined> {
  const { minDelay, maxDelay, factor, jitter, stableAfter, retry = isTransient, ...others } = options
  const settings = backoffSettings({ minDelay, maxDelay, factor, jitter, stableAfter })
  checkCallbacks({ retry }, 'retry')
  // Headers may be an iterable that can be gone through once only.
  const { headers } = prepare(uri, others).first
  const open = (signal: AbortSignal): Promise<ClientConnection<Data>> => connect(uri, { ...others, headers, signal })
  return new Reconnecting(open, settings, retry, others.signal)
}

/** Statuses that say "later", among those that say "not like this". */
const LATER = new Set([408, 425, 429])

function isTransient(error: unknown): boolean {
  if (!(error instanceof HandshakeError)) return false
  const { status = 0 } = error
  return status < 300 || status >= 500 || LATER.has(status)
}

/** What has to be known of a connection. */
export interface Reconnectable {
  readonly closed: Promise<unknown>
  close(code: number): unknown
}

/** What tests replace. */
export interface World {
  /** Milliseconds, from whenever. */
  readonly now: () => number
  readonly random: () => number
}

const THE_WORLD: World = { now: () => performance.now(), random: () => Math.random() }

/** What ends a wait when the loop is left. */
const LEFT = Symbol('left')

export class Reconnecting<C extends Reconnectable> implements AsyncIterableIterator<C, undefined> {
  readonly #open: (signal: AbortSignal) => Promise<C>
  readonly #settings: BackoffSettings
  readonly #retry: Retry
  readonly #userSignal: AbortSignal | undefined
  readonly #world: World
  /** Ends whatever is waited for. */
  readonly #stop = new AbortController()
  readonly #onAbort = (): void => this.#end(this.#userSignal?.reason)
  /** The connection that the loop was given last. */
  #current: C | undefined = undefined
  /** Nothing was tried yet. */
  #isFirst = true
  /** Attempts that failed in a row. */
  #failures = 0
  /** How often there was a delay since a connection that lasted. */
  #delays = 0
  #isIterated = false
  #isAsked = false
  #isOver = false

  constructor(
    open: (signal: AbortSignal) => Promise<C>,
    settings: BackoffSettings,
    retry: Retry,
    signal: AbortSignal | undefined,
    world: World = THE_WORLD,
  ) {
    this.#open = open
    this.#settings = settings
    this.#retry = retry
    this.#userSignal = signal
    this.#world = world
    if (signal?.aborted === true) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort)
  }

  /** Throws a `TypeError` the second time: two loops would take connections from each other. */
  [Symbol.asyncIterator](): this {
    if (this.#isIterated) throw misuse('is for one loop: call it again for another')
    this.#isIterated = true
    return this
  }

  async next(): Promise<IteratorResult<C, undefined>> {
    if (this.#isAsked) throw misuse('has been asked for the next connection, and has not answered yet')
    if (this.#isOver) return { value: undefined, done: true }
    this.#isAsked = true
    try {
      return { value: await this.#next(), done: false }
    } catch (error) {
      this.#isOver = true
      this.#end(error)
      if (error === LEFT) return { value: undefined, done: true }
      throw error
    } finally {
      this.#isAsked = false
    }
  }

  /** The loop is left. */
  return(): Promise<IteratorResult<C, undefined>> {
    this.#isOver = true
    this.#end(LEFT)
    return Promise.resolve({ value: undefined, done: true })
  }

  #end(reason: unknown): void {
    this.#userSignal?.removeEventListener('abort', this.#onAbort)
    this.#stop.abort(reason)
    this.#current?.close(CloseCode.NormalClosure)
    this.#current = undefined
  }

  async #next(): Promise<C> {
    const { signal } = this.#stop
    signal.throwIfAborted()
    await orAborted(this.#current?.closed, signal)
    for (;;) {
      if (!this.#isFirst) await pause(delayBefore(++this.#delays, this.#settings, this.#world.random()), signal)
      this.#isFirst = false
      try {
        return this.#opened(await this.#open(signal))
      } catch (error) {
        signal.throwIfAborted()
        if (!(await orAborted(this.#retry(error, ++this.#failures), signal))) throw error
      }
    }
  }

  #opened(connection: C): C {
    const { now } = this.#world
    const { signal } = this.#stop
    // The loop was left while the last step of this one was on its way.
    if (signal.aborted) connection.close(CloseCode.NormalClosure)
    signal.throwIfAborted()
    const openedAt = now()
    void connection.closed.then(() => {
      if (now() - openedAt >= this.#settings.stableAfter) this.#delays = 0
    })
    this.#failures = 0
    this.#current = connection
    return connection
  }
}

/** It keeps the process alive, as a connection would. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  try {
    await orAborted(over, signal)
  } finally {
    clearTimeout(timer)
  }
}

function misuse(problem: string): TypeError {
  return invalidType('ERR_WS_ITERATION', `reconnecting() ${problem}`)
}

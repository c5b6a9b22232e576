/**
 * Messages for `for await`: a small queue between the connection, which fills it, and the consumers, who empty it.
 * When it is full the connection stops reading, and TCP makes the peer wait.
 */

import { ConnectionClosedError } from '../errors.ts'
import type { CloseInfo } from '../errors.ts'
import { CloseCode } from '../framing/index.ts'
import { Deferred } from './deferred.ts'

/** Messages that wait before reading stops. */
const MAX_QUEUED = 16

/** A message as it arrives: text, or octets. */
export type Message = string | Buffer

/** A queue of messages, to be iterated over. */
export class MessageQueue<T = Message> implements AsyncIterableIterator<T, undefined> {
  readonly #queued: T[] = []
  /** Consumers that wait for a message; while there are any, nothing is queued. */
  readonly #takers: Deferred<IteratorResult<T, undefined>>[] = []
  readonly #wanted: () => void
  #ended = false
  /** A message found no room, and was lost; so are all behind it, that no loop may see a gap. */
  #cut = false
  #error: Error | undefined = undefined

  /** `wanted` is called when the queue has room again. */
  constructor(wanted: () => void) {
    this.#wanted = wanted
  }

  /** @internal */
  get full(): boolean {
    return this.#queued.length >= MAX_QUEUED
  }

  /**
   * What waits to be taken.
   * @internal
   */
  get waiting(): readonly T[] {
    return this.#queued
  }

  /**
   * Whether nothing follows and nothing waits.
   * @internal
   */
  get over(): boolean {
    return this.#ended && this.#queued.length === 0
  }

  /** @internal */
  push(message: T): void {
    const taker = this.#takers.shift()
    if (taker === undefined) this.#queued.push(message)
    else taker.resolve({ value: message, done: false })
  }

  /**
   * Takes a message that cannot be made to wait: while the connection closes, reading goes on without a consumer.
   * @internal
   */
  offer(message: T): void {
    this.#cut ||= this.full
    if (!this.#cut) this.push(message)
  }

  /**
   * Nothing follows; the loops end, with an error if it was a connection that ended as connections should not.
   * @internal
   */
  end(info?: CloseInfo): void {
    this.fail(info === undefined || endedWell(info) ? undefined : new ConnectionClosedError(info))
  }

  /**
   * Nothing follows; the loops end with `error`, if there is one.
   * @internal
   */
  fail(error: Error | undefined): void {
    this.#ended = true
    this.#error = error
    for (const taker of this.#takers.splice(0)) taker.resolve(this.next())
  }

  /**
   * Takes all that waits.
   * @internal
   */
  takeAll(): T[] {
    this.#wanted()
    return this.#queued.splice(0)
  }

  /** The next one, as soon as there is one. */
  next(): Promise<IteratorResult<T, undefined>> {
    const message = this.#queued.shift()
    if (message !== undefined) {
      this.#wanted()
      return Promise.resolve({ value: message, done: false })
    }
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    const taker = new Deferred<IteratorResult<T, undefined>>()
    this.#takers.push(taker)
    return taker.promise
  }

  /** Leaving a loop leaves the connection as it is: the next loop goes on where this one stopped. */
  return(): Promise<IteratorResult<T, undefined>> {
    return Promise.resolve({ value: undefined, done: true })
  }

  /** Itself: what was read is gone. */
  [Symbol.asyncIterator](): this {
    return this
  }
}

/** Nobody who waits for messages needs to hear of these as of an error. */
function endedWell({ code, wasClean }: CloseInfo): boolean {
  const normal = code === CloseCode.NormalClosure || code === CloseCode.GoingAway || code === CloseCode.NoStatusReceived
  return wasClean && normal
}

/**
 * Sending to some and to all: who has subscribed to what, and messages that are encoded once, however many receive them.
 */
import { ReadyState } from '../connection/index.ts'
import type { PreparedMessage } from '../connection/index.ts'

/** A member of topics. */
export interface Subscriber {
  readonly readyState: number
  /** @internal */
  sendPrepared(message: PreparedMessage): boolean
}

export class Topics<S extends Subscriber> {
  readonly #subscribers = new Map<string, Set<S>>()

  subscribers(topic: string): ReadonlySet<S> | undefined {
    return this.#subscribers.get(topic)
  }

  add(topic: string, subscriber: S): void {
    const subscribers = this.#subscribers.get(topic)
    if (subscribers === undefined) this.#subscribers.set(topic, new Set([subscriber]))
    else subscribers.add(subscriber)
  }

  /** A topic without subscribers is forgotten: names of topics may come from peers, and must not pile up. */
  delete(topic: string, subscriber: S): void {
    const subscribers = this.#subscribers.get(topic)
    if (subscribers?.delete(subscriber) === true && subscribers.size === 0) this.#subscribers.delete(topic)
  }
}

/** Sends a message to all of `receivers` that are open, but for one; answers to how many. */
export function sendToAll<S extends Subscriber>(receivers: Iterable<S>, message: PreparedMessage, except?: S): number {
  let count = 0
  for (const receiver of receivers) {
    if (receiver === except || receiver.readyState !== ReadyState.Open) continue
    receiver.sendPrepared(message)
    count++
  }
  return count
}

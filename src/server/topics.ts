/**
 * Sending to some and to all: who has subscribed to what, and messages that are encoded once, however many receive them.
 */
import { ReadyState, checkCount, opcodeOf, payloadOf } from '../connection/index.ts'
import type { MessageData, SendOptions } from '../connection/index.ts'
import { FrameList, writeMessage } from '../framing/index.ts'

/** A member of topics: something that takes encoded frames. */
export interface Subscriber {
  readonly readyState: number
  /** @internal */
  sendEncoded(frames: readonly Buffer[]): boolean
}

/** The frames of a message as a server sends them: unmasked, so that they are the same for every client (5.1). */
export function encodeMessage(
  data: MessageData,
  options: SendOptions | undefined,
  fragmentSize: number,
): readonly Buffer[] {
  const payload = payloadOf(data)
  const opcode = opcodeOf(payload, options?.binary)
  const target = new FrameList()
  writeMessage(target, opcode, payload, false, checkCount('fragmentSize', options?.fragmentSize ?? fragmentSize))
  return target.frames
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

/** Sends frames to all of `receivers` that are open, but for one; answers to how many. */
export function sendToAll<S extends Subscriber>(receivers: Iterable<S>, frames: readonly Buffer[], except?: S): number {
  let count = 0
  for (const receiver of receivers) {
    if (receiver === except || receiver.readyState !== ReadyState.Open) continue
    receiver.sendEncoded(frames)
    count++
  }
  return count
}

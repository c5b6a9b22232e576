/**
 * Events as the standard's `WebSocket` shows them: the types of its events, and event handler IDL attributes such as
 * `onmessage` (HTML, "Event handlers").
 *
 * An attribute is a listener among the others. It takes its place in their order when it is first set, keeps that place
 * when the function is replaced, and gives it up when it is set to null.
 */
import type { CloseEvent } from './events.ts'
import type { WebSocket } from './websocket.ts'

/** What a `WebSocket` tells, by the type of the event. */
export interface WebSocketEventMap {
  open: Event
  message: MessageEvent
  /** Always followed by `close`. Of what went wrong the standard tells nothing; `connect` does. */
  error: Event
  close: CloseEvent
}

/**
 * The value of an event handler IDL attribute; `this` is the socket. A function that returns `false` cancels an event
 * that can be cancelled.
 */
export type EventHandler<E extends Event> = ((this: EventTarget, event: E) => unknown) | null

type Listening = Parameters<EventTarget['addEventListener']>
type Unlistening = Parameters<EventTarget['removeEventListener']>

interface WebSocketTarget extends EventTarget {
  /** Listens for one of the socket's events. */
  addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (this: WebSocket, event: WebSocketEventMap[Type]) => unknown,
    options?: Listening[2],
  ): void
  /** Listens for any other event. */
  addEventListener(type: string, listener: Listening[1], options?: Listening[2]): void
  /** Ends to listen for one of the socket's events. */
  removeEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (this: WebSocket, event: WebSocketEventMap[Type]) => unknown,
    options?: Unlistening[2],
  ): void
  /** Ends to listen for any other event. */
  removeEventListener(type: string, listener: Unlistening[1], options?: Unlistening[2]): void
}

/** The platform's `EventTarget`, with the types of these events. */
export const WebSocketTarget: new () => WebSocketTarget = EventTarget

export class HandlerAttribute {
  readonly #target: EventTarget
  readonly #type: string
  #callback: object | null = null

  constructor(target: EventTarget, type: string) {
    this.#target = target
    this.#type = type
  }

  get value(): object | null {
    return this.#callback
  }

  set value(value: unknown) {
    // [LegacyTreatNonObjectAsNull]: an object that cannot be called is kept, and does nothing.
    const callback = typeof value === 'object' || typeof value === 'function' ? value : null
    // "Deactivate an event handler", or "activate" it: a listener that is there already keeps its place.
    if (callback === null) this.#target.removeEventListener(this.#type, this.#listener)
    else this.#target.addEventListener(this.#type, this.#listener)
    this.#callback = callback
  }

  /** "The event handler processing algorithm". */
  readonly #listener = (event: Event): void => {
    if (typeof this.#callback !== 'function') return
    const returned: unknown = Reflect.apply(this.#callback, event.currentTarget, [event])
    if (returned === false) event.preventDefault()
  }
}

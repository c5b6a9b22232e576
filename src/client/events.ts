/**
 * `CloseEvent` (WHATWG WebSockets, "The CloseEvent interface") and `ErrorEvent` (HTML, "The ErrorEvent interface"): the
 * classes of the runtime where it has them, so that `instanceof` means the same everywhere, and the same classes from
 * here where it does not. Node 20 has neither.
 */
import { toUSVString } from 'node:util'
import { defineInterface, requireArguments, toDOMString, toUnsignedLong, toUnsignedShort } from './websocket-idl.ts'

type EventInit = NonNullable<ConstructorParameters<typeof Event>[1]>

/** What a `CloseEvent` is made of. */
export interface CloseEventInit extends EventInit {
  wasClean?: boolean
  code?: number
  reason?: string
}

/** The connection has ended. */
export interface CloseEvent extends Event {
  /** Close frames have crossed in both directions. */
  readonly wasClean: boolean
  /** The code in the server's Close frame; 1005 when it had none, 1006 when none came. */
  readonly code: number
  /** The reason in the server's Close frame, or empty. */
  readonly reason: string
}

/** What an `ErrorEvent` is made of. */
export interface ErrorEventInit extends EventInit {
  message?: string
  filename?: string
  lineno?: number
  colno?: number
  error?: unknown
}

/** An exception that reached a global object. A `WebSocket` tells its own failures with a plain `Event`. */
export interface ErrorEvent extends Event {
  readonly message: string
  readonly filename: string
  readonly lineno: number
  readonly colno: number
  readonly error: unknown
}

/** The constructor of an event. */
export interface EventClass<E extends Event, Init> {
  readonly prototype: E
  new (type: string, init?: Init): E
}

class OwnCloseEvent extends Event {
  readonly #wasClean: boolean
  readonly #code: number
  readonly #reason: string

  constructor(type: string, init: CloseEventInit | null = {}) {
    requireArguments(arguments.length, 1, 'new CloseEvent()')
    super(type, init ?? {})
    const { wasClean = false, code = 0, reason = '' } = init ?? {}
    this.#wasClean = Boolean(wasClean as unknown)
    this.#code = toUnsignedShort(code)
    this.#reason = toUSVString(reason)
  }

  get wasClean(): boolean {
    return this.#wasClean
  }

  get code(): number {
    return this.#code
  }

  get reason(): string {
    return this.#reason
  }
}
defineInterface(OwnCloseEvent, 'CloseEvent')

class OwnErrorEvent extends Event {
  readonly #message: string
  readonly #filename: string
  readonly #lineno: number
  readonly #colno: number
  readonly #error: unknown

  constructor(type: string, init: ErrorEventInit | null = {}) {
    requireArguments(arguments.length, 1, 'new ErrorEvent()')
    super(type, init ?? {})
    const { message = '', filename = '', lineno = 0, colno = 0, error } = init ?? {}
    this.#message = toDOMString(message)
    this.#filename = toUSVString(filename)
    this.#lineno = toUnsignedLong(lineno)
    this.#colno = toUnsignedLong(colno)
    this.#error = error
  }

  get message(): string {
    return this.#message
  }

  get filename(): string {
    return this.#filename
  }

  get lineno(): number {
    return this.#lineno
  }

  get colno(): number {
    return this.#colno
  }

  get error(): unknown {
    return this.#error
  }
}
defineInterface(OwnErrorEvent, 'ErrorEvent')

/** Looked up by name: whether the runtime has it, no type knows. */
function ofRuntime<Class>(name: string, own: Class): Class {
  return (Reflect.get(globalThis, name) as Class | undefined) ?? own
}

/** The class `CloseEvent`: of the runtime, or from here. */
export const CloseEvent: EventClass<CloseEvent, CloseEventInit> = ofRuntime('CloseEvent', OwnCloseEvent)
/** The class `ErrorEvent`: of the runtime, or from here. */
export const ErrorEvent: EventClass<ErrorEvent, ErrorEventInit> = ofRuntime('ErrorEvent', OwnErrorEvent)

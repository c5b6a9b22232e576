import { inspect } from 'node:util'

/** A promise with its two ends in hand; what `Promise.withResolvers` is in later versions of Node. */
export class Deferred<T> {
  readonly promise: Promise<T>
  resolve!: (value: T | PromiseLike<T>) => void
  reject!: (error: unknown) => void

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Whoever waits hears of a failure; that nobody waits is no fault.
    this.promise.catch(() => {})
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Tells a mistake that there is nobody else to tell of. */
export function warn(mistake: unknown): void {
  process.emitWarning(mistake instanceof Error ? mistake : inspect(mistake))
}

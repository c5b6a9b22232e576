/** Waiting that ends when a signal aborts. */
import { Deferred } from '../connection/index.ts'

/** Settles as `promise` does; rejects with the reason of `signal` when that aborts first, or has aborted. */
export async function orAborted<T>(promise: T | PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted()
  const stop = new Deferred<never>()
  const onAbort = (): void => stop.reject(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  try {
    return await Promise.race([promise, stop.promise])
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

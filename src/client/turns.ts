/**
 * RFC 6455 4.1: "There MUST be no more than one connection in a CONNECTING state" to one host and port. Attempts wait
 * for their turn in the order in which they came.
 */

import { orAborted } from './abort.ts'

/** What the next attempt has to wait for, by place. */
const last = new Map<string, Promise<unknown>>()

/**
 * Settles when it is this one's turn at `place`, with the function that ends the turn. Rejects with the reason of
 * `signal` when that aborts first.
 */
export async function takeTurn(place: string, signal: AbortSignal | undefined): Promise<() => void> {
  const before = last.get(place)
  let end!: () => void
  const turn = new Promise<void>((resolve) => {
    end = resolve
  })
  const over: Promise<unknown> = Promise.all([before, turn]).then(() => {
    if (last.get(place) === over) last.delete(place)
  })
  last.set(place, over)
  try {
    await orAborted(before, signal)
  } catch (error) {
    end()
    throw error
  }
  return end
}

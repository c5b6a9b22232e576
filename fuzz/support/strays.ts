/** What is thrown where nobody can catch it: from timers, from streams, in promises that nobody watches. */

const strays: Error[] = []

function keep(thrown: unknown): void {
  strays.push(thrown instanceof Error ? thrown : new Error(`thrown: ${String(thrown)}`))
}

/** From now on strays are kept; and warnings, which the library writes for mistakes of handlers, are not printed. */
export function catchStrays(): void {
  process.on('uncaughtException', keep).on('unhandledRejection', keep)
  process.removeAllListeners('warning')
}

/** The first stray since the last call. */
export function takeStray(): Error | undefined {
  const [first] = strays
  strays.length = 0
  return first
}

/** What all kinds of traffic have in common, so that measuring need not know which it is. */

export interface Traffic {
  /** Messages, deliveries or connections that came to their end so far. */
  readonly count: number
  /** Octets of the replies' payloads so far. */
  readonly octets: number
  /** Rejects when something goes wrong. */
  readonly failure: Promise<never>
  /** From now on, there is always as much on its way as the scenario says. */
  run(): void
  /**
   * Sends what is due at `due`, whatever is on its way; answers how many ends are to come of it. `answered` is called for each of
   * them.
   */
  issue(due: number): number
  answered: (due: number) => void
  end(): void
}

/** A promise that is rejected from elsewhere, and that need not be awaited. */
export function failure(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<never>((_, refuse) => (reject = refuse))
  promise.catch(() => {})
  return { promise, reject }
}

/** What a server, or a handler, has done so far, in figures. */
import { createCounts } from '../connection/index.ts'
import type { Counts } from '../connection/index.ts'
import { HandshakeError } from '../errors.ts'

/** All but the first three and `bufferedAmount` only grow. */
export interface ServerStats {
  /** Milliseconds since it was made. */
  readonly uptime: number
  /** Connections that are open or closing. */
  readonly connections: number
  /** Opening handshakes that have no answer yet. */
  readonly pendingHandshakes: number
  /** Octets that connections sent and the operating system has not taken yet. */
  readonly bufferedAmount: number
  /** Connections that were opened, and those of them that have ended. */
  readonly opened: number
  readonly closed: number
  /** What `handshakeError` was told of, by the status that was answered; `none` where nobody was left to answer. */
  readonly refused: Readonly<Record<string, number>>
  /** Messages that were handed on to the application. */
  readonly messagesReceived: number
  /** Messages that were accepted from it; each receiver of a broadcast counts. */
  readonly messagesSent: number
  /** Octets of frames, headers included. */
  readonly octetsReceived: number
  readonly octetsSent: number
}

/** Openings that were refused, by status. */
export class Refusals {
  readonly byStatus: Map<string, number> = new Map()

  add(error: Error): void {
    const status = String((error instanceof HandshakeError ? error.status : undefined) ?? 'none')
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1)
  }
}

/** Where it is counted: a handler, or a server apart from its handlers. */
export interface Counted {
  readonly openings: { readonly pending: number }
  readonly refusals: Refusals
  readonly connections: Iterable<{ readonly bufferedAmount: number }>
  readonly counts: Counts
}

/** The figures of all `parts` together; `begun` is when they began, by `performance.now()`. */
export function statsOf(begun: number, parts: readonly Counted[]): ServerStats {
  const total = createCounts()
  const refused: Record<string, number> = {}
  let pendingHandshakes = 0
  let bufferedAmount = 0
  for (const { openings, refusals, connections, counts } of parts) {
    pendingHandshakes += openings.pending
    for (const connection of connections) bufferedAmount += connection.bufferedAmount
    for (const [status, count] of refusals.byStatus) refused[status] = (refused[status] ?? 0) + count
    for (const name of Object.keys(total) as (keyof Counts)[]) total[name] += counts[name]
  }
  const connections = total.opened - total.closed
  return { uptime: performance.now() - begun, connections, pendingHandshakes, bufferedAmount, ...total, refused }
}

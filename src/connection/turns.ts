/**
 * Whose turn it is to be read. As long as a socket has more to bring, libuv reads 2 MiB of it before it looks at another
 * one, and for messages of a few octets that takes a fifth of a second.
 */

/** A read that brings less than there is room for has emptied its socket, which then waits by itself; TLS has less room. */
const LEAST_FULL = 16_384
/** Milliseconds of a turn of the event loop in which sockets are read as long as they like. */
const SHARE_OF_A_TURN = 5

/** When the first read of this turn was over that left something. */
let began: number | undefined

/** Whether a connection, of which `octets` have been read where there is room for as many as `room`, has to wait for the next turn. */
export function hasToWait(octets: number, room: number): boolean {
  if (octets < room || room < LEAST_FULL) return false
  const now = performance.now()
  if (began === undefined) {
    began = now
    setImmediate(beginTurn)
  }
  return now - began >= SHARE_OF_A_TURN
}

function beginTurn(): void {
  began = undefined
}

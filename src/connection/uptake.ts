/**
 * Whether the peer takes what waits for it. Over a slow link a Ping stands behind all that was sent before, and its answer may
 * take minutes; meanwhile it is the octets that go which show that somebody is there.
 *
 * Only what goes after the operating system had no room left counts: what it had room for it takes from anybody, also for a
 * peer that has gone; it gets room again when the peer's has confirmed what it received.
 */
import type { Duplex } from 'node:stream'

interface Transport extends Duplex {
  /** Octets that it was given, of a socket. */
  readonly bytesWritten?: number
  /** `writeQueueSize`: of the write that is under way, octets that have not gone. Not on every runtime. */
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

export class Uptake {
  readonly #transport: Transport
  #waits = false
  /** Octets whose write is over; only its growth means anything. */
  #written = 0
  #underWay = 0

  constructor(transport: Transport) {
    this.#transport = transport
    this.#look()
  }

  /** Whether anything has gone, since the last look, of what waited then. */
  goesOn(): boolean {
    const waited = this.#waits
    const written = this.#written
    const underWay = this.#underWay
    this.#look()
    return waited && (this.#written > written || this.#underWay < underWay)
  }

  #look(): void {
    const { bytesWritten = 0, writableLength, _handle: handle } = this.#transport
    this.#waits = writableLength > 0
    this.#written = bytesWritten - writableLength
    this.#underWay = handle?.writeQueueSize ?? 0
  }
}

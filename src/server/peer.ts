/**
 * Who is at the other end of a transport. Its address costs a system call and several objects, a tenth of what a short
 * connection costs in all: so it is asked for when somebody wants it, which must be while the transport is there.
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export class Peer {
  #socket: Duplex | undefined
  #address = ''

  constructor(socket: Duplex) {
    this.#socket = socket
  }

  /** Empty where the transport has none, as on a Unix socket. */
  get address(): string {
    if (this.#socket instanceof Socket) this.#address = this.#socket.remoteAddress ?? ''
    this.#socket = undefined
    return this.#address
  }
}

/**
 * A transport in memory, and the peer at its other end. It behaves as a socket does: a write is taken at once while the peer
 * reads, and waits while it does not. What a connection wrote is copied as soon as the peer takes it.
 */
import { Duplex } from 'node:stream'

type Done = (error?: Error) => void

export class Transport extends Duplex {
  /** All that the peer has taken. */
  readonly taken: Buffer[] = []
  /** The peer has sent its FIN. */
  ended = false
  #reading = true
  #waiting: { readonly chunks: readonly Buffer[]; readonly done: Done } | undefined = undefined

  constructor() {
    super({ allowHalfOpen: true, writableHighWaterMark: 4096, readableHighWaterMark: 65_536 })
  }

  /** Whether the peer takes what is written. */
  set reading(reading: boolean) {
    this.#reading = reading
    const waiting = this.#waiting
    if (!reading || waiting === undefined) return
    this.#waiting = undefined
    this.#take(waiting.chunks, waiting.done)
  }

  /** Octets from the peer; none behind its FIN. */
  receive(octets: Buffer): boolean {
    if (this.ended || this.destroyed) return false
    // Who reads unmasks in place.
    this.push(Buffer.from(octets))
    return true
  }

  /** The peer's FIN. */
  receiveEnd(): void {
    if (this.ended || this.destroyed) return
    this.ended = true
    this.push(null)
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#take([chunk], done)
  }

  override _writev(entries: { chunk: Buffer }[], done: Done): void {
    const chunks = entries.map(({ chunk }) => chunk)
    this.#take(chunks, done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#waiting?.done(new Error('canceled'))
    this.#waiting = undefined
    done(error)
  }

  #take(chunks: readonly Buffer[], done: Done): void {
    if (!this.#reading) {
      this.#waiting = { chunks, done }
      return
    }
    for (const chunk of chunks) this.taken.push(Buffer.from(chunk))
    done()
  }
}

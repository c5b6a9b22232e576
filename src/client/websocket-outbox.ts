/**
 * What `send` of a `WebSocket` took, on its way to the connection.
 *
 * A Blob has to be read before it can be sent; all that is sent after it waits behind it, and so does the Close frame.
 *
 * `bufferedAmount` is the payload that had not been handed to the network when the current task began, and all that was
 * sent since: within a task it only grows. What the connection has waiting is octets of frames, so while a queue
 * empties their headers may count too, but never more than was sent; and of what was compressed only what is left of it.
 * What is left when the connection fails stays.
 */
import { ReadyState } from '../connection/index.ts'
import type { Connection } from '../connection/index.ts'

/** Text, octets that are the caller's, or a Blob. */
export type Outgoing = string | Buffer | Blob

export function sizeOf(data: Outgoing): number {
  if (typeof data === 'string') return Buffer.byteLength(data)
  return data instanceof Blob ? data.size : data.length
}

/** Those to which something was passed on in this task. */
let changed: Outbox[] = []

function endTask(): void {
  const outboxes = changed
  changed = []
  for (const outbox of outboxes) outbox.settle()
}

export class Outbox {
  readonly #connection: Connection<undefined>
  /** Octets that the connection was given and may still have. */
  #passed = 0
  /** Octets that it was not given: they wait for a Blob, or waited for one until it was too late. */
  #held = 0
  #changed = false
  #failed = false
  /** Settles when the last that waits for a Blob has been passed on. */
  #turn: Promise<void> | undefined = undefined

  constructor(connection: Connection<undefined>) {
    this.#connection = connection
  }

  get bufferedAmount(): number {
    if (!this.#changed) this.settle()
    return this.#passed + this.#held
  }

  send(data: Outgoing): void {
    const size = sizeOf(data)
    if (!(data instanceof Blob) && this.#turn === undefined) {
      this.#pass(data, size)
      return
    }
    this.#held += size
    // The caller may do with the octets what it likes.
    const own = Buffer.isBuffer(data) ? Buffer.from(data) : data
    this.#wait(async () => {
      const payload = own instanceof Blob ? Buffer.from(await own.arrayBuffer()) : own
      if (this.#connection.readyState !== ReadyState.Open) return
      this.#held -= size
      this.#pass(payload, size)
    })
  }

  /** Starts the closing handshake when all that was sent before has been passed on. */
  close(code: number | undefined, reason: string): void {
    if (this.#turn === undefined) void this.#connection.close(code, reason)
    else this.#wait(() => void this.#connection.close(code, reason))
  }

  /** Looks how much of what was passed on has left. */
  settle(): void {
    this.#changed = false
    if (!this.#failed) this.#passed = Math.min(this.#passed, this.#connection.bufferedAmount)
  }

  /** The connection has failed: that it keeps nothing any more does not mean that all was sent. */
  fail(): void {
    this.#failed = true
  }

  #pass(data: string | Buffer, size: number): void {
    if (!this.#changed) {
      this.settle()
      this.#changed = true
      if (changed.push(this) === 1) setImmediate(endTask)
    }
    this.#passed += size
    this.#connection.send(data)
  }

  /** Behind all that waits already. */
  #wait(step: () => void | Promise<void>): void {
    const turn = (this.#turn ?? Promise.resolve()).then(step).catch(() => {
      // A Blob can be a file that has changed since: "fail the WebSocket connection".
      this.#connection.terminate()
    })
    this.#turn = turn
    void turn.then(() => {
      if (this.#turn === turn) this.#turn = undefined
    })
  }
}

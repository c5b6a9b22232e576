/**
 * The way out: encoded frames wait here and leave together.
 *
 * All that one read from the peer caused leaves in one write when the read has been worked through (`begin`, `end`);
 * what is sent at other times leaves at the end of the tick. While a batch is open, small frames are encoded straight
 * into one slab of memory that all connections share. When the kernel has taken a write whole, its part of the slab is
 * free again at once; when not, that part belongs to the socket, and the next batch begins behind it.
 *
 * Backpressure is measured here, in octets that wait: here, and in the socket.
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FrameTarget } from '../framing/index.ts'

export interface OutputOwner {
  /** What was waiting has gone; asked for with `askDrain`. */
  outputDrained(): void
}

const SLAB_SIZE = 65_536
const NOTHING = Buffer.alloc(0)

let slab = Buffer.allocUnsafeSlow(SLAB_SIZE)
/** Where in the slab the open batch begins, up to where it has been handed on, and up to where it is claimed. */
let slabStart = 0
let slabSent = 0
let slabEnd = 0
/** The output whose batch is open and may claim from the slab. */
let slabOwner: Output | undefined

/** Outputs with frames that leave at the end of the tick. */
let waiting: Output[] = []

function flushWaiting(): void {
  const outputs = waiting
  waiting = []
  for (const output of outputs) output.flushLater()
}

export class Output implements FrameTarget {
  bytes: Buffer = NOTHING
  readonly #socket: Duplex
  readonly #owner: OutputOwner
  /** Frames that are not in the slab, in order; those in the slab come after them. */
  #chunks: Buffer[] | undefined = undefined
  /** Octets in `chunks` and in our part of the slab. */
  #queued = 0
  #inBatch = false
  #scheduled = false
  #drainAsked = false
  #probing = false

  constructor(socket: Duplex, owner: OutputOwner) {
    this.#socket = socket
    this.#owner = owner
  }

  /** Octets sent and not yet taken by the kernel. */
  get bufferedAmount(): number {
    return this.#queued + this.#socket.writableLength
  }

  /** Whether the socket has told us to hold back. */
  get blocked(): boolean {
    return this.#socket.writableNeedDrain
  }

  begin(): void {
    this.#inBatch = true
    // Another Duplex may hold on to what it is given, after it says that it is done.
    if (slabOwner === undefined && this.#socket instanceof Socket) slabOwner = this
  }

  end(): void {
    this.flush()
    this.#inBatch = false
    if (slabOwner === this) slabOwner = undefined
  }

  claim(size: number): number {
    if (slabOwner === this && size <= SLAB_SIZE) {
      if (slabEnd + size > SLAB_SIZE) this.#makeRoom(size)
      const at = slabEnd
      slabEnd += size
      this.#queued += size
      this.bytes = slab
      return at
    }
    this.bytes = Buffer.allocUnsafe(size)
    this.push(this.bytes)
    return 0
  }

  push(bytes: Buffer): void {
    this.#chunks ??= []
    if (slabOwner === this && slabEnd > slabSent) this.#chunks.push(takeSlab())
    this.#chunks.push(bytes)
    this.#queued += bytes.length
    if (!this.#inBatch && !this.#scheduled) {
      this.#scheduled = true
      if (waiting.push(this) === 1) process.nextTick(flushWaiting)
    }
  }

  /** Calls the owner when the queue has gone. */
  askDrain(): void {
    this.#drainAsked = true
    this.#watch()
  }

  /** The socket's `drain`: the queue has gone. */
  drained(): void {
    if (!this.#drainAsked) return
    this.#drainAsked = false
    this.#owner.outputDrained()
  }

  /** Hands everything on to the socket. */
  flush(): void {
    const chunks = this.#chunks
    this.#chunks = undefined
    this.#queued = 0
    const ownsSlab = slabOwner === this
    const rest = ownsSlab && slabEnd > slabSent ? takeSlab() : undefined
    if (chunks !== undefined) this.#writeAll(rest === undefined ? chunks : [...chunks, rest])
    else if (rest !== undefined) this.#socket.write(rest)
    if (ownsSlab) this.#recycleSlab()
    this.#watch()
  }

  flushLater(): void {
    this.#scheduled = false
    this.flush()
  }

  /** Forgets what has not been handed on. */
  discard(): void {
    this.#chunks = undefined
    this.#queued = 0
    if (slabOwner === this) slabSent = slabEnd
  }

  #writeAll(chunks: Buffer[]): void {
    const socket = this.#socket
    if (chunks.length === 1) {
      socket.write(chunks[0])
      return
    }
    socket.cork()
    for (const chunk of chunks) socket.write(chunk)
    socket.uncork()
  }

  #makeRoom(size: number): void {
    this.flush()
    if (slabEnd + size <= SLAB_SIZE) return
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE)
    slabStart = 0
    slabSent = 0
    slabEnd = 0
  }

  #recycleSlab(): void {
    if (this.#socket.writableLength > 0) slabStart = slabEnd
    slabSent = slabStart
    slabEnd = slabStart
  }

  /** A socket that holds us back says when it is done; of one that does not yet, an empty write finds out. */
  #watch(): void {
    if (!this.#drainAsked || this.#probing || this.#queued > 0) return
    if (this.blocked || !this.#socket.writable) return
    this.#probing = true
    this.#socket.write(NOTHING, (error) => {
      this.#probing = false
      // What a transport had not taken when it failed is not gone but lost.
      if (error instanceof Error) return
      if (this.bufferedAmount > 0) this.#watch()
      else this.drained()
    })
  }
}

function takeSlab(): Buffer {
  const piece = slab.subarray(slabSent, slabEnd)
  slabSent = slabEnd
  return piece
}

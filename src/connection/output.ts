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
import { Burst } from './burst.ts'
import type { Counts } from './counts.ts'

export interface OutputOwner {
  readonly settings: { readonly counts: Counts }
  /** The socket is given `bytes`; told while `tapped`. */
  written(bytes: Buffer): void
  /** What was waiting has gone; asked for with `askDrain`. */
  outputDrained(): void
  /** Bursts have been handed on, and the kernel has not taken all of them. */
  outputWaits(): void
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
/** Where the last claim lies. */
let claimed: Buffer = NOTHING

/** Outputs with frames that leave at the end of the tick. */
let waitingOutputs: Output[] = []

function flushWaiting(): void {
  const outputs = waitingOutputs
  waitingOutputs = []
  for (const output of outputs) output.flushLater()
}

/** What else there is to know of an output, each a bit. */
const IN_BATCH = 1
const SCHEDULED = 2
const DRAIN_ASKED = 4
const PROBING = 8
/** The transport is one that lets go of what the kernel has taken. */
const TAKES_SLAB = 16
/** Nobody has looked yet whether the socket could take what was pushed. */
const UNSEEN = 32
/** The owner wants to see what the socket is given. */
const TAPPED = 64

export class Output implements FrameTarget {
  readonly #socket: Duplex
  readonly #owner: OutputOwner
  /** Frames that are not in the slab, in order; those in the slab come after them. */
  #waiting: Burst | Buffer[] | undefined = undefined
  /** Octets in `waiting` and in our part of the slab. */
  #queued = 0
  #state: number

  constructor(socket: Duplex, owner: OutputOwner) {
    this.#socket = socket
    this.#owner = owner
    // Another Duplex may hold on to what it is given, after it says that it is done.
    this.#state = socket instanceof Socket ? TAKES_SLAB : 0
  }

  /** The memory in which the last claim lies, whosever it was: it is used at once. */
  get bytes(): Buffer {
    return claimed
  }

  /** Octets that wait here. */
  get queued(): number {
    return this.#queued
  }

  /** Octets sent and not yet taken by the kernel. */
  get bufferedAmount(): number {
    return this.#queued + this.#socket.writableLength
  }

  /** Whether the socket has told us to hold back. */
  get blocked(): boolean {
    return this.#socket.writableNeedDrain
  }

  set tapped(tapped: boolean) {
    this.#state = tapped ? this.#state | TAPPED : this.#state & ~TAPPED
  }

  begin(): void {
    this.#state |= IN_BATCH
    if (slabOwner === undefined && (this.#state & TAKES_SLAB) !== 0) slabOwner = this
  }

  end(): void {
    this.flush()
    this.#state &= ~IN_BATCH
    if (slabOwner === this) slabOwner = undefined
    if ((this.#state & UNSEEN) !== 0) this.#look()
  }

  claim(size: number): number {
    const at = this.claimUpTo(size)
    if (at >= 0) {
      this.settle(size)
      return at
    }
    const bytes = Buffer.allocUnsafe(size)
    this.push(bytes)
    claimed = bytes
    return 0
  }

  /** Only from the slab, as only there what is not needed can be given back. */
  claimUpTo(size: number): number {
    if (slabOwner !== this || size > SLAB_SIZE) return -1
    if (slabEnd + size > SLAB_SIZE) this.#makeRoom(size)
    claimed = slab
    return slabEnd
  }

  settle(size: number): void {
    slabEnd += size
    this.#queued += size
  }

  push(bytes: Buffer): void {
    const waiting = this.#listWaiting()
    if (slabOwner === this && slabEnd > slabSent) waiting.push(takeSlab())
    waiting.push(bytes)
    this.#added(bytes.length)
  }

  /** As `push` of all its frames; the owner hears later whether the kernel has taken them. */
  pushBurst(burst: Burst): void {
    this.#state |= UNSEEN
    const waiting = this.#waiting
    const together = waiting === undefined ? burst : waiting instanceof Burst ? waiting.followedBy(burst) : undefined
    if (together === undefined || (slabOwner === this && slabEnd > slabSent)) {
      for (const frame of burst.chunks) this.push(frame)
    } else {
      this.#waiting = together
      this.#added(burst.size)
    }
  }

  /** Calls the owner when the queue has gone. */
  askDrain(): void {
    this.#state |= DRAIN_ASKED
    this.#watch()
  }

  /** The socket's `drain`: the queue has gone. */
  drained(): void {
    if ((this.#state & DRAIN_ASKED) === 0) return
    this.#state &= ~DRAIN_ASKED
    this.#owner.outputDrained()
  }

  /** Hands everything on to the socket. */
  flush(): void {
    const waiting = this.#waiting
    const ownsSlab = slabOwner === this
    this.#waiting = undefined
    this.#owner.settings.counts.octetsSent += this.#queued
    this.#queued = 0
    claimed = NOTHING
    if (ownsSlab && slabEnd > slabSent) {
      const rest = takeSlab()
      if (waiting === undefined) this.#write(rest)
      else this.#writeAll([...chunksOf(waiting), rest])
    } else if (waiting !== undefined) {
      this.#writeAll(chunksOf(waiting))
    }
    if (ownsSlab) this.#recycleSlab()
    if ((this.#state & DRAIN_ASKED) !== 0) this.#watch()
  }

  flushLater(): void {
    this.#state &= ~SCHEDULED
    this.flush()
    if ((this.#state & UNSEEN) !== 0) this.#look()
  }

  /** Forgets what has not been handed on. */
  discard(): void {
    this.#waiting = undefined
    this.#queued = 0
    if (slabOwner === this) slabSent = slabEnd
  }

  #look(): void {
    this.#state &= ~UNSEEN
    if (this.#socket.writableLength > 0) this.#owner.outputWaits()
  }

  #listWaiting(): Buffer[] {
    const waiting = this.#waiting
    if (Array.isArray(waiting)) return waiting
    const list = waiting === undefined ? [] : [...chunksOf(waiting)]
    this.#waiting = list
    return list
  }

  #added(octets: number): void {
    this.#queued += octets
    if ((this.#state & (IN_BATCH | SCHEDULED)) !== 0) return
    this.#state |= SCHEDULED
    if (waitingOutputs.push(this) === 1) process.nextTick(flushWaiting)
  }

  #writeAll(chunks: readonly Buffer[]): void {
    if (chunks.length === 1) {
      this.#write(chunks[0])
      return
    }
    this.#socket.cork()
    for (const chunk of chunks) this.#write(chunk)
    this.#socket.uncork()
  }

  #write(bytes: Buffer): void {
    if ((this.#state & TAPPED) !== 0) this.#owner.written(bytes)
    this.#socket.write(bytes)
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
    if ((this.#state & (DRAIN_ASKED | PROBING)) !== DRAIN_ASKED || this.#queued > 0) return
    if (this.blocked || !this.#socket.writable) return
    this.#state |= PROBING
    this.#socket.write(NOTHING, (error) => {
      this.#state &= ~PROBING
      // What a transport had not taken when it failed is not gone but lost.
      if (error instanceof Error) return
      if (this.bufferedAmount > 0) this.#watch()
      else this.drained()
    })
  }
}

function chunksOf(waiting: Burst | readonly Buffer[]): readonly Buffer[] {
  return waiting instanceof Burst ? waiting.chunks : waiting
}

function takeSlab(): Buffer {
  const piece = slab.subarray(slabSent, slabEnd)
  slabSent = slabEnd
  return piece
}

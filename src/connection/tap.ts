/**
 * What is really on the wire of a connection, for those who want to see it.
 *
 * A tap gets copies of the octets where they come from the transport and where they are handed to it, and reads them with
 * decoders of its own, so that nothing that the connection makes of them, or refuses to, changes what is seen. It is told
 * when the work at hand is done (`process.nextTick`): frames are written in the midst of much, where nobody may be called
 * who might send, close, or throw.
 */
import { FrameDecoder } from '../framing/index.ts'
import type { FrameHeader, FrameSink } from '../framing/index.ts'
import type { Connection } from './connection.ts'
import { isThenable, warn } from './deferred.ts'
import { checkCount, checkFunction, checkNames } from './options.ts'

/** A frame that has crossed the wire; the words are those of RFC 6455 5.2. */
export interface TappedFrame<C = Connection> {
  /** When its last octet came, or was handed to the transport: milliseconds since the epoch. */
  readonly at: number
  readonly direction: 'in' | 'out'
  readonly connection: C
  readonly fin: boolean
  readonly rsv1: boolean
  readonly rsv2: boolean
  readonly rsv3: boolean
  readonly opcode: number
  readonly masked: boolean
  /** As an int32, its first octet lowest; `undefined` for a frame that is not masked. */
  readonly maskingKey: number | undefined
  /** Octets that its extended payload length took: 0, 2 or 8. */
  readonly extendedLength: number
  /** As announced; exact up to 2^53. */
  readonly payloadLength: number
  /**
   * A copy, unmasked and otherwise as it was on the wire: compressed, if RSV1 says so. Shorter than `payloadLength` when
   * that is above `maxPayload`, or when the rest never came.
   */
  readonly payload: Buffer
}

/** Is told every frame. One that throws or rejects is removed, and reported as a process warning. */
export type Tap<C = Connection> = (frame: TappedFrame<C>) => unknown

/** How much of a frame a tap is told. */
export interface TapOptions {
  /** Octets that are kept of a payload. 1 MiB. */
  readonly maxPayload?: number
}

const MAX_PAYLOAD = 1_048_576
/** The first octet of the 101 answer, and of no frame that we send: it would be a Close without FIN. */
const GREETING = 'H'.charCodeAt(0)
const EMPTY = Buffer.alloc(0)

/** A function that watches one connection, or all of a server. */
export class Watcher {
  /** It wants to see no more. */
  removed = false
  readonly maxPayload: number
  readonly #tap: Tap<never>

  constructor(tap: Tap<never>, options: TapOptions = {}) {
    checkFunction('tap', tap)
    checkNames('tap', options, ['maxPayload'])
    this.maxPayload = checkCount('maxPayload', options.maxPayload ?? MAX_PAYLOAD, 0)
    this.#tap = tap
  }

  tell(frame: TappedFrame<never>): void {
    if (this.removed) return
    try {
      const answer = this.#tap(frame)
      if (isThenable(answer)) answer.then(undefined, (mistake: unknown) => this.#mistaken(mistake))
    } catch (mistake) {
      this.#mistaken(mistake)
    }
  }

  #mistaken(mistake: unknown): void {
    this.removed = true
    warn(mistake)
  }
}

/** A frame that is coming in or going out. */
interface Begun {
  /** The decoder's own, but for the key, which that one rotates. */
  readonly header: FrameHeader
  readonly maskingKey: number | undefined
  payload: Buffer
  /** Octets of it that were kept so far. */
  kept: number
}

/** One direction: octets to frames. */
class Side implements FrameSink {
  /** `undefined` while nobody knows where in a frame the next octet stands. */
  decoder: FrameDecoder | undefined = undefined
  readonly #maxPayload: number
  readonly #told: (header: FrameHeader, maskingKey: number | undefined, payload: Buffer) => void
  /** A frame to be told; not one that had begun before we looked. */
  #frame: Begun | undefined = undefined

  constructor(
    maxPayload: number,
    told: (header: FrameHeader, maskingKey: number | undefined, payload: Buffer) => void,
  ) {
    this.#maxPayload = maxPayload
    this.#told = told
  }

  frameHeader(header: FrameHeader): void {
    this.#frame = { header, maskingKey: header.masked ? header.maskingKey : undefined, payload: EMPTY, kept: 0 }
  }

  framePayload(_header: FrameHeader, chunk: Buffer, start: number, end: number, remaining: number): void {
    const frame = this.#frame
    if (frame === undefined) return
    const kept = Math.min(frame.kept + end - start, this.#maxPayload)
    if (kept > frame.payload.length) {
      const larger = Buffer.allocUnsafe(remaining === 0 ? kept : 2 * kept)
      frame.payload.copy(larger, 0, 0, frame.kept)
      frame.payload = larger
    }
    chunk.copy(frame.payload, frame.kept, start, start + kept - frame.kept)
    frame.kept = kept
    if (remaining === 0) this.cut()
  }

  /** Tells a frame that has begun as it is: there will be no more of it, or nothing that matters. */
  cut(): void {
    const frame = this.#frame
    this.#frame = undefined
    if (frame === undefined) return
    this.#told(frame.header, frame.maskingKey, frame.payload.subarray(0, frame.kept))
  }
}

/** Octets that have crossed the wire; none where a frame is over before its end. */
interface Crossed {
  readonly at: number
  readonly direction: 'in' | 'out'
  readonly octets: Buffer | undefined
}

/** What a wiretap asks of the connection on whose wire it is. */
export interface Tapped {
  /** A decoder for `sink` of what the transport brings next; `undefined` while nobody can tell where that begins. */
  forkDecoder(sink: FrameSink): FrameDecoder | undefined
  unwatch(watcher: Watcher): void
}

/** One watcher on the wire of one connection. */
export class Wiretap {
  readonly watcher: Watcher
  readonly #connection: Tapped
  readonly #in: Side
  readonly #out: Side
  /** What is to be told, in order. */
  #crossed: Crossed[] = []
  /** When what is being told crossed the wire. */
  #at = 0

  constructor(connection: Tapped, watcher: Watcher) {
    this.watcher = watcher
    this.#connection = connection
    this.#in = this.#side('in')
    this.#out = this.#side('out')
    // Whoever calls us, no frame has been handed on in part.
    this.#out.decoder = new FrameDecoder(this.#out)
  }

  /** The transport has brought `chunk[0, limit)`, which the connection has not read yet. */
  read(chunk: Buffer, limit: number): void {
    this.#in.decoder ??= this.#connection.forkDecoder(this.#in)
    if (this.#in.decoder !== undefined) this.#add('in', Buffer.from(chunk.subarray(0, limit)))
  }

  /** The transport is given `chunk`. */
  written(chunk: Buffer): void {
    this.#add('out', Buffer.from(chunk))
  }

  /** The connection has failed over what came: the rest of a frame that has begun does not matter. */
  failed(): void {
    this.#add('in', undefined)
  }

  /** The transport has closed. */
  end(): void {
    this.#tellAll()
    this.#in.cut()
    this.#out.cut()
  }

  #side(direction: 'in' | 'out'): Side {
    return new Side(this.watcher.maxPayload, (header, maskingKey, payload) => {
      const { fin, rsv1, rsv2, rsv3, opcode, masked, extendedLength, payloadLength } = header
      const connection = this.#connection as never
      const fields = { fin, rsv1, rsv2, rsv3, opcode, masked, maskingKey, extendedLength, payloadLength }
      this.watcher.tell({ at: this.#at, direction, connection, ...fields, payload })
    })
  }

  #add(direction: 'in' | 'out', octets: Buffer | undefined): void {
    if (this.#crossed.push({ at: Date.now(), direction, octets }) === 1) process.nextTick(() => this.#tellAll())
  }

  #tellAll(): void {
    const crossed = this.#crossed
    this.#crossed = []
    for (const { at, direction, octets } of crossed) {
      const side = direction === 'in' ? this.#in : this.#out
      this.#at = at
      if (octets === undefined) side.cut()
      else if (!this.#isGreeting(side, octets)) side.decoder?.decode(octets)
      if (this.watcher.removed) {
        this.#connection.unwatch(this.watcher)
        return
      }
    }
  }

  /** The 101 answer leaves in a chunk of its own. */
  #isGreeting(side: Side, octets: Buffer): boolean {
    return side === this.#out && octets[0] === GREETING && side.decoder?.inFrame === false
  }
}

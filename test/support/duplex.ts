/**
 * A transport in memory, and who sits at its other end.
 *
 * `Transport` is the Duplex that a connection is given. It behaves as a socket does: what it writes is taken whole and at
 * once while the other end reads, waits with `writableLength` above 0 while it does not, and each write that reaches the
 * other end is one entry there. Like no socket, it holds what it was given by reference until it is read, so that memory
 * which is reused too early shows.
 *
 * `Peer` is the other end, played from a script: it puts bytes on the wire and takes the connection's frames apart by its
 * own parser, which refuses what that role must not send. `pair` ties two transports together instead.
 */
import { Duplex } from 'node:stream'
import type { Role } from '../../src/framing/rules.ts'
import { describe } from './decode.ts'
import { received, xored } from './wire.ts'
import type { FrameForm } from './wire.ts'

type Done = (error?: Error) => void

/** Who takes what a transport writes. */
export interface FarEnd {
  /** One write; `done` makes room for the next. */
  take(chunks: readonly Buffer[], done: Done): void
  /** A FIN. */
  ended(): void
  /** No more can be written or read. */
  gone(): void
}

export class Transport extends Duplex {
  far: FarEnd | undefined = undefined

  constructor(writableHighWaterMark = 16_384) {
    // As the sockets of a server that has to answer a FIN by itself.
    super({ allowHalfOpen: true, writableHighWaterMark, readableHighWaterMark: 65_536 })
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Done): void {
    this.far?.take([chunk], callback)
  }

  override _writev(entries: { chunk: Buffer }[], callback: Done): void {
    const chunks = entries.map(({ chunk }) => chunk)
    this.far?.take(chunks, callback)
  }

  override _final(callback: () => void): void {
    this.far?.ended()
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.far?.gone()
    callback(error)
  }
}

/** A frame that the connection sent. */
export interface SentFrame {
  readonly firstOctet: number
  readonly opcode: number
  readonly payload: Buffer
  readonly masked: boolean
}

/** Takes apart what an endpoint in `role` sent; fails on anything that it must not send, and on half a frame. */
export function parseFrames(role: Role, bytes: Buffer): SentFrame[] {
  const { frames, rest } = parsePart(role, bytes)
  if (rest.length > 0) throw new Error(`half a frame: ${rest.toString('hex')}`)
  return frames
}

/** The same for bytes that may end anywhere. */
export function parsePart(role: Role, bytes: Buffer): { readonly frames: SentFrame[]; readonly rest: Buffer } {
  const frames: SentFrame[] = []
  let at = 0
  while (bytes.length - at >= 2) {
    const firstOctet = bytes[at]
    const masked = bytes[at + 1] >= 0x80
    if (masked !== (role === 'client')) throw new Error(`a ${role} sent a frame with MASK = ${masked ? 1 : 0}`)
    const short = bytes[at + 1] & 0x7f
    const wide = short === 126 ? 2 : short === 127 ? 8 : 0
    const keyAt = at + 2 + wide
    const payloadAt = keyAt + (masked ? 4 : 0)
    if (bytes.length < payloadAt) break
    const length = wide === 0 ? short : wide === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    if (bytes.length < payloadAt + length) break
    const octets = bytes.subarray(payloadAt, payloadAt + length)
    const payload = masked ? xored(octets, bytes.subarray(keyAt, payloadAt)) : Buffer.from(octets)
    frames.push({ firstOctet, opcode: firstOctet & 0x0f, payload, masked })
    at = payloadAt + length
  }
  return { frames, rest: bytes.subarray(at) }
}

/** How a sent frame reads in an expectation: `text Hello`, `text… Hel`, `… lo`, `ping 68 69`, `close 1000 bye`. */
export function describeFrame({ firstOctet, opcode, payload }: SentFrame): string {
  const more = firstOctet < 0x80
  if ((firstOctet & 0x70) !== 0) throw new Error('a reserved bit was sent')
  switch (opcode) {
    case 0:
      return more ? describe('……', payload.toString()) : describe('…', payload.toString())
    case 1:
      return describe(more ? 'text…' : 'text', payload.toString())
    case 2:
      return describe(more ? 'binary…' : 'binary', payload)
    case 8:
      return payload.length === 0 ? 'close' : describe(`close ${payload.readUInt16BE(0)}`, payload.toString('utf8', 2))
    case 9:
      return describe('ping', payload)
    case 10:
      return describe('pong', payload)
    default:
      throw new Error(`opcode ${opcode} was sent`)
  }
}

export class Peer implements FarEnd {
  /** The connection's end of the wire. */
  readonly transport: Transport
  /** What reached us, an entry a write, with copies of the bytes as they were when we read them. */
  readonly writes: Buffer[] = []
  /** The connection sent its FIN. */
  finished = false
  /** The connection destroyed its transport. */
  destroyed = false
  readonly #role: Role
  #reading = true
  #waiting: { readonly chunks: readonly Buffer[]; readonly done: Done } | undefined = undefined
  #told = 0

  /** `role` is that of the connection. */
  constructor(role: Role, writableHighWaterMark?: number) {
    this.#role = role
    this.transport = new Transport(writableHighWaterMark)
    this.transport.far = this
  }

  take(chunks: readonly Buffer[], done: Done): void {
    if (this.#reading) {
      // An empty write reaches nobody.
      const bytes = Buffer.concat(chunks)
      if (bytes.length > 0) this.writes.push(bytes)
      done()
    } else {
      this.#waiting = { chunks, done }
    }
  }

  ended(): void {
    this.finished = true
  }

  gone(): void {
    this.destroyed = true
    // What a socket is told of a write that it destroyed.
    this.#waiting?.done(new Error('canceled'))
    this.#waiting = undefined
  }

  /** Nothing is taken from the connection any more; what it writes stays with it. */
  stopReading(): void {
    this.#reading = false
  }

  goOnReading(): void {
    this.#reading = true
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) this.take(waiting.chunks, waiting.done)
  }

  /** Takes the one write that waits, and no more. */
  readOnce(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.writes.push(Buffer.concat(waiting?.chunks ?? []))
    waiting?.done()
  }

  /** Puts bytes on the wire, as one read of the connection. */
  write(...bytes: readonly Buffer[]): void {
    this.transport.push(Buffer.concat(bytes))
  }

  /** Sends a frame, masked if we are a client. */
  send(firstOctet: number, payload?: Uint8Array | string, form?: FrameForm): void {
    this.write(received(this.#role, firstOctet, payload, form))
  }

  /** A FIN. */
  end(): void {
    this.transport.push(null)
  }

  /** A reset. */
  reset(code = 'ECONNRESET'): void {
    this.transport.destroy(Object.assign(new Error(`read ${code}`), { code }))
  }

  get bytes(): Buffer {
    return Buffer.concat(this.writes)
  }

  /** All that was sent so far. */
  get frames(): string[] {
    return parseFrames(this.#role, this.bytes).map((sent) => describeFrame(sent))
  }

  /** What was sent since the last call. */
  get news(): string[] {
    const frames = this.frames
    const news = frames.slice(this.#told)
    this.#told = frames.length
    return news
  }
}

export interface PairOptions {
  /** Whether a write reaches the other end in a later turn, as on a network, or within the call. */
  readonly delivery: 'later' | 'within'
}

/** Two transports, each the far end of the other. */
export function pair({ delivery }: PairOptions): [Transport, Transport] {
  const ends: [Transport, Transport] = [new Transport(), new Transport()]
  const deliver = (act: () => void): void => {
    if (delivery === 'later') setImmediate(act)
    else act()
  }
  for (const [index, end] of ends.entries()) {
    const other = ends[1 - index]
    end.far = {
      take: (chunks, done) =>
        deliver(() => {
          // The bytes are copied now: whoever reads unmasks in place.
          if (!other.destroyed) other.push(Buffer.concat(chunks))
          done()
        }),
      ended: () => deliver(() => other.push(null)),
      gone: () => deliver(() => other.destroyed || other.readableEnded || other.push(null)),
    }
  }
  return ends
}

/**
 * The tester's own frames: an encoder that can lie, and a reader that takes whatever comes. Nothing here is shared with the
 * library, so that a fault of one cannot hide in the other.
 *
 * The reader says what a frame looked like and judges nothing; it needs no more memory than the frame it is reading.
 */
import { randomFillSync } from 'node:crypto'
import type { Role } from './case.ts'

/** A frame as the tester sends it; whatever is left out is as it should be. */
export interface Frame {
  /** 0 to 15. */
  readonly opcode: number
  readonly payload?: Buffer
  /** Default: true. */
  readonly fin?: boolean
  /** RSV1 is 4, RSV2 is 2, RSV3 is 1. */
  readonly rsv?: number
  /** Default: as the tester's role demands. */
  readonly masked?: boolean
  /** The octets of the masking key; by default random ones. */
  readonly maskingKey?: Buffer
  /** How many octets the extended payload length has: 0, 2 or 8. Default: as few as possible. */
  readonly lengthOctets?: 0 | 2 | 8
  /** What the header says in place of the payload's length. */
  readonly declaredLength?: bigint
}

/** A frame as it came. */
export interface ReceivedFrame {
  readonly opcode: number
  readonly fin: boolean
  readonly rsv: number
  readonly masked: boolean
  readonly maskingKey: Buffer | undefined
  /** Whether the payload length took as few octets as it can. */
  readonly minimal: boolean
  /** Unmasked. */
  readonly payload: Buffer
  /** The first octets as they came, mask and all, and how many the frame had. */
  readonly octets: Buffer
  readonly length: number
}

/** RFC 6455 5.2. */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

const NOTHING = Buffer.alloc(0)
const LENGTH_16 = 126
const LENGTH_64 = 127

/** RFC 6455 5.2, from the left to the right of its picture. */
export function encodeFrame(frame: Frame, role: Role): Buffer {
  const { opcode, payload = NOTHING, fin = true, rsv = 0, masked = role === 'client' } = frame
  const declared = frame.declaredLength ?? BigInt(payload.length)
  const lengthOctets = frame.lengthOctets ?? (declared < 126n ? 0 : declared < 65_536n ? 2 : 8)
  const headerLength = 2 + lengthOctets + (masked ? 4 : 0)
  const octets = Buffer.allocUnsafe(headerLength + payload.length)
  octets[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  octets[1] = (masked ? 0x80 : 0) | (lengthOctets === 0 ? Number(declared) : lengthOctets === 2 ? LENGTH_16 : LENGTH_64)
  if (lengthOctets === 2) octets.writeUInt16BE(Number(declared), 2)
  if (lengthOctets === 8) octets.writeBigUInt64BE(declared, 2)
  octets.set(payload, headerLength)
  if (masked) {
    const key = frame.maskingKey ?? randomKey()
    octets.set(key, headerLength - 4)
    mask(octets.subarray(headerLength), key)
  }
  return octets
}

/** Octet i with octet i mod 4 of the key, in place (5.3). */
function mask(octets: Buffer, key: Buffer): void {
  for (let i = 0; i < octets.length; i++) octets[i] ^= key[i & 3]
}

const pool = Buffer.alloc(8192)
let pooled = 0

/** Random octets are asked for by the thousand, since a case may mask 65,537 frames. */
function randomKey(): Buffer {
  if (pooled === 0) {
    randomFillSync(pool)
    pooled = pool.length
  }
  pooled -= 4
  return pool.subarray(pooled, pooled + 4)
}

/** The payload of a Close frame (5.5.1); nothing without a code. */
export function closePayload(code?: number, reason: string | Buffer = ''): Buffer {
  if (code === undefined) return NOTHING
  return Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason)])
}

/** A header that is all there. */
interface Header {
  readonly length: number
  readonly payloadLength: bigint
  readonly maskingKey: Buffer | undefined
  readonly minimal: boolean
}

export class FrameReader {
  /** How many octets of a frame as it came are kept for the wire log. */
  static readonly EXCERPT = 256
  #chunks: Buffer[] = []
  #length = 0

  /** Octets that are no whole frame yet. */
  get pending(): number {
    return this.#length
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#length += chunk.length
  }

  /** What the frame that is being read says of its payload's length; `undefined` while its header is not all there. */
  declared(): bigint | undefined {
    return this.#header()?.payloadLength
  }

  /** The next frame that is all there. */
  next(): ReceivedFrame | undefined {
    const header = this.#header()
    if (header === undefined || BigInt(this.#length - header.length) < header.payloadLength) return undefined
    const length = header.length + Number(header.payloadLength)
    const raw = this.#join(length)
    const [first] = raw
    const payload = Buffer.from(raw.subarray(header.length, length))
    if (header.maskingKey !== undefined) mask(payload, header.maskingKey)
    const octets = Buffer.from(raw.subarray(0, Math.min(length, FrameReader.EXCERPT)))
    this.#drop(length)
    return {
      opcode: first & 0x0f,
      fin: first >= 0x80,
      rsv: (first >> 4) & 7,
      masked: header.maskingKey !== undefined,
      maskingKey: header.maskingKey,
      minimal: header.minimal,
      payload,
      octets,
      length,
    }
  }

  /** The first octets of what is pending. */
  excerpt(): Buffer {
    return Buffer.from(this.#join(Math.min(this.#length, FrameReader.EXCERPT)).subarray(0, FrameReader.EXCERPT))
  }

  #header(): Header | undefined {
    if (this.#length < 2) return undefined
    const start = this.#join(Math.min(this.#length, 14))
    const masked = start[1] >= 0x80
    const short = start[1] & 0x7f
    const lengthOctets = short === LENGTH_16 ? 2 : short === LENGTH_64 ? 8 : 0
    const length = 2 + lengthOctets + (masked ? 4 : 0)
    if (this.#length < length) return undefined
    let payloadLength = BigInt(short)
    if (lengthOctets === 2) payloadLength = BigInt(start.readUInt16BE(2))
    if (lengthOctets === 8) payloadLength = start.readBigUInt64BE(2)
    const minimal = lengthOctets === 0 || payloadLength >= (lengthOctets === 2 ? 126n : 65_536n)
    const maskingKey = masked ? Buffer.from(start.subarray(length - 4, length)) : undefined
    return { length, payloadLength, maskingKey, minimal }
  }

  /** A buffer that begins with the next `length` octets; there have to be as many. */
  #join(length: number): Buffer {
    if (this.#length === 0) return NOTHING
    if (this.#chunks[0].length < length) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]
  }

  #drop(length: number): void {
    this.#length -= length
    const rest = this.#chunks[0].subarray(length)
    if (rest.length > 0) this.#chunks[0] = rest
    else this.#chunks.shift()
  }
}

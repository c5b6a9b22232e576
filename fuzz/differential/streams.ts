/**
 * Streams from a seed. Half of them come from the grammar that all fuzzing here shares; the others are short, refer back to
 * what they compressed before, and have mistakes of the kind that implementations judge differently: one or two octets of a
 * good stream are changed, frames are lost, repeated or swapped, and the stream ends anywhere.
 */
import { constants, deflateRawSync } from 'node:zlib'
import { generateFrames } from '../generate/frames.ts'
import { COMPRESSED, FINISHED, NOISE, NOT_DEFLATE, NOT_UTF8, TEXTS } from '../generate/payloads.ts'
import { Random } from '../support/random.ts'
import type { Deflate, Stream } from './verdict.ts'

/** Seeds of runs; those of their streams have as many as that times 2^32. */
export const SEEDS = 2 ** 21

/** A frame that is going to be written, with all that can be wrong with it. */
interface Draft {
  first: number
  payload: Buffer
  masked: boolean
  key: Buffer
  /** Bits of the length field, where not as few as can be. */
  bits: 7 | 16 | 64 | undefined
  /** The length that the header tells, where that is not the payload's. */
  declared: bigint | undefined
}

const FIN = 0x80
const RSV1 = 0x40
const CODES = [1000, 1001, 1003, 1007, 1008, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
const BAD_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65_535]
/** Lengths at which a form ends or begins, or a limit; and some between. */
const LENGTHS = [0, 1, 2, 5, 20, 60, 124, 125, 126, 127, 200]
const LIMITS = [65_535, 65_536, 65_537]
const HUGE = [65_537n, ...[31n, 32n, 53n, 62n, 63n].map((bits) => 1n << bits), (1n << 53n) - 1n, (1n << 64n) - 1n]
const DEFLATES: readonly Deflate[] = ['none', 'none', 'none', 'none', 'none', 'none', 'context', 'single']

/** The stream `index` of a run. */
export function createStream(seed: number, index: number): Stream {
  const random = new Random(seed * 2 ** 32 + index)
  const role = random.pick(['server', 'client'] as const)
  const deflate = random.pick(DEFLATES)
  if (random.chance(0.5)) {
    const options = { role, deflate: deflate !== 'none', length: 5, flawed: 0.6, largest: 70_000 }
    return { role, deflate, octets: generateFrames(random, options) }
  }
  const frames = new Drafts(random, role === 'server', deflate).frames
  for (let left = random.pick([0, 0, 1, 1, 1, 2, 3]); left > 0; left--) spoil(random, frames)
  const octets = Buffer.concat(frames.map((frame) => write(frame)))
  return { role, deflate, octets: random.chance(0.2) ? spoilOctets(random, octets) : octets }
}

/** A stream that keeps to the rules, mostly. */
class Drafts {
  readonly frames: Draft[] = []
  readonly #random: Random
  readonly #masked: boolean
  readonly #deflate: Deflate
  /** What was compressed so far, to which the next message may refer. */
  #window: Buffer = Buffer.alloc(0)

  constructor(random: Random, masked: boolean, deflate: Deflate) {
    this.#random = random
    this.#masked = masked
    this.#deflate = deflate
    for (let left = random.between(1, 4); left > 0; left--) {
      if (random.chance(0.25)) this.#control()
      else this.#message()
    }
    if (random.chance(0.4)) this.#close()
    // Behind a Close nothing counts.
    if (random.chance(0.1)) this.#add(FIN | 1, TEXTS[1])
  }

  #add(first: number, payload: Buffer): void {
    const key = this.#random.chance(0.1) ? Buffer.alloc(4) : this.#random.bytes(4)
    this.frames.push({ first, payload, masked: this.#masked, key, bits: undefined, declared: undefined })
  }

  #control(): void {
    this.#add(FIN | this.#random.pick([9, 9, 10]), noise(this.#random, this.#random.pick([0, 1, 4, 124, 125])))
  }

  #close(): void {
    this.#add(FIN | 8, closeBody(this.#random))
  }

  #message(): void {
    const random = this.#random
    const compress = this.#deflate !== 'none' && random.chance(0.6)
    const isText = random.chance(0.6)
    const length = random.pick(random.chance(0.01) ? LIMITS : LENGTHS)
    const data = isText ? text(random) : noise(random, length)
    const payload = compress ? this.#compressed(data) : data
    const count = random.chance(0.4) ? random.int(4) : 0
    const cuts = Array.from({ length: count }, () => random.int(payload.length + 1)).toSorted((a, b) => a - b)
    let start = 0
    for (const [index, end] of [...cuts, payload.length].entries()) {
      const first = index === 0 ? (isText ? 1 : 2) | (compress ? RSV1 : 0) : 0
      this.#add((index === count ? FIN : 0) | first, payload.subarray(start, end))
      start = end
      if (index === count) break
      if (random.chance(0.25)) this.#control()
      if (random.chance(0.03)) this.#close()
    }
  }

  /** As a sender may compress (RFC 7692 7.2.1, 7.2.3), and sometimes as nobody should. */
  #compressed(data: Buffer): Buffer {
    const random = this.#random
    const whole = this.#flushed(data)
    switch (random.int(16)) {
      case 0:
        return random.pick(FINISHED)
      case 1:
        return random.pick(NOT_DEFLATE)
      case 2:
        return random.pick(COMPRESSED)
      case 3: // A final block, as the last thing (7.2.3.4) or with more behind it.
        return Buffer.concat([deflateRawSync(data), random.pick([Buffer.alloc(0), Buffer.of(0), whole])])
      case 4: // Several blocks (7.2.3.5).
        return Buffer.concat([deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }), this.#flushed(data)])
      case 5: // The tail that was to be removed.
        return Buffer.concat([whole, Buffer.from('0000ffff', 'hex')])
      case 6:
        return whole.subarray(0, random.int(whole.length))
      case 7: // What becomes more than a message may have, now and then, as it takes long.
        return random.chance(0.9) ? whole : this.#flushed(Buffer.alloc(random.pick([...LIMITS, 200_000]), 'a'))
      default:
        return whole
    }
  }

  /** Refers to what was sent before where that was agreed upon, and rarely where it was not. */
  #flushed(data: Buffer): Buffer {
    const random = this.#random
    const keeps = this.#deflate === 'context' || random.chance(0.05)
    const octets = deflateRawSync(data, {
      level: random.pick([0, 1, 6, 9]),
      strategy: random.pick([0, 2, 4]),
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(keeps && this.#window.length > 0 && { dictionary: this.#window }),
    })
    this.#window = Buffer.concat([this.#window, data]).subarray(-32_768)
    return octets.subarray(0, -4)
  }
}

function noise(random: Random, length: number): Buffer {
  const start = random.int(NOISE.length - length)
  return NOISE.subarray(start, start + length)
}

function text(random: Random): Buffer {
  const parts = Array.from({ length: random.pick([0, 1, 1, 1, 2]) }, () => random.pick(TEXTS))
  if (random.chance(0.1)) parts.splice(random.int(parts.length + 1), 0, random.pick(NOT_UTF8))
  return Buffer.concat(parts)
}

function closeBody(random: Random): Buffer {
  if (random.chance(0.25)) return Buffer.alloc(0)
  if (random.chance(0.04)) return noise(random, 1)
  const code = random.pick(random.chance(0.85) ? CODES : BAD_CODES)
  const reason = random.chance(0.1) ? random.pick(NOT_UTF8) : random.chance(0.5) ? text(random) : Buffer.alloc(0)
  return Buffer.concat([Buffer.of(code >> 8, code), reason]).subarray(0, 125)
}

/** One mistake in one frame, or between two. */
function spoil(random: Random, frames: Draft[]): void {
  if (frames.length === 0) return
  const at = random.int(frames.length)
  random.pick(MISTAKES)(frames[at], random, frames, at)
}

type Mistake = (frame: Draft, random: Random, frames: Draft[], at: number) => void

const MISTAKES: readonly Mistake[] = [
  (frame) => (frame.first ^= FIN),
  (frame, random) => (frame.first ^= random.pick([RSV1, RSV1, 0x20, 0x10])),
  (frame, random) => (frame.first = (frame.first & 0xf0) | random.int(16)),
  (frame, random) => (frame.first = random.int(256)),
  (frame) => (frame.masked = !frame.masked),
  (frame, random) => (frame.bits = random.pick([16, 64])),
  (frame, random) => (frame.declared = BigInt(Math.max(0, frame.payload.length + random.pick([-1, 1, 2, 100])))),
  (frame, random) => Object.assign(frame, { declared: random.pick(HUGE), bits: 64 }),
  (_, _random, frames, at) => frames.splice(at, 1),
  (frame, random, frames) => frames.splice(random.int(frames.length + 1), 0, { ...frame }),
  (_, random, frames, at) => frames.splice(random.int(frames.length), 0, ...frames.splice(at, 1)),
  (frame, random) => (frame.payload = Buffer.concat([frame.payload, random.pick(NOT_UTF8)])),
  (frame, random) => (frame.payload = noise(random, random.pick([0, 1, 126, 130]))),
  (frame, random) => (frame.payload = closeBody(random)),
  (frame, random) => (frame.payload = flipped(random, frame.payload)),
]

function flipped(random: Random, octets: Buffer): Buffer {
  const copy = Buffer.from(octets)
  if (copy.length > 0) copy[random.int(copy.length)] ^= 1 << random.int(8)
  return copy
}

/** Cut, with octets put in or left out, or with one bit changed. */
function spoilOctets(random: Random, octets: Buffer): Buffer {
  const at = random.int(octets.length + 1)
  const front = octets.subarray(0, at)
  switch (random.int(5)) {
    case 0:
    case 1:
      return front
    case 2:
      return Buffer.concat([front, random.bytes(random.between(1, 4)), octets.subarray(at)])
    case 3:
      return Buffer.concat([front, octets.subarray(at + 1)])
    default:
      return flipped(random, octets)
  }
}

function write({ first, payload, masked, key, bits, declared }: Draft): Buffer {
  const length = declared ?? BigInt(payload.length)
  const used = bits ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64)
  const header = Buffer.alloc(used === 7 ? 2 : used === 16 ? 4 : 10)
  header[0] = first
  header[1] = (masked ? 0x80 : 0) | (used === 7 ? Number(length) : used === 16 ? 126 : 127)
  if (used === 16) header.writeUInt16BE(Number(length & 0xffffn), 2)
  if (used === 64) header.writeBigUInt64BE(length, 2)
  if (!masked) return Buffer.concat([header, payload])
  return Buffer.concat([header, key, payload.map((octet, i) => octet ^ key[i % 4])])
}

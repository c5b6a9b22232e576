/**
 * Frame streams as a peer might send them, built by the grammar of RFC 6455 5.2 with a hand on the dice: some 70 % keep to
 * every rule, the rest have a flaw or two at a place that does not matter to the grammar. Random octets would end at the
 * first header nearly always; these go deep first.
 *
 * The octets are written into memory that all streams share, and copied once at the end: a stream of 20 frames takes some
 * microseconds. Nothing here comes from `src` but the name of a role, so that a mistake there is not made here again.
 */
import type { Role } from '../../src/framing/rules.ts'
import type { Random } from '../support/random.ts'
import {
  BOMBS,
  COMPRESSED,
  FINISHED,
  LARGE_COMPRESSED,
  LARGE_TEXTS,
  NOISE,
  NOT_DEFLATE,
  NOT_UTF8,
  REFERRING,
  TEXTS,
} from './payloads.ts'

export interface StreamOptions {
  /** Who receives the stream: a server is sent masked frames, a client unmasked ones (5.1). */
  readonly role: Role
  /** Whether permessage-deflate was agreed upon, so that messages may come compressed. */
  readonly deflate: boolean
  /** Messages and control frames at most, 40 unless it says otherwise. */
  readonly length?: number
  /** How many streams of 1 have a flaw, 0.3 unless it says otherwise. */
  readonly flawed?: number
  /** Octets that a payload has at most, about; 160,000 unless it says otherwise. */
  readonly largest?: number
}

const FIN = 0x80
const RSV1 = 0x40
const CONTINUATION = 0
const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10

const GOOD_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
const BAD_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
/** Lengths at which a form ends or begins, and the largest ones. */
const LENGTHS = [0, 1, 125, 126, 127, 128, 65_535, 65_536]
const HUGE = [2 ** 20 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 62]

/** Writes frames one behind the other into one memory. */
class FrameWriter {
  #bytes = Buffer.allocUnsafe(1_048_576)
  #length = 0

  get length(): number {
    return this.#length
  }

  start(): void {
    this.#length = 0
  }

  /** A copy of all that was written since `start`. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length))
  }

  /** Takes octets back from the end. */
  cut(octets: number): void {
    this.#length = Math.max(0, this.#length - octets)
  }

  /**
   * A header in the form that `bits` says. `key` of `undefined` leaves MASK at 0; `topBit` is that of a 64-bit length,
   * which no double could tell.
   */
  header(first: number, length: number, key: number | undefined, bits = bitsOf(length), topBit = false): void {
    this.#reserve(14)
    const mask = key === undefined ? 0 : 0x80
    this.#octet(first)
    if (bits === 7) {
      this.#octet(mask | length)
    } else if (bits === 16) {
      this.#octet(mask | 126)
      this.#word(length << 16, 2)
    } else {
      this.#octet(mask | 127)
      this.#word((length / 0x1_0000_0000) | (topBit ? 0x8000_0000 : 0), 4)
      this.#word(length % 0x1_0000_0000, 4)
    }
    if (key !== undefined) this.#word(key, 4)
  }

  /** Octets, masked with `key` if there is one. */
  payload(from: Buffer, start: number, end: number, key: number | undefined): void {
    this.#reserve(end - start)
    let to = this.#length
    if (key === undefined) {
      from.copy(this.#bytes, to, start, end)
    } else {
      const bytes = this.#bytes
      for (let at = start, shift = 24; at < end; at++) {
        bytes[to++] = from[at] ^ (key >>> shift)
        shift = (shift - 8) & 31
      }
    }
    this.#length += end - start
  }

  #octet(octet: number): void {
    this.#bytes[this.#length++] = octet
  }

  /** The first `octets` of a 32-bit word. */
  #word(word: number, octets: number): void {
    for (let shift = 24; shift > 24 - 8 * octets; shift -= 8) this.#bytes[this.#length++] = word >>> shift
  }

  #reserve(octets: number): void {
    if (this.#length + octets <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(2 * (this.#length + octets))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}

function bitsOf(length: number): 7 | 16 | 64 {
  return length < 126 ? 7 : length < 65_536 ? 16 : 64
}

const writer = new FrameWriter()

/** One stream in the making. */
class FrameStream {
  readonly #random: Random
  readonly #masked: boolean
  readonly #deflate: boolean
  readonly #largest: number

  constructor(random: Random, { role, deflate, largest = 160_000 }: StreamOptions) {
    this.#random = random
    this.#masked = role === 'server'
    this.#deflate = deflate
    this.#largest = largest
  }

  /** A frame; its payload is `from[start, end)`. */
  frame(first: number, from: Buffer, start = 0, end = from.length, masked = this.#masked): void {
    const key = masked ? this.#random.word() : undefined
    writer.header(first, end - start, key)
    writer.payload(from, start, end, key)
  }

  /** A Ping or Pong by the rules. */
  control(): void {
    const length = this.#random.small(126)
    this.#slice(FIN | (this.#random.chance(0.5) ? PING : PONG), length)
  }

  /** A Close frame by the rules. */
  close(): void {
    if (this.#random.chance(0.2)) {
      this.frame(FIN | CLOSE, NOISE, 0, 0)
      return
    }
    const reason = this.#random.pick(TEXTS)
    this.#closeWith(this.#random.pick(GOOD_CODES), reason.length > 123 ? TEXTS[2] : reason)
  }

  /** A message by the rules, in one frame or in several. */
  message(): void {
    const random = this.#random
    if (this.#deflate && random.chance(0.5)) {
      const others = random.pick([REFERRING, FINISHED, LARGE_COMPRESSED])
      const extended = random.pick(random.chance(0.95) ? COMPRESSED : others)
      this.#fragments(RSV1 | (random.chance(0.5) ? TEXT : BINARY), this.#fitting(extended))
    } else if (random.chance(0.5)) {
      this.#fragments(TEXT, this.#fitting(random.pick(random.chance(0.995) ? TEXTS : LARGE_TEXTS)))
    } else {
      const length = random.chance(0.01) ? random.pick(LENGTHS) : random.small(random.chance(0.01) ? 70_000 : 400)
      const size = Math.min(length, this.#largest)
      const start = random.int(NOISE.length - size)
      this.#fragments(BINARY, NOISE.subarray(start, start + size))
    }
  }

  /** Something that breaks a rule, or may do so where it stands. */
  flaw(): void {
    this.#random.pick(FLAWS)(this, this.#random)
  }

  /** A frame of noise. */
  noise(first: number, masked = this.#masked): void {
    this.#slice(first, this.#random.small(126), masked)
  }

  /** A header that says more, or says it otherwise, than it may; a few octets behind it. */
  oddLength(length: number, bits: 7 | 16 | 64, topBit: boolean): void {
    const key = this.#masked ? this.#random.word() : undefined
    writer.header(FIN | BINARY, length, key, bits, topBit)
    writer.payload(NOISE, 0, Math.min(length, 200), key)
  }

  /** A text with octets somewhere in it that no text has. */
  badText(): void {
    const text = this.#random.pick(TEXTS)
    const at = this.#random.int(text.length + 1)
    this.#fragments(TEXT, Buffer.concat([text.subarray(0, at), this.#random.pick(NOT_UTF8), text.subarray(at)]))
  }

  badClose(): void {
    const random = this.#random
    const code = random.chance(0.5) ? random.pick(BAD_CODES) : random.int(65_536)
    if (random.chance(0.2)) this.frame(FIN | CLOSE, NOISE, 0, 1)
    else if (random.chance(0.5)) this.#closeWith(code, TEXTS[2])
    else this.#closeWith(1000, random.pick(NOT_UTF8))
  }

  /** What is compressed badly, or where nothing may be compressed. */
  badDeflate(): void {
    const random = this.#random
    const octets = random.pick(random.chance(0.9) ? NOT_DEFLATE : random.chance(0.7) ? FINISHED : BOMBS)
    this.#fragments(RSV1 | random.pick([TEXT, BINARY, CONTINUATION, PING]), octets)
  }

  /** Fragments without anything in them, more than anybody needs. */
  emptyFragments(): void {
    const count = this.#random.pick([3, 1023, 1025])
    this.frame(BINARY, NOISE, 0, 0)
    for (let i = 0; i < count; i++) this.frame(CONTINUATION, NOISE, 0, 0)
    this.frame(FIN | CONTINUATION, NOISE, 0, 0)
  }

  #slice(first: number, length: number, masked?: boolean): void {
    const start = this.#random.int(NOISE.length - length)
    this.frame(first, NOISE, start, start + length, masked)
  }

  #fitting(octets: Buffer): Buffer {
    return octets.length <= this.#largest ? octets : TEXTS[0]
  }

  #closeWith(code: number, reason: Buffer): void {
    this.frame(FIN | CLOSE, Buffer.concat([Buffer.of(code >> 8, code), reason]))
  }

  /** A message in one frame mostly, else in up to eight, with control frames between them (5.4). */
  #fragments(first: number, data: Buffer): void {
    const random = this.#random
    let opcode = first
    let at = 0
    if (random.chance(0.3)) {
      for (let left = random.between(1, 7); left > 0; left--) {
        const end = at + random.int(data.length - at + 1)
        this.frame(opcode, data, at, end)
        if (random.chance(0.2)) this.control()
        opcode = CONTINUATION
        at = end
      }
    }
    this.frame(FIN | opcode, data, at)
  }
}

type Flaw = (stream: FrameStream, random: Random) => void

const FLAWS: readonly Flaw[] = [
  // Any two first octets at all.
  (stream, random) => stream.noise(random.int(256), random.chance(0.5)),
  // Reserved bits, reserved opcodes, fragmented control frames.
  (stream, random) => stream.noise(FIN | BINARY | random.pick([0x10, 0x20, 0x40, 0x70])),
  (stream, random) => stream.noise(FIN | random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])),
  (stream, random) => stream.noise(random.pick([CLOSE, PING, PONG])),
  // Nothing to continue, a message within a message, a message that never ends.
  (stream) => stream.noise(FIN | CONTINUATION),
  (stream, random) => stream.noise(random.pick([TEXT, BINARY, CONTINUATION])),
  // Masking (5.1).
  (stream) => stream.noise(FIN | BINARY, true),
  (stream) => stream.noise(FIN | BINARY, false),
  // Lengths: not minimal, huge, with the top bit, too long for a control frame.
  (stream, random) => stream.oddLength(random.int(126), random.pick([16, 64]), false),
  (stream, random) => stream.oddLength(random.between(126, 65_535), 64, false),
  (stream, random) => stream.oddLength(random.pick(HUGE), 64, random.chance(0.3)),
  (stream, random) => stream.frame(FIN | random.pick([CLOSE, PING, PONG]), NOISE, 0, random.pick([126, 127, 65_536])),
  // Content.
  (stream) => stream.badText(),
  (stream) => stream.badClose(),
  (stream) => stream.badDeflate(),
  (stream) => stream.emptyFragments(),
  // Octets that are missing, and octets that are no frame.
  (_, random) => writer.cut(random.between(1, 12)),
  (_, random) => writer.payload(NOISE, 0, random.small(60), random.word()),
  // Frames behind the last one.
  (stream) => stream.close(),
]

/** The octets of one stream, as its receiver reads them. */
export function generateFrames(random: Random, options: StreamOptions): Buffer {
  const stream = new FrameStream(random, options)
  const length = random.int((options.length ?? 40) + 1)
  const flaws = random.chance(options.flawed ?? 0.3) ? random.between(1, 2) : 0
  const flawAt = flaws === 0 ? -1 : random.int(length + 1)
  writer.start()
  for (let i = 0; i <= length; i++) {
    if (i >= flawAt && i < flawAt + flaws) stream.flaw()
    if (i === length) break
    if (random.chance(0.3)) stream.control()
    else stream.message()
  }
  if (random.chance(0.5)) stream.close()
  // Streams of valid frames may end in the middle of one.
  else if (random.chance(0.1)) writer.cut(random.small(20))
  return writer.finish()
}

/**
 * Messages that tell who they are: sender, number and kind stand in the first octets, and all that follows, size, type and
 * content, comes from these and the seed. Whoever receives one can tell whether every octet is right, and nobody has to keep
 * what was sent.
 *
 * Sizes go from 64 octets to 64 KiB, small ones being the most: half have less than 250 octets, the mean is 2 KiB. A half is
 * binary, the octets in turn random and alike, so that there is something to compress; a half is text, of which a quarter has no
 * ASCII behind the first octets.
 */
import { payloadOf } from '../bench/load/frames.ts'

/** What a server has to do with it: send it back, or send it to all connections. */
export type Kind = 'E' | 'B'

export interface Key {
  readonly kind: Kind
  /** Who sent it, and which of its messages of that kind it is. */
  readonly sender: number
  readonly sequence: number
}

export const SMALLEST = 64
export const LARGEST = 65_536
/** Octets of the key, all of them ASCII: the kind, and two hexadecimal numbers. */
const HEAD = 16
const SENDER_DIGITS = 5
/** Where the content of a message may begin in what contents are cut from. */
const PLACES = 262_144

export class Messages {
  readonly #seed: number
  readonly #octets: Buffer
  readonly #ascii: string
  /** Pairs of characters that take two octets each, or one pair of surrogates that takes four. */
  readonly #wide: string

  constructor(seed: number) {
    this.#seed = seed
    const length = PLACES + LARGEST
    this.#ascii = records(length)
    this.#octets = payloadOf('binary', length, seed)
    for (let at = 0; at < length; at += 512) this.#octets.fill(at & 0xff, at, at + 256)
    this.#wide = wideText(length / 2 + 2)
  }

  /** Text or octets. */
  make(key: Key): string | Buffer {
    const { type, size, place } = this.#facts(key)
    const head = headOf(key)
    if (type === 'binary') {
      const message = Buffer.allocUnsafe(size)
      message.write(head, 'latin1')
      this.#octets.copy(message, HEAD, place, place + size - HEAD)
      return message
    }
    return head + this.#text(type, place, size - HEAD)
  }

  /** Whether `data` is the message of that key in every octet, and of its type. */
  isRight(key: Key, data: string | Buffer): boolean {
    const { type, size, place } = this.#facts(key)
    if (typeof data === 'string') {
      if (type === 'binary') return false
      return data.slice(HEAD) === this.#text(type, place, size - HEAD) && data.startsWith(headOf(key))
    }
    if (type !== 'binary' || data.length !== size) return false
    const rest = this.#octets.compare(data, HEAD, size, place, place + size - HEAD)
    return rest === 0 && data.toString('latin1', 0, HEAD) === headOf(key)
  }

  #text(type: 'ascii' | 'wide', place: number, octets: number): string {
    if (type === 'ascii') return this.#ascii.slice(place, place + octets)
    // Whole pairs, which have four octets.
    const from = (place >> 2) * 2
    return this.#wide.slice(from, from + (octets >> 2) * 2)
  }

  #facts({ kind, sender, sequence }: Key): {
    readonly type: 'binary' | 'ascii' | 'wide'
    readonly size: number
    readonly place: number
  } {
    const first = mix(this.#seed ^ mix(sender * 2 + (kind === 'B' ? 1 : 0) + mix(sequence)))
    const second = mix(first)
    // The density falls with the power 1.5 of the size.
    const share = (second / 2 ** 32) * (1 - Math.sqrt(SMALLEST / LARGEST))
    const size = Math.floor(SMALLEST / (1 - share) ** 2)
    const type = (first & 1) === 0 ? 'binary' : (first & 6) === 0 ? 'wide' : 'ascii'
    return { type, size, place: (first >>> 3) % PLACES }
  }
}

/** Who a message says it is; `undefined` for what nobody here has sent. */
export function keyOf(data: string | Buffer): Key | undefined {
  const head = typeof data === 'string' ? data.slice(0, HEAD) : data.toString('latin1', 0, HEAD)
  const kind = head[0]
  const sender = Number.parseInt(head.slice(1, 1 + SENDER_DIGITS), 16)
  const sequence = Number.parseInt(head.slice(1 + SENDER_DIGITS), 16)
  if ((kind !== 'E' && kind !== 'B') || Number.isNaN(sender) || Number.isNaN(sequence)) return undefined
  return { kind, sender, sequence }
}

function headOf({ kind, sender, sequence }: Key): string {
  const digits = HEAD - 1 - SENDER_DIGITS
  return kind + sender.toString(16).padStart(SENDER_DIGITS, '0') + sequence.toString(16).padStart(digits, '0')
}

/** A 32-bit number out of another, in which every bit depends on all of those (the finalizer of MurmurHash3). */
export function mix(value: number): number {
  let hash = Math.trunc(value) ^ 0x9e3779b9
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function records(length: number): string {
  const lines: string[] = []
  for (let at = 0, octets = 0; octets < length; at++) {
    const line = `{"id":${mix(at) % 100_000},"state":"${at % 3 === 0 ? 'open' : 'closed'}","price":${mix(at) % 9973}}\n`
    lines.push(line)
    octets += line.length
  }
  return lines.join('').slice(0, length)
}

function wideText(units: number): string {
  const pairs: string[] = []
  for (let at = 0; at < units / 2; at++) {
    const chosen = mix(at)
    // Greek, or a face.
    const letters = (): string => String.fromCharCode(0x3b1 + (chosen % 24), 0x3b1 + ((chosen >>> 8) % 24))
    pairs.push(chosen % 5 === 0 ? String.fromCodePoint(0x1f600 + (chosen % 64)) : letters())
  }
  return pairs.join('')
}

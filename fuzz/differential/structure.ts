/**
 * A stream taken apart by other means than those of `src`: its frames, and what is wrong with each. Rules about differences
 * look at this, and so must not share the mistakes of what they judge.
 *
 * Taking apart goes on behind a fault, as an endpoint would that does not mind.
 */
import { isUtf8 } from 'node:buffer'
import { MAX_MESSAGE_SIZE } from './verdict.ts'
import type { Stream } from './verdict.ts'

/** What may be wrong with a header (RFC 6455 5.2 to 5.5, RFC 7692 6). */
export type HeaderFault =
  | 'rsv1' // without an extension
  | 'rsv1 misplaced' // with one, on a control or continuation frame
  | 'rsv2 or rsv3'
  | 'opcode'
  | 'fragmented control'
  | 'long control'
  | 'interleaved'
  | 'nothing to continue'
  | 'masking'
  | 'top bit'
  | 'not minimal'
  | 'too big'
  | 'empty fragments' // more of them in a row than we take

/** What may be wrong with the body of a Close. */
export type CloseFault = 'short close' | 'close code' | 'close reason'

export interface StreamFrame {
  /** Of its first octet, of its payload, and behind it, if all of it came. */
  readonly start: number
  readonly payloadStart: number
  readonly end: number
  readonly fin: boolean
  readonly rsv1: boolean
  readonly opcode: number
  readonly length: bigint
  /** Unmasked; what has come of it. */
  readonly payload: Buffer
  readonly faults: readonly HeaderFault[]
  /** A message has begun before it and not ended. */
  readonly inMessage: boolean
  /** It is or belongs to a compressed message. */
  readonly compressed: boolean
  /** Header and payload are there. */
  readonly complete: boolean
}

/** What has come of a data message by one of its frames. */
export interface StreamMessage {
  readonly isText: boolean
  readonly compressed: boolean
  /** Of the frames that belong to it. */
  readonly frames: readonly number[]
  readonly complete: boolean
  /** As it came, compressed or not. */
  readonly payload: Buffer
}

export interface Structure {
  readonly frames: readonly StreamFrame[]
  readonly messages: readonly StreamMessage[]
  /** Octets behind the last frame that are no whole header: the beginning of one. */
  readonly rest: Buffer
}

const CONTINUATION = 0
const TEXT = 1
const BINARY = 2
export const CLOSE = 8

interface Open {
  isText: boolean
  compressed: boolean
  frames: number[]
  payloads: Buffer[]
  size: number
  /** Empty frames since the last one that was not. */
  empty: number
}

const MAX_EMPTY_IN_A_ROW = 1024

/** Takes a stream apart. */
export function structureOf(stream: Stream): Structure {
  const { octets } = stream
  const frames: StreamFrame[] = []
  const messages: StreamMessage[] = []
  let open: Open | undefined
  let at = 0
  while (headerLength(octets, at) <= octets.length - at) {
    const frame = readFrame(stream, at, open)
    if (frame.opcode <= BINARY) {
      // Who does not mind a message within another, or a continuation of nothing, begins a new one.
      if (open === undefined || frame.opcode !== CONTINUATION) {
        if (open !== undefined) messages.push(messageOf(open, false))
        open = {
          isText: frame.opcode === TEXT,
          compressed: frame.compressed,
          frames: [],
          payloads: [],
          size: 0,
          empty: 0,
        }
      }
      open.frames.push(frames.length)
      // What nobody takes is not part of it.
      if (!frame.faults.includes('top bit') && !frame.faults.includes('too big')) open.payloads.push(frame.payload)
      open.size += frame.payload.length
      open.empty = frame.length === 0n ? open.empty + 1 : 0
      if (frame.fin && frame.complete) {
        messages.push(messageOf(open, true))
        open = undefined
      }
    }
    frames.push(frame)
    at = frame.payloadStart + frame.payload.length
    if (!frame.complete) break
  }
  if (open !== undefined) messages.push(messageOf(open, false))
  return { frames, messages, rest: octets.subarray(at) }
}

function messageOf({ isText, compressed, frames, payloads }: Open, complete: boolean): StreamMessage {
  return { isText, compressed, frames, complete, payload: Buffer.concat(payloads) }
}

/** Octets of the header that begins at `at`; what of it is missing may be more, but never less. */
function headerLength(octets: Buffer, at: number): number {
  if (octets.length - at < 2) return 2
  const short = octets[at + 1] & 0x7f
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (octets[at + 1] & 0x80 ? 4 : 0)
}

function readFrame({ octets, role, deflate }: Stream, start: number, open: Open | undefined): StreamFrame {
  const [first, second] = octets.subarray(start, start + 2)
  const masked = (second & 0x80) !== 0
  const short = second & 0x7f
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0
  const payloadStart = start + headerLength(octets, start)
  const length =
    extended === 0 ? BigInt(short) : BigInt(`0x${octets.subarray(start + 2, start + 2 + extended).toString('hex')}`)
  const end = length > BigInt(octets.length) ? Infinity : payloadStart + Number(length)
  const payload = Buffer.from(octets.subarray(payloadStart, end === Infinity ? undefined : end))
  const key = octets.subarray(payloadStart - 4, payloadStart)
  if (masked) for (let i = 0; i < payload.length; i++) payload[i] ^= key[i % 4]
  const opcode = first & 0x0f
  const fin = (first & 0x80) !== 0
  const rsv1 = (first & 0x40) !== 0
  const control = opcode >= 8
  const known = opcode <= BINARY || (opcode >= CLOSE && opcode <= 10)
  const continues = opcode === CONTINUATION
  const negotiated = deflate !== 'none'
  const size = (continues ? (open?.size ?? 0) : 0) + Number(length)
  const compressed = negotiated && !control && (continues ? open?.compressed === true : rsv1)
  // A compressed message has its limit once it is inflated, and may be a little longer before.
  const limit = compressed ? MAX_MESSAGE_SIZE * 1.0625 + 64 : MAX_MESSAGE_SIZE
  const faults: [HeaderFault, boolean][] = [
    ['rsv1', rsv1 && !negotiated],
    ['rsv1 misplaced', rsv1 && negotiated && (control || continues)],
    ['rsv2 or rsv3', (first & 0x30) !== 0],
    ['opcode', !known],
    ['fragmented control', control && !fin],
    ['long control', control && length > 125n],
    ['interleaved', !control && known && open !== undefined && !continues],
    ['nothing to continue', continues && open === undefined],
    ['masking', masked !== (role === 'server')],
    ['top bit', length >> 63n === 1n],
    ['not minimal', extended === 2 ? length < 126n : extended === 8 && length < 65_536n],
    ['too big', !control && known && size > limit],
    ['empty fragments', continues && length === 0n && open !== undefined && open.empty >= MAX_EMPTY_IN_A_ROW],
  ]
  return {
    start,
    payloadStart,
    end,
    fin,
    rsv1,
    opcode,
    length,
    payload,
    faults: faults.filter(([, is]) => is).map(([fault]) => fault),
    inMessage: open !== undefined,
    compressed,
    complete: end <= octets.length,
  }
}

/** The frame that `taken` octets end with, or in. */
export function frameAt({ frames }: Structure, taken: number): number {
  return frames.findIndex(({ end }) => taken <= end)
}

/** What is wrong with the body of a Close (5.5.1, 7.4). */
export function closeFault(payload: Buffer): CloseFault | undefined {
  if (payload.length === 0) return undefined
  if (payload.length === 1) return 'short close'
  const code = payload.readUInt16BE(0)
  const defined = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
  if (!defined && !(code >= 3000 && code <= 4999)) return 'close code'
  return isUtf8(payload.subarray(2)) ? undefined : 'close reason'
}

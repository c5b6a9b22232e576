/**
 * Messages to bytes (RFC 6455 5.2 to 5.6, 6.1).
 *
 * `encodeFrame` makes one frame, any frame, as a Buffer of its own. `writeMessage` and `writeControl` write into a
 * `FrameTarget`, where header and payload share memory and many frames share one write.
 *
 * A client masks a copy, always: the caller's octets are not touched, and what happens to them after the call is not
 * sent (10.3). A server passes a large payload on by reference, as `socket.write` does.
 */
import { frameHeaderSize, writeFrameHeader } from './header.ts'
import { applyMask, createMaskingKey } from './mask.ts'
import { Opcode } from './opcode.ts'
import { writeUtf8 } from './utf8.ts'

const FIN = 0x80
/** Beside the opcode in the first octet of a message that an extension has worked on (RFC 7692 6). */
export const RSV1 = 0x40

/** Payloads up to this many octets are copied behind their header; copying costs less than a second write. */
const COPY_UP_TO = 16_384

/** Text up to this many characters is written one by one: for so few that is cheaper than a call into C++. */
const SHORT = 48

/** The most octets that UTF-8 takes for one of UTF-16. */
const WIDEST = 3

/** Where encoded frames go. */
export interface FrameTarget {
  /** The memory in which the last claim lies. */
  readonly bytes: Buffer
  /** Takes the next `size` octets of output; answers where in `bytes` they begin. They must all be written at once. */
  claim(size: number): number
  /**
   * As `claim`, of at most `size` octets; `settle` tells how many of them were written. Answers -1 when their number has
   * to be known before, as it always has to where there is no such method.
   */
  claimUpTo?(size: number): number
  /** Tells how many octets were written where the last `claimUpTo` said. */
  settle?(size: number): void
  /** The octets of `bytes` come next; they must not change before they are sent. */
  push(bytes: Buffer): void
}

/** Gathers frames instead of sending them. */
export class FrameList implements FrameTarget {
  readonly frames: Buffer[] = []
  /** Octets in all of them. */
  size = 0
  bytes: Buffer = Buffer.alloc(0)

  /** Memory of its own for each claim. */
  claim(size: number): number {
    this.bytes = Buffer.allocUnsafe(size)
    this.push(this.bytes)
    return 0
  }

  /** Adds what has been encoded. */
  push(bytes: Buffer): void {
    this.frames.push(bytes)
    this.size += bytes.length
  }
}

/** A frame to encode; FIN is set, and RSV1 to RSV3 are not, unless given. */
export interface Frame {
  readonly opcode: number
  readonly payload?: Uint8Array | string
  readonly fin?: boolean
  readonly rsv1?: boolean
  readonly rsv2?: boolean
  readonly rsv3?: boolean
  /** Present when the frame is masked; see `createMaskingKey`. First octet lowest. */
  readonly maskingKey?: number
}

/** One frame as it goes over the wire. Checks nothing: it also writes what no endpoint may send. */
export function encodeFrame(frame: Frame): Buffer {
  const { opcode, payload = '', fin = true, rsv1 = false, rsv2 = false, rsv3 = false, maskingKey } = frame
  const octets = typeof payload === 'string' ? Buffer.from(payload) : payload
  const size = frameHeaderSize(octets.length, maskingKey !== undefined)
  const bytes = Buffer.allocUnsafe(size + octets.length)
  const firstOctet = (fin ? FIN : 0) | (rsv1 ? RSV1 : 0) | (rsv2 ? 0x20 : 0) | (rsv3 ? 0x10 : 0) | opcode
  writeFrameHeader(bytes, 0, firstOctet, octets.length, maskingKey)
  bytes.set(octets, size)
  if (maskingKey !== undefined) applyMask(bytes, size, bytes.length, maskingKey)
  return bytes
}

/**
 * Writes a message of type `opcode` (Text or Binary, with RSV1 where an extension has worked on it), as one frame or,
 * when it has more than `fragmentSize` octets, as fragments of that size, which is 1 or more. `masked`: we are the client.
 */
export function writeMessage(
  target: FrameTarget,
  opcode: number,
  data: string | Buffer,
  masked: boolean,
  fragmentSize: number,
): void {
  if (typeof data !== 'string') {
    writeFragments(target, opcode, data, masked, fragmentSize, true)
    return
  }
  const most = Math.min(fragmentSize, COPY_UP_TO)
  if (WIDEST * data.length <= most && writeTextFirst(target, opcode, data, masked)) return
  if (data.length <= most) {
    const length = Buffer.byteLength(data)
    if (length <= most) {
      writeText(target, opcode, data, length, masked)
      return
    }
  }
  writeFragments(target, opcode, Buffer.from(data), masked, fragmentSize, true)
}

/**
 * Writes the next octets of a message as one frame or, when there are more than `fragmentSize`, as several; with
 * `last` the message ends. `opcode` is the message's on its first frame, and Continuation on all others (5.4).
 */
export function writeFragments(
  target: FrameTarget,
  opcode: number,
  payload: Buffer,
  masked: boolean,
  fragmentSize: number,
  last: boolean,
): void {
  let frameOpcode = opcode
  let start = 0
  for (; payload.length - start > fragmentSize; start += fragmentSize) {
    writeFrame(target, frameOpcode, payload, start, start + fragmentSize, masked)
    frameOpcode = Opcode.Continuation
  }
  writeFrame(target, (last ? FIN : 0) | frameOpcode, payload, start, payload.length, masked)
}

/** Writes a control frame; `payload` has at most 125 octets (5.5). */
export function writeControl(target: FrameTarget, opcode: number, payload: Buffer, masked: boolean): void {
  writeFrame(target, FIN | opcode, payload, 0, payload.length, masked)
}

/** The string is encoded straight behind its header. */
function writeText(target: FrameTarget, opcode: number, text: string, length: number, masked: boolean): void {
  // 5.3: a fresh key for every frame, the empty ones included.
  const maskingKey = masked ? createMaskingKey() : undefined
  const at = target.claim(frameHeaderSize(length, masked) + length)
  const bytes = target.bytes
  writeUtf8(bytes, text, at + frameHeaderSize(length, masked), length)
  completeText(bytes, at, opcode, length, maskingKey)
}

/** The same, in front of its header, so that its length need not be found out before. Answers whether it could be. */
function writeTextFirst(target: FrameTarget, opcode: number, text: string, masked: boolean): boolean {
  const most = WIDEST * text.length
  const at = target.claimUpTo?.(frameHeaderSize(most, masked) + most) ?? -1
  if (at < 0) return false
  const maskingKey = masked ? createMaskingKey() : undefined
  const bytes = target.bytes
  // Where it begins if it is ASCII.
  const likely = at + frameHeaderSize(text.length, masked)
  const length = writeAscii(bytes, text, likely) ? text.length : writeUtf8(bytes, text, likely, most)
  const headerSize = frameHeaderSize(length, masked)
  if (at + headerSize !== likely) bytes.copyWithin(at + headerSize, likely, likely + length)
  completeText(bytes, at, opcode, length, maskingKey)
  target.settle?.(headerSize + length)
  return true
}

/** Puts the header in front of text that has been written, and masks it. */
function completeText(bytes: Buffer, at: number, opcode: number, length: number, maskingKey: number | undefined): void {
  const start = writeFrameHeader(bytes, at, FIN | opcode, length, maskingKey)
  if (maskingKey !== undefined) applyMask(bytes, start, start + length, maskingKey)
}

/** Answers whether `text` is short and ASCII, so that it has been written. */
function writeAscii(bytes: Buffer, text: string, offset: number): boolean {
  if (text.length > SHORT) return false
  let seen = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    seen |= unit
    bytes[offset + i] = unit
  }
  return seen < 0x80
}

function writeFrame(
  target: FrameTarget,
  firstOctet: number,
  payload: Buffer,
  start: number,
  end: number,
  masked: boolean,
): void {
  const length = end - start
  const headerSize = frameHeaderSize(length, masked)
  if (!masked && length > COPY_UP_TO) {
    const at = target.claim(headerSize)
    writeFrameHeader(target.bytes, at, firstOctet, length, undefined)
    target.push(payload.subarray(start, end))
    return
  }
  const maskingKey = masked ? createMaskingKey() : undefined
  const at = target.claim(headerSize + length)
  const bytes = target.bytes
  const payloadAt = writeFrameHeader(bytes, at, firstOctet, length, maskingKey)
  payload.copy(bytes, payloadAt, start, end)
  if (maskingKey !== undefined) applyMask(bytes, payloadAt, payloadAt + length, maskingKey)
}

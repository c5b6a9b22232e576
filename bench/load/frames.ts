/**
 * What the load sends: frames of a client (RFC 6455 section 5.2), written once, before anything is measured. It is written for the
 * bench and shares nothing with the library.
 */
import { createHash } from 'node:crypto'

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9 } as const

export interface FrameOptions {
  readonly opcode: number
  readonly fin?: boolean
  /** A compressed message's first frame (RFC 7692 section 6). */
  readonly rsv1?: boolean
}

/** One masked frame. */
export function clientFrame(payload: Buffer, { opcode, fin = true, rsv1 = false }: FrameOptions): Buffer {
  const head = frameHead(payload.length, 0x80)
  head[0] = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode
  const key = maskingKey(payload.length + opcode)
  const frame = Buffer.allocUnsafe(head.length + 4 + payload.length)
  head.copy(frame)
  key.copy(frame, head.length)
  const start = head.length + 4
  for (let index = 0; index < payload.length; index++) frame[start + index] = payload[index] ^ key[index & 3]
  return frame
}

/** One frame as a server sends it. */
export function serverFrame(payload: Buffer, opcode: number): Buffer {
  const head = frameHead(payload.length, 0)
  head[0] = 0x80 | opcode
  return Buffer.concat([head, payload])
}

/** A message, in one frame or in fragments of `size` octets. */
export function clientMessage(payload: Buffer, opcode: number, size: number = payload.length): Buffer {
  const frames: Buffer[] = []
  let start = 0
  do {
    const end = Math.min(start + size, payload.length)
    const options = { opcode: start === 0 ? opcode : OPCODE.continuation, fin: end === payload.length }
    frames.push(clientFrame(payload.subarray(start, end), options))
    start = end
  } while (start < payload.length)
  return Buffer.concat(frames)
}

/** Without the first octet's bits; `mask` is the second's highest. */
function frameHead(length: number, mask: number): Buffer {
  if (length < 126) return Buffer.from([0, mask | length])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head[1] = mask | (length < 65_536 ? 126 : 127)
  if (length < 65_536) head.writeUInt16BE(length, 2)
  else head.writeUInt32BE(length, 6)
  return head
}

/** Any will do that is not zero in any octet: then a server that does not unmask is found out. */
function maskingKey(seed: number): Buffer {
  const key = createHash('sha1').update(String(seed)).digest().subarray(0, 4)
  return key.map((octet) => octet | 1) as Buffer
}

/** 64 of them. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ.0123456789'

/** The `index`th message of its size: octets of all values, or ASCII; the same in each process that asks. */
export function payloadOf(kind: 'text' | 'binary', size: number, index: number): Buffer {
  const words = new Int32Array(Math.ceil(size / 4))
  let state = Math.imul(index + 1, 0x9e3779b1)
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[at] = state
  }
  const payload = Buffer.from(words.buffer, 0, size)
  if (kind === 'text') for (let at = 0; at < size; at++) payload[at] = LETTERS.charCodeAt(payload[at] & 63)
  return payload
}

/** The `index`th record of those that services send each other: at least `size` octets of JSON, each unlike every other. */
export function jsonOf(size: number, index: number): Buffer {
  const random = payloadOf('text', 4096, index)
  const entries: object[] = []
  let text = '{}'
  for (let row = 0; text.length < size; row++) {
    const at = (row * 12) % 4000
    entries.push({
      id: random.readUInt32LE(at) % 1_000_000,
      state: random[at + 4] % 3 === 0 ? 'open' : 'closed',
      price: (random.readUInt32LE(at + 5) % 100_000) / 100,
      note: random.toString('latin1', at, at + 6),
    })
    text = JSON.stringify({ type: 'update', sequence: index, entries })
  }
  return Buffer.from(text)
}

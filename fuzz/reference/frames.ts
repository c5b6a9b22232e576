/**
 * Frames read once more, by other hands than `src` and for one purpose: to be compared with. Written from RFC 6455 sections
 * 5 to 8 and RFC 7692, with all octets at hand, with copies wherever they are convenient, and with `TextDecoder` and zlib
 * for what they know. It is slow, and simple enough to be believed.
 */
import { isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { inflateRawSync } from 'node:zlib'
import type { Role } from '../../src/framing/index.ts'

/** Kinds and data in turn: `['text', 'Hello', 'ping', <Buffer>]`. */
export type Events = (string | Buffer)[]

export interface Meaning {
  readonly events: Events
  /** What the connection has to be failed with, behind these events. */
  closeCode: number | undefined
  /** From here on it is not known what the octets mean to a reader with limits of its own. */
  unsure: boolean
}

export interface ReferenceOptions {
  readonly role: Role
  readonly deflate: 'no' | 'each' | 'context'
  readonly maxMessageSize: number
  readonly maxFragments: number
}

interface Message {
  readonly isText: boolean
  readonly compressed: boolean
  readonly pieces: Buffer[]
  size: number
  fragments: number
  emptyInARow: number
  readonly decoder: TextDecoder | undefined
}

interface ReferenceFrame {
  readonly first: number
  readonly opcode: number
  readonly fin: boolean
  readonly masked: boolean
  readonly length: number
  readonly isMinimal: boolean
  readonly topBit: boolean
  /** As much of it as there is. */
  readonly payload: Buffer
  readonly isWhole: boolean
  readonly end: number
}

const GOOD_CODE = /^(100[0-3]|100[7-9]|101[0-4]|3\d{3}|4\d{3})$/
/** What our limits have to say beside the RFC, as our options tell them. */
const MAX_EMPTY_IN_A_ROW = 1024
const LARGEST_AT_ONCE = 32_768
const WINDOW = 32_768

/** What the octets mean that an endpoint in this role receives. */
export function readFrames(octets: Buffer, options: ReferenceOptions): Meaning {
  const meaning: Meaning = { events: [], closeCode: undefined, unsure: false }
  let message: Message | undefined
  let context: Buffer = Buffer.alloc(0)
  for (let frame = frameAt(octets, 0); frame !== undefined; frame = frameAt(octets, frame.end)) {
    if (!keepsTheRules(frame, message !== undefined, options)) return failed(meaning, 1002)
    if (frame.opcode >= 8) {
      if (!frame.isWhole) return meaning
      const closeCode = control(frame, meaning.events)
      if (closeCode !== undefined) return failed(meaning, closeCode)
      continue
    }
    message ??= begin(frame)
    const closeCode = add(message, frame, options, meaning)
    if (closeCode !== undefined) return failed(meaning, closeCode)
    if (meaning.unsure || !frame.isWhole) return meaning
    if (!frame.fin) continue
    const data = message.compressed ? inflate(message, context, options, meaning) : Buffer.concat(message.pieces)
    if (typeof data === 'number') return failed(meaning, data)
    if (meaning.unsure) return meaning
    if (message.isText && !isUtf8(data)) return failed(meaning, 1007)
    if (options.deflate === 'context' && message.compressed) context = Buffer.concat([context, data]).subarray(-WINDOW)
    meaning.events.push(message.isText ? 'text' : 'binary', message.isText ? data.toString() : data)
    message = undefined
  }
  return meaning
}

function failed(meaning: Meaning, closeCode: number): Meaning {
  meaning.closeCode = closeCode
  return meaning
}

/** 5.2 */
function frameAt(octets: Buffer, at: number): ReferenceFrame | undefined {
  if (octets.length < at + 2) return undefined
  const first = octets[at]
  const second = octets[at + 1]
  const masked = second >= 0x80
  const form = second & 0x7f
  const lengthEnd = at + 2 + (form === 126 ? 2 : form === 127 ? 8 : 0)
  const start = lengthEnd + (masked ? 4 : 0)
  if (octets.length < start) return undefined
  const told =
    form === 126 ? BigInt(octets.readUInt16BE(at + 2)) : form === 127 ? octets.readBigUInt64BE(at + 2) : BigInt(form)
  const length = Number(told)
  const end = Math.min(octets.length, start + length)
  const payload = Buffer.from(octets.subarray(start, end))
  if (masked) for (let i = 0; i < payload.length; i++) payload[i] ^= octets[lengthEnd + (i % 4)]
  return {
    first,
    opcode: first & 0x0f,
    fin: first >= 0x80,
    masked,
    length,
    isMinimal: form < 126 || told > (form === 126 ? 125n : 65_535n),
    topBit: told >= 2n ** 63n,
    payload,
    isWhole: end === start + length,
    end,
  }
}

/** 5.1, 5.2, 5.4, 5.5; RFC 7692 6 */
function keepsTheRules(frame: ReferenceFrame, inMessage: boolean, { role, deflate }: ReferenceOptions): boolean {
  const { first, opcode } = frame
  if (![0, 1, 2, 8, 9, 10].includes(opcode)) return false
  if ((first & 0x30) !== 0) return false
  if ((first & 0x40) !== 0 && (deflate === 'no' || opcode === 0 || opcode >= 8)) return false
  if (opcode >= 8 && (!frame.fin || frame.length > 125)) return false
  if (opcode < 8 && inMessage !== (opcode === 0)) return false
  return frame.masked === (role === 'server') && frame.isMinimal && !frame.topBit
}

/** 5.5; answers what is wrong with it, if something is. */
function control({ opcode, payload }: ReferenceFrame, events: Events): number | undefined {
  if (opcode !== 8) {
    events.push(opcode === 9 ? 'ping' : 'pong', payload)
    return undefined
  }
  if (payload.length === 0) {
    events.push('close 1005', '')
    return undefined
  }
  if (payload.length === 1) return 1002
  const code = String(payload.readUInt16BE(0))
  const reason = payload.subarray(2)
  if (!GOOD_CODE.test(code)) return 1002
  if (!isUtf8(reason)) return 1007
  events.push(`close ${code}`, reason.toString())
  return undefined
}

function begin({ first, opcode, fin, isWhole }: ReferenceFrame): Message {
  const isText = opcode === 1
  const compressed = (first & 0x40) !== 0
  return {
    isText,
    compressed,
    pieces: [],
    size: 0,
    fragments: 0,
    emptyInARow: 0,
    // 8.1, and we fail at the first octet that cannot be text, not at the end of the message.
    decoder: isText && !compressed && !(fin && isWhole) ? new TextDecoder('utf-8', { fatal: true }) : undefined,
  }
}

/** 5.4, 10.4; answers what is wrong with it, if something is. */
function add(
  message: Message,
  frame: ReferenceFrame,
  { maxMessageSize, maxFragments }: ReferenceOptions,
  meaning: Meaning,
): number | undefined {
  if (message.size + frame.length > maxMessageSize) {
    // How large a compressed message may be that becomes none too large is for each to say.
    if (!message.compressed) return 1009
    meaning.unsure = true
    return undefined
  }
  if (++message.fragments > maxFragments) return 1008
  message.emptyInARow = frame.length === 0 ? message.emptyInARow + 1 : 0
  if (message.emptyInARow > MAX_EMPTY_IN_A_ROW) return 1008
  message.size += frame.length
  message.pieces.push(frame.payload)
  try {
    message.decoder?.decode(frame.payload, { stream: true })
  } catch {
    return 1007
  }
  return undefined
}

/** RFC 7692 7.2.2: what came, what a sync flush ends with, and here a last block, so that zlib wants it complete. */
function inflate(message: Message, context: Buffer, options: ReferenceOptions, meaning: Meaning): Buffer | number {
  const input = Buffer.concat([...message.pieces, Buffer.from('0000ffff010000ffff', 'hex')])
  if (message.size > LARGEST_AT_ONCE) {
    meaning.unsure = true
    return Buffer.alloc(0)
  }
  const settings = { info: true, maxOutputLength: options.maxMessageSize, dictionary: context }
  try {
    const { buffer, engine } = inflateRawSync(input, settings) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    // Final blocks within a message are legal, and leave it to the reader how many (7.2.3.4).
    if (engine.bytesWritten < input.length) meaning.unsure = true
    return buffer
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 1009 : 1007
  }
}

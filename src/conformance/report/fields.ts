/**
 * The fields of a frame, one by one, in the order of their octets: what each is called, what it says, and what is wrong with it
 * (RFC 6455 5.2 to 5.8). It explains any octets, also those that a frame must not have, and those of which the end is missing.
 */
import type { Role } from '../case.ts'
import { opcodeName, readWireHeader, unmask } from './header.ts'
import type { WireHeader } from './header.ts'
import { groupDigits, octetCount, spacedHex } from './octets.ts'
import { closeFields, payloadMeaning, payloadProblem, payloadValue } from './payload.ts'

/** One field of a frame. */
export interface FrameField {
  /** In the RFC's words: `FIN`, `opcode`, `masking key` … */
  readonly name: string
  /** Its first octet, counted from 0 at the frame's first, and the one behind its last. */
  readonly start: number
  readonly end: number
  /** Of a field that is part of an octet, its first and last bit as the RFC counts them: 0 is the most significant one. */
  readonly bits?: readonly [first: number, last: number]
  /** Its octets as they came; of `payload data, unmasked`, and of what stands in it, as they are without the mask. */
  readonly octets: Buffer
  readonly value: string
  readonly meaning: string
  /** Where that is written, as `RFC 6455 5.2`. */
  readonly section: string
  /** What is wrong with it, in a sentence. */
  readonly problem?: string
}

/** What is known about the connection; what is not, is not judged. */
export interface FrameContext {
  /** Who sent the frame. */
  readonly sender?: Role
  /** Whether permessage-deflate was agreed on. */
  readonly deflate?: boolean
}

/** The facts about one frame that its fields are made from. */
export interface FrameView {
  readonly header: WireHeader
  readonly octets: Buffer
  /** How many octets it had on the wire. */
  readonly length: number
  readonly context: FrameContext
  /** Whether its payload is compressed (RFC 7692 6). */
  readonly compressed: boolean
}

const FRAMING = 'RFC 6455 5.2'
const CONTROL = 'RFC 6455 5.5'
const MASKING = 'RFC 6455 5.3'
const UNMASKED = 'payload data, unmasked'

/**
 * Explains one frame. `octets`: those that are known, from its first on; octets behind the frame are left alone, so that the
 * `end` of the last field is where the next frame begins. `length`: how many octets there were in all, when only the
 * first of them are known.
 */
export function explainFrame(octets: Buffer, length: number = octets.length, context: FrameContext = {}): FrameField[] {
  if (octets.length === 0) return []
  const header = readWireHeader(octets)
  if (header === undefined) return [cutHeader(octets)]
  const view: FrameView = {
    header,
    octets,
    length,
    context,
    compressed: header.rsv1 && context.deflate !== false && header.opcode < 8,
  }
  const fields = [...firstOctet(view), ...secondOctet(view)]
  if (header.lengthOctets > 0) fields.push(extendedLength(view))
  // Behind a length that is cut there is nothing.
  if (header.payloadLength === undefined) return fields
  if (header.masked) fields.push(maskingKey(view))
  return octets.length < header.end ? fields : [...fields, ...payloadFields(view, header.payloadLength)]
}

function cutHeader(octets: Buffer): FrameField {
  return {
    name: 'header',
    start: 0,
    end: 1,
    octets,
    value: spacedHex(octets),
    meaning: 'FIN, RSV1, RSV2, RSV3 and opcode',
    section: FRAMING,
    problem: 'A frame has at least two octets; this is the first.',
  }
}

function firstOctet({ header, octets, context, compressed }: FrameView): FrameField[] {
  const { fin, rsv1, opcode } = header
  const control = opcode >= 8
  const bit = (name: string, at: number, set: boolean, meaning: string, wrong?: string): FrameField =>
    inOctet(octets, 0, name, [at, at], set ? '1' : '0', meaning, wrong)
  const reserved = (name: string, at: number, set: boolean): FrameField =>
    bit(name, at, set, set ? 'set' : 'not set', set ? `No extension gives ${name} a meaning.` : undefined)
  return [
    bit(
      'FIN',
      0,
      fin,
      fin ? 'the message ends with this frame' : 'more frames of this message follow',
      control && !fin ? `A control frame must not be fragmented (${CONTROL}).` : undefined,
    ),
    bit(
      'RSV1',
      1,
      rsv1,
      rsv1 ? (compressed ? 'the message is compressed' : 'set') : 'not set',
      rsv1Problem(header, context),
    ),
    reserved('RSV2', 2, header.rsv2),
    reserved('RSV3', 3, header.rsv3),
    inOctet(
      octets,
      0,
      'opcode',
      [4, 7],
      `0x${opcode.toString(16)}`,
      opcodeName(opcode) ?? `reserved for further ${control ? 'control' : 'data'} frames`,
      opcodeName(opcode) === undefined ? 'A reserved opcode fails the connection.' : undefined,
    ),
  ]
}

function rsv1Problem({ rsv1, opcode }: WireHeader, { deflate }: FrameContext): string | undefined {
  if (!rsv1) return undefined
  if (opcode >= 8) return 'Control frames are never compressed (RFC 7692 6.1).'
  if (opcode === 0) return 'RSV1 stands on the first frame of a message only (RFC 7692 6.1).'
  return deflate === false ? 'No extension that was agreed on gives RSV1 a meaning.' : undefined
}

function secondOctet({ header, octets, context }: FrameView): FrameField[] {
  const { masked, length7, opcode } = header
  const long = opcode >= 8 && length7 > 125
  return [
    inOctet(
      octets,
      1,
      'MASK',
      [0, 0],
      masked ? '1' : '0',
      masked ? 'the payload data is masked' : 'the payload data is not masked',
      maskProblem(masked, context),
    ),
    inOctet(
      octets,
      1,
      'payload length',
      [1, 7],
      String(length7),
      length7 === 126
        ? 'the next 2 octets tell it'
        : length7 === 127
          ? 'the next 8 octets tell it'
          : octetCount(length7),
      long ? `A control frame has at most 125 octets of payload (${CONTROL}).` : undefined,
    ),
  ]
}

function maskProblem(masked: boolean, { sender }: FrameContext): string | undefined {
  if (sender === 'client' && !masked) return 'A client must mask every frame (RFC 6455 5.1).'
  if (sender === 'server' && masked) return 'A server must not mask any frame (RFC 6455 5.1).'
  return undefined
}

function extendedLength({ header, octets }: FrameView): FrameField {
  const { lengthOctets, payloadLength } = header
  const end = Math.min(2 + lengthOctets, octets.length)
  const known = octets.subarray(2, end)
  return {
    name: 'extended payload length',
    start: 2,
    end,
    octets: known,
    value: payloadLength === undefined ? spacedHex(known) : groupDigits(String(payloadLength)),
    meaning: payloadLength === undefined ? 'octets of payload data' : octetCount(payloadLength),
    section: FRAMING,
    ...problem(lengthProblem(known.length, lengthOctets, payloadLength)),
  }
}

function lengthProblem(known: number, wanted: number, payloadLength: bigint | undefined): string | undefined {
  if (payloadLength === undefined) return cut(known, wanted)
  if (payloadLength >> 63n === 1n) return 'The top bit of a 64-bit length must be 0.'
  const least = wanted === 2 ? 126n : 65_536n
  return payloadLength < least ? 'A length must be told in as few octets as it can.' : undefined
}

function maskingKey({ header, octets }: FrameView): FrameField {
  const start = header.end - 4
  const end = Math.min(header.end, octets.length)
  const known = octets.subarray(start, end)
  return {
    name: 'masking key',
    start,
    end,
    octets: known,
    value: spacedHex(known),
    meaning: 'octet i of the payload data is XORed with octet i mod 4 of it',
    section: MASKING,
    ...problem(known.length < 4 ? cut(known.length, 4) : undefined),
  }
}

function payloadFields(view: FrameView, told: bigint): FrameField[] {
  if (told === 0n) return []
  const { header, octets, length } = view
  const start = header.end
  // Where the frame says that it ends may be far behind what there is.
  const room = octets.length - start
  const known = octets.subarray(start, start + (told < BigInt(room) ? Number(told) : room))
  const plain = header.masked ? unmask(known, octets.subarray(start - 4, start)) : known
  const came = BigInt(Math.max(length - start, 0))
  const whole = came < told ? `Cut: ${groupDigits(String(came))} of ${octetCount(told)} are there.` : undefined
  const field = { start, end: start + known.length }
  const said = { value: payloadValue(view, plain), meaning: payloadMeaning(view, plain) }
  const wrong = payloadProblem(view, plain)
  if (!header.masked) {
    const raw = { ...field, name: 'payload data', octets: known, ...said, section: FRAMING, ...problem(whole ?? wrong) }
    return [raw, ...closeFields(view, start, plain)]
  }
  const raw: FrameField = {
    ...field,
    name: 'payload data',
    octets: known,
    value: octetCount(known.length),
    meaning: 'masked, as it went over the wire',
    section: FRAMING,
    ...problem(whole),
  }
  if (known.length === 0) return [raw]
  const unmasked = { ...field, name: UNMASKED, octets: plain, ...said, section: MASKING, ...problem(wrong) }
  return [raw, unmasked, ...closeFields(view, start, plain)]
}

function inOctet(
  octets: Buffer,
  start: number,
  name: string,
  bits: readonly [first: number, last: number],
  value: string,
  meaning: string,
  wrong: string | undefined,
): FrameField {
  const end = start + 1
  return {
    name,
    start,
    end,
    bits,
    octets: octets.subarray(start, end),
    value,
    meaning,
    section: FRAMING,
    ...problem(wrong),
  }
}

function problem(text: string | undefined): { problem?: string } {
  return text === undefined ? {} : { problem: text }
}

function cut(known: number, wanted: number): string {
  return `Cut: ${known} of ${octetCount(wanted)} are there.`
}

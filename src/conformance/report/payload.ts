/**
 * What stands in the payload data of a frame, once it is unmasked: text, the code and the reason of a Close, or octets that mean
 * something to the application only (RFC 6455 5.5, 5.6, 7.4, 8.1).
 */
import type { FrameField, FrameView } from './fields.ts'
import { closeCodeName, mayBeSent } from './header.ts'
import { findInvalidUtf8, groupDigits, hexOctet, octetCount, quoted } from './octets.ts'

const TEXT = 1
const BINARY = 2
const CLOSE = 8

/** In quotes where it reads as text, else its length. */
export function payloadValue({ header, compressed }: FrameView, plain: Buffer): string {
  const octets = octetCount(plain.length)
  if (compressed || header.opcode === BINARY || header.opcode === CLOSE || plain.length === 0) return octets
  const invalid = findInvalidUtf8(plain)
  if (invalid !== undefined && (invalid.at === 0 || !invalid.cut)) return octets
  return quoted(plain.toString('utf8', 0, invalid?.at))
}

/** By opcode. */
const MEANINGS: ReadonlyMap<number, string> = new Map([
  [0, 'goes on with the message'],
  [TEXT, 'text in UTF-8'],
  [BINARY, 'what the application makes of it'],
  [CLOSE, 'close code and reason'],
  [9, 'comes back in a Pong'],
  [10, 'that of the Ping that it answers'],
])

export function payloadMeaning({ header, length, compressed }: FrameView, plain: Buffer): string {
  const meaning = compressed ? 'a compressed message' : (MEANINGS.get(header.opcode) ?? 'nobody knows what')
  const came = BigInt(length - header.end)
  const told = header.payloadLength!
  const sent = came < told ? came : told
  return BigInt(plain.length) < sent
    ? `${meaning}; the first ${groupDigits(String(plain.length))} of ${octetCount(sent)}`
    : meaning
}

/** 8.1, as far as one frame can tell: a code point may go on in the next one, or in octets that are not known. */
export function payloadProblem({ header, compressed }: FrameView, plain: Buffer): string | undefined {
  if (header.opcode !== TEXT || compressed) return undefined
  const whole = header.fin && BigInt(plain.length) === header.payloadLength
  return utf8Problem(plain, whole)
}

function utf8Problem(text: Buffer, whole: boolean): string | undefined {
  const invalid = findInvalidUtf8(text)
  if (invalid === undefined || (invalid.cut && !whole)) return undefined
  return `Not UTF-8 from octet ${groupDigits(String(invalid.at))} on (0x${hexOctet(text[invalid.at])}) (RFC 6455 8.1).`
}

/** The two fields of a Close frame's body, of which the payload data begins at `start`. */
export function closeFields({ header }: FrameView, start: number, plain: Buffer): FrameField[] {
  if (header.opcode !== CLOSE || plain.length === 0) return []
  if (plain.length === 1) return [halfCode(start, plain)]
  const code = plain.readUInt16BE(0)
  const reason = plain.subarray(2)
  const fields: FrameField[] = [
    {
      name: 'close code',
      start,
      end: start + 2,
      octets: plain.subarray(0, 2),
      value: String(code),
      meaning: closeCodeName(code),
      section: 'RFC 6455 7.4',
      ...(mayBeSent(code) ? {} : { problem: 'This code must not stand in a Close frame.' }),
    },
  ]
  if (reason.length === 0) return fields
  const wrong = utf8Problem(reason, BigInt(plain.length) === header.payloadLength)
  fields.push({
    name: 'close reason',
    start: start + 2,
    end: start + plain.length,
    octets: reason,
    value: wrong === undefined ? quoted(reason.toString()) : octetCount(reason.length),
    meaning: 'for people to read',
    section: 'RFC 6455 5.5.1',
    ...(wrong === undefined ? {} : { problem: wrong }),
  })
  return fields
}

function halfCode(start: number, plain: Buffer): FrameField {
  return {
    name: 'close code',
    start,
    end: start + 1,
    octets: plain,
    value: `0x${hexOctet(plain[0])}`,
    meaning: 'half a code',
    section: 'RFC 6455 5.5.1',
    problem: 'A body begins with a code of two octets.',
  }
}

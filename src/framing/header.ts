/**
 * The frame header (RFC 6455 5.2), both ways, pure.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-------+-+-------------+-------------------------------+
 *     |F|R|R|R| opcode|M| length 7    | length 16, when length 7 = 126|
 *     |I|S|S|S|  (4)  |A|             | length 64, when length 7 = 127|
 *     |N|V|V|V|       |S|             |                               |
 *     | |1|2|3|       |K|             |                               |
 *     +-+-+-+-+-------+-+-------------+-------------------------------+
 *     | masking key, 32 bits, when MASK = 1                           |
 *     +---------------------------------------------------------------+
 *
 * Reading judges nothing: what a header may say is written down in `rules.ts`.
 */

/** The longest header: 2 octets, 8 of length, 4 of masking key. */
export const MAX_HEADER_LENGTH = 14

/** The largest payload that a 7-bit length can tell; 126 and 127 announce the longer forms. */
const LARGEST_7 = 125
const LARGEST_16 = 0xffff
const TWO_TO_32 = 0x1_0000_0000

/** One object per decoder, filled anew for each frame: valid only during the callback that hands it out. */
export class FrameHeader {
  fin = false
  rsv1 = false
  rsv2 = false
  rsv3 = false
  opcode = 0
  masked = false
  /**
   * The key's four octets as one int32, first octet lowest: octet `i` is `key >>> 8 * i`. While the payload comes in, it is
   * rotated to the octet that the next piece meets first.
   */
  maskingKey = 0
  /** Octets of payload; exact up to 2^53, beyond that still larger than any limit. */
  payloadLength = 0
  /** Octets that the extended payload length took: 0, 2 or 8. */
  extendedLength = 0
  /** The top bit of a 64-bit length, which must be 0 (5.2). */
  lengthTopBit = false
}

/** Octets of a whole header, by its second octet. */
export function frameHeaderLength(secondOctet: number): number {
  const length = secondOctet & 0x7f
  return 2 + (length <= LARGEST_7 ? 0 : length === 126 ? 2 : 8) + ((secondOctet & 0x80) >> 5)
}

/** Fills `header` from the octets at `offset`; answers the offset behind the header, or -1 when `limit` cuts it. */
export function readFrameHeader(
  bytes: Buffer,
  offset: number,
  header: FrameHeader,
  limit: number = bytes.length,
): number {
  if (limit - offset < 2) return -1
  const first = bytes[offset]
  const second = bytes[offset + 1]
  const end = offset + frameHeaderLength(second)
  if (end > limit) return -1

  header.fin = (first & 0x80) !== 0
  header.rsv1 = (first & 0x40) !== 0
  header.rsv2 = (first & 0x20) !== 0
  header.rsv3 = (first & 0x10) !== 0
  header.opcode = first & 0x0f
  header.masked = (second & 0x80) !== 0
  header.payloadLength = second & 0x7f
  header.extendedLength = 0
  header.lengthTopBit = false
  if (header.payloadLength > LARGEST_7) readExtendedLength(bytes, offset + 2, header)
  header.maskingKey = header.masked
    ? bytes[end - 4] | (bytes[end - 3] << 8) | (bytes[end - 2] << 16) | (bytes[end - 1] << 24)
    : 0
  return end
}

/** Network byte order (5.2). The halves of a 64-bit length stay doubles: no arithmetic here can wrap around. */
function readExtendedLength(bytes: Buffer, offset: number, header: FrameHeader): void {
  if (header.payloadLength === 126) {
    header.extendedLength = 2
    header.payloadLength = bytes.readUInt16BE(offset)
  } else {
    header.extendedLength = 8
    header.lengthTopBit = (bytes[offset] & 0x80) !== 0
    header.payloadLength = bytes.readUInt32BE(offset) * TWO_TO_32 + bytes.readUInt32BE(offset + 4)
  }
}

/** Octets that the header of a frame takes, with the length in its minimal form (5.2). */
export function frameHeaderSize(payloadLength: number, masked: boolean): number {
  return (payloadLength <= LARGEST_7 ? 2 : payloadLength <= LARGEST_16 ? 4 : 10) + (masked ? 4 : 0)
}

/**
 * Writes a header at `offset`, the length in its minimal form; answers the offset behind it.
 * `firstOctet` is FIN, RSV1-3 and the opcode as they stand on the wire; a masking key of `undefined` leaves MASK at 0.
 */
export function writeFrameHeader(
  bytes: Buffer,
  offset: number,
  firstOctet: number,
  payloadLength: number,
  maskingKey: number | undefined,
): number {
  const mask = maskingKey === undefined ? 0 : 0x80
  let at = offset
  bytes[at++] = firstOctet
  if (payloadLength <= LARGEST_7) {
    bytes[at++] = mask | payloadLength
  } else if (payloadLength <= LARGEST_16) {
    bytes[at++] = mask | 126
    bytes[at++] = payloadLength >>> 8
    bytes[at++] = payloadLength
  } else {
    bytes[at++] = mask | 127
    at = bytes.writeUInt32BE(Math.floor(payloadLength / TWO_TO_32), at)
    at = bytes.writeUInt32BE(payloadLength % TWO_TO_32, at)
  }
  if (maskingKey !== undefined) {
    bytes[at++] = maskingKey
    bytes[at++] = maskingKey >>> 8
    bytes[at++] = maskingKey >>> 16
    bytes[at++] = maskingKey >>> 24
  }
  return at
}

/**
 * The header of a frame as it stands on the wire (RFC 6455 5.2), read from any octets: cut ones, wrong ones. It judges nothing,
 * and knows for each part whether it is there.
 */

export interface WireHeader {
  readonly fin: boolean
  readonly rsv1: boolean
  readonly rsv2: boolean
  readonly rsv3: boolean
  readonly opcode: number
  readonly masked: boolean
  /** The 7 bits of the payload length. */
  readonly length7: number
  /** How many octets the extended payload length takes: 0, 2 or 8. */
  readonly lengthOctets: 0 | 2 | 8
  /** The payload length that it tells; `undefined` where its octets are cut. */
  readonly payloadLength: bigint | undefined
  /** Where the payload data begins, once all octets are there. */
  readonly end: number
}

/** Needs two octets at least; `undefined` with fewer. */
export function readWireHeader(octets: Buffer): WireHeader | undefined {
  if (octets.length < 2) return undefined
  const [first, second] = octets
  const length7 = second & 0x7f
  const lengthOctets = length7 === 126 ? 2 : length7 === 127 ? 8 : 0
  const masked = (second & 0x80) !== 0
  return {
    fin: (first & 0x80) !== 0,
    rsv1: (first & 0x40) !== 0,
    rsv2: (first & 0x20) !== 0,
    rsv3: (first & 0x10) !== 0,
    opcode: first & 0x0f,
    masked,
    length7,
    lengthOctets,
    payloadLength: readLength(octets, length7, lengthOctets),
    end: 2 + lengthOctets + (masked ? 4 : 0),
  }
}

function readLength(octets: Buffer, length7: number, lengthOctets: 0 | 2 | 8): bigint | undefined {
  if (lengthOctets === 0) return BigInt(length7)
  if (octets.length < 2 + lengthOctets) return undefined
  return lengthOctets === 2 ? BigInt(octets.readUInt16BE(2)) : octets.readBigUInt64BE(2)
}

/** Octet `i` XORed with octet `i mod 4` of the masking key (5.3). */
export function unmask(payload: Buffer, key: Buffer): Buffer {
  const plain = Buffer.allocUnsafe(payload.length)
  for (let at = 0; at < payload.length; at++) plain[at] = payload[at] ^ key[at & 3]
  return plain
}

/** What opcodes are called (5.2, 11.8). */
const OPCODES: ReadonlyMap<number, string> = new Map([
  [0x0, 'Continuation'],
  [0x1, 'Text'],
  [0x2, 'Binary'],
  [0x8, 'Close'],
  [0x9, 'Ping'],
  [0xa, 'Pong'],
])

/** `Text`, or `undefined` for a reserved one. */
export function opcodeName(opcode: number): string | undefined {
  return OPCODES.get(opcode)
}

const CLOSE_CODES: ReadonlyMap<number, string> = new Map([
  [1000, 'normal closure'],
  [1001, 'going away'],
  [1002, 'protocol error'],
  [1003, 'unsupported data'],
  [1004, 'reserved'],
  [1005, 'no status received: never on the wire'],
  [1006, 'abnormal closure: never on the wire'],
  [1007, 'invalid frame payload data'],
  [1008, 'policy violation'],
  [1009, 'message too big'],
  [1010, 'mandatory extension'],
  [1011, 'internal error'],
  [1012, 'service restart'],
  [1013, 'try again later'],
  [1014, 'bad gateway'],
  [1015, 'TLS handshake: never on the wire'],
])

/** What a close code means (7.4). */
export function closeCodeName(code: number): string {
  const name = CLOSE_CODES.get(code)
  if (name !== undefined) return name
  if (code < 1000) return 'not used'
  if (code < 3000) return 'reserved for the protocol and its extensions'
  if (code < 4000) return 'registered for libraries, frameworks and applications'
  return code < 5000 ? 'for private use' : 'not defined'
}

/** Whether a code may stand in a Close frame: defined by the protocol, or of the ranges for everybody else (7.4). */
export function mayBeSent(code: number): boolean {
  if (code === 1004 || code === 1005 || code === 1006) return false
  return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999)
}

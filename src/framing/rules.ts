/**
 * What a frame header may say: every MUST of RFC 6455 about one header, a line each, in the order in which the octets
 * tell it: reserved bits, opcode, fragmentation, masking, length. Breaking any of them fails the connection with 1002
 * before a single octet of the payload is looked at.
 */
import { ProtocolError } from '../errors.ts'
import { CloseCode } from './close.ts'
import type { FrameHeader } from './header.ts'
import { Opcode, isControl, isKnown } from './opcode.ts'

/** Which side of the connection we are: servers receive masked frames, clients unmasked ones (5.1). */
export type Role = 'client' | 'server'

const MAX_CONTROL_PAYLOAD = 125

/**
 * Throws the `ProtocolError` for the first rule that `header`, received as `role`, breaks.
 * `inMessage`: a fragmented message has begun and not ended. `rsv1Negotiated`: an extension gave RSV1 a meaning.
 */
export function checkFrameHeader(header: FrameHeader, role: Role, inMessage: boolean, rsv1Negotiated = false): void {
  const opcode = header.opcode
  const control = isControl(opcode)
  // RSV1 marks a compressed message, on its first frame only (RFC 7692 6.1).
  if (header.rsv1 && !rsv1Negotiated) throw reservedBit('RSV1')
  if (header.rsv1 && (control || opcode === Opcode.Continuation)) throw misplacedRsv1()
  if (header.rsv2) throw reservedBit('RSV2')
  if (header.rsv3) throw reservedBit('RSV3')
  if (!isKnown(opcode)) throw violation('RESERVED_OPCODE', '5.2', `Opcode ${opcode} is reserved`)
  if (control && !header.fin) throw violation('FRAGMENTED_CONTROL', '5.5', 'Control frames must not be fragmented')
  if (control && header.payloadLength > MAX_CONTROL_PAYLOAD) throw longControl()
  if (!control && inMessage !== (opcode === Opcode.Continuation)) throw misplaced(inMessage)
  if (header.masked !== (role === 'server')) throw wrongMasking(role)
  if (header.lengthTopBit) throw violation('BAD_LENGTH', '5.2', 'The top bit of a 64-bit payload length must be 0')
  if (!isMinimal(header)) throw violation('BAD_LENGTH', '5.2', 'A payload length must use as few octets as it can')
}

function isMinimal(header: FrameHeader): boolean {
  return header.extendedLength === 0 || header.payloadLength > (header.extendedLength === 2 ? 125 : 0xffff)
}

function violation(code: string, section: string, message: string): ProtocolError {
  return new ProtocolError(`ERR_WS_${code}`, CloseCode.ProtocolError, `RFC 6455 ${section}`, message)
}

function reservedBit(name: string): ProtocolError {
  return violation('RESERVED_BIT', '5.2', `${name} is set, and no negotiated extension gives it a meaning`)
}

function misplacedRsv1(): ProtocolError {
  const message = 'RSV1 may be set only on the first frame of a message'
  return new ProtocolError('ERR_WS_RESERVED_BIT', CloseCode.ProtocolError, 'RFC 7692 6.1', message)
}

function longControl(): ProtocolError {
  return violation('CONTROL_TOO_LONG', '5.5', 'The payload of a control frame has at most 125 octets')
}

function misplaced(inMessage: boolean): ProtocolError {
  return inMessage
    ? violation('MESSAGES_INTERLEAVED', '5.4', 'A new message began before the last fragment of the one before it')
    : violation('NOTHING_TO_CONTINUE', '5.4', 'A continuation frame came, and there is no message to continue')
}

function wrongMasking(role: Role): ProtocolError {
  return role === 'server'
    ? violation('UNMASKED_FRAME', '5.1', 'A client must mask every frame')
    : violation('MASKED_FRAME', '5.1', 'A server must not mask any frame')
}

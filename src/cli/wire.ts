/** One line for each frame that goes over the wire: every field of its header (RFC 6455 5.2), and what of the payload fits. */
import { closeCodeName, findInvalidUtf8, hexOctet, opcodeName, quoted, spacedHex } from '../conformance/index.ts'
import type { TappedFrame } from '../connection/index.ts'
import { Opcode } from '../framing/index.ts'
import type { Paint } from './style.ts'

const SHOWN = 16
/** As long as `Continuation (0x0)`. */
const OPCODE_WIDTH = 18

/** `→ FIN=1 RSV=000 Text (0x1)         MASK=1 key=37fa213d length=5 "Hello"`; the arrow points away from what goes out. */
export function frameLine(frame: TappedFrame, paint: Paint): string {
  const { direction, fin, rsv1, rsv2, rsv3, opcode, masked, maskingKey = 0, payloadLength } = frame
  const bits = [rsv1, rsv2, rsv3].map(bit).join('')
  const name = `${opcodeName(opcode) ?? 'reserved'} (0x${opcode.toString(16)})`
  const header = [
    `FIN=${bit(fin)} RSV=${bits}`,
    name.padEnd(OPCODE_WIDTH),
    `MASK=${bit(masked)}${masked ? ` key=${keyOctets(maskingKey)}` : ''}`,
    `length=${payloadLength}`,
  ].join(' ')
  const arrow = direction === 'out' ? paint('green', '→') : paint('cyan', '←')
  return `${arrow} ${paint('dim', header)} ${payloadExcerpt(frame)}`.trimEnd()
}

/** What stands in a payload: text in quotes, a close code with its name, else the first octets. */
export function payloadExcerpt({ opcode, rsv1, payload }: Pick<TappedFrame, 'opcode' | 'rsv1' | 'payload'>): string {
  if (payload.length === 0) return ''
  if (opcode === Opcode.Close && payload.length > 1) {
    const code = payload.readUInt16BE(0)
    const reason = payload.length > 2 ? ` ${quoted(payload.toString('utf8', 2))}` : ''
    return `${code} ${closeCodeName(code)}${reason}`
  }
  // A fragment may end within a character.
  const invalid = findInvalidUtf8(payload)
  const reads = opcode !== Opcode.Binary && !rsv1 && (invalid === undefined || (invalid.cut && invalid.at > 0))
  if (reads) return quoted(payload.toString('utf8', 0, invalid?.at))
  return `${spacedHex(payload.subarray(0, SHOWN))}${payload.length > SHOWN ? ' …' : ''}`
}

/** A masking key in hex, as it stands on the wire; the number has the first octet lowest. */
export function keyOctets(key: number): string {
  return [key, key >>> 8, key >>> 16, key >>> 24].map((octet) => hexOctet(octet & 0xff)).join('')
}

function bit(set: boolean): string {
  return set ? '1' : '0'
}

/**
 * Bytes that a reader can see: `wire` reads hex as it stands in the RFC, `frame` puts one frame together octet by octet
 * and `received` masks it where the receiving role wants it masked.
 *
 * Nothing here comes from `src`: what the tests expect is built by other hands than what they test.
 */
import type { Role } from '../../src/framing/rules.ts'

/** Every rule is tested for both. */
export const ROLES: readonly Role[] = ['server', 'client']

/** The masking key of the examples in RFC 6455 5.7. */
export const KEY: Buffer = Buffer.from('37fa213d', 'hex')

/** The bytes of a hex literal; spaces and line breaks separate, `#` begins a comment that ends with its line. */
export function wire(literal: string): Buffer {
  const digits = literal.replace(/#.*/g, '').replace(/\s/g, '')
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) throw new Error(`not hex: ${literal}`)
  return Buffer.from(digits, 'hex')
}

/** The other way round, for messages and expectations: `81 05 48`. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ')
}

export interface FrameForm {
  /** Four octets: the frame is masked with them. */
  readonly key?: Uint8Array
  /** Bits of the length field, where the minimal form is not wanted. */
  readonly lengthBits?: 7 | 16 | 64
  /** The payload length that the header tells, where it is not that of the payload. */
  readonly declared?: bigint
}

/** One frame: its first octet as it stands on the wire, the length, the key, the payload. */
export function frame(firstOctet: number, payload: Uint8Array | string = '', form: FrameForm = {}): Buffer {
  const octets = Buffer.from(payload)
  const declared = form.declared ?? BigInt(octets.length)
  const bits = form.lengthBits ?? (declared < 126n ? 7 : declared < 65_536n ? 16 : 64)
  const mask = form.key === undefined ? 0 : 0x80
  const bytes = [firstOctet, mask | (bits === 7 ? Number(declared) : bits === 16 ? 126 : 127)]
  if (bits > 7) {
    for (let shift = bits - 8; shift >= 0; shift -= 8) bytes.push(Number((declared >> BigInt(shift)) & 0xffn))
  }
  if (form.key === undefined) return Buffer.concat([Buffer.from(bytes), octets])
  return Buffer.concat([Buffer.from([...bytes, ...form.key]), xored(octets, form.key)])
}

/** A copy of `octets` with octet `i` XORed with key octet `i mod 4` (RFC 6455 5.3). */
export function xored(octets: Uint8Array, key: Uint8Array): Buffer {
  return Buffer.from(octets.map((octet, i) => octet ^ key[i % 4]))
}

/** A frame as `role` receives it: masked when it is the server, unmasked when it is the client. */
export function received(role: Role, firstOctet: number, payload?: Uint8Array | string, form?: FrameForm): Buffer {
  return frame(firstOctet, payload, role === 'server' ? { key: KEY, ...form } : form)
}

/** A frame in a script: first octet, payload, form. */
export type FrameLiteral = readonly [firstOctet: number, payload?: Uint8Array | string, form?: FrameForm]

/** Frames one behind the other, as `role` receives them. */
export function script(role: Role, frames: readonly FrameLiteral[]): Buffer {
  return Buffer.concat(frames.map(([firstOctet, payload, form]) => received(role, firstOctet, payload, form)))
}

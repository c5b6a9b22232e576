/** Octets as text and back: dumps to look at, and what people write when they mean octets. */
import { groupDigits, hexOctet } from '../conformance/index.ts'

const ROW = 16

/**
 * Octets in rows of 16: offset, hex, and what of them is ASCII. Of a long one the first `rows`, and how many octets the
 * rest has.
 */
export function hexDump(octets: Buffer, rows = 32): string[] {
  const lines: string[] = []
  for (let at = 0; at < octets.length; at += ROW) {
    if (lines.length === rows) {
      lines.push(`… ${groupDigits(String(octets.length - at))} more`)
      break
    }
    const row = octets.subarray(at, at + ROW)
    const pairs = Array.from(row, hexOctet)
    const hex = `${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}`
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(48)}  |${printable(row)}|`)
  }
  return lines
}

function printable(row: Buffer): string {
  return Array.from(row, (octet) => (octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.')).join('')
}

/** `81 05 48`, `0x81, 0x05`, `8105`, `\x81\x05`: pairs of digits, whatever stands between; `undefined` for anything else. */
export function parseHex(text: string): Buffer | undefined {
  const digits = text.replaceAll(/0x|\\x|[\s,:]/gi, '')
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined
  return Buffer.from(digits, 'hex')
}

/** Base64 in either alphabet, white space aside; `undefined` for anything else. */
export function parseBase64(text: string): Buffer | undefined {
  const packed = text.replaceAll(/\s/g, '')
  if (packed.length % 4 !== 0 || !/^[\w+/-]+={0,2}$/.test(packed)) return undefined
  return Buffer.from(packed, 'base64')
}

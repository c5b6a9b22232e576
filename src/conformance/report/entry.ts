/** One line for each entry of a wire log, such as `Text, FIN, masked, 13 octets`. */
import type { LogEntry } from '../result.ts'
import { explainFrame } from './fields.ts'
import { closeCodeName, opcodeName, readWireHeader } from './header.ts'
import { octetCount, spacedHex, visible } from './octets.ts'

/** What the entry is, and after a colon what stands in it where that is short enough to be told. */
export function describeEntry(entry: LogEntry): string {
  if (entry.kind === 'head') return `head: ${visible(firstLine(entry.octets), 100)}`
  if (entry.kind === 'frame') return describeFrame(entry.octets, entry.length)
  if (entry.kind === 'octets') return `${octetCount(entry.length)}: ${startOf(entry.octets, entry.length)}`
  return visible(entry.text ?? entry.kind)
}

/** One line about one frame; `length` as in `explainFrame`. */
export function describeFrame(octets: Buffer, length: number = octets.length): string {
  const header = readWireHeader(octets)
  if (header === undefined) return `part of a frame: ${spacedHex(octets)}`
  const parts = [opcodeName(header.opcode) ?? `reserved opcode ${header.opcode}`]
  if (header.fin) parts.push('FIN')
  if (header.rsv1) parts.push('RSV1')
  if (header.rsv2) parts.push('RSV2')
  if (header.rsv3) parts.push('RSV3')
  if (header.masked) parts.push('masked')
  const told = header.payloadLength
  parts.push(told === undefined ? 'length cut' : octetCount(told))
  if (told !== undefined && BigInt(length - header.end) < told) parts.push('cut')
  const line = parts.join(', ')
  const content = contentOf(octets, length)
  return content === '' ? line : `${line}: ${content}`
}

/** The close code and reason, or the payload where it reads as text. */
function contentOf(octets: Buffer, length: number): string {
  const fields = explainFrame(octets, length)
  const code = fields.find((field) => field.name === 'close code')
  if (code !== undefined) {
    const reason = fields.find((field) => field.name === 'close reason')
    const name = code.octets.length === 2 ? ` ${closeCodeName(code.octets.readUInt16BE(0))}` : ''
    return `${code.value}${name}${reason === undefined ? '' : `, ${reason.value}`}`
  }
  const payload = fields.findLast((field) => field.name.startsWith('payload data'))
  return payload !== undefined && payload.value.startsWith('"') ? payload.value : ''
}

function firstLine(octets: Buffer): string {
  let end = 0
  while (end < octets.length && octets[end] !== 0x0d && octets[end] !== 0x0a) end++
  return octets.toString('latin1', 0, end)
}

const SHOWN = 16

function startOf(octets: Buffer, length: number): string {
  return `${spacedHex(octets.subarray(0, SHOWN))}${length > SHOWN ? ' …' : ''}`
}

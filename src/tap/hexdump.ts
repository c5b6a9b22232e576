/**
 * Frames to read with one's own eyes. A line tells the header in the words of RFC 6455 5.2, rows of 16 octets the payload:
 * unmasked, and with everything that a terminal might take for a command as a dot.
 *
 *     2026-11-28T09:30:00.125Z #1 in  Text FIN MASK=37fa213d length=5
 *       0000  48 65 6c 6c 6f                                    Hello
 */
import type { Writable } from 'node:stream'
import type { TappedFrame } from '../connection/index.ts'
import { quote } from '../errors.ts'
import { Opcode, frameHeaderSize } from '../framing/index.ts'
import { Numbers, keyOctets, sinkTo } from './sink.ts'
import type { Sink, SinkOptions } from './sink.ts'

const ROW = 16
/** Of two digits an octet, a space between them, and one more in the middle. */
const ROW_WIDTH = ROW * 3

const names = new Map<number, string>(Object.entries(Opcode).map(([name, opcode]) => [opcode, name]))

/** A tap that writes a hex dump of each frame; for less of large payloads give the tap a smaller `maxPayload`. */
export function hexDump(to: Writable, options: SinkOptions = {}): Sink {
  const numbers = new Numbers()
  return sinkTo(to, options, (frame, missing) => {
    const before = missing === 0 ? '' : `(frames dropped: ${missing})\n`
    return `${before}${formatFrame(frame, `#${numbers.of(frame.connection)}`)}`
  })
}

/** A frame as lines; `name` says whose it is. */
export function formatFrame(frame: TappedFrame, name: string): string {
  const { payload, payloadLength } = frame
  let text = `${new Date(frame.at).toISOString()} ${name} ${frame.direction.padEnd(3)} ${describeHeader(frame)}\n`
  for (let at = 0; at < payload.length; at += ROW) text += `${row(payload, at)}\n`
  if (payload.length < payloadLength) text += `  octets not kept: ${payloadLength - payload.length}\n`
  return text
}

/** `Text FIN MASK=37fa213d length=5`: the bits that are set, and what is there. */
function describeHeader(frame: TappedFrame): string {
  const { opcode, fin, rsv1, rsv2, rsv3, maskingKey, extendedLength, payloadLength } = frame
  const words = [names.get(opcode) ?? `opcode=${opcode}`]
  if (fin) words.push('FIN')
  if (rsv1) words.push('RSV1')
  if (rsv2) words.push('RSV2')
  if (rsv3) words.push('RSV3')
  if (maskingKey !== undefined) words.push(`MASK=${keyOctets(maskingKey).toString('hex')}`)
  words.push(`length=${payloadLength}`)
  // 5.2: "the minimal number of bytes MUST be used to encode the length"
  if (extendedLength !== frameHeaderSize(payloadLength, false) - 2) words.push(`(in ${extendedLength} octets)`)
  if (opcode === Opcode.Close && frame.payload.length >= 2) words.push(describeClose(frame.payload))
  return words.join(' ')
}

/** 5.5.1 */
function describeClose(body: Buffer): string {
  const reason = body.length > 2 ? ` reason=${quote(body.toString('utf8', 2))}` : ''
  return `code=${body.readUInt16BE(0)}${reason}`
}

function row(payload: Buffer, start: number): string {
  const octets = payload.subarray(start, start + ROW)
  let digits = ''
  let text = ''
  for (const [at, octet] of octets.entries()) {
    digits += `${at === ROW / 2 ? ' ' : ''}${octet.toString(16).padStart(2, '0')} `
    text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.'
  }
  return `  ${start.toString(16).padStart(4, '0')}  ${digits.padEnd(ROW_WIDTH + 1)} ${text}`
}

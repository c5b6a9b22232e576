/**
 * An inspection as lines for a terminal: for each frame a title and a table of its fields, with the bits that each has of its
 * octets; for each head its lines; below them what is wrong; and a last line that says it all.
 */
import {
  describeFrame,
  groupDigits,
  hexOctet,
  octetCount,
  quoted,
  spacedHex,
  visible,
  wrap,
} from '../conformance/index.ts'
import type { FrameField } from '../conformance/index.ts'
import type { HeadPart } from './heads.ts'
import type { FramePart, Inspection, Part } from './inspection.ts'
import { isCut } from './inspection.ts'
import type { Paint, Style } from './style.ts'

export interface Page {
  readonly paint: Paint
  /** How wide the terminal is; what is used of it is 80 to 120. */
  readonly columns?: number | undefined
}

export function inspectionLines(inspection: Inspection, { paint, columns = 80 }: Page): string[] {
  const sheet = { paint, width: Math.min(Math.max(columns, 80), 120) }
  const lines: string[] = []
  let frames = 0
  for (const part of inspection.parts) {
    if (part.kind === 'frame') frames++
    lines.push(...partLines(part, frames, sheet), '')
  }
  return [...lines, summary(inspection, frames, paint)]
}

function partLines(part: Part, number: number, sheet: Sheet): string[] {
  switch (part.kind) {
    case 'frame':
      return frameLines(part, number, sheet)
    case 'body':
      return [sheet.paint('bold', `Body at ${part.start}: ${octetCount(part.end - part.start)}`)]
    default:
      return headLines(part, sheet)
  }
}

/** What lines are written on. */
interface Sheet {
  readonly paint: Paint
  readonly width: number
}

/** Octets in a row, as in the picture of RFC 6455 5.2. */
const ROW = 4
const MOST_ROWS = 8
const OFFSET = 5
const OCTETS = 12
const NAME = 15
const SECTION = 6
const TEXT_AT = OFFSET + 2 + OCTETS + 2 + NAME + 1 + SECTION

function frameLines(part: FramePart, number: number, sheet: Sheet): string[] {
  const { paint, width } = sheet
  const { start, fields, problems, message, text, octets } = part
  const title = `Frame ${number} at ${start}: ${describeFrame(octets.subarray(0, part.end - start))}`
  const lines = [...wrap(title, width, 0).map((line) => paint('bold', line)), paint('dim', heading())]
  for (const [at, field] of fields.entries()) {
    // The fields of an octet stand below each other, and the octet beside the first of them.
    const shared = field.bits !== undefined && fields[at - 1]?.start === field.start
    lines.push(...fieldLines(field, start, shared, sheet))
  }
  if (message !== undefined) {
    const said = text ? quoted(message.toString()) : spacedHex(message.subarray(0, ROW * MOST_ROWS))
    const size = octetCount(message.length)
    const cells = { offset: '', octets: '', name: 'whole message', section: '5.4' }
    lines.push(...row({ ...cells, value: said, meaning: text ? `text, ${size}` : size }, sheet))
  }
  for (const problem of problems) lines.push(...problemLines(problem, OFFSET + 2, sheet, 'red'))
  return lines
}

function heading(): string {
  return `${'at'.padStart(OFFSET)}  ${'octets'.padEnd(OCTETS)}  ${'field'.padEnd(NAME)} ${'RFC'.padEnd(SECTION)}value and meaning`
}

const UNMASKED = 'payload data, unmasked'
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['extended payload length', 'extended length'],
  [UNMASKED, 'unmasked'],
])

function fieldLines(field: FrameField, base: number, shared: boolean, sheet: Sheet): string[] {
  const { start, value, meaning, problem } = field
  // What has been made of octets stands nowhere by itself.
  const derived = field.name === UNMASKED
  const offset = shared || derived ? '' : String(base + start)
  const [first, ...more] = octetRows(field, shared)
  const name = SHORT_NAMES.get(field.name) ?? field.name
  const section = field.section.replace('RFC 6455 ', '')
  const lines = row({ offset, octets: first, name, section, value, meaning }, sheet)
  for (const [at, octets] of more.entries()) {
    const filled = `${' '.repeat(OFFSET + 2)}${sheet.paint('cyan', octets.padEnd(OCTETS))}`
    if (at + 1 < lines.length) lines[at + 1] = filled + lines[at + 1].slice(OFFSET + 2 + OCTETS)
    else lines.push(filled.trimEnd())
  }
  if (problem !== undefined) {
    lines.push(...problemLines(problem, OFFSET + 2 + OCTETS + 2, sheet, isCut(field) ? 'yellow' : 'red'))
  }
  return lines
}

function octetRows({ octets, bits }: FrameField, shared: boolean): string[] {
  if (bits !== undefined) return [`${shared ? '  ' : hexOctet(octets[0])} ${bitPicture(octets[0], bits)}`]
  const rows: string[] = []
  for (let at = 0; at < octets.length; at += ROW) {
    if (rows.length === MOST_ROWS) {
      rows.push(`+ ${groupDigits(String(octets.length - at))}`)
      break
    }
    rows.push(spacedHex(octets.subarray(at, at + ROW)))
  }
  return rows.length === 0 ? [''] : rows
}

/** The bits of a field in their octet: `.... 0001`. */
export function bitPicture(octet: number, [first, last]: readonly [first: number, last: number]): string {
  const digits = octet.toString(2).padStart(8, '0')
  const shown = Array.from(digits, (digit, at) => (at >= first && at <= last ? digit : '.')).join('')
  return `${shown.slice(0, 4)} ${shown.slice(4)}`
}

/** What stands in the columns. */
interface Cells {
  readonly offset: string
  readonly octets: string
  readonly name: string
  readonly section: string
  readonly value: string
  readonly meaning: string
}

function row({ offset, octets, name, section, value, meaning }: Cells, { paint, width }: Sheet): string[] {
  const head = [
    paint('dim', offset.padStart(OFFSET)),
    paint('cyan', octets.padEnd(OCTETS)),
    `${paint('bold', name.padEnd(NAME))} ${paint('dim', section.padEnd(SECTION))}`,
  ].join('  ')
  const room = width - TEXT_AT
  const both = `${value}  ${meaning}`
  const texts =
    both.length <= room
      ? [`${value}  ${paint('dim', meaning)}`]
      : [...wrap(value, room, 0), ...wrap(meaning, room, 0).map((line) => paint('dim', line))]
  return texts.map((text, at) => (at === 0 ? head + text : ' '.repeat(TEXT_AT) + text))
}

function problemLines(problem: string, indent: number, { paint, width }: Sheet, style: Style): string[] {
  const [first, ...more] = wrap(problem, width, indent + 2)
  return [`${' '.repeat(indent)}✗ ${first.trimStart()}`, ...more].map((line) => paint(style, line))
}

function headLines({ kind, start, fields, problems, cut }: HeadPart, sheet: Sheet): string[] {
  const { paint, width } = sheet
  const title = kind === 'request' ? 'Opening handshake, request' : 'Opening handshake, response'
  const lines = [paint('bold', `${title} at ${start}`)]
  for (const { start: at, value, meaning, section } of fields) {
    const offset = paint('dim', String(at).padStart(OFFSET))
    const [first, ...more] = wrap(value === '' ? String.raw`\r\n` : value, width, OFFSET + 2)
    lines.push(`${offset}  ${paint('cyan', first.trimStart())}`, ...more.map((line) => paint('cyan', line)))
    lines.push(...wrap(`${meaning} (${section})`, width, OFFSET + 4).map((line) => paint('dim', line)))
  }
  for (const problem of problems) lines.push(...problemLines(problem, OFFSET + 2, sheet, 'red'))
  if (cut) lines.push(...problemLines('Cut: the empty line that ends a head is missing.', OFFSET + 2, sheet, 'yellow'))
  return lines
}

function summary({ octets, mistakes, cut }: Inspection, frames: number, paint: Paint): string {
  const what = `${octetCount(octets)}, ${frames} frame${frames === 1 ? '' : 's'}:`
  const end = cut ? paint('yellow', ' The end is cut off.') : ''
  if (mistakes === 0) return `${what} ${paint('green', 'no rule is broken.')}${end}`
  return `${what} ${paint('red', `${mistakes} ${mistakes === 1 ? 'rule is' : 'rules are'} broken.`)}${end}`
}

const MOST_OCTETS = 256

/** The same for programs. Of long fields the first 256 octets are there; `start` and `end` tell how long they are. */
export function inspectionJson(inspection: Inspection): string {
  return JSON.stringify({ ...inspection, parts: inspection.parts.map(partJson) }, undefined, 2)
}

function fieldJson(field: FrameField): object {
  return { ...field, octets: spacedHex(field.octets.subarray(0, MOST_OCTETS)) }
}

function partJson(part: Part): object {
  if (part.kind !== 'frame') return part
  const { kind, start, end, octets, fields, problems, message, text } = part
  const said = message === undefined ? {} : { message: text ? message.toString() : message.toString('base64'), text }
  return {
    kind,
    start,
    end,
    title: visible(describeFrame(octets.subarray(0, end - start))),
    fields: fields.map(fieldJson),
    problems,
    ...said,
  }
}

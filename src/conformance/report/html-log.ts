/**
 * The wire log of a case as HTML: one line for each entry, which opens to its octets, byte by byte, with the fields of a frame named
 * and the lines of a head as they came.
 */
import type { Role } from '../case.ts'
import type { CaseResult, LogEntry } from '../result.ts'
import { describeEntry } from './entry.ts'
import { explainFrame } from './fields.ts'
import type { FrameContext, FrameField } from './fields.ts'
import { NOTHING, html } from './markup.ts'
import type { Markup } from './markup.ts'
import { groupDigits, hexOctet, octetCount, spacedHex } from './octets.ts'

/** Entries that can be opened: the first and the last ones, where a case begins and where it fails. */
const OPENED_FIRST = 8
const OPENED_LAST = 12

/** The whole log. `peer`: the role of the peer under test. */
export function logMarkup(result: CaseResult, peer: Role): Markup {
  const deflate = result.log.some((entry) => answersDeflate(entry, peer))
  const entries = result.log.map((entry, at) => {
    const opened = at < OPENED_FIRST || at >= result.log.length - OPENED_LAST
    return opened ? openEntry(entry, peer, deflate) : shortEntry(entry, peer)
  })
  return html`<ol class="log">${entries}</ol>`
}

/** One line for each entry, and no more. */
export function shortLogMarkup(result: CaseResult, peer: Role): Markup {
  return html`<ol class="log">${result.log.map((entry) => shortEntry(entry, peer))}</ol>`
}

/** A head of the server that names the extension: the client's only offers it. */
function answersDeflate({ kind, from, octets }: LogEntry, peer: Role): boolean {
  const fromServer = (from === 'peer') === (peer === 'server')
  return kind === 'head' && fromServer && octets.toString('latin1').toLowerCase().includes('permessage-deflate')
}

function shortEntry(entry: LogEntry, peer: Role): Markup {
  return html`<li class="${entry.from} ${entry.kind}"><div class="line">${line(entry, peer)}</div></li>`
}

function openEntry(entry: LogEntry, peer: Role, deflate: boolean): Markup {
  if (entry.octets.length === 0) return shortEntry(entry, peer)
  const sender = senderOf(entry, peer)
  const context: FrameContext = { sender, deflate }
  const fields = entry.kind === 'frame' ? explainFrame(entry.octets, entry.length, context) : []
  const wrong = fields.some((field) => field.problem !== undefined)
  const mark = wrong ? html` <em>${entry.from === 'tester' ? 'wrong on purpose' : 'breaks a rule'}</em>` : NOTHING
  const body =
    entry.kind === 'frame' ? frameBody(entry, fields) : entry.kind === 'head' ? headBody(entry) : dump(entry.octets, 0)
  return html`<li class="${entry.from} ${entry.kind}"><details><summary class="line">${line(entry, peer)}${mark}</summary>${body}${left(entry)}</details></li>`
}

function line(entry: LogEntry, peer: Role): Markup {
  const direction = entry.kind === 'note' ? 'note' : entry.from === 'tester' ? `to ${peer}` : `from ${peer}`
  return html`<span class="at">${time(entry.at)}</span> <span class="way">${direction}</span> <span class="what">${describeEntry(entry)}</span>`
}

/** `2.9 ms`, `10.003 s`. */
function time(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1000).toFixed(3)} s`
}

function senderOf(entry: LogEntry, peer: Role): Role {
  if (entry.from === 'peer') return peer
  return peer === 'server' ? 'client' : 'server'
}

function left({ octets, length, kind }: LogEntry): Markup {
  const more = length - octets.length
  return more > 0 && kind !== 'frame' ? html`<p class="more">and ${octetCount(more)} more</p>` : NOTHING
}

/** A head is text; its line breaks are shown, since a wrong one is a fault worth seeing. */
function headBody({ octets }: LogEntry): Markup {
  const parts: Markup[] = []
  let text = ''
  for (const octet of octets) {
    if (octet === 0x0d || octet === 0x0a) {
      const mark = octet === 0x0d ? html`<i>CR</i>` : html`<i>LF</i>\n`
      parts.push(html`${text}${mark}`)
      text = ''
    } else {
      text += String.fromCharCode(octet)
    }
  }
  return html`<pre class="head" tabindex="0">${[...parts, html`${text}`]}</pre>`
}

/** Fields share one colour by where they stand. */
function partOf(field: FrameField): string {
  if (field.name === 'masking key') return 'key'
  if (field.name.startsWith('payload data')) return 'payload'
  if (field.name.startsWith('close')) return 'body'
  return field.start === 0 ? 'first' : 'second'
}

function frameBody({ octets }: LogEntry, fields: readonly FrameField[]): Markup {
  const end = fields.at(-1)!.end
  const behind = octets.subarray(end)
  return html`${strip(octets, fields)}<div class="scroll" tabindex="0" role="region" aria-label="Fields of the frame"><table class="fields">
<thead><tr><th scope="col">Octets</th><th scope="col">On the wire</th><th scope="col">Field</th><th scope="col">Value</th><th scope="col">Meaning</th><th scope="col">Source</th></tr></thead>
<tbody>${fields.map(fieldRow)}</tbody></table></div>${
    behind.length > 0 ? html`<p class="more">Behind the frame:</p>${dump(behind, end)}` : NOTHING
  }`
}

/** At most this many octets in the line of octets. */
const STRIP = 32

function strip(octets: Buffer, fields: readonly FrameField[]): Markup {
  const parts = new Map<number, string>()
  for (const field of fields) {
    for (let at = field.start; at < Math.min(field.end, STRIP); at++) parts.set(at, parts.get(at) ?? partOf(field))
  }
  const cells = [...octets.subarray(0, STRIP)].map(
    (octet, at) => html`<span class="${parts.get(at) ?? 'behind'}">${hexOctet(octet)}</span>`,
  )
  const rest = octets.length > STRIP ? html`<span class="rest">…</span>` : NOTHING
  return html`<p class="strip" aria-hidden="true">${cells}${rest}</p>`
}

function fieldRow(field: FrameField): Markup {
  const { start, end, name, value, meaning, section, problem } = field
  const last = end - 1
  const where = last > start ? `${groupDigits(String(start))}–${groupDigits(String(last))}` : String(start)
  const long = field.octets.length > LONGEST_INLINE
  const source = html`<td class="source">${section}</td>`
  const wrong = problem === undefined ? NOTHING : html`<strong class="problem">${problem}</strong>`
  const row = html`<tr class="${partOf(field)}"><td>${where}</td><td class="wire">${onTheWire(field, long)}</td><th scope="row">${name}</th><td class="value">${value}</td><td class="meaning">${meaning}${wrong}</td>${source}</tr>`
  return long
    ? html`${row}<tr class="${partOf(field)} wide"><td></td><td colspan="5">${dump(field.octets, 0)}</td></tr>`
    : row
}

const LONGEST_INLINE = 8

/** Bits as `1··· ····`, octets as hex; long ones have a dump of their own below. */
function onTheWire({ bits, octets }: FrameField, long: boolean): string {
  if (bits === undefined) return long ? 'below' : spacedHex(octets)
  const [first, last] = bits
  let text = ''
  for (let at = 0; at < 8; at++) {
    const bit = (octets[0] >> (7 - at)) & 1
    text += `${at === 4 ? ' ' : ''}${at >= first && at <= last ? bit : '·'}`
  }
  return text
}

const DUMP_ROW = 16

/** Sixteen octets a line, behind their offset, and what is ASCII among them. */
function dump(octets: Buffer, offset: number): Markup {
  const lines: Markup[] = []
  for (let at = 0; at < octets.length; at += DUMP_ROW) {
    const row = octets.subarray(at, at + DUMP_ROW)
    const hex = spacedHex(row).padEnd(3 * DUMP_ROW - 1)
    const number = (offset + at).toString(16).padStart(4, '0')
    lines.push(html`<span class="offset">${number}</span>  ${hex}  <span class="ascii">${ascii(row)}</span>\n`)
  }
  return html`<pre class="dump" tabindex="0">${lines}</pre>`
}

function ascii(octets: Buffer): string {
  let text = ''
  for (const octet of octets) text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '·'
  return text
}

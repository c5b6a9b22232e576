/** One case of a report as HTML: what it is about, what came of it, and its wire log. */
import type { PeerEvent, Role } from '../case.ts'
import type { CaseResult, Verdict } from '../result.ts'
import { logMarkup, shortLogMarkup } from './html-log.ts'
import { NOTHING, html } from './markup.ts'
import type { Markup } from './markup.ts'
import { findInvalidUtf8, octetCount, quoted, spacedHex } from './octets.ts'
import { formatDuration } from './totals.ts'

/** A name for CSS: `non-strict`. */
export function verdictClass(verdict: Verdict): string {
  return verdict.toLowerCase()
}

/** A case to be looked at, in full; `open` shows its wire log at once. */
export function caseMarkup(result: CaseResult, peer: Role, open: boolean): Markup {
  const { id, title, verdict, explanation } = result
  return html`<article class="case ${verdictClass(verdict)}" id="case-${id}">
<h3><a href="#case-${id}">${id}</a> ${title}</h3>
<p class="explanation">${explanation}</p>
${facts(result)}
${events(result)}
<details class="wire-log"${open ? html` open` : NOTHING}><summary>Wire log, ${entryCount(result)}</summary>
${logMarkup(result, peer)}</details>
</article>
`
}

/** A case that is OK: a line that opens to its log, in short unless `full`. */
export function goodCaseMarkup(result: CaseResult, peer: Role, full: boolean): Markup {
  const log = full ? logMarkup(result, peer) : shortLogMarkup(result, peer)
  return html`<details class="good" id="case-${result.id}"><summary><b>${result.id}</b> ${result.title}</summary>${log}</details>
`
}

function entryCount({ log }: CaseResult): string {
  return log.length === 1 ? '1 entry' : `${log.length} entries`
}

function facts(result: CaseResult): Markup {
  const codes = closeCodes(result)
  return html`<dl class="facts">
<div><dt>Behaviour</dt><dd class="${verdictClass(result.behavior)}">${result.behavior}</dd></div>
<div><dt>Close</dt><dd class="${closeClass(result)}">${result.close}</dd></div>
<div><dt>Rule</dt><dd>${result.rule}</dd></div>
${codes === '' ? NOTHING : html`<div><dt>Close frames</dt><dd>${codes}</dd></div>`}
<div><dt>Time</dt><dd>${formatDuration(result.duration)}</dd></div>
</dl>`
}

function closeClass({ close }: CaseResult): string {
  return close === 'OK' || close === 'INFORMATIONAL' ? verdictClass(close) : 'failed'
}

function closeCodes({ sentCode, receivedCode, receivedReason }: CaseResult): string {
  const codes: string[] = []
  if (sentCode !== undefined) codes.push(`${codeText(sentCode)} sent`)
  if (receivedCode !== undefined) {
    const reason = receivedReason === undefined || receivedReason === '' ? '' : ` ${quoted(receivedReason)}`
    codes.push(`${codeText(receivedCode)}${reason} received`)
  }
  return codes.join(', ')
}

/** 1005 stands for a Close without a code (7.1.5). */
function codeText(code: number): string {
  return code === 1005 ? 'no code' : String(code)
}

function events({ expected, received }: CaseResult): Markup {
  if (expected === undefined || received === undefined) return NOTHING
  return html`<div class="events"><div><h4>Expected</h4>${eventList(expected)}</div><div><h4>Received</h4>${eventList(received)}</div></div>`
}

/** Lists of a thousand echoes are of no use. */
const LONGEST_LIST = 12

function eventList(list: readonly PeerEvent[]): Markup {
  if (list.length === 0) return html`<p>nothing</p>`
  const items = list.slice(0, LONGEST_LIST).map((event) => html`<li>${eventText(event)}</li>`)
  const more = list.length - items.length
  return html`<ol>${items}</ol>${more > 0 ? html`<p>and ${more} more</p>` : NOTHING}`
}

const NAMES = { text: 'Text', binary: 'Binary', ping: 'Ping', pong: 'Pong' } as const
const LONGEST_TEXT = 256
const LONGEST_HEX = 16

function eventText(event: PeerEvent): string {
  if (event.type === 'pause') return 'a pause'
  const { type, payload } = event
  const size = `${NAMES[type]}, ${octetCount(payload.length)}`
  if (payload.length === 0) return size
  const start = payload.subarray(0, LONGEST_TEXT)
  const readable = type !== 'binary' && findInvalidUtf8(start)?.cut !== false
  if (readable) return `${size}: ${quoted(start.toString())}`
  return `${size}: ${spacedHex(payload.subarray(0, LONGEST_HEX))}${payload.length > LONGEST_HEX ? ' …' : ''}`
}

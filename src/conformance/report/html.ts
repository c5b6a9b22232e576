/**
 * A report as one HTML file that needs nothing but itself: no script, no font, no picture. It is read from the top: the verdict,
 * a table of groups, then every case that is not OK with its wire log byte by byte; at the end, shut, those that are OK.
 */
import type { CaseResult, Report, Verdict } from '../result.ts'
import { groupsOf } from './groups.ts'
import type { Group } from './groups.ts'
import { caseMarkup, goodCaseMarkup, verdictClass } from './html-case.ts'
import { STYLE } from './html-style.ts'
import { Markup, NOTHING, html } from './markup.ts'
import { VERDICTS, badCloses, count, formatDuration, totals } from './totals.ts'

/** What the document shows. */
export interface HtmlOptions {
  /** Wire logs byte by byte for all cases; by default those that are OK have one line for each entry. */
  readonly allLogs?: boolean
}

/** The report as a document. */
export function formatHtml(report: Report, options: HtmlOptions = {}): string {
  const bad = VERDICTS.filter((verdict) => verdict !== 'OK').map((verdict) => section(report, verdict))
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>WebSocket conformance of ${report.peer.name}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
${header(report)}
<main>
${groupTable(report)}
${bad}
${goodSection(report, options.allLogs ?? false)}
</main>
<footer><p>Made by <code>fullduplex conform</code>. Cases below 20 have the numbers of the Autobahn|Testsuite.</p></footer>
</body>
</html>
`.text
}

const GOOD_FIRST = VERDICTS.toReversed()

const MEANINGS: Readonly<Record<Verdict, string>> = {
  FAILED: 'A rule is broken.',
  'NON-STRICT': 'No rule is broken, but a stricter peer sees it earlier.',
  UNIMPLEMENTED: 'The peer does not do what the case is about, which is no fault.',
  INFORMATIONAL: 'There is no rule to judge it by.',
  OK: 'As the RFCs want it.',
}

function header(report: Report): Markup {
  const { cases, verdict } = totals(report)
  const failed = verdict.FAILED
  const headline = failed === 0 ? 'Nothing failed' : `${failed} of ${caseCount(cases)} failed`
  const tiles = GOOD_FIRST.map((name) => tile(name, verdict[name]))
  const bars = GOOD_FIRST.map((name) => bar(name, verdict[name]))
  return html`<header>
<p class="kicker">WebSocket conformance, RFC 6455 and RFC 7692</p>
<h1><bdi>${report.peer.name}</bdi></h1>
<p class="headline ${failed === 0 ? 'ok' : 'failed'}">${headline}</p>
<p class="about">A ${report.peer.role}, judged by ${caseCount(cases)} on <time datetime="${report.startedAt}">${day(report.startedAt)}</time> in ${formatDuration(report.duration)}.</p>
<div class="bar" aria-hidden="true">${bars}</div>
<dl class="tiles">${tiles}</dl>
</header>`
}

function caseCount(cases: number): string {
  return cases === 1 ? '1 case' : `${cases} cases`
}

/** `2026-11-22 16:13 UTC` */
function day(startedAt: string): string {
  return `${startedAt.slice(0, 10)} ${startedAt.slice(11, 16)} UTC`
}

function tile(verdict: Verdict, number: number): Markup {
  const label = number === 0 ? html`${verdict}` : html`<a href="#${verdictClass(verdict)}">${verdict}</a>`
  const state = number === 0 ? ' none' : ''
  return html`<div class="tile ${verdictClass(verdict)}${state}"><dt>${label}</dt><dd><b>${number}</b> <span>${MEANINGS[verdict]}</span></dd></div>`
}

function bar(verdict: Verdict, number: number): Markup {
  return number === 0 ? NOTHING : html`<i class="${verdictClass(verdict)}" style="flex-grow:${number}"></i>`
}

function groupTable(report: Report): Markup {
  const heads = GOOD_FIRST.map((verdict) => html`<th scope="col" class="number">${verdict}</th>`)
  const whole: Group = { id: '', title: 'All', results: report.results, parts: [] }
  const bodies = groupsOf(report.results).map(
    (group) => html`<tbody>${groupRow(group, 'group')}${group.parts.map((part) => groupRow(part, 'part'))}</tbody>
`,
  )
  return html`<section aria-labelledby="groups"><h2 id="groups">Groups</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="groups"><table class="groups">
<thead><tr><th scope="col" rowspan="2">Group</th><th scope="colgroup" colspan="5" class="over">Behaviour</th><th scope="colgroup" colspan="2" class="over">Close</th></tr>
<tr>${heads}<th scope="col" class="number">fine</th><th scope="col" class="number">bad</th></tr></thead>
${bodies}<tfoot>${groupRow(whole, 'group')}</tfoot></table></div></section>`
}

function groupRow(group: Group, kind: 'group' | 'part'): Markup {
  const counts = count(group.results)
  const bad = badCloses(counts)
  const cells = GOOD_FIRST.map((verdict) => {
    const first = verdict === 'OK' ? undefined : group.results.find((result) => result.behavior === verdict)
    return numberCell(counts.behavior[verdict], verdictClass(verdict), first)
  })
  const badOne = group.results.find((result) => result.close !== 'OK' && result.close !== 'INFORMATIONAL')
  return html`<tr class="${kind}"><th scope="row"><span class="id">${group.id}</span> ${group.title}</th>${cells}${numberCell(group.results.length - bad, 'ok', undefined)}${numberCell(bad, 'failed', badOne)}</tr>
`
}

/** A number leads to the first case behind it. */
function numberCell(number: number, kind: string, first: CaseResult | undefined): Markup {
  if (number === 0) return html`<td class="number zero">0</td>`
  const text = first === undefined ? html`${number}` : html`<a href="#case-${first.id}">${number}</a>`
  return html`<td class="number ${kind}">${text}</td>`
}

/** With few cases their logs stand open. */
const FEW = 3
/** With many, those that are no failure are folded away. */
const MANY = 24

function section(report: Report, verdict: Verdict): Markup {
  const results = report.results.filter((result) => result.verdict === verdict)
  if (results.length === 0) return NOTHING
  const name = verdictClass(verdict)
  const cases = results.map((result) =>
    caseMarkup(result, report.peer.role, verdict === 'FAILED' && results.length <= FEW),
  )
  const folded = verdict !== 'FAILED' && results.length > MANY
  return html`<section class="${name}" aria-labelledby="${name}"><h2 id="${name}">${verdict} <span class="count">${results.length}</span></h2>
<p class="meaning">${MEANINGS[verdict]}</p>
${folded ? html`<details class="folded"><summary>Show them</summary>${cases}</details>` : cases}</section>
`
}

function goodSection(report: Report, full: boolean): Markup {
  const results = report.results.filter((result) => result.verdict === 'OK')
  if (results.length === 0) return NOTHING
  const groups = groupsOf(results).map(
    (
      group,
    ) => html`<details class="good-group"><summary><span class="id">${group.id}</span> ${group.title} <span class="count">${group.results.length}</span></summary>
${group.results.map((result) => goodCaseMarkup(result, report.peer.role, full))}</details>
`,
  )
  return html`<section class="ok" aria-labelledby="ok"><h2 id="ok">OK <span class="count">${results.length}</span></h2>
<p class="meaning">${MEANINGS.OK}</p>
${groups}</section>
`
}

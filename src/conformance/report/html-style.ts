/**
 * The looks of the HTML report: light and dark, wide and narrow, on a screen and on paper. Colours of text have a contrast of
 * 4.5 to 1 at least against what they stand on; no meaning is told by colour alone.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fcfcfb; --panel: #f4f4f2; --raised: #ffffff; --ink: #1d2125; --soft: #5a626b; --line: #dfe1e3; --link: #1b57b0;
  --ok: #1a6e3c; --ok-fill: #3f9b63; --non-strict: #855300; --non-strict-fill: #d99a2b; --informational: #1b57b0;
  --informational-fill: #5b8fd9; --unimplemented: #6a3d9a; --unimplemented-fill: #9b75c9; --failed: #b0241a; --failed-fill: #d24a3f;
  --first: #fbe3c0; --second: #fbf0b5; --key: #d9e4fb; --payload: #d8efdd; --body: #ead9f5;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #15181b; --panel: #1d2125; --raised: #23282d; --ink: #e6e8ea; --soft: #a3abb3; --line: #353b42; --link: #8ab8ff;
    --ok: #7fd49f; --ok-fill: #4ba871; --non-strict: #eec06c; --non-strict-fill: #d99a2b; --informational: #8ab8ff;
    --informational-fill: #5b8fd9; --unimplemented: #c9a6f2; --unimplemented-fill: #9b75c9; --failed: #ff9a8f; --failed-fill: #dc5b50;
    --first: #54401f; --second: #4d4719; --key: #27406b; --payload: #21472d; --body: #482a5e;
  }
}
* { box-sizing: border-box }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100% }
body { margin: 0 auto; max-width: 74rem; padding: 3rem clamp(1rem, 4vw, 3rem) 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif; overflow-wrap: break-word }
code, pre, .wire, .strip, .at, .offset { font-family: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace }
a { color: var(--link); text-underline-offset: .18em }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px }
h1, h2, h3, h4 { line-height: 1.25; font-weight: 650; text-wrap: balance }
h1 { margin: .1rem 0 .4rem; font-size: clamp(1.6rem, 1.1rem + 2.2vw, 2.5rem); letter-spacing: -.02em; overflow-wrap: anywhere }
h2 { margin: 3.5rem 0 .3rem; font-size: 1.45rem; letter-spacing: -.01em }
h3 { margin: 0; font-size: 1.05rem }
h3 a { margin-right: .4rem; color: inherit; text-decoration: none; font-variant-numeric: tabular-nums }
h3 a:hover { text-decoration: underline }
h4 { margin: 0 0 .25rem; font-size: .8rem; color: var(--soft) }
p { margin: 0 }
.kicker, .about, .meaning, footer { color: var(--soft) }
.kicker { font-size: .9rem }
.headline { font-size: 1.25rem; font-weight: 600 }
.about { max-width: 46rem }
.count { color: var(--soft); font-weight: 400; font-variant-numeric: tabular-nums }
.ok.headline, dd.ok, td.ok { color: var(--ok) }
.failed.headline, dd.failed, td.failed, td.failed a { color: var(--failed) }
dd.non-strict, td.non-strict a { color: var(--non-strict) }
dd.informational, td.informational a { color: var(--informational) }
dd.unimplemented, td.unimplemented a { color: var(--unimplemented) }
.bar { display: flex; gap: 2px; height: .6rem; margin: 1.8rem 0 1.2rem; border-radius: .3rem; overflow: hidden }
.bar i { min-width: 5px }
i.ok { background: var(--ok-fill) } i.non-strict { background: var(--non-strict-fill) } i.failed { background: var(--failed-fill) }
i.informational { background: var(--informational-fill) } i.unimplemented { background: var(--unimplemented-fill) }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .8rem; margin: 0 }
.tile { display: flex; flex-direction: column-reverse; justify-content: flex-end; padding: .8rem 1rem 1rem; border: 1px solid var(--line);
  border-top: 4px solid var(--tone); border-radius: .5rem; background: var(--raised) }
.tile.ok { --tone: var(--ok-fill) } .tile.non-strict { --tone: var(--non-strict-fill) } .tile.failed { --tone: var(--failed-fill) }
.tile.informational { --tone: var(--informational-fill) } .tile.unimplemented { --tone: var(--unimplemented-fill) }
.tile.none { --tone: var(--line) }
.tile dt { order: 1; font-size: .8rem; font-weight: 600; letter-spacing: .02em }
.tile dt a { color: inherit }
.tile dd { margin: 0; display: contents }
.tile b { order: 2; font-size: 2rem; line-height: 1.15; font-weight: 600; font-variant-numeric: tabular-nums }
.tile.none b { color: var(--soft); font-weight: 400 }
.tile span { order: 0; font-size: .85rem; line-height: 1.4; color: var(--soft) }
.scroll { overflow-x: auto }
table { border-collapse: collapse }
th { text-align: left; font-weight: 600 }
.groups { width: 100%; margin-top: .8rem; font-size: .95rem }
.groups th, .groups td { padding: .28rem .7rem; vertical-align: baseline }
.groups thead th { padding-block: .2rem; color: var(--soft); font-size: .74rem; font-weight: 600; white-space: nowrap; vertical-align: bottom }
.groups .over { text-align: center; border-bottom: 1px solid var(--line) }
.groups tbody, .groups tfoot { border-top: 1px solid var(--line) }
.groups tfoot { border-top-width: 2px }
.groups .number { text-align: right; font-variant-numeric: tabular-nums }
.groups td.failed, .groups td.non-strict { font-weight: 650 }
.zero { color: var(--soft) }
.id { display: inline-block; min-width: 2.6rem; font-variant-numeric: tabular-nums; color: var(--soft); font-weight: 400 }
.part th { padding-left: 1.9rem; font-weight: 400 }
.groups tbody th, .groups tfoot th { white-space: nowrap }
.case { margin-top: 1rem; padding: 1.1rem 1.3rem 1rem; border: 1px solid var(--line); border-left: 5px solid var(--tone); border-radius: .5rem; background: var(--raised) }
.case.failed { --tone: var(--failed-fill) } .case.non-strict { --tone: var(--non-strict-fill) }
.case.informational { --tone: var(--informational-fill) } .case.unimplemented { --tone: var(--unimplemented-fill) }
.explanation { margin-top: .35rem; max-width: 56rem }
.explanation::first-letter, .what::first-letter { text-transform: uppercase }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: .8rem 0 0; font-size: .92rem }
.facts dt { font-size: .74rem; color: var(--soft) }
.facts dd { margin: 0; font-weight: 600 }
.events { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: .8rem 2rem; margin-top: .9rem; padding: .7rem .9rem; border-radius: .4rem; background: var(--panel); font-size: .92rem }
.events ol { margin: 0; padding-left: 1.3rem }
summary { cursor: pointer }
.wire-log { margin-top: .9rem }
.wire-log > summary, .good > summary, .good-group > summary { font-weight: 600 }
.folded { margin-top: .5rem }
.folded > summary, .wire-log > summary { color: var(--link); font-size: .92rem }
.good-group { border-top: 1px solid var(--line); padding: .45rem 0 }
.good { margin: .3rem 0 .3rem 1.1rem; font-size: .92rem }
.good > summary { font-weight: 400 }
.good b { display: inline-block; min-width: 3.6rem; font-weight: 600; font-variant-numeric: tabular-nums }
.log { list-style: none; margin: .5rem 0 0; padding: 0; font-size: .9rem }
.log > li { border-top: 1px solid var(--line) }
.line { display: grid; grid-template-columns: 1rem 6rem 6.2rem 1fr; gap: 0 .8rem; padding: .3rem 0; align-items: baseline }
.line::-webkit-details-marker { display: none }
.line::before { content: ''; color: var(--soft); text-align: center }
summary.line::before { content: '▸'; transition: transform .12s }
details[open] > summary.line::before { transform: rotate(90deg) }
@media (prefers-reduced-motion: reduce) { summary.line::before { transition: none } }
summary.line:hover { background: var(--panel) }
.at { text-align: right; color: var(--soft); font-size: .82rem; white-space: nowrap }
.way { color: var(--soft); white-space: nowrap }
.peer .way { color: var(--informational); font-weight: 600 }
.note .way { font-style: italic; font-weight: 400; color: var(--soft) }
.what { min-width: 0; overflow-wrap: anywhere }
.line em { grid-column: 4; font-size: .82rem; color: var(--soft) }
.peer .line em { color: var(--failed); font-weight: 600; font-style: normal }
.log details[open] { padding-bottom: .9rem }
.strip { display: flex; flex-wrap: wrap; gap: 2px; margin: .3rem 0 .7rem 1.8rem; font-size: .85rem }
.strip span { padding: .1rem .32rem; border-radius: 3px }
.first { --part: var(--first) } .second { --part: var(--second) } .key { --part: var(--key) } .payload { --part: var(--payload) } .body { --part: var(--body) }
.strip span { background: var(--part, var(--panel)) }
.log .scroll, .log pre, .more { margin-left: 1.8rem }
.fields { width: 100%; font-size: .86rem }
.fields th, .fields td { padding: .22rem .8rem .22rem 0; vertical-align: baseline; border-top: 1px solid var(--line) }
.fields thead th { border-top: 0; color: var(--soft); font-size: .74rem; white-space: nowrap }
.fields tbody th { white-space: nowrap }
.fields tr > td:first-child, .fields thead th:first-child { padding-left: .6rem; white-space: nowrap; font-variant-numeric: tabular-nums }
.fields tbody tr > td:first-child { box-shadow: inset 4px 0 var(--part) }
.fields .wide > td { border-top: 0; padding-top: 0 }
.wire { white-space: nowrap; font-size: .82rem }
.value { min-width: 6rem; max-width: 20rem; overflow-wrap: anywhere }
.source { white-space: nowrap; color: var(--soft) }
.problem { display: block; color: var(--failed); font-weight: 600 }
.problem::before { content: '✗ ' }
.tester .problem { color: var(--non-strict) }
pre { margin: .2rem 0; padding: .6rem .8rem; border-radius: .4rem; background: var(--panel); font-size: .8rem; line-height: 1.5; overflow-x: auto }
.fields pre { margin-left: 0 }
.offset, .head i { color: var(--soft) }
.head i { margin-left: .2rem; padding: 0 .2rem; border: 1px solid var(--line); border-radius: 3px; font-size: .66rem; font-style: normal; user-select: none }
.more { font-size: .86rem; color: var(--soft) }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .88rem }
:target { scroll-margin-top: 1rem }
.case:target { outline: 2px solid var(--link); outline-offset: 3px }
@media (max-width: 40rem) {
  body { padding-top: 1.5rem }
  .tiles { grid-template-columns: 1fr 1fr }
  .tile span { display: none }
  .tile.ok { grid-column: 1 / -1 }
  .groups tr > th:first-child { position: sticky; left: 0; padding-left: 0; background: var(--paper) }
  .groups .part > th:first-child { padding-left: .8rem }
  .fields, .fields tbody, .fields td, .fields th { display: block; padding: 0; border: 0 }
  .fields thead { position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden }
  .fields tbody tr { display: grid; grid-template-columns: 3.6rem minmax(0, 1fr) auto; gap: 0 .6rem; padding: .3rem 0 .3rem .6rem; border-top: 1px solid var(--line);
    box-shadow: inset 4px 0 var(--part) }
  .fields tbody tr > td:first-child { padding: 0; box-shadow: none; grid-row: span 3 }
  .fields tbody th { grid-column: 2; grid-row: 1; white-space: normal }
  .fields .value { grid-column: 3; grid-row: 1; max-width: 10rem; text-align: right }
  .fields .wire { grid-column: 2; grid-row: 2; white-space: normal }
  .fields .source { grid-column: 3; grid-row: 2; text-align: right }
  .fields .meaning { grid-column: 2 / -1; grid-row: 3 }
  .fields tbody .wide { display: block; padding-top: 0; border: 0 }
  .case { padding: .9rem .9rem .8rem }
  .line { grid-template-columns: 1rem auto 1fr }
  .what { grid-column: 2 / -1 }
  .line em { grid-column: 2 / -1 }
  .strip, .log .scroll, .log pre, .more { margin-left: 0 }
  .good { margin-left: 0 }
}
@media print {
  :root { color-scheme: light }
  body { max-width: none; padding: 0; font-size: 10pt; background: none }
  .case, .tile, .groups tr { break-inside: avoid }
  .case:has(details[open]) { break-inside: auto }
  h2, h3 { break-after: avoid }
  .scroll, pre { overflow: visible; white-space: pre-wrap }
  .wire-log::details-content { content-visibility: visible; height: auto }
  a { color: inherit; text-decoration: none }
}
`

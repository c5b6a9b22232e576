/** The HTML report as a whole. */
import { describe, expect, it } from 'vitest'
import { formatHtml } from '../../../src/conformance/report/html.ts'
import { mixedReport, report, result } from './made-up.ts'

describe('formatHtml', () => {
  const page = formatHtml(mixedReport())

  it('begins with what came of it', () => {
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/)
    expect(page).toContain('<title>WebSocket conformance of ws://127.0.0.1:9001</title>')
    expect(page).toContain('<p class="headline failed">3 of 17 cases failed</p>')
    expect(page).toContain(
      'A server, judged by 17 cases on <time datetime="2026-11-22T16:13:12.345Z">2026-11-22 16:13 UTC</time> in 1 min 23 s.',
    )
    const good = formatHtml(report([result('1.1.1')]))
    expect(good).toContain('<p class="headline ok">Nothing failed</p>')
    expect(good).toContain('judged by 1 case on')
  })

  it('counts each verdict, and leads to the cases', () => {
    expect(page).toContain('<dt><a href="#failed">FAILED</a></dt><dd><b>3</b>')
    expect(page).toContain('<i class="failed" style="flex-grow:3"></i>')
    const good = formatHtml(report([result('1.1.1')]))
    expect(good).toContain('<div class="tile failed none"><dt>FAILED</dt><dd><b>0</b>')
    expect(good).not.toContain('<i class="failed"')
  })

  it('has a table of the groups whose numbers lead to their first case', () => {
    expect(page).toContain('<th scope="row"><span class="id">1.2</span> binary messages</th>')
    expect(page).toContain('<td class="number failed"><a href="#case-1.2.7">1</a></td>')
    expect(page).toContain('<td class="number failed"><a href="#case-3.2">2</a></td></tr>\n</tfoot>')
    expect(page).toContain('<td class="number zero">0</td>')
  })

  it('has only links that lead somewhere, and no name twice', () => {
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, target] of page.matchAll(/ href="#([^"]+)"/g)) expect(ids).toContain(target)
    for (const [, target] of page.matchAll(/ aria-labelledby="([^"]+)"/g)) expect(ids).toContain(target)
  })

  it('closes every element that it opens', () => {
    const open: string[] = []
    const body = page.slice(page.indexOf('<body>'), page.indexOf('</html>'))
    for (const [, end, name] of body.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
      if (end === '') open.push(name)
      else expect(name).toBe(open.pop())
    }
    expect(open.pop()).toBe(undefined)
  })

  it('needs nothing but itself, and runs nothing', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|src=|url\(|@import|https?:/)
  })

  it('shows the log of a case that is OK in short, or byte by byte if asked', () => {
    const good = report([result('1.1.1')])
    expect(formatHtml(good)).toContain('<details class="good" id="case-1.1.1">')
    expect(formatHtml(good)).not.toContain('<table class="fields">')
    expect(formatHtml(good, { allLogs: true })).toContain('<table class="fields">')
  })

  it('opens the logs of a few failed cases', () => {
    const failed = (count: number) =>
      formatHtml(report(Array.from({ length: count }, (_, at) => result(`2.${at}`, { verdict: 'FAILED' }))))
    expect(failed(3)).toContain('<details class="wire-log" open>')
    expect(failed(4)).not.toContain('<details class="wire-log" open>')
    expect(failed(4)).not.toContain('<section class="ok"')
  })

  it('folds away many cases that are no failure', () => {
    const many = (verdict: 'FAILED' | 'UNIMPLEMENTED', count: number) =>
      formatHtml(report(Array.from({ length: count }, (_, at) => result(`12.1.${at}`, { verdict }))))
    expect(many('UNIMPLEMENTED', 25)).toContain('<details class="folded"><summary>Show them</summary>')
    expect(many('UNIMPLEMENTED', 24)).not.toContain('<details class="folded">')
    expect(many('FAILED', 25)).not.toContain('<details class="folded">')
  })

  it('lets nothing from the wire out of its place', () => {
    const nasty = '</title></style><script>alert(1)</script>'
    const text = { title: nasty, rule: nasty, explanation: nasty, receivedReason: nasty } as const
    const html = formatHtml(
      report([result('1.1.1', { verdict: 'FAILED', ...text })], { peer: { role: 'client', name: nasty } }),
    )
    expect(html).not.toContain('<script')
    expect(html.split('</style>')).toHaveLength(2)
    expect(html.split('</title>')).toHaveLength(2)
  })
})

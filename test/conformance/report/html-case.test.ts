/** One case as HTML. */
import { describe, expect, it } from 'vitest'
import type { PeerEvent } from '../../../src/conformance/case.ts'
import { caseMarkup, goodCaseMarkup, verdictClass } from '../../../src/conformance/report/html-case.ts'
import type { CaseResult } from '../../../src/conformance/result.ts'
import { entry, result } from './made-up.ts'

function caseHtml(parts: Partial<CaseResult>): string {
  return caseMarkup(result('3.2', { verdict: 'FAILED', behavior: 'FAILED', ...parts }), 'server', false).text
}

function events(...received: PeerEvent[]): string {
  return caseHtml({ expected: [], received })
}

describe('caseMarkup', () => {
  it('says what the case is about, and what came of it', () => {
    const markup = caseHtml({
      title: 'A <title>',
      explanation: 'Because of <this>.',
      close: 'WRONG SIDE',
      duration: 1500,
    })
    expect(markup).toContain('<article class="case failed" id="case-3.2">')
    expect(markup).toContain('<h3><a href="#case-3.2">3.2</a> A &lt;title&gt;</h3>')
    expect(markup).toContain('<p class="explanation">Because of &lt;this&gt;.</p>')
    expect(markup).toContain('<dt>Behaviour</dt><dd class="failed">FAILED</dd>')
    expect(markup).toContain('<dt>Close</dt><dd class="failed">WRONG SIDE</dd>')
    expect(markup).toContain('<dt>Rule</dt><dd>RFC 6455 5.2</dd>')
    expect(markup).toContain('<dt>Time</dt><dd>1.5 s</dd>')
    expect(markup).toContain('<details class="wire-log"><summary>Wire log, 7 entries</summary>')
  })

  it('counts one entry as one', () => {
    expect(caseHtml({ log: [entry('tester', 'note', { text: 'No connection.' })] })).toContain('Wire log, 1 entry<')
  })

  it('opens the log if asked', () => {
    expect(caseMarkup(result('1.1.1'), 'server', true).text).toContain('<details class="wire-log" open>')
  })

  it.each([
    ['OK', 'ok'],
    ['INFORMATIONAL', 'informational'],
    ['UNCLEAN', 'failed'],
  ] as const)('shows a close that was %s as %s', (close, kind) => {
    expect(caseHtml({ close })).toContain(`<dd class="${kind}">${close}</dd>`)
  })

  it.each<[Partial<CaseResult>, string]>([
    [{ sentCode: 1001, receivedCode: 1005 }, '1001 sent, no code received'],
    [{ sentCode: 1000, receivedCode: 1002, receivedReason: '' }, '1000 sent, 1002 received'],
    [{ sentCode: 1000, receivedCode: 1002, receivedReason: '<no>' }, '1000 sent, 1002 &quot;&lt;no&gt;&quot; received'],
  ])('names the codes of the Close frames of %j', (codes, text) => {
    expect(caseHtml(codes)).toContain(`<dt>Close frames</dt><dd>${text}</dd>`)
  })

  it('names only the Close frames that there were', () => {
    const { sentCode: _, receivedCode: __, ...neither } = result('3.2')
    expect(caseMarkup(neither, 'server', false).text).not.toContain('Close frames')
    expect(caseMarkup({ ...neither, sentCode: 1000 }, 'server', false).text).toContain('<dd>1000 sent</dd>')
    expect(caseMarkup({ ...neither, receivedCode: 1000 }, 'server', false).text).toContain('<dd>1000 received</dd>')
  })

  it('compares what was expected with what came', () => {
    const markup = caseHtml({ expected: [], received: [{ type: 'text', payload: Buffer.from('Hi') }] })
    expect(markup).toContain('<h4>Expected</h4><p>nothing</p>')
    expect(markup).toContain('<h4>Received</h4><ol><li>Text, 2 octets: &quot;Hi&quot;</li></ol>')
    expect(caseHtml({})).not.toContain('Expected')
    expect(caseHtml({ expected: [] })).not.toContain('Expected')
  })

  it.each<[PeerEvent, string]>([
    [{ type: 'pause' }, 'a pause'],
    [{ type: 'pong', payload: Buffer.alloc(0) }, 'Pong, 0 octets'],
    [{ type: 'ping', payload: Buffer.from([0xff]) }, 'Ping, 1 octet: ff'],
    [{ type: 'binary', payload: Buffer.from('abc') }, 'Binary, 3 octets: 61 62 63'],
    [{ type: 'binary', payload: Buffer.alloc(17) }, `Binary, 17 octets: ${'00 '.repeat(16)}…`],
    [{ type: 'text', payload: Buffer.from('é') }, 'Text, 2 octets: &quot;é&quot;'],
  ])('writes %j', (event, text) => {
    expect(events(event)).toContain(`<li>${text}</li>`)
  })

  it('cuts a long list of events', () => {
    const pong: PeerEvent = { type: 'pong', payload: Buffer.alloc(0) }
    expect(events(...Array.from({ length: 1000 }, () => pong))).toContain('</ol><p>and 988 more</p>')
  })
})

describe('goodCaseMarkup', () => {
  it('has a short log, or a full one if asked', () => {
    expect(goodCaseMarkup(result('1.1.1'), 'server', false).text.split('<details').length).toBe(2)
    expect(goodCaseMarkup(result('1.1.1'), 'server', true).text.split('<details').length).toBe(8)
  })
})

describe('verdictClass', () => {
  it('is a name for CSS', () => {
    expect(verdictClass('NON-STRICT')).toBe('non-strict')
  })
})

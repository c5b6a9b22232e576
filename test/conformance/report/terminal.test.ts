/** The report on a terminal. */
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { formatReport } from '../../../src/conformance/report/terminal.ts'
import { mixedReport, report, result } from './made-up.ts'

describe('formatReport', () => {
  it('draws a table of the groups, with those parts alone in which something is not OK', () => {
    expect(formatReport(mixedReport()).split('\n').slice(0, 18)).toEqual([
      '                            behaviour ─────────────────────────────  close ─────',
      '                             OK  NON-STRICT  INFORM  UNIMPL  FAILED   fine   bad',
      '1    Framing                  2           ·       ·       ·       1      3     ·',
      '  1.2  binary messages        ·           ·       ·       ·       1      1     ·',
      '2    Ping and Pong            2           ·       ·       ·       ·      2     ·',
      '3    Reserved bits            ·           ·       ·       ·       1      ·     1',
      '5    Fragmentation            1           ·       ·       ·       ·      ·     1',
      '6    Text as UTF-8            ·           4       ·       ·       ·      4     ·',
      '  6.4  failing at once        ·           4       ·       ·       ·      4     ·',
      '7    Closing handshake        ·           ·       2       ·       ·      2     ·',
      '  7.13 undefined codes        ·           ·       2       ·       ·      2     ·',
      '12   Deflate: contents        ·           ·       ·       3       ·      3     ·',
      '  12.1 JSON                   ·           ·       ·       2       ·      2     ·',
      '  12.2 bitmap                 ·           ·       ·       1       ·      1     ·',
      '13   Deflate: parameters      ·           ·       ·       1       ·      1     ·',
      '  13.7 several offers         ·           ·       ·       1       ·      1     ·',
      '────────────────────────────────────────────────────────────────────────────────',
      'All cases                     5           4       2       4       2     15     2',
    ])
  })

  it('tells of each case that is not OK why, the worst first, and sums up', () => {
    expect(formatReport(mixedReport()).split('\n').slice(19)).toEqual([
      'FAILED (3)',
      '',
      '  1.2.7   behaviour FAILED, close OK  RFC 6455 5.2',
      '          A binary message of 65536 octets: it comes back',
      '          Nothing came back within 10 s; the peer masked its frame and used more',
      '          octets for the length than it has to.',
      '',
      '  3.2     behaviour FAILED, close WRONG SIDE  RFC 6455 5.2',
      '          A text, a text with RSV2, a Ping: the first text alone comes back',
      '          The peer echoed the text with RSV2 and answered the Ping; it has to',
      '          fail the connection.',
      '',
      '  5.18    behaviour OK, close WRONG CODE  RFC 6455 5.2',
      '          What 5.18 is about',
      '          The peer closed with 1011, not with 1002.',
      '',
      'NON-STRICT (4)',
      '',
      '  6.4.1 to 6.4.4 (4 cases)',
      '          behaviour NON-STRICT, close OK  RFC 6455 8.1',
      '          The peer failed the connection only when the message was whole.',
      '',
      'UNIMPLEMENTED (4)',
      '',
      '  12.1.1 to 13.7.18 (4 cases)',
      '          behaviour UNIMPLEMENTED, close OK  RFC 7692 7',
      '          The peer declined permessage-deflate.',
      '',
      'INFORMATIONAL (2)',
      '',
      '  7.13.1 to 7.13.2 (2 cases)',
      '          behaviour INFORMATIONAL, close INFORMATIONAL  RFC 6455 5.2',
      '          The peer closed with 1002.',
      '',
      'FAILED  server ws://127.0.0.1:9001',
      '        4 OK, 2 INFORMATIONAL, 4 UNIMPLEMENTED, 4 NON-STRICT, 3 FAILED; 2 closed badly',
      '        17 cases in 1 min 23 s',
      '',
    ])
  })

  it('is short when nothing failed', () => {
    expect(formatReport(report([result('1.1.1')], { duration: 12 }))).toBe(
      [
        '                            behaviour ─────────────────────────────  close ─────',
        '                             OK  NON-STRICT  INFORM  UNIMPL  FAILED   fine   bad',
        '1    Framing                  1           ·       ·       ·       ·      1     ·',
        '────────────────────────────────────────────────────────────────────────────────',
        'All cases                     1           ·       ·       ·       ·      1     ·',
        '',
        'PASSED  server ws://127.0.0.1:9001',
        '        1 OK, 0 FAILED',
        '        1 case in 12 ms',
        '',
      ].join('\n'),
    )
  })

  it('puts those cases alone together between which there is no other', () => {
    const failed = { verdict: 'FAILED', behavior: 'FAILED', explanation: 'Why.' } as const
    const text = formatReport(
      report([result('1.1.1', failed), result('1.1.2'), result('1.1.3', failed), result('1.1.4', failed)]),
    )
    expect(text).toContain('\n  1.1.1   behaviour FAILED')
    expect(text).toContain('\n  1.1.3 to 1.1.4 (2 cases)\n')
  })

  it('tells cases apart that say different things', () => {
    const failed = { verdict: 'FAILED', behavior: 'FAILED', explanation: 'Why.' } as const
    const differences = [
      { behavior: 'OK' },
      { close: 'UNCLEAN' },
      { rule: 'RFC 6455 5.5' },
      { explanation: 'Else.' },
    ] as const
    const results = differences.flatMap((parts, at) => [
      result(`2.${2 * at}`, failed),
      result(`2.${2 * at + 1}`, { ...failed, ...parts }),
    ])
    const text = formatReport(report(results))
    expect(text).not.toContain('cases)')
  })

  it.each([40, 80, 90, 100, 200])('keeps every line within 80 to 100 of %i columns', (columns) => {
    const long = {
      verdict: 'FAILED',
      behavior: 'FAILED',
      title: 'word '.repeat(60),
      explanation: 'x'.repeat(250),
    } as const
    const text = formatReport(report([result('1.1.1', long), result('99.99.1', long)]), { columns })
    const width = Math.max(...text.split('\n').map((line) => line.length))
    expect(width).toBe(Math.min(Math.max(columns, 80), 100))
    expect(text).toContain('x'.repeat(width - 10))
  })

  it('cuts the title of a group that is too long for its column', () => {
    expect(formatReport(report([result('12345678901234567890123456789.1')]))).toContain(
      '\n1234567890123456789012345…    1',
    )
  })

  it('has no line for an explanation that is not there', () => {
    const text = formatReport(report([result('2.1', { verdict: 'FAILED' })]))
    expect(text).toContain('RFC 6455 5.2\n          What 2.1 is about\n\nFAILED  server')
  })

  it('adds nothing but colours when it may', () => {
    const colored = formatReport(mixedReport(), { colors: true })
    expect(colored).toContain('\u{1b}[31m')
    expect(stripVTControlCharacters(colored)).toBe(formatReport(mixedReport()))
    expect(formatReport(mixedReport())).not.toContain('\u{1b}')
  })

  it('lets no peer write into the terminal', () => {
    const nasty = '\u{1b}]0;title\u0007\nFAILED'
    const text = formatReport(
      report([result('1.1.1', { verdict: 'FAILED', explanation: nasty })], { peer: { role: 'client', name: nasty } }),
    )
    expect(text).toContain(String.raw`FAILED  client \u{1b}]0;title\u{7}\nFAILED`)
    expect(text).not.toContain('\u{1b}')
    expect(text).not.toContain('\u0007')
  })
})

/** Counting. */
import { describe, expect, it } from 'vitest'
import { badCloses, formatDuration, listVerdicts, totals } from '../../../src/conformance/report/totals.ts'
import { mixedReport, report } from './made-up.ts'

describe('totals', () => {
  it('counts the verdicts of cases, of behaviour and of closes', () => {
    expect(totals(mixedReport())).toEqual({
      cases: 17,
      verdict: { FAILED: 3, 'NON-STRICT': 4, UNIMPLEMENTED: 4, INFORMATIONAL: 2, OK: 4 },
      behavior: { FAILED: 2, 'NON-STRICT': 4, UNIMPLEMENTED: 4, INFORMATIONAL: 2, OK: 5 },
      close: {
        OK: 13,
        INFORMATIONAL: 2,
        'WRONG SIDE': 1,
        UNCLEAN: 0,
        'WRONG CODE': 1,
        'NOT DROPPED': 0,
        'NO HANDSHAKE': 0,
      },
    })
    expect(badCloses(totals(mixedReport()))).toBe(2)
  })
})

describe('listVerdicts', () => {
  it('names those that were given, and OK and FAILED in any case', () => {
    expect(listVerdicts(totals(mixedReport()).verdict)).toBe(
      '4 OK, 2 INFORMATIONAL, 4 UNIMPLEMENTED, 4 NON-STRICT, 3 FAILED',
    )
    expect(listVerdicts(totals(report([])).verdict)).toBe('0 OK, 0 FAILED')
  })
})

describe('formatDuration', () => {
  it.each([
    [0.4, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [12_345, '12.3 s'],
    [59_949, '1 min 0 s'],
    [83_000, '1 min 23 s'],
    [3_600_000, '60 min 0 s'],
  ])('writes %d ms as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })
})

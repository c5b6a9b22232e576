import { describe, expect, it } from 'vitest'
import { deviations, isOwn, prefixes, totals, withEntry, withTables } from '../../scripts/support/results.ts'
import type { Entry } from '../../scripts/support/results.ts'
import { cases } from '../../src/conformance/index.ts'
import type { CaseResult, Role, Verdict } from '../../src/conformance/index.ts'

function result(id: string, verdict: Verdict, rule = 'RFC 6455 5.2', explanation = 'a | b'): CaseResult {
  return { id, title: '', rule, verdict, behavior: verdict, close: 'OK', explanation, duration: 1, log: [] }
}

function entry(peer: string, role: Role, more: Partial<Entry> = {}): Entry {
  const versions = { version: '1.2.3', runtime: 'Node 20.0.0', settings: 'none', date: '2026-01-31', seconds: 5 }
  return { peer, role, ...versions, suite: { OK: 514, INFORMATIONAL: 3 }, own: { OK: 9 }, deviations: [], ...more }
}

const PAGE = 'before\n\n<!-- results -->\n\nold\n\n<!-- end of results -->\n\nafter\n'

describe('prefixes', () => {
  const all = ['1.1.1', '1.1.2', '1.2.1', '10.1.1', '12.1.1', '12.1.2']

  it('takes a section or a group where all of it is meant', () => {
    expect(prefixes(['1.1.1', '1.1.2', '1.2.1', '12.1.1', '12.1.2'], all)).toEqual(['1', '12'])
    expect(prefixes(['1.1.1', '1.1.2'], all)).toEqual(['1.1'])
  })

  it('names single cases otherwise', () => {
    expect(prefixes(['1.1.2', '12.1.1'], all)).toEqual(['1.1.2', '12.1.1'])
  })
})

describe('deviations', () => {
  const selected = cases.filter(({ id }) => id.startsWith('4.'))

  it('puts alike with alike, and leaves out what is OK', () => {
    const results = [result('4.1.1', 'FAILED'), result('4.1.2', 'OK'), result('4.1.3', 'FAILED')]
    const expected = {
      verdict: 'FAILED',
      close: 'OK',
      rule: 'RFC 6455 5.2',
      cases: '4.1.1 4.1.3',
      explanation: 'a | b',
    }
    expect(deviations(results, selected)).toEqual([expected])
  })

  it('tells rules apart where one is broken, and names none where none is', () => {
    const failed = [result('4.1.1', 'FAILED', 'one'), result('4.1.2', 'FAILED', 'two')]
    expect(deviations(failed, selected).map(({ rule }) => rule)).toEqual(['one', 'two'])
    const absent = [result('4.1.1', 'UNIMPLEMENTED', 'one'), result('4.1.2', 'UNIMPLEMENTED', 'two')]
    expect(deviations(absent, selected)).toMatchObject([{ rule: '', cases: '4.1.1 4.1.2' }])
  })
})

it('Totals count each verdict that there is', () => {
  expect(totals([result('1.1.1', 'OK'), result('1.1.2', 'OK'), result('1.1.3', 'FAILED')])).toEqual({
    OK: 2,
    FAILED: 1,
  })
})

it('Our own groups begin at 20', () => {
  expect(cases.filter((one) => !isOwn(one))).toHaveLength(517)
})

it('An entry takes the place of the one before, in the order of the peers', () => {
  const old = [entry('b', 'server'), entry('a', 'client')]
  const entries = withEntry(withEntry(old, entry('a', 'server'), ['a', 'b']), entry('b', 'server', { seconds: 9 }), [
    'a',
    'b',
  ])
  expect(entries.map(({ peer, role, seconds }) => `${peer} ${role} ${seconds}`)).toEqual([
    'a server 5',
    'a client 5',
    'b server 9',
  ])
})

describe('The page', () => {
  it('gets its tables between the marks, and keeps the rest', () => {
    const found = { verdict: 'FAILED', close: 'OK', rule: 'RFC 6455 5.2', cases: '4.1', explanation: 'a | b' } as const
    const page = withTables(PAGE, [entry('a', 'server', { deviations: [found], problem: 'it *hung*' })])
    expect(page).toMatch(/^before\n[^]*\nafter\n$/)
    expect(page).not.toContain('old')
    expect(page).toContain('| a 1.2.3 | server | 514 | 3 | 0 | 0 | 0 |')
    expect(page).toContain('- **FAILED** RFC 6455 5.2: `4.1`. a \\| b')
    expect(page).toContain('The run did not come to its end: it \\*hung\\*')
    expect(withTables(page, [entry('a', 'server')])).toContain('- Nothing.')
  })

  it('has to have both marks, once', () => {
    expect(() => withTables('nothing', [])).toThrow('<!-- results -->')
    expect(() => withTables(`${PAGE}${PAGE}`, [])).toThrow('<!-- results -->')
  })
})

/** What is mutated, and how the scores are told. */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { areas, sourcesOf, testsOf } from '../../mutation/areas.ts'
import { lowest, tableOf, withTable } from '../../mutation/scores.ts'
import type { Report } from '../../mutation/scores.ts'

describe('areas', () => {
  it.each(Object.keys(areas))('%s has sources, and tests for each', (area) => {
    const sources = sourcesOf(area)
    expect(sources.filter((source) => !existsSync(source))).toEqual([])
    expect(sources.filter((source) => testsOf(source).length === 0)).toEqual([])
    expect(sources.flatMap(testsOf).filter((test) => !existsSync(test))).toEqual([])
  })
})

describe('sourcesOf', () => {
  it('knows the files of a folder but its index, and those that are named', () => {
    expect(sourcesOf('framing')).toContain('src/framing/mask.ts')
    expect(sourcesOf('framing')).not.toContain('src/framing/index.ts')
    expect(sourcesOf('closing')).toEqual(['src/connection/closing.ts', 'src/connection/ending.ts'])
  })
})

describe('testsOf', () => {
  it('is the mirror, and what else is about the same', () => {
    expect(testsOf('src/framing/mask.ts')).toEqual(['test/framing/mask.test.ts'])
    expect(testsOf('src/framing/message.ts')).toEqual([
      'test/framing/message.test.ts',
      'test/framing/extension.test.ts',
      'test/framing/streaming.test.ts',
    ])
  })
})

const report = (files: Record<string, readonly string[]>): Report => ({
  files: Object.fromEntries(
    Object.entries(files).map(([name, statuses]) => [name, { mutants: statuses.map((status) => ({ status })) }]),
  ) as Report['files'],
})

const reports: ReadonlyArray<[string, Report[]]> = [
  ['one', [report({ 'src/a.ts': ['Timeout', 'Killed'] }), report({ 'src/b.ts': ['Killed', 'Survived', 'Ignored'] })]],
  ['two', [report({ 'src/c.ts': ['NoCoverage', 'RuntimeError', 'Killed', 'Killed'] })]],
]

describe('tableOf', () => {
  it('counts what hangs as noticed, what no test reaches as survived, and nothing that could not run', () => {
    expect(tableOf(reports).split('\n').slice(2)).toEqual([
      '| **one** | 75.0 | 3 | 1 | 1 |',
      '| `src/a.ts` | 100.0 | 2 | 0 | 0 |',
      '| `src/b.ts` | 50.0 | 1 | 1 | 1 |',
      '| **two** | 66.7 | 2 | 1 | 0 |',
      '| `src/c.ts` | 66.7 | 2 | 1 | 0 |',
    ])
  })
})

describe('lowest', () => {
  it('is the score of the area that fares worst, not of a file', () => {
    expect(lowest(reports)).toBeCloseTo(200 / 3)
    expect(lowest([])).toBe(100)
  })
})

describe('withTable', () => {
  it('puts the table between the marks, in place of the one before', () => {
    const page = 'Before.\n\n<!-- scores -->\n\nold\n\n<!-- end of scores -->\n\nBehind.\n'
    expect(withTable(page, 'new')).toBe(page.replace('old', 'new'))
  })

  it('refuses a page without marks', () => {
    expect(() => withTable('<!-- end of scores --> <!-- scores -->', '')).toThrow('needs <!-- scores -->')
    expect(() => withTable('', '')).toThrow('needs <!-- scores -->')
  })
})

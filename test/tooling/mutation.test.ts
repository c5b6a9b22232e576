/** What is mutated, and how the scores are told. */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { areaOf, areas, patterns } from '../../mutation/areas.ts'
import { lowest, tableOf, withTable } from '../../mutation/scores.ts'
import type { Report } from '../../mutation/scores.ts'

describe('areas', () => {
  it.each(Object.keys(areas))('%s names sources and tests that exist', (name) => {
    const { sources, tests } = areas[name]
    expect([...sources, ...tests].filter((path) => !existsSync(path))).toEqual([])
  })

  it('know the area of a source, whether they name it or its folder', () => {
    expect(areaOf('src/framing/mask.ts')).toBe('framing')
    expect(areaOf('src/server/gate.ts')).toBe('limits')
    expect(areaOf('src/framing-other/mask.ts')).toBeUndefined()
    expect(areaOf('src/errors.ts')).toBeUndefined()
  })

  it('become patterns: what lies in a folder, and a file as it is', () => {
    expect(patterns(['src/framing', 'src/server/gate.ts'], '*.ts')).toEqual(['src/framing/*.ts', 'src/server/gate.ts'])
  })
})

const report = (files: Record<string, readonly string[]>): Report => ({
  files: Object.fromEntries(
    Object.entries(files).map(([name, statuses]) => [name, { mutants: statuses.map((status) => ({ status })) }]),
  ) as Report['files'],
})

const reports: ReadonlyArray<[string, Report]> = [
  ['one', report({ 'src/b.ts': ['Killed', 'Survived', 'Ignored'], 'src/a.ts': ['Timeout', 'Killed'] })],
  ['two', report({ 'src/c.ts': ['NoCoverage', 'RuntimeError', 'Killed', 'Killed'] })],
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

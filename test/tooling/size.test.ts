/** The table of sizes: how it is written, and when it counts as stale. */
import { describe, expect, it } from 'vitest'
import { compareTables, formatTable } from '../../scripts/size.ts'
import type { Row } from '../../scripts/size.ts'

const versions = { ours: '1.0.0', ws: '8.0.0', types: '8.0.1' }
const table = (...rows: readonly Row[]): string => formatTable(rows, versions)

describe('formatTable', () => {
  it('sets figures with one digit behind the point, counts without, and a dash for what is not there', () => {
    expect(table(['dependencies', 0, 0], ['tarball, KiB', 100.04, 50.55], ['`a/b`, KiB', 7.25, undefined])).toBe(
      [
        '|              | fullduplex 1.0.0 | ws 8.0.0 and @types/ws 8.0.1 |',
        '| ------------ | ---------------: | ---------------------------: |',
        '| dependencies |                0 |                            0 |',
        '| tarball, KiB |            100.0 |                         50.5 |',
        '| `a/b`, KiB   |              7.3 |                            – |',
      ].join('\n'),
    )
  })
})

describe('compareTables', () => {
  const written = table(['dependencies', 0, 0], ['tarball, KiB', 100.1, 50.2], ['`a/b`, KiB', 7.1, undefined])

  it.each([
    ['the same', [100.1, 50.2]],
    ['a tenth more', [110.1, 55.2]],
    ['a tenth less', [90.1, 45.2]],
  ])('accepts %s', (_, [ours, theirs]) => {
    const measured = table(['dependencies', 0, 0], ['tarball, KiB', ours, theirs], ['`a/b`, KiB', 7.1, undefined])
    expect(compareTables(`Words before.\n\n${written}\n\n`, measured)).toEqual([])
  })

  it('reports what is more than a tenth off, in either column', () => {
    const measured = table(['dependencies', 1, 0], ['tarball, KiB', 110.2, 45.1], ['`a/b`, KiB', 7.1, undefined])
    expect(compareTables(written, measured)).toEqual([
      'dependencies is 1, but 0 in the table',
      'tarball, KiB is 110.2, but 100.1 in the table',
      'tarball, KiB is 45.1, but 50.2 in the table',
    ])
  })

  it('reports rows that are missing, and rows of what is no more', () => {
    expect(compareTables(written, table(['dependencies', 0, 0], ['tarball, KiB', 100.1, 50.2], ['new', 1, 1]))).toEqual(
      ['the table lacks new', 'nothing is known of `a/b`, KiB'],
    )
  })

  it('reports a figure that has come or gone', () => {
    const measured = table(['dependencies', 0, 0], ['tarball, KiB', 100.1, 50.2], ['`a/b`, KiB', 7.1, 3.3])
    expect(compareTables(written, measured)).toEqual(['`a/b`, KiB is 3.3, but – in the table'])
  })

  it('reports a page without a table', () => {
    expect(compareTables('Words.', written)).toEqual(['docs/package.md has no table of sizes'])
  })
})

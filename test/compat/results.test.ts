import { describe, expect, it } from 'vitest'
import type { Cell } from '../../compat/programs/check.ts'
import { withColumn, withTables } from '../../compat/support/results.ts'
import type { Column } from '../../compat/support/results.ts'

function column(id: string, cells: readonly Cell[], more: Partial<Column> = {}): Column {
  return { id, title: `Node ${id}.1.0`, date: '2026-01-31', seconds: 5, cells, ...more }
}

const passed = (check: string, more: Partial<Cell> = {}): Cell => ({ check, outcome: 'passed', ...more })

describe('withColumn', () => {
  const order = ['20', '22', '24']

  it('takes the place of the column with its id, and keeps the order', () => {
    const columns = [column('20', []), column('24', [])]
    const added = withColumn(columns, column('22', [passed('text')]), false, order)
    expect(added.map(({ id }) => id)).toEqual(order)
    const replaced = withColumn(added, column('22', [passed('binary')]), false, order)
    expect(replaced[1].cells).toEqual([passed('binary')])
    expect(replaced).toHaveLength(3)
  })

  it('renews only the checks of a part', () => {
    const before = column('22', [passed('text', { tests: 1 }), passed('binary', { tests: 2 })])
    const part = column('22', [passed('binary', { tests: 3 }), passed('close', { tests: 4 })], { date: '2026-02-01' })
    expect(withColumn([before], part, true, order)).toEqual([
      {
        ...part,
        seconds: 10,
        cells: [passed('text', { tests: 1 }), passed('binary', { tests: 3 }), passed('close', { tests: 4 })],
      },
    ])
  })

  it('keeps nothing that was found with another version', () => {
    const before = column('22', [passed('text')])
    const part = column('22', [passed('binary')], { title: 'Node 22.2.0' })
    expect(withColumn([before], part, true, order)).toEqual([part])
  })
})

describe('withTables', () => {
  const page = 'before\n<!-- node -->\nold\n<!-- end of node -->\nafter\n'

  it('draws a row for each check, and what there is to say below', () => {
    const failed: Cell = { check: 'a [close] of `wss:`', outcome: 'failed', note: '1006 | not 1000' }
    const absent: Cell = { check: 'fragments', outcome: 'absent', note: 'it has none' }
    const columns = [column('20', [passed('text'), failed]), column('22', [passed('text'), absent])]
    expect(withTables(page, { node: columns })).toBe(`before
<!-- node -->

|  | Node 20.1.0 | Node 22.1.0 |
| --- | :-: | :-: |
| text | yes | yes |
| a \\[close\\] of \`wss:\` | **fails** |  |
| fragments |  | – |

- Node 20.1.0, a \\[close\\] of \`wss:\`: 1006 \\| not 1000
- Node 22.1.0, fragments: it has none

Run on 2026-01-31.

<!-- end of node -->
after
`)
  })

  it('counts tests, and adds them up', () => {
    const cells = [passed('framing', { tests: 1200 }), passed('server', { tests: 34 })]
    const drawn = withTables(page, { node: [column('20', cells), column('22', cells, { date: '2026-02-01' })] })
    expect(drawn).toContain('| framing | 1,200 | 1,200 |')
    expect(drawn).toContain('| **all** | 1,234 | 1,234 |')
    expect(drawn).toContain('Run on 2026-01-31, 2026-02-01.')
  })

  it('wants one place for each matrix', () => {
    expect(() => withTables('nothing', { node: [] })).toThrow('<!-- node -->')
    expect(() => withTables(page + page, { node: [] })).toThrow('<!-- node -->')
    expect(() => withTables('<!-- node -->', { node: [] })).toThrow('<!-- end of node -->')
  })
})

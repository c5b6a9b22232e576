/** Clients with one defect each are caught by the cases that are about it, and by no others; one without any is by none. */
import { describe, expect, it } from 'vitest'
import { casesFor, caught, defects, isFine, judge } from './defects.ts'

describe('A client under test', () => {
  it('is OK everywhere when nothing is wrong with it', async () => {
    const ids = casesFor('client', '9.1.1 9.2.1 12.1.1 13.1.1')
    const results = await judge('client', undefined, ids, [])
    expect(results.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    expect(results.filter(({ verdict }) => !isFine(verdict))).toEqual([])
  })

  for (const row of defects) {
    if (row.role !== undefined && row.role !== 'client') continue
    it(`is caught: ${row.defect}`, async () => {
      const expected = caught(row, 'client')
      const verdict = row.verdict ?? 'FAILED'
      const results = await judge('client', row.defect, casesFor('client', row.besides), expected)
      const found = results.filter((result) => !isFine(result.verdict))
      expect(found.map((result) => `${result.id} ${result.verdict}`)).toEqual(expected.map((id) => `${id} ${verdict}`))
      expect(expected.length).toBeGreaterThan(0)
    })
  }
})

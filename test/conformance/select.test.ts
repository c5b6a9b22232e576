import { describe, expect, it } from 'vitest'
import { selectCases } from '../../src/conformance/index.ts'
import { aCase } from './stage.ts'

const list = [
  aCase({ id: '1.1.1' }),
  aCase({ id: '1.2.1', peer: 'server' }),
  aCase({ id: '6.4.1' }),
  aCase({ id: '6.40.1' }),
  aCase({ id: '10.1.1', peer: 'client' }),
]

describe('selectCases', () => {
  it.each([
    [{}, '1.1.1 1.2.1 6.4.1 6.40.1 10.1.1'],
    [{ only: ['1'] }, '1.1.1 1.2.1'],
    [{ only: ['10', '6.4'] }, '6.4.1 10.1.1'],
    [{ only: ['6.4.1'] }, '6.4.1'],
    [{ exclude: ['1', '6.40'] }, '6.4.1 10.1.1'],
    [{ only: ['1'], exclude: ['1.1'] }, '1.2.1'],
    [{ only: [] }, ''],
    [{ peer: 'server' }, '1.1.1 1.2.1 6.4.1 6.40.1'],
    [{ peer: 'client', exclude: ['1.2'] }, '1.1.1 6.4.1 6.40.1 10.1.1'],
  ] as const)('takes of %j: %s', (selection, ids) => {
    expect(
      selectCases(list, selection)
        .map(({ id }) => id)
        .join(' '),
    ).toBe(ids)
  })

  it.each([{ only: ['1', '11'] }, { exclude: ['6.'] }])('refuses a prefix that no case has: %j', (selection) => {
    expect(() => selectCases(list, selection)).toThrow(RangeError)
  })
})

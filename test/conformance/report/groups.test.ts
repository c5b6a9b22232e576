/** Cases in their groups. */
import { describe, expect, it } from 'vitest'
import { groupsOf } from '../../../src/conformance/report/groups.ts'
import { result } from './made-up.ts'

describe('groupsOf', () => {
  it('puts each case into its group and, where its number has three parts, into a part of that', () => {
    const groups = groupsOf(['1.1.1', '1.1.2', '1.2.1', '2.1', '2.10', '10.1.1'].map((id) => result(id)))
    const ids = groups.map(({ id, title, results, parts }) => ({
      id,
      title,
      cases: results.map((one) => one.id),
      parts: parts.map((part) => `${part.id} ${part.title}: ${part.results.map((one) => one.id).join(' ')}`),
    }))
    expect(ids).toEqual([
      {
        id: '1',
        title: 'Framing',
        cases: ['1.1.1', '1.1.2', '1.2.1'],
        parts: ['1.1 text messages: 1.1.1 1.1.2', '1.2 binary messages: 1.2.1'],
      },
      { id: '2', title: 'Ping and Pong', cases: ['2.1', '2.10'], parts: [] },
      { id: '10', title: 'Many fragments', cases: ['10.1.1'], parts: ['10.1 51 of one text: 10.1.1'] },
    ])
  })

  it('has no title for what it does not know', () => {
    expect(groupsOf([result('99.1')])[0]).toMatchObject({ id: '99', title: '' })
  })
})

/** Titles of groups. */
import { describe, expect, it } from 'vitest'
import { cases } from '../../../src/conformance/index.ts'
import { groupsOf } from '../../../src/conformance/report/groups.ts'
import { TITLES } from '../../../src/conformance/report/titles.ts'
import { result } from './made-up.ts'

const groups = groupsOf(cases.map(({ id }) => result(id))).flatMap((group) => [group, ...group.parts])

describe('Titles', () => {
  it('are there for every group of the kit and for nothing else', () => {
    expect([...TITLES.keys()]).toEqual(groups.map(({ id }) => id))
  })

  it('fit a terminal of 80 columns', () => {
    for (const [id, title] of TITLES) expect(title.length, title).toBeLessThanOrEqual(id.includes('.') ? 19 : 21)
  })
})

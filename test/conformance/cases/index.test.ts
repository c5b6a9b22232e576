import { describe, expect, it } from 'vitest'
import { cases } from '../../../src/conformance/index.ts'

/** How many cases the sections of the de-facto suite have. */
const SECTIONS = {
  '1.1': 8,
  '1.2': 8,
  '2': 11,
  '3': 7,
  '4.1': 5,
  '4.2': 5,
  '5': 20,
  '6.1': 3,
  '6.2': 4,
  '6.3': 2,
  '6.4': 4,
  '6.5': 5,
  '6.6': 11,
  '6.7': 4,
  '6.8': 2,
  '6.9': 4,
  '6.10': 3,
  '6.11': 5,
  '6.12': 8,
  '6.13': 5,
  '6.14': 10,
  '6.15': 1,
  '6.16': 3,
  '6.17': 5,
  '6.18': 5,
  '6.19': 5,
  '6.20': 7,
  '6.21': 8,
  '6.22': 34,
  '6.23': 7,
  '7.1': 6,
  '7.3': 6,
  '7.5': 1,
  '7.7': 13,
  '7.9': 9,
  '7.13': 2,
  '9.1': 6,
  '9.2': 6,
  '9.3': 9,
  '9.4': 9,
  '9.5': 6,
  '9.6': 6,
  '9.7': 6,
  '9.8': 6,
  '10.1': 1,
}

describe('cases', () => {
  it.each(Object.entries(SECTIONS))('of section %s are %d, numbered from 1', (section, count) => {
    const numbers = cases.map(({ id }) => id).filter((id) => id.startsWith(`${section}.`))
    expect(numbers).toEqual(Array.from({ length: count }, (_, at) => `${section}.${at + 1}`))
  })

  it('have each a number of its own', () => {
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length)
  })

  it('are in the order of their numbers', () => {
    const order = new Intl.Collator('en', { numeric: true })
    const ids = cases.map(({ id }) => id)
    expect(ids).toEqual(ids.toSorted((a, b) => order.compare(a, b)))
  })

  it('say what they send and what they want', () => {
    for (const { title, rule, timeout } of cases) {
      expect(title).toMatch(/^[A-Z0-9]/)
      expect(rule).toMatch(/^RFC \d{4} \d/)
      expect(timeout).toBeGreaterThanOrEqual(500)
    }
  })
})

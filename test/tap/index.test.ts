import { expect, it } from 'vitest'
import * as tap from '../../src/tap/index.ts'

it('The tap room exports the sinks, and what a line of the hex dump is made by', () => {
  expect(Object.keys(tap).toSorted()).toEqual(['formatFrame', 'hexDump', 'ndjson', 'pcapng'])
})

import { expect, it } from 'vitest'
import * as server from '../../src/server/index.ts'

it('The server room exports what starts a service, and nothing of how it works', () => {
  expect(Object.keys(server).toSorted()).toEqual(['attach', 'createHandler', 'serve'])
})

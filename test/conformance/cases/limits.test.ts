/** Section 9 takes minutes with a slow peer; here are those of each kind that take no time. */
import { describe, expect, it } from 'vitest'
import { driveClient, ourClient, testOurServer } from '../endpoints.ts'

const FAST = { only: ['9.1.1', '9.2.1', '9.3.9', '9.4.6', '9.5.6', '9.6.6', '9.7.1', '9.8.2'] }

describe('section 9', () => {
  it.each([
    ['server', () => testOurServer(FAST)],
    ['client', () => driveClient(ourClient, FAST)],
  ])('is OK with our %s', async (_, run) => {
    const { results } = await run()
    expect(results.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(FAST.only.map((id) => `${id} OK`))
  })
})

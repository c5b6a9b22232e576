/** The quick set of the conformance kit (all but sections 9, 12 and 13), run against our server and our client. */
import { beforeAll, describe, expect, it } from 'vitest'
import { cases, selectCases } from '../../src/conformance/index.ts'
import type { CaseResult, Report } from '../../src/conformance/index.ts'
import { driveClient, ourClient, testOurServer } from './endpoints.ts'

const QUICK = { exclude: ['9', '12', '13'] }

/** Cases for which there is no rule. */
const INFORMATIONAL = new Set(['7.1.6', '7.13.1', '7.13.2'])

const PEERS = [
  ['server', (): Promise<Report> => testOurServer(QUICK)],
  ['client', (): Promise<Report> => driveClient(ourClient, QUICK)],
] as const

describe.each(PEERS)('our %s', (peer, run) => {
  const results = new Map<string, CaseResult>()

  beforeAll(async () => {
    for (const result of (await run()).results) results.set(result.id, result)
  }, 300_000)

  for (const { id, title } of selectCases(cases, { ...QUICK, peer })) {
    it(`${id} ${title}`, () => {
      const verdict = INFORMATIONAL.has(id) ? 'INFORMATIONAL' : 'OK'
      const result = results.get(id)
      expect({ verdict: result?.verdict, explanation: verdict === 'OK' ? result?.explanation : '' }).toEqual({
        verdict,
        explanation: '',
      })
    })
  }
})

/**
 * The kit is not wrong in the other direction: the package `ws`, in both roles, gets the verdicts that the de-facto suite
 * gives it. Sections 1 to 7 and 10, and the fragments that its default options refuse.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '../../src/conformance/index.ts'
import { driveClient, testWsServer, wsClient } from './endpoints.ts'
import type { WsOptions } from './endpoints.ts'

const SUITE = { only: ['1', '2', '3', '4', '5', '6', '7', '10', '9.3.1', '9.3.2', '9.3.3', '9.4.1', '9.4.2', '9.4.3'] }

/** It looks at text only when a message is complete, which is late but allowed. */
const LATE = { '6.4.1': 'NON-STRICT', '6.4.2': 'NON-STRICT', '6.4.3': 'NON-STRICT', '6.4.4': 'NON-STRICT' }
const NO_RULE = { '7.1.6': 'INFORMATIONAL', '7.13.1': 'INFORMATIONAL', '7.13.2': 'INFORMATIONAL' }
/** More fragments than it takes by default. */
const TOO_MANY = { '9.3.1': 'FAILED', '9.3.2': 'FAILED', '9.4.1': 'FAILED', '9.4.2': 'FAILED' }

const PEERS = [
  ['server', (options: WsOptions): Promise<Report> => testWsServer(options, SUITE)],
  ['client', (options: WsOptions): Promise<Report> => driveClient(wsClient(options), SUITE)],
] as const

const SETTINGS = [
  ['without a limit of fragments', { maxFragments: 0 }, { ...LATE, ...NO_RULE }],
  ['as it is', {}, { ...LATE, ...NO_RULE, ...TOO_MANY }],
] as const

describe.each(PEERS)('ws as a %s', (_, run) => {
  describe.each(SETTINGS)('%s', (_setting, options, expected) => {
    let report: Report

    beforeAll(async () => {
      report = await run(options)
    }, 120_000)

    it('gets the verdicts of the de-facto suite', () => {
      const others = report.results.filter(({ verdict }) => verdict !== 'OK').map(({ id, verdict }) => [id, verdict])
      expect(Object.fromEntries(others)).toEqual(expected)
      expect(report.results).toHaveLength(253)
    })

    it('is closed as the cases want it, where it does not fail', () => {
      const closes = report.results.filter(({ verdict }) => verdict !== 'FAILED').map(({ close }) => close)
      expect([...new Set(closes)].toSorted()).toEqual(['INFORMATIONAL', 'OK'])
    })
  })
})

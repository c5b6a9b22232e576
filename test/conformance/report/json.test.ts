/** The report as JSON. */
import { describe, expect, it } from 'vitest'
import { toJson } from '../../../src/conformance/report/json.ts'
import { totals } from '../../../src/conformance/report/totals.ts'
import { entry, mixedReport, report, result } from './made-up.ts'

describe('toJson', () => {
  it('says what was judged, when, and what came of it', () => {
    const { results, ...rest } = toJson(mixedReport())
    expect(rest).toEqual({
      format: 'fullduplex conformance 1',
      peer: { role: 'server', name: 'ws://127.0.0.1:9001' },
      startedAt: '2026-11-22T16:13:12.345Z',
      duration: 83_000,
      totals: totals(mixedReport()),
    })
    expect(results.map(({ id }) => id)).toEqual(mixedReport().results.map(({ id }) => id))
  })

  it('leaves out the wire log and the events of a case that is OK', () => {
    const good = result('1.1.1', { expected: [{ type: 'pause' }], received: [{ type: 'pause' }] })
    const [short] = toJson(report([good])).results
    expect(Object.keys(short)).not.toEqual(expect.arrayContaining(['log']))
    expect(short).not.toHaveProperty('expected')
    const [full] = toJson(report([good]), { allLogs: true }).results
    expect(full.log).toHaveLength(good.log.length)
    expect(full.expected).toEqual([{ type: 'pause' }])
  })

  it('writes octets as hex, the first 1024 of a payload', () => {
    const bad = result('9.2.6', {
      verdict: 'FAILED',
      expected: [{ type: 'binary', payload: Buffer.alloc(5000, 0xfe) }],
      received: [{ type: 'text', payload: Buffer.from('é') }],
      log: [
        entry('peer', 'frame', { at: 1.5, octets: Buffer.from('8100', 'hex'), length: 4000 }),
        entry('peer', 'end', { at: 2, text: 'TCP was ended.' }),
      ],
    })
    const [{ expected, received, log }] = toJson(report([bad])).results
    expect(expected).toEqual([{ type: 'binary', length: 5000, payload: 'fe'.repeat(1024) }])
    expect(received).toEqual([{ type: 'text', length: 2, payload: 'c3a9' }])
    expect(log).toEqual([
      { at: 1.5, from: 'peer', kind: 'frame', length: 4000, octets: '8100' },
      { at: 2, from: 'peer', kind: 'end', length: 0, octets: '', text: 'TCP was ended.' },
    ])
  })

  it('survives JSON', () => {
    const json = toJson(mixedReport(), { allLogs: true })
    expect(JSON.parse(JSON.stringify(json))).toEqual(json)
  })
})

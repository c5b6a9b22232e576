/** What becomes of the load's reports, and which of them count. */
import { describe, expect, it } from 'vitest'
import type { CostReport } from '../../bench/load/plan.ts'
import { cheapest, isWrong, keptUp, measurementOf } from '../../bench/measurement.ts'

const subject = { program: 'mine', runtime: 'node20' }

/** 10 µs for each of 100,000 messages in 2 s. */
const cost: CostReport = { count: 100_000, seconds: 2, program: 1, load: 0.5, others: 0.2, octets: 3_200_000 }

describe('measurementOf', () => {
  it('tells cost, rate and how busy both sides were, of all rounds', () => {
    const reports = [cost, { ...cost, program: 1.2 }, { ...cost, program: 1.6 }].map((one) => ({ cost: one }))
    expect(measurementOf({ id: 'S2' }, subject, reports)).toEqual({
      scenario: 'S2',
      ...subject,
      ranked: true,
      cost: { median: 12, min: 10, max: 16, rounds: 3 },
      rate: { median: 50_000, min: 50_000, max: 50_000, rounds: 3 },
      busy: { program: 0.6, load: 0.25, others: 0.1 },
    })
  })

  it('does not rank a program that waited for a busy load', () => {
    const waited = measurementOf({ id: 'S2' }, subject, [{ cost: { ...cost, program: 1.7, load: 1.95 } }])
    expect(waited).toMatchObject({ ranked: false, why: 'the load was the limit' })
  })

  it('ranks a program that was as busy as the load', () => {
    const both = measurementOf({ id: 'S2' }, subject, [{ cost: { ...cost, program: 1.9, load: 1.95 } }])
    expect(both).toMatchObject({ ranked: true })
    expect(both.why).toBeUndefined()
  })

  it('tells octets of replies where they are compressed', () => {
    expect(measurementOf({ id: 'S9', mode: 'deflate' }, subject, [{ cost }]).octets).toBe(32)
    expect(measurementOf({ id: 'S2', mode: 'echo' }, subject, [{ cost }]).octets).toBeUndefined()
  })

  it('tells memory', () => {
    const { memory, cost: none } = measurementOf({ id: 'S8' }, subject, [{ memory: 2048 }, { memory: 1024 }])
    expect([memory?.median, none]).toEqual([1536, undefined])
  })

  it('tells latency, and whether the program kept up', () => {
    const report = { planned: 2000, answered: 1999, seconds: 2, p50: 50, p99: 90, p999: 200 }
    const { latency } = measurementOf({ id: 'S2' }, subject, [{ cost }, { latency: report }])
    expect(latency).toEqual({ rate: 1000, achieved: 999.5, p50: 50, p99: 90, p999: 200 })
    expect(latency && keptUp(latency)).toBe(true)
    expect(latency && keptUp({ ...latency, achieved: 900 })).toBe(false)
  })

  it('gives no figure for what is wrong, and none for what a program cannot do, and tells them apart', () => {
    const wrong = measurementOf({ id: 'S2' }, subject, [{ cost }, { wrong: 'it masks what it sends' }])
    const unable = measurementOf({ id: 'S9' }, subject, [{ unable: 'it has no permessage-deflate' }])
    expect([wrong.cost, unable.cost]).toEqual([undefined, undefined])
    expect(wrong.skipped).toBe('answers wrongly: it masks what it sends')
    expect([isWrong(wrong), isWrong(unable)]).toEqual([true, false])
  })
})

describe('cheapest', () => {
  it('is the least of all rounds', () => {
    expect(cheapest([{ cost: { ...cost, program: 2 } }, { cost }])).toBe(10)
  })

  it('is what was wrong, where something was', () => {
    expect(cheapest([{ cost }, { wrong: 'it ended a connection' }])).toBe('it ended a connection')
  })
})

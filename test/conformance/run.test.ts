import { describe, expect, it } from 'vitest'
import { unopened } from '../../src/conformance/play.ts'
import { Run } from '../../src/conformance/run.ts'
import type { Job } from '../../src/conformance/run.ts'
import { aCase } from './stage.ts'

describe('Run', () => {
  it('reports nothing before there is something', () => {
    const { results, peer } = new Run('client', {}).report('nobody')
    expect([results, peer]).toEqual([[], { role: 'client', name: 'nobody' }])
  })

  it('has a job for every connection of every case', () => {
    const run = new Run('server', {})
    const expected = run.selected.flatMap(({ id, connections = 1 }) =>
      Array.from({ length: connections }, (_, turn) => `${id} ${turn}`),
    )
    expect(run.jobs.map(({ testCase, turn }) => `${testCase.id} ${turn}`)).toEqual(expected)
  })

  it('tells a case of several connections when all are through, with the worst of them', () => {
    const heard: string[] = []
    const run = new Run('server', {
      only: ['1.1.1', '1.1.2'],
      onResult: ({ verdict, explanation }, done, total) => heard.push(`${verdict} ${explanation} ${done}/${total}`),
    })
    const job: Job = { testCase: aCase({ connections: 3 }), turn: 0 }
    const good = { ...unopened(job.testCase, ''), verdict: 'OK' as const }
    run.take(job, good)
    run.take(job, unopened(job.testCase, 'no'))
    expect(heard).toEqual([])
    run.take(job, good)
    expect(heard).toEqual(['FAILED no 1/2'])
  })
})

/** The progress of a run, watched and unwatched. */
import { describe, expect, it } from 'vitest'
import { Progress } from '../../src/cli/progress.ts'
import { result } from '../conformance/report/made-up.ts'
import { fakeIo } from './support.ts'

const CLEAR = '\r\u{1b}[K'

describe('Progress', () => {
  it('redraws one line on a terminal, no more often than it can be read', () => {
    const io = fakeIo(80)
    let now = 0
    const progress = new Progress(io, () => now)
    progress.update(result('1.1.1'), 1, 8)
    now += 20
    progress.update(result('1.1.2'), 2, 8)
    now += 30
    progress.update(result('6.4.1', { verdict: 'NON-STRICT' }), 4, 8)
    now += 75_000
    progress.update(result('3.2', { verdict: 'FAILED' }), 8, 8)
    progress.end()
    expect(io.stderr.text.split(CLEAR)).toEqual([
      '',
      '██░░░░░░░░░░░░░░░░░░ 1/8  1.1.1   1 OK  0 s',
      '██████████░░░░░░░░░░ 4/8  6.4.1   2 OK, 1 NON-STRICT  0 s',
      '████████████████████ 8/8  3.2     2 OK, 1 NON-STRICT, 1 FAILED  1 min 15 s',
      '',
    ])
    expect(io.stdout.text).toBe('')
  })

  it('draws the last case whenever it comes', () => {
    const io = fakeIo(80)
    const progress = new Progress(io, () => 0)
    progress.update(result('1.1.1'), 1, 2)
    progress.update(result('1.1.2'), 2, 2)
    expect(io.stderr.text).toContain(' 2/2 ')
  })

  it.each([20, 40])('never fills a line of %i columns', (columns) => {
    const io = fakeIo(columns)
    new Progress(io, () => 0).update(result('1.1.1'), 1, 2)
    expect(io.stderr.text.length - CLEAR.length).toBe(columns - 1)
  })

  it('takes 80 columns for granted', () => {
    let text = ''
    const io = { ...fakeIo(), stderr: { isTTY: true, write: (part: string) => (text += part) } }
    const progress = new Progress(io, () => 0)
    for (const [at, verdict] of (['OK', 'FAILED', 'NON-STRICT', 'UNIMPLEMENTED', 'INFORMATIONAL'] as const).entries()) {
      progress.update(result('1.1.1', { verdict }), at + 1, 5)
    }
    expect(text.slice(text.lastIndexOf(CLEAR) + CLEAR.length)).toHaveLength(79)
  })

  it.each([
    ['a pipe', fakeIo()],
    ['a terminal that cannot', fakeIo(80, { TERM: 'dumb' })],
  ])('writes a line for each tenth to %s, and none for the end', (_, io) => {
    const progress = new Progress(io, () => 0)
    for (let done = 1; done <= 50; done++) progress.update(result(`1.1.${done}`), done, 50)
    progress.end()
    expect(io.stderr.text.split('\n')).toEqual([
      ...[5, 10, 15, 20, 25, 30, 35, 40, 45].map((done) => `${done} of 50 cases: ${done} OK, 0 s`),
      '',
    ])
  })

  it('reads the clock by itself', () => {
    const io = fakeIo(80)
    new Progress(io).update(result('1.1.1'), 1, 2)
    expect(io.stderr.text).toContain('1 OK  0 s')
  })
})

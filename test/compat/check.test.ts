import { describe, expect, it, vi } from 'vitest'
import { Absent, describe as describeError, tryCheck } from '../../compat/programs/check.ts'
import { readCells } from '../../compat/support/cells.ts'

describe('tryCheck', () => {
  const tried = (run: (target: number) => Promise<void>) => tryCheck({ name: 'a check', run }, 1)

  it('tells what passed, failed, and could not be tried', async () => {
    await expect(tried(async () => {})).resolves.toEqual({ check: 'a check', outcome: 'passed' })
    await expect(tried(async (target) => Promise.reject(new Error(`not ${target}\n  but 2`)))).resolves.toEqual({
      check: 'a check',
      outcome: 'failed',
      note: 'not 1 but 2',
    })
    await expect(tried(async () => Promise.reject(new Absent('no way')))).resolves.toEqual({
      check: 'a check',
      outcome: 'absent',
      note: 'no way',
    })
  })

  it('gives up what does not end', async () => {
    vi.useFakeTimers()
    try {
      const trial = tried(() => new Promise(() => {}))
      await vi.runAllTimersAsync()
      await expect(trial).resolves.toMatchObject({ outcome: 'failed', note: 'it took longer than 30 s' })
    } finally {
      vi.useRealTimers()
    }
  })
})

it('An error is described with its causes, in one line of bounded length', () => {
  expect(describeError(new Error('one', { cause: new Error('two') }))).toBe('one (two)')
  expect(describeError('text')).toBe('text')
  expect(describeError(new Error('x'.repeat(1000)))).toHaveLength(300)
})

it('Cells are found among what else a program prints', () => {
  const output = 'warning: old\n{"check":"text","outcome":"passed"}\n\n{"other":1}\n'
  expect(readCells(output)).toEqual({
    cells: [{ check: 'text', outcome: 'passed' }],
    rest: 'warning: old  {"other":1}',
  })
  expect(readCells('')).toEqual({ cells: [], rest: '' })
})

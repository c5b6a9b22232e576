import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Cell } from '../../compat/programs/check.ts'
import { parseOptions, runMatrix } from '../../compat/support/matrix.ts'
import type { ColumnPlan, MatrixPlan } from '../../compat/support/matrix.ts'

function planned(id: string, cells: readonly Cell[], more: Partial<ColumnPlan> = {}): ColumnPlan {
  return {
    id,
    choice: id.split('-', 1)[0],
    title: () => Promise.resolve(`The ${id}`),
    async run(wanted, report) {
      for (const cell of cells) if (wanted(cell.check)) report(cell)
    },
    ...more,
  }
}

const ok: Cell = { check: 'text', outcome: 'passed' }
const wrong: Cell = { check: 'binary', outcome: 'failed', note: 'it is not' }

function plan(columns: readonly ColumnPlan[], more: Partial<MatrixPlan> = {}): MatrixPlan {
  return { name: 'trial', option: 'kinds', minutes: 1, help: 'Tries.', columns, ...more }
}

describe('parseOptions', () => {
  const trial = plan([planned('bun-server', []), planned('bun-client', []), planned('deno', [])])

  it('takes all columns unless some are named', () => {
    expect(parseOptions(trial, [])).toEqual({
      help: false,
      columns: trial.columns,
      only: undefined,
      json: undefined,
      write: false,
    })
    expect(parseOptions(trial, ['--kinds', 'bun', '--only', 'text,close']).columns.map(({ id }) => id)).toEqual([
      'bun-server',
      'bun-client',
    ])
  })

  it('refuses what it does not know', () => {
    expect(() => parseOptions(trial, ['--kinds', 'ruby'])).toThrow(new TypeError('--kinds takes bun, deno, not ruby'))
    expect(() => parseOptions(trial, ['--kind', 'bun'])).toThrow(TypeError)
    expect(() => parseOptions(trial, ['bun'])).toThrow(TypeError)
  })
})

describe('runMatrix', () => {
  let folder: string
  let printed: string[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fullduplex-matrix-'))
    printed = []
    const print = (line: unknown): void => void printed.push(String(line))
    vi.spyOn(console, 'log').mockImplementation(print)
    vi.spyOn(console, 'error').mockImplementation(print)
  })

  afterEach(async () => {
    vi.restoreAllMocks()
    process.exitCode = undefined
    await rm(folder, { recursive: true })
  })

  async function exitCodeOf(trial: MatrixPlan, args: readonly string[]): Promise<unknown> {
    await runMatrix(trial, args)
    return process.exitCode
  }

  it('prints each check as it ends, and exits with 0 where all is well', async () => {
    const absent: Cell = { check: 'fragments', outcome: 'absent', note: 'no way' }
    const tests: Cell = { check: 'framing', outcome: 'passed', tests: 12 }
    expect(await exitCodeOf(plan([planned('bun', [ok, absent, tests])]), [])).toBe(0)
    expect(printed).toEqual([
      '\nThe bun',
      'ok    text',
      '-     fragments: no way',
      'ok    framing: 12 tests',
      '\n2 passed, 0 failed, 1 not to be had',
    ])
  })

  it('exits with 1 when anything failed, and goes on with the rest', async () => {
    expect(await exitCodeOf(plan([planned('bun', [wrong]), planned('deno', [ok])]), [])).toBe(1)
    expect(printed).toContain('FAIL  binary: it is not')
    expect(printed.at(-1)).toBe('\n1 passed, 1 failed, 0 not to be had')
  })

  it('exits with 1 when something is missing, and says what', async () => {
    const missing = planned('bun', [ok], { title: () => Promise.reject(new Error('there is no bun here')) })
    expect(await exitCodeOf(plan([missing]), [])).toBe(1)
    expect(printed).toContain('FAIL  it can be tried: there is no bun here')
  })

  it('exits with 1 when nothing was tried', async () => {
    expect(await exitCodeOf(plan([planned('bun', [ok])]), ['--only', 'nothing'])).toBe(1)
  })

  it('exits with 2 for options that are wrong', async () => {
    expect(await exitCodeOf(plan([planned('bun', [ok])]), ['--kinds', 'ruby'])).toBe(2)
    expect(printed).toEqual(['--kinds takes bun, not ruby'])
  })

  it('explains itself, and tries nothing then', async () => {
    const prepare = vi.fn<() => Promise<() => Promise<void>>>()
    expect(await exitCodeOf(plan([planned('bun', [wrong])], { prepare }), ['--help'])).toBe(0)
    expect(printed.join('\n')).toMatch(/npm run compat:trial[^]*Tries\.[^]*--kinds NAMES/)
    expect(prepare).not.toHaveBeenCalled()
  })

  it('ends what it prepared, whatever happens', async () => {
    const end = vi.fn<() => Promise<void>>().mockResolvedValue()
    await exitCodeOf(plan([planned('bun', [wrong])], { prepare: () => Promise.resolve(end) }), [])
    expect(end).toHaveBeenCalledOnce()
  })

  it('gives up a column that does not end', async () => {
    const endless = planned('bun', [], { run: () => new Promise(() => {}) })
    expect(await exitCodeOf(plan([endless, planned('deno', [ok])], { minutes: 0 }), [])).toBe(1)
    expect(printed).toContain('FAIL  it can be tried: it took longer than 0 minutes')
    expect(printed).toContain('ok    text')
  })

  it('writes what came of it', async () => {
    const file = join(folder, 'trial.json')
    await exitCodeOf(plan([planned('bun', [ok, wrong])]), ['--only', 'text', '--json', file])
    const written = JSON.parse(await readFile(file, 'utf8')) as unknown
    expect(written).toMatchObject({ trial: [{ id: 'bun', title: 'The bun', cells: [ok] }] })
  })
})

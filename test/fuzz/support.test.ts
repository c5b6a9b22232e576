import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { mutate } from '../../fuzz/generate/mutate.ts'
import { cutUp, waysToCut } from '../../fuzz/support/cuts.ts'
import { execute, inputOf } from '../../fuzz/support/execution.ts'
import type { Finding } from '../../fuzz/support/execution.ts'
import { minimize } from '../../fuzz/support/minimize.ts'
import { Random } from '../../fuzz/support/random.ts'
import { describeFinding } from '../../fuzz/support/report.ts'
import type { Target } from '../../fuzz/targets/target.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Breaks at an input that holds 0x42 somewhere and is longer than 3. */
const breakable: Target = {
  name: 'breakable',
  settings: ['one', 'other'],
  unit: 'inputs',
  dictionary: [Buffer.from('42', 'hex')],
  generate: (random) => random.bytes(random.int(20)),
  run({ octets }) {
    if (octets.length > 3 && octets.includes(0x42)) throw new Error('it broke')
    return 1
  },
  outcome: () => 'nothing',
}

function findOne(): Finding {
  const random = new Random(1)
  for (let left = 10_000; left > 0; left--) {
    const outcome = execute(breakable, random.seed())
    if (typeof outcome !== 'number' && !(outcome instanceof Promise)) return outcome
  }
  throw new Error('nothing was found')
}

describe('a finding', () => {
  it('is replayed by its seed, and said with the commands that do it', () => {
    const finding = findOne()
    expect(inputOf(breakable, finding.seed).input).toEqual(finding.input)
    expect(execute(breakable, finding.seed)).toMatchObject({ error: new Error('it broke') })
    const octets = finding.input.octets.toString('hex')
    const { seed, input } = finding
    const text = describeFinding({
      ...input,
      target: 'breakable',
      seed,
      octets,
      smallest: '00000042',
      error: 'it broke',
    })
    expect(text).toContain(`npm run fuzz -- --target breakable --replay ${finding.seed}\n`)
    expect(text).toContain(`--settings '${finding.input.settings}' --octets '00000042'`)
  })

  it('is made as small as it can be', async () => {
    const { input, seed } = findOne()
    const smallest = await minimize(
      input,
      async (smaller) => typeof (await execute(breakable, seed, smaller)) !== 'number',
    )
    expect(smallest.octets).toHaveLength(4)
    expect([...smallest.octets].toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0x42])
  })
})

describe('cuts and changes', () => {
  it('leave all octets where they are, in memory of their own', () => {
    const octets = Buffer.from('0123456789')
    const random = new Random(1)
    let count = 0
    for (let round = 0; round < 50; round++) {
      for (const cuts of waysToCut(octets.length, random)) {
        const chunks = cutUp(octets, cuts)
        expect(Buffer.concat(chunks).equals(octets)).toBe(true)
        for (const chunk of chunks) chunk.fill(0)
        count++
      }
    }
    expect(count).toBeGreaterThan(100)
    expect(octets.toString()).toBe('0123456789')
  })

  it('follow from the seed, and change a copy', () => {
    const octets = Buffer.from('0123456789')
    const changed = (seed: number): string => mutate(new Random(seed), octets, [Buffer.from('abc')]).toString('hex')
    expect(changed(1)).toBe(changed(1))
    expect(new Set(Array.from({ length: 50 }, (_, seed) => changed(seed))).size).toBeGreaterThan(40)
    expect(octets.toString()).toBe('0123456789')
  })
})

describe('npm run fuzz', () => {
  function fuzz(...args: string[]): { code: number | null; output: string } {
    const main = [`${root}/node_modules/tsx/dist/cli.mjs`, 'fuzz/main.ts', ...args]
    const { status, stdout, stderr } = spawnSync(process.execPath, main, { cwd: root, encoding: 'utf8' })
    return { code: status, output: stdout + stderr }
  }

  it('runs a target in a worker, and says how far it came', { timeout: 60_000 }, () => {
    const { code, output } = fuzz('--target', 'close', '--executions', '100', '--seed', '1')
    expect(output).toMatch(
      /^seed 1, 1 worker, Node v.*\nclose +\d+ s {2}[\d,]+ executions, [\d,]+\/s; [\d,]+ bodies, [\d,]+\/s\n$/,
    )
    expect(code).toBe(0)
  })

  it('replays octets that are given to it', { timeout: 60_000 }, () => {
    const args = ['--target', 'frames', '--replay', '123', '--settings', 'server', '--octets', '8180 00000000']
    expect(fuzz(...args)).toEqual({
      code: 0,
      output: 'frames (server), 6 octets: 818000000000\nnothing found: text ""\n',
    })
  })

  it('refuses what it does not know', { timeout: 60_000 }, () => {
    expect(fuzz('--target', 'nothing')).toMatchObject({ code: 2, output: expect.stringContaining('no such target') })
  })
})

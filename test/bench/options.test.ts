/** What the command line comes to, and what it refuses. */
import { describe, expect, it } from 'vitest'
import { HELP, parseOptions } from '../../bench/options.ts'
import { clientScenarios, scenarios } from '../../bench/scenarios.ts'

const major = process.versions.node.split('.', 1)[0]

function servers(...args: string[]): string[] {
  return parseOptions(args).servers.subjects.map(({ program, runtime }) => `${program} ${runtime}`)
}

describe('parseOptions', () => {
  it('measures all servers in all scenarios when nothing is asked for', () => {
    const { parts, servers: side, settings, pace } = parseOptions([])
    expect(parts).toEqual(['servers'])
    expect(side.scenarios).toBe(side.scenarios)
    expect(side.scenarios.map(({ id }) => id)).toEqual(scenarios.map(({ id }) => id))
    expect(servers()).toContain('bun bun')
    expect([settings.rounds, settings.latency, pace]).toEqual([3, true, 'full'])
  })

  it('keeps to what is at hand when it has to be quick', () => {
    for (const pace of ['--quick', '--smoke']) {
      expect(servers(pace)).toEqual(['fullduplex', 'ws', 'raw'].map((name) => `${name} node${major}`))
      const { settings, servers: side } = parseOptions([pace])
      expect([settings.latency, side.scenarios.length]).toEqual([false, 12])
      expect(side.subjects.some(({ needsPackages }) => needsPackages)).toBe(false)
    }
  })

  it('opens few connections when it only checks', () => {
    const { servers: servers_, clients } = parseOptions(['--smoke', '--all'])
    for (const { connections } of [...servers_.scenarios, ...clients.scenarios]) {
      expect(connections).toBeLessThanOrEqual(50)
    }
  })

  it('takes scenarios and programs by name', () => {
    const { servers: side } = parseOptions(['--only', 'S2,S9', '--programs', 'raw,ws'])
    expect(side.scenarios.map(({ id }) => id)).toEqual(['S2', 'S9'])
    expect(side.subjects.map(({ program }) => program)).toEqual(['ws', 'raw'])
  })

  it('measures what the scenarios are for', () => {
    expect(parseOptions(['--only', 'C1']).parts).toEqual(['clients'])
    expect(parseOptions(['--only', 'C1,S2']).parts).toEqual(['servers', 'clients'])
    expect(parseOptions(['--growth', '--codec']).parts).toEqual(['growth', 'codec'])
    expect(parseOptions(['--all']).parts).toEqual(['servers', 'clients', 'growth', 'codec'])
  })

  it('takes versions of Node for the programs that are for Node, where they can run them', () => {
    expect(servers('--node', '22,26', '--programs', 'ws,bun')).toEqual(['ws node22', 'ws node26', 'bun bun'])
    const { clients } = parseOptions(['--clients', '--node', '20,22', '--programs', 'undici,ws'])
    const names = clients.subjects.map(({ program, runtime }) => `${program} ${runtime}`)
    expect(names).toEqual(['ws node20', 'ws node22', 'undici node22'])
  })

  it('takes programs of anybody', () => {
    const { servers: side, clients } = parseOptions([
      '--programs=ws',
      '--server=mine=env A=b ./serve --fast',
      '--server=yours=./other',
      '--client=mine=./client',
    ])
    expect(side.subjects.map(({ program }) => program)).toEqual(['ws', 'mine', 'yours'])
    expect(side.subjects[1].args).toEqual(['-c', 'env A=b ./serve --fast "$@"', 'mine'])
    expect(clients.subjects.at(-1)).toMatchObject({ program: 'mine', runtime: 'foreign' })
  })

  it('takes rounds and seconds', () => {
    expect(parseOptions(['--rounds', '5', '--seconds', '0.5']).settings).toMatchObject({ rounds: 5, seconds: 0.5 })
  })

  it.each([
    [['--only', 'S2,S21'], 'no such scenario: S21; there are S1-50'],
    [['--programs', 'wss'], 'no such program: wss; there are fullduplex, ws'],
    [['--node', 'lts'], '--node takes major versions, not "lts"'],
    [['--server', './serve'], 'not NAME=COMMAND: ./serve'],
    [['--rounds', '0'], '--rounds takes a whole number'],
    [['--rounds', '1.5'], '--rounds takes a whole number'],
    [['--seconds', 'long'], '--seconds takes a number'],
    [['--seconds', '0'], '--seconds takes a number'],
    [['--write', '--quick'], '--write takes whole parts'],
    [['--write', '--only', 'S2'], '--write takes whole parts'],
    [['--fast'], "Unknown option '--fast'"],
    [['S2'], 'Unexpected argument'],
  ])('refuses %j', (args, problem) => {
    expect(() => parseOptions(args)).toThrow(problem)
  })
})

describe('the help', () => {
  it('names every scenario, and fits a terminal', () => {
    for (const { id } of [...scenarios, ...clientScenarios]) expect(HELP).toContain(id)
    for (const line of HELP.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
  })
})

/**
 * `npm run soak`, `churn` and `idle` as a whole, in seconds: they let a right server pass, notice what a wrong one does, and exit accordingly.
 * How fast anything is does not matter here.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { runCommand } from '../../scripts/support/command.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

function run(name: 'soak' | 'churn' | 'idle', ...args: string[]): ReturnType<typeof runCommand> {
  return runCommand(process.execPath, ['--import', 'tsx', `load/${name}.ts`, ...args], { cwd: root })
}

function faulty(fault: string): string {
  return `--server=node test/load/support/faulty-server.ts '${fault}'`
}

const linux = { timeout: 120_000, skip: process.platform !== 'linux' }
// How fast a busy machine is, and what RSS does in seconds, is not what is tested.
const SOAK = ['--minutes=0.05', '--connections=10', '--rate=1000', '--seed=1', '--keep-up=1']
const CHURN = ['--connections=600', '--reset=60', '--at-once=20']
const IDLE = ['--connections=200', '--minutes=0.05', '--heartbeat=1', '--cpu=100', '--growth=50']

describe('npm run soak', () => {
  it.each([false, true])('lets our server pass, and writes all figures, deflate: %s', linux, async (deflate) => {
    const folder = await mkdtemp(join(tmpdir(), 'fullduplex-'))
    folders.push(folder)
    const json = join(folder, 'soak.json')
    const { code, output } = await run('soak', ...SOAK, `--json=${json}`, ...(deflate ? ['--deflate'] : []))
    expect([code, output]).toEqual([0, expect.stringContaining('\nsoak: 9 passed, 0 failed\n')])
    expect(output).toMatch(/\n[\d,]+ messages arrived, [\d.]+ MiB of payload, each octet as it was sent\n/)
    const kept = JSON.parse(await readFile(json, 'utf8')) as Record<string, unknown[]>
    expect(kept).toMatchObject({
      connections: 10,
      rate: 1000,
      seed: 1,
      deflate,
      machine: { cores: expect.any(Number) },
    })
    expect([kept['rows'].length, kept['checks'].length]).toEqual([6, 9])
  })

  it('notices a server that keeps messages', linux, async () => {
    const { code, output } = await run('soak', ...SOAK, faulty('keeps messages'))
    expect(output).toMatch(/\nFAIL {2}memory of the server after garbage collection is flat within 2 MiB: \d/)
    expect([code, output]).toEqual([1, expect.stringContaining('\nsoak: 4 passed, 1 failed\n')])
  })

  it.each([
    ['loses messages', /the clients: connection \d+ got echo \d+ of connection \d+ where number \d+ was next\n/],
    ['doubles messages', /the clients: connection \d+ got echo \d+ of connection \d+ where number \d+ was next\n/],
    ['changes octets', /the clients: connection \d+ got echo \d+ of connection \d+ with other octets\n/],
    ['changes types', /the clients: connection \d+ got echo \d+ of connection \d+ with other octets\n/],
    ['ends connections', /the clients: connection \d+ was closed: 1006, by network\n/],
    ['ends', /the clients: connection \d+ was closed: 1006, by network\n/],
  ])('notices a server that %s', linux, async (fault, found) => {
    const { code, output } = await run('soak', ...SOAK, faulty(fault))
    expect([code, output]).toEqual([1, expect.stringContaining('\nFAIL  everything arrives: ')])
    expect(output).toMatch(found)
    expect(output).toMatch(/\nsoak: 0 passed, 1 failed\n$/)
  })

  it('fails when messages take longer than they may', linux, async () => {
    const { code, output } = await run('soak', ...SOAK, '--p99=0.01')
    expect(output).toMatch(/\nFAIL {2}p99 is at most 0\.01 ms: [\d.]+ ms\n/)
    expect(code).toBe(1)
  })

  it('says of a server that does not start why', linux, async () => {
    const { code, output } = await run('soak', ...SOAK, '--server=exit 7')
    expect([code, output]).toEqual([
      1,
      expect.stringContaining('the server: it ended with 7 before it had printed its URL'),
    ])
  })
})

describe('npm run churn', () => {
  it('lets our server pass', linux, async () => {
    const { code, output } = await run('churn', ...CHURN)
    expect([code, output]).toEqual([0, expect.stringContaining('\nchurn: 15 passed, 0 failed\n')])
  })

  it.each([
    ['keeps memory of connections', 'memory of the server after garbage collection is flat within 2 MiB'],
    ['keeps timers of connections', 'handles of the server become no more than'],
    ['changes octets', 'connections that went as they should: 600: 599; 1 times'],
  ])('notices a server that %s', linux, async (fault, what) => {
    const { code, output } = await run('churn', ...CHURN, faulty(fault))
    expect([code, output]).toEqual([1, expect.stringContaining(`\nFAIL  ${what}`)])
  })
})

describe('npm run idle', () => {
  it('lets our server pass', linux, async () => {
    const { code, output } = await run('idle', ...IDLE)
    expect([code, output]).toEqual([0, expect.stringContaining('\nidle: 10 passed, 0 failed\n')])
  })

  it('notices a server that keeps much for each connection, and sends no Pings', linux, async () => {
    const { code, output } = await run('idle', ...IDLE, '--each=5', faulty('keeps memory of connections'))
    expect(output).toMatch(
      /\nFAIL {2}RSS of a connection beside a bare socket, server is at most [\d.]+ KiB: [\d.]+ KiB\n/,
    )
    expect(output).toMatch(/\nFAIL {2}what each connection got is at least 2 Pings: 0 Pings\n/)
    expect(code).toBe(1)
  })
})

describe('all three', () => {
  it.each([
    ['soak', '--minutes=0', '--minutes takes a number from 0.01 to 10000, not 0\n'],
    ['churn', '--connections=1.5', '--connections takes a whole number from 100 to 1000000000, not 1.5\n'],
    ['idle', '--heartbeat=soon', '--heartbeat takes a number from 0.01 to 100000, not soon\n'],
    ['idle', '--rate=3', "Unknown option '--rate'"],
  ] as const)('say what is wrong with the options: %s %s', async (name, option, message) => {
    const { code, output } = await run(name, option)
    expect([code, output]).toEqual([2, expect.stringContaining(message)])
  })

  it.each(['soak', 'churn', 'idle'] as const)('say what can be asked for: %s', async (name) => {
    const { code, output } = await run(name, '--help')
    expect([code, output]).toEqual([0, expect.stringMatching(/^npm run \w+ -- \[options\]\n[^]*--server COMMAND/)])
  })
})

/** The command as a whole: what it prints, and with which code it exits. */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../../scripts/support/command.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const node = [process.execPath, '--import', 'tsx']
const shouting = `${node.join(' ')} test/bench/support/shouting-server.ts`

function bench(...args: string[]): ReturnType<typeof runCommand> {
  return runCommand(node[0], [...node.slice(1), 'bench/main.ts', ...args], { cwd: root })
}

describe('npm run bench', () => {
  it('says what is wrong with the options, and exits with 2', async () => {
    const { code, output } = await bench('--only', 'S21')
    expect([code, output]).toEqual([2, expect.stringMatching(/^no such scenario: S21; .*\n.*--help says more\.\n$/)])
  })

  it('says what can be asked for', async () => {
    const { code, output } = await bench('--help')
    expect([code, output]).toEqual([0, expect.stringContaining('--server NAME=COMMAND')])
  })

  it.runIf(process.platform === 'linux')('finds out who answers wrongly, and exits with 1', async () => {
    const servers = [
      '--programs=ws',
      `--server=mine=${shouting} right`,
      `--server=loud=${shouting}`,
      '--server=none=false',
    ]
    const { code, output } = await bench('--smoke', '--only=S1-1', ...servers)
    expect(output).toContain('S1-1 ws: right\n')
    expect(output).toContain('S1-1 mine: right\n')
    expect(output).toContain('S1-1 loud: answers wrongly: its reply to message 1 has other octets\n')
    expect(output).toContain('S1-1 none: it ended with 1 before it had printed its URL\n')
    expect(code).toBe(1)
  })
})

/** The command line: commands, help, versions, and what is wrong. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cli } from './support.ts'

const COMMANDS = ['connect', 'serve', 'chat', 'inspect', 'conform', 'bench']

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

describe('fullduplex', () => {
  it.each([['--help'], ['-h'], ['help']])('shows its commands with %s', async (arg) => {
    const { code, stdout, stderr } = await cli([arg])
    expect(stdout).toMatch(/^fullduplex \d+\.\d+\.\d+: /)
    expect(stdout).toContain('\n  conform                 Judge ')
    expect(stdout).toContain('\n  -v, --version           Show the version.\n')
    expect([stderr, code]).toEqual(['', 0])
  })

  it('shows them as an error when it is told nothing', async () => {
    const { code, stdout, stderr } = await cli([])
    expect(stderr).toBe((await cli(['--help'])).stdout)
    expect([stdout, code]).toEqual(['', 2])
  })

  it.each([['--version'], ['-v']])('says its version with %s', async (arg) => {
    expect(await cli([arg])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('refuses a command that there is not', async () => {
    expect(await cli(['conforn'])).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'fullduplex: There is no command "conforn"; there are connect, serve, chat, inspect, conform, bench.\nTry fullduplex --help\n',
    })
  })

  it('refuses an option that there is not', async () => {
    const { code, stderr } = await cli(['--verbose'])
    expect(stderr).toBe(
      'fullduplex: There is no option "--verbose"; there are --help, --version.\nTry fullduplex --help\n',
    )
    expect(code).toBe(2)
  })

  it.each(COMMANDS)('has help for %s with examples, no line of it wider than 100 columns', async (command) => {
    const { code, stdout } = await cli([command, '--help'])
    expect(stdout).toMatch(new RegExp(`^[A-Z][^\\n]*\\.\n\n {2}fullduplex ${command} `))
    expect(stdout).toContain(`\n\nExamples\n  npx fullduplex ${command}`)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
    expect(code).toBe(0)
  })
})

/** The program itself: in this process, and as a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

describe('main', () => {
  const { argv, exitCode } = process
  const before = {
    SIGINT: process.listeners('SIGINT'),
    SIGTERM: process.listeners('SIGTERM'),
    broken: process.stdout.listeners('error'),
  }

  beforeEach(() => vi.resetModules())

  afterEach(() => {
    process.argv = argv
    process.exitCode = exitCode
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      for (const listener of process.listeners(signal)) {
        if (!before[signal].includes(listener)) process.off(signal, listener)
      }
    }
    for (const listener of process.stdout.listeners('error')) {
      if (!before.broken.includes(listener)) process.stdout.off('error', listener as () => void)
    }
    vi.restoreAllMocks()
  })

  async function main(...args: string[]): Promise<string> {
    process.argv = [argv[0], MAIN, ...args]
    let text = ''
    const write = (chunk: unknown): boolean => {
      text += String(chunk)
      return true
    }
    vi.spyOn(process.stdout, 'write').mockImplementation(write)
    vi.spyOn(process.stderr, 'write').mockImplementation(write)
    await import('../../src/cli/main.ts')
    return text
  }

  it('runs the command line of this process, and sets its exit code', async () => {
    expect(await main('--version')).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(process.exitCode).toBe(0)
    vi.resetModules()
    expect(await main('nothing')).toContain('There is no command "nothing"')
    expect(process.exitCode).toBe(2)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('interrupts the command upon %s', async (signal) => {
    const ended = main('conform', '--listen', '0')
    await vi.waitFor(() =>
      expect(process.stderr.write).toHaveBeenCalledWith(expect.stringContaining('Waiting for a client')),
    )
    process.emit(signal)
    expect(await ended).toContain('Interrupted: not all cases were run.')
    expect(process.exitCode).toBe(130)
  })

  it('takes no offence at a reader that has gone, and at nothing else', async () => {
    await main('--version')
    expect(() => process.stdout.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' }))).not.toThrow()
    expect(() => process.stdout.emit('error', new Error('full'))).toThrow('full')
  })

  it('reads standard input where a command asks for it', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: false })
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as unknown as typeof process.stdin)
    stdin.end('8105 48656c6c6f')
    expect(await main('inspect')).toContain('Frame 1 at 0: Text, FIN, 5 octets: "Hello"')
  })

  it('reads standard input as a process', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'inspect'], { stdio: ['pipe', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
    child.stdin.end('8105 48656c6c6f')
    expect(await once(child, 'close')).toEqual([0, null])
    expect(text).toContain('Frame 1 at 0: Text, FIN, 5 octets: "Hello"')
  })

  it('writes all of its output before the process ends', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'conform', '--list'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(0)
    expect(text.endsWith('\n')).toBe(true)
    expect(text.split('\n').length).toBeGreaterThan(200)
  })
})

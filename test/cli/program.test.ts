/** Programs behind connections, with real processes. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type * as ChildProcess from 'node:child_process'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Program } from '../../src/cli/program.ts'
import type { ProgramOptions } from '../../src/cli/program.ts'
import { connect } from '../../src/client/index.ts'
import type { ConnectOptions } from '../../src/client/index.ts'
import type { Connection } from '../../src/connection/index.ts'
import { serve } from '../../src/server/index.ts'
import { temporaryFolder } from './support.ts'

vi.mock('node:child_process', async (importOriginal) => {
  const real = await importOriginal<typeof ChildProcess>()
  const spawn = (command: string, options: ChildProcess.SpawnOptions): unknown =>
    real.spawn(command, command === '/nonexistent' ? { ...options, shell: false } : options)
  return { ...real, spawn }
})

interface Running {
  readonly ws: Connection
  readonly stderr: string[]
  /** Settles when the server's side has ended and the program been told. */
  readonly ended: Promise<void>
  /** Settles when as much is queued for the client as may be. */
  waits(): Promise<void>
}

async function start(
  command: string,
  options: Partial<ProgramOptions> = {},
  client: ConnectOptions = {},
): Promise<Running> {
  const stderr: string[] = []
  let told = (): void => {}
  const ended = new Promise<void>((resolve) => (told = resolve))
  const server = await serve<{ program?: Program }>({
    host: '127.0.0.1',
    upgrade: () => ({ data: {} }),
    open(ws) {
      const env = { PATH: process.env['PATH'] }
      ws.data.program = new Program(ws, {
        command,
        env,
        binary: false,
        stderr: (text) => stderr.push(text),
        ...options,
      })
    },
    message: (ws, data) => ws.data.program?.write(data),
    close(ws) {
      ws.data.program?.end()
      told()
    },
  })
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  const ws = await connect(server.url, client)
  const waits = (): Promise<void> =>
    vi.waitFor(() => expect([...server.connections][0].bufferedAmount).toBeGreaterThanOrEqual(65_536), {
      timeout: 15_000,
    })
  return { ws, stderr, ended, waits }
}

async function all(ws: Connection): Promise<(string | Buffer)[]> {
  const messages: (string | Buffer)[] = []
  for await (const message of ws) messages.push(message)
  return messages
}

describe('Program', () => {
  it('makes messages of lines, and closes with 1000 when it ends well', async () => {
    const { ws } = await start("printf 'one\\ntwo\\r\\nthree'")
    expect(await all(ws)).toEqual(['one', 'two', 'three'])
    expect(await ws.closed).toMatchObject({ code: 1000, reason: 'exit code 0', wasClean: true })
  })

  it('makes lines of messages', async () => {
    const { ws } = await start('read a; read b; echo "$b $a"')
    ws.send('one')
    ws.send('two')
    expect(await all(ws)).toEqual(['two one'])
  })

  it('passes octets as they come with binary', async () => {
    const { ws } = await start('head -c 3', { binary: true })
    ws.send(Buffer.from([0, 10]))
    ws.send('x')
    expect(Buffer.concat((await all(ws)) as Buffer[])).toEqual(Buffer.from([0, 10, 0x78]))
  })

  it.each([
    ['its exit code', 'exit 3', 'exit code 3'],
    ['its signal', 'kill -TERM $$', 'SIGTERM'],
  ])('closes with 1011 and %s when it ends badly', async (_, command, reason) => {
    const { ws } = await start(command)
    expect(await ws.closed).toMatchObject({ code: 1011, reason })
  })

  it('closes with 1011 when it cannot be started', async () => {
    const { ws, ended } = await start('/nonexistent')
    expect(await ws.closed).toMatchObject({ code: 1011, reason: 'ENOENT' })
    await ended
  })

  it('hands on what it writes to standard error', async () => {
    const { ws, stderr } = await start('echo wrong >&2')
    await ws.closed
    expect(stderr.join('')).toBe('wrong\n')
  })

  it('is ended when the connection has ended, with all that it has started', async () => {
    const file = join(temporaryFolder(), 'ended')
    const { ws } = await start(`trap 'touch ${file}; exit' TERM; echo ready; while :; do sleep 0.01; done`)
    for await (const message of ws) {
      expect(message).toBe('ready')
      break
    }
    await ws.close()
    await vi.waitFor(() => expect(existsSync(file)).toBe(true))
  })

  it('is killed when it does not end by itself', async () => {
    let pid = 0
    const { ws } = await start("trap '' TERM; echo $$; while :; do sleep 0.01; done", { patience: 20 })
    for await (const message of ws) {
      pid = Number(message)
      break
    }
    await ws.close()
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'))
  })

  it('is ended by itself where there are no groups of processes', async () => {
    let pid = 0
    const { ws } = await start('echo $$; exec sleep 60')
    for await (const message of ws) {
      pid = Number(message)
      break
    }
    const { platform } = process
    Object.defineProperty(process, 'platform', { value: 'win32' })
    onTestFinished(() => void Object.defineProperty(process, 'platform', { value: platform }))
    await ws.close()
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'))
  })

  it('may have ended a moment ago', async () => {
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' })
    })
    onTestFinished(() => kill.mockRestore())
    const { ws, ended } = await start('cat')
    await ws.close()
    await ended
    expect(kill).toHaveBeenCalledWith(expect.any(Number), 'SIGTERM')
  })

  it('waits for a client that does not read', async () => {
    const { ws, waits } = await start('head -c 150000000 /dev/zero', { binary: true })
    ws.pause()
    await waits()
    ws.resume()
    let octets = 0
    for await (const message of ws) octets += message.length
    expect(octets).toBe(150_000_000)
  })

  it('is ended when a client goes that it waits for', async () => {
    const { ws, waits, ended } = await start('cat /dev/zero', { binary: true })
    ws.pause()
    await waits()
    ws.terminate()
    expect(await ws.closed).toMatchObject({ wasClean: false })
    await ended
  })

  it('makes a client wait that it does not read from', async () => {
    const { ws } = await start('sleep 0.2; head -c 10000000 | wc -c')
    const text = 'x'.repeat(999_999)
    for (let sent = 0; sent < 10; sent++) if (!ws.send(text)) await ws.drained()
    expect((await all(ws)).join('').trim()).toBe('10000000')
  })

  it('takes no offence at messages for a program that has gone', async () => {
    const { ws } = await start('exec <&-; sleep 0.1; echo done')
    ws.send('x'.repeat(100_000))
    ws.send('more')
    expect(await all(ws)).toEqual(['done'])
  })
})

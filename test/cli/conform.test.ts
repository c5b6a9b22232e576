/** `fullduplex conform` against real peers, over loopback. */
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run } from '../../src/cli/run.ts'
import { cases } from '../../src/conformance/index.ts'
import type { JsonReport } from '../../src/conformance/index.ts'
import { tlsOptions } from '../server/support.ts'
import { driveClient, fakeIo, startServer, temporaryFolder } from './support.ts'

/** What is tried where it does not matter what: three short echoes. */
const FEW = ['--only', '1.1.1,1.1.2', '--only', '2.1']

async function conform(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const io = fakeIo()
  const code = await run(['conform', ...args], io)
  return { code, stdout: io.stdout.text, stderr: io.stderr.text }
}

describe('conform URL', () => {
  it('judges a server, and ends with 0 when nothing failed', async () => {
    const { code, stdout, stderr } = await conform(await startServer(), ...FEW)
    expect(stdout).toMatch(/PASSED {2}server ws:\/\/127\.0\.0\.1:\d+\n {8}3 OK, 0 FAILED\n {8}3 cases in /)
    expect(stderr).toMatch(/^1 of 3 cases: 1 OK, \d+ s\n2 of 3 cases: 2 OK, \d+ s\n$/)
    expect(code).toBe(0)
  })

  it('ends with 1 when something failed, and says what', async () => {
    const url = await startServer({ mute: true })
    const { code, stdout } = await conform(url, ...FEW, '--timeout-factor', '0.05', '--concurrency', '1')
    expect(stdout).toContain('FAILED (2)\n\n  1.1.1')
    expect(stdout).toContain('1 OK, 2 FAILED')
    expect(code).toBe(1)
  })

  it('leaves out what is excluded, and what takes long', async () => {
    const url = await startServer()
    const { stdout } = await conform(
      url,
      '--only',
      '1.1,9.1.1',
      '--exclude',
      '1.1.8,1.1.7',
      '--exclude=1.1.6',
      '--quick',
      '--json',
    )
    const { results } = JSON.parse(stdout) as JsonReport
    expect(results.map(({ id }) => id)).toEqual(['1.1.1', '1.1.2', '1.1.3', '1.1.4', '1.1.5'])
  })

  it('writes JSON and HTML to files', async () => {
    const folder = temporaryFolder()
    const [json, html] = [join(folder, 'report.json'), join(folder, 'report.html')]
    const { code } = await conform(await startServer(), '--only', '1.1.1', '--json', json, '--report', html)
    expect(code).toBe(0)
    expect((JSON.parse(readFileSync(json, 'utf8')) as JsonReport).totals.verdict.OK).toBe(1)
    expect(readFileSync(html, 'utf8')).toContain('Nothing failed')
  })

  it('sends the fields that it is given', async () => {
    const seen: (string | undefined)[] = []
    const url = await startServer({
      upgrade: ({ headers }) => {
        seen.push(headers.get('authorization'), headers.get('x-two'))
        return {}
      },
    })
    await conform(url, '--only', '1.1.1', '--header', 'Authorization: Bearer a:b', '--header', 'X-Two:2')
    expect(seen).toEqual(['Bearer a:b', '2'])
  })

  it('takes a certificate that nobody signed only if told so', async () => {
    const { server } = await tlsOptions()
    const url = await startServer({ tls: server })
    const strict = await conform(url, '--only', '1.1.1')
    expect(strict.stderr).toMatch(/^fullduplex conform: Cannot reach wss:.*; --insecure takes any certificate\.\n$/)
    expect(strict.code).toBe(2)
    expect((await conform(url, '--only', '1.1.1', '--insecure')).code).toBe(0)
  })

  it('ends with 2 where nobody listens, and leaves no file behind', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const file = join(temporaryFolder(), 'report.html')
    const { code, stderr } = await conform(`ws://127.0.0.1:${port}`, '--report', file)
    expect(stderr).toBe(
      `fullduplex conform: Cannot reach ws://127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}.\n`,
    )
    expect(code).toBe(2)
    expect(existsSync(file)).toBe(false)
  })

  it('ends with a report of what there is when it is interrupted', async () => {
    const url = await startServer()
    const io = fakeIo()
    // The first line of progress: some are done, some are not.
    io.stderr.onWrite = () => io.interrupt()
    const code = await run(['conform', url, '--only', '1.1,1.2,2', '--concurrency', '1', '--json'], io)
    const { peer, results } = JSON.parse(io.stdout.text) as JsonReport
    expect(peer).toEqual({ role: 'server', name: url })
    expect(results.map(({ id }) => id)).toEqual(['1.1.1', '1.1.2', '1.1.3'])
    expect(io.stderr.text).toContain('Interrupted: not all cases were run.')
    expect(code).toBe(130)
  })

  it('does not hide a fault of its own', async () => {
    const url = await startServer()
    const io = fakeIo()
    io.stderr.onWrite = () => {
      io.stderr.onWrite = () => {}
      throw new Error('a fault')
    }
    await expect(run(['conform', url, '--only', '1.1'], io)).rejects.toThrow('a fault')
  })
})

describe('conform --listen', () => {
  it('says how a client is driven, judges it, and ends', async () => {
    const io = fakeIo()
    const driven = new Promise<void>((resolve, reject) => {
      io.stderr.onWrite = (text) => {
        const url = /ws:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0]
        if (url !== undefined) driveClient(url).then(resolve, reject)
      }
    })
    const code = await run(['conform', '--listen', '0', ...FEW], io)
    await driven
    expect(io.stderr.text).toMatch(
      /^Waiting for a client at ws:\/\/127\.0\.0\.1:\d+\. It connects, in this order, to\n/,
    )
    expect(io.stderr.text).toContain('the number of cases, N (3)')
    expect(io.stdout.text).toContain('PASSED  client echo 1\n        3 OK, 0 FAILED')
    expect(code).toBe(0)
  })

  it('ends when it is interrupted', async () => {
    const io = fakeIo()
    io.stderr.onWrite = () => io.interrupt()
    expect(await run(['conform', '--listen', '0', '--host', '127.0.0.1'], io)).toBe(130)
    expect(io.stdout.text).toContain('client a client\n        0 OK, 0 FAILED')
  })

  it('ends with 2 where the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await conform('--listen', String(port))
    expect(stderr).toContain(`Cannot listen on port ${port} of 127.0.0.1: listen EADDRINUSE`)
    expect(code).toBe(2)
  })
})

describe('conform --list', () => {
  it('shows the cases with their titles', async () => {
    const { code, stdout } = await conform('--list')
    expect(stdout.trimEnd().split('\n')).toHaveLength(cases.length)
    expect(stdout).toMatch(/^1\.1\.1 {3}\S/)
    expect(code).toBe(0)
  })

  it('shows those that would be run', async () => {
    expect((await conform('--list', ...FEW)).stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      '1.1.1',
      '1.1.2',
      '2.1',
      '',
    ])
  })

  it('leaves out those for the other role', async () => {
    const lines = async (...args: string[]) => (await conform('--list', ...args)).stdout.split('\n').length
    const all = await lines()
    const of = (role: string) => cases.filter(({ peer }) => peer === role).length
    expect(await lines('ws://127.0.0.1')).toBe(all - of('client'))
    expect(await lines('--listen', '1')).toBe(all - of('server'))
    expect((await conform('--list')).stdout.split(' (for a server)\n')).toHaveLength(of('server') + 1)
  })

  it('refuses what there is not', async () => {
    const { code, stderr } = await conform('--list', '--only', '77')
    expect(stderr).toContain('There is no case "77"')
    expect(code).toBe(2)
  })
})

describe('conform refuses', () => {
  it.each([
    ['no target', [], 'Give the address of a server, such as ws://localhost:8080, or --listen PORT'],
    ['two targets', ['ws://a', 'ws://b'], 'Give one address only'],
    ['both kinds of target', ['ws://a', '--listen', '1'], 'Give either an address or --listen'],
    ['a port that is none', ['--listen', '65536'], '--listen needs a port, 0 to 65535'],
    ['a port in words', ['--listen', 'http'], '--listen needs a port, 0 to 65535'],
    ['a negative port', ['--listen=-1'], '--listen needs a port, 0 to 65535'],
    ['--host without --listen', ['ws://a', '--host', 'b'], '--host goes with --listen'],
    ['--header with --listen', ['--listen', '0', '--header', 'a: b'], '--header does not go with --listen'],
    ['a header without a colon', ['ws://a', '--header', 'a'], "--header needs 'NAME: VALUE'"],
    ['another scheme', ['ftp://127.0.0.1'], '"ftp://127.0.0.1" is no address of a server'],
    ['cases that there are not', ['ws://a', '--only', '1,99.9'], 'There is no case "99.9"'],
    ['no case at all', ['ws://a', '--only', '1', '--exclude', '1'], 'leave no case for a server'],
    ['a concurrency in words', ['ws://a', '--concurrency', 'many'], 'concurrency is a whole number from 1 to 64'],
    ['a factor of 0', ['ws://a', '--timeout-factor', '0'], 'timeoutFactor is a number above 0'],
    ['an option that there is not', ['ws://a', '--onyl', '1'], 'There is no option "--onyl"; there are --listen, '],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await conform(...args)
    expect(stderr).toContain(`fullduplex conform: ${message.startsWith('leave') ? '' : message}`)
    expect(stderr).toContain(message)
    expect(stderr).toContain('\nTry fullduplex conform --help\n')
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})

/** `fullduplex bench`, and what it makes of a result. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { resultLines } from '../../src/cli/bench.ts'
import type { LoadResult } from '../../src/cli/load.ts'
import { run } from '../../src/cli/run.ts'
import { painter } from '../../src/cli/style.ts'
import { serve } from '../../src/server/index.ts'
import { cli, fakeIo, startServer, written } from './support.ts'

const SHORT = ['--seconds', '60', '--warm-up', '0', '--messages', '50']

describe('bench', () => {
  it('measures a server', async () => {
    const url = await startServer()
    const { code, stdout, stderr } = await cli(['bench', url, ...SHORT, '--connections', '2'])
    expect(stdout).toMatch(
      new RegExp(
        `^${url}: 2 connections, 32 octets of text, 1 under way on each\\n {2}[\\d,]+ messages/s, 50 in \\d+\\.\\d\\d s\\n {2}p50 \\d`,
      ),
    )
    expect([stderr, code]).toEqual(['', 0])
  })

  it('writes JSON', async () => {
    const url = await startServer()
    const { code, stdout } = await cli(['bench', url, ...SHORT, '--rate', '1000', '--size', '5', '--binary', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      url,
      connections: 10,
      size: 5,
      binary: true,
      targetRate: 1000,
      messages: 50,
    })
    expect(JSON.parse((await cli(['bench', url, ...SHORT, '--json'])).stdout)).toMatchObject({ depth: 1 })
    expect(code).toBe(0)
  })

  it('ends with 1 when something else comes back', async () => {
    const server = await serve({ host: '127.0.0.1', message: (ws) => void ws.send('?') })
    onTestFinished(() => server.shutdown({ timeout: 0 }))
    const { code, stdout } = await cli(['bench', server.url, ...SHORT])
    expect(stdout).toContain('\n  This is no echo server: what comes back is not what was sent\n')
    expect(code).toBe(1)
  })

  it('ends with 2 when there is nothing to measure', async () => {
    const server = await serve({ host: '127.0.0.1', message() {} })
    await server.shutdown()
    const { code, stderr } = await cli(['bench', server.url])
    expect(stderr).toMatch(/^fullduplex bench: Cannot reach ws:.*: connect ECONNREFUSED .*\.\n$/)
    expect(code).toBe(2)
  })

  it('shows how far it is where somebody watches', async () => {
    const io = fakeIo(80)
    const ended = run(['bench', await startServer(), '--warm-up', '0', '--seconds', '0.5'], io)
    await written(io.stderr, / %  [\d,]+ messages/)
    expect(await ended).toBe(0)
    expect(io.stderr.text.endsWith('\r\u{1b}[K')).toBe(true)
    expect((await cli(['bench', await startServer(), ...SHORT])).stderr).toBe('')
  })

  it('shows nothing on a terminal that cannot draw', async () => {
    const io = fakeIo(80, { TERM: 'dumb' })
    expect(await run(['bench', await startServer(), ...SHORT], io)).toBe(0)
    expect(io.stderr.text).toBe('')
  })

  it('ends with 130 and what there is on Ctrl-C', async () => {
    const io = fakeIo(80)
    const ended = run(['bench', await startServer(), '--warm-up', '0', '--seconds', '60'], io)
    await written(io.stderr, / %  [1-9]/)
    io.interrupt()
    expect(await ended).toBe(130)
    expect(io.stdout.text).toContain('messages/s')
  })

  it('ends with 130 on Ctrl-C before it has begun', async () => {
    const io = fakeIo()
    const url = await startServer({ open: () => io.interrupt() })
    expect(await run(['bench', url], io)).toBe(130)
    expect(io.stdout.text).toBe('')
  })

  it.each([
    ['no address', [], 'Give the address of an echo server, such as ws://localhost:8080'],
    ['a depth and a rate', ['ws://a', '--depth', '1', '--rate', '1'], 'Give either --depth or --rate'],
    ['no connections', ['ws://a', '--connections', '0'], '--connections needs a whole number, 1 to 60000'],
    ['another scheme', ['ftp://a'], 'fullduplex bench: '],
  ])('refuses %s', async (_, args, message) => {
    const { code, stdout, stderr } = await cli(['bench', ...args])
    expect(stderr).toContain(message)
    expect(stderr).toContain('Try fullduplex bench --help')
    expect([stdout, code]).toEqual(['', 2])
  })
})

describe('resultLines', () => {
  const plan = {
    url: 'ws://a',
    options: {},
    connections: 1,
    size: 1,
    binary: true,
    depth: 1,
    rate: 1000,
    warmUp: 0,
    duration: 1000,
    messages: Infinity,
  }
  const result: LoadResult = {
    messages: 12_345,
    duration: 5000,
    rate: 2469,
    latency: { p50: 0.1, p90: 0.2, p99: 0.3, 'p99.9': 4, max: 5.678, mean: 0.15 },
    unanswered: 0,
    cpu: 0.5,
  }

  it('tells what was done, how much came back, and how long it took', () => {
    expect(resultLines(plan, result, painter(false))).toEqual([
      'ws://a: 1 connection, 1 octet of binary, 1000 due each second',
      '  2469 messages/s, 12,345 in 5.00 s',
      '  p50 0.10  p90 0.20  p99 0.30  p99.9 4.00  max 5.68  mean 0.15  ms',
    ])
  })

  it('tells what makes it worth less', () => {
    const lines = resultLines(plan, { ...result, unanswered: 7, cpu: 0.97, failure: 'Oh no' }, painter(false))
    expect(lines.slice(3)).toEqual([
      '  7 did not come back',
      '  This process took 97 % of a core: the server may be faster than that',
      '  Oh no',
    ])
  })
})

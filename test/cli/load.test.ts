/** Load, on servers that echo and on servers that do not. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { Fifo, Load } from '../../src/cli/load.ts'
import type { LoadPlan, LoadResult } from '../../src/cli/load.ts'
import { serve } from '../../src/server/index.ts'
import type { ServeOptions } from '../../src/server/index.ts'
import { startServer } from './support.ts'

const PLAN = {
  options: {},
  connections: 2,
  size: 32,
  binary: false,
  depth: 1,
  rate: undefined,
  warmUp: 0,
  duration: 60_000,
  messages: 100,
}

const never = new AbortController().signal

async function measure(url: string, plan: Partial<LoadPlan> = {}, signal = never): Promise<LoadResult> {
  const load = new Load({ ...PLAN, ...plan, url })
  await load.open(signal)
  const result = await load.run(signal)
  await load.close()
  return result
}

async function start(options: Partial<ServeOptions>): Promise<string> {
  const server = await serve({ host: '127.0.0.1', ...options, routes: undefined })
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  return server.url
}

describe('Load in a closed loop', () => {
  it('counts what comes back, and how long it took', async () => {
    const result = await measure(await startServer())
    expect(result).toMatchObject({ messages: 100, unanswered: 0 })
    expect(result.failure).toBeUndefined()
    const { p50, p90, p99, 'p99.9': p999, max, mean } = result.latency
    expect(p50).toBeGreaterThan(0)
    expect([p50, p90, p99, p999].toSorted((a, b) => a - b)).toEqual([p50, p90, p99, p999])
    expect(max).toBeGreaterThanOrEqual(mean)
    expect(result.rate).toBeCloseTo((100 / result.duration) * 1000, 5)
    expect(result.cpu).toBeGreaterThan(0)
  })

  it('has as many messages under way as it is told, of the size and kind that it is told', async () => {
    const seen: (string | Buffer)[] = []
    let most = 0
    const url = await start({
      message(ws, data) {
        seen.push(data)
        if (seen.length < 6) return
        most = seen.length
        for (const each of seen.splice(0)) ws.send(each)
      },
    })
    const result = await measure(url, { connections: 1, depth: 6, size: 100, binary: true, messages: 6 })
    expect(most).toBe(6)
    expect(result.messages).toBe(6)
  })

  it('sends empty messages', async () => {
    expect(await measure(await startServer(), { size: 0 })).toMatchObject({ messages: 100 })
  })

  it('ends after its time, and counts nothing before', async () => {
    const url = await startServer()
    const load = new Load({ ...PLAN, url, warmUp: 50, duration: 50, messages: Infinity })
    expect(load.progress).toEqual({ messages: 0, part: 0 })
    await load.open(never)
    const result = await load.run(never)
    await load.close()
    expect(result.messages).toBeGreaterThan(0)
    expect(load.progress).toEqual({ messages: result.messages, part: 1 })
  })

  it('counts what never comes back with the time that it waited', async () => {
    const url = await startServer({ mute: true })
    const result = await measure(url, { duration: 20 })
    expect(result).toMatchObject({ messages: 0, rate: 0, unanswered: 2 })
    expect(result.latency.max).toBeGreaterThan(1000)
  })

  it.each([0, 1])('ends when it is interrupted, %i turns after it has begun', async (turns) => {
    const url = await startServer()
    const interruption = new AbortController()
    const load = new Load({ ...PLAN, url, warmUp: 60_000 })
    await load.open(interruption.signal)
    if (turns === 0) interruption.abort()
    const running = load.run(interruption.signal)
    interruption.abort()
    const result = await running
    await load.close()
    expect(result).toMatchObject({ messages: 0, rate: 0, cpu: 0, latency: { max: 0, mean: 0 } })
  })
})

describe('Load in an open loop', () => {
  it('sends what is due, whatever comes back', async () => {
    let count = 0
    const url = await start({ message: () => void count++ })
    const result = await measure(url, { rate: 1000, duration: 200 })
    expect(result.messages).toBe(0)
    expect(result.unanswered).toBe(count)
    expect(count).toBeGreaterThan(100)
    expect(count).toBeLessThanOrEqual(250)
  })

  it('counts from when a message was due', async () => {
    const result = await measure(await startServer(), { rate: 1000, duration: 200, messages: Infinity })
    expect(result.unanswered).toBe(0)
    expect(result.messages).toBeGreaterThan(100)
  })

  it('gives up on a server that cannot keep up', async () => {
    const url = await start({ open: (ws) => ws.pause(), message() {} })
    const result = await measure(url, { rate: 10_000_000, size: 1, duration: 30_000 })
    expect(result.failure).toBe('The server cannot keep up with this rate')
    expect(result.unanswered).toBeGreaterThan(200_000)
  })
})

describe('Load fails', () => {
  it.each<[string, Partial<ServeOptions>, Partial<LoadPlan>, string]>([
    ['when other text comes back', { message: (ws) => void ws.send('other') }, {}, 'This is no echo server'],
    [
      'when other octets come back',
      { message: (ws) => void ws.send(Buffer.from('x')) },
      { binary: true },
      'This is no echo',
    ],
    [
      'when octets come back for text',
      { message: (ws, data) => void ws.send(Buffer.from(data)) },
      {},
      'This is no echo',
    ],
    [
      'when a connection is closed',
      { message: (ws) => void ws.close(1011, 'full') },
      {},
      'A connection was closed with 1011 "full"',
    ],
    [
      'when a connection is closed without a word',
      { message: (ws) => void ws.close() },
      {},
      'A connection was closed with 1005',
    ],
  ])('%s', async (_, server, plan, failure) => {
    const result = await measure(await start(server), plan)
    expect(result.failure).toContain(failure)
  })

  it('when something comes that nobody asked for', async () => {
    const url = await start({ open: (ws) => void ws.send('welcome'), message: (ws, data) => void ws.send(data) })
    const result = await measure(url, { connections: 8 })
    expect(result.failure).toContain('This is no echo server')
  })

  it('when nobody is there', async () => {
    const server = await serve({ host: '127.0.0.1', message() {} })
    await server.shutdown()
    await expect(measure(server.url)).rejects.toMatchObject({ code: 'ERR_WS_CONNECT_FAILED' })
  })
})

describe('Fifo', () => {
  it('gives back what it was given, in order, however much that is', () => {
    const fifo = new Fifo()
    let next = 0
    for (let number = 0; number < 5000; number++) {
      fifo.push(number)
      if (number % 3 === 0) expect(fifo.shift()).toBe(next++)
    }
    expect(fifo.size).toBe(5000 - next)
    while (next < 5000) expect(fifo.shift()).toBe(next++)
    expect([fifo.size, fifo.shift()]).toEqual([0, undefined])
  })
})

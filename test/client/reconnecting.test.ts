/** Connections one after another (RFC 6455 7.2.3), with time and chance in the test's hands. */
import { spawn } from 'node:child_process'
import { getEventListeners, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { backoffSettings } from '../../src/client/backoff.ts'
import type { BackoffOptions } from '../../src/client/backoff.ts'
import { Reconnecting, reconnecting } from '../../src/client/reconnecting.ts'
import type { ReconnectingOptions } from '../../src/client/reconnecting.ts'
import { HandshakeError } from '../../src/errors.ts'
import { serve } from '../../src/server/index.ts'
import { turn, useClock } from '../support/clock.ts'
import { acceptance, rawServer } from '../support/raw-server.ts'

const reason = new Error('changed my mind')

/** A connection that ends when it is told to. */
class Fake {
  readonly closed: Promise<void>
  readonly closes: number[] = []
  end!: () => void

  constructor() {
    this.closed = new Promise((resolve) => {
      this.end = resolve
    })
  }

  close(code: number): void {
    this.closes.push(code)
  }
}

interface Stage {
  readonly loop: Reconnecting<Fake>
  /** When an attempt was made, in milliseconds. */
  readonly attempts: number[]
  /** What the attempts come to; while there is nothing they wait. */
  readonly results: (Fake | Error)[]
  readonly retries: [unknown, number][]
  readonly signals: AbortSignal[]
  /** Lets time pass, and everything that happens meanwhile. */
  pass(milliseconds: number): Promise<void>
}

/** `chance` is what `random` answers, one after another and then over again. */
function stage(
  options: BackoffOptions = { minDelay: 100, maxDelay: 1_000, jitter: 0, stableAfter: 5_000 },
  { signal, chance = [0], retry = true }: { signal?: AbortSignal; chance?: number[]; retry?: boolean } = {},
): Stage {
  let [now, asked] = [0, 0]
  const [attempts, results, retries, signals]: [number[], (Fake | Error)[], [unknown, number][], AbortSignal[]] = [
    [],
    [],
    [],
    [],
  ]
  const open = async (ending: AbortSignal): Promise<Fake> => {
    attempts.push(now)
    signals.push(ending)
    const result = results.shift()
    if (result === undefined) {
      await once(ending, 'abort')
      ending.throwIfAborted()
      throw new Error('It has not aborted')
    }
    if (result instanceof Error) throw result
    return result
  }
  const judge = (error: unknown, attempt: number): boolean => {
    retries.push([error, attempt])
    return retry
  }
  const world = { now: () => now, random: () => chance[asked++ % chance.length] }
  const pass = async (milliseconds: number): Promise<void> => {
    await turn()
    for (let passed = 0; passed < milliseconds; passed += 50) {
      now += 50
      vi.advanceTimersByTime(50)
      await turn()
    }
  }
  return {
    loop: new Reconnecting(open, backoffSettings(options), judge, signal, world),
    attempts,
    results,
    retries,
    signals,
    pass,
  }
}

/** What a promise has come to by now. */
async function state(promise: Promise<unknown>): Promise<unknown> {
  await turn()
  return Promise.race([promise, Promise.resolve('pending')])
}

const done = { done: true, value: undefined }
const failure = new Error('not reached')

describe('Reconnecting', () => {
  useClock()

  it('makes the first attempt at once, and the next when one has ended and is asked for [6455:7.2.3-01]', async () => {
    const { loop, attempts, results, pass } = stage()
    const [first, second] = [new Fake(), new Fake()]
    results.push(first, second)
    expect(await loop.next()).toEqual({ done: false, value: first })
    expect(attempts).toEqual([0])
    first.end()
    await pass(1_000)
    expect(attempts).toEqual([0])
    const next = loop.next()
    await pass(50)
    expect(attempts).toEqual([0])
    await pass(50)
    expect(attempts).toEqual([0, 1_100])
    expect(await next).toEqual({ done: false, value: second })
    await loop.return()
  })

  it('waits for the end of a connection that is still open', async () => {
    const { loop, attempts, results, pass } = stage()
    const first = new Fake()
    results.push(first, new Fake())
    await loop.next()
    const next = loop.next()
    await pass(10_000)
    expect([attempts, await state(next)]).toEqual([[0], 'pending'])
    first.end()
    await pass(100)
    expect(attempts).toEqual([0, 10_100])
    await next
    await loop.return()
  })

  it('delays longer and longer while attempts fail or connections do not last, up to the limit [6455:7.2.3-04]', async () => {
    const { loop, attempts, results, retries, pass } = stage()
    const short = new Fake()
    results.push(failure, failure, short, failure, failure, failure, new Fake())
    const next = loop.next()
    await pass(300)
    expect(await next).toEqual({ done: false, value: short })
    short.end()
    const other = loop.next()
    await pass(5_000)
    await other
    // 100, 200, then 400, 800, 1,000, 1,000.
    expect(attempts).toEqual([0, 100, 300, 700, 1_500, 2_500, 3_500])
    expect(retries.map(([, attempt]) => attempt)).toEqual([1, 2, 1, 2, 3])
    await loop.return()
  })

  it('begins anew behind a connection that has lasted', async () => {
    const { loop, attempts, results, pass } = stage()
    const [almost, lasting] = [new Fake(), new Fake()]
    results.push(failure, failure, almost, lasting, new Fake())
    const first = loop.next()
    await pass(300)
    await first
    await pass(4_950)
    almost.end()
    const second = loop.next()
    await pass(400)
    expect(attempts.at(-1)).toBe(300 + 4_950 + 400)
    await second
    await pass(5_000)
    lasting.end()
    // How long it takes until the loop asks is not part of it.
    await pass(500)
    const third = loop.next()
    await pass(100)
    expect(attempts.at(-1)).toBe(5_650 + 5_000 + 500 + 100)
    await third
    await loop.return()
  })

  it('adds chance to every delay, the first included [6455:7.2.3-02]', async () => {
    const { loop, attempts, results, pass } = stage({ minDelay: 1_000, maxDelay: 10_000 }, { chance: [0.5, 0, 0.95] })
    results.push(failure, failure, failure, new Fake())
    const next = loop.next()
    await pass(12_000)
    await next
    expect(attempts).toEqual([0, 1_500, 3_500, 11_300])
    await loop.return()
  })

  it('throws what an attempt failed with where it is not to be tried again, and is over then', async () => {
    const { loop, attempts, results, retries, signals } = stage(undefined, { retry: false })
    results.push(failure)
    await expect(loop.next()).rejects.toBe(failure)
    expect(retries).toEqual([[failure, 1]])
    expect(signals[0].aborted).toBe(true)
    expect(await loop.next()).toEqual(done)
    expect(attempts).toEqual([0])
  })

  describe('that is left', () => {
    it('closes the connection that is open, and does not wait for its end', async () => {
      const { loop, attempts, results } = stage()
      const first = new Fake()
      results.push(first)
      for await (const connection of loop) {
        expect(connection).toBe(first)
        break
      }
      expect(first.closes).toEqual([1000])
      expect(await loop.next()).toEqual(done)
      expect(await loop.return()).toEqual(done)
      expect([first.closes, attempts]).toEqual([[1000], [0]])
    })

    it('ends what is waited for', async () => {
      for (const until of ['opening', 'delay', 'end']) {
        const { loop, results, signals, pass } = stage()
        const first = new Fake()
        if (until === 'delay') results.push(failure)
        if (until === 'end') results.push(first)
        if (until === 'end') await loop.next()
        const next = loop.next()
        await pass(0)
        expect(vi.getTimerCount()).toBe(until === 'delay' ? 1 : 0)
        expect(await loop.return()).toEqual(done)
        expect(await next).toEqual(done)
        expect(signals[0].aborted).toBe(true)
        expect(vi.getTimerCount()).toBe(0)
        expect(first.closes).toEqual(until === 'end' ? [1000] : [])
      }
    })

    it('closes a connection that opened at that very moment', async () => {
      let succeed = (_connection: Fake): void => {}
      const open = (): Promise<Fake> =>
        new Promise((resolve) => {
          succeed = resolve
        })
      const loop = new Reconnecting(open, backoffSettings({}), () => true, undefined)
      const next = loop.next()
      await turn()
      const late = new Fake()
      succeed(late)
      await loop.return()
      expect(await next).toEqual(done)
      expect(late.closes).toEqual([1000])
    })
  })

  describe('with a signal', () => {
    it('throws its reason, once, whatever is waited for', async () => {
      for (const until of ['opening', 'delay', 'end']) {
        const controller = new AbortController()
        const { loop, results, pass } = stage(undefined, { signal: controller.signal })
        const first = new Fake()
        if (until === 'delay') results.push(failure)
        if (until === 'end') results.push(first)
        if (until === 'end') await loop.next()
        const next = loop.next()
        next.catch(() => {})
        await pass(0)
        controller.abort(reason)
        await expect(next).rejects.toBe(reason)
        expect(vi.getTimerCount()).toBe(0)
        expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
        expect(first.closes).toEqual(until === 'end' ? [1000] : [])
        expect(await loop.next()).toEqual(done)
      }
    })

    it('closes the connection that is open while the loop works with it, and throws when it goes on', async () => {
      const controller = new AbortController()
      const { loop, results } = stage(undefined, { signal: controller.signal })
      const first = new Fake()
      results.push(first)
      await loop.next()
      controller.abort(reason)
      expect(first.closes).toEqual([1000])
      await expect(loop.next()).rejects.toBe(reason)
      expect(await loop.next()).toEqual(done)
    })

    it('that has aborted makes no attempt', async () => {
      const { loop, attempts } = stage(undefined, { signal: AbortSignal.abort(reason) })
      await expect(loop.next()).rejects.toBe(reason)
      expect(attempts).toEqual([])
    })

    it('leaves no listener on it when it ends in another way', async () => {
      for (const end of ['return', 'failure']) {
        const { signal } = new AbortController()
        const { loop, results } = stage(undefined, { signal, retry: false })
        results.push(failure)
        expect(getEventListeners(signal, 'abort')).toHaveLength(1)
        if (end === 'return') await loop.return()
        else await expect(loop.next()).rejects.toBe(failure)
        expect(getEventListeners(signal, 'abort')).toHaveLength(0)
      }
    })
  })

  describe('of which too much is asked', () => {
    const wrong = expect.objectContaining({ name: 'TypeError', code: 'ERR_WS_ITERATION' }) as unknown

    it('refuses a second loop', async () => {
      const { loop, results } = stage()
      results.push(new Fake())
      for await (const connection of loop) {
        expect(() => loop[Symbol.asyncIterator]()).toThrow(wrong)
        expect(connection.closes).toEqual([])
        break
      }
      expect(() => loop[Symbol.asyncIterator]()).toThrow(wrong)
    })

    it('refuses to be asked before it has answered', async () => {
      const { loop } = stage()
      const next = loop.next()
      await expect(loop.next()).rejects.toEqual(wrong)
      await loop.return()
      expect(await next).toEqual(done)
    })
  })
})

describe('reconnecting', () => {
  it('throws at once for what is wrong about its arguments', () => {
    const code = (expected: string): unknown => expect.objectContaining({ code: expected })
    expect(() => reconnecting('http://a')).toThrow(code('ERR_WS_INVALID_URI'))
    const wrong: object[] = [
      { minDelay: 0 },
      { maxDelay: 5 },
      { jitter: 2 },
      { retry: true },
      { signal: {} },
      { protocols: 'chat' },
      { delay: 5 },
      { proxy: 'nowhere' },
    ]
    for (const options of wrong) {
      expect(() => reconnecting('ws://a', options), JSON.stringify(options)).toThrow(code('ERR_WS_INVALID_OPTION'))
    }
  })

  it('opens one connection after another, with the options of connect', async () => {
    const agents: unknown[] = []
    const server = await serve({
      port: 0,
      host: '127.0.0.1',
      protocols: ['chat'],
      upgrade: ({ headers }) => void agents.push(headers.get('user-agent')),
      open: (ws) => void ws.close(4000, 'enough'),
    })
    onTestFinished(() => server.shutdown({ timeout: 0 }))
    const ended: number[] = []
    const options: ReconnectingOptions<{ name: string }> = {
      minDelay: 1,
      maxDelay: 2,
      data: { name: 'Ada' },
      protocols: ['chat'],
      // An iterable that can be gone through once only.
      headers: [['User-Agent', 'a'] as const].values(),
      close: (_ws, { code }) => ended.push(code),
    }
    let count = 0
    for await (const ws of reconnecting(server.url, options)) {
      expect([ws.data.name, ws.protocol, ws.url]).toEqual(['Ada', 'chat', `${server.url}/`])
      if (++count === 3) break
    }
    expect(agents).toEqual(['a', 'a', 'a'])
    await vi.waitFor(() => expect(ended).toEqual([4000, 4000, 4000]))
  })

  /** How often an attempt is made when all of them are answered by `answer`, and there is an end after three. */
  async function attemptsAt(answer: string, retry?: ReconnectingOptions['retry']): Promise<[number, unknown]> {
    const raw = await rawServer()
    const controller = new AbortController()
    let count = 0
    const answering = (async (): Promise<void> => {
      for (;;) {
        const peer = await raw.accept()
        await peer.readHead()
        if (++count === 3) controller.abort(reason)
        peer.socket.end(answer)
      }
    })()
    answering.catch(() => {})
    const options: ReconnectingOptions = {
      minDelay: 1,
      maxDelay: 1,
      signal: controller.signal,
      ...(retry && { retry }),
    }
    const error: unknown = await reconnecting(raw.url, options)
      .next()
      .then(
        () => 'It connected',
        (failed: unknown) => failed,
      )
    return [count, error]
  }

  it.each([300, 302, 400, 401, 403, 404, 407, 410, 426, 451])('gives up at %i', async (status) => {
    const [count, error] = await attemptsAt(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
    expect([count, error]).toEqual([1, expect.objectContaining({ status })])
  })

  it.each([200, 408, 425, 429, 500, 502, 503, 504])('goes on at %i', async (status) => {
    expect(await attemptsAt(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)).toEqual([3, reason])
  })

  it.each([
    ['no answer', ''],
    ['half an answer', 'HTTP/1.1 1'],
    ['no HTTP', 'SSH-2.0\r\n'],
    ['a wrong 101', 'HTTP/1.1 101 X\r\nUpgrade: other\r\n\r\n'],
  ])('goes on at %s', async (_, answer) => {
    expect(await attemptsAt(answer)).toEqual([3, reason])
  })

  it('lets retry decide, which may take its time', async () => {
    const told: [unknown, number][] = []
    const no = 'HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n'
    const retry = async (error: unknown, attempt: number): Promise<boolean> => {
      told.push([error, attempt])
      await Promise.resolve()
      return attempt < 2
    }
    const [count, error] = await attemptsAt(no, retry)
    expect(count).toBe(2)
    expect(error).toBeInstanceOf(HandshakeError)
    expect(told.map(([failed, attempt]) => [(failed as HandshakeError).status, attempt])).toEqual([
      [401, 1],
      [401, 2],
    ])
    const mistake = new Error('mine')
    expect(
      await attemptsAt(no, () => {
        throw mistake
      }),
    ).toEqual([1, mistake])
  })

  it('gives up at a mistake that shows when it connects', async () => {
    const tls = { minVersion: 'none' as 'TLSv1.2' }
    await expect(reconnecting('wss://localhost:1', { tls }).next()).rejects.toThrow(TypeError)
  })

  it('ends a handshake that is on its way', async () => {
    const raw = await rawServer()
    const loop = reconnecting(raw.url)
    const next = loop.next()
    const peer = await raw.accept()
    const head = await peer.readHead()
    await loop.return?.()
    expect(await next).toEqual(done)
    await peer.readEnd()
    expect(acceptance(head)).toContain('101')
  })

  it('keeps a process alive while it waits, and not when it has been left', async () => {
    const program = fileURLToPath(new URL('../support/reconnecting-client.ts', import.meta.url))
    const child = spawn(process.execPath, ['--unhandled-rejections=strict', '--import', 'tsx', program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let [output, errors] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number | null]
    expect({ code, errors, output }).toEqual({ code: 0, errors: '', output: 'refused 1\nrefused 2\nopen\nleft\n' })
  })
})

/** The sources of streamed messages: what they bring, and how each kind learns that nobody wants the rest. */
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { describe, expect, it } from 'vitest'
import { Chunks } from '../../src/connection/chunks.ts'
import type { MessageSource } from '../../src/connection/chunks.ts'
import { turn } from '../support/clock.ts'
import { Faucet, stateOf } from '../support/streams.ts'

async function all(chunks: Chunks): Promise<unknown[]> {
  const taken: unknown[] = []
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) taken.push(next.value)
  return taken
}

/** A source of each kind that brings `a` and is silent then, and how to see that it was left. */
function silentSources(): readonly (readonly [name: string, source: MessageSource, left: () => boolean])[] {
  const readable = new Readable({ read() {} })
  readable.push('a')
  let cancelled = false
  const stream = new ReadableStream<string>({
    start: (controller) => controller.enqueue('a'),
    cancel() {
      cancelled = true
    },
  })
  const faucet = new Faucet<string>().give('a')
  return [
    ['a Readable', readable, () => readable.destroyed],
    ['a ReadableStream', stream, () => cancelled],
    ['an async iterator', faucet, () => faucet.left],
  ]
}

describe('Chunks', () => {
  it('takes a string as one chunk', async () => {
    expect(await all(Chunks.of('text'))).toEqual(['text'])
  })

  it('takes what promises bring, where an iterable brings promises', async () => {
    expect(await all(Chunks.of([Promise.resolve('a'), 'b'] as unknown as string[]))).toEqual(['a', 'b'])
  })

  it('prefers the async iterator of what has both', async () => {
    const both = {
      [Symbol.iterator]: () => ['sync'].values(),
      [Symbol.asyncIterator]: () => new Faucet<string>().give('async').end(),
    }
    expect(await all(Chunks.of(both))).toEqual(['async'])
  })

  it.each([undefined, null, 5, {}, { destroy: () => {}, on: () => {} }])('refuses %s, which has none', (source) => {
    expect(() => Chunks.of(source as string[])).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_WS_INVALID_DATA' }),
    )
  })

  it.each(silentSources().map(([name], index) => [name, index] as const))(
    'leaves %s at once, asked or not',
    async (_, index) => {
      for (const asks of [0, 1, 2]) {
        const [, source, left] = silentSources()[index]
        const chunks = Chunks.of(source)
        const asked = Array.from({ length: asks }, () => chunks.next())
        await turn()
        expect([left(), await stateOf(asked.at(-1) ?? Promise.resolve())]).toEqual([
          false,
          asks === 2 ? 'pending' : 'fulfilled',
        ])
        chunks.leave()
        await turn()
        expect(left()).toBe(true)
        await Promise.allSettled(index === 2 ? [] : asked)
      }
    },
  )

  it('leaves a generator once, and none that has ended or thrown', async () => {
    const log: string[] = []
    function* generator(fails: boolean): Generator<string> {
      try {
        yield 'a'
        if (fails) throw new Error('from the source')
      } finally {
        log.push('over')
      }
    }
    const left = Chunks.of(generator(false))
    await left.next()
    left.leave()
    left.leave()
    expect(log).toEqual(['over'])
    const faucet = new Faucet<string>().end()
    const ended = Chunks.of(faucet)
    await all(ended)
    ended.leave()
    const failing = new Faucet<string>().fail(new Error('from the source'))
    const failed = Chunks.of(failing)
    await expect(failed.next()).rejects.toThrow('from the source')
    failed.leave()
    expect([faucet.left, failing.left]).toEqual([false, false])
  })

  it('does not mind what a source makes of being left', async () => {
    const fails = (): never => {
      throw new Error('left')
    }
    const sources: object[] = [
      {
        next: () => ({ done: false, value: 'a' }),
        [Symbol.iterator]() {
          return this
        },
      },
      {
        next: () => ({ done: false, value: 'a' }),
        return: fails,
        [Symbol.iterator]() {
          return this
        },
      },
      {
        next: () => ({ done: false, value: 'a' }),
        return: async () => fails(),
        [Symbol.asyncIterator]() {
          return this
        },
      },
    ]
    for (const source of sources) {
      const chunks = Chunks.of(source as string[])
      await chunks.next()
      chunks.leave()
      await turn()
    }
    expect(sources).toHaveLength(3)
  })

  it('hears of a Readable that fails before anybody reads it, when it is read', async () => {
    const source = new Readable({ read() {} })
    const chunks = Chunks.of(source)
    source.destroy(new Error('no such file'))
    await turn()
    await expect(chunks.next()).rejects.toThrow('no such file')
  })

  it('takes what looks like a stream of Node as one, whoever made it', async () => {
    class Other extends EventEmitter {
      destroyed = false
      destroy(): void {
        this.destroyed = true
      }
      [Symbol.asyncIterator](): AsyncIterator<string> {
        return new Faucet<string>().give('a')
      }
    }
    const source = new Other()
    const chunks = Chunks.of(source)
    expect(await chunks.next()).toEqual({ done: false, value: 'a' })
    chunks.leave()
    expect(source.destroyed).toBe(true)
  })
})

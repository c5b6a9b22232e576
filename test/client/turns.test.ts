/** RFC 6455 4.1: one attempt at a time for one place. */
import { getEventListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { takeTurn } from '../../src/client/turns.ts'

/** Takes turns, and writes down who is on. */
function record(): { log: string[]; take(name: string, place?: string, signal?: AbortSignal): Promise<() => void> } {
  const log: string[] = []
  return {
    log,
    take: async (name, place = 'a 80', signal?) => {
      const end = await takeTurn(place, signal)
      log.push(name)
      return end
    },
  }
}

describe('takeTurn', () => {
  it('gives turns at one place one after another, in the order in which they were asked for [6455:4.1-05] [6455:4.1-07]', async () => {
    const { log, take } = record()
    const turns = ['1', '2', '3', '4'].map((name) => take(name))
    for (const [index, turn] of turns.entries()) {
      const end = await turn
      await setImmediate()
      expect(log).toEqual(['1', '2', '3', '4'].slice(0, index + 1))
      end()
    }
  })

  it('does not let another place wait [6455:4.1-06]', async () => {
    const { log, take } = record()
    const first = await take('1')
    void take('2')
    const other = await take('other', 'a 81')
    expect(log).toEqual(['1', 'other'])
    other()
    first()
  })

  it('gives the turn at once when those before have ended', async () => {
    const { log, take } = record()
    for (const name of ['1', '2', '3']) {
      const end = await take(name, 'b')
      end()
      await setImmediate()
    }
    expect(log).toEqual(['1', '2', '3'])
  })

  it('lets whoever comes between the turns of others wait, too', async () => {
    const { log, take } = record()
    const first = await take('1', 'g')
    const second = take('2', 'g')
    first()
    const end = await second
    await setImmediate()
    const third = take('3', 'g')
    await setImmediate()
    expect(log).toEqual(['1', '2'])
    end()
    ;(await third)()
    expect(log).toEqual(['1', '2', '3'])
  })

  it('remembers no place at which nobody waits', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const heap = (): number => {
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = heap()
    for (let index = 0; index < 100; index++) (await takeTurn(`${index}`.repeat(1_000_000), undefined))()
    await setImmediate()
    expect(heap() - before).toBeLessThan(20_000_000)
  })

  it('ends a turn once, however often it is told to', async () => {
    const { log, take } = record()
    const first = await take('1', 'c')
    const second = take('2', 'c')
    const third = take('3', 'c')
    first()
    first()
    const end = await second
    await setImmediate()
    expect(log).toEqual(['1', '2'])
    end()
    ;(await third)()
  })

  it('rejects with the reason of a signal that aborts during the wait, and leaves no listener', async () => {
    const { log, take } = record()
    const reason = new Error('changed my mind')
    const controller = new AbortController()
    const first = await take('1', 'd')
    const second = take('2', 'd', controller.signal)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
    const third = take('3', 'd')
    controller.abort(reason)
    await expect(second).rejects.toBe(reason)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    // Whoever came behind it still waits for the first.
    await setImmediate()
    expect(log).toEqual(['1'])
    first()
    const end = await third
    expect(log).toEqual(['1', '3'])
    end()
  })

  it('leaves no listener on a signal when the turn has come', async () => {
    const { signal } = new AbortController()
    const end = await takeTurn('e', signal)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    end()
  })

  it('goes on when several of those who wait give up', async () => {
    const { take } = record()
    const first = await take('1', 'f')
    const controllers = [new AbortController(), new AbortController(), new AbortController()]
    const given = controllers.map(({ signal }) => take('x', 'f', signal))
    const last = take('last', 'f')
    for (const controller of controllers.toReversed()) controller.abort()
    for (const attempt of given) await expect(attempt).rejects.toThrow('aborted')
    first()
    ;(await last)()
  })
})

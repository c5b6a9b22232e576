/** Promises in hand, and mistakes that there is nobody to tell of. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Deferred, isThenable, warn } from '../../src/connection/deferred.ts'
import { turn } from '../support/clock.ts'
import { thenable } from '../support/thenable.ts'

describe('Deferred', () => {
  it('settles as it is told', async () => {
    const kept = new Deferred<number>()
    kept.resolve(5)
    const broken = new Deferred<number>()
    broken.reject(new Error('no'))
    await expect(kept.promise).resolves.toBe(5)
    await expect(broken.promise).rejects.toThrow('no')
  })

  it('may be rejected while nobody waits', async () => {
    const unhandled = vi.fn<() => void>()
    process.once('unhandledRejection', unhandled)
    new Deferred().reject(new Error('no'))
    await turn()
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })
})

describe('isThenable', () => {
  it('tells promises and their likes from everything else', () => {
    expect(isThenable(Promise.resolve())).toBe(true)
    expect(isThenable(thenable(() => {}))).toBe(true)
    for (const value of [undefined, null, 0, '', 'then', true, {}, thenable(1), [], () => {}]) {
      expect(isThenable(value)).toBe(false)
    }
  })
})

describe('warn', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('tells of anything that can be thrown, as a warning of the process', () => {
    const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const error = new Error('mistake')
    for (const mistake of [error, 'text', undefined, Symbol('s'), Object.create(null)]) warn(mistake)
    expect(emitted.mock.calls).toEqual([
      [error],
      ["'text'"],
      ['undefined'],
      ['Symbol(s)'],
      ['[Object: null prototype] {}'],
    ])
  })
})

/** Waiting that ends when a signal aborts. */
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { orAborted } from '../../src/client/abort.ts'

const reason = new Error('changed my mind')

describe('orAborted', () => {
  it('settles as what it waits for, and leaves no listener', async () => {
    const { signal } = new AbortController()
    expect(await orAborted(Promise.resolve(5), signal)).toBe(5)
    expect(await orAborted('at once', signal)).toBe('at once')
    await expect(orAborted(Promise.reject(reason), signal)).rejects.toBe(reason)
    expect(await orAborted(Promise.resolve(6), undefined)).toBe(6)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('rejects with the reason of a signal that aborts meanwhile, or has aborted', async () => {
    const controller = new AbortController()
    const waiting = orAborted(new Promise(() => {}), controller.signal)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(orAborted(5, controller.signal)).rejects.toBe(reason)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  })
})

import { describe, expect, it, vi } from 'vitest'
import { HandlerAttribute } from '../../src/client/websocket-handler.ts'

function attribute(): { target: EventTarget; handler: HandlerAttribute; order: string[] } {
  const target = new EventTarget()
  const order: string[] = []
  return { target, handler: new HandlerAttribute(target, 'open'), order }
}

describe('an event handler IDL attribute', () => {
  it('is null at first, and then the function that was set', () => {
    const { target, handler } = attribute()
    expect(handler.value).toBeNull()
    const listener = vi.fn<(event: Event) => void>()
    handler.value = listener
    expect(handler.value).toBe(listener)
    const event = new Event('open')
    target.dispatchEvent(event)
    target.dispatchEvent(new Event('close'))
    expect(listener.mock.calls).toEqual([[event]])
    expect(listener.mock.contexts).toEqual([target])
  })

  it.each([undefined, null, 2, 'function () {}', true, Symbol('f'), 1n])('is null when set to %s', (value) => {
    const { target, handler } = attribute()
    const listener = vi.fn<() => void>()
    handler.value = listener
    handler.value = value
    expect(handler.value).toBeNull()
    target.dispatchEvent(new Event('open'))
    expect(listener).not.toHaveBeenCalled()
  })

  it('keeps an object that cannot be called, and does nothing with it', () => {
    const { target, handler } = attribute()
    const object = { handleEvent: vi.fn<() => void>() }
    handler.value = object
    expect(handler.value).toBe(object)
    target.dispatchEvent(new Event('open'))
    expect(object.handleEvent).not.toHaveBeenCalled()
  })

  it('has the place among the listeners in which it was first set, whatever replaces the function', () => {
    const { target, handler, order } = attribute()
    target.addEventListener('open', () => order.push('before'))
    handler.value = () => order.push('first')
    target.addEventListener('open', () => order.push('after'))
    handler.value = () => order.push('second')
    target.dispatchEvent(new Event('open'))
    expect(order).toEqual(['before', 'second', 'after'])
  })

  it('keeps its place when an object stands in for the function for a while', () => {
    const { target, handler, order } = attribute()
    handler.value = {}
    target.addEventListener('open', () => order.push('listener'))
    handler.value = () => order.push('handler')
    target.dispatchEvent(new Event('open'))
    expect(order).toEqual(['handler', 'listener'])
  })

  it('gives up its place when it is set to null', () => {
    const { target, handler, order } = attribute()
    handler.value = () => order.push('handler')
    target.addEventListener('open', () => order.push('listener'))
    handler.value = null
    handler.value = () => order.push('handler')
    target.dispatchEvent(new Event('open'))
    expect(order).toEqual(['listener', 'handler'])
  })

  it('cancels an event by returning false, and by nothing else', () => {
    const { target, handler } = attribute()
    const dispatch = (returned: unknown, cancelable = true): boolean => {
      handler.value = () => returned
      return target.dispatchEvent(new Event('open', { cancelable }))
    }
    expect(dispatch(false)).toBe(false)
    expect(dispatch(false, false)).toBe(true)
    for (const other of [undefined, true, 0, null, '']) expect(dispatch(other)).toBe(true)
  })
})

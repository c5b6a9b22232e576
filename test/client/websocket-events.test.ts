import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type * as Events from '../../src/client/events.ts'
import { stringOf } from './websocket-support.ts'

/** The module as it is in a runtime that has these classes, or lacks them. */
async function eventsWith(globals: { CloseEvent?: unknown; ErrorEvent?: unknown }): Promise<typeof Events> {
  vi.stubGlobal('CloseEvent', globals.CloseEvent)
  vi.stubGlobal('ErrorEvent', globals.ErrorEvent)
  vi.resetModules()
  return import('../../src/client/events.ts')
}

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

it('CloseEvent and ErrorEvent are those of the runtime where it has them', async () => {
  class RuntimesClose extends Event {}
  class RuntimesError extends Event {}
  const events = await eventsWith({ CloseEvent: RuntimesClose, ErrorEvent: RuntimesError })
  expect(events).toMatchObject({ CloseEvent: RuntimesClose, ErrorEvent: RuntimesError })
})

describe('where the runtime has none', () => {
  let CloseEvent: typeof Events.CloseEvent
  let ErrorEvent: typeof Events.ErrorEvent

  beforeEach(async () => {
    ;({ CloseEvent, ErrorEvent } = await eventsWith({}))
  })

  it('they are events with the names and members of the standards', () => {
    const close = new CloseEvent('close')
    expect(close).toBeInstanceOf(Event)
    expect(stringOf(close)).toBe('[object CloseEvent]')
    expect([CloseEvent.name, CloseEvent.length]).toEqual(['CloseEvent', 1])
    expect(Object.keys(CloseEvent.prototype)).toEqual(['wasClean', 'code', 'reason'])
    const error = new ErrorEvent('error')
    expect(error).toBeInstanceOf(Event)
    expect(stringOf(error)).toBe('[object ErrorEvent]')
    expect([ErrorEvent.name, ErrorEvent.length]).toEqual(['ErrorEvent', 1])
    expect(Object.keys(ErrorEvent.prototype)).toEqual(['message', 'filename', 'lineno', 'colno', 'error'])
  })

  it.each([undefined, null, {}, { wasClean: undefined, message: undefined }])('they have defaults: %j', (init) => {
    const close = new CloseEvent('close', init as Events.CloseEventInit)
    expect(close).toMatchObject({ type: 'close', bubbles: false, cancelable: false })
    expect(close).toMatchObject({ wasClean: false, code: 0, reason: '' })
    const error = new ErrorEvent('error', init as Events.ErrorEventInit)
    expect(error).toMatchObject({ type: 'error', message: '', filename: '', lineno: 0, colno: 0, error: undefined })
  })

  it('they take what they are given', () => {
    const close = new CloseEvent('x', { wasClean: true, code: 4000, reason: 'bye', bubbles: true, cancelable: true })
    expect(close).toMatchObject({
      type: 'x',
      wasClean: true,
      code: 4000,
      reason: 'bye',
      bubbles: true,
      cancelable: true,
    })
    const cause = new Error('cause')
    const init = { message: 'm', filename: 'f', lineno: 1, colno: 2, error: cause, cancelable: true }
    expect(new ErrorEvent('error', init)).toMatchObject(init)
  })

  it('they convert as Web IDL has it', () => {
    const given = { wasClean: 1, code: 66_536.7, reason: '\ud800' } as unknown as Events.CloseEventInit
    expect(new CloseEvent('close', given)).toMatchObject({ wasClean: true, code: 1000, reason: '\ufffd' })
    const odd = { message: null, filename: '\ud800', lineno: -1, colno: '3' } as unknown as Events.ErrorEventInit
    const converted = { message: 'null', filename: '\ufffd', lineno: 4_294_967_295, colno: 3 }
    expect(new ErrorEvent('error', odd)).toMatchObject(converted)
  })

  it('they need a type, and a dictionary if anything', () => {
    for (const create of [CloseEvent, ErrorEvent]) {
      expect(() => Reflect.construct(create, []) as unknown).toThrow(TypeError)
      expect(() => Reflect.construct(create, ['close', 1]) as unknown).toThrow(TypeError)
      expect(Reflect.construct(create, [undefined])).toMatchObject({ type: 'undefined' })
    }
  })

  it('their attributes are theirs alone', () => {
    for (const { prototype } of [CloseEvent, ErrorEvent]) {
      for (const name of Object.keys(prototype)) {
        expect(() => Reflect.get(prototype, name) as unknown).toThrow(TypeError)
      }
    }
  })
})

import { describe, expect, it } from 'vitest'
import { WebSocketStreamError, failureOf } from '../../src/client/websocket-stream-error.ts'
import { WebSocketError } from '../../src/errors.ts'
import { stringOf } from './websocket-support.ts'

describe('WebSocketStreamError', () => {
  it('is a DOMException with the name of the proposal, and none of our other errors', () => {
    const error = new WebSocketStreamError('message')
    expect(error).toBeInstanceOf(DOMException)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(WebSocketError)
    expect(stringOf(error)).toBe('[object WebSocketError]')
    expect(String(error)).toBe('WebSocketError: message')
    expect(error.stack).toContain('websocket-stream-error.test.ts')
  })

  it('has the interface of the proposal', () => {
    const { prototype } = WebSocketStreamError
    expect([WebSocketStreamError.name, WebSocketStreamError.length]).toEqual(['WebSocketError', 0])
    expect(Object.keys(prototype)).toEqual(['closeCode', 'reason'])
    for (const name of Object.keys(prototype)) {
      expect(Object.getOwnPropertyDescriptor(prototype, name)).toMatchObject({ set: undefined, configurable: true })
      expect(() => Reflect.get(prototype, name, {}) as unknown).toThrow(TypeError)
    }
  })

  it('can be extended', () => {
    class Own extends WebSocketStreamError {}
    expect(new Own('message', { closeCode: 4000 })).toSatisfy((error) => error instanceof Own)
    expect(new Own('message', { closeCode: 4000 }).closeCode).toBe(4000)
  })

  it('converts as Web IDL has it', () => {
    const create = (...given: unknown[]): unknown => Reflect.construct(WebSocketStreamError, given)
    expect(create(1, { closeCode: '3000.9', reason: 7 })).toMatchObject({ message: '1', closeCode: 3000, reason: '7' })
    expect(create('', { reason: '\ud800' })).toMatchObject({ reason: '\ufffd' })
    expect(create('', null)).toMatchObject({ closeCode: null, reason: '' })
    expect(() => create(Symbol('message'))).toThrow(TypeError)
    for (const closeCode of [-1, 65_536, Number.NaN, Infinity, 'x', 1n, Symbol('1000')]) {
      expect(() => create('', { closeCode })).toThrow(TypeError)
    }
    for (const init of [true, 'x', 1]) expect(() => create('', init)).toThrow(TypeError)
  })

  it('tells of a connection what nobody could have sent, and the cause where there is one', () => {
    const cause = new Error('why')
    const error = failureOf('message', 1006, 'reason', cause)
    expect(error).toMatchObject({ closeCode: 1006, reason: 'reason', cause })
    expect(Object.keys(error)).toEqual([])
    expect('cause' in failureOf('message', null, '', undefined)).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import {
  clampToUnsignedShort,
  defineConstants,
  defineInterface,
  enforceUnsignedShort,
  requireArguments,
  toDOMString,
  toDictionary,
  toUnsignedLong,
  toUnsignedShort,
} from '../../src/client/websocket-idl.ts'
import { WebSocket } from '../../src/client/websocket.ts'
import { stringOf } from './websocket-support.ts'

describe('Web IDL', () => {
  it('asks for the arguments that an operation must have', () => {
    expect(() => requireArguments(1, 2, 'send()')).toThrow(new TypeError('Too few arguments for send(): 1 of 2'))
    expect(() => requireArguments(2, 2, 'send()')).not.toThrow()
    expect(() => requireArguments(3, 2, 'send()')).not.toThrow()
  })

  it('shows attributes and operations to whoever enumerates, and the name of the interface', () => {
    class Thing {
      get size(): number {
        return 1
      }
      grow(): void {}
    }
    defineInterface(Thing, 'Object2D')
    expect(Object.keys(Thing.prototype)).toEqual(['size', 'grow'])
    expect(stringOf(new Thing())).toBe('[object Object2D]')
    expect(Thing.name).toBe('Object2D')
    expect(Object.getOwnPropertyDescriptor(Thing.prototype, Symbol.toStringTag)).toEqual({
      value: 'Object2D',
      writable: false,
      enumerable: false,
      configurable: true,
    })
  })

  it('has constants that nobody can change', () => {
    class Thing {
      readonly size = 1
    }
    defineConstants(Thing, { ONE: 1 })
    const constant = { value: 1, writable: false, enumerable: true, configurable: false }
    expect(Object.getOwnPropertyDescriptor(Thing, 'ONE')).toEqual(constant)
    expect(Object.getOwnPropertyDescriptor(Thing.prototype, 'ONE')).toEqual(constant)
  })

  it.each([
    [1000, 1000],
    ['3000', 3000],
    [{ valueOf: () => 4999 }, 4999],
    [null, 0],
    [true, 1],
    [Number.NaN, 0],
    ['reason', 0],
    [-1, 0],
    [-Infinity, 0],
    [65_535, 65_535],
    [66_536, 65_535],
    [Infinity, 65_535],
    [999.4, 999],
    [999.5, 1000],
    [999.6, 1000],
    [1000.5, 1000],
    [1001.5, 1002],
    [0.5, 0],
    [-0, 0],
  ])('clamps %j to the unsigned short %i', (value, expected) => {
    expect(clampToUnsignedShort(value)).toBe(expected)
  })

  it('takes unsigned numbers modulo their range', () => {
    expect([0, 65_535, 65_536, 66_536, -1, 1.9, Number.NaN, Infinity, '7', null].map(toUnsignedShort)).toEqual([
      0, 65_535, 0, 1000, 65_535, 1, 0, 0, 7, 0,
    ])
    expect([2 ** 32 - 1, 2 ** 32, -1, 1.9, Number.NaN, '7'].map(toUnsignedLong)).toEqual([
      4_294_967_295, 0, 4_294_967_295, 1, 0, 7,
    ])
  })

  it.each([clampToUnsignedShort, toUnsignedShort, toUnsignedLong])(
    'makes no number of a BigInt or a symbol: %o',
    (convert) => {
      expect(() => convert(1000n)).toThrow(TypeError)
      expect(() => convert(Symbol('1000'))).toThrow(TypeError)
    },
  )

  it.each([
    [0, 0],
    [-0.9, 0],
    [65_535.9, 65_535],
    ['1000', 1000],
    [null, 0],
    [true, 1],
  ])('takes %j as the unsigned short %i where the range is enforced', (value, expected) => {
    expect(enforceUnsignedShort(value)).toBe(expected)
  })

  it.each([-1, 65_536, Number.NaN, Infinity, -Infinity, 'x', undefined, {}, 1n, Symbol('1')])(
    'does not take %s there',
    (value) => {
      expect(() => enforceUnsignedShort(value)).toThrow(TypeError)
    },
  )

  it('takes objects, and nothing at all, as dictionaries', () => {
    const given = { size: 1 }
    const callable = (): void => {}
    expect([toDictionary(given), toDictionary(callable)]).toEqual([given, callable])
    for (const nothing of [null, undefined]) expect(toDictionary(nothing as unknown as object)).toEqual({})
    for (const other of [true, 1, 'x', 1n, Symbol('x')]) {
      expect(() => toDictionary(other as unknown as object)).toThrow(TypeError)
    }
  })

  it('makes a string of anything but a symbol, lone surrogates included', () => {
    expect([null, undefined, 1n, {}, '\ud800'].map(toDOMString)).toEqual([
      'null',
      'undefined',
      '1',
      '[object Object]',
      '\ud800',
    ])
    expect(() => toDOMString(Symbol('text'))).toThrow(TypeError)
  })
})

describe('the interface of WebSocket', () => {
  const { prototype } = WebSocket

  it('is a class that extends EventTarget', () => {
    expect(Object.getPrototypeOf(WebSocket)).toBe(EventTarget)
    expect(Object.getPrototypeOf(prototype)).toBe(EventTarget.prototype)
    expect(WebSocket.name).toBe('WebSocket')
    expect(WebSocket.length).toBe(1)
    expect(Object.getOwnPropertyDescriptor(WebSocket, 'prototype')).toMatchObject({ writable: false })
    expect(() => Reflect.apply(WebSocket as unknown as () => void, undefined, ['ws://a'])).toThrow(TypeError)
  })

  it('has its four constants on the class and on the prototype, enumerable and fixed', () => {
    for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 })) {
      const constant = { value, writable: false, enumerable: true, configurable: false }
      expect(Object.getOwnPropertyDescriptor(WebSocket, name)).toEqual(constant)
      expect(Object.getOwnPropertyDescriptor(prototype, name)).toEqual(constant)
    }
  })

  it('has nothing but what the standard lists, in enumerable accessors and methods', () => {
    const attributes = {
      readonly: ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol'],
      writable: ['binaryType', 'onopen', 'onmessage', 'onerror', 'onclose'],
    }
    const methods = { send: 1, close: 0 }
    expect(new Set(Reflect.ownKeys(prototype))).toEqual(
      new Set<string | symbol>([
        ...['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED', 'constructor', Symbol.toStringTag],
        ...attributes.readonly,
        ...attributes.writable,
        ...Object.keys(methods),
      ]),
    )
    for (const name of [...attributes.readonly, ...attributes.writable]) {
      expect(Object.getOwnPropertyDescriptor(prototype, name)).toEqual({
        get: expect.any(Function) as unknown,
        set: attributes.writable.includes(name) ? (expect.any(Function) as unknown) : undefined,
        enumerable: true,
        configurable: true,
      })
    }
    for (const [name, length] of Object.entries(methods)) {
      const method = Object.getOwnPropertyDescriptor(prototype, name)
      expect(method).toMatchObject({ writable: true, enumerable: true, configurable: true })
      expect(method?.value).toSatisfy((value: () => void) => value.name === name && value.length === length)
    }
  })

  it('refuses objects that are no WebSocket with a TypeError', () => {
    for (const [name, { get, set, value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value === 'number' || name === 'constructor') continue
      for (const use of [get, set, value as unknown]) {
        if (typeof use !== 'function') continue
        expect(() => Reflect.apply(use, {}, ['x']) as unknown, name).toThrow(TypeError)
        expect(() => Reflect.apply(use, prototype, ['x']) as unknown, name).toThrow(TypeError)
      }
    }
  })
})

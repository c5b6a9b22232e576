import { describe, expect, it } from 'vitest'

import { fieldEntries, Fields, formatFields } from '../../src/handshake/fields.ts'
import type { FieldsInit } from '../../src/handshake/fields.ts'
import { misuse } from '../support/errors.ts'
import { headOf, OBJECT_NAMES } from '../support/heads.ts'

const FORBIDDEN = [
  'a\r\nb: c',
  'a\rb',
  'a\nb',
  '\0',
  'a\x1b[31m',
  '\x7f',
  '\u010a',
  '\u560a\u560d',
  '\u2028',
  '\ud83d\ude00',
  'a\x0bb',
  '\x08',
]
const invalid = misuse('TypeError', 'ERR_WS_INVALID_HEADER')
const free = (): boolean => false

describe('Fields', () => {
  const fields = Fields.from([
    ['Host', 'a'],
    ['X-List', '1'],
    ['x-list', ''],
    ['X-LIST', '3'],
  ])

  it('finds a field whatever the case of its name [6455:4.1-i02]', () => {
    for (const name of ['host', 'Host', 'HOST']) {
      expect(fields.has(name)).toBe(true)
      expect(fields.get(name)).toBe('a')
      expect(fields.getAll(name)).toEqual(['a'])
    }
    expect(fields.has('hos')).toBe(false)
    expect(fields.get('hos')).toBeUndefined()
    expect(fields.getAll('hos')).toEqual([])
  })

  it('joins the lines of one name in their order [9110-5.3-01]', () => {
    expect(fields.get('x-list')).toBe('1, , 3')
    expect(fields.getAll('x-list')).toEqual(['1', '', '3'])
  })

  it('counts and lists its lines in order', () => {
    expect(fields.size).toBe(4)
    expect([...fields].flat()).toEqual(['host', 'a', 'x-list', '1', 'x-list', '', 'x-list', '3'])
  })

  it('reads a head that was received: names in any case, values without the whitespace around them', () => {
    const lines = 'HOST: a\r\nX-AZ: \t b c\t \r\nEmpty: \t \r\nNone:\r\nx-az:d\r\nA^: e\r\n'
    const { fields: received } = headOf('request', `GET / HTTP/1.1\r\n${lines}\r\n`)
    expect([...received].flat()).toEqual(['host', 'a', 'x-az', 'b c', 'empty', '', 'none', '', 'x-az', 'd', 'a^', 'e'])
    expect([received.get('host'), received.get('X-az'), received.get('empty')]).toEqual(['a', 'b c, d', ''])
    expect(received.getAll('x-aZ')).toEqual(['b c', 'd'])
    expect([received.has('a^'), received.has('a~')]).toEqual([true, false])
  })

  it('knows no name that it was not given', () => {
    for (const name of OBJECT_NAMES) {
      expect(fields.has(name)).toBe(false)
      expect(fields.get(name)).toBeUndefined()
      expect(Fields.from([[name, 'value']]).get(name)).toBe('value')
    }
  })
})

describe('formatFields', () => {
  it('writes a line for each field, in Latin-1', () => {
    expect(
      formatFields([
        ['Set-Cookie', 'a=b'],
        ['set-cookie', ''],
        ['X', 'caf\u00e9\t~'],
      ]),
    ).toBe('Set-Cookie: a=b\r\nset-cookie: \r\nX: caf\u00e9\t~\r\n')
    expect(formatFields([])).toBe('')
  })

  it('[V70] [V71] refuses CR, LF, NUL, other control characters and what is not Latin-1 in a value [9112-11.1-01] [9112-2.2-03] [9112-5.2-01]', () => {
    for (const value of FORBIDDEN) expect(() => formatFields([['X', value]])).toThrow(invalid)
    for (let code = 0; code < 0x20; code++) {
      if (code !== 9) expect(() => formatFields([['X', `a${String.fromCharCode(code)}b`]])).toThrow(invalid)
    }
  })

  it('refuses names that are no tokens [9112-2.2-07]', () => {
    for (const name of [...FORBIDDEN, '', ' ', 'a b', 'a:', ' a', '\ta', '\u00e9', '(a)']) {
      expect(() => formatFields([[name, 'x']])).toThrow(invalid)
    }
  })

  it('refuses names and values that are no strings', () => {
    for (const odd of [1, null, undefined, {}, ['a'], Symbol('s'), Buffer.from('a')]) {
      expect(() => formatFields([['X', odd as string]])).toThrow(invalid)
      expect(() => formatFields([[odd as string, 'x']])).toThrow(invalid)
    }
  })
})

describe('fieldEntries', () => {
  it('takes pairs, a Map, Headers and an object', () => {
    const pairs = [
      ['a', '1'],
      ['b', '2'],
    ] as const
    for (const init of [
      pairs,
      new Map(pairs),
      new Headers([...pairs].map((pair) => [...pair])),
      { a: '1', b: '2' },
      Fields.from(pairs),
    ]) {
      expect(fieldEntries(init as FieldsInit, free)).toEqual(pairs)
    }
  })

  it('makes a line of every value of a list, and none of undefined', () => {
    expect(fieldEntries({ 'set-cookie': ['a', 'b'], x: undefined, y: [] }, free)).toEqual([
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
    ])
    expect(fieldEntries(undefined, free)).toEqual([])
  })

  it('refuses what is no object, names that are no tokens, and reserved names', () => {
    for (const init of ['a: b', 5, null, true]) {
      expect(() => fieldEntries(init as unknown as FieldsInit, free)).toThrow(invalid)
    }
    expect(() => fieldEntries([[5 as unknown as string, 'x']], free)).toThrow(invalid)
    expect(() => fieldEntries({ 'a b': 'x' }, free)).toThrow(invalid)
    expect(() => fieldEntries({ UPGRADE: 'x' }, (name) => name === 'upgrade')).toThrow(invalid)
  })
})

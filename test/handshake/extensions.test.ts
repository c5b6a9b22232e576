import { describe, expect, it } from 'vitest'

import type { ExtensionOffer } from '../../src/handshake/extensions.ts'
import { formatExtensions, parseExtensions, readExtensions } from '../../src/handshake/extensions.ts'
import { failedHandshake, misuse } from '../support/errors.ts'
import { OBJECT_NAMES } from '../support/heads.ts'

describe('parseExtensions', () => {
  it('reads the examples of the RFC [6455:9.1-01]', () => {
    expect(parseExtensions('deflate-stream')).toEqual([{ name: 'deflate-stream', parameters: [] }])
    expect(parseExtensions('mux; max-channels=4; flow-control, deflate-stream')).toEqual([
      {
        name: 'mux',
        parameters: [
          ['max-channels', '4'],
          ['flow-control', true],
        ],
      },
      { name: 'deflate-stream', parameters: [] },
    ])
    expect(parseExtensions('foo, bar; baz=2')).toEqual([
      { name: 'foo', parameters: [] },
      { name: 'bar', parameters: [['baz', '2']] },
    ])
  })

  it('keeps the order of offers and parameters, and duplicates of both [6455:9.1-i01]', () => {
    expect(parseExtensions('b;y=1;x;y=2, a, b;z')).toEqual([
      {
        name: 'b',
        parameters: [
          ['y', '1'],
          ['x', true],
          ['y', '2'],
        ],
      },
      { name: 'a', parameters: [] },
      { name: 'b', parameters: [['z', true]] },
    ])
  })

  it('allows whitespace between the parts, and empty elements', () => {
    expect(parseExtensions(' ,\ta ;\tb = c ; d\t=\t"e" , , f,')).toEqual([
      {
        name: 'a',
        parameters: [
          ['b', 'c'],
          ['d', 'e'],
        ],
      },
      { name: 'f', parameters: [] },
    ])
  })

  it('unescapes a quoted value, which must say a token [6455:9.1-02] [6455:4.3-01]', () => {
    expect(parseExtensions('a; b="10"; c="x\\y\\z"')).toEqual([
      {
        name: 'a',
        parameters: [
          ['b', '10'],
          ['c', 'xyz'],
        ],
      },
    ])
    for (const value of [
      '""',
      '" "',
      '"a b"',
      '"a,b"',
      '"a;b"',
      '"\\""',
      '"\\\\"',
      '"a',
      '"a\\',
      '"a\\"',
      '"',
      '"\u00e9"',
      '"a"b',
    ]) {
      expect(readExtensions(`x; y=${value}`), value).toBeUndefined()
    }
  })

  it('refuses what breaks the grammar with 400 [6455:9.1-01] [6455:4.2.1-01]', () => {
    const wrong = [
      '',
      ' ',
      ',',
      ';',
      ';a',
      'a;',
      'a; ',
      'a;;b',
      'a;=b',
      'a;b=',
      'a;b= ',
      'a b',
      'a;b c',
      'a;b=c d',
      'a=b',
      '"a"',
      'a;"b"',
      'a;b==c',
      'a;b=c=d',
      'a, ;b',
      'a/1',
      '\u00e9',
      'a;\u00e9',
      'a;b=\u00e9',
      'a;b=\u00a0',
      'a;b,;',
      'a;,b',
      'a;b=,c',
      '(a)',
    ]
    const refusal = failedHandshake('ERR_WS_BAD_EXTENSIONS', 400)
    for (const value of wrong) expect(() => parseExtensions(value), value).toThrow(refusal)
  })

  it('[V53] keeps names that mean something to objects as plain names', () => {
    for (const name of OBJECT_NAMES) {
      expect(parseExtensions(`${name}; ${name}=${name}`)).toEqual([{ name, parameters: [[name, name]] }])
    }
  })

  it('[V52] takes time in proportion to the text, however hostile', () => {
    // Of 1 MiB, 64 times what a head can hold: milliseconds if it is linear, minutes if it is not.
    const length = 1 << 20
    const hostile = [
      `a; b="${'\\x'.repeat(length / 2)}`,
      `a; b="${'\\'.repeat(length)}`,
      `a;${' '.repeat(length)}b c`,
      `a${' '.repeat(length)}x`,
      `a; b="${'x'.repeat(length)}`,
      'a;b,'.repeat(length / 4),
      `a${';b'.repeat(length / 2)}`,
      ','.repeat(length),
      `a;b="${'"'.repeat(length)}`,
    ]
    const start = process.cpuUsage()
    for (const value of hostile) readExtensions(value)
    const { user } = process.cpuUsage(start)
    expect(user / 1000).toBeLessThan(8_000)
  })
})

describe('formatExtensions', () => {
  it('writes what parseExtensions reads', () => {
    const offers: ExtensionOffer[] = [
      {
        name: 'mux',
        parameters: [
          ['max-channels', '4'],
          ['flow-control', true],
          ['max-channels', '5'],
        ],
      },
      { name: 'foo', parameters: [] },
    ]
    expect(formatExtensions(offers)).toBe('mux; max-channels=4; flow-control; max-channels=5, foo')
    expect(parseExtensions(formatExtensions(offers))).toEqual(offers)
    expect(formatExtensions([])).toBe('')
  })

  it('refuses names and values that are no tokens', () => {
    const invalid = misuse('TypeError', 'ERR_WS_INVALID_EXTENSION')
    for (const text of [
      '',
      'a b',
      'a\r\nb',
      'a,b',
      'a;b',
      '"a"',
      '\u00e9',
      '\u010a',
      5,
      null,
      undefined,
      false,
    ] as string[]) {
      expect(() => formatExtensions([{ name: text, parameters: [] }])).toThrow(invalid)
      expect(() => formatExtensions([{ name: 'a', parameters: [[text, true]] }])).toThrow(invalid)
      expect(() => formatExtensions([{ name: 'a', parameters: [['b', text]] }])).toThrow(invalid)
    }
  })
})

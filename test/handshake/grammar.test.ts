import { describe, expect, it } from 'vitest'

import {
  BYTE_CLASSES,
  ByteClass,
  CLASS_OF,
  describe as describeValue,
  includesIgnoringCase,
  isFieldValue,
  isKey,
  isToken,
  isVisible,
  parseList,
  parseTokens,
  parseUpgrade,
} from '../../src/handshake/grammar.ts'

/** A string that counts how often a character of it is looked at. */
function countingText(text: string): { text: string; looks: () => number } {
  let looks = 0
  const counting = {
    length: text.length,
    charCodeAt: (index: number): number => {
      looks++
      return text.charCodeAt(index)
    },
    slice: (start: number, end: number): string => text.slice(start, end),
  }
  return { text: counting as unknown as string, looks: () => looks }
}

describe('CLASS_OF', () => {
  it('gives every byte the class that RFC 9110 5.5 and 5.6.2 give it', () => {
    for (let byte = 0; byte < 256; byte++) {
      const character = String.fromCharCode(byte)
      const byteClass = CLASS_OF[byte]
      expect(byteClass).toBeLessThan(BYTE_CLASSES)
      expect(byteClass >= ByteClass.Digit, `token ${byte}`).toBe(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(character))
      expect(byteClass >= ByteClass.Delimiter, `visible ${byte}`).toBe(byte >= 0x21 && byte <= 0x7e)
      expect(byteClass >= ByteClass.Tab, `value ${byte}`).toBe(byte === 9 || (byte >= 0x20 && byte !== 0x7f))
      expect(byteClass === ByteClass.Opaque, `opaque ${byte}`).toBe(byte >= 0x80)
    }
  })
})

describe('isToken, isVisible and isFieldValue', () => {
  it('tell tokens, visible ASCII and field values from what looks like them', () => {
    const texts = [
      'chat',
      'a b',
      'a\tb',
      'a,b',
      '',
      '\u00e9',
      '\u0100',
      '\u010a',
      'K\u212a',
      'a\r\nb',
      'a\0',
      'a\x7f',
      '\ud83d\ude00',
    ]
    expect(texts.filter(isToken)).toEqual(['chat'])
    expect(texts.filter(isVisible)).toEqual(['chat', 'a,b', ''])
    expect(texts.filter(isFieldValue)).toEqual(['chat', 'a b', 'a\tb', 'a,b', '', '\u00e9'])
  })
})

describe('isKey', () => {
  it('takes base64 of 16 bytes, also with set bits behind the last byte as in the example of the RFC [6455:4.2.1-i05]', () => {
    for (const key of [
      'dGhlIHNhbXBsZSBub25jZQ==',
      'AQIDBAUGBwgJCgsMDQ4PEC==',
      'AAAAAAAAAAAAAAAAAAAAAA==',
      '+/+/+/+/+/+/+/+/azAZ09==',
    ]) {
      expect(isKey(key), key).toBe(true)
    }
  })

  it('refuses other lengths, other padding and other characters [6455:4.3-i01]', () => {
    const sample = 'dGhlIHNhbXBsZSBub25jZQ=='
    const wrong = [
      '',
      '==',
      'dGhlIHNhbXBsZSBub25jZQ',
      'dGhlIHNhbXBsZSBub25jZQ=',
      'dGhlIHNhbXBsZSBub25jZQA=',
      'dGhlIHNhbXBsZSBub25jZQAA',
      `${sample}AAAA`,
      `${sample} `,
      ` ${sample}`,
      'dGhlIHNhbXBsZSBub25jZ===',
      `${sample}, ${sample}`,
      'dGhlIHNhbXBsZSBub25jZ\u00e9==',
    ]
    for (const key of wrong) expect(isKey(key), key).toBe(false)
    for (let code = 0; code < 0x200; code++) {
      const character = String.fromCharCode(code)
      expect(isKey(`dGhl${character}HNhbXBsZSBub25jZQ==`), `${code}`).toBe(/^[A-Za-z0-9+/]$/.test(character))
    }
  })
})

describe('parseTokens', () => {
  it('reads tokens between commas, with or without whitespace, and ignores empty elements', () => {
    expect(parseTokens('chat')).toEqual(['chat'])
    expect(parseTokens('a,b')).toEqual(['a', 'b'])
    expect(parseTokens(' \ta ,\tb , ,, c,')).toEqual(['a', 'b', 'c'])
  })

  it('refuses lists without an element and elements that are no tokens', () => {
    for (const text of [
      '',
      ' ',
      ',',
      ', ,',
      'a b',
      'a, b c',
      'a;b',
      '"a"',
      'a/b',
      'a\u00e9',
      '\u00e9',
      'a, \u00a0',
      'a,\u0085b',
    ]) {
      expect(parseTokens(text), text).toBeUndefined()
    }
  })

  it('[V51] looks at each character a bounded number of times, whatever the text', () => {
    const hostile = (length: number): string[] => [
      `b${' '.repeat(length)}x`,
      ','.repeat(length),
      ' ,'.repeat(length / 2),
      'a'.repeat(length),
      'a,'.repeat(length / 2),
      `a${'\t '.repeat(length / 2)}`,
      ' '.repeat(length),
      `a, ${'x '.repeat(length / 2)}`,
    ]
    for (const length of [1_000, 16_000]) {
      for (const text of hostile(length)) {
        const { text: counted, looks } = countingText(text)
        parseTokens(counted)
        expect(looks()).toBeLessThanOrEqual(8 * text.length)
      }
    }
  })
})

describe('parseUpgrade', () => {
  it('reads protocols with and without a version', () => {
    expect(parseUpgrade('websocket')).toEqual(['websocket'])
    expect(parseUpgrade('HTTP/2.0, SHTTP/1.3,websocket , IRC/6.9')).toEqual([
      'HTTP/2.0',
      'SHTTP/1.3',
      'websocket',
      'IRC/6.9',
    ])
  })

  it('refuses what is no list of protocols', () => {
    for (const text of ['', '/', 'a/', '/1', 'a/b/c', 'a b', 'websocket;', 'a /1', 'a/ 1']) {
      expect(parseUpgrade(text), text).toBeUndefined()
    }
  })
})

describe('includesIgnoringCase', () => {
  it('ignores the case of ASCII and finds nothing in no list [9110-7.8-10]', () => {
    expect(includesIgnoringCase(['keep-alive', 'UpGrade'], 'upgrade')).toBe(true)
    expect(includesIgnoringCase(['upgrades', 'up', 'websocket/13'], 'upgrade')).toBe(false)
    expect(includesIgnoringCase(undefined, 'upgrade')).toBe(false)
  })
})

describe('Scanner', () => {
  it('unescapes a quoted token and refuses what is none, closed or not', () => {
    const quoted = (text: string): string[] | undefined =>
      parseList(text, (scanner) => (scanner.take(0x22) ? scanner.takeQuotedToken() || undefined : undefined))
    expect(quoted('"abc"')).toEqual(['abc'])
    expect(quoted('"a\\bc" , "1\\2"')).toEqual(['abc', '12'])
    for (const text of ['"', '""', '"a', '"a\\', '"a\\"', '"a b"', '"a\\ b"', '"a,b"', '"\u00e9"', '"a"b', 'a']) {
      expect(quoted(text), text).toBeUndefined()
    }
  })
})

describe('The description of a value', () => {
  it('quotes text and names the type of anything else', () => {
    expect(describeValue('a\r\n')).toBe(String.raw`"a\r\n"`)
    expect([5, null, undefined, Symbol('s')].map(describeValue)).toEqual(['number', 'object', 'undefined', 'symbol'])
  })
})

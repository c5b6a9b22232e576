/** Octets and text from the wire, made fit to be looked at. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  findInvalidUtf8,
  groupDigits,
  hexOctet,
  octetCount,
  quoted,
  spacedHex,
  visible,
} from '../../../src/conformance/report/octets.ts'
import { wire } from '../../support/wire.ts'

describe('spacedHex', () => {
  it('writes two digits for each octet', () => {
    expect(spacedHex(wire('81 05 48'))).toBe('81 05 48')
    expect(spacedHex(Buffer.alloc(0))).toBe('')
    expect(hexOctet(7)).toBe('07')
  })
})

describe('visible', () => {
  it.each([
    ['a line\r\nand a tab\t', String.raw`a line\r\nand a tab\t`],
    ['\u{1b}[31mred', String.raw`\u{1b}[31mred`],
    ['\u{202e}desrever', String.raw`\u{202e}desrever`],
    ['half \u{d800} a pair', String.raw`half \u{d800} a pair`],
    ['ζεύς 🌍 {}', 'ζεύς 🌍 {}'],
  ])('spells out of %j what has no picture', (text, shown) => {
    expect(visible(text)).toBe(shown)
  })

  it('never lets a control character through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })

  it('cuts what is longer than it may be, never through a character', () => {
    expect(visible('🌍🌍🌍', 2)).toBe('🌍🌍…')
    expect(visible('🌍🌍', 2)).toBe('🌍🌍')
    expect(quoted('x'.repeat(61))).toBe(`"${'x'.repeat(60)}…"`)
  })
})

describe('octetCount', () => {
  it('counts', () => {
    expect([0, 1, 9999, 10_000, 16_777_216n].map(octetCount)).toEqual([
      '0 octets',
      '1 octet',
      '9999 octets',
      '10,000 octets',
      '16,777,216 octets',
    ])
    expect(groupDigits('123456')).toBe('123,456')
  })
})

describe('findInvalidUtf8', () => {
  it.each([
    ['68 80', 1, false],
    ['c1 bf', 0, false],
    ['c3', 0, true],
    ['61 c3 28', 1, false],
    ['e0 9f bf', 0, false],
    ['e2 82', 0, true],
    ['ed a0 80', 0, false],
    ['f0 8f bf bf', 0, false],
    ['f4 90 80 80', 0, false],
    ['f0 9f 8c', 0, true],
    ['f5 80 80 80', 0, false],
    ['f1 80 80 c0', 0, false],
  ])('finds what is wrong with %s', (octets, at, cut) => {
    expect(findInvalidUtf8(wire(octets))).toEqual({ at, cut })
  })

  it('agrees with TextDecoder about any octets', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    const decodes = (octets: Uint8Array) => {
      try {
        decoder.decode(octets)
        return true
      } catch {
        return false
      }
    }
    const octet = fc.constantFrom(
      0x41,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc0,
      0xc2,
      0xdf,
      0xe0,
      0xe1,
      0xed,
      0xef,
      0xf0,
      0xf1,
      0xf4,
      0xf5,
    )
    fc.assert(
      fc.property(fc.array(octet, { maxLength: 6 }), (octets) => {
        expect(findInvalidUtf8(Buffer.from(octets)) === undefined).toBe(decodes(Buffer.from(octets)))
      }),
      { numRuns: 2000 },
    )
  })
})

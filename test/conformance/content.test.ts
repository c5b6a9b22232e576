import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  Windows,
  bitmapContent,
  htmlContent,
  jsonContent,
  pdfContent,
  proseContent,
} from '../../src/conformance/content.ts'

const sha1 = (octets: Buffer): string => createHash('sha1').update(octets).digest('hex')

/** Units, what is left of 100 octets when it is compressed, and what makes sure that it is the same everywhere. */
const CONTENTS = [
  ['jsonContent', jsonContent, 194_000, 4, 'aeceefd83446bbe2d3d147de385ffaf68abc7f40'],
  ['bitmapContent', bitmapContent, 263_222, 86, '161996dead9fb3b4a0e300342ee9b2764f044bf8'],
  ['proseContent', proseContent, 222_000, 39, '4e27f15840aa3ea2e05e76b834dc8a38506efa9e'],
  ['htmlContent', htmlContent, 264_000, 5.5, 'fc136d6ac262ac27f67ae3a2d14be364a125f057'],
  ['pdfContent', pdfContent, 1_000_000, 76, 'ba52cef4414b4cfba66d1ad7a4e6fc77b25ef41e'],
] as const

describe.each(CONTENTS)('%s', (_, content, length, percent, hash) => {
  const octets = Buffer.from(content())

  it('has always the same octets', () => {
    expect(content()).toHaveLength(length)
    expect(sha1(octets)).toBe(hash)
  })

  it('is as compressible as files of its kind', () => {
    const left = (100 * deflateRawSync(octets).length) / octets.length
    expect(left / percent).toBeGreaterThan(0.9)
    expect(left / percent).toBeLessThan(1.1)
  })

  it('is made once', () => {
    expect(content()).toBe(content())
  })
})

describe('the contents', () => {
  it('have ASCII in JSON, and 26 characters of more than one octet in HTML', () => {
    expect(Buffer.from(jsonContent())).toHaveLength(jsonContent().length)
    expect(Array.from(htmlContent()).filter((character) => character > '\u007f')).toHaveLength(26)
  })

  it('have no character of more than one UTF-16 unit, which a window could cut', () => {
    expect(Array.from(htmlContent())).toHaveLength(htmlContent().length)
  })
})

describe('Windows', () => {
  it('of octets begin where the one before ended, and wrap around', () => {
    const windows = new Windows(Buffer.from('abcdefg'))
    const seen = Array.from({ length: 5 }, () => windows.next(3).toString())
    expect(seen).toEqual(['abc', 'def', 'gab', 'cde', 'fga'])
    expect(new Windows(Buffer.from('abc')).next(3).toString()).toBe('abc')
  })

  it('of text are cut by characters and sent as UTF-8', () => {
    const windows = new Windows('aéb')
    const seen = Array.from({ length: 3 }, () => windows.next(2).toString())
    expect(seen).toEqual(['aé', 'ba', 'éb'])
    expect(new Windows('é').next(1)).toEqual(Buffer.from('c3a9', 'hex'))
  })

  it('begin anew when they end with the content', () => {
    const windows = new Windows('abcd')
    expect([windows.next(2), windows.next(2), windows.next(2)].map(String)).toEqual(['ab', 'cd', 'ab'])
  })
})

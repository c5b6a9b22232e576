/** Octets to hex and back. */
import { describe, expect, it } from 'vitest'
import { hexDump, parseBase64, parseHex } from '../../src/cli/hex.ts'

describe('hexDump', () => {
  it('has 16 octets in a row, with what is ASCII beside them', () => {
    expect(hexDump(Buffer.from('Hello, world!\n\0\u00e9'))).toEqual([
      '00000000  48 65 6c 6c 6f 2c 20 77  6f 72 6c 64 21 0a 00 c3  |Hello, world!...|',
      '00000010  a9                                                |.|',
    ])
    expect(hexDump(Buffer.alloc(0))).toEqual([])
  })

  it('shows the first rows of what is long', () => {
    const lines = hexDump(Buffer.alloc(10_000), 2)
    expect(lines).toHaveLength(3)
    expect(lines[2]).toBe('… 9968 more')
    expect(hexDump(Buffer.alloc(32), 2)).toHaveLength(2)
  })
})

describe('parseHex', () => {
  it.each(['81 05', '8105', '0x81, 0x05', String.raw`\x81\x05`, '81:05', ' 81\n05\n', '0x8105'])('reads %j', (text) => {
    expect(parseHex(text)).toEqual(Buffer.from([0x81, 0x05]))
  })

  it.each(['8', '81 0', 'xy', '81 05 and', 'GET /'])('refuses %j', (text) => {
    expect(parseHex(text)).toBeUndefined()
  })

  it('takes nothing for no octets', () => {
    expect(parseHex('')).toEqual(Buffer.alloc(0))
  })
})

describe('parseBase64', () => {
  it.each(['gQVIZWxsbw==', 'gQVI\nZWxs\nbw=='])('reads %j', (text) => {
    expect(parseBase64(text)).toEqual(Buffer.from('810548656c6c6f', 'hex'))
  })

  it('reads either alphabet', () => {
    expect(parseBase64('-_8=')).toEqual(parseBase64('+/8='))
  })

  it.each(['', 'gQV', 'gQ==V', 'a b!'])('refuses %j', (text) => {
    expect(parseBase64(text)).toBeUndefined()
  })
})

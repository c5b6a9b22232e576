/** What the payload data of a frame is said to be. */
import { describe, expect, it } from 'vitest'
import { explainFrame } from '../../../src/conformance/report/fields.ts'
import { frame, wire } from '../../support/wire.ts'

function payload(firstOctet: number, octets: Uint8Array | string, length?: number): [value: string, meaning: string] {
  const whole = frame(firstOctet, octets)
  const field = explainFrame(whole, length ?? whole.length).find(({ name }) => name === 'payload data')
  return [field?.value ?? '', field?.meaning ?? '']
}

describe('The payload data', () => {
  it.each([
    ['text', 0x81, 'Hello', '"Hello"', 'text in UTF-8'],
    ['a text with a line break', 0x81, 'a\nb', String.raw`"a\nb"`, 'text in UTF-8'],
    ['a binary message', 0x82, 'Hello', '5 octets', 'what the application makes of it'],
    ['a compressed text', 0xc1, 'Hello', '5 octets', 'a compressed message'],
    ['a continuation', 0x80, 'Hello', '"Hello"', 'goes on with the message'],
    ['a Ping', 0x89, 'Hello', '"Hello"', 'comes back in a Pong'],
    ['a Pong', 0x8a, 'Hello', '"Hello"', 'that of the Ping that it answers'],
    ['a Close', 0x88, '\u0003\u{1}Hello', '7 octets', 'close code and reason'],
    ['a frame of a reserved opcode', 0x83, 'Hello', '"Hello"', 'nobody knows what'],
  ])('of %s', (_, firstOctet, octets, value, meaning) => {
    expect(payload(firstOctet, octets)).toEqual([value, meaning])
  })

  it('is shown up to a character that is cut, and as octets where it is no text', () => {
    expect(payload(0x01, wire('61 c3'))[0]).toBe('"a"')
    expect(payload(0x01, wire('c3'))[0]).toBe('1 octet')
    expect(payload(0x89, wire('61 ff'))[0]).toBe('2 octets')
  })

  it('has a close reason only where there is one', () => {
    const names = (body: Uint8Array | string) =>
      explainFrame(frame(0x88, body))
        .slice(7)
        .map(({ name, value }) => `${name} ${value}`)
    expect(names('')).toEqual([])
    expect(names(wire('61'))).toEqual(['payload data 1 octet', 'close code 0x61'])
    expect(names(wire('03e8'))).toEqual(['payload data 2 octets', 'close code 1000'])
    expect(names(wire('03e8 ff'))).toEqual(['payload data 3 octets', 'close code 1000', 'close reason 1 octet'])
  })

  it('does not judge UTF-8 by the octets that are not known', () => {
    const whole = frame(0x81, 'a'.repeat(200) + 'ζ'.repeat(50))
    const text = explainFrame(whole.subarray(0, 4 + 201), whole.length).at(-1)
    expect(text?.problem).toBeUndefined()
    expect(text?.meaning).toBe('text in UTF-8; the first 201 of 300 octets')
  })
})

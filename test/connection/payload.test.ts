/** What can be sent, and what it is sent as (RFC 6455 5.6). */
import { describe, expect, it } from 'vitest'
import { opcodeOf, payloadOf } from '../../src/connection/payload.ts'
import { NOT_DATA, VIEWS } from '../support/data.ts'

describe('payloadOf', () => {
  it('passes a string and a Buffer on as they are', () => {
    const buffer = Buffer.from('octets')
    expect(payloadOf('text')).toBe('text')
    expect(payloadOf(buffer)).toBe(buffer)
  })

  it.each(VIEWS)('takes a %s as its octets, no more and no fewer, without copying them', (_, make) => {
    const memory = new ArrayBuffer(32)
    const octets = new Uint8Array(memory, 8, 16)
    octets.fill(7)
    const payload = payloadOf(make(memory, 8, 16))
    expect(payload).toEqual(Buffer.alloc(16, 7))
    octets[0] = 9
    expect(payload[0]).toBe(9)
  })

  it('takes an ArrayBuffer and a SharedArrayBuffer whole', () => {
    for (const memory of [new ArrayBuffer(3), new SharedArrayBuffer(3)]) {
      new Uint8Array(memory).set([1, 2, 3])
      expect(payloadOf(memory)).toEqual(Buffer.from([1, 2, 3]))
    }
  })

  it.each(NOT_DATA)('[A23] refuses %s with a TypeError', (_, data) => {
    expect(() => payloadOf(data as string)).toThrow(TypeError)
    expect(() => payloadOf(data as string)).toThrow(expect.objectContaining({ code: 'ERR_WS_INVALID_DATA' }))
  })

  it('refuses what only looks like a Buffer, as it has no octets', () => {
    for (const data of [Object.create(Buffer.prototype), new Proxy(Buffer.alloc(3), {})] as Buffer[]) {
      expect(Buffer.isBuffer(data)).toBe(true)
      expect(() => payloadOf(data)).toThrow(expect.objectContaining({ code: 'ERR_WS_INVALID_DATA' }))
    }
  })
})

describe('opcodeOf', () => {
  it('sends a string as text and octets as binary, unless told otherwise [6455:6.1-06]', () => {
    const octets = Buffer.from('ü')
    expect([opcodeOf('ü'), opcodeOf('ü', false), opcodeOf('ü', true)]).toEqual([1, 1, 2])
    expect([opcodeOf(octets), opcodeOf(octets, true), opcodeOf(octets, false)]).toEqual([2, 2, 1])
  })

  it('refuses octets as text that are not UTF-8', () => {
    expect(() => opcodeOf(Buffer.from([0xff]), false)).toThrow(TypeError)
    expect(() => opcodeOf(Buffer.from([0xff]), false)).toThrow(expect.objectContaining({ code: 'ERR_WS_INVALID_DATA' }))
    expect(opcodeOf(Buffer.from([0xff]))).toBe(2)
  })
})

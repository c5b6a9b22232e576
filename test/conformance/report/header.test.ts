/** The header of any frame, and the names of what stands in it. */
import { describe, expect, it } from 'vitest'
import { closeCodeName, mayBeSent, opcodeName, readWireHeader, unmask } from '../../../src/conformance/report/header.ts'
import { KEY, wire, xored } from '../../support/wire.ts'

describe('readWireHeader', () => {
  it('reads every bit of a header, right or wrong', () => {
    expect(readWireHeader(wire('f7 85 37fa213d'))).toEqual({
      fin: true,
      rsv1: true,
      rsv2: true,
      rsv3: true,
      opcode: 7,
      masked: true,
      length7: 5,
      lengthOctets: 0,
      payloadLength: 5n,
      end: 6,
    })
  })

  it.each([
    ['02 7d', 125n, 2],
    ['02 7e 0100', 256n, 4],
    ['02 7e 01', undefined, 4],
    ['02 7f ffffffffffffffff', 0xffff_ffff_ffff_ffffn, 10],
    ['02 7f 00', undefined, 10],
    ['02 ff 0000000000010000', 65_536n, 14],
  ])('reads the length of %s', (octets, payloadLength, end) => {
    expect(readWireHeader(wire(octets))).toMatchObject({ payloadLength, end })
  })

  it('needs two octets', () => {
    expect(readWireHeader(wire(''))).toBeUndefined()
    expect(readWireHeader(wire('81'))).toBeUndefined()
  })
})

describe('unmask', () => {
  it('undoes the mask and leaves the octets as they are', () => {
    const masked = xored(Buffer.from('Hello, world!'), KEY)
    expect(unmask(masked, KEY).toString()).toBe('Hello, world!')
    expect(masked).toEqual(xored(Buffer.from('Hello, world!'), KEY))
  })
})

describe('Names', () => {
  it('has one for each opcode that is defined', () => {
    expect(Array.from({ length: 16 }, (_, opcode) => opcodeName(opcode)).filter((name) => name !== undefined)).toEqual([
      'Continuation',
      'Text',
      'Binary',
      'Close',
      'Ping',
      'Pong',
    ])
  })

  it.each([
    [0, 'not used', false],
    [999, 'not used', false],
    [1000, 'normal closure', true],
    [1004, 'reserved', false],
    [1005, 'no status received: never on the wire', false],
    [1006, 'abnormal closure: never on the wire', false],
    [1014, 'bad gateway', true],
    [1015, 'TLS handshake: never on the wire', false],
    [1016, 'reserved for the protocol and its extensions', false],
    [2999, 'reserved for the protocol and its extensions', false],
    [3000, 'registered for libraries, frameworks and applications', true],
    [4999, 'for private use', true],
    [5000, 'not defined', false],
    [65_535, 'not defined', false],
  ])('knows the close code %i', (code, name, sendable) => {
    expect(closeCodeName(code)).toBe(name)
    expect(mayBeSent(code)).toBe(sendable)
  })
})

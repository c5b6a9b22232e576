import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Role } from '../../src/conformance/index.ts'
import { FrameReader, closePayload, encodeFrame } from '../../src/conformance/wire.ts'
import type { Frame, ReceivedFrame } from '../../src/conformance/wire.ts'
import { KEY, frame, wire } from '../support/wire.ts'

const hello = Buffer.from('hello')

function readAll(chunks: Iterable<Buffer>): ReceivedFrame[] {
  const reader = new FrameReader()
  const frames: ReceivedFrame[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let next = reader.next(); next !== undefined; next = reader.next()) frames.push(next)
  }
  return frames
}

describe('encodeFrame', () => {
  const cases: readonly (readonly [what: string, given: Frame, role: Role, octets: Buffer])[] = [
    ['a frame of a server', { opcode: 1, payload: hello }, 'server', frame(0x81, 'hello')],
    ['an empty fragment with RSV bits', { opcode: 0, fin: false, rsv: 5 }, 'server', frame(0x50)],
    ['a masked frame', { opcode: 2, payload: hello, maskingKey: KEY }, 'client', frame(0x82, 'hello', { key: KEY })],
    [
      'a server that masks',
      { opcode: 2, payload: hello, masked: true, maskingKey: KEY },
      'server',
      frame(0x82, 'hello', { key: KEY }),
    ],
    ['a client that does not mask', { opcode: 2, payload: hello, masked: false }, 'client', frame(0x82, 'hello')],
    ['125 octets', { opcode: 2, payload: Buffer.alloc(125) }, 'server', frame(0x82, Buffer.alloc(125))],
    ['126 octets', { opcode: 2, payload: Buffer.alloc(126) }, 'server', frame(0x82, Buffer.alloc(126))],
    ['65535 octets', { opcode: 2, payload: Buffer.alloc(65_535) }, 'server', frame(0x82, Buffer.alloc(65_535))],
    ['65536 octets', { opcode: 2, payload: Buffer.alloc(65_536) }, 'server', frame(0x82, Buffer.alloc(65_536))],
    [
      'a length that is too long by 2 octets',
      { opcode: 2, payload: hello, lengthOctets: 2 },
      'server',
      frame(0x82, 'hello', { lengthBits: 16 }),
    ],
    [
      'a length that is too long by 8 octets',
      { opcode: 2, payload: hello, lengthOctets: 8 },
      'server',
      frame(0x82, 'hello', { lengthBits: 64 }),
    ],
    [
      'a length that is a lie',
      { opcode: 2, payload: hello, declaredLength: 2n ** 63n },
      'server',
      frame(0x82, 'hello', { declared: 2n ** 63n }),
    ],
  ]

  it.each(cases)('writes %s', (_, given, role, octets) => {
    expect(encodeFrame(given, role).equals(octets)).toBe(true)
  })

  it('masks with another key each time [6455:5.3-04]', () => {
    const keys = Array.from({ length: 5000 }, () => encodeFrame({ opcode: 9 }, 'client').toString('hex', 2))
    expect(new Set(keys).size).toBeGreaterThan(4900)
  })
})

describe('closePayload', () => {
  it('is a code and a reason, or nothing', () => {
    expect(closePayload()).toEqual(wire(''))
    expect(closePayload(1000)).toEqual(wire('03e8'))
    expect(closePayload(65_535, 'no')).toEqual(wire('ffff 6e6f'))
  })
})

describe('FrameReader', () => {
  const octets = Buffer.concat([
    frame(0x81, 'hello', { key: KEY }),
    frame(0x50),
    frame(0x82, Buffer.alloc(300, 7), { key: KEY }),
    frame(0x8a, 'x', { lengthBits: 16 }),
    frame(0x8a, Buffer.alloc(126), { lengthBits: 64 }),
    frame(0x02, Buffer.alloc(65_536, 1)),
  ])
  const [first, ...others] = readAll([octets])
  /** All but the last frame. */
  const SMALL = octets.length - 65_546

  it('tells what a frame looked like', () => {
    expect(first).toEqual({
      opcode: 1,
      fin: true,
      rsv: 0,
      masked: true,
      maskingKey: KEY,
      minimal: true,
      payload: hello,
      octets: octets.subarray(0, 11),
      length: 11,
    })
    const looks = others.map(({ opcode, fin, rsv, masked, minimal, payload, length }) => {
      return [opcode, fin, rsv, masked, minimal, payload.length, length]
    })
    expect(looks).toEqual([
      [0, false, 5, false, true, 0, 2],
      [2, true, 0, true, true, 300, 308],
      [10, true, 0, false, false, 1, 5],
      [10, true, 0, false, false, 126, 136],
      [2, false, 0, false, true, 65_536, 65_546],
    ])
  })

  it('keeps the first 256 octets as they came', () => {
    expect(others[1].octets).toEqual(octets.subarray(13, 13 + 256))
    expect(others[1].payload).toEqual(Buffer.alloc(300, 7))
  })

  it('reads the same wherever TCP cuts', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(SMALL), { maxLength: 30 }), (cuts) => {
        const ends = [...cuts.toSorted((a, b) => a - b), SMALL]
        const chunks = ends.map((end, at) => octets.subarray(at === 0 ? 0 : ends[at - 1], end))
        expect(readAll(chunks)).toEqual([first, ...others.slice(0, -1)])
      }),
    )
  })

  it('reads octet by octet', () => {
    const few = octets.subarray(0, 13 + 308)
    expect(readAll(Array.from(few, (octet) => Buffer.of(octet)))).toEqual([first, ...others.slice(0, 2)])
  })

  it('shows what is pending', () => {
    const reader = new FrameReader()
    expect([reader.pending, reader.excerpt(), reader.declared()]).toEqual([0, wire(''), undefined])
    reader.push(frame(0x82, Buffer.alloc(300), { declared: 2n ** 64n - 1n }))
    expect([reader.pending, reader.declared(), reader.next()]).toEqual([310, 2n ** 64n - 1n, undefined])
    expect(reader.excerpt()).toHaveLength(256)
  })
})

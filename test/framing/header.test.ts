/**
 * Frame headers both ways (RFC 6455 5.2). Reading judges nothing, so every combination of octets is read here; what is
 * expected is worked out with BigInt and by its own table.
 */
import { describe, expect, it } from 'vitest'
import {
  FrameHeader,
  MAX_HEADER_LENGTH,
  frameHeaderLength,
  frameHeaderSize,
  readFrameHeader,
  writeFrameHeader,
} from '../../src/framing/header.ts'
import { hex, wire } from '../support/wire.ts'

const EMPTY_HEADER = { ...new FrameHeader() }

function read(bytes: Buffer, offset = 0): { end: number; header: FrameHeader } {
  const header = new FrameHeader()
  return { end: readFrameHeader(bytes, offset, header), header }
}

/** 64-bit lengths at the edges where an arithmetic of 7, 8, 16, 31, 32, 53, 63 or 64 bits goes wrong. */
const BOUNDARY_LENGTHS: readonly bigint[] = [
  ...[0n, 1n, 2n, 125n, 126n, 127n, 128n, 255n, 256n, 0xfffen, 0xffffn, 0x1_0000n, 0x1_0001n],
  ...[0x7fff_fffen, 0x7fff_ffffn, 0x8000_0000n, 0x8000_0001n, 0xffff_fffen, 0xffff_ffffn],
  ...[0x1_0000_0000n, 0x1_0000_0001n, 0x1_7fff_ffffn, 0x1_8000_0000n, 0x1_ffff_ffffn, 0x2_0000_0000n],
  ...[2n ** 40n, 2n ** 48n - 1n, 2n ** 52n, 2n ** 53n - 2n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n],
  ...[2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 63n + 1n, 2n ** 63n + 2n ** 32n, 2n ** 63n + 125n],
  ...[2n ** 64n - 2n ** 32n, 2n ** 64n - 1n],
]

function lengthIn64Bits(length: bigint): string {
  return length.toString(16).padStart(16, '0')
}

describe('readFrameHeader', () => {
  it('reads the headers of the examples in 5.7', () => {
    const legal = { ...EMPTY_HEADER, fin: true }
    const hello = { ...legal, opcode: 1, payloadLength: 5 }
    expect(read(wire('81 05'))).toEqual({ end: 2, header: hello })
    expect(read(wire('81 85 37fa213d'))).toEqual({ end: 6, header: { ...hello, masked: true, maskingKey: 0x3d21fa37 } })
    expect(read(wire('01 03'))).toEqual({ end: 2, header: { ...EMPTY_HEADER, opcode: 1, payloadLength: 3 } })
    expect(read(wire('80 02'))).toEqual({ end: 2, header: { ...legal, payloadLength: 2 } })
    expect(read(wire('89 05'))).toEqual({ end: 2, header: { ...legal, opcode: 9, payloadLength: 5 } })
    expect(read(wire('82 7e 0100'))).toEqual({
      end: 4,
      header: { ...legal, opcode: 2, payloadLength: 256, extendedLength: 2 },
    })
    expect(read(wire('82 7f 0000000000010000'))).toEqual({
      end: 10,
      header: { ...legal, opcode: 2, payloadLength: 65_536, extendedLength: 8 },
    })
  })

  it('reads every combination of the first two octets, judging none', () => {
    const wrong: string[] = []
    const header = new FrameHeader()
    const bytes = wire('0000 0002030405060708 090a0b0c')
    for (let octets = 0; octets < 0x1_0000; octets++) {
      bytes.writeUInt16BE(octets)
      const bits = octets.toString(2).padStart(16, '0')
      const short = Number.parseInt(bits.slice(9), 2)
      const [extendedLength, payloadLength] = short < 126 ? [0, short] : short === 126 ? [2, 2] : [8, 0x2030405060708]
      const masked = bits[8] === '1'
      const expected = {
        fin: bits[0] === '1',
        rsv1: bits[1] === '1',
        rsv2: bits[2] === '1',
        rsv3: bits[3] === '1',
        opcode: Number.parseInt(bits.slice(4, 8), 2),
        masked,
        maskingKey: masked ? bytes.readInt32LE(2 + extendedLength) : 0,
        payloadLength,
        extendedLength,
        lengthTopBit: false,
      }
      const end = readFrameHeader(bytes, 0, header)
      if (end !== 2 + extendedLength + (masked ? 4 : 0)) wrong.push(`${hex(bytes)}: ends at ${end}`)
      for (const [field, value] of Object.entries(expected)) {
        if (header[field as keyof FrameHeader] !== value) wrong.push(`${hex(bytes)}: ${field}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('reads 16-bit lengths in network byte order, all of them [6455:5.2-i01]', () => {
    const header = new FrameHeader()
    const bytes = wire('82 7e 0000')
    for (let length = 0; length < 0x1_0000; length++) {
      bytes[2] = Math.floor(length / 256)
      bytes[3] = length % 256
      readFrameHeader(bytes, 0, header)
      if (header.payloadLength !== length) expect(header.payloadLength).toBe(length)
    }
    expect(header).toMatchObject({ payloadLength: 0xffff, extendedLength: 2 })
  })

  it('has 40 boundary lengths to be tried with', () => {
    expect(new Set(BOUNDARY_LENGTHS).size).toBe(40)
  })

  it.each(BOUNDARY_LENGTHS)(
    'reads a 64-bit length of %d without wrapping around [6455:5.2-i01] [6455:5.2-05]',
    (length) => {
      for (const masked of [false, true]) {
        const bytes = wire(`82 ${masked ? 'ff' : '7f'} ${lengthIn64Bits(length)} ${masked ? '01020304' : ''}`)
        expect(read(bytes)).toEqual({
          end: bytes.length,
          header: {
            ...EMPTY_HEADER,
            fin: true,
            opcode: 2,
            masked,
            maskingKey: masked ? 0x04030201 : 0,
            payloadLength: Number(length),
            extendedLength: 8,
            lengthTopBit: length >= 2n ** 63n,
          },
        })
      }
    },
  )

  it('reads from an offset and does not look behind the header', () => {
    const { end, header } = read(wire('ffff 89 80 000000ff ffff'), 2)
    expect(end).toBe(8)
    expect(header).toEqual({ ...EMPTY_HEADER, fin: true, opcode: 9, masked: true, maskingKey: -0x100_0000 })
  })

  it.each([
    '81 05',
    '81 85 37fa213d',
    '82 7e 0100',
    '82 fe 0100 37fa213d',
    '82 7f 0000000000010000',
    '82 ff 0000000000010000 37fa213d',
  ])('answers -1 for %s cut anywhere, and leaves the header alone', (literal) => {
    const bytes = wire(literal)
    for (let length = 0; length < bytes.length; length++) {
      expect(read(bytes.subarray(0, length))).toEqual({ end: -1, header: EMPTY_HEADER })
      const behind = Buffer.concat([wire('8900'), bytes.subarray(0, length)])
      expect(read(behind, 2)).toEqual({ end: -1, header: EMPTY_HEADER })
    }
    expect(read(bytes).end).toBe(bytes.length)
  })

  it('leaves nothing of the frame before in a header that is filled anew', () => {
    const header = new FrameHeader()
    readFrameHeader(wire('ff ff ffffffffffffffff ffffffff'), 0, header)
    expect(header.lengthTopBit).toBe(true)
    readFrameHeader(wire('00 00'), 0, header)
    expect(header).toEqual(new FrameHeader())
  })
})

describe('frameHeaderLength', () => {
  it('tells how long a header is by its second octet, for all 256', () => {
    const lengths = Array.from({ length: 256 }, (_, octet) => frameHeaderLength(octet))
    const unmasked = [...Array.from({ length: 126 }, () => 2), 4, 10]
    expect(lengths).toEqual([...unmasked, ...unmasked.map((length) => length + 4)])
    expect(Math.max(...lengths)).toBe(MAX_HEADER_LENGTH)
  })
})

describe('writeFrameHeader', () => {
  const key = 0x3d21fa37
  const lengths: readonly (readonly [length: number, unmasked: string, masked: string])[] = [
    [0, '82 00', '82 80 37fa213d'],
    [1, '82 01', '82 81 37fa213d'],
    [125, '82 7d', '82 fd 37fa213d'],
    [126, '82 7e 007e', '82 fe 007e 37fa213d'],
    [127, '82 7e 007f', '82 fe 007f 37fa213d'],
    [255, '82 7e 00ff', '82 fe 00ff 37fa213d'],
    [256, '82 7e 0100', '82 fe 0100 37fa213d'],
    [65_535, '82 7e ffff', '82 fe ffff 37fa213d'],
    [65_536, '82 7f 0000000000010000', '82 ff 0000000000010000 37fa213d'],
    [0x7fff_ffff, '82 7f 000000007fffffff', '82 ff 000000007fffffff 37fa213d'],
    [0x8000_0000, '82 7f 0000000080000000', '82 ff 0000000080000000 37fa213d'],
    [0xffff_ffff, '82 7f 00000000ffffffff', '82 ff 00000000ffffffff 37fa213d'],
    [0x1_0000_0000, '82 7f 0000000100000000', '82 ff 0000000100000000 37fa213d'],
    [Number.MAX_SAFE_INTEGER, '82 7f 001fffffffffffff', '82 ff 001fffffffffffff 37fa213d'],
  ]

  it.each(lengths)(
    'tells a length of %d in as few octets as it can, in network byte order [6455:5.2-05] [6455:5.2-06] [6455:5.2-i01]',
    (length, unmasked, masked) => {
      for (const [literal, maskingKey] of [
        [unmasked, undefined],
        [masked, key],
      ] as const) {
        const expected = wire(literal)
        const bytes = Buffer.alloc(20, 0xaa)
        expect(writeFrameHeader(bytes, 3, 0x82, length, maskingKey)).toBe(3 + expected.length)
        expect(frameHeaderSize(length, maskingKey !== undefined)).toBe(expected.length)
        expect(hex(bytes)).toBe(
          hex(Buffer.concat([Buffer.alloc(3, 0xaa), expected, Buffer.alloc(17 - expected.length, 0xaa)])),
        )
      }
    },
  )

  it('writes the first octet as it is given', () => {
    const bytes = Buffer.alloc(2)
    for (let firstOctet = 0; firstOctet < 256; firstOctet++) {
      writeFrameHeader(bytes, 0, firstOctet, 5, undefined)
      expect([...bytes]).toEqual([firstOctet, 5])
    }
  })

  it('writes every key, the one of four zeros included, with MASK set [6455:5.3-01]', () => {
    for (const [maskingKey, literal] of [
      [0, '00000000'],
      [-1, 'ffffffff'],
      [-0x8000_0000, '00000080'],
      [0x04030201, '01020304'],
    ] as const) {
      const bytes = Buffer.alloc(6)
      expect(writeFrameHeader(bytes, 0, 0x8a, 0, maskingKey)).toBe(6)
      expect(bytes).toEqual(wire(`8a 80 ${literal}`))
      expect(read(bytes).header.maskingKey).toBe(maskingKey)
    }
  })

  it('writes what readFrameHeader reads', () => {
    for (const [length] of lengths) {
      for (const maskingKey of [undefined, key, -2]) {
        const bytes = Buffer.alloc(MAX_HEADER_LENGTH)
        const end = writeFrameHeader(bytes, 0, 0x42, length, maskingKey)
        expect(read(bytes.subarray(0, end))).toEqual({
          end,
          header: {
            ...EMPTY_HEADER,
            rsv1: true,
            opcode: 2,
            masked: maskingKey !== undefined,
            maskingKey: maskingKey ?? 0,
            payloadLength: length,
            extendedLength: length < 126 ? 0 : length < 65_536 ? 2 : 8,
          },
        })
      }
    }
  })
})

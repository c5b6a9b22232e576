/**
 * Messages to bytes (RFC 6455 5.2 to 5.6, 6.1, 10.3). What is written is read back by a reader of its own, and every
 * octet that was claimed must have been written: the memory is poisoned before.
 */
import { randomFillSync } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { FrameList, encodeFrame, writeControl, writeFragments, writeMessage } from '../../src/framing/encoder.ts'
import type { FrameTarget } from '../../src/framing/encoder.ts'
import { KEY, frame, hex, wire, xored } from '../support/wire.ts'

vi.mock(import('node:crypto'), async (original) => {
  const crypto = await original()
  return { ...crypto, randomFillSync: vi.fn(crypto.randomFillSync) as typeof crypto.randomFillSync }
})
const fill = vi.mocked(randomFillSync)

afterEach(() => {
  fill.mockReset()
  vi.restoreAllMocks()
})

const POISON = 0xa5
const GUARD = 16
/** Payloads up to this many octets are copied; above it a server passes them on by reference. */
const COPY_UP_TO = 16_384

/** Memory in which everything is poison but what was written, each claim with poison on both sides. */
class PoisonedTarget implements FrameTarget {
  bytes: Buffer = Buffer.alloc(0)
  readonly claims: { memory: Buffer; at: number; size: number }[] = []
  readonly pushed: Buffer[] = []
  readonly #output: (() => Buffer)[] = []
  readonly #takesBack: boolean

  /** `takesBack`: what was claimed and not used. */
  constructor(takesBack = false) {
    this.#takesBack = takesBack
  }

  claimUpTo(size: number): number {
    if (!this.#takesBack) return -1
    this.bytes = Buffer.alloc(GUARD + size + GUARD, POISON)
    this.claims.push({ memory: this.bytes, at: GUARD, size })
    return GUARD
  }

  settle(size: number): void {
    const memory = this.bytes
    if (size > memory.length - 2 * GUARD) throw new Error('more was written than claimed')
    this.#output.push(() => memory.subarray(GUARD, GUARD + size))
  }

  claim(size: number): number {
    const memory = Buffer.alloc(GUARD + size + GUARD, POISON)
    this.bytes = memory
    this.claims.push({ memory, at: GUARD, size })
    this.#output.push(() => memory.subarray(GUARD, GUARD + size))
    return GUARD
  }

  push(bytes: Buffer): void {
    this.pushed.push(bytes)
    this.#output.push(() => bytes)
  }

  /** All output in order; throws when something was written beside the claims. */
  get output(): Buffer {
    const poison = Buffer.alloc(GUARD, POISON)
    for (const { memory, at, size } of this.claims) {
      const guards = [memory.subarray(0, at), memory.subarray(at + size)]
      if (!guards.every((guard) => guard.equals(poison))) throw new Error(`written beside a claim of ${size}`)
    }
    return Buffer.concat(this.#output.map((bytes) => bytes()))
  }
}

interface Sent {
  readonly firstOctet: number
  readonly payload: Buffer
  readonly key: Buffer | undefined
}

/** Takes the bytes of frames apart, by 5.2, and refuses a length that is not minimal or bytes that are left over. */
function framesIn(bytes: Buffer): Sent[] {
  const frames: Sent[] = []
  for (let at = 0; at < bytes.length;) {
    const [firstOctet, second] = bytes.subarray(at, at + 2)
    const short = second % 128
    const lengthOctets = short === 126 ? 2 : short === 127 ? 8 : 0
    const lengthField = bytes.subarray(at + 2, at + 2 + lengthOctets).toString('hex')
    const length = lengthOctets === 0 ? short : Number.parseInt(lengthField, 16)
    const least = lengthOctets === 0 ? 0 : lengthOctets === 2 ? 126 : 65_536
    if (length < least) throw new Error(`${length} in ${lengthOctets} octets`)
    at += 2 + lengthOctets
    const key = second >= 128 ? bytes.subarray(at, at + 4) : undefined
    at += key === undefined ? 0 : 4
    const payload = bytes.subarray(at, at + length)
    if (payload.length !== length) throw new Error('a frame is cut')
    frames.push({ firstOctet, payload: key === undefined ? payload : xored(payload, key), key })
    at += length
  }
  return frames
}

/** What `write` writes, frame by frame, in hex; `masked` is what all its frames must be. */
function written(masked: boolean, write: (target: FrameTarget) => void): string[] {
  return writtenBothWays(write).map(({ firstOctet, payload, key }) => {
    expect(key !== undefined).toBe(masked)
    return `${hex(Buffer.from([firstOctet]))}: ${payload.length > 300 ? `${payload.length} octets` : hex(payload)}`.trimEnd()
  })
}

function message(data: string | Buffer, masked: boolean, fragmentSize = Infinity, opcode = 1): Sent[] {
  return writtenBothWays((target) => writeMessage(target, opcode, data, masked, fragmentSize))
}

/** What `write` writes, which must be the same whether or not the target takes back what was claimed and not used. */
function writtenBothWays(write: (target: FrameTarget) => void): Sent[] {
  const [plain, flexible] = [false, true].map((takesBack) => {
    const target = new PoisonedTarget(takesBack)
    write(target)
    return framesIn(target.output)
  })
  const comparable = (frames: Sent[]): unknown[] =>
    frames.map(({ firstOctet, payload, key }) => [firstOctet, hex(payload), key !== undefined])
  expect(comparable(flexible)).toEqual(comparable(plain))
  return plain
}

const sides = [
  { side: 'server', masked: false },
  { side: 'client', masked: true },
] as const

describe('encodeFrame', () => {
  it('writes the examples in 5.7', () => {
    const maskingKey = KEY.readInt32LE()
    expect(encodeFrame({ opcode: 1, payload: 'Hello' })).toEqual(wire('81 05 48656c6c6f'))
    expect(encodeFrame({ opcode: 1, payload: 'Hello', maskingKey })).toEqual(wire('81 85 37fa213d 7f9f4d5158'))
    expect(encodeFrame({ opcode: 1, payload: 'Hel', fin: false })).toEqual(wire('01 03 48656c'))
    expect(encodeFrame({ opcode: 0, payload: 'lo' })).toEqual(wire('80 02 6c6f'))
    expect(encodeFrame({ opcode: 9, payload: 'Hello' })).toEqual(wire('89 05 48656c6c6f'))
    expect(encodeFrame({ opcode: 10, payload: 'Hello', maskingKey })).toEqual(wire('8a 85 37fa213d 7f9f4d5158'))
    for (const [header, length] of [
      ['82 7e 0100', 256],
      ['82 7f 0000000000010000', 65_536],
    ] as const) {
      const payload = Buffer.alloc(length, 'abc')
      expect(encodeFrame({ opcode: 2, payload }).equals(Buffer.concat([wire(header), payload]))).toBe(true)
    }
  })

  it('writes every first octet, those that no endpoint may send included', () => {
    for (let firstOctet = 0; firstOctet < 256; firstOctet++) {
      const [fin, rsv1, rsv2, rsv3] = [0x80, 0x40, 0x20, 0x10].map((bit) => (firstOctet & bit) !== 0)
      expect(encodeFrame({ opcode: firstOctet % 16, fin, rsv1, rsv2, rsv3, payload: 'x' })).toEqual(
        frame(firstOctet, 'x'),
      )
    }
    const long = Buffer.alloc(200, 1)
    expect(encodeFrame({ opcode: 9, fin: false, payload: long })).toEqual(frame(0x09, long))
  })

  it('writes an empty frame when there is no payload, with a key or without', () => {
    expect(encodeFrame({ opcode: 9 })).toEqual(wire('89 00'))
    expect(encodeFrame({ opcode: 9, maskingKey: 0 })).toEqual(wire('89 80 00000000'))
    expect(encodeFrame({ opcode: 9, maskingKey: -1 })).toEqual(wire('89 80 ffffffff'))
  })

  it('takes bytes of any length, masks a copy and fills all the memory that it takes [6455:5.3-i01] [6455:10.3-i01]', () => {
    const poisoned = vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => Buffer.alloc(size, POISON))
    for (const length of [0, 1, 5, 125, 126, 65_535, 65_536, 70_001]) {
      const payload = new Uint8Array(length).fill(0x3c)
      for (const key of [undefined, KEY]) {
        const encoded = encodeFrame({ opcode: 2, payload, ...(key && { maskingKey: key.readInt32LE() }) })
        expect(encoded.equals(frame(0x82, payload, key && { key }))).toBe(true)
        expect(payload.every((octet) => octet === 0x3c)).toBe(true)
      }
    }
    expect(poisoned).toHaveBeenCalled()
  })

  it('encodes strings as UTF-8, lone surrogates as U+FFFD', () => {
    expect(encodeFrame({ opcode: 1, payload: 'é€😀\ud800' })).toEqual(frame(0x81, 'é€😀\ufffd'))
  })
})

describe.each(sides)('writeMessage as a $side', ({ masked }) => {
  const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, COPY_UP_TO - 1, COPY_UP_TO, COPY_UP_TO + 1, 100_003]

  it.each(lengths)(
    'writes a message of %d octets as one frame with FIN, text and binary [6455:6.1-04] [6455:6.1-06] [6455:6.1-07]',
    (length) => {
      const text = 'ab€'.repeat(Math.ceil(length / 5)).slice(0, length)
      const payload = Buffer.alloc(length, 'abcdefg')
      for (const [opcode, data] of [
        [1, text],
        [1, payload],
        [2, payload],
      ] as const) {
        const [sent, ...more] = message(data, masked, Infinity, opcode)
        expect(more).toEqual([])
        expect(sent.firstOctet).toBe(0x80 + opcode)
        expect(sent.payload.equals(Buffer.from(data))).toBe(true)
      }
    },
  )

  it('masks when it is the client and never when it is the server [6455:5.1-01] [6455:5.1-04] [6455:5.3-01] [6455:6.1-08]', () => {
    for (const length of [0, 5, 200, 70_000]) {
      for (const data of ['x'.repeat(length), Buffer.alloc(length)]) {
        for (const fragmentSize of [Infinity, 1000]) {
          for (const { key } of message(data, masked, fragmentSize)) expect(key !== undefined).toBe(masked)
        }
      }
    }
  })

  it('leaves RSV1 to RSV3 at 0 [6455:5.2-02] [6455:5.2-09] [6455:5.2-10] [6455:5.2-11]', () => {
    for (const { firstOctet } of [
      ...message('x'.repeat(10), masked, 3),
      ...message(Buffer.alloc(70_000), masked, 40_000, 2),
    ]) {
      expect(firstOctet & 0x70).toBe(0)
    }
  })

  it('writes fragments of exactly fragmentSize, the opcode on the first, FIN on the last [6455:5.4-06] [6455:5.4-i01] [6455:6.1-05] [6455:6.1-06] [6455:6.1-07]', () => {
    expect(written(masked, (target) => writeMessage(target, 1, 'abcdefg', masked, 3))).toEqual([
      '01: 61 62 63',
      '00: 64 65 66',
      '80: 67',
    ])
    expect(written(masked, (target) => writeMessage(target, 2, Buffer.from('abcdef'), masked, 3))).toEqual([
      '02: 61 62 63',
      '80: 64 65 66',
    ])
    expect(written(masked, (target) => writeMessage(target, 1, 'abc', masked, 3))).toEqual(['81: 61 62 63'])
    expect(written(masked, (target) => writeMessage(target, 1, 'abcd', masked, 3))).toEqual(['01: 61 62 63', '80: 64'])
    expect(written(masked, (target) => writeMessage(target, 1, '', masked, 3))).toEqual(['81:'])
    expect(written(masked, (target) => writeMessage(target, 2, Buffer.from('abc'), masked, 1))).toEqual([
      '02: 61',
      '00: 62',
      '80: 63',
    ])
    expect(written(masked, (target) => writeMessage(target, 2, Buffer.alloc(50_000), masked, 20_000))).toEqual([
      '02: 20000 octets',
      '00: 20000 octets',
      '80: 10000 octets',
    ])
  })

  it('counts the fragments of a text in octets, and may cut a character', () => {
    expect(written(masked, (target) => writeMessage(target, 1, 'é€', masked, 3))).toEqual(['01: c3 a9 e2', '80: 82 ac'])
    expect(written(masked, (target) => writeMessage(target, 1, 'éé', masked, 3))).toEqual(['01: c3 a9 c3', '80: a9'])
  })

  it('writes lone surrogates as U+FFFD, so that what it sends is UTF-8 [6455:5.6-01]', () => {
    for (const data of ['\ud800', 'a\udc00b', '\ud83d'.repeat(100)]) {
      for (const fragmentSize of [Infinity, 2]) {
        const payload = Buffer.concat(message(data, masked, fragmentSize).map((sent) => sent.payload))
        expect(payload).toEqual(Buffer.from(data))
        expect(payload.toString()).toBe(data.replace(/[\ud800-\udfff]/g, '\ufffd'))
      }
    }
  })

  it('[V48] leaves the octets of the caller as they are [6455:10.3-i01]', () => {
    for (const length of [0, 3, 100, 70_000]) {
      for (const fragmentSize of [Infinity, 50]) {
        const data = Buffer.alloc(length, 'abc')
        message(data, masked, fragmentSize, 2)
        expect(data.equals(Buffer.alloc(length, 'abc'))).toBe(true)
      }
    }
  })

  it('sends a payload of up to 16 KiB as it was at the call [6455:10.3-i01]', () => {
    for (const length of [1, 100, COPY_UP_TO]) {
      const target = new PoisonedTarget()
      const data = Buffer.alloc(length, 'abc')
      writeMessage(target, 2, data, masked, Infinity)
      data.fill(0)
      expect(target.pushed).toEqual([])
      expect(framesIn(target.output)[0].payload.equals(Buffer.alloc(length, 'abc'))).toBe(true)
    }
  })
})

describe.each(sides)('writeMessage of a short text as a $side', ({ masked }) => {
  /** Both ways to the same octets: what `encodeFrame` makes of the text with the key that was drawn. */
  function expectAsEncoded(text: string): void {
    for (const takesBack of [false, true]) {
      const target = new PoisonedTarget(takesBack)
      writeMessage(target, 1, text, masked, Infinity)
      const { output } = target
      const [{ key }] = framesIn(output)
      const encoded = encodeFrame({ opcode: 1, payload: text, ...(key && { maskingKey: key.readInt32LE() }) })
      expect(hex(output)).toBe(hex(encoded))
      expect(target.claims.length).toBe(1)
      expect(key !== undefined).toBe(masked)
    }
  }

  it('equals encodeFrame at every length to 60, ASCII throughout', () => {
    for (let length = 0; length <= 60; length++) {
      expectAsEncoded('abcdefghij'.repeat(6).slice(0, length))
      expectAsEncoded('\0'.repeat(length))
      expectAsEncoded('\x7f'.repeat(length))
    }
  })

  it.each([
    ['U+0080', '\x80'],
    ['of two octets', 'é'],
    ['of three', '€'],
    ['of four', '😀'],
    ['that is half of one', '\ud800'],
    ['whose lower eight bits are ASCII', '\u0141'],
    ['whose lower seven bits are', '\u2061'],
  ])('equals encodeFrame with a character %s at the front, in the middle and at the end', (_, character) => {
    for (let length = 1; length <= 52; length++) {
      for (const at of [0, length >> 1, length - 1]) {
        const text = `${'a'.repeat(at)}${character}${'b'.repeat(length - 1 - at)}`
        expectAsEncoded(text)
      }
      expectAsEncoded(character.repeat(length))
    }
  })

  it('equals encodeFrame where characters are few and octets are many', () => {
    // 47 to 49 characters, octets around the 125 of the shortest header.
    for (const characters of [41, 42, 47, 48, 49]) {
      for (const long of [38, 39, 40, 41]) expectAsEncoded('€'.repeat(long) + 'a'.repeat(characters - long))
    }
  })

  it('equals encodeFrame for any string of up to 60 characters', () => {
    const ascii = fc.string({ maxLength: 60 })
    const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code))
    fc.assert(
      fc.property(
        fc.oneof(ascii, fc.string({ unit, maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 60 })),
        expectAsEncoded,
      ),
    )
  })

  it('needs no length beforehand where what is not used can be given back', () => {
    const byteLength = vi.spyOn(Buffer, 'byteLength')
    for (const text of ['abc', '€'.repeat(42), 'é'.repeat(5000), 'a'.repeat(48), 'a'.repeat(49)]) {
      const target = new PoisonedTarget(true)
      writeMessage(target, 1, text, masked, Infinity)
      expect(framesIn(target.output)[0].payload.toString()).toBe(text)
    }
    // Three characters fit into nine octets, whatever they are.
    writeMessage(new PoisonedTarget(true), 1, 'abc', masked, 9)
    expect(byteLength).not.toHaveBeenCalled()
  })

  it('takes a claim at the very beginning of memory for one', () => {
    const byteLength = vi.spyOn(Buffer, 'byteLength')
    const settled: number[] = []
    const bytes = Buffer.alloc(64)
    const claimUpTo = (): number => 0
    const settle = (size: number): number => settled.push(size)
    writeMessage({ bytes, claimUpTo, settle, claim: claimUpTo, push: () => {} }, 1, 'abc', masked, Infinity)
    expect(settled).toEqual([masked ? 9 : 5])
    expect(framesIn(bytes.subarray(0, settled[0]))[0].payload.toString()).toBe('abc')
    expect(byteLength).not.toHaveBeenCalled()
  })

  it('counts fragments in octets, not in characters', () => {
    expect(message('ab€', masked, 5).map(({ firstOctet }) => firstOctet)).toEqual([0x81])
    expect(message('ab€', masked, 4).map(({ firstOctet }) => firstOctet)).toEqual([0x01, 0x80])
    expect(message('abcd', masked, 4).map(({ firstOctet }) => firstOctet)).toEqual([0x81])
  })
})

describe('writeMessage', () => {
  it('sends a larger payload as it was at the call when client, and by reference when server [6455:10.3-i01]', () => {
    for (const { masked } of sides) {
      const target = new PoisonedTarget()
      const data = Buffer.alloc(COPY_UP_TO + 1, 'abc')
      writeMessage(target, 2, data, masked, Infinity)
      expect(target.pushed.map(({ buffer, length }) => [buffer === data.buffer, length])).toEqual(
        masked ? [] : [[true, COPY_UP_TO + 1]],
      )
      data.fill(0)
      expect(framesIn(target.output)[0].payload.equals(masked ? Buffer.alloc(COPY_UP_TO + 1, 'abc') : data)).toBe(true)
    }
  })

  it('claims a header and its small payload as one, and the header of a large one alone', () => {
    const claims = (data: string | Buffer, masked: boolean): number[] => {
      const target = new PoisonedTarget()
      writeMessage(target, 2, data, masked, Infinity)
      return target.claims.map(({ size }) => size)
    }
    expect(claims('Hello', false)).toEqual([7])
    expect(claims(Buffer.from('Hello'), true)).toEqual([11])
    expect(claims(Buffer.alloc(COPY_UP_TO), false)).toEqual([4 + COPY_UP_TO])
    expect(claims(Buffer.alloc(COPY_UP_TO + 1), false)).toEqual([4])
    expect(claims(Buffer.alloc(70_000), false)).toEqual([10])
    expect(claims('x'.repeat(70_000), false)).toEqual([10])
    expect(claims('x'.repeat(70_000), true)).toEqual([14 + 70_000])
  })

  it('encodes a text that fits straight behind its header', () => {
    const from = vi.spyOn(Buffer, 'from')
    const byteLength = vi.spyOn(Buffer, 'byteLength')
    const target = new PoisonedTarget()
    writeMessage(target, 1, 'é'.repeat(COPY_UP_TO / 2), false, Infinity)
    writeMessage(target, 1, 'abc', true, 3)
    expect(from).not.toHaveBeenCalled()
    writeMessage(target, 1, `${'é'.repeat(COPY_UP_TO / 2)}!`, true, Infinity)
    expect(from).toHaveBeenCalledTimes(1)
    byteLength.mockClear()
    // One of more characters than octets fit need not be counted.
    writeMessage(target, 1, 'a'.repeat(COPY_UP_TO + 1), true, Infinity)
    expect(byteLength).not.toHaveBeenCalled()
  })

  it('fills what it claims, for text and binary of many lengths, whatever lay there before', () => {
    const wrong: string[] = []
    for (let length = 0; length < 400; length++) {
      const text = '€é!'.repeat(length).slice(0, length)
      for (const { side, masked } of sides) {
        for (const data of [text, Buffer.from(text)]) {
          for (const fragmentSize of [Infinity, 64]) {
            const payload = Buffer.concat(message(data, masked, fragmentSize).map((sent) => sent.payload))
            if (!payload.equals(Buffer.from(text))) wrong.push(`${side} ${length}: ${hex(payload)}`)
          }
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('[V46] [V47] masks every frame with a fresh key, empty ones, fragments and control frames included [6455:5.3-02] [6455:5.3-04] [6455:10.3-01]', () => {
    const target = new PoisonedTarget()
    for (let i = 0; i < 50; i++) {
      writeMessage(target, 1, '', true, Infinity)
      writeMessage(target, 1, 'Hello', true, Infinity)
      writeMessage(target, 2, Buffer.from('Hello'), true, 2)
      writeMessage(target, 2, Buffer.alloc(0), true, Infinity)
      writeControl(target, 9, Buffer.alloc(0), true)
    }
    const keys = framesIn(target.output).map(({ key }) => hex(key!))
    expect(keys).toHaveLength(50 * 7)
    // Two equal keys among so few come once in 70,000 runs; three never.
    expect(new Set(keys).size).toBeGreaterThanOrEqual(keys.length - 1)
  })

  it('claims nothing when there is no randomness to be had', () => {
    fill.mockImplementation(() => {
      throw new Error('no entropy')
    })
    const target = new PoisonedTarget()
    for (const data of ['Hello', Buffer.from('Hello')]) {
      expect(() => {
        for (let i = 0; i <= 1024; i++) {
          target.claims.length = 0
          writeMessage(target, 1, data, true, Infinity)
        }
      }).toThrow('no entropy')
      expect(target.claims).toEqual([])
    }
  })
})

describe.each(sides)('writeControl as a $side', ({ masked }) => {
  it('writes control frames of 0 to 125 octets as one frame with FIN [6455:5.4-02] [6455:5.5-01] [6455:5.5-02] [6455:5.5.1-i01]', () => {
    for (const opcode of [8, 9, 10]) {
      for (const length of [0, 1, 2, 124, 125]) {
        const payload = Buffer.alloc(length, 'abc')
        const target = new PoisonedTarget()
        writeControl(target, opcode, payload, masked)
        const frames = framesIn(target.output)
        expect(frames).toEqual([{ firstOctet: 0x80 + opcode, payload, key: masked ? expect.anything() : undefined }])
        expect(target.claims.map(({ size }) => size)).toEqual([2 + (masked ? 4 : 0) + length])
        expect(payload).toEqual(Buffer.alloc(length, 'abc'))
      }
    }
  })
})

describe.each(sides)('writeFragments as a $side', ({ masked }) => {
  it('leaves FIN to the last octets of a message, and the opcode to its first frame [6455:5.4-i01] [6455:6.1-05] [6455:6.1-07]', () => {
    expect(
      written(masked, (target) => {
        writeFragments(target, 1, Buffer.from('abcde'), masked, 2, false)
        writeFragments(target, 0, Buffer.alloc(0), masked, 2, false)
        writeFragments(target, 0, Buffer.from('fg'), masked, 2, false)
        writeFragments(target, 0, Buffer.from('hij'), masked, 2, true)
      }),
    ).toEqual(['01: 61 62', '00: 63 64', '00: 65', '00:', '00: 66 67', '00: 68 69', '80: 6a'])
    expect(written(masked, (target) => writeFragments(target, 2, Buffer.from('abc'), masked, 2, true))).toEqual([
      '02: 61 62',
      '80: 63',
    ])
    expect(written(masked, (target) => writeFragments(target, 0, Buffer.alloc(0), masked, 2, true))).toEqual(['80:'])
  })
})

describe('FrameList', () => {
  it('gathers frames in the order they were written, and counts their octets', () => {
    const list = new FrameList()
    expect([list.frames, list.size]).toEqual([[], 0])
    const large = Buffer.alloc(COPY_UP_TO + 1, 'abc')
    writeMessage(list, 1, 'Hello', false, 3)
    writeMessage(list, 2, large, false, Infinity)
    writeControl(list, 9, Buffer.from('ping'), true)
    const bytes = Buffer.concat(list.frames)
    expect(list.size).toBe(bytes.length)
    const payloads = framesIn(bytes).map(({ firstOctet, payload }) => [firstOctet, payload.toString()])
    expect(payloads).toEqual([
      [0x01, 'Hel'],
      [0x80, 'lo'],
      [0x82, large.toString()],
      [0x89, 'ping'],
    ])
    expect(list.frames.some((part) => part.buffer === large.buffer)).toBe(true)
  })

  it('takes a short text, though it cannot give memory back', () => {
    const list = new FrameList()
    writeMessage(list, 1, 'Hellö', false, Infinity)
    writeMessage(list, 1, '', false, Infinity)
    expect(list.frames).toEqual([wire('81 06 48656c6cc3b6'), wire('81 00')])
    expect(list.size).toBe(10)
  })

  it('[V44] leaves no octet of its memory unwritten', () => {
    const poisoned = vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => Buffer.alloc(size, POISON))
    for (const length of [0, 1, 125, 126, 5000, 70_000]) {
      const list = new FrameList()
      writeMessage(list, 2, Buffer.alloc(length, 1), false, Infinity)
      expect(Buffer.concat(list.frames).equals(frame(0x82, Buffer.alloc(length, 1)))).toBe(true)
    }
    expect(poisoned).toHaveBeenCalled()
  })
})

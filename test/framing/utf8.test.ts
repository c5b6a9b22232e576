/**
 * UTF-8 (RFC 6455 8.1, RFC 3629). What is expected comes from a decoder of its own, which does arithmetic where the
 * source has a table of ranges, and which is held against TextDecoder in turn.
 */
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { simd } from '../../src/framing/simd.ts'
import { Utf8Validator, isValidUtf8, readUtf8, writeUtf8 } from '../../src/framing/utf8.ts'
import { mutating } from '../support/mutating.ts'
import { hex, wire } from '../support/wire.ts'

/** Valid: every sequence is a code point in its shortest form, no surrogate, at most U+10FFFF. */
function isText(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at]
    const length =
      first < 0x80 ? 1 : first >> 5 === 0b110 ? 2 : first >> 4 === 0b1110 ? 3 : first >> 3 === 0b11110 ? 4 : 0
    if (length === 0 || at + length > bytes.length) return false
    let codePoint = length === 1 ? first : first & (0x7f >> length)
    for (let i = 1; i < length; i++) {
      if (bytes[at + i] >> 6 !== 0b10) return false
      codePoint = codePoint * 64 + (bytes[at + i] & 0x3f)
    }
    const smallest = [0, 0, 0x80, 0x800, 0x1_0000][length]
    if (codePoint < smallest || codePoint > 0x10_ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return false
    at += length
  }
  return true
}

function isTextToTextDecoder(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

const ENDINGS = [0, 1, 2, 3].flatMap((length) => {
  let endings: number[][] = [[]]
  for (let i = 0; i < length; i++) {
    endings = endings.flatMap((ending) => [0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf].map((octet) => [...ending, octet]))
  }
  return endings
})

/** Octets of `bytes` from the front that some valid text begins with: the next one is the first bad one. */
function goodOctets(bytes: Uint8Array): number {
  const scratch = Buffer.alloc(bytes.length + 3)
  for (let length = 1; length <= bytes.length; length++) {
    scratch.set(bytes.subarray(0, length))
    const canGoOn = ENDINGS.some((ending) => {
      scratch.set(ending, length)
      return isText(scratch.subarray(0, length + ending.length))
    })
    if (!canGoOn) return length - 1
  }
  return bytes.length
}

/** Octets that a validator takes one by one before it refuses one. */
function octetsTaken(bytes: Uint8Array): number {
  const validator = new Utf8Validator()
  for (let at = 0; at < bytes.length; at++) {
    if (!validator.push(Buffer.from([bytes[at]]), 0, 1)) return at
  }
  return bytes.length
}

function isValidInPieces(bytes: Buffer, cuts: readonly number[]): boolean {
  const validator = new Utf8Validator()
  const ends = [...cuts, bytes.length]
  return ends.every((end, i) => validator.push(bytes, i === 0 ? 0 : ends[i - 1], end)) && validator.complete
}

/** Whether pieces that end at `ends` are taken up to the one that holds the first bad octet, and that one is refused. */
function failsFast(bytes: Buffer, ends: readonly number[], good: number): boolean {
  const validator = new Utf8Validator()
  const refused = ends.findIndex((end, i) => !validator.push(bytes, i === 0 ? 0 : ends[i - 1], end))
  return refused === ends.findIndex((end) => end > good)
}

/** Checks a verdict for `bytes` whole, cut in two everywhere, cut in three everywhere and octet by octet. */
function expectVerdict(bytes: Buffer, valid: boolean): void {
  const wrong: string[] = []
  const good = goodOctets(bytes)
  if (isValidUtf8(bytes) !== valid) wrong.push('isValidUtf8')
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      if (isValidInPieces(bytes, [first, second]) !== valid) wrong.push(`cut at ${first} and ${second}`)
      if (!failsFast(bytes, [first, second, bytes.length], good)) wrong.push(`late, cut at ${first} and ${second}`)
    }
  }
  if (isValidInPieces(bytes, [...bytes.keys()]) !== valid) wrong.push('octet by octet')
  expect({ bytes: hex(bytes), valid, wrong }).toEqual({ bytes: hex(bytes), valid, wrong: [] })
}

/** Random octets, the same in every run, near enough to UTF-8 to be valid at times. */
function* nearText(count: number, longest: number): Generator<Buffer> {
  const interesting = wire('00 41 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 f7 f8 fc ff')
  let seed = 0x2545_f491
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  for (let i = 0; i < count; i++) {
    const bytes = Buffer.alloc(1 + next(longest))
    for (let at = 0; at < bytes.length; at++) bytes[at] = interesting[next(interesting.length)]
    yield bytes
  }
}

const k = 'cebae1bdb9cf83cebcceb5'

/** Autobahn's section 6, cases 6.5 to 6.23. */
const valid = [
  `68656c6c6f24776f726c64 68656c6c6fc2a2776f726c64 68656c6c6fe282ac776f726c64 68656c6c6ff0a4ada2776f726c64 ${k}`,
  'ceba cebae1bdb9 cebae1bdb9cf83 cebae1bdb9cf83cebc',
  '00 c280 e0a080 f0908080 7f dfbf efbfbf f48fbfbf ed9fbf ee8080 efbfbd',
  'efbfbe f09fbfbe f09fbfbf f0afbfbe f0afbfbf f0bfbfbe f0bfbfbf f18fbfbe f18fbfbf f19fbfbe f19fbfbf f1afbfbe f1afbfbf',
  'f1bfbfbe f1bfbfbf f28fbfbe f28fbfbf f29fbfbe f29fbfbf f2afbfbe f2afbfbf f2bfbfbe f2bfbfbf f38fbfbe f38fbfbf',
  'f39fbfbe f39fbfbf f3afbfbe f3afbfbf f3bfbfbe f3bfbfbf f48fbfbe efbfb9 efbfba efbfbb efbfbc',
].flatMap((line) => line.split(' '))
const invalid = [
  `${k}eda080656469746564 ce cebae1 cebae1bd cebae1bdb9cf cebae1bdb9cf83ce cebae1bdb9cf83cebcce`,
  'f888808080 fc8480808080 f7bfbfbf fbbfbfbfbf fdbfbfbfbfbf f4908080 80 bf 80bf 80bf80 80bf80bf 80bf80bf80 80bf80bf80bf',
  'c020c120c220c320 e020e120e220 f020f120f220f320f420f520f620 f820f920fa20 fc20 c0 e080 f08080 f8808080 fc80808080',
  'df efbf f7bfbf fbbfbfbf fdbfbfbfbf c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf fe ff fefeffff',
  'c0af e080af f08080af f8808080af fc80808080af c1bf e09fbf f08fbfbf f887bfbfbf fc83bfbfbfbf c080 e08080 f0808080',
  'f880808080 fc8080808080 eda080 edadbf edae80 edafbf edb080 edbe80 edbfbf eda080edb080 eda080edbfbf edadbfedb080',
  'edadbfedbfbf edae80edb080 edae80edbfbf edafbfedb080 edafbfedbfbf',
].flatMap((line) => line.split(' '))

describe('the expectations of this file', () => {
  it('agree with TextDecoder', () => {
    const differ: string[] = []
    const pair = Buffer.alloc(2)
    for (let octets = 0; octets < 0x1_0000; octets++) {
      pair.writeUInt16BE(octets)
      if (isText(pair) !== isTextToTextDecoder(pair)) differ.push(hex(pair))
    }
    for (const bytes of [...nearText(20_000, 6), ...[...valid, ...invalid].map(wire)]) {
      if (isText(bytes) !== isTextToTextDecoder(bytes)) differ.push(hex(bytes))
    }
    expect(differ).toEqual([])
  })
})

describe('Utf8Validator', () => {
  it.each(valid)('takes %s, wherever it is cut [6455:5.6-01] [6455:8.1-01]', (literal) => {
    expectVerdict(wire(literal), true)
    expect(octetsTaken(wire(literal))).toBe(literal.length / 2)
  })

  it.each(invalid)(
    'refuses %s, wherever it is cut, and octet by octet at the first bad octet [6455:8.1-01]',
    (literal) => {
      expectVerdict(wire(literal), false)
      expect(octetsTaken(wire(literal))).toBe(goodOctets(wire(literal)))
    },
  )

  it('[A12] judges all sequences of one and two octets as they are, whole and cut', () => {
    const wrong: string[] = []
    const bytes = Buffer.alloc(2)
    for (let octets = 0; octets < 0x1_0000; octets++) {
      bytes.writeUInt16BE(octets)
      const verdicts = [isValidInPieces(bytes, []), isValidInPieces(bytes, [1]), isValidUtf8(bytes)]
      if (verdicts.some((verdict) => verdict !== isText(bytes))) wrong.push(hex(bytes))
    }
    for (let octet = 0; octet < 256; octet++) {
      const one = Buffer.from([octet])
      if (isValidInPieces(one, []) !== isText(one) || isValidUtf8(one) !== isText(one)) wrong.push(hex(one))
    }
    expect(wrong).toEqual([])
  })

  it.skipIf(mutating)('[A12] judges all sequences of three octets as they are', () => {
    let wrong = 0
    let validator = new Utf8Validator()
    const bytes = Buffer.alloc(3)
    // ASCII in front leaves a sequence of two, and those are all judged above.
    for (let octets = 0x7f_0000; octets < 0x100_0000; octets++) {
      bytes[0] = octets >> 16
      bytes[1] = octets >> 8
      bytes[2] = octets
      const verdict = validator.push(bytes, 0, 3) && validator.complete
      if (verdict !== isText(bytes)) wrong++
      // One that has refused, or waits for more, is of no use to the next sequence.
      if (!verdict) validator = new Utf8Validator()
    }
    expect(wrong).toBe(0)
  })

  it.skipIf(mutating)('judges all sequences of three octets as they are, octet by octet', () => {
    const wrong: string[] = []
    const bytes = Buffer.alloc(3)
    for (let octets = 0x7f00; octets < 0x1_0000; octets++) {
      bytes.writeUInt16BE(octets)
      const taken = octetsTaken(bytes.subarray(0, 2))
      const good = goodOctets(bytes.subarray(0, 2))
      if (taken !== good || !failsFast(bytes, [2], good)) wrong.push(hex(bytes.subarray(0, 2)))
      // What is refused after two octets is not asked about the third.
      if (taken < 2) continue
      for (let third = 0; third < 256; third++) {
        bytes[2] = third
        if (isValidInPieces(bytes, [1, 2]) !== isText(bytes)) wrong.push(hex(bytes))
      }
    }
    expect(wrong).toEqual([])
  })

  it('[A12] judges sequences of four octets as they are, at every edge of every octet', () => {
    const edges = wire('00 7f 80 81 8e 8f 90 91 9f a0 be bf c0 c2 ff')
    for (const first of wire('ef f0 f1 f2 f3 f4 f5 f7 f8 ff')) {
      for (const second of edges) {
        for (const third of edges) {
          const three = Buffer.from([first, second, third])
          expect(failsFast(three, [3], goodOctets(three))).toBe(true)
          for (const fourth of edges) {
            const bytes = Buffer.from([first, second, third, fourth])
            const expected = isText(bytes)
            const verdicts = [[], [1], [2], [3], [1, 2, 3]].map((cuts) => isValidInPieces(bytes, cuts))
            if (verdicts.some((verdict) => verdict !== expected)) expectVerdict(bytes, expected)
          }
        }
      }
    }
    expectVerdict(wire('f48fbfbf'), true)
  })

  it('[A12] refuses at exactly the first bad octet, and knows when the last character is whole', () => {
    for (const bytes of nearText(2_000, 7)) {
      const good = goodOctets(bytes)
      if (octetsTaken(bytes) !== good) expect(`${hex(bytes)}: ${octetsTaken(bytes)}`).toBe(`${hex(bytes)}: ${good}`)
      if (good < bytes.length) continue
      const validator = new Utf8Validator()
      expect(validator.push(bytes, 0, bytes.length)).toBe(true)
      expect(validator.complete).toBe(isText(bytes))
    }
  })

  it('judges text near UTF-8 as it is, however it is cut', () => {
    for (const bytes of nearText(2_000, 12)) expectVerdict(bytes, isText(bytes))
  })

  it('looks at nothing outside of start and end', () => {
    const bytes = wire('ff e2 82 ac ff')
    const validator = new Utf8Validator()
    expect(validator.complete).toBe(true)
    expect(validator.push(bytes, 1, 1)).toBe(true)
    expect(validator.push(bytes, 1, 3)).toBe(true)
    expect(validator.complete).toBe(false)
    expect(validator.push(bytes, 3, 3)).toBe(true)
    expect(validator.complete).toBe(false)
    expect(validator.push(bytes, 3, 4)).toBe(true)
    expect(validator.complete).toBe(true)
  })

  it('finds a bad octet anywhere in a long piece', () => {
    const text = Buffer.from('añ€😀'.repeat(400))
    for (let at = 0; at < text.length; at += 7) {
      const bytes = Buffer.from(text)
      bytes[at] = 0xff
      const validator = new Utf8Validator()
      expect(validator.push(bytes, 0, at)).toBe(true)
      expect(validator.push(bytes, at, bytes.length)).toBe(false)
      expect(new Utf8Validator().push(bytes, 0, bytes.length)).toBe(false)
    }
  })
})

/** What is in memory of one's own, in a part of the pool that Node shares, and in that which transports are read into. */
const PLACES: readonly (readonly [where: string, memory: (size: number) => Buffer])[] = [
  ['memory of its own', (size) => Buffer.from(new ArrayBuffer(size))],
  ['the pool', (size) => Buffer.allocUnsafe(size)],
  [
    'the memory that is lent for reading',
    (size) => {
      if (simd === undefined) throw new Error('no WebAssembly here')
      if (size > simd.lent.length) throw new Error('it is not that large')
      return simd.lent
    },
  ],
]

/** What TextDecoder makes of `bytes`; `undefined` when that is not text. */
function textToTextDecoder(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

describe.each(PLACES)('readUtf8 in %s', (_, memory) => {
  /** Reads `octets` between others that must not be looked at: ASCII, high octets, and halves of characters. */
  function expectRead(octets: Buffer): void {
    const expected = textToTextDecoder(octets)
    for (const around of [0x61, 0xff, 0xc3, 0x80]) {
      for (const start of [0, 1, 17]) {
        const bytes = memory(start + octets.length + 20)
        bytes.fill(around, 0, start)
        bytes.fill(around, start + octets.length, start + octets.length + 20)
        bytes.set(octets, start)
        const text = readUtf8(bytes, start, start + octets.length)
        if (text !== expected) expect({ octets: hex(octets), around, start, text }).toEqual({ text: expected })
      }
    }
  }

  it('answers the text of valid UTF-8 [6455:5.6-01]', () => {
    for (const literal of valid) expectRead(wire(literal))
    expect(valid.every((literal) => textToTextDecoder(wire(literal)) !== undefined)).toBe(true)
  })

  it('answers undefined for what is none [6455:8.1-01]', () => {
    for (const literal of invalid) expectRead(wire(literal))
    expect(invalid.every((literal) => textToTextDecoder(wire(literal)) === undefined)).toBe(true)
    expectRead(Buffer.concat([Buffer.alloc(1000, 'a'), Buffer.from([0xff])]))
    expectRead(Buffer.concat([Buffer.from([0x80]), Buffer.alloc(1000, 'a')]))
  })

  it('answers an empty string for no octets', () => {
    const bytes = memory(20)
    bytes.fill(0xff, 0, 20)
    for (const at of [0, 1, 20]) expect(readUtf8(bytes, at, at)).toBe('')
  })

  it('keeps a byte order mark, NUL and every octet of ASCII', () => {
    expectRead(wire('efbbbf 61 00 7f efbbbf'))
    expectRead(Buffer.from(Array.from({ length: 128 }, (__, i) => i)))
    const bytes = memory(3)
    bytes.set(wire('efbbbf'))
    expect(readUtf8(bytes, 0, 3)).toBe('\ufeff')
  })

  it('reads long text, ASCII and not, with a character that is not anywhere', () => {
    for (const length of [15, 16, 17, 31, 32, 33, 127, 5000, 60_000]) {
      const ascii = Buffer.alloc(length, 'abcdefg')
      expectRead(ascii)
      expectRead(Buffer.alloc(length, 'aé€😀'))
      for (const at of [0, length >> 1, length - 2]) {
        const octets = Buffer.from(ascii)
        octets.set(wire('c3a9'), at)
        expectRead(octets)
      }
    }
  })

  it('says what TextDecoder says, of text and of octets near to it', () => {
    for (const octets of nearText(300, 12)) expectRead(octets)
    const texts = fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text))
    const octets = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
    fc.assert(fc.property(fc.oneof(texts, octets), expectRead))
  })
})

describe('readUtf8 without WebAssembly', () => {
  it('says what TextDecoder says', async () => {
    vi.resetModules()
    vi.stubGlobal('WebAssembly', undefined)
    const without = await import('../../src/framing/utf8.ts')
    vi.unstubAllGlobals()
    for (const literal of [...valid, ...invalid, '']) {
      const bytes = wire(`ff ${literal} ff`)
      expect(without.readUtf8(bytes, 1, bytes.length - 1)).toBe(textToTextDecoder(wire(literal)))
    }
  })
})

describe.each(PLACES)('writeUtf8 in %s', (_, memory) => {
  /** Writes `text` between neighbours and compares with TextEncoder, which writes lone surrogates as U+FFFD, too. */
  function expectWritten(text: string): void {
    const expected = new TextEncoder().encode(text)
    for (const offset of [0, 1, 17]) {
      const bytes = memory(offset + expected.length + 20)
      const seen = bytes.subarray(0, offset + expected.length + 20)
      seen.fill(0xa5)
      writeUtf8(bytes, text, offset, expected.length)
      const wanted = Buffer.concat([Buffer.alloc(offset, 0xa5), expected, Buffer.alloc(20, 0xa5)])
      if (!seen.equals(wanted)) expect({ text, offset, written: hex(seen) }).toEqual({ written: hex(wanted) })
    }
  }

  it.each([
    '',
    'Hello',
    '\0\x7f',
    'é',
    'é€😀',
    '\ufeffa',
    '\ud800',
    'a\udc00b',
    '\ud83d',
    'a'.repeat(49),
    'é'.repeat(8000),
    '😀'.repeat(8000),
    `${'a'.repeat(50_000)}é`,
  ])('writes %j and nothing beside it', (text) => {
    expectWritten(text)
  })

  it('writes what TextEncoder writes, for any string', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
        expectWritten,
      ),
    )
  })
})

describe('What readUtf8 and writeUtf8 call without the types knowing it', () => {
  it.each(['latin1Slice', 'utf8Slice', 'utf8Write'])('is there: Buffer.prototype.%s', (name) => {
    expect(Reflect.get(Buffer.prototype, name)).toBeTypeOf('function')
  })
})

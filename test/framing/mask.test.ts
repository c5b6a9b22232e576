/**
 * Masking (RFC 6455 5.3) and its keys (10.3). `applyMaskPlain` is held against the sentence of the RFC, `applyMask`
 * against `applyMaskPlain` wherever the two could part: length, place in the memory, phase of the key, kind of memory.
 */
import { totalmem } from 'node:os'
import { randomFillSync } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { applyMask, applyMaskPlain, createMaskingKey } from '../../src/framing/mask.ts'
import { simd } from '../../src/framing/simd.ts'
import { KEY, hex, wire, xored } from '../support/wire.ts'

vi.mock(import('node:crypto'), async (original) => {
  const crypto = await original()
  return { ...crypto, randomFillSync: vi.fn(crypto.randomFillSync) as typeof crypto.randomFillSync }
})

const key = 0x3d21fa37
const KEYS = [key, -1, 1, -0x8000_0000, 0x00ff_0000, 0x0102_0304]

function keyOctets(maskingKey: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeInt32LE(maskingKey)
  return octets
}

/** Octets that differ from their neighbours at every distance that matters here. */
function pattern(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 151 + (i >> 8) * 31 + 7) & 0xff))
}

describe('applyMaskPlain', () => {
  it('masks and unmasks the examples in 5.7 [6455:5.3-i01]', () => {
    const bytes = Buffer.from('Hello')
    applyMaskPlain(bytes, 0, 5, key)
    expect(bytes).toEqual(wire('7f 9f 4d 51 58'))
    applyMaskPlain(bytes, 0, 5, key)
    expect(bytes.toString()).toBe('Hello')
  })

  it('XORs octet i with key octet i mod 4, between start and end only [6455:5.3-i01]', () => {
    for (const maskingKey of KEYS) {
      for (let length = 0; length <= 64; length++) {
        const bytes = pattern(length + 10)
        const expected = Buffer.concat([
          bytes.subarray(0, 3),
          xored(bytes.subarray(3, 3 + length), keyOctets(maskingKey)),
          bytes.subarray(3 + length),
        ])
        applyMaskPlain(bytes, 3, 3 + length, maskingKey)
        expect(hex(bytes)).toBe(hex(expected))
      }
    }
  })

  it('answers the key as the octet after the last one meets it', () => {
    const answers = [0, 1, 2, 3, 4, 5].map((length) => hex(keyOctets(applyMaskPlain(pattern(8), 0, length, key))))
    expect(answers).toEqual(['37 fa 21 3d', 'fa 21 3d 37', '21 3d 37 fa', '3d 37 fa 21', '37 fa 21 3d', 'fa 21 3d 37'])
  })
})

/** Masks with both functions at `offset` of equal memories; describes the first difference. */
function difference(memory: Buffer, offset: number, length: number, maskingKey: number): string | undefined {
  const fast = Buffer.from(new ArrayBuffer(memory.length))
  const plain = Buffer.from(new ArrayBuffer(memory.length))
  fast.set(memory)
  plain.set(memory)
  const fastAnswer = applyMask(fast, offset, offset + length, maskingKey)
  const plainAnswer = applyMaskPlain(plain, offset, offset + length, maskingKey)
  if (fastAnswer === plainAnswer && fast.equals(plain)) return undefined
  return `length ${length} at ${offset}, key ${maskingKey}: answered ${fastAnswer} for ${plainAnswer}, ${hex(fast)} for ${hex(plain)}`
}

describe('applyMask', () => {
  it('equals applyMaskPlain for every length to 300, every place in a word and every phase of the key', () => {
    const differences: string[] = []
    const memory = pattern(320)
    for (let length = 0; length <= 300 && differences.length === 0; length++) {
      for (let offset = 0; offset < 8; offset++) {
        for (const maskingKey of [key, -0x05de_c2c9, 0x0102_0304, -1, 1]) {
          for (let phase = 0; phase < 4; phase++) {
            const rotated = applyMaskPlain(Buffer.alloc(phase), 0, phase, maskingKey)
            const found = difference(memory, offset, length, rotated)
            if (found !== undefined) differences.push(found)
          }
        }
      }
    }
    expect(differences).toEqual([])
  })

  it('equals applyMaskPlain for a view that begins anywhere, in memory of any size', () => {
    const differences: string[] = []
    for (let size = 0; size <= 130 && differences.length === 0; size++) {
      for (let base = 0; base <= Math.min(size, 9); base++) {
        for (const start of [0, 1, 2, 3]) {
          const length = size - base - start
          if (length < 0) continue
          const memory = Buffer.from(new ArrayBuffer(size))
          memory.set(pattern(size))
          const expected = Buffer.from(memory)
          const answer = applyMask(memory.subarray(base), start, start + length, key)
          const expectedAnswer = applyMaskPlain(expected.subarray(base), start, start + length, key)
          if (answer !== expectedAnswer || !memory.equals(expected)) differences.push(`${size} ${base} ${start}`)
        }
      }
    }
    expect(differences).toEqual([])
  })

  it('goes on with its answer, so that a payload may come in pieces cut anywhere', () => {
    const whole = pattern(200)
    applyMaskPlain(whole, 0, 200, key)
    for (let first = 0; first <= 200; first++) {
      for (const second of [first, Math.min(first + 1, 200), Math.min(first + 50, 200)]) {
        const pieces = pattern(200)
        let rotated = applyMask(pieces, 0, first, key)
        rotated = applyMask(pieces, first, second, rotated)
        rotated = applyMask(pieces, second, 200, rotated)
        expect(rotated).toBe(key)
        if (!pieces.equals(whole)) expect(`${first} ${second} ${hex(pieces)}`).toBe(hex(whole))
      }
    }
  })

  it('masks subarrays of the shared pool and leaves their neighbours alone', () => {
    const neighbours = [Buffer.allocUnsafe(64), Buffer.allocUnsafe(101), Buffer.allocUnsafe(64)]
    expect(neighbours[0].buffer).toBe(neighbours[2].buffer)
    for (const neighbour of neighbours) neighbour.set(pattern(neighbour.length))
    applyMask(neighbours[1], 0, 101, key)
    expect(neighbours[0]).toEqual(pattern(64))
    expect(neighbours[1]).toEqual(xored(pattern(101), KEY))
    expect(neighbours[2]).toEqual(pattern(64))
  })

  it('masks a Uint8Array in shared memory', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(77), 1)
    expect(applyMask(bytes, 0, 76, key)).toBe(key)
    expect(hex(bytes)).toBe(hex(xored(Buffer.alloc(76), KEY)))
  })

  it('tells apart two memories that are masked in turn, large ones too', () => {
    for (const size of [64, 1_048_576, 1_048_577, 3_000_000]) {
      const [one, two] = [new Uint8Array(size), new Uint8Array(size)]
      for (const bytes of [one, two, one]) applyMask(bytes, size - 64, size, key)
      expect(Buffer.from(one).equals(Buffer.alloc(size))).toBe(true)
      expect(hex(two.subarray(-64))).toBe(hex(xored(Buffer.alloc(64), KEY)))
    }
  })

  // Memory that nobody has touched takes no room, but a small machine may refuse to promise so much of it.
  it.skipIf(totalmem() < 2 ** 33)('reaches the end of memory of more than 4 GiB', () => {
    const memory = new ArrayBuffer(2 ** 32 + 4096)
    for (const offset of [2 ** 31 - 100, 2 ** 32 - 100, memory.byteLength - 200]) {
      const bytes = new Uint8Array(memory, offset, 200)
      applyMask(bytes, 1, 199, key)
      const expected = Buffer.concat([Buffer.alloc(1), xored(Buffer.alloc(198), KEY), Buffer.alloc(1)])
      expect(hex(bytes)).toBe(hex(expected))
    }
  })

  it('touches by octets only those before the first word and behind the last', () => {
    for (let start = 0; start < 8; start++) {
      let byOctet = 0
      const bytes = new Proxy(pattern(1008), {
        get: (target, name) => Reflect.get(target, name) as unknown,
        set: (target, name, value) => {
          byOctet++
          return Reflect.set(target, name, value)
        },
      })
      applyMask(bytes, start, start + 1000, key)
      expect(byOctet).toBeLessThanOrEqual(6)
    }
  })

  it('makes one view for many frames in one memory, and remembers none of a large one', () => {
    let views = 0
    const Counted = new Proxy(Int32Array, {
      construct(target, args) {
        views++
        return Reflect.construct(target, args) as Int32Array
      },
    })
    vi.stubGlobal('Int32Array', Counted)
    const [small, large] = [new Uint8Array(65_536), new Uint8Array(1_048_580)]
    applyMask(small, 0, 100, key)
    applyMask(small, 100, 200, key)
    expect(views).toBe(1)
    applyMask(large, 0, 100, key)
    applyMask(large, 100, 200, key)
    expect(views).toBe(3)
    applyMask(small, 200, 300, key)
    expect(views).toBe(3)
    vi.unstubAllGlobals()
  })

  it('changes nothing for a key of four zeros', () => {
    for (const length of [0, 5, 100, 5000]) {
      const bytes = pattern(length)
      expect(applyMask(bytes, 0, length, 0)).toBe(0)
      expect(bytes).toEqual(pattern(length))
    }
  })
})

/** The memory that transports are read into. */
function lentMemory(): Buffer {
  if (simd === undefined) throw new Error('no WebAssembly here')
  return simd.lent
}

describe('applyMask in the memory that is lent for reading', () => {
  const lent = lentMemory()

  it('equals applyMaskPlain for every length to 130, every place and every phase of the key', () => {
    const wrong: string[] = []
    const memory = pattern(200)
    for (const maskingKey of [...KEYS, 0]) {
      for (let phase = 0; phase < 4; phase++) {
        const rotated = applyMaskPlain(Buffer.alloc(phase), 0, phase, maskingKey)
        for (let length = 0; length <= 130 && wrong.length === 0; length++) {
          for (const start of [0, 1, 2, 3, 6, 14, 17]) {
            const expected = Buffer.from(memory)
            lent.set(memory)
            const expectedAnswer = applyMaskPlain(expected, start, start + length, rotated)
            const answer = applyMask(lent, start, start + length, rotated)
            if (answer !== expectedAnswer || !lent.subarray(0, 200).equals(expected)) {
              wrong.push(`${length} octets at ${start}, key ${rotated}: answered ${answer} for ${expectedAnswer}`)
            }
          }
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('equals applyMaskPlain to its last octet', () => {
    const memory = pattern(lent.length)
    for (const [start, end] of [
      [0, lent.length],
      [14, lent.length],
      [lent.length - 33, lent.length],
      [lent.length - 1, lent.length],
      [lent.length, lent.length],
    ] as const) {
      const expected = Buffer.from(memory)
      lent.set(memory)
      const expectedAnswer = applyMaskPlain(expected, start, end, key)
      expect(applyMask(lent, start, end, key)).toBe(expectedAnswer)
      expect(lent.equals(expected)).toBe(true)
    }
  })
})

describe('applyMask of many octets elsewhere', () => {
  const PIECE = 16_384

  it('equals applyMaskPlain around every multiple of a piece, wherever it begins and in every phase of the key', () => {
    const wrong: string[] = []
    const whole = pattern(4 * PIECE + 64)
    const around = [
      2047,
      2048,
      2049,
      ...[1, 2, 3, 4].flatMap((pieces) => [-5, -1, 0, 1, 2, 3, 17].map((more) => pieces * PIECE + more)),
    ]
    for (const length of around) {
      for (const start of [0, 1, 3, 8]) {
        for (let phase = 0; phase < 4; phase++) {
          const rotated = applyMaskPlain(Buffer.alloc(phase), 0, phase, key)
          const memory = whole.subarray(0, length + 16)
          const fast = Buffer.from(memory)
          const plain = Buffer.from(memory)
          const answer = applyMask(fast, start, start + length, rotated)
          const expectedAnswer = applyMaskPlain(plain, start, start + length, rotated)
          const equal = answer === expectedAnswer && fast.equals(plain)
          if (!equal) wrong.push(`${length} octets at ${start}, key ${rotated}`)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('equals applyMaskPlain for any octets, from 0 to 100,000 of them, in memory of any kind', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.nat(100), fc.nat(5000), fc.nat(100_000)),
        fc.nat(40),
        fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
        fc.nat(0x7fff_ffff),
        fc.constantFrom('own' as const, 'shared' as const, 'lent' as const),
        (wanted, start, maskingKey, seed, where) => {
          const length = where === 'lent' ? Math.min(wanted, 65_536 - start) : wanted
          const memories = { own: ArrayBuffer, shared: SharedArrayBuffer }
          const fast = where === 'lent' ? lentMemory() : new Uint8Array(new memories[where](length + 80))
          const seen = Math.min(fast.length, length + 80)
          for (let at = 0, state = seed; at < seen; at++) {
            state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
            fast[at] = state >>> 24
          }
          const plain = Buffer.from(fast.subarray(0, seen))
          const expectedAnswer = applyMaskPlain(plain, start, start + length, maskingKey)
          expect(applyMask(fast, start, start + length, maskingKey)).toBe(expectedAnswer)
          expect(plain.equals(fast.subarray(0, seen))).toBe(true)
        },
      ),
    )
  })

  it('takes no memory for it', () => {
    const bytes = Buffer.from(new ArrayBuffer(100_000))
    const taken = [vi.spyOn(Buffer, 'allocUnsafe'), vi.spyOn(Buffer, 'allocUnsafeSlow'), vi.spyOn(Buffer, 'from')]
    applyMask(bytes, 0, bytes.length, key)
    expect(taken.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0])
    for (const spy of taken) spy.mockRestore()
  })
})

describe('applyMask without WebAssembly', () => {
  it('equals applyMaskPlain, for few octets and for many', async () => {
    vi.resetModules()
    vi.stubGlobal('WebAssembly', undefined)
    const without = await import('../../src/framing/mask.ts')
    const { simd: none } = await import('../../src/framing/simd.ts')
    vi.unstubAllGlobals()
    expect(none).toBe(undefined)
    for (const length of [0, 1, 47, 48, 2047, 2048, 2049, 20_000]) {
      for (const start of [0, 1]) {
        const [fast, plain] = [pattern(length + 8), pattern(length + 8)]
        const answer = without.applyMask(fast, start, start + length, key)
        expect(answer).toBe(applyMaskPlain(plain, start, start + length, key))
        expect(fast.equals(plain)).toBe(true)
      }
    }
  })
})

const fill = vi.mocked(randomFillSync)

/** Draws until the pool is empty, so that the next key makes it fill anew. */
function emptyPool(): void {
  const before = fill.mock.calls.length
  while (fill.mock.calls.length === before) createMaskingKey()
  for (let i = 1; i < 1024; i++) createMaskingKey()
  fill.mockClear()
}

describe('createMaskingKey', () => {
  afterEach(() => {
    fill.mockReset()
    emptyPool()
  })

  it('takes every key from randomFillSync, each once and none again behind a refill [6455:5.3-02] [6455:5.3-03] [6455:10.3-01]', () => {
    emptyPool()
    let next = 1
    fill.mockImplementation((pool) => {
      const keys = pool as Int32Array
      for (let i = 0; i < keys.length; i++) keys[i] = next++
      return pool
    })
    const keys = Array.from({ length: 3 * 1024 }, () => createMaskingKey())
    expect(keys).toEqual(Array.from({ length: 3 * 1024 }, (_, i) => i + 1))
    expect(fill).toHaveBeenCalledTimes(3)
  })

  it('erases a key from the pool as it hands it out [6455:5.3-04]', () => {
    emptyPool()
    createMaskingKey()
    const pool = fill.mock.calls[0][0] as Int32Array
    expect(pool).toHaveLength(1024)
    for (let taken = 1; taken < 1024; taken++) {
      expect(pool.subarray(0, taken).every((word) => word === 0)).toBe(true)
      const next = pool[taken]
      expect(createMaskingKey()).toBe(next)
    }
    expect(pool.every((word) => word === 0)).toBe(true)
    expect(fill).toHaveBeenCalledTimes(1)
  })

  it('hands out no key when the source of randomness fails, and asks again', () => {
    emptyPool()
    fill.mockImplementationOnce(() => {
      throw new Error('no entropy')
    })
    expect(() => createMaskingKey()).toThrow('no entropy')
    createMaskingKey()
    expect(fill).toHaveBeenCalledTimes(2)
  })

  it('hands out keys whose octets, and whose steps from key to key, are spread evenly [6455:5.3-03] [6455:5.3-04]', () => {
    const draws = 200_000
    const counts = Array.from({ length: 8 }, () => new Uint32Array(256))
    let before = 0
    for (let draw = 0; draw < draws; draw++) {
      const drawn = createMaskingKey()
      const step = drawn ^ before
      for (let octet = 0; octet < 4; octet++) {
        counts[octet][(drawn >>> (8 * octet)) & 0xff]++
        counts[4 + octet][(step >>> (8 * octet)) & 0xff]++
      }
      before = drawn
    }
    const expected = draws / 256
    for (const count of counts) {
      let chiSquare = 0
      for (const seen of count) chiSquare += (seen - expected) ** 2 / expected
      // 255 degrees of freedom: mean 255, deviation 22.6. Chance passes these bounds less than once in 10^9 runs.
      expect(chiSquare).toBeGreaterThan(130)
      expect(chiSquare).toBeLessThan(430)
    }
  })
})

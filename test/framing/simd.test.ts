/**
 * The module for sixteen octets at a time, against the plain definitions: of masking `applyMaskPlain` (RFC 6455 5.3), of
 * ASCII that no octet is above 127 (5.6). What it is asked to leave alone is compared too.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyMaskPlain } from '../../src/framing/mask.ts'
import { instantiate, simd as maybeSimd } from '../../src/framing/simd.ts'
import type { Simd } from '../../src/framing/simd.ts'
import { hex } from '../support/wire.ts'

function present(simd: Simd | undefined): Simd {
  if (simd === undefined) throw new Error('no WebAssembly here')
  return simd
}

const simd = present(maybeSimd)
const { lent, scratch } = simd

const KEYS = [0x3d21fa37, -1, 1, -0x8000_0000, 0x00ff_0000, 0x0102_0304, 0]

/** Octets that differ from their neighbours at every distance that matters here. */
function pattern(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 151 + (i >> 8) * 31 + 7) & 0xff))
}

/** Masks octets in the middle of `bytes` both ways, and describes what differs. */
function maskDifference(bytes: Buffer, start: number, end: number, key: number): string | undefined {
  const expected = Buffer.from(bytes)
  applyMaskPlain(expected, start, end, key)
  lent.set(bytes)
  simd.mask(start, end, key)
  const masked = lent.subarray(0, bytes.length)
  return masked.equals(expected) ? undefined : `${start} to ${end}, key ${key}: ${hex(masked)} for ${hex(expected)}`
}

describe('simd.mask', () => {
  it('equals applyMaskPlain for every length to 200, every offset to 20 and every phase of the key, and leaves neighbours alone', () => {
    const memory = pattern(256)
    const differences: (string | undefined)[] = []
    for (const key of KEYS) {
      for (let phase = 0; phase < 4; phase++) {
        const rotated = applyMaskPlain(Buffer.alloc(phase), 0, phase, key)
        for (let length = 0; length <= 200; length++) {
          for (let offset = 0; offset <= 20; offset++) {
            differences.push(maskDifference(memory, offset, offset + length, rotated))
          }
        }
      }
    }
    expect(differences.filter((found) => found !== undefined)).toEqual([])
  })

  it('equals applyMaskPlain for octets of any kind, anywhere in `lent`', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2000 }),
        fc.nat(lent.length),
        fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
        (octets, place, key) => {
          const start = Math.min(place, lent.length - octets.length)
          const [before, after] = [Math.max(0, start - 16), Math.min(lent.length, start + octets.length + 16)]
          lent.fill(0xa5, before, after)
          lent.set(octets, start)
          const expected = Buffer.from(lent.subarray(before, after))
          applyMaskPlain(expected, start - before, start - before + octets.length, key)
          simd.mask(start, start + octets.length, key)
          expect(hex(lent.subarray(before, after))).toBe(hex(expected))
        },
      ),
    )
  })

  it('masks all of `lent`, and nothing of what lies behind it', () => {
    scratch.fill(0xa5)
    lent.fill(0)
    simd.mask(0, lent.length, 0x0403_0201)
    expect(lent.equals(Buffer.alloc(lent.length, Buffer.from([1, 2, 3, 4])))).toBe(true)
    expect(scratch.equals(Buffer.alloc(scratch.length, 0xa5))).toBe(true)
  })

  it('masks all of `scratch`, which begins where it says, and nothing of what lies before it', () => {
    scratch.fill(0)
    lent.fill(0xa5)
    simd.mask(simd.scratchAt, simd.scratchAt + scratch.length, 0x0403_0201)
    expect(scratch.equals(Buffer.alloc(scratch.length, Buffer.from([1, 2, 3, 4])))).toBe(true)
    expect(lent.equals(Buffer.alloc(lent.length, 0xa5))).toBe(true)
  })
})

describe('simd.isAscii', () => {
  it('is 1 for ASCII of every length to 200 at every offset to 20, whatever lies around it', () => {
    const wrong: string[] = []
    for (let length = 0; length <= 200; length++) {
      for (let offset = 0; offset <= 20; offset++) {
        lent.fill(0xff, 0, 256)
        for (let at = 0; at < length; at++) lent[offset + at] = (at * 37 + length) & 0x7f
        const before = Buffer.from(lent.subarray(0, 256))
        if (simd.isAscii(offset, offset + length) !== 1) wrong.push(`${length} octets at ${offset}`)
        if (!lent.subarray(0, 256).equals(before)) wrong.push(`${length} octets at ${offset} were changed`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('is 0 for one octet above 127, wherever it is', () => {
    const wrong: string[] = []
    for (const octet of [0x80, 0xff]) {
      for (let length = 1; length <= 100; length++) {
        for (const offset of [0, 1, 7, 16]) {
          for (let at = 0; at < length; at++) {
            lent.fill(0x7f, 0, 128)
            lent[offset + at] = octet
            if (simd.isAscii(offset, offset + length) !== 0) wrong.push(`${octet} at ${at} of ${length} from ${offset}`)
          }
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('says the same of octets of any kind, anywhere in `lent`, as looking at each of them', () => {
    // A high octet is made rare, so that both answers come.
    const octet = fc.oneof({ weight: 200, arbitrary: fc.nat(127) }, { weight: 1, arbitrary: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(octet, { maxLength: 300 }), fc.nat(lent.length), (octets, place) => {
        const start = Math.min(place, lent.length - octets.length)
        lent.set(octets, start)
        expect(simd.isAscii(start, start + octets.length) === 1).toBe(octets.every((value) => value < 0x80))
      }),
    )
  })
})

describe('instantiate', () => {
  it('makes memory of its own each time, of which `lent` and `scratch` are parts that do not overlap', () => {
    const [one, two] = [present(instantiate()), present(instantiate())]
    expect(one.lent.buffer).not.toBe(two.lent.buffer)
    for (const made of [one, two]) {
      expect(made.scratch.buffer).toBe(made.lent.buffer)
      expect([made.lent.byteOffset, made.lent.length]).toEqual([0, 65_536])
      expect([made.scratch.byteOffset, made.scratch.length]).toEqual([made.scratchAt, 16_384])
    }
    two.lent.fill(0)
    one.lent.fill(0)
    one.mask(0, 20, -1)
    expect(hex(one.lent.subarray(0, 21))).toBe(`${'ff '.repeat(20)}00`)
    expect(two.lent.equals(Buffer.alloc(65_536))).toBe(true)
  })

  it('answers undefined without WebAssembly, as with --jitless', () => {
    const { WebAssembly } = globalThis as { WebAssembly?: unknown }
    Reflect.deleteProperty(globalThis, 'WebAssembly')
    try {
      expect(instantiate()).toBe(undefined)
    } finally {
      Object.defineProperty(globalThis, 'WebAssembly', { value: WebAssembly, writable: true, configurable: true })
    }
    expect(instantiate()).toBeDefined()
  })

  it('answers undefined where the module cannot be compiled, or its memory cannot be had', () => {
    const anything = function anything() {} as unknown as new () => { readonly exports: unknown }
    const refusing = function refusing() {
      throw new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance')
    } as unknown as typeof anything
    expect(instantiate({ Module: refusing, Instance: anything })).toBe(undefined)
    expect(instantiate({ Module: anything, Instance: refusing })).toBe(undefined)
    // Nor where what was made is not what was asked for.
    expect(instantiate({ Module: anything, Instance: anything })).toBe(undefined)
  })
})

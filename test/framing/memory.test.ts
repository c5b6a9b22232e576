/** What a process does once for the allocator of glibc, and how often; what comes of it shows only in a benchmark. */
import { afterEach, describe, expect, it, vi } from 'vitest'

const LARGE = 16_384
const LESSON = 33_554_432 - 8192

type Allocate = (size: number) => Buffer

/** Both functions as a process has them that has just begun, and what they take of memory from here on. */
async function begin(): Promise<{ allocate: Allocate; allocateShared: Allocate; taken: number[] }> {
  vi.resetModules()
  const { allocate, allocateShared } = await import('../../src/framing/memory.ts')
  const taken: number[] = []
  for (const way of ['allocUnsafe', 'allocUnsafeSlow'] as const) {
    const original = Buffer[way].bind(Buffer)
    vi.spyOn(Buffer, way).mockImplementation((size) => {
      taken.push(size)
      return original(size)
    })
  }
  return { allocate, allocateShared, taken }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('allocate', () => {
  it('answers octets in memory of their own', async () => {
    const { allocate } = await begin()
    for (const size of [0, 1, 256, 4096, LARGE - 1, LARGE, 1_000_000]) {
      const memory = allocate(size)
      expect([memory.length, memory.byteOffset, memory.buffer.byteLength]).toEqual([size, 0, size])
    }
  })
})

describe('allocateShared', () => {
  it('answers octets in memory of their own or in that of the pool', async () => {
    const { allocateShared } = await begin()
    // Some versions of Node add a little to Buffer.poolSize.
    const pool = Buffer.allocUnsafe(1).buffer.byteLength
    for (const size of [0, 1, 256, 4096, LARGE - 1, LARGE, 1_000_000]) {
      const memory = allocateShared(size)
      expect(memory.length).toBe(size)
      expect([size, pool]).toContain(memory.buffer.byteLength)
    }
  })
})

describe.each(['allocate', 'allocateShared'] as const)('%s', (name) => {
  it('gives the allocator one lesson, with the first large block, and never again', async () => {
    const { [name]: allocate, taken } = await begin()
    for (const size of [LARGE, LARGE, 10, 5_000_000]) allocate(size)
    expect(taken).toEqual([LESSON, LARGE, LARGE, 10, 5_000_000])
  })

  it('gives none for small blocks, however many they are', async () => {
    const { [name]: allocate, taken } = await begin()
    for (let i = 0; i < 100; i++) allocate(LARGE - 1)
    expect(taken).toEqual(Array.from({ length: 100 }, () => LARGE - 1))
    allocate(LARGE)
    expect(taken.slice(100)).toEqual([LESSON, LARGE])
  })
})

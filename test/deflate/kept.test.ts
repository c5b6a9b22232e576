import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Kept, isAsExpected, keptWorks } from '../../src/deflate/kept.ts'

const { Z_SYNC_FLUSH } = constants
const NODE = process.versions.node

function kept(kind: 'deflate' | 'inflate'): Kept {
  const state = new Kept(kind, {})
  onTestFinished(() => state.close())
  return state
}

describe('keptWorks', () => {
  it('is true: where this fails, Node has changed what its streams of zlib consist of, and messages cost three times as much', () => {
    expect(isAsExpected(NODE, Kept)).toBe(true)
    expect(keptWorks()).toBe(true)
  })

  it.each(['27.0.0', '30.1.2'])('does not try what Node %s may not have, as that could end the process', (version) => {
    class Untouchable extends Kept {
      constructor() {
        super('inflate', {})
        throw new Error('it was tried')
      }
    }
    expect(isAsExpected(version, Untouchable)).toBe(false)
  })

  it.each([
    [
      'is not there',
      class extends Kept {
        override write(): Buffer {
          throw new TypeError('stream._handle.writeSync is not a function')
        }
      },
    ],
    [
      'does not keep its context',
      class extends Kept {
        override write(...[input, flush, most]: Parameters<Kept['write']>): Buffer {
          this.reset()
          return super.write(input, flush, most)
        }
      },
    ],
    [
      'answers something else',
      class extends Kept {
        override write(...[input, flush, most]: Parameters<Kept['write']>): Buffer {
          const output = super.write(input, flush, most)
          return most === Infinity ? output : output.fill(0)
        }
      },
    ],
    [
      'does not begin again',
      class extends Kept {
        override reset(): void {}
      },
    ],
    [
      'does not tell what was not used',
      class extends Kept {
        override write(...[input, flush, most]: Parameters<Kept['write']>): Buffer {
          const output = super.write(input, flush, most)
          this.unused = 0
          return output
        }
      },
    ],
    [
      'does not tell what is wrong',
      class extends Kept {
        override write(...[input, flush, most]: Parameters<Kept['write']>): Buffer {
          if (input.length === 1) return input
          return super.write(input, flush, most)
        }
      },
    ],
  ])('is false where what it takes %s', (_what, State) => {
    expect(isAsExpected(NODE, State)).toBe(false)
  })
})

describe('Kept', () => {
  it.each([0, 1, 65_535, 65_536, 65_537, 200_000])('takes %d octets, and gives them back', (size) => {
    const octets = Buffer.alloc(size, 'all the same ')
    const [deflate, inflate] = [kept('deflate'), kept('inflate')]
    for (let i = 0; i < 2; i++) {
      const compressed = deflate.write(octets, Z_SYNC_FLUSH, Infinity)
      expect(inflate.write(compressed, Z_SYNC_FLUSH, size).equals(octets)).toBe(true)
      expect(inflate.unused).toBe(0)
    }
  })

  it('has room for what does not become shorter', () => {
    const octets = deflateRawSync(Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * index) % 251)))
    const noise = Buffer.concat(Array.from({ length: 200 }, (_, index) => octets.subarray(index)))
    expect(inflateRawSync(kept('deflate').write(noise, Z_SYNC_FLUSH, Infinity), { finishFlush: Z_SYNC_FLUSH })).toEqual(
      noise,
    )
  })

  it.each([0, 1, 1000, 65_535, 65_536, 100_000])('stops at a limit of %d octets', (most) => {
    const bomb = deflateRawSync(Buffer.alloc(50_000_000), { finishFlush: Z_SYNC_FLUSH })
    expect(() => kept('inflate').write(bomb, Z_SYNC_FLUSH, most)).toThrow(
      expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }),
    )
    const fitting = deflateRawSync(Buffer.alloc(most), { finishFlush: Z_SYNC_FLUSH })
    expect(kept('inflate').write(fitting, Z_SYNC_FLUSH, most)).toHaveLength(most)
  })

  it('is closed by what it cannot inflate, and harms nobody', async () => {
    const inflate = kept('inflate')
    expect(() => inflate.write(Buffer.from([7]), Z_SYNC_FLUSH, 9)).toThrow('invalid block type')
    expect(inflate.isClosed).toBe(true)
    expect(() => inflate.write(Buffer.from([7]), Z_SYNC_FLUSH, 9)).toThrow(TypeError)
    // An error event that nobody heard would end the process now.
    await new Promise((resolve) => setImmediate(resolve))
  })
})

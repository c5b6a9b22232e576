import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Kept, isAsExpected, keptWorks } from '../../src/deflate/kept.ts'

const { Z_SYNC_FLUSH } = constants
const NODE = process.versions.node

function kept(kind: 'deflate' | 'inflate'): Kept {
  const state = new Kept(kind, {})
  onTestFinished(() => state.close())
  return state
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('keptWorks', () => {
  it('is true: where this fails, Node has changed what its streams of zlib consist of, and messages cost three times as much', () => {
    expect(isAsExpected(NODE, Kept)).toBe(true)
    expect(keptWorks()).toBe(true)
  })

  it.each(['27.0.0', '30.1.2'])('does not try what Node %s may not have, as that could end the process', (version) => {
    const tried = vi.fn()
    class Untouchable extends Kept {
      constructor() {
        super('inflate', {})
        tried()
      }
    }
    expect(isAsExpected(version, Untouchable)).toBe(false)
    expect(tried).not.toHaveBeenCalled()
  })

  it.each(['20.0.0', '26.9.9'])('tries what Node %s has', (version) => {
    expect(isAsExpected(version, Kept)).toBe(true)
  })

  it('leaves nothing behind', () => {
    const closed = vi.spyOn(Kept.prototype, 'close')
    isAsExpected(NODE, Kept)
    expect(closed).toHaveBeenCalledTimes(5)
    expect(closed.mock.contexts.every((state) => (state as Kept).isClosed)).toBe(true)
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
      'answers something else the first time',
      class extends Kept {
        #isFirst = true
        override write(...[input, flush, most]: Parameters<Kept['write']>): Buffer {
          const output = super.write(input, flush, most)
          if (most !== Infinity && this.#isFirst) output.fill(0)
          this.#isFirst = false
          return output
        }
      },
    ],
    [
      'has no use for a dictionary',
      class extends Kept {
        constructor(kind: 'deflate' | 'inflate') {
          super(kind, {})
        }
      },
    ],
    [
      'tells of more than was left',
      class extends Kept {
        override write(...[input, flush, most]: Parameters<Kept['write']>): Buffer {
          const output = super.write(input, flush, most)
          if (output.length > 0) this.unused++
          return output
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
      'does not tell where a block ended',
      class extends Kept {
        override write(...[input, flush, most]: Parameters<Kept['write']>): Buffer {
          const output = super.write(input, flush, most)
          if (flush === constants.Z_BLOCK) this.unused = 0
          return output
        }
      },
    ],
    [
      'does not stop where a block ends',
      class extends Kept {
        override write(...[input, flush, most]: Parameters<Kept['write']>): Buffer {
          return super.write(input, flush === constants.Z_BLOCK ? Z_SYNC_FLUSH : flush, most)
        }
      },
    ],
    [
      'does not tell where a stream ended',
      class extends Kept {
        override write(...[input, flush, most]: Parameters<Kept['write']>): Buffer {
          const output = super.write(input, flush, most)
          if (flush === Z_SYNC_FLUSH) this.unused = 0
          return output
        }
      },
    ],
    [
      'fails for something else',
      class extends Kept {
        override write(...[input, flush, most]: Parameters<Kept['write']>): Buffer {
          if (input.length === 1) throw new TypeError('no such thing')
          return super.write(input, flush, most)
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
  it('gives its memory back when it is closed, and has one piece for what comes out of all of them', () => {
    const first = kept('inflate')
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow')
    const second = kept('inflate')
    expect(allocated).not.toHaveBeenCalled()
    second.close()
    expect([first.isClosed, second.isClosed]).toEqual([false, true])
  })

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

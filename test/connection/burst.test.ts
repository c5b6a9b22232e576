/** What is made of frames that go to many connections: of several messages one piece of memory, once for all of them. */
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Burst } from '../../src/connection/burst.ts'
import { octets } from '../support/messages.ts'
import { frame, hex, wire } from '../support/wire.ts'

/** What is put together at most. */
const JOIN_UP_TO = 16_384

function burstOf(...frames: readonly string[]): Burst {
  return new Burst(frames.map((literal) => wire(literal)))
}

/** `first` and all others behind it. */
function inARow(first: Burst, ...others: readonly Burst[]): Burst {
  let all = first
  for (const other of others) {
    const longer = all.followedBy(other)
    if (longer === undefined) throw new Error('too much')
    all = longer
  }
  return all
}

describe('Burst', () => {
  it('is the frames themselves while it is one message, however many or large they are', () => {
    const frames = [wire('01 01 61'), wire('80 01 62'), Buffer.alloc(100_000)]
    const burst = new Burst(frames)
    expect(burst.chunks).toBe(frames)
    expect(burst.size).toBe(100_006)
    expect([new Burst([]).size, new Burst([]).chunks]).toEqual([0, []])
  })

  it('is one piece of memory when it is several messages: all frames of each, in order', () => {
    const [one, two, three] = [burstOf('81 01 61'), burstOf('01 01 62', '00 00', '80 01 63'), burstOf('89 00')]
    const all = inARow(one, two, three)
    expect(all.size).toBe(13)
    expect(all.chunks.map((chunk) => hex(chunk))).toEqual(['81 01 61 01 01 62 00 00 80 01 63 89 00'])
    // What it is made of is what it was.
    expect(one.chunks.map((chunk) => hex(chunk))).toEqual(['81 01 61'])
    expect(inARow(one, two).chunks.map((chunk) => hex(chunk))).toEqual(['81 01 61 01 01 62 00 00 80 01 63'])
  })

  it('is put together once for all who ask for the same, and not before somebody asks', () => {
    const [one, two, three] = [burstOf('81 01 61'), burstOf('81 01 62'), burstOf('81 01 63')]
    const allocated = vi.spyOn(Buffer, 'allocUnsafe')
    const bursts = Array.from({ length: 10 }, () => inARow(one, two, three))
    expect(allocated).not.toHaveBeenCalled()
    const chunks = bursts.map((burst) => burst.chunks)
    // Those that nobody asked for, as `one` and `two` alone, are not.
    expect(allocated.mock.calls).toEqual([[9]])
    allocated.mockRestore()
    expect(new Set(bursts).size).toBe(1)
    expect(new Set(chunks.map(([chunk]) => chunk)).size).toBe(1)
  })

  it('can be followed by different messages, and by itself', () => {
    const [one, two, three] = [burstOf('81 01 61'), burstOf('81 01 62'), burstOf('81 01 63')]
    const text = (burst: Burst): string => hex(Buffer.concat(burst.chunks))
    for (let i = 0; i < 2; i++) {
      expect(text(inARow(one, two))).toBe('81 01 61 81 01 62')
      expect(text(inARow(one, three))).toBe('81 01 61 81 01 63')
      expect(text(inARow(one, one, one))).toBe('81 01 61 81 01 61 81 01 61')
      expect(text(inARow(one, three, two))).toBe('81 01 61 81 01 63 81 01 62')
    }
  })

  it('is not put together beyond 16 KiB', () => {
    const half = new Burst([octets(JOIN_UP_TO / 2)])
    const fits = half.followedBy(new Burst([octets(JOIN_UP_TO / 2)]))
    expect(fits?.size).toBe(JOIN_UP_TO)
    expect(half.followedBy(new Burst([octets(JOIN_UP_TO / 2), wire('00')]))).toBe(undefined)
    expect(fits?.followedBy(burstOf('00'))).toBe(undefined)
    expect(fits?.followedBy(new Burst([]))?.size).toBe(JOIN_UP_TO)
    // One that is too large is so for everybody, and does not keep another from being put together.
    const small = burstOf('81 00')
    const large = new Burst([octets(JOIN_UP_TO)])
    for (let i = 0; i < 2; i++) {
      expect(small.followedBy(large)).toBe(undefined)
      expect(large.followedBy(small)).toBe(undefined)
      expect(small.followedBy(small)?.size).toBe(4)
    }
  })

  it('is all octets of all messages, in order, for any that fit', () => {
    const message = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 8 }), (messages) => {
        const bursts = messages.map((frames) => new Burst(frames.map((bytes) => Buffer.from(bytes))))
        const all = inARow(bursts[0], ...bursts.slice(1))
        const expected = Buffer.concat(messages.flat())
        expect(hex(Buffer.concat(all.chunks))).toBe(hex(expected))
        expect(all.size).toBe(expected.length)
        if (messages.length > 1) expect(all.chunks).toHaveLength(1)
      }),
    )
  })

  it('does not share its memory with frames that it was made of', () => {
    const bytes = frame(0x81, 'abc')
    const all = inARow(new Burst([bytes]), burstOf('89 00'))
    const [joined] = all.chunks
    bytes.fill(0)
    expect(hex(joined)).toBe('81 03 61 62 63 89 00')
  })
})

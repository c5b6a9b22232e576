/**
 * permessage-deflate on messages, against zlib used another way: what we compress, one inflating stream that lives as
 * long as the connection has to understand, and the other way round.
 */
import { createDeflateRaw, createInflateRaw, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { PerMessageDeflate } from '../../src/deflate/deflate.ts'
import { Kept, keptWorks } from '../../src/deflate/kept.ts'
import type { DeflateParameters } from '../../src/deflate/offer.ts'
import type { DeflateOptions } from '../../src/deflate/options.ts'
import { turnIsOver } from '../../src/deflate/turn.ts'
import { AT_ONCE_UP_TO, INFLATED_AT_ONCE_UP_TO } from '../../src/deflate/zlib.ts'
import type { Role } from '../../src/framing/index.ts'
import { turn } from '../support/clock.ts'
import {
  FLUSHED,
  INVALID,
  TOO_BIG,
  deflated,
  direction,
  errorOf,
  keptStream,
  lines,
  makeCodec,
  noise,
  other,
  through,
} from '../support/deflate.ts'
import { expectSame } from '../support/messages.ts'
import { ROLES, wire } from '../support/wire.ts'

const MiB = 1_048_576
const documented = (): boolean => false
/** With states of zlib that are kept, and as it goes where there are none. */
const WAYS = ROLES.flatMap((role): [Role, string, () => boolean][] => [
  [role, '', keptWorks],
  [role, ', by documented functions alone,', documented],
])
let mayKeep = keptWorks

const codec = (...[role, agreed, options]: Parameters<typeof makeCodec>): PerMessageDeflate =>
  makeCodec(role, agreed, options, mayKeep)

const MESSAGES = [
  lines(3),
  lines(3),
  Buffer.from('x'),
  Buffer.alloc(0),
  lines(300),
  noise(500),
  lines(2000, 5),
  lines(20, 5),
  Buffer.alloc(100_000, 'ab'),
  noise(70_000),
  lines(5),
]

describe.each(WAYS)('What a %s compresses%s', (role, _how, way) => {
  beforeEach(() => {
    mayKeep = way
  })

  it.each([8, 9, 10, 13, 15])(
    '[V25] one kept stream with a window of 2^%d octets inflates [7692:7.2.1-06] [7692:7.2.1-08] [7692:7.2.1-11] [7692:7.2.1-12] [7692:7.2.1-14] [7692:7.2.2-10]',
    async (bits) => {
      const deflate = codec(role, direction(role, false, bits), { serverMaxWindowBits: 15, clientMaxWindowBits: 15 })
      // Small chunks of output, so that it needs its window: what is still in the output it could see anyway.
      const peer = keptStream(createInflateRaw({ windowBits: bits, chunkSize: 64 }))
      for (const message of MESSAGES) {
        const compressed = await deflate.compress(message)
        if (compressed === undefined) throw new Error('with a context everything goes compressed')
        expect(compressed.subarray(-4)).not.toEqual(FLUSHED)
        expectSame([await through(peer, Buffer.concat([compressed, FLUSHED]))], [message])
      }
    },
  )

  it.each([8, 9, 13, 15])(
    '[V25] a new stream with a window of 2^%d octets inflates when no context is kept [7692:7.2.1-07] [7692:7.2.1-10]',
    async (bits) => {
      const deflate = codec(role, direction(role, true, bits))
      for (const message of MESSAGES) {
        const compressed = await deflate.compress(message)
        if (compressed === undefined) continue
        const peer = keptStream(createInflateRaw({ windowBits: bits, chunkSize: 64 }))
        expectSame([await through(peer, Buffer.concat([compressed, FLUSHED]))], [message])
      }
    },
  )

  it('refers back to earlier messages, unless that was ruled out [7692:7.2.1-08] [7692:7.2.1-11]', async () => {
    const [keeping, leaving] = [codec(role), codec(role, direction(role, true, 15))]
    const sizes: number[][] = []
    for (const deflate of [keeping, leaving]) {
      const [first, second] = [await deflate.compress(noise(900)), await deflate.compress(noise(900))]
      sizes.push([first?.length ?? -1, second?.length ?? -1])
    }
    expect(sizes[0][1]).toBeLessThan(60)
    expect(sizes[1]).toEqual([-1, -1])
  })

  it('never looks back further than was agreed, or than its options say [7692:7.2.1-12] [7692:7.2.1-14] [7692:7.2.1-13]', async () => {
    const mine = role === 'server' ? 'serverMaxWindowBits' : 'clientMaxWindowBits'
    const size = async (agreed: number, options: DeflateOptions): Promise<number> => {
      const deflate = codec(role, direction(role, false, agreed), options)
      await deflate.compress(noise(2000))
      return ((await deflate.compress(noise(300))) ?? Buffer.alloc(9999)).length
    }
    expect(await size(15, {})).toBeLessThan(60)
    expect(await size(10, {})).toBeGreaterThan(300)
    expect(await size(15, { [mine]: 10 })).toBeGreaterThan(300)
    expect(await size(10, { [mine]: 15 })).toBeGreaterThan(300)
  })

  it('is the message as it is, where compressing it would only make it larger and no context is kept', async () => {
    const deflate = codec(role, direction(role, true, 15))
    expect(deflate.compress(noise(1000))).toBeUndefined()
    expect(await deflate.compress(noise(AT_ONCE_UP_TO + 1))).toBeUndefined()
    expect(deflate.compress(Buffer.alloc(0))).toBeUndefined()
    expect(deflate.compress(Buffer.alloc(1000))).toBeInstanceOf(Buffer)
    // Up to where it becomes shorter; of some lengths it stays as long as it was.
    for (let length = 1; length < 20; length++) {
      const compressed = await deflate.compress(Buffer.alloc(length, 'a'))
      expect(compressed?.length ?? 0).toBeLessThan(length)
    }
  })

  it('is at hand at once when the message is small, and later when it is large', async () => {
    const deflate = codec(role)
    expect(deflate.compress(Buffer.alloc(AT_ONCE_UP_TO, 1))).toBeInstanceOf(Buffer)
    const large = deflate.compress(Buffer.alloc(AT_ONCE_UP_TO + 1, 1))
    expect(large).toBeInstanceOf(Promise)
    await large
    expect([AT_ONCE_UP_TO, AT_ONCE_UP_TO + 1].map((size) => deflate.takesLong(Buffer.alloc(size)))).toEqual([
      false,
      true,
    ])
  })

  it('does not depend on what the caller does with the octets afterwards', async () => {
    const deflate = codec(role)
    const peer = keptStream(createInflateRaw())
    const message = lines(10)
    const copy = Buffer.from(message)
    const compressed = [await deflate.compress(message)]
    message.fill(0)
    compressed.push(await deflate.compress(copy))
    for (const octets of compressed) {
      expectSame([await through(peer, Buffer.concat([octets ?? FLUSHED, FLUSHED]))], [copy])
    }
  })

  it('is an empty stored block, one octet, for an empty message when a context is kept [7692:7.2.3-i01]', () => {
    expect(codec(role).compress(Buffer.alloc(0))).toEqual(wire('00'))
  })
})

describe.each(WAYS)('A %s inflates%s', (role, _how, way) => {
  beforeEach(() => {
    mayKeep = way
  })

  const peer = other(role)

  it.each([8, 9, 11, 15])(
    'what one kept stream with a window of 2^%d octets compressed [7692:6.2-01] [7692:7.2.2-02] [7692:7.2.2-04] [7692:7.2.2-06] [7692:7.2.2-08] [7692:7.2.2-i01]',
    async (bits) => {
      const deflate = codec(role, direction(peer, false, bits))
      const stream = keptStream(createDeflateRaw({ windowBits: Math.max(bits, 9) }))
      for (const message of MESSAGES) {
        const compressed = await through(stream, message)
        // Nothing is written for nothing.
        const payload = compressed.length === 0 ? wire('00') : compressed.subarray(0, -4)
        expectSame([await deflate.decompress(payload, MiB)], [message])
      }
    },
  )

  it('with all of 32,768 octets of history where nothing less was agreed [7692:7.2.2-07] [7692:7.2.2-09]', async () => {
    const deflate = codec(role)
    const stream = keptStream(createDeflateRaw({ windowBits: 15, level: 9 }))
    const sizes: number[] = []
    for (const message of [noise(300), noise(32_000).subarray(400), noise(300)]) {
      const compressed = await through(stream, message)
      sizes.push(compressed.length)
      expectSame([await deflate.decompress(compressed.subarray(0, -4), MiB)], [message])
    }
    // The third is nothing but a look back to the first.
    expect(sizes[2]).toBeLessThan(60)
  })

  it('with the context that a client only hinted it would leave [7692:7.2.2-05]', async () => {
    // Nothing was agreed, whatever the options of whoever offered were.
    const deflate = codec(role, {}, { clientNoContextTakeover: true, serverNoContextTakeover: true })
    const stream = keptStream(createDeflateRaw())
    for (const message of [lines(20), lines(20)]) {
      const compressed = await through(stream, message)
      expectSame([await deflate.decompress(compressed.subarray(0, -4), MiB)], [message])
    }
  })

  it('nothing that refers back to a message when that was ruled out [7692:7.2.2-01] [7692:7.2.2-03]', async () => {
    const deflate = codec(role, direction(peer, true, 15))
    const stream = keptStream(createDeflateRaw())
    const [first, second] = [await through(stream, lines(20)), await through(stream, lines(20))]
    expect(await deflate.decompress(first.subarray(0, -4), MiB)).toEqual(lines(20))
    expect(await errorOf(() => deflate.decompress(second.subarray(0, -4), MiB))).toBe(INVALID)
  })

  it.each([
    ['one fixed block (7.2.3.1)', ['f2 48 cd c9 c9 07 00'], ['Hello']],
    [
      'a message that refers to the one before (7.2.3.2)',
      ['f2 48 cd c9 c9 07 00', 'f2 00 11 00 00'],
      ['Hello', 'Hello'],
    ],
    ['a stored block (7.2.3.3)', ['00 05 00 fa ff 48 65 6c 6c 6f 00'], ['Hello']],
    ['a final block (7.2.3.4)', ['f3 48 cd c9 c9 07 00 00'], ['Hello']],
    ['two blocks (7.2.3.5)', ['f2 48 05 00 00 00 ff ff ca c9 c9 07 00'], ['Hello']],
    ['an empty message (7.2.3.6)', ['00'], ['']],
    ['a dynamic block', [deflated(lines(50)).toString('hex')], [lines(50).toString()]],
  ])('%s [7692:7.2.3-i01] [7692:7.2.1-01] [7692:7.2.1-02]', async (_what, payloads, messages) => {
    const deflate = codec(role)
    const inflated: string[] = []
    for (const payload of payloads) inflated.push(String(await deflate.decompress(wire(payload), MiB)))
    expect(inflated).toEqual(messages)
  })

  it('[V27] several final blocks in one message, without losing what stands behind the first [7692:7.2.1-03] [7692:7.2.1-04]', async () => {
    const deflate = codec(role)
    const streams = [1, 2, 3].map((seed) => deflateRawSync(lines(5, seed)))
    const all = Buffer.concat([lines(5, 1), lines(5, 2), lines(5, 3)])
    expectSame([await deflate.decompress(Buffer.concat([...streams, wire('00')]), MiB)], [all])
    // And the next message refers to all of it.
    const next = deflated(all, all)
    expect(next.length).toBeLessThan(60)
    expectSame([await deflate.decompress(next, MiB)], [all])
    // A second stream may refer to what came before the message, though the first is between.
    const referring = deflateRawSync(noise(300), { dictionary: Buffer.concat([noise(300), lines(5)]) })
    expect(referring.length).toBeLessThan(60)
    const across = codec(role)
    expectSame([await across.decompress(deflated(noise(300)), MiB)], [noise(300)])
    const message = Buffer.concat([deflateRawSync(lines(5)), referring, wire('00')])
    expectSame([await across.decompress(message, MiB)], [Buffer.concat([lines(5), noise(300)])])
    // And to the first.
    const back = deflateRawSync(lines(5, 1), { dictionary: lines(5, 1) })
    expect(await codec(role).decompress(Buffer.concat([streams[0], back, wire('00')]), MiB)).toEqual(
      Buffer.concat([lines(5, 1), lines(5, 1)]),
    )
  })

  it('[V27] messages behind one with final blocks, whatever they refer to [7692:7.2.1-03]', async () => {
    for (const end of [Buffer.alloc(0), wire('00')]) {
      const deflate = codec(role)
      const whole = deflated(lines(5), lines(3))
      const final = deflateRawSync(lines(9), { dictionary: Buffer.concat([lines(3), lines(5)]) })
      const history = Buffer.concat([lines(3), lines(5), lines(9)])
      const behind = deflated(lines(9), history)
      const first = deflated(lines(3))
      const payloads = [first, whole, Buffer.concat([final, end])]
      const inflated: Buffer[] = []
      for (const payload of [...payloads, behind]) inflated.push(await deflate.decompress(payload, MiB))
      expectSame(inflated, [lines(3), lines(5), lines(9), lines(9)])
    }
  })

  it('small messages, and large ones between them, which become large in either way', async () => {
    const deflate = codec(role)
    const stream = keptStream(createDeflateRaw())
    const bomb = Buffer.alloc(INFLATED_AT_ONCE_UP_TO + 1, lines(20))
    for (const message of [lines(20), bomb, lines(20), noise(60_000), lines(20), bomb, noise(60_000), noise(30_000)]) {
      const compressed = await through(stream, message)
      expectSame([await deflate.decompress(compressed.subarray(0, -4), MiB)], [message])
    }
  })

  it('a message without a context, whatever came on other connections, and failed there', async () => {
    const small = deflated(lines(20))
    for (const broken of [wire('07'), wire('f2 48 cd'), deflateRawSync(lines(5)), wire('')]) {
      await Promise.resolve(codec(role, direction(peer, true, 15)))
        .then((deflate) => deflate.decompress(broken, MiB))
        .catch(() => {})
      const deflate = codec(role, direction(peer, true, 15))
      for (let i = 0; i < 2; i++) expectSame([await deflate.decompress(small, MiB)], [lines(20)])
    }
  })

  it('a message that ends with a final block and nothing behind it', async () => {
    expect(await codec(role).decompress(deflateRawSync(lines(5)), MiB)).toEqual(lines(5))
  })

  it('no more than 16 further streams in one message, as each costs a new start', async () => {
    const empty = wire('03 00')
    const message = (count: number): Buffer => Buffer.concat([...Array<Buffer>(count).fill(empty), wire('00')])
    expect(await codec(role).decompress(message(16), MiB)).toEqual(Buffer.alloc(0))
    expect(await errorOf(() => codec(role).decompress(message(17), MiB))).toBe(INVALID)
    expect(() => codec(role).decompress(message(17), MiB)).toThrow('too many final blocks')
    expect(await errorOf(() => codec(role).decompress(message(500_000), MiB))).toBe(INVALID)
  })

  it.each([
    ['nothing at all', ''],
    ['a block of the reserved type', '07'],
    ['a distance that leads before the beginning', 'f2 00 11 00 00'],
    ['half a block', 'f2 48 cd'],
    ['a stored block that is shorter than it says', '00 09 00 f6 ff 48 65'],
    ['a stored block whose lengths do not fit', '00 05 00 ff ff 48 65 6c 6c 6f'],
    ['noise', noise(200).toString('hex')],
    ['noise behind a final block', `${deflateRawSync(lines(5)).toString('hex')} 5a 5a 5a`],
  ])('not %s, but fails with 1007', async (_what, payload) => {
    expect(await errorOf(() => codec(role).decompress(wire(payload), MiB))).toBe(INVALID)
  })

  it('not what is broken when it is large, either', async () => {
    const broken = Buffer.concat([deflateRawSync(noise(AT_ONCE_UP_TO + 500)).subarray(0, -20), wire('ff ff')])
    expect(broken.length).toBeGreaterThan(AT_ONCE_UP_TO)
    expect(await errorOf(() => codec(role).decompress(broken, MiB))).toBe(INVALID)
  })

  it.each([1, 10, 100, AT_ONCE_UP_TO, INFLATED_AT_ONCE_UP_TO, MiB, 2 * MiB])(
    'a message of %d octets when so many are allowed, and fails with 1009 when one less is [6455:10.4-01]',
    async (size) => {
      const payload = deflated(Buffer.alloc(size))
      expect((await codec(role).decompress(payload, size)).length).toBe(size)
      if (size > 1) expect(await errorOf(() => codec(role).decompress(payload, size - 1))).toBe(TOO_BIG)
    },
  )

  it('the octets of all streams of a message against the limit', async () => {
    const two = Buffer.concat([deflateRawSync(lines(10)), deflateRawSync(lines(10)), wire('00')])
    const size = 2 * lines(10).length
    expect((await codec(role).decompress(two, size)).length).toBe(size)
    for (const limit of [size - 1, size / 2, size / 2 + 1]) {
      expect(await errorOf(() => codec(role).decompress(two, limit))).toBe(TOO_BIG)
    }
    const oneMore = Buffer.concat([deflateRawSync(lines(10)), deflateRawSync(Buffer.from('x')), wire('00')])
    expect(await errorOf(() => codec(role).decompress(oneMore, size / 2))).toBe(TOO_BIG)
  })

  it('a small message at once, and later one that is large or becomes so', async () => {
    const small = deflated(Buffer.alloc(INFLATED_AT_ONCE_UP_TO))
    expect(codec(role).decompress(small, MiB)).toBeInstanceOf(Buffer)
    // As it is, in a stored block.
    const longest = noise(AT_ONCE_UP_TO - 6)
    const head = Buffer.from([
      0,
      longest.length & 0xff,
      longest.length >> 8,
      ~longest.length & 0xff,
      ~longest.length >> 8,
    ])
    expect(codec(role).decompress(Buffer.concat([head, longest, wire('00')]), MiB)).toEqual(longest)
    const bomb = deflated(Buffer.alloc(INFLATED_AT_ONCE_UP_TO + 1))
    const large = deflated(noise(AT_ONCE_UP_TO + 1))
    for (const payload of [bomb, large]) {
      const later = codec(role).decompress(payload, MiB)
      expect(later).toBeInstanceOf(Promise)
      await later
    }
  })

  it('and fails as soon as that is certain', () => {
    const bomb = deflated(Buffer.alloc(INFLATED_AT_ONCE_UP_TO + 1))
    expect(() => codec(role).decompress(bomb, INFLATED_AT_ONCE_UP_TO)).toThrow('larger than 262144 octets')
    expect(() => codec(role).decompress(wire('07'), MiB)).toThrow('invalid block type')
  })
})

describe('PerMessageDeflate', () => {
  beforeEach(() => {
    mayKeep = keptWorks
  })

  it('compresses from the threshold on, and otherwise as it is told [7692:6.1-02]', () => {
    const deflate = codec('server', {}, { threshold: 10 })
    const wants = (payload: string | Buffer): boolean[] =>
      [undefined, true, false].map((compress) => deflate.wants(payload, compress))
    expect(wants(Buffer.alloc(9))).toEqual([false, true, false])
    expect(wants(Buffer.alloc(10))).toEqual([true, true, false])
    expect(wants('äääää')).toEqual([true, true, false])
    expect(wants('ääääa')).toEqual([false, true, false])
  })

  it('gives up what has not begun when its connection ends, unless others have a use for it', async () => {
    const large = Buffer.alloc(200_000, 'ab')
    const [deflate, sharing] = [codec('server'), codec('server', { serverNoContextTakeover: true })]
    const payload = deflated(noise(100_000))
    const busy = Array.from({ length: 4 }, () => codec('server').compress(noise(100_000)))
    const given = [deflate.compress(large), deflate.decompress(payload, MiB), sharing.compress(large, true)]
    deflate.end()
    sharing.end()
    const settled = await Promise.allSettled(given.map(async (work) => work))
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    for (const work of busy) await work
  })

  it('has states of zlib from the first message on, and closes them when its connection ends', async () => {
    const closed = vi.spyOn(Kept.prototype, 'close')
    onTestFinished(() => closed.mockRestore())
    const payload = deflated(lines(20))
    const deflate = codec('server')
    deflate.end()
    expect(closed).toHaveBeenCalledTimes(0)
    // What still comes makes none.
    expect(await deflate.compress(lines(20))).toBeInstanceOf(Buffer)
    expect(await deflate.decompress(payload, MiB)).toEqual(lines(20))
    deflate.end()
    expect(closed).toHaveBeenCalledTimes(0)
    const used = codec('server')
    for (let i = 0; i < 2; i++) {
      await used.compress(lines(20))
      await used.decompress(payload, MiB)
    }
    expect(closed).toHaveBeenCalledTimes(0)
    used.end()
    expect(closed).toHaveBeenCalledTimes(2)
    expect(closed.mock.contexts.every((state) => (state as Kept).isClosed)).toBe(true)
  })

  it('inflates with the same state, until a message is anything but the next part of one stream', async () => {
    const [written, closed] = [vi.spyOn(Kept.prototype, 'write'), vi.spyOn(Kept.prototype, 'close')]
    onTestFinished(() => void vi.restoreAllMocks())
    const deflate = codec('server')
    // Each message, and its end.
    for (let i = 1; i <= 3; i++) {
      expectSame([await deflate.decompress(deflated(lines(20)), MiB)], [lines(20)])
      expect([written.mock.calls.length, new Set(written.mock.contexts).size]).toEqual([2 * i, 1])
    }
    expect(closed).not.toHaveBeenCalled()
    expectSame([await deflate.decompress(deflateRawSync(lines(20)), MiB)], [lines(20)])
    expect(closed).toHaveBeenCalledOnce()
    written.mockClear()
    expectSame([await deflate.decompress(deflated(lines(20)), MiB)], [lines(20)])
    expect(written).not.toHaveBeenCalled()
    const failing = codec('server')
    closed.mockClear()
    expect(() => failing.decompress(wire('07'), MiB)).toThrow('invalid block type')
    expect(closed).toHaveBeenCalledOnce()
    for (const one of [deflate, failing]) one.end()
  })

  it('compresses what refers to nothing with one state for all connections that compress alike', async () => {
    const written = vi.spyOn(Kept.prototype, 'write')
    onTestFinished(() => written.mockRestore())
    const states = new Set<unknown>()
    const compress = async (bits: number): Promise<unknown> => {
      await codec('server', { serverNoContextTakeover: true, serverMaxWindowBits: bits }).compress(lines(20))
      const state = written.mock.contexts.at(-1)
      states.add(state)
      return state
    }
    const [first, second] = [await compress(11), await compress(10)]
    expect([await compress(11), await compress(10)]).toEqual([first, second])
    expect(states.size).toBe(2)
    expect(written).toHaveBeenCalledTimes(4)
  })

  it('inflates at once what is small, and nothing else, where that is asked for', () => {
    const deflate = codec('client')
    expect(deflate.decompressSmall(deflated(lines(3)), MiB)).toEqual(lines(3))
    expect(deflate.decompressSmall(deflated(noise(AT_ONCE_UP_TO + 1)), MiB)).toBe(undefined)
    expect(deflate.decompressSmall(deflated(Buffer.alloc(INFLATED_AT_ONCE_UP_TO + 1)), MiB)).toBe(undefined)
  })

  it('inflates what refers to nothing with one state for all connections', async () => {
    const reset = vi.spyOn(Kept.prototype, 'reset')
    onTestFinished(() => reset.mockRestore())
    for (let i = 0; i < 3; i++) {
      await codec('client', { serverNoContextTakeover: true }).decompress(deflated(lines(20)), MiB)
    }
    expect(reset.mock.calls.length).toBeGreaterThanOrEqual(2)
    expect(new Set(reset.mock.contexts).size).toBe(1)
  })

  it('counts what inflating at once takes', async () => {
    await turn()
    const clock = vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValue(100)
    onTestFinished(async () => {
      clock.mockRestore()
      await turn()
    })
    expect(turnIsOver()).toBe(false)
    await codec('server').decompress(deflated(lines(20)), MiB)
    expect(turnIsOver()).toBe(true)
  })

  it('makes the same of a message on all connections with the same window that keep no context', () => {
    const bits = (agreed: Partial<DeflateParameters>, options?: DeflateOptions): number =>
      codec('server', agreed, options).sharedWindowBits
    expect(bits({ serverNoContextTakeover: true })).toBe(13)
    expect(bits({ serverNoContextTakeover: true, serverMaxWindowBits: 8 })).toBe(9)
    expect(bits({ serverNoContextTakeover: true, serverMaxWindowBits: 11 })).toBe(11)
    expect(bits({ serverNoContextTakeover: true }, { serverMaxWindowBits: 15 })).toBe(15)
    expect(bits({})).toBe(0)
    expect(codec('client', {}, { clientNoContextTakeover: true }).sharedWindowBits).toBe(13)
    expect(codec('client', {}).sharedWindowBits).toBe(0)
  })

  it('carries whatever both sides may agree upon, in whatever sizes', async () => {
    const bits = fc.constantFrom(8, 9, 12, 15)
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets)),
      fc.tuple(fc.integer({ min: 0, max: 200 }), fc.nat(5)).map(([count, seed]) => lines(count, seed)),
      fc.constant(lines(1500)),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.boolean(),
        bits,
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.array(message, { maxLength: 8 }),
        fc.constantFrom<Role>(...ROLES),
        fc.constantFrom(keptWorks, documented),
        fc.constantFrom(keptWorks, documented),
        async (agreedNone, optionNone, windowBits, level, memLevel, messages, role, sendersWay, receiversWay) => {
          const agreed = direction(role, agreedNone || (optionNone && role === 'server'), windowBits)
          const options = { level, memLevel, clientNoContextTakeover: optionNone, serverNoContextTakeover: optionNone }
          mayKeep = sendersWay
          const sender = codec(role, agreed, options)
          mayKeep = receiversWay
          const receiver = codec(other(role), agreed, options)
          // All at once, as a connection does; what comes of it goes out in order.
          const compressed = await Promise.all(messages.map(async (octets) => sender.compress(octets)))
          for (const [index, octets] of compressed.entries()) {
            if (octets === undefined) continue
            expectSame([await receiver.decompress(octets, MiB)], [messages[index]])
          }
          sender.end()
          receiver.end()
        },
      ),
      { numRuns: 100 },
    )
  })
})

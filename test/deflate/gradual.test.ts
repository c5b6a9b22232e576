/** Messages that are inflated and compressed as they come, against zlib used another way (RFC 7692 7.2.1, 7.2.2). */
import { createDeflateRaw, createInflateRaw, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PerMessageDeflate } from '../../src/deflate/deflate.ts'
import { keptWorks } from '../../src/deflate/kept.ts'
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
const EMPTY = Buffer.alloc(0)

/** A payload in pieces of so many octets, the last one over and over. */
function cut(payload: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, i = 0; at < payload.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)]
    pieces.push(payload.subarray(at, at + size))
    at += size
  }
  return pieces
}

/** Inflates a message that comes in `pieces`; the last of them may be empty. */
async function inflate(deflate: PerMessageDeflate, pieces: readonly Buffer[], maxSize = Infinity): Promise<Buffer> {
  const inflation = deflate.decompressGradually(maxSize)
  const output: Buffer[] = []
  for (const [index, piece] of pieces.entries()) {
    for await (const octets of inflation.inflate(piece, index === pieces.length - 1)) output.push(octets)
  }
  return Buffer.concat(output)
}

const MESSAGES = [
  lines(3),
  lines(300),
  noise(500),
  lines(2000, 5),
  Buffer.alloc(300_000, 'ab'),
  noise(70_000),
  lines(5),
]

describe.each(ROLES)('A %s inflates as it comes', (role) => {
  const peer = other(role)

  it.each([8, 9, 11, 15])(
    'what one kept stream with a window of 2^%d octets compressed, wherever it is cut [7692:7.2.2-02] [7692:7.2.2-04] [7692:7.2.2-i01]',
    async (bits) => {
      const deflate = makeCodec(role, direction(peer, false, bits))
      const stream = keptStream(createDeflateRaw({ windowBits: Math.max(bits, 9) }))
      for (const message of MESSAGES) {
        const payload = (await through(stream, message)).subarray(0, -4)
        expectSame([await inflate(deflate, cut(payload, [1, 7, 1000, 20_000]))], [message])
      }
    },
  )

  it('messages between others that are inflated at once, or in the thread pool', async () => {
    const deflate = makeCodec(role)
    const stream = keptStream(createDeflateRaw())
    for (const [index, message] of [...MESSAGES, ...MESSAGES].entries()) {
      const payload = (await through(stream, message)).subarray(0, -4)
      const whole = index % 3 === 0
      expectSame([await (whole ? deflate.decompress(payload, MiB) : inflate(deflate, [payload]))], [message])
    }
  })

  it('nothing that refers back to a message when that was ruled out [7692:7.2.2-01] [7692:7.2.2-03]', async () => {
    const deflate = makeCodec(role, direction(peer, true, 15))
    const stream = keptStream(createDeflateRaw())
    const [first, second] = [await through(stream, lines(20)), await through(stream, lines(20))]
    expect(await inflate(deflate, [first.subarray(0, -4)])).toEqual(lines(20))
    expect(await errorOf(() => inflate(deflate, [second.subarray(0, -4)]))).toBe(INVALID)
  })

  it.each([
    ['a fixed block', 'f2 48 cd c9 c9 07 00'],
    ['a stored block', '00 05 00 fa ff 48 65 6c 6c 6f 00'],
    ['a final block', 'f3 48 cd c9 c9 07 00 00'],
    ['a final block and nothing behind it', 'f3 48 cd c9 c9 07 00'],
    ['two blocks', 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00'],
  ])('%s, cut at every octet, and with an empty end [7692:7.2.3-i01]', async (_what, literal) => {
    const payload = wire(literal)
    for (let at = 0; at <= payload.length; at++) {
      const pieces = [payload.subarray(0, at), payload.subarray(at)].filter((piece, i) => i === 1 || piece.length > 0)
      expect({ at, text: String(await inflate(makeCodec(role), pieces)) }).toEqual({ at, text: 'Hello' })
    }
  })

  it('[V27] several final blocks in one message, wherever it is cut, and what refers to them [7692:7.2.1-03] [7692:7.2.1-04]', async () => {
    const history = Buffer.concat([lines(5, 1), lines(5, 2)])
    const back = deflateRawSync(lines(5, 1), { dictionary: history })
    const payload = Buffer.concat([deflateRawSync(lines(5, 1)), deflateRawSync(lines(5, 2)), back, wire('00')])
    const all = Buffer.concat([history, lines(5, 1)])
    for (const sizes of [[payload.length], [1], [10], [deflateRawSync(lines(5, 1)).length, 3]]) {
      const deflate = makeCodec(role)
      expectSame([await inflate(deflate, cut(payload, sizes))], [all])
      expectSame([await inflate(deflate, [deflated(all, all)])], [all])
    }
  })

  it('no more than 16 further streams in one message, as each costs a new start', async () => {
    const empty = wire('03 00')
    const message = (count: number): Buffer => Buffer.concat([...Array<Buffer>(count).fill(empty), wire('00')])
    for (const size of [2, 1000]) {
      expect(await inflate(makeCodec(role), cut(message(16), [size]))).toEqual(EMPTY)
      expect(await errorOf(() => inflate(makeCodec(role), cut(message(17), [size])))).toBe(INVALID)
    }
  })

  it.each([
    ['nothing at all', ''],
    ['a block of the reserved type', '07'],
    ['a distance that leads before the beginning', 'f2 00 11 00 00'],
    ['half a block', 'f2 48 cd'],
    ['a stored block that is shorter than it says', '00 09 00 f6 ff 48 65'],
    ['noise', noise(200).toString('hex')],
    ['noise behind a final block', `${deflateRawSync(lines(5)).toString('hex')} 5a 5a 5a`],
  ])('not %s, but fails with 1007', async (_what, literal) => {
    const payload = wire(literal)
    expect(await errorOf(() => inflate(makeCodec(role), [payload]))).toBe(INVALID)
    expect(await errorOf(() => inflate(makeCodec(role), [...cut(payload, [1]), EMPTY]))).toBe(INVALID)
  })

  it('a message of as many octets as are allowed, and fails with 1009 as soon as there are more [6455:10.4-01]', async () => {
    for (const size of [1, 1000, 65_536, 65_537, 3 * MiB]) {
      const payload = deflated(Buffer.alloc(size))
      expect((await inflate(makeCodec(role), [payload], size)).length).toBe(size)
      expect(await errorOf(() => inflate(makeCodec(role), [payload], size - 1))).toBe(TOO_BIG)
    }
  })

  it('a bomb only as far as somebody takes what comes of it', async () => {
    const payload = deflated(Buffer.alloc(200 * MiB))
    const inflation = makeCodec(role).decompressGradually(Infinity)
    const pieces = inflation.inflate(payload, true)
    let largest = 0
    for (let i = 0; i < 5; i++) largest = Math.max(largest, (await pieces.next()).value?.length ?? 0)
    expect(largest).toBeLessThanOrEqual(2 * 65_536)
    inflation.close()
    // What had been made is all that comes.
    let rest = 0
    for await (const piece of pieces) rest += piece.length
    expect(rest).toBeLessThan(MiB)
  })

  it('nothing more when its connection ends, whoever waits for it', async () => {
    const deflate = makeCodec(role)
    const pieces = deflate.decompressGradually(Infinity).inflate(deflated(noise(40_000)), true)
    const waiting = pieces.next()
    deflate.end()
    expect(await waiting).toEqual({ value: undefined, done: true })
    const untouched = makeCodec(role)
    const none = untouched.decompressGradually(Infinity)
    untouched.end()
    await turn()
    expect(await none.inflate(Buffer.of(0), true).next()).toEqual({ value: undefined, done: true })
  })
})

describe.each(ROLES)('What a %s compresses as it is made', (role) => {
  /** The payload of a message of these chunks. */
  async function compressed(deflate: PerMessageDeflate, chunks: readonly Buffer[]): Promise<Buffer[]> {
    const deflation = deflate.compressGradually()
    const payloads: Buffer[] = []
    for (const chunk of chunks) payloads.push(await deflation.deflate(chunk))
    deflation.end()
    return payloads
  }

  it.each([8, 9, 13, 15])(
    'one kept stream with a window of 2^%d octets inflates, between other messages [7692:7.2.1-05] [7692:7.2.1-i01] [7692:7.2.1-12] [7692:7.2.1-14]',
    async (bits) => {
      const deflate = makeCodec(role, direction(role, false, bits), {
        serverMaxWindowBits: 15,
        clientMaxWindowBits: 15,
      })
      const peer = keptStream(createInflateRaw({ windowBits: bits, chunkSize: 64 }))
      for (const message of MESSAGES) {
        const payload = Buffer.concat(await compressed(deflate, cut(message, [1, 50_000, 100])))
        expect(payload.subarray(-4)).not.toEqual(FLUSHED)
        expectSame([await through(peer, Buffer.concat([payload, FLUSHED]))], [message])
        const whole = (await deflate.compress(lines(5))) ?? EMPTY
        expectSame([await through(peer, Buffer.concat([whole, FLUSHED]))], [lines(5)])
      }
    },
  )

  it('a new stream inflates when no context is kept, though chunks refer back to each other [7692:7.2.1-07] [7692:7.2.1-10]', async () => {
    const deflate = makeCodec(role, direction(role, true, 15))
    for (let i = 0; i < 2; i++) {
      const payloads = await compressed(deflate, [noise(900), noise(900)])
      expect([payloads[0].length > 900, payloads[1].length < 60]).toEqual([true, true])
      const peer = keptStream(createInflateRaw({ chunkSize: 64 }))
      const payload = Buffer.concat([...payloads, FLUSHED])
      expectSame([await through(peer, payload)], [Buffer.concat([noise(900), noise(900)])])
    }
  })

  it('has the context to itself where one is kept, as messages meanwhile leave behind it', () => {
    const [keeping, leaving] = [makeCodec(role), makeCodec(role, direction(role, true, 15))]
    for (const [deflate, wanted] of [
      [keeping, false],
      [leaving, true],
    ] as const) {
      const both = [deflate.compressGradually(), deflate.compressGradually()]
      expect([deflate.wants(lines(50), undefined), deflate.wants(lines(50), true)]).toEqual([wanted, wanted])
      both[0].end()
      expect(deflate.wants(lines(50), true)).toBe(wanted)
      both[1].end()
      expect(deflate.wants(lines(50), true)).toBe(true)
    }
  })

  it('says whether anything of it is compressed, as soon as that begins', async () => {
    const deflation = makeCodec(role).compressGradually()
    expect(deflation.begun).toBe(false)
    const payload = deflation.deflate(lines(5))
    expect(deflation.begun).toBe(true)
    await payload
    deflation.end()
  })

  it('the other side inflates as it comes, whatever both agree upon and however it is cut', async () => {
    const message = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }).map((octets) => Buffer.from(octets)),
      fc.tuple(fc.integer({ min: 1, max: 200 }), fc.nat(5)).map(([count, seed]) => lines(count, seed)),
      fc.constant(lines(1500)),
    )
    const sizes = fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.constantFrom(8, 9, 12, 15),
        fc.array(message, { minLength: 1, maxLength: 4 }),
        sizes.map((each) => [...each, 5000]),
        fc.constantFrom(keptWorks, () => false),
        async (noContext, bits, messages, cuts, way) => {
          const agreed = direction(role, noContext, bits)
          const [sender, receiver] = [role, other(role)].map((each) => makeCodec(each, agreed, {}, way))
          for (const octets of messages) {
            const payload = Buffer.concat(await compressed(sender, cut(octets, cuts)))
            expectSame([await inflate(receiver, cut(payload, cuts))], [octets])
          }
          sender.end()
          receiver.end()
        },
      ),
      { numRuns: 50 },
    )
  })
})

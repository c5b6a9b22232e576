import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  deflateInPool,
  hasDictionaries,
  inflateAtOnce,
  inflateInPool,
  isTooLarge,
  tooLarge,
  usesDictionaries,
} from '../../src/deflate/zlib.ts'

const EMPTY = Buffer.alloc(0)
const wanted = (): boolean => true
const PAYLOAD = Buffer.alloc(300_000, 'all the same ')

describe('The thread pool', () => {
  it('gives every message what came of it, however many there are', async () => {
    const payloads = Array.from({ length: 40 }, (_, i) => Buffer.alloc(50_000, `message ${i} `))
    const compressed = await Promise.all(payloads.map((payload) => deflateInPool(payload, {}, EMPTY, wanted)))
    const streams = payloads.map((payload) => deflateRawSync(payload))
    const inflated = await Promise.all(streams.map((stream) => inflateInPool(stream, EMPTY, 50_000, wanted)))
    expect(inflated.every(({ buffer }, i) => buffer.equals(payloads[i]))).toBe(true)
    expect(compressed.every((octets) => octets.length < 1000)).toBe(true)
  })

  it('goes on after a message that failed, and tells who it was', async () => {
    const stream = deflateRawSync(PAYLOAD)
    const settled = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        inflateInPool(i % 2 === 0 ? stream : stream.subarray(0, 9), EMPTY, 400_000, wanted),
      ),
    )
    expect(settled.map(({ status }) => status)).toEqual(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'fulfilled' : 'rejected')),
    )
  })

  it('does not work on more than four messages at once, so that memory is bounded', async () => {
    const stream = deflateRawSync(PAYLOAD)
    let settled = 0
    const all = Array.from({ length: 9 }, async () => {
      await inflateInPool(stream, EMPTY, 400_000, wanted)
      settled++
    })
    const order: number[] = []
    const last = inflateInPool(stream, EMPTY, 400_000, wanted).then(() => order.push(settled))
    await Promise.all([...all, last])
    // Whoever came last had to wait until most of those before had gone.
    expect(order[0]).toBeGreaterThanOrEqual(6)
  })

  it('does not begin what nobody wants any more when its turn comes', async () => {
    const stream = deflateRawSync(PAYLOAD)
    let there = true
    const jobs = Array.from({ length: 12 }, () => inflateInPool(stream, EMPTY, 400_000, () => there))
    const compressing = deflateInPool(PAYLOAD, {}, EMPTY, () => there)
    there = false
    const statuses = (await Promise.allSettled([...jobs, compressing])).map(({ status }) => status)
    // The first four had begun.
    expect(statuses).toEqual(statuses.map((_, i) => (i < 4 ? 'fulfilled' : 'rejected')))
    expect((await inflateInPool(stream, EMPTY, 400_000, wanted)).buffer.equals(PAYLOAD)).toBe(true)
  })

  it('stops at the limit', async () => {
    await expect(inflateInPool(deflateRawSync(PAYLOAD), EMPTY, 1000, wanted)).rejects.toMatchObject({
      code: 'ERR_BUFFER_TOO_LARGE',
    })
  })
})

describe('inflateAtOnce', () => {
  it('tells how much of the input a stream had', () => {
    const stream = deflateRawSync(Buffer.from('Hello'))
    const { buffer, engine } = inflateAtOnce(Buffer.concat([stream, Buffer.from('behind')]), EMPTY, 100)
    expect(buffer.toString()).toBe('Hello')
    expect(engine.bytesWritten).toBe(stream.length)
  })
})

describe('isTooLarge', () => {
  it('knows what zlib says of it', () => {
    expect(isTooLarge(tooLarge())).toBe(true)
    const bomb = deflateRawSync(PAYLOAD)
    expect(() => inflateAtOnce(bomb, EMPTY, 1000)).toThrow(expect.toSatisfy(isTooLarge))
  })

  it.each([
    new RangeError('of something else'),
    Object.assign(new RangeError('of something else'), { code: 'ERR_OUT_OF_RANGE' }),
    Object.assign(new Error('of another kind'), { code: 'ERR_BUFFER_TOO_LARGE' }),
    undefined,
  ])('does not take another error for it (%s)', (error) => {
    expect(isTooLarge(error)).toBe(false)
  })
})

describe('Dictionaries', () => {
  it('work in Node', () => {
    expect(hasDictionaries()).toBe(true)
  })

  it('do not where they are left aside, whether that is told or not', () => {
    expect(usesDictionaries((input, _dictionary, most) => inflateAtOnce(input, EMPTY, most))).toBe(false)
    const silent = { buffer: Buffer.alloc(29), engine: { bytesWritten: 0 } }
    expect(usesDictionaries(() => silent)).toBe(false)
  })
})

/** What all sinks have in common: bounded memory, and a true count of what is missing. */
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../src/connection/index.ts'
import { Numbers, keyOctets, sinkTo } from '../../src/tap/sink.ts'
import { KEY, Kept, tapped } from './support.ts'

describe('sinkTo', () => {
  it('writes what is made of each frame', () => {
    const to = new Kept()
    const sink = sinkTo(to, {}, ({ payload }, missing) => `${payload.toString()} ${missing}\n`)
    sink(tapped())
    sink(tapped({ payload: Buffer.from('you') }))
    expect(to.text).toBe('Hello 0\nyou 0\n')
    expect(sink.dropped).toBe(0)
  })

  it('drops frames while too much waits, counts them, and tells the next how many are missing', () => {
    const to = new Kept()
    const sink = sinkTo(to, { maxBuffered: 10 }, (_frame, missing) => `missing ${missing}\n`)
    to.blocked = true
    for (let i = 0; i < 5; i++) sink(tapped())
    // One is being written, and counts as waiting; the second fills the bound.
    expect(to.writableLength).toBeLessThan(10 + 10)
    expect(sink.dropped).toBe(4)
    to.unblock()
    sink(tapped())
    sink(tapped())
    expect(to.text).toBe('missing 0\nmissing 4\nmissing 0\n')
    expect(sink.dropped).toBe(4)
  })

  it('keeps no more than the bound and one frame, however much comes', () => {
    const to = new Kept()
    to.blocked = true
    const sink = sinkTo(to, { maxBuffered: 1000 }, ({ payload }) => payload)
    for (let i = 0; i < 100; i++) sink(tapped({ payload: Buffer.alloc(300) }))
    expect(to.writableLength).toBe(1200)
    expect(sink.dropped).toBe(96)
  })

  it('drops what comes when the stream has ended', () => {
    const to = new PassThrough()
    const sink = sinkTo(to, {}, () => 'x')
    to.end()
    sink(tapped())
    expect(sink.dropped).toBe(1)
  })

  it.each<[wrong: string, to: unknown, options: unknown]>([
    ['no stream', undefined, {}],
    ['a path', 'frames.txt', {}],
    ['an unknown option', new Kept(), { maxbuffered: 1 }],
    ['a bound of nothing', new Kept(), { maxBuffered: 0 }],
  ])('refuses %s', (_wrong, to, options) => {
    expect(() => sinkTo(to as Kept, options as object, () => '')).toThrow(
      expect.objectContaining({ code: 'ERR_WS_INVALID_OPTION' }),
    )
  })
})

describe('Numbers', () => {
  it('counts connections as they are seen', () => {
    const numbers = new Numbers()
    const [one, two] = [{} as Connection, {} as Connection]
    expect([one, two, one, two].map((connection) => numbers.of(connection))).toEqual([1, 2, 1, 2])
  })
})

describe('keyOctets', () => {
  it('writes the first octet of the key first', () => {
    expect(keyOctets(KEY).toString('hex')).toBe('37fa213d')
    expect(keyOctets(-1).toString('hex')).toBe('ffffffff')
  })
})

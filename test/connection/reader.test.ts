/** What makes messages of bytes: what it remembers, and whether a frame goes on (threat V19). */
import { describe, expect, it, vi } from 'vitest'
import { Reader } from '../../src/connection/reader.ts'
import type { ReaderSink } from '../../src/connection/reader.ts'
import { BINARY, PING, PONG, TEXT } from '../support/connection.ts'
import { DEFAULTS, describe as describeEvent } from '../support/decode.ts'
import { frame, script, wire } from '../support/wire.ts'

/** What a sink hears, in words. */
class Listener implements ReaderSink {
  readonly heard: string[] = []

  message(data: string | Buffer, isBinary: boolean): void {
    this.heard.push(describeEvent(isBinary ? 'binary' : 'text', data))
  }

  messagePart(part: Buffer, isBinary: boolean, last: boolean): void {
    this.heard.push(describeEvent(`${isBinary ? 'binary' : 'text'}${last ? ' ends' : '…'}`, part))
  }

  extended(payload: Buffer, isBinary: boolean): void {
    this.heard.push(describeEvent(`extended ${isBinary ? 'binary' : 'text'}`, payload))
  }

  extendedPart(payload: Buffer, isBinary: boolean, last: boolean): void {
    this.heard.push(describeEvent(`extended ${isBinary ? 'binary' : 'text'}${last ? ' ends' : '…'}`, payload))
  }

  ping(payload: Buffer): void {
    this.heard.push(describeEvent('ping', payload))
  }

  pong(payload: Buffer): void {
    this.heard.push(describeEvent('pong', payload))
  }

  close(code: number, reason: string): void {
    this.heard.push(describeEvent(`close ${code}`, reason))
  }
}

const options = { ...DEFAULTS, role: 'client' } as const

/** Reads all of `bytes`, which it may change. */
function read(reader: Reader, bytes: Buffer): void {
  const copy = Buffer.from(bytes)
  expect(reader.decode(copy, copy.length)).toBe(copy.length)
}

describe('Reader', () => {
  it('tells its sink all that comes, and hands a message with RSV1 to it where an extension gives that a meaning', () => {
    const sink = new Listener()
    const reader = new Reader(sink, options, true)
    read(reader, script('client', [[TEXT, 'a'], [BINARY, 'b'], [PING, 'p'], [PONG], [0xc1, 'c'], [0x88, wire('03e8')]]))
    expect(sink.heard).toEqual(['text a', 'binary 62', 'ping 70', 'pong', 'extended text 63', 'close 1000'])
    expect(() => read(new Reader(sink, options, false), frame(0xc1, 'c'))).toThrow('RSV1 is set')
  })

  it('takes the first octets of a chunk, as many as it is told, and answers how many', () => {
    const sink = new Listener()
    const reader = new Reader(sink, options, false)
    const chunk = script('client', [
      [TEXT, 'a'],
      [TEXT, 'b'],
    ])
    expect(reader.decode(chunk, 4)).toBe(4)
    expect([sink.heard, reader.busy]).toEqual([['text a'], true])
    expect(reader.decode(chunk.subarray(4), 2)).toBe(2)
    expect([sink.heard, reader.busy]).toEqual([['text a', 'text b'], false])
  })

  it('stops behind the message in which it is told to, unless that is taken back', () => {
    const sink = new Listener()
    const reader = new Reader(sink, options, false)
    const chunk = script('client', [
      [TEXT, 'a'],
      [TEXT, 'b'],
    ])
    const hear = vi.spyOn(sink, 'message').mockImplementation(() => reader.stop())
    expect(reader.decode(Buffer.from(chunk), 6)).toBe(3)
    hear.mockImplementation(() => {
      reader.stop()
      reader.resume()
    })
    expect(reader.decode(Buffer.from(chunk), 6)).toBe(6)
  })

  it.each([
    ['nothing', '', false],
    ['a whole message', '81 01 61', false],
    ['the first octet of a header', '81', true],
    ['a header', '81 01', true],
    ['a part of a payload', '81 02 61', true],
    ['a fragment', '01 01 61', true],
    ['an empty fragment', '01 00', true],
    ['a Ping between fragments', '01 01 61 89 00', true],
    ['all fragments', '01 01 61 80 00', false],
    ['a part of a Ping', '89 02 61', true],
    ['a Ping', '89 02 6162', false],
    ['a message and a bit', '81 01 61 81', true],
  ])('is busy when it has to remember something: behind %s', (_, literal, busy) => {
    const reader = new Reader(new Listener(), options, false)
    read(reader, wire(literal))
    expect(reader.busy).toBe(busy)
  })

  it('stays busy from when it hands on parts, as it does so for one connection', () => {
    const sink = new Listener()
    const reader = new Reader(sink, options, false)
    reader.stream(10)
    expect(reader.busy).toBe(true)
    read(reader, wire('82 03 616263'))
    expect([reader.busy, sink.heard]).toEqual([true, ['binary ends 61 62 63']])
    expect(() => read(reader, frame(BINARY, Buffer.alloc(11)))).toThrow('larger than 10 octets')
  })

  it('knows what a message of the extension may become: what parts may have or, unless told, what the options say', () => {
    const reader = new Reader(new Listener(), { ...options, maxMessageSize: 1000 }, true)
    expect(reader.maxExtendedSize).toBe(1000)
    reader.stream(10_000)
    expect(reader.maxExtendedSize).toBe(10_000)
    reader.stream(undefined)
    expect(reader.maxExtendedSize).toBe(1000)
  })
})

describe('Reader.isStalled', () => {
  const large = frame(BINARY, Buffer.alloc(60_000))
  /** 104 octets, and a large one behind. */
  const two = Buffer.concat([frame(BINARY, Buffer.alloc(102)), large])
  const frames = Buffer.concat([frame(BINARY, Buffer.alloc(108)), large])

  /** At each time, how many octets have come by then, and whether that is a frame that does not go on. */
  type Seen = readonly [now: number, octets: number, stalled: boolean]

  it.each<[how: string, bytes: Buffer, seen: readonly Seen[]]>([
    [
      'too little',
      large,
      [
        [10, 100, false],
        [109, 1123, false],
        [110, 1123, true],
      ],
    ],
    [
      'enough',
      large,
      [
        [10, 100, false],
        [110, 1124, false],
        [209, 1124, false],
      ],
    ],
    [
      'enough once',
      large,
      [
        [10, 100, false],
        [110, 1124, false],
        [210, 1124, true],
      ],
    ],
    [
      'enough all the time',
      large,
      [
        [10, 100, false],
        [110, 1124, false],
        [210, 2148, false],
        [310, 3172, false],
        [410, 4195, true],
      ],
    ],
    [
      'its end, and another frame',
      two,
      [
        [10, 100, false],
        [110, 110, false],
        [209, 115, false],
      ],
    ],
    [
      'another frame that stops',
      two,
      [
        [10, 100, false],
        [110, 110, false],
        [210, 115, true],
      ],
    ],
    [
      'its end',
      frames,
      [
        [10, 100, false],
        [110, 110, false],
        [500, 110, false],
        [599, 115, false],
      ],
    ],
    [
      'a header that is cut, and nothing else',
      large,
      [
        [10, 1, false],
        [109, 3, false],
        [110, 3, true],
      ],
    ],
    [
      'the rest of a header, with which the frame begins',
      large,
      [
        [10, 1, false],
        [110, 4, false],
        [209, 5, false],
        [210, 5, true],
      ],
    ],
    [
      'nothing at all',
      large,
      [
        [10, 0, false],
        [1000, 0, false],
      ],
    ],
  ])('wants 1 KiB of a frame, or its end, in every frameTimeout: %s', (_, bytes, seen) => {
    const reader = new Reader(new Listener(), options, false)
    let came = 0
    for (const [now, octets, stalled] of seen) {
      read(reader, bytes.subarray(came, octets))
      came = octets
      expect({ now, stalled: reader.isStalled(now, 100) }).toEqual({ now, stalled })
    }
  })

  it('wants it of every fragment by itself, and nothing between fragments', () => {
    const reader = new Reader(new Listener(), options, false)
    read(reader, frame(0x02, 'a'))
    expect([10, 1000, 10_000].map((now) => reader.isStalled(now, 100))).toEqual([false, false, false])
    read(reader, large.subarray(0, 1))
    expect([10_099, 10_100].map((now) => reader.isStalled(now, 100))).toEqual([false, true])
  })

  it('counts from when it is excused, however long ago the frame went on', () => {
    const reader = new Reader(new Listener(), options, false)
    read(reader, large.subarray(0, 100))
    expect(reader.isStalled(10, 100)).toBe(false)
    reader.excuse(1000)
    expect([1000, 1099, 1100].map((now) => reader.isStalled(now, 100))).toEqual([false, false, true])
  })
})

describe('Reader.forget', () => {
  it('has a header that is cut judged anew, though as many frames had begun when somebody looked last', () => {
    const reader = new Reader(new Listener(), options, false)
    read(reader, wire('81 02 61'))
    expect(reader.isStalled(0, 100)).toBe(false)
    read(reader, wire('62'))
    reader.forget()
    read(reader, wire('81'))
    expect([5000, 5099, 5100].map((now) => reader.isStalled(now, 100))).toEqual([false, false, true])
  })
})

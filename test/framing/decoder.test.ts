/**
 * The loop from chunks to headers and payload pieces. There is no rule in it, so frames here may be illegal; what
 * matters is that every octet is told once, in order, unmasked, however the bytes are cut, and that the sink may stop
 * the loop or throw at any call.
 */
import { describe, expect, it, vi } from 'vitest'
import { FrameDecoder } from '../../src/framing/decoder.ts'
import type { FrameSink } from '../../src/framing/decoder.ts'
import type { FrameHeader } from '../../src/framing/header.ts'
import { octets } from '../support/decode.ts'
import { KEY, frame, hex, wire, xored } from '../support/wire.ts'

/** Tells what it hears; `heard` is called in every call, with the number of calls so far. */
class TellingSink implements FrameSink {
  readonly calls: string[] = []
  heard: (calls: number) => void = () => {}

  frameHeader(header: FrameHeader): void {
    this.calls.push(`header ${header.opcode} ${header.payloadLength}`)
    this.heard(this.calls.length)
  }

  framePayload(header: FrameHeader, chunk: Buffer, start: number, end: number, remaining: number): void {
    const piece = hex(chunk.subarray(start, end))
    this.calls.push(`payload ${header.opcode} [${piece}] ${remaining}`)
    this.heard(this.calls.length)
  }
}

/** Puts the pieces of each payload together: what must not depend on how the bytes are cut. */
function joined(calls: readonly string[]): string[] {
  const frames: string[] = []
  for (const call of calls) {
    if (call.startsWith('header')) frames.push(`${call}:`)
    else frames[frames.length - 1] += call.slice(call.indexOf('[') + 1, call.indexOf(']')).replaceAll(' ', '')
  }
  return frames
}

function decodeAll(chunks: readonly Buffer[]): { calls: string[]; decoder: FrameDecoder } {
  const sink = new TellingSink()
  const decoder = new FrameDecoder(sink)
  for (const chunk of chunks) expect(decoder.decode(Buffer.from(chunk))).toBe(chunk.length)
  return { calls: sink.calls, decoder }
}

/** Frames of every header length, masked and not, with payloads that are empty, short and long. */
const STREAM = Buffer.concat([
  frame(0x81, 'Hello'),
  frame(0x81, 'Hello', { key: KEY }),
  frame(0x89),
  frame(0x0a, '', { key: KEY }),
  frame(0x82, Buffer.alloc(126, 7)),
  frame(0x82, Buffer.alloc(130, 7), { key: wire('01020304') }),
  frame(0xf3, 'abc', { lengthBits: 16 }),
  frame(0x72, 'abcdefg', { lengthBits: 64, key: KEY }),
  frame(0x80, '', { lengthBits: 64 }),
])
const STREAM_FRAMES = [
  'header 1 5:48656c6c6f',
  'header 1 5:48656c6c6f',
  'header 9 0:',
  'header 10 0:',
  `header 2 126:${'07'.repeat(126)}`,
  `header 2 130:${'07'.repeat(130)}`,
  'header 3 3:616263',
  'header 2 7:61626364656667',
  'header 0 0:',
]

describe('FrameDecoder', () => {
  it('tells a header once, then its payload, in one piece when it came in one [6455:6.2-01]', () => {
    expect(decodeAll([wire('81 05 48656c6c6f')]).calls).toEqual(['header 1 5', 'payload 1 [48 65 6c 6c 6f] 0'])
  })

  it('unmasks with the key of each frame [6455:6.2-07] [6455:5.3-i01]', () => {
    expect(decodeAll([wire('81 85 37fa213d 7f9f4d5158 82 82 01020304 0000')]).calls).toEqual([
      'header 1 5',
      'payload 1 [48 65 6c 6c 6f] 0',
      'header 2 2',
      'payload 2 [01 02] 0',
    ])
  })

  it('tells an empty payload as one empty piece', () => {
    expect(decodeAll([wire('89 00')]).calls).toEqual(['header 9 0', 'payload 9 [] 0'])
    expect(decodeAll([wire('89 80 37fa213d')]).calls).toEqual(['header 9 0', 'payload 9 [] 0'])
  })

  it('tells a payload in the pieces that come, with the octets still to come', () => {
    const { calls } = decodeAll([wire('81 85 37fa213d'), wire('7f'), wire('9f4d'), wire('5158')])
    expect(calls).toEqual([
      'header 1 5',
      'payload 1 [] 5',
      'payload 1 [48] 4',
      'payload 1 [65 6c] 2',
      'payload 1 [6c 6f] 0',
    ])
  })

  it('tells every frame of a chunk, in order', () => {
    expect(joined(decodeAll([STREAM]).calls)).toEqual(STREAM_FRAMES)
  })

  it('tells the same wherever the bytes are cut [6455:5.4-i02]', () => {
    for (let first = 0; first <= STREAM.length; first++) {
      for (const second of [first, first + 1, first + 2, first + 9].filter((at) => at <= STREAM.length)) {
        const { calls, decoder } = decodeAll([
          STREAM.subarray(0, first),
          STREAM.subarray(first, second),
          STREAM.subarray(second),
        ])
        expect(joined(calls)).toEqual(STREAM_FRAMES)
        expect(decoder.inFrame).toBe(false)
      }
    }
    for (let size = 1; size <= 16; size++) {
      const chunks = []
      for (let at = 0; at < STREAM.length; at += size) chunks.push(STREAM.subarray(at, at + size))
      expect(joined(decodeAll(chunks).calls)).toEqual(STREAM_FRAMES)
    }
  })

  it('knows whether it is inside of a frame, header and payload alike', () => {
    for (const literal of ['81 85 37fa213d 7f9f4d5158', '82 7e 0003 000000', '89 00', '81 01 41']) {
      const decoder = new FrameDecoder(new TellingSink())
      const bytes = wire(literal)
      expect(decoder.inFrame).toBe(false)
      for (const [at, octet] of octets(bytes).entries()) {
        decoder.decode(octet)
        expect(decoder.inFrame).toBe(at < bytes.length - 1)
      }
    }
  })

  it('counts the frames begun: those whose header is whole, before its sink hears of them', () => {
    const sink = new TellingSink()
    const decoder = new FrameDecoder(sink)
    const counts: number[] = []
    sink.heard = () => counts.push(decoder.frames)
    expect(decoder.frames).toBe(0)
    for (const octet of octets(wire('89 00 81 02 6162 82'))) decoder.decode(octet)
    expect(counts).toEqual([1, 1, 2, 2, 2, 2])
    expect(decoder.frames).toBe(2)
    decoder.decode(Buffer.from(STREAM.subarray(1)))
    expect(decoder.frames).toBe(2 + STREAM_FRAMES.length)
  })

  it('unmasks in place and nothing but the payload', () => {
    const bytes = Buffer.concat([wire('ffff'), frame(0x81, 'Hello', { key: KEY }), wire('81 85 37fa213d 7f')])
    new FrameDecoder(new TellingSink()).decode(bytes, 2)
    expect(bytes).toEqual(wire('ffff 81 85 37fa213d 48656c6c6f 81 85 37fa213d 48'))
  })

  it('takes a chunk from an offset on', () => {
    const sink = new TellingSink()
    const decoder = new FrameDecoder(sink)
    expect(decoder.decode(wire('89 00 8a 00'), 2)).toBe(4)
    expect(decoder.decode(wire('89 00'), 2)).toBe(2)
    expect(decoder.decode(Buffer.alloc(0))).toBe(0)
    expect(sink.calls).toEqual(['header 10 0', 'payload 10 [] 0'])
  })

  it('keeps nothing but the octets of a cut header, and no memory between frames', () => {
    const decoder = new FrameDecoder({ frameHeader: () => {}, framePayload: () => {} })
    const bytes = frame(0x82, Buffer.alloc(70_000), { key: KEY })
    const cutHeader = octets(bytes.subarray(0, 13))
    const allocations = vi.spyOn(Buffer, 'allocUnsafe')
    decoder.decode(bytes.subarray(0, 14))
    for (let at = 14; at < bytes.length; at += 1000) decoder.decode(bytes.subarray(at, at + 1000))
    expect(allocations).not.toHaveBeenCalled()
    for (const octet of cutHeader) decoder.decode(octet)
    expect(allocations.mock.calls).toEqual([[14]])
    allocations.mockRestore()
  })

  it('keeps the octets of a cut header when the chunk is used again for others', () => {
    const sink = new TellingSink()
    const decoder = new FrameDecoder(sink)
    const chunk = Buffer.alloc(1)
    for (const octet of frame(0x82, 'abc', { lengthBits: 64, key: KEY })) {
      chunk[0] = octet
      decoder.decode(chunk)
    }
    expect(joined(sink.calls)).toEqual(['header 2 3:616263'])
  })

  it('decodes 100,000 empty pings in one chunk without recursion', () => {
    let frames = 0
    const decoder = new FrameDecoder({ frameHeader: () => {}, framePayload: () => void frames++ })
    const chunk = Buffer.alloc(600_000)
    for (let at = 0; at < chunk.length; at += 6) chunk.writeUInt16BE(0x8980, at)
    expect(decoder.decode(chunk)).toBe(chunk.length)
    expect(frames).toBe(100_000)
  })

  it('reads lengths up to the largest without counting wrong', () => {
    for (const declared of [2n ** 31n, 2n ** 32n + 5n, 2n ** 53n - 1n]) {
      const { calls, decoder } = decodeAll([frame(0x82, 'abc', { declared })])
      expect(calls).toEqual([`header 2 ${declared}`, `payload 2 [61 62 63] ${declared - 3n}`])
      expect(decoder.inFrame).toBe(true)
    }
  })
})

describe('FrameDecoder.decode with a limit', () => {
  it('takes a chunk from an offset up to the limit, and answers that', () => {
    const sink = new TellingSink()
    const decoder = new FrameDecoder(sink)
    expect(decoder.decode(wire('89 00 8a 00 88 00'), 2, 4)).toBe(4)
    expect(decoder.decode(wire('89 00'), 2, 2)).toBe(2)
    expect(decoder.decode(wire('89 00'), 0, 0)).toBe(0)
    expect(decoder.decode(wire('88 00'))).toBe(2)
    expect(sink.calls).toEqual(['header 10 0', 'payload 10 [] 0', 'header 8 0', 'payload 8 [] 0'])
  })

  it('reads, and unmasks, nothing behind the limit, wherever that cuts a header or a payload', () => {
    const { calls: all } = decodeAll([STREAM])
    // What lies behind the limit would be read as the rest of whatever is cut there.
    for (const behind of [0x00, 0x81, 0xff]) {
      for (let first = 0; first <= STREAM.length; first++) {
        for (const second of [first, first + 1, first + 2, first + 3, first + 9].filter((at) => at <= STREAM.length)) {
          const sink = new TellingSink()
          const decoder = new FrameDecoder(sink)
          // One piece of memory for every read, larger than what it brings.
          const memory = Buffer.alloc(STREAM.length + 20)
          for (const [start, end] of [
            [0, first],
            [first, second],
            [second, STREAM.length],
          ]) {
            memory.fill(behind)
            STREAM.copy(memory, 0, start, end)
            expect(decoder.decode(memory, 0, end - start)).toBe(end - start)
            expect(memory.subarray(end - start).every((octet) => octet === behind)).toBe(true)
          }
          expect(joined(sink.calls)).toEqual(STREAM_FRAMES)
          expect(decoder.inFrame).toBe(false)
        }
      }
    }
    expect(joined(all)).toEqual(STREAM_FRAMES)
  })

  it('keeps of a header that the limit cuts only what lies before it', () => {
    for (const bytes of [
      frame(0x82, 'abc', { lengthBits: 64, key: KEY }),
      frame(0x82, 'abc', { lengthBits: 16, key: KEY }),
      frame(0x82, 'abc', { lengthBits: 16 }),
      frame(0x82, 'abc', { key: KEY }),
      frame(0x82, 'abc'),
    ]) {
      const headerLength = bytes.length - 3
      for (let limit = 0; limit <= headerLength; limit++) {
        const sink = new TellingSink()
        const decoder = new FrameDecoder(sink)
        // All of the frame is there, but only the front of it is to be read.
        const chunk = Buffer.from(bytes)
        expect(decoder.decode(chunk, 0, limit)).toBe(limit)
        expect({ limit, calls: sink.calls.length, frames: decoder.frames, inFrame: decoder.inFrame }).toEqual({
          limit,
          calls: limit === headerLength ? 2 : 0,
          frames: limit === headerLength ? 1 : 0,
          inFrame: limit > 0,
        })
        expect(chunk.equals(bytes)).toBe(true)
        expect(decoder.decode(chunk, limit)).toBe(bytes.length)
        expect(joined(sink.calls)).toEqual(['header 2 3:616263'])
      }
    }
  })

  it('tells with its answer where it was stopped before the limit', () => {
    const sink = new TellingSink()
    const decoder = new FrameDecoder(sink)
    sink.heard = () => decoder.stop()
    const chunk = wire('89 00 8a 00 89 00')
    expect(decoder.decode(chunk, 0, 4)).toBe(2)
    expect(decoder.decode(chunk, 2, 4)).toBe(4)
    expect(decoder.decode(chunk, 4, 4)).toBe(4)
    expect(sink.calls).toHaveLength(4)
  })
})

describe('FrameDecoder.stop', () => {
  const bytes = Buffer.concat([frame(0x81, 'ab', { key: KEY }), frame(0x89), frame(0x82, 'cde', { key: KEY })])
  const all = decodeAll([bytes]).calls

  /** Decodes with `heard` in the sink, handing in again what was not taken. */
  function decodeOn(
    chunks: readonly Buffer[],
    heard: (decoder: FrameDecoder, call: number) => void,
  ): { calls: string[]; stops: number } {
    const sink = new TellingSink()
    const decoder = new FrameDecoder(sink)
    sink.heard = (call) => heard(decoder, call)
    let stops = 0
    for (const chunk of chunks) {
      const copy = Buffer.from(chunk)
      let at = decoder.decode(copy)
      for (; at < copy.length; stops++) at = decoder.decode(copy, at)
    }
    return { calls: sink.calls, stops }
  }

  it('ends the running decode behind the payload piece; nothing is lost or told twice', () => {
    for (let stopAt = 1; stopAt <= all.length; stopAt++) {
      const { calls, stops } = decodeOn([bytes], (decoder, call) => {
        if (call === stopAt) decoder.stop()
      })
      expect(calls).toEqual(all)
      expect(stops).toBe(stopAt <= 4 ? 1 : 0)
    }
  })

  it('may be called in every call to the sink, however the bytes are cut', () => {
    expect(decodeOn([bytes], (decoder) => decoder.stop())).toEqual({ calls: all, stops: 2 })
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { calls } = decodeOn([bytes.subarray(0, cut), bytes.subarray(cut)], (decoder) => decoder.stop())
      expect(joined(calls)).toEqual(joined(all))
    }
    expect(joined(decodeOn(octets(bytes), (decoder) => decoder.stop()).calls)).toEqual(joined(all))
  })

  it('called with a header, lets the piece behind it through, so that no empty payload is left over', () => {
    const sink = new TellingSink()
    const decoder = new FrameDecoder(sink)
    sink.heard = () => decoder.stop()
    expect(decoder.decode(wire('89 00 8a 00'))).toBe(2)
    expect(sink.calls).toEqual(['header 9 0', 'payload 9 [] 0'])
    expect(decoder.inFrame).toBe(false)
  })

  it('is answered by the offset of the first octet not taken', () => {
    const sink = new TellingSink()
    const decoder = new FrameDecoder(sink)
    sink.heard = () => decoder.stop()
    const offsets = []
    const chunk = Buffer.from(bytes)
    for (let at = 0; at < chunk.length; offsets.push(at)) at = decoder.decode(chunk, at)
    expect(offsets).toEqual([8, 10, 19])
  })

  it('is taken back by resume in the same call', () => {
    const { calls, stops } = decodeOn([bytes], (decoder) => {
      decoder.stop()
      decoder.resume()
    })
    expect({ calls, stops }).toEqual({ calls: all, stops: 0 })
  })

  it('has no hold on a later decode', () => {
    const sink = new TellingSink()
    const decoder = new FrameDecoder(sink)
    decoder.stop()
    expect(decoder.decode(wire('89 00 89 00'))).toBe(4)
    expect(sink.calls).toHaveLength(4)
  })
})

describe('FrameDecoder, when its sink throws,', () => {
  it('lets the error through from any call, with its state committed before it', () => {
    const bytes = Buffer.concat([frame(0x81, 'ab', { key: KEY }), frame(0x89)])
    const all = decodeAll([bytes]).calls
    for (let throwAt = 1; throwAt <= all.length; throwAt++) {
      const sink = new TellingSink()
      const decoder = new FrameDecoder(sink)
      const states: boolean[] = []
      sink.heard = (calls) => {
        states.push(decoder.inFrame)
        if (calls === throwAt) throw new Error('from the sink')
      }
      expect(() => decoder.decode(Buffer.from(bytes))).toThrow('from the sink')
      expect(sink.calls).toEqual(all.slice(0, throwAt))
      // A header puts it into the frame, the last piece has taken it out.
      expect(states).toEqual([true, false, true, false].slice(0, throwAt))
    }
  })

  it('does not unmask the payload of a header that was refused', () => {
    const bytes = frame(0x81, 'Hello', { key: KEY })
    const sink = new TellingSink()
    sink.heard = () => {
      throw new Error('refused')
    }
    expect(() => new FrameDecoder(sink).decode(bytes)).toThrow('refused')
    expect(bytes.subarray(6)).toEqual(xored(Buffer.from('Hello'), KEY))
  })
})

describe('FrameDecoder.fork', () => {
  const bytes = Buffer.concat([frame(0x81, 'Hello', { key: KEY }), frame(0x82, Buffer.alloc(200, 7)), frame(0x89, 'p')])

  it('answers a decoder that goes on where this one is, wherever that is, without the header of a frame that has begun', () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const sink = new TellingSink()
      const decoder = new FrameDecoder(sink)
      decoder.decode(Buffer.from(bytes.subarray(0, cut)))
      const before = sink.calls.length
      const forked = new TellingSink()
      const fork = decoder.fork(forked)
      expect(fork.inFrame).toBe(decoder.inFrame)
      fork.decode(Buffer.from(bytes.subarray(cut)))
      decoder.decode(Buffer.from(bytes.subarray(cut)))
      expect(forked.calls).toEqual(sink.calls.slice(before))
    }
  })

  it('answers one that has nothing in common with this one any more', () => {
    const decoder = new FrameDecoder(new TellingSink())
    decoder.decode(Buffer.from(bytes.subarray(0, 4)))
    const sink = new TellingSink()
    const fork = decoder.fork(sink)
    // The rest of the header that both have in part.
    fork.decode(wire('aa bb 00'))
    decoder.decode(Buffer.from(bytes.subarray(4)))
    expect([fork.frames, decoder.frames]).toEqual([1, 3])
    expect(sink.calls.at(0)).toBe('header 1 5')
  })
})

/** What the load sends is what RFC 6455 says, and what it receives is counted right however it was cut. */
import { describe, expect, it } from 'vitest'
import { OPCODE, clientFrame, clientMessage, jsonOf, payloadOf, serverFrame } from '../../bench/load/frames.ts'
import { FrameCounter, MessageReader } from '../../bench/load/incoming.ts'
import type { Sender } from '../../bench/load/incoming.ts'
import { wire } from '../support/wire.ts'

/** The same octets whole, one by one, and in two parts, cut at every place. */
function cuts(octets: Buffer): Buffer[][] {
  const parts = Array.from(octets, (_, at) => [octets.subarray(0, at), octets.subarray(at)])
  return [[octets], Array.from(octets, (octet) => Buffer.from([octet])), ...parts]
}

function count(octets: readonly Buffer[], from: Sender = 'server'): [messages: number, octets: number] {
  const counter = new FrameCounter(from)
  let complete = 0
  for (const part of octets) complete += counter.read(part, part.length)
  expect(counter.messages).toBe(complete)
  return [complete, counter.octets]
}

describe('clientFrame', () => {
  it.each([0, 1, 125, 126, 65_535, 65_536])('writes a payload of %i octets so that it is read as it was', (size) => {
    const payload = payloadOf('binary', size, 1)
    const frame = clientFrame(payload, { opcode: OPCODE.binary })
    const [reply] = new MessageReader('client').read(frame, frame.length)
    expect([reply.opcode, reply.rsv1, reply.payload.equals(payload)]).toEqual([OPCODE.binary, false, true])
  })

  it('says the length in as few octets as there may be', () => {
    const heads = [125, 126, 65_536].map((size) =>
      clientFrame(Buffer.alloc(size), { opcode: OPCODE.text }).subarray(0, 10),
    )
    expect(heads[0].subarray(0, 2)).toEqual(wire('81 fd'))
    expect(heads[1].subarray(0, 4)).toEqual(wire('81 fe 007e'))
    expect(heads[2]).toEqual(wire('82 ff 0000000000010000'.replace('82', '81')))
  })

  it('masks every octet with something', () => {
    const frame = clientFrame(Buffer.alloc(8), { opcode: OPCODE.binary })
    expect([...frame.subarray(6)].every((octet) => octet !== 0)).toBe(true)
  })
})

describe('clientMessage', () => {
  it('fragments, with the opcode on the first and FIN on the last', () => {
    const message = clientMessage(Buffer.from('abcdefg'), OPCODE.text, 3)
    expect([message[0], message[9], message[18]]).toEqual([0x01, 0x00, 0x80])
    const [reply] = new MessageReader('client').read(message, message.length)
    expect(String(reply.payload)).toBe('abcdefg')
  })
})

describe('payloadOf', () => {
  it('is the same for the same index, and another for another', () => {
    expect(payloadOf('text', 32, 5)).toEqual(payloadOf('text', 32, 5))
    const all = new Set(Array.from({ length: 500 }, (_, index) => payloadOf('binary', 32, index).toString('hex')))
    expect(all.size).toBe(500)
  })

  it('is ASCII for text', () => {
    expect(payloadOf('text', 999, 3).every((octet) => octet >= 32 && octet < 127)).toBe(true)
  })

  it('is JSON of at least that size where that is asked for, each unlike the others', () => {
    const all = Array.from({ length: 100 }, (_, index) => String(jsonOf(1024, index)))
    expect(new Set(all).size).toBe(100)
    for (const text of all) {
      expect(text.length).toBeGreaterThanOrEqual(1024)
      expect(JSON.parse(text)).toHaveProperty('entries')
    }
  })
})

describe('FrameCounter', () => {
  const hello = wire('81 05 48656c6c6f')
  const fragments = wire('01 03 48656c 80 02 6c6f')
  const ping = wire('89 02 0102')
  const empty = wire('82 00')
  const long = serverFrame(Buffer.alloc(300, 1), OPCODE.binary)
  const longer = serverFrame(Buffer.alloc(66_000, 1), OPCODE.binary)

  it('counts messages and their octets, and no pings, however they were cut', () => {
    for (const parts of cuts(Buffer.concat([hello, fragments, ping, empty, long, hello]))) {
      expect(count(parts)).toEqual([5, 5 + 5 + 300 + 5])
    }
  })

  it('knows all lengths', () => {
    expect(count([longer, longer])).toEqual([2, 132_000])
    expect(count([longer.subarray(0, 7), longer.subarray(7, 40_000), longer.subarray(40_000)])).toEqual([1, 66_000])
  })

  it('counts what a client sends, which is masked', () => {
    const sent = [1, 126, 300].map((size) => clientMessage(payloadOf('text', size, 0), OPCODE.text))
    for (const parts of cuts(Buffer.concat(sent))) expect(count(parts, 'client')).toEqual([3, 427])
  })

  it('refuses what is masked from a server, what is not from a client, and a Close', () => {
    const masked = clientFrame(Buffer.from('x'), { opcode: OPCODE.text })
    expect(() => count([masked])).toThrow('it masks')
    expect(() => count([hello], 'client')).toThrow('it masks nothing')
    expect(() => count([wire('88 02 03e8')])).toThrow('closed')
  })
})

describe('MessageReader', () => {
  it('reads messages whole, however they were cut', () => {
    const octets = wire('01 03 48656c 89 01 00 80 02 6c6f c2 02 0102')
    for (const parts of cuts(octets)) {
      const reader = new MessageReader()
      const replies = parts.flatMap((part) => reader.read(part, part.length))
      expect(replies).toEqual([
        { opcode: 1, rsv1: false, payload: Buffer.from('Hello') },
        { opcode: 2, rsv1: true, payload: wire('0102') },
      ])
    }
  })

  it.each([
    ['81 85 00000000 48656c6c6f', 'it masks what it sends'],
    ['80 01 00', 'belong to no message'],
    ['01 01 48 81 01 48', 'belong to no message'],
    ['88 02 03ea', 'closed a connection with 03ea'],
  ])('refuses %s', (octets, problem) => {
    const bytes = wire(octets)
    expect(() => new MessageReader().read(bytes, bytes.length)).toThrow(problem)
  })
})

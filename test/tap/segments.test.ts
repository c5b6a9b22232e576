/** TCP, as far as readers of captures look at it: numbers, lengths, checksums. */
import { describe, expect, it } from 'vitest'
import { Conversation } from '../../src/tap/segments.ts'
import type { Packet } from '../../src/tap/segments.ts'

const ipv4 = {
  client: { address: Buffer.from([192, 0, 2, 1]), port: 50_000 },
  server: { address: Buffer.from([192, 0, 2, 2]), port: 80 },
}
const ipv6 = {
  client: { address: Buffer.alloc(16, 1), port: 50_000 },
  server: { address: Buffer.alloc(16, 2), port: 80 },
}

interface Segment {
  readonly from: number
  readonly flags: number
  readonly sequence: number
  readonly acknowledged: number
  readonly data: string
}

/** Takes a packet apart; fails on lengths that are wrong. */
function segmentOf({ bytes, length }: Packet): Segment {
  const isIpv4 = bytes[0] >> 4 === 4
  const start = isIpv4 ? 20 : 40
  expect(isIpv4 ? bytes.readUInt16BE(2) : bytes.readUInt16BE(4) + 40).toBe(length)
  expect(isIpv4 ? bytes[9] : bytes[6]).toBe(6)
  return {
    from: bytes.readUInt16BE(start),
    flags: bytes[start + 13],
    sequence: bytes.readUInt32BE(start + 4),
    acknowledged: bytes.readUInt32BE(start + 8),
    data: bytes.toString('latin1', start + 20),
  }
}

/** The ones' complement sum, which is all ones over what a checksum is part of. */
function sum(bytes: Buffer): number {
  let total = 0
  for (let at = 0; at < bytes.length; at += 2) total += (bytes[at] << 8) | (bytes[at + 1] ?? 0)
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x1_0000)
  return total
}

describe.each([
  ['IPv4', ipv4],
  ['IPv6', ipv6],
])('A conversation over %s', (_name, ends) => {
  it('begins with the three-way handshake, and counts octets from there', () => {
    const conversation = new Conversation(ends)
    expect(conversation.open().map(segmentOf)).toEqual([
      { from: 50_000, flags: 0x02, sequence: 0, acknowledged: 0, data: '' },
      { from: 80, flags: 0x12, sequence: 0, acknowledged: 1, data: '' },
      { from: 50_000, flags: 0x10, sequence: 1, acknowledged: 1, data: '' },
    ])
    const sent = [
      ...conversation.send('client', Buffer.from('question')),
      ...conversation.send('server', Buffer.from('answer')),
      ...conversation.send('client', Buffer.from('!')),
    ]
    expect(sent.map(segmentOf)).toEqual([
      { from: 50_000, flags: 0x18, sequence: 1, acknowledged: 1, data: 'question' },
      { from: 80, flags: 0x18, sequence: 1, acknowledged: 9, data: 'answer' },
      { from: 50_000, flags: 0x18, sequence: 9, acknowledged: 7, data: '!' },
    ])
  })

  it('cuts what does not fit a packet', () => {
    const conversation = new Conversation(ends)
    const segments = conversation.send('server', Buffer.alloc(150_000, 'x')).map(segmentOf)
    expect(segments.map(({ sequence, data }) => [sequence, data.length])).toEqual([
      [0, 65_000],
      [65_000, 65_000],
      [130_000, 20_000],
    ])
  })

  it('counts what was not kept, though it is not there', () => {
    const conversation = new Conversation(ends)
    const [short] = conversation.send('server', Buffer.from('kept'), 10)
    expect([short.length - short.bytes.length, segmentOf(short).data]).toEqual([6, 'kept'])
    const [long] = conversation.send('server', Buffer.from('kept'), 1_000_000)
    expect(segmentOf(long)).toMatchObject({ sequence: 10, data: 'kept' })
    expect(long.length - long.bytes.length).toBe(65_000 - 4)
    expect(segmentOf(conversation.send('server', Buffer.from('next'))[0]).sequence).toBe(1_000_010)
    const [beyond] = conversation.send('server', Buffer.from('x'), 2 ** 40)
    expect(segmentOf(beyond).sequence).toBe(1_000_014)
    expect(segmentOf(conversation.send('server', Buffer.from('y'))[0]).sequence).toBe(1_000_014)
  })

  it.each(['', 'odd', 'even'])('has checksums that are right: %j', (text) => {
    const conversation = new Conversation(ends)
    const packets = [
      ...conversation.open(),
      ...conversation.send('client', Buffer.from(text)),
      ...conversation.send('server', Buffer.alloc(65_001, 0xff)),
    ]
    for (const { bytes } of packets) {
      const isIpv4 = bytes[0] >> 4 === 4
      if (isIpv4) expect(sum(bytes.subarray(0, 20))).toBe(0xffff)
      const tcp = bytes.subarray(isIpv4 ? 20 : 40)
      const addresses = isIpv4 ? bytes.subarray(12, 20) : bytes.subarray(8, 40)
      expect(sum(Buffer.concat([addresses, Buffer.from([0, 6, tcp.length >> 8, tcp.length & 0xff]), tcp]))).toBe(0xffff)
    }
  })
})

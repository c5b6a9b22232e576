import { describe, expect, it } from 'vitest'
import type { Role } from '../../src/conformance/index.ts'
import { MAX_MESSAGE, Receiver } from '../../src/conformance/receiver.ts'
import type { Heard } from '../../src/conformance/receiver.ts'
import { FrameReader } from '../../src/conformance/wire.ts'
import { KEY, frame, received, wire } from '../support/wire.ts'
import type { FrameLiteral } from '../support/wire.ts'

/** What `peer` says in these octets, and what it must not. */
function listen(
  octets: Buffer,
  peer: Role = 'server',
  deflate = false,
): { heard: Heard[]; breach: string | undefined } {
  const reader = new FrameReader()
  const receiver = new Receiver(peer, deflate)
  const heard: Heard[] = []
  reader.push(octets)
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    const said = receiver.take(next)
    if (said !== undefined) heard.push(said)
  }
  return { heard, breach: receiver.breach }
}

const all = (frames: readonly FrameLiteral[]): Buffer => Buffer.concat(frames.map((literal) => frame(...literal)))

type Breach = readonly [breach: string, octets: Buffer, peer?: Role, deflate?: boolean]

describe('Receiver', () => {
  it('hears messages and control frames', () => {
    const octets = all([
      [0x01, 'he'],
      [0x89, 'ping'],
      [0x80, 'llo'],
      [0x82, 'b'],
      [0x8a, 'pong'],
      [0x88, wire('03e8 6279 65')],
    ])
    expect(listen(octets)).toEqual({
      heard: [
        { type: 'ping', payload: Buffer.from('ping') },
        { type: 'text', payload: Buffer.from('hello'), compressed: false },
        { type: 'binary', payload: Buffer.from('b'), compressed: false },
        { type: 'pong', payload: Buffer.from('pong') },
        { type: 'close', code: 1000, reason: 'bye' },
      ],
      breach: undefined,
    })
  })

  it('hears compressed messages where that has been agreed', () => {
    const octets = all([
      [0x41, 'a'],
      [0x80, 'b'],
      [0x82, 'c'],
    ])
    const { heard, breach } = listen(octets, 'server', true)
    expect(heard.map((said) => 'compressed' in said && said.compressed)).toEqual([true, false])
    expect(breach).toBeUndefined()
  })

  it('takes masked frames of a client', () => {
    expect(listen(frame(0x81, 'hello', { key: KEY }), 'client').breach).toBeUndefined()
  })

  const breaches: readonly Breach[] = [
    ['it masked a text frame, as a server must not (RFC 6455 5.1)', frame(0x81, 'x', { key: KEY })],
    ['it did not mask a binary frame, as a client must (RFC 6455 5.1)', frame(0x82, 'x'), 'client'],
    ['it sent a text frame with RSV bits 100 (RFC 6455 5.2)', frame(0xc1, 'x')],
    ['it sent a text frame with RSV bits 001 (RFC 6455 5.2)', frame(0x91, 'x'), 'server', true],
    ['it sent a Ping frame with RSV bits 100 (RFC 6455 5.2)', frame(0xc9, 'x'), 'server', true],
    ['it sent a continuation frame with RSV bits 100 (RFC 6455 5.2)', all([[0x01], [0xc0]]), 'server', true],
    ['it sent a frame with opcode 3, which is reserved (RFC 6455 5.2)', frame(0x83)],
    ['it sent a frame with opcode 11, which is reserved (RFC 6455 5.2)', frame(0x8b)],
    ['it gave the length of a text frame more octets than needed (RFC 6455 5.2)', frame(0x81, 'x', { lengthBits: 16 })],
    ['it sent a fragment of a Pong frame (RFC 6455 5.5)', frame(0x0a)],
    ['it sent a Ping frame of 126 octets (RFC 6455 5.5)', frame(0x89, Buffer.alloc(126))],
    ['it sent a binary frame behind its Close frame (RFC 6455 5.5.1)', all([[0x88], [0x82, 'x']])],
    ['it sent a Close frame with half a code (RFC 6455 5.5.1)', frame(0x88, 'x')],
    ['it sent a Close frame with a reason that is not UTF-8 (RFC 6455 5.5.1)', frame(0x88, wire('03e8 ff'))],
    ['it sent a continuation frame with nothing to continue (RFC 6455 5.4)', frame(0x80, 'x')],
    ['it began a message before the one before was complete (RFC 6455 5.4)', all([[0x01], [0x81]])],
    [
      'it sent a message that is far larger than what it was sent (RFC 6455 10.4)',
      frame(0x82, Buffer.alloc(MAX_MESSAGE + 1)),
    ],
  ]

  for (const [breach, octets, peer, deflate] of breaches) {
    it(`says that ${breach}`, () => {
      expect(listen(octets, peer, deflate).breach).toBe(breach)
    })
  }

  it.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535])('says that %d must not be sent', (code) => {
    const octets = received('client', 0x88, Buffer.of(code >> 8, code & 0xff))
    expect(listen(octets)).toEqual({
      heard: [{ type: 'close', code, reason: '' }],
      breach: `it sent a Close frame with ${code}, a code that must not be sent (RFC 6455 7.4)`,
    })
  })

  it.each([1000, 1003, 1007, 1014, 3000, 4999])('takes %d', (code) => {
    expect(listen(frame(0x88, Buffer.of(code >> 8, code & 0xff))).breach).toBeUndefined()
  })

  it('looks at the UTF-8 of text, and of text alone', () => {
    const receiver = new Receiver('server', false)
    receiver.checkMessage('binary', wire('ff'))
    receiver.checkMessage('text', Buffer.from('€'))
    expect(receiver.breach).toBeUndefined()
    receiver.checkMessage('text', wire('ff'))
    expect(receiver.breach).toBe('it sent a text message that is not UTF-8 (RFC 6455 8.1)')
  })

  it('keeps the first breach', () => {
    expect(listen(all([[0x83], [0x8b]])).breach).toContain('opcode 3')
  })
})

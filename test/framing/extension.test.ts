/** Messages that came with RSV1, for the extension that gave it a meaning (RFC 6455 5.2, 9; RFC 7692 6). */
import { describe, expect, it } from 'vitest'
import { FrameDecoder, MessageAssembler } from '../../src/framing/index.ts'
import type { MessageOptions, PartSink } from '../../src/framing/index.ts'
import { DEFAULTS, Recorder, describe as describeEvent, describeError, octets } from '../support/decode.ts'
import { ROLES, script } from '../support/wire.ts'
import type { FrameLiteral } from '../support/wire.ts'

const RSV1 = 0x40
const NOT_TEXT = Buffer.from([0xff, 0xfe])

class Extension extends Recorder implements PartSink {
  readonly heard: string[] = []

  override message(data: string | Buffer, isBinary: boolean): void {
    this.heard.push(describeEvent(isBinary ? 'binary' : 'text', data))
  }

  override ping(payload: Buffer): void {
    this.heard.push(describeEvent('ping', payload))
  }

  extended(payload: Buffer, isBinary: boolean): void {
    this.heard.push(describeEvent(isBinary ? 'extended binary' : 'extended text', Buffer.from(payload)))
  }

  extendedPart(payload: Buffer, isBinary: boolean, last: boolean): void {
    this.heard.push(describeEvent(`extended ${isBinary ? 'binary' : 'text'}${last ? '' : '…'}`, Buffer.from(payload)))
  }

  messagePart(part: Buffer, isBinary: boolean, last: boolean): void {
    this.heard.push(describeEvent(`${isBinary ? 'binary' : 'text'}${last ? '' : '…'}`, part.toString()))
  }
}

interface Run extends Partial<MessageOptions> {
  /** In parts from this chunk on. */
  readonly streamFrom?: number
  /** Octets of a message in parts. */
  readonly limit?: number
}

function run(chunks: readonly Buffer[], { streamFrom, limit, ...options }: Run): string[] {
  const sink = new Extension()
  const assembler = new MessageAssembler(sink, { ...DEFAULTS, ...options }, sink)
  const decoder = new FrameDecoder(assembler)
  try {
    for (const [index, chunk] of chunks.entries()) {
      if (index === streamFrom) assembler.stream(sink, limit)
      decoder.decode(Buffer.from(chunk))
    }
  } catch (error) {
    sink.heard.push(describeError(error))
  }
  return sink.heard
}

describe.each(ROLES)('A message with RSV1 to a %s', (role) => {
  const heard = (frames: readonly FrameLiteral[], options: Run = {}): string[] => {
    const bytes = script(role, frames)
    const whole = run([bytes], { role, ...options })
    if (options.streamFrom === undefined) expect(run(octets(bytes), { role, ...options })).toEqual(whole)
    return whole
  }

  it('goes to the extension, whole, whatever octets it has [7692:6.1-i01] [7692:6.2-01]', () => {
    expect(heard([[0x81 | RSV1, NOT_TEXT]])).toEqual(['extended text ff fe'])
    expect(heard([[0x82 | RSV1, NOT_TEXT]])).toEqual(['extended binary ff fe'])
    expect(heard([[0x81 | RSV1, '']])).toEqual(['extended text'])
    expect(
      heard([
        [0x01 | RSV1, Buffer.from([0xff])],
        [0x89, 'a'],
        [0x00, ''],
        [0x80, Buffer.from([0xfe])],
      ]),
    ).toEqual(['ping 61', 'extended text ff fe'])
  })

  it('stands beside messages without, which are taken as they are [7692:6.1-02] [7692:6.2-02]', () => {
    expect(
      heard([
        [0x81, 'a'],
        [0x82 | RSV1, NOT_TEXT],
        [0x01, 'b'],
        [0x80, 'c'],
        [0x81 | RSV1, NOT_TEXT],
        [0x81, NOT_TEXT],
      ]),
    ).toEqual([
      'text a',
      'extended binary ff fe',
      'text bc',
      'extended text ff fe',
      'ERR_WS_INVALID_UTF8 1007 RFC 6455 8.1',
    ])
  })

  it('has RSV1 on its first frame alone, and no control frame has it [7692:6.1-03] [7692:6.1-04]', () => {
    const misplaced = 'ERR_WS_RESERVED_BIT 1002 RFC 7692 6.1'
    for (const control of [0x88, 0x89, 0x8a]) expect(heard([[control | RSV1, '']])).toEqual([misplaced])
    expect(
      heard([
        [0x01 | RSV1, 'a'],
        [0x80 | RSV1, 'b'],
      ]),
    ).toEqual([misplaced])
    expect(
      heard([
        [0x01, 'a'],
        [0x80 | RSV1, 'b'],
      ]),
    ).toEqual([misplaced])
  })

  it('may be a little larger than a message, as not everything can be compressed, and no more [6455:10.4-01]', () => {
    const tooBig = 'ERR_WS_MESSAGE_TOO_BIG 1009 RFC 6455 10.4'
    const options = { maxMessageSize: 1000 }
    expect(heard([[0x82 | RSV1, Buffer.alloc(1127)]], options)).toEqual([
      `extended binary ${Array<string>(1127).fill('00').join(' ')}`,
    ])
    expect(heard([[0x82 | RSV1, Buffer.alloc(1128)]], options)).toEqual([tooBig])
    expect(
      heard(
        [
          [0x02 | RSV1, Buffer.alloc(600)],
          [0x80, Buffer.alloc(600)],
        ],
        options,
      ),
    ).toEqual([tooBig])
    expect(heard([[0x82, Buffer.alloc(1001)]], options)).toEqual([tooBig])
  })

  it('goes to the extension as it comes, where messages are told in parts, whatever octets it has [7692:6.1-i01] [7692:6.2-01]', () => {
    const frames: readonly FrameLiteral[] = [
      [0x01, 'a'],
      [0x80, 'b'],
      [0x02 | RSV1, NOT_TEXT],
      [0x89, 'p'],
      [0x00, ''],
      [0x80, NOT_TEXT],
      [0x81 | RSV1, NOT_TEXT],
      [0x81 | RSV1, ''],
      [0x81, 'c'],
    ]
    expect(heard(frames, { streamFrom: 0 })).toEqual([
      'text… a',
      'text b',
      'extended binary… ff fe',
      'ping 70',
      'extended binary ff fe',
      'extended text ff fe',
      'extended text',
      'text c',
    ])
  })

  it('ends with an empty part, where its last fragment is empty', () => {
    expect(
      heard(
        [
          [0x01 | RSV1, ''],
          [0x00, NOT_TEXT],
          [0x80, ''],
        ],
        { streamFrom: 0 },
      ),
    ).toEqual(['extended text… ff fe', 'extended text'])
  })

  it('has the limits of parts, where messages are told in parts, and may be a little larger, too [6455:10.4-01]', () => {
    const options = { streamFrom: 0, limit: 1000, maxMessageSize: 5, maxFragments: 2 }
    expect(heard([[0x82 | RSV1, Buffer.alloc(1127)]], options)).toHaveLength(1)
    expect(heard([[0x82 | RSV1, Buffer.alloc(1128)]], options)).toEqual(['ERR_WS_MESSAGE_TOO_BIG 1009 RFC 6455 10.4'])
    const halves: readonly FrameLiteral[] = [
      [0x02 | RSV1, Buffer.alloc(600)],
      [0x80, Buffer.alloc(600)],
    ]
    expect(heard(halves, options)[1]).toBe('ERR_WS_MESSAGE_TOO_BIG 1009 RFC 6455 10.4')
    expect(heard(halves, { ...options, limit: Infinity })).toHaveLength(2)
    // Without a limit of parts, that of messages, as they may become far more than that.
    const others = { streamFrom: 0, maxMessageSize: 5 }
    expect(heard([[0x02, Buffer.alloc(600)]], others)).toHaveLength(1)
    expect(heard([[0x02 | RSV1, Buffer.alloc(600)]], others)).toEqual(['ERR_WS_MESSAGE_TOO_BIG 1009 RFC 6455 10.4'])
    expect(
      heard(
        [
          [0x02 | RSV1, ''],
          [0x00, 'a'],
          [0x00, 'b'],
          [0x80, 'c'],
        ],
        options,
      ),
    ).toEqual(['extended binary… 61', 'extended binary… 62', 'extended binary 63'])
  })

  it('says that limit in its error', () => {
    const sink = new Extension()
    const assembler = new MessageAssembler(sink, { ...DEFAULTS, role, maxMessageSize: 5 }, sink)
    assembler.stream(sink, undefined)
    expect(assembler.maxExtendedSize).toBe(5)
    const bytes = script(role, [[0x82 | RSV1, Buffer.alloc(600)]])
    expect(() => new FrameDecoder(assembler).decode(bytes)).toThrow('larger than 5 octets')
  })

  it('is told in parts when that is asked for in the middle of it, what had been put together first', () => {
    const chunks = [[0x01 | RSV1, NOT_TEXT] as const, [0x80, 'ab'] as const].map((one) => script(role, [one]))
    expect(run(chunks, { role, streamFrom: 1 })).toEqual(['extended text… ff fe', 'extended text 61 62'])
    expect(run([script(role, [[0x01 | RSV1, '']]), chunks[1]], { role, streamFrom: 1 })).toEqual([
      'extended text 61 62',
    ])
  })
})

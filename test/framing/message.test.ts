/**
 * Frames to messages (RFC 6455 5.4 to 5.6, 6.2, 8.1, 10.4), from bytes: `decode` and `decodeFrames` run every case whole,
 * cut everywhere and octet by octet, the latter as server (masked) and as client.
 */
import { runInNewContext } from 'node:vm'
import { setFlagsFromString } from 'node:v8'
import { describe, expect, it, vi } from 'vitest'
import { FrameDecoder } from '../../src/framing/decoder.ts'
import { MessageAssembler, checkPart } from '../../src/framing/message.ts'
import type { MessageOptions, MessageSink, PartSink } from '../../src/framing/message.ts'
import type { Role } from '../../src/framing/rules.ts'
import { Utf8Validator } from '../../src/framing/utf8.ts'
import {
  DEFAULTS,
  Recorder,
  decode,
  decodeChunks,
  decodeFrames,
  describe as describeEvent,
  describeError,
  errorOf,
  octets,
  octetsBeforeError,
} from '../support/decode.ts'
import { NODE_POOL } from '../support/data.ts'
import { mutating } from '../support/mutating.ts'
import { KEY, ROLES, frame, hex, received, script, wire } from '../support/wire.ts'
import type { FrameLiteral } from '../support/wire.ts'

const none = undefined
const invalidUtf8 = 'ERR_WS_INVALID_UTF8 1007 RFC 6455 8.1'
const tooBig = 'ERR_WS_MESSAGE_TOO_BIG 1009 RFC 6455 10.4'
const tooManyFragments = 'ERR_WS_TOO_MANY_FRAGMENTS 1008 RFC 6455 10.4'
const reservedBit = 'ERR_WS_RESERVED_BIT 1002 RFC 6455 5.2'
const reservedOpcode = 'ERR_WS_RESERVED_OPCODE 1002 RFC 6455 5.2'
const fragmentedControl = 'ERR_WS_FRAGMENTED_CONTROL 1002 RFC 6455 5.5'
const controlTooLong = 'ERR_WS_CONTROL_TOO_LONG 1002 RFC 6455 5.5'
const nothingToContinue = 'ERR_WS_NOTHING_TO_CONTINUE 1002 RFC 6455 5.4'
const interleaved = 'ERR_WS_MESSAGES_INTERLEAVED 1002 RFC 6455 5.4'
const badLength = 'ERR_WS_BAD_LENGTH 1002 RFC 6455 5.2'
const badCloseBody = 'ERR_WS_BAD_CLOSE_BODY 1002 RFC 6455 5.5.1'
const badCloseCode = 'ERR_WS_BAD_CLOSE_CODE 1002 RFC 6455 7.4'
const wrongMasking = {
  server: 'ERR_WS_UNMASKED_FRAME 1002 RFC 6455 5.1',
  client: 'ERR_WS_MASKED_FRAME 1002 RFC 6455 5.1',
}

/** First octets by what they say. */
const TEXT = 0x81
const TEXT_BEGINS = 0x01
const BINARY = 0x82
const BINARY_BEGINS = 0x02
const CONTINUES = 0x00
const ENDS = 0x80
const CLOSE = 0x88
const PING = 0x89
const PONG = 0x8a

/** An assembler behind a decoder, for tests that look at more than what is heard. */
function receiver(sink: Partial<MessageSink>, options: Partial<MessageOptions> = {}): FrameDecoder {
  const ignore = (): void => {}
  const full = { message: ignore, ping: ignore, pong: ignore, close: ignore, ...sink }
  return new FrameDecoder(new MessageAssembler(full, { ...DEFAULTS, ...options }))
}

function listOf(count: number, literal: FrameLiteral): FrameLiteral[] {
  return Array.from({ length: count }, () => literal)
}

describe('MessageAssembler', () => {
  it('reads the examples in 5.7 [6455:5.2-i01] [6455:5.3-i01] [6455:6.2-03] [6455:6.2-07]', () => {
    const client: Partial<MessageOptions> = { role: 'client' }
    expect(decode(wire('81 05 48656c6c6f'), client)).toEqual({ events: ['text Hello'], error: none })
    expect(decode(wire('81 85 37fa213d 7f9f4d5158'))).toEqual({ events: ['text Hello'], error: none })
    expect(decode(wire('01 03 48656c  80 02 6c6f'), client)).toEqual({ events: ['text Hello'], error: none })
    expect(decode(wire('89 05 48656c6c6f'), client)).toEqual({ events: ['ping 48 65 6c 6c 6f'], error: none })
    expect(decode(wire('8a 85 37fa213d 7f9f4d5158'))).toEqual({ events: ['pong 48 65 6c 6c 6f'], error: none })
    const octets256 = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    expect(decode(Buffer.concat([wire('82 7e 0100'), octets256]), client)).toEqual({
      events: [`binary ${hex(octets256)}`],
      error: none,
    })
  })

  it.skipIf(mutating)('reads the largest example in 5.7', () => {
    const octets64Ki = Buffer.alloc(65_536, 'all of it')
    expect(decode(Buffer.concat([wire('82 7f 0000000000010000'), octets64Ki]), { role: 'client' })).toEqual({
      events: [`binary ${hex(octets64Ki)}`],
      error: none,
    })
  })

  // Read octet by octet, too, the last two take seconds.
  it.each([0, 1, 125, 126, 127, 128, ...(mutating ? [] : [65_535, 65_536])])(
    'takes text and binary of %d octets (Autobahn 1)',
    (length) => {
      expect(decodeFrames([[TEXT, '*'.repeat(length)]])).toEqual({
        events: [`text ${'*'.repeat(length)}`.trimEnd()],
        error: none,
      })
      const payload = Buffer.alloc(length, 0xfe)
      expect(decodeFrames([[BINARY, payload]])).toEqual({ events: [`binary ${hex(payload)}`.trimEnd()], error: none })
    },
  )

  const fragmented: readonly (readonly [what: string, frames: readonly FrameLiteral[], events: readonly string[]])[] = [
    [
      'a message in two fragments',
      [
        [TEXT_BEGINS, 'fragment1'],
        [ENDS, 'fragment2'],
      ],
      ['text fragment1fragment2'],
    ],
    [
      'a message in five fragments, in the order they were sent',
      [
        [BINARY_BEGINS, wire('01')],
        [CONTINUES, wire('02')],
        [CONTINUES, wire('0304')],
        [CONTINUES],
        [ENDS, wire('05')],
      ],
      ['binary 01 02 03 04 05'],
    ],
    [
      'an unfragmented message between fragmented ones',
      [
        [TEXT_BEGINS, 'a'],
        [ENDS, 'b'],
        [BINARY, wire('63')],
        [TEXT_BEGINS, 'd'],
        [ENDS, 'e'],
      ],
      ['text ab', 'binary 63', 'text de'],
    ],
    [
      'text after binary and binary after text',
      [
        [BINARY_BEGINS, wire('ff')],
        [ENDS, wire('fe')],
        [TEXT_BEGINS, 'é'],
        [ENDS, 'é'],
        [BINARY_BEGINS, wire('c3')],
        [ENDS, wire('28')],
      ],
      ['binary ff fe', 'text éé', 'binary c3 28'],
    ],
    ['an empty message of three empty fragments (Autobahn 6.1.2)', [[TEXT_BEGINS], [CONTINUES], [ENDS]], ['text']],
    [
      'a payload between empty fragments (Autobahn 6.1.3)',
      [[TEXT_BEGINS], [CONTINUES, 'middle'], [ENDS]],
      ['text middle'],
    ],
    [
      'a payload behind empty fragments',
      [[TEXT_BEGINS], [CONTINUES], [ENDS, 'last'], [TEXT_BEGINS, 'x'], [ENDS, 'y']],
      ['text last', 'text xy'],
    ],
    ['an empty last fragment', [[BINARY_BEGINS, 'first'], [ENDS]], ['binary 66 69 72 73 74']],
  ]

  it.each(fragmented)(
    'puts together %s [6455:5.2-01] [6455:5.4-03] [6455:5.4-07] [6455:5.4-12] [6455:5.4-i01] [6455:6.2-04]',
    (_, frames, events) => {
      expect(decodeFrames(frames)).toEqual({ events, error: none })
    },
  )

  it('hears control frames between fragments, at once and in their place [6455:5.4-01] [6455:5.4-05] [6455:6.2-02]', () => {
    const frames: FrameLiteral[] = [
      [TEXT_BEGINS, 'fragment1'],
      [PING, 'pongme 1!'],
      [CONTINUES, 'fragment2'],
      [PONG],
      [PING],
      [CONTINUES],
      [CLOSE, wire('03e8')],
      [ENDS, 'fragment3'],
    ]
    const events = ['ping 70 6f 6e 67 6d 65 20 31 21', 'pong', 'ping', 'close 1000', 'text fragment1fragment2fragment3']
    expect(decodeFrames(frames)).toEqual({ events, error: none })
    // The first ping is heard before the message ends.
    expect(decodeFrames(frames.slice(0, 2))).toEqual({ events: events.slice(0, 1), error: none })
  })

  it('keeps a character that fragments and control frames cut in two [6455:5.6-01]', () => {
    expect(
      decodeFrames([
        [TEXT_BEGINS, wire('61 c3')],
        [PING, wire('a9')],
        [CONTINUES],
        [CONTINUES, wire('a9 f0 9f')],
        [ENDS, wire('98 80')],
      ]),
    ).toEqual({ events: ['ping a9', 'text aé😀'], error: none })
  })

  it('takes control frames of 0 to 125 octets, every octet value [6455:5.5-01] [6455:5.5.2-01] [6455:6.2-02]', () => {
    const payload = Buffer.from(Array.from({ length: 125 }, (_, i) => i * 2 + 5))
    for (const length of [0, 1, 2, 124, 125]) {
      const part = payload.subarray(0, length)
      expect(
        decodeFrames([
          [PING, part],
          [PONG, part],
        ]),
      ).toEqual({
        events: [`ping ${hex(part)}`.trimEnd(), `pong ${hex(part)}`.trimEnd()],
        error: none,
      })
    }
  })

  it('hears ten pings back to back in their order (Autobahn 2.10)', () => {
    const names = Array.from({ length: 10 }, (_, i) => `payload-${i}`)
    expect(decodeFrames(names.map((name) => [PING, name]))).toEqual({
      events: names.map((name) => `ping ${hex(Buffer.from(name))}`),
      error: none,
    })
  })

  it.each([
    ['no body', '', 'close 1005'],
    ['a code', '03e8', 'close 1000'],
    ['a code and a reason', '03e9 627965', 'close 1001 bye'],
    ['a reason of 123 octets', `1387 ${'2a'.repeat(123)}`, `close 4999 ${'*'.repeat(123)}`],
  ])(
    'hears a Close frame with %s [6455:5.5.1-01] [6455:5.5.1-03] [6455:7.1.5-i01] [6455:7.1.6-i01]',
    (_, body, event) => {
      expect(decodeFrames([[CLOSE, wire(body)]])).toEqual({ events: [event], error: none })
    },
  )

  it.each([
    ['one octet', '03', badCloseBody],
    ['a code that must not be sent', '03ed', badCloseCode],
    ['a code that nobody defined', '0000', badCloseCode],
    ['a reason that is not UTF-8', '03e8 cebaed a080', invalidUtf8],
    ['a reason cut inside of a character', '03e8 ceba c3', invalidUtf8],
  ])('refuses a Close frame with %s [6455:5.5.1-02] [6455:7.4.2-i01] [6455:8.1-01]', (_, body, error) => {
    expect(
      decodeFrames([
        [TEXT, 'before'],
        [CLOSE, wire(body)],
        [TEXT, 'behind'],
      ]),
    ).toEqual({ events: ['text before'], error })
  })
})

describe('MessageAssembler refuses', () => {
  const before: FrameLiteral = [TEXT, 'Hello, world!']
  const behind: FrameLiteral = [PING]

  it.each([
    ['RSV1 on text (Autobahn 3.4)', 0xc1],
    ['RSV2 on text (Autobahn 3.2)', 0xa1],
    ['RSV3 on text (Autobahn 3.3)', 0x91],
    ['RSV1 and RSV3 on binary (Autobahn 3.5)', 0xd2],
    ['RSV1 and RSV2 on a ping (Autobahn 3.6)', 0xe9],
    ['all of them on a close (Autobahn 3.7)', 0xf8],
  ])('%s [6455:5.2-03] [6455:5.2-09] [6455:5.2-10] [6455:5.2-11]', (_, firstOctet) => {
    const expected = { events: ['text Hello, world!'], error: reservedBit }
    expect(decodeFrames([before, [firstOctet, 'payload'], behind])).toEqual(expected)
    expect(decodeFrames([before, [firstOctet], behind])).toEqual(expected)
  })

  it.each([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])('the reserved opcode %d (Autobahn 4) [6455:5.2-04]', (opcode) => {
    for (const payload of ['', 'payload']) {
      for (const fin of [0x80, 0]) {
        expect(decodeFrames([before, [fin + opcode, payload], behind])).toEqual({
          events: ['text Hello, world!'],
          error: reservedOpcode,
        })
      }
    }
  })

  const sequences: readonly (readonly [
    what: string,
    frames: readonly FrameLiteral[],
    events: readonly string[],
    error: string,
  ])[] = [
    [
      'a ping in fragments (Autobahn 5.1) [6455:5.4-02] [6455:5.5-02]',
      [
        [0x09, 'fragment1'],
        [ENDS, 'fragment2'],
      ],
      [],
      fragmentedControl,
    ],
    [
      'a pong in fragments (Autobahn 5.2) [6455:5.4-02] [6455:5.5-02]',
      [
        [0x0a, 'fragment1'],
        [ENDS, 'fragment2'],
      ],
      [],
      fragmentedControl,
    ],
    ['a close in fragments [6455:5.4-02] [6455:5.5-02]', [[0x08, wire('03e8')], [ENDS]], [], fragmentedControl],
    ['a ping of 126 octets (Autobahn 2.5) [6455:5.5-01]', [[PING, Buffer.alloc(126, 0xfe)]], [], controlTooLong],
    ['a close of 126 octets (Autobahn 7.3.6) [6455:5.5-01]', [[CLOSE, Buffer.alloc(126, 3)]], [], controlTooLong],
    ['a pong of 65,536 octets [6455:5.5-01]', [[PONG, Buffer.alloc(65_536)]], [], controlTooLong],
    ['a continuation of nothing (Autobahn 5.9) [6455:5.4-i01]', [[ENDS, 'x'], before], [], nothingToContinue],
    [
      'an unfinished continuation of nothing (Autobahn 5.12) [6455:5.4-i01]',
      [[CONTINUES, 'x'], before],
      [],
      nothingToContinue,
    ],
    [
      'a continuation of a message that has ended (Autobahn 5.15) [6455:5.4-i01] [6455:6.2-04]',
      [
        [TEXT_BEGINS, 'a'],
        [ENDS, 'b'],
        [CONTINUES, 'c'],
        [TEXT, 'd'],
      ],
      ['text ab'],
      nothingToContinue,
    ],
    [
      'a continuation behind an unfragmented message [6455:5.4-i01]',
      [before, [ENDS, 'x']],
      ['text Hello, world!'],
      nothingToContinue,
    ],
    [
      'a continuation behind a message whose payload came last [6455:5.4-i01]',
      [[TEXT_BEGINS], [ENDS, 'x'], [ENDS, 'y']],
      ['text x'],
      nothingToContinue,
    ],
    [
      'a text frame inside of a message (Autobahn 5.18) [6455:5.4-04] [6455:5.4-i01]',
      [
        [TEXT_BEGINS, 'a'],
        [TEXT, 'b'],
      ],
      [],
      interleaved,
    ],
    [
      'a binary frame inside of a text message [6455:5.4-04] [6455:5.4-12]',
      [
        [TEXT_BEGINS, 'a'],
        [BINARY, 'b'],
      ],
      [],
      interleaved,
    ],
    [
      'a text fragment inside of a binary message [6455:5.4-04] [6455:5.4-12]',
      [
        [BINARY_BEGINS, 'a'],
        [TEXT_BEGINS, 'b'],
      ],
      [],
      interleaved,
    ],
    ['a new message behind an empty fragment [6455:5.4-04]', [[TEXT_BEGINS], [TEXT, 'b']], [], interleaved],
    [
      'a new message behind a control frame between fragments [6455:5.4-04]',
      [
        [TEXT_BEGINS, 'a'],
        [PING, 'p'],
        [BINARY, 'b'],
      ],
      ['ping 70'],
      interleaved,
    ],
  ]

  it.each(sequences)('%s', (_, frames, events, error) => {
    expect(decodeFrames(frames)).toEqual({ events, error })
  })

  it.each([
    [PING, 5, 16],
    [PING, 5, 64],
    [TEXT, 0, 16],
    [TEXT, 125, 16],
    [TEXT, 0, 64],
    [BINARY, 125, 64],
    [BINARY, 126, 64],
    [TEXT_BEGINS, 65_535, 64],
  ] as const)('first octet %d with a length of %d in %d bits [6455:5.2-06]', (firstOctet, length, lengthBits) => {
    expect(decodeFrames([before, [firstOctet, Buffer.alloc(length), { lengthBits }]])).toEqual({
      events: ['text Hello, world!'],
      error: badLength,
    })
  })

  it('the masking of its own side, whatever the frame [6455:5.1-02] [6455:5.1-03] [6455:5.1-05] [6455:5.1-06]', () => {
    for (const role of ROLES) {
      for (const firstOctet of [TEXT, TEXT_BEGINS, BINARY, BINARY_BEGINS, CLOSE, PING, PONG]) {
        for (const payload of ['', 'Hello', 'x'.repeat(125)]) {
          const wrong = role === 'server' ? frame(firstOctet, payload) : frame(firstOctet, payload, { key: KEY })
          const bytes = Buffer.concat([received(role, TEXT, 'before'), wrong])
          expect(decode(bytes, { role })).toEqual({ events: ['text before'], error: wrongMasking[role] })
        }
      }
    }
  })
})

/**
 * What two octets and what follows them must lead to, by a table of its own. Behind them stands nothing, or the rest of a
 * header (its length in the least octets, or in too many) and at most two octets of payload.
 */
type Tail = 'nothing' | 'short' | 'short, not minimal'

const kinds: readonly (string | undefined)[] = [
  ...['continuation', 'text', 'binary', undefined, undefined, undefined, undefined, undefined],
  ...['close', 'ping', 'pong', undefined, undefined, undefined, undefined, undefined],
]

function expectation(first: number, second: number, role: Role, inMessage: boolean, tail: Tail): string {
  const masked = second >= 128
  const short = second % 128
  if (tail === 'nothing' && (masked || short > 125)) return 'waits'
  const extended = tail === 'short' ? { 126: 126, 127: 65_536 } : { 126: 125, 127: 65_535 }
  const length = short === 126 || short === 127 ? extended[short] : short

  if (first & 0b0111_0000) return reservedBit
  const kind = kinds[first % 16]
  if (kind === undefined) return reservedOpcode
  const fin = first >= 128
  const isControlFrame = ['close', 'ping', 'pong'].includes(kind)
  if (isControlFrame && !fin) return fragmentedControl
  if (isControlFrame && length > 125) return controlTooLong
  if (kind === 'continuation' && !inMessage) return nothingToContinue
  if ((kind === 'text' || kind === 'binary') && inMessage) return interleaved
  if (role === 'server' && !masked) return wrongMasking.server
  if (role === 'client' && masked) return wrongMasking.client
  if (short > 125 && tail === 'short, not minimal') return badLength

  if (length > (tail === 'nothing' ? 0 : 2)) return 'waits'
  if (kind === 'close') return [`close 1005`, badCloseBody, badCloseCode][length]
  if (!isControlFrame && !fin) return 'between frames'
  const binary = kind !== 'text' && kind !== 'continuation'
  return `${kind === 'continuation' ? 'text' : kind} ${binary ? ['', '61', '61 61'][length] : 'aa'.slice(0, length)}`.trimEnd()
}

function outcome(bytes: Buffer, role: Role): string {
  const recorder = new Recorder()
  const decoder = new FrameDecoder(new MessageAssembler(recorder, { ...DEFAULTS, role }))
  try {
    decoder.decode(bytes)
  } catch (error) {
    return describeError(error)
  }
  return recorder.events[0] ?? (decoder.inFrame ? 'waits' : 'between frames')
}

describe.each(ROLES)('MessageAssembler when %s, for all 65,536 combinations of the first two octets,', (role) => {
  it.each([
    ['nothing', false],
    ['nothing', true],
    ['short', false],
    ['short', true],
    ['short, not minimal', false],
  ] as const)('[V19] followed by %s, inside of a message: %s, does what the table says', (tail, inMessage) => {
    const stackTraceLimit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    const begun = inMessage ? received(role, TEXT_BEGINS) : Buffer.alloc(0)
    const wrong: string[] = []
    for (let octetPair = 0; octetPair < 0x1_0000; octetPair++) {
      const [first, second] = [octetPair >> 8, octetPair & 0xff]
      if (tail === 'short, not minimal' && second % 128 < 126) continue
      const rest = [
        { 126: tail === 'short' ? '007e' : '007d', 127: tail === 'short' ? '0000000000010000' : '000000000000ffff' }[
          second % 128
        ] ?? '',
        second < 128 ? '6161' : '01020304 6063',
      ].join(' ')
      const length = second % 128
      const tailBytes =
        tail === 'nothing' ? Buffer.alloc(0) : wire(rest).subarray(0, length < 2 ? length - 2 : undefined)
      const bytes = Buffer.concat([begun, Buffer.from([first, second]), tailBytes])
      const expected = expectation(first, second, role, inMessage, tail)
      const actual = outcome(bytes, role)
      if (actual !== expected) wrong.push(`${hex(bytes)}: ${actual}, not ${expected}`)
    }
    Error.stackTraceLimit = stackTraceLimit
    expect(wrong).toEqual([])
  })
})

/** No Buffer may be made while `run` runs. */
function expectNoAllocation(run: () => void): void {
  const spies = [vi.spyOn(Buffer, 'alloc'), vi.spyOn(Buffer, 'allocUnsafe'), vi.spyOn(Buffer, 'allocUnsafeSlow')]
  try {
    run()
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

describe.each(ROLES)('MessageAssembler when %s checks', (role) => {
  const huge = { declared: 2n ** 62n }

  it('[V13] every rule before the length, and reserves nothing for a length of 2^62 [6455:10.4-01]', () => {
    const cases: readonly (readonly [bytes: Buffer, error: string])[] = [
      [received(role, 0xc2, '', huge), reservedBit],
      [received(role, 0xa2, '', huge), reservedBit],
      [received(role, 0x92, '', huge), reservedBit],
      [received(role, 0x83, '', huge), reservedOpcode],
      [received(role, 0x8b, '', huge), reservedOpcode],
      [received(role, 0x09, '', huge), fragmentedControl],
      [received(role, 0x88, '', huge), controlTooLong],
      [received(role, 0x80, '', huge), nothingToContinue],
      [Buffer.concat([received(role, TEXT_BEGINS), received(role, TEXT, '', huge)]), interleaved],
      [role === 'server' ? frame(0x82, '', huge) : frame(0x82, '', { ...huge, key: KEY }), wrongMasking[role]],
      [received(role, 0x82, '', { declared: 2n ** 63n + 2n ** 62n }), badLength],
      [received(role, 0x82, '', { declared: 5n, lengthBits: 64 }), badLength],
      [received(role, 0x82, '', huge), tooBig],
    ]
    for (const [bytes, error] of cases) {
      const decoder = receiver({}, { role })
      expectNoAllocation(() => expect(errorOf(() => decoder.decode(bytes))).toBe(error))
    }
  })

  it('lengths at every edge of 64 bits by their header alone: 1009, or 1002 with the top bit [6455:5.2-05] [6455:10.4-01]', () => {
    for (const declared of [
      1_048_577n,
      2n ** 31n,
      2n ** 32n - 1n,
      2n ** 32n,
      2n ** 53n,
      2n ** 53n + 1n,
      2n ** 63n - 1n,
    ]) {
      expect(decode(received(role, BINARY, '', { declared }), { role })).toEqual({ events: [], error: tooBig })
    }
    for (const declared of [2n ** 63n, 2n ** 63n + 1n, 2n ** 63n + 125n, 2n ** 64n - 1n]) {
      expect(decode(received(role, BINARY, '', { declared }), { role })).toEqual({ events: [], error: badLength })
    }
    expect(decode(received(role, BINARY, '', { declared: 1_048_576n }), { role })).toEqual({ events: [], error: none })
  })
})

describe('MessageAssembler limits', () => {
  const ten = '0123456789'

  it('a message to maxMessageSize, by the declared length and before any payload [6455:10.4-01] [6455:10.4-02]', () => {
    const limit = { maxMessageSize: 10 }
    expect(decodeFrames([[TEXT, ten]], limit)).toEqual({ events: [`text ${ten}`], error: none })
    expect(decodeFrames([[TEXT, '', { declared: 11n }]], limit)).toEqual({ events: [], error: tooBig })
    expect(decodeFrames([[TEXT_BEGINS, '', { declared: 11n }]], limit)).toEqual({ events: [], error: tooBig })
  })

  it('the sum of the fragments, not each of them [6455:10.4-02]', () => {
    const limit = { maxMessageSize: 10 }
    expect(decodeFrames([[TEXT_BEGINS, '01234'], [CONTINUES, '56789'], [ENDS]], limit)).toEqual({
      events: [`text ${ten}`],
      error: none,
    })
    expect(
      decodeFrames(
        [
          [TEXT_BEGINS, '01234'],
          [ENDS, '', { declared: 6n }],
        ],
        limit,
      ),
    ).toEqual({ events: [], error: tooBig })
    expect(
      decodeFrames(
        [
          [BINARY_BEGINS, ten],
          [CONTINUES, '', { declared: 1n }],
        ],
        limit,
      ),
    ).toEqual({ events: [], error: tooBig })
  })

  it('each message by itself, and no control frame', () => {
    const frames: FrameLiteral[] = [
      [TEXT_BEGINS, '01234'],
      [PING, 'x'.repeat(100)],
      [ENDS, '56789'],
      [TEXT, ten],
      [TEXT_BEGINS, ten],
      [ENDS],
    ]
    expect(decodeFrames(frames, { maxMessageSize: 10 }).events.slice(1)).toEqual([
      `text ${ten}`,
      `text ${ten}`,
      `text ${ten}`,
    ])
    expect(decodeFrames([[BINARY], [TEXT_BEGINS], [ENDS]], { maxMessageSize: 0 })).toEqual({
      events: ['binary', 'text'],
      error: none,
    })
    expect(decodeFrames([[BINARY, '', { declared: 1n }]], { maxMessageSize: 0 })).toEqual({ events: [], error: tooBig })
  })

  it('nothing when maxMessageSize is Infinity but what a header cannot tell', () => {
    expect(
      decodeFrames([[BINARY, 'abc', { declared: 2n ** 63n - 1n }]], {
        maxMessageSize: Infinity,
        maxFragments: Infinity,
      }),
    ).toEqual({ events: [], error: none })
  })

  it('the frames of a message to maxFragments, empty ones counted, control frames not [6455:10.4-01]', () => {
    const limit = { maxFragments: 3 }
    const message: FrameLiteral[] = [[TEXT_BEGINS, 'a'], [PING], [CONTINUES], [PONG], [ENDS, 'b']]
    expect(decodeFrames([...message, ...message, [TEXT, 'c']], limit)).toEqual({
      events: ['ping', 'pong', 'text ab', 'ping', 'pong', 'text ab', 'text c'],
      error: none,
    })
    expect(decodeFrames([[TEXT_BEGINS, 'a'], [CONTINUES, 'b'], [CONTINUES], [ENDS, 'c']], limit)).toEqual({
      events: [],
      error: tooManyFragments,
    })
    expect(
      decodeFrames(
        [
          [TEXT, 'a'],
          [TEXT_BEGINS, 'a'],
          [ENDS, ''],
        ],
        { maxFragments: 1 },
      ),
    ).toEqual({ events: ['text a'], error: tooManyFragments })
  })

  it('empty fragments to 1,024 in a row, however many a message may have [6455:10.4-01]', () => {
    const asClient = (frames: readonly FrameLiteral[]): { events: readonly string[]; error: string | undefined } => {
      const { events, error } = decodeChunks([script('client', frames)], { role: 'client' })
      return { events, error }
    }
    const allowed: FrameLiteral[] = [[TEXT_BEGINS, 'a'], ...listOf(1023, [CONTINUES]), [ENDS]]
    expect(asClient(allowed)).toEqual({ events: ['text a'], error: none })
    expect(asClient([...allowed, ...allowed])).toEqual({ events: ['text a', 'text a'], error: none })
    expect(asClient([[TEXT_BEGINS, 'a'], ...listOf(1025, [CONTINUES])])).toEqual({
      events: [],
      error: tooManyFragments,
    })
    expect(asClient([[TEXT_BEGINS], ...listOf(1024, [CONTINUES])])).toEqual({ events: [], error: tooManyFragments })
    const filled: FrameLiteral[] = [...listOf(1024, [CONTINUES]), [CONTINUES, 'b']]
    expect(asClient([[TEXT_BEGINS, 'a'], ...filled, ...filled, [ENDS]])).toEqual({ events: ['text abb'], error: none })
    const empties: FrameLiteral[] = [[TEXT_BEGINS], ...listOf(1022, [CONTINUES]), [ENDS]]
    expect(asClient([...empties, ...empties])).toEqual({ events: ['text', 'text'], error: none })
  })

  it('and says in its errors what the limit is', () => {
    const message = (bytes: Buffer, options: Partial<MessageOptions>): string => {
      try {
        receiver({}, { role: 'client', ...options }).decode(bytes)
      } catch (error) {
        return (error as Error).message
      }
      return ''
    }
    expect(message(frame(TEXT, 'abc'), { maxMessageSize: 2 })).toMatch('larger than 2 octets')
    expect(message(Buffer.concat([frame(1, 'a'), frame(0, 'b')]), { maxFragments: 1 })).toMatch('more than 1 fragments')
    expect(message(frame(TEXT, wire('ff')), {})).toMatch('not valid UTF-8')
  })
})

describe('MessageAssembler and text', () => {
  /** Every message of Autobahn 6.3 to 6.21 that is not UTF-8, in short. */
  const k = 'cebae1bdb9cf83cebcceb5'
  const invalid = [
    `${k}eda080656469746564 ${k}f4908080656469746564 ce cebae1 cebae1bd f888808080 fc8480808080 f7bfbfbf fbbfbfbfbf`,
    'fdbfbfbfbfbf f4908080 80 bf 80bf 80bf80bf80bf c020c120c220 e020e120 f020f120 f820 fc20 c0 e080 f08080 f8808080 df efbf',
    'f7bfbf fe ff fefeffff c0af e080af f08080af c1bf e09fbf f08fbfbf c080 e08080 f0808080 eda080 edadbf edbfbf eda080edb080',
  ].flatMap((line) => line.split(' '))
  const valid = [
    `68656c6c6f24776f726c64 68656c6c6fc2a2776f726c64 68656c6c6fe282ac776f726c64 68656c6c6ff0a4ada2776f726c64 ${k} 00 c280`,
    'e0a080 f0908080 7f dfbf efbfbf f48fbfbf ed9fbf ee8080 efbfbd efbfbe f09fbfbe f3bfbfbf efbfb9 efbbbf61',
    '48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d382121',
  ].flatMap((line) => line.split(' '))

  /** The first octet carried by a text frame, every octet in a frame of its own, closed by an empty one. */
  function octetWise(bytes: Buffer): FrameLiteral[] {
    return [...octets(bytes).map((octet, i): FrameLiteral => [i === 0 ? TEXT_BEGINS : CONTINUES, octet]), [ENDS]]
  }

  it.each(valid)('takes %s in one frame, in two and octet by octet [6455:5.6-01]', (literal) => {
    const bytes = wire(literal)
    const expected = { events: [`text ${bytes.toString()}`], error: none }
    expect(decodeFrames([[TEXT, bytes]])).toEqual(expected)
    expect(decodeFrames(octetWise(bytes))).toEqual(expected)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const chunks = [
        script('client', [
          [TEXT_BEGINS, bytes.subarray(0, cut)],
          [ENDS, bytes.subarray(cut)],
        ]),
      ]
      expect(decodeChunks(chunks, { role: 'client' })).toMatchObject(expected)
      expect(decodeChunks(chunks, { role: 'client', text: 'buffer' })).toMatchObject({
        events: [`text-octets ${hex(bytes)}`],
      })
    }
  })

  it.each(invalid)('refuses %s with 1007 in one frame, in two and octet by octet [6455:8.1-01]', (literal) => {
    const bytes = wire(literal)
    const expected = { events: [], error: invalidUtf8 }
    for (const text of ['string', 'buffer'] as const) {
      expect(decodeFrames([[TEXT, bytes]], { text })).toEqual(expected)
      expect(decodeFrames(octetWise(bytes), { text })).toEqual(expected)
      for (let cut = 0; cut <= bytes.length; cut++) {
        const chunks = [
          script('client', [
            [TEXT_BEGINS, bytes.subarray(0, cut)],
            [ENDS, bytes.subarray(cut)],
          ]),
        ]
        expect(decodeChunks(chunks, { role: 'client', text })).toMatchObject(expected)
      }
    }
    expect(decodeFrames([[BINARY, bytes]])).toEqual({ events: [`binary ${hex(bytes)}`], error: none })
  })

  it.each(ROLES)(
    'fails at the first octet that cannot be text, inside of an unfinished frame, when %s (Autobahn 6.4) [6455:8.1-01]',
    (role) => {
      const headerLength = role === 'server' ? 6 : 2
      for (const [literal, good] of [
        [`${k} f490 8080 656469746564`, 12],
        [`${k} eda080 656469746564`, 12],
        ['61 c3 28 61', 2],
        ['61 ff 61', 1],
        ['e0 9f 80', 1],
        ['f0 8f 80 80', 1],
        ['f0 90 80 7f', 3],
        ['c1 80', 0],
      ] as const) {
        const bytes = wire(literal)
        expect(octetsBeforeError(received(role, TEXT_BEGINS, bytes), { role })).toBe(headerLength + good)
        expect(octetsBeforeError(received(role, TEXT, bytes), { role })).toBe(headerLength + good)
        const inSecond = script(role, [[TEXT_BEGINS, 'é'], [PING], [CONTINUES, bytes]])
        expect(octetsBeforeError(inSecond, { role })).toBe(headerLength + 2 + headerLength + headerLength + good)
      }
    },
  )

  it('refuses a message that ends inside of a character, at its last frame and not before [6455:8.1-01]', () => {
    const frames: FrameLiteral[] = [[TEXT_BEGINS, wire('61 e2 82')], [CONTINUES], [ENDS]]
    expect(decodeFrames(frames.slice(0, 2))).toEqual({ events: [], error: none })
    expect(decodeFrames(frames)).toEqual({ events: [], error: invalidUtf8 })
  })

  it('begins each message with a character of its own', () => {
    expect(
      decodeFrames([
        [TEXT_BEGINS, 'é'],
        [ENDS, 'a'],
        [TEXT_BEGINS, wire('c3')],
        [ENDS, wire('a9')],
        [TEXT_BEGINS, 'a'],
        [ENDS, wire('a9')],
      ]),
    ).toEqual({
      events: ['text éa', 'text é'],
      error: invalidUtf8,
    })
    expect(decodeFrames([[TEXT_BEGINS], [ENDS, wire('c3')]])).toEqual({ events: [], error: invalidUtf8 })
  })

  it('keeps a byte order mark and NUL', () => {
    const events = ['text \uFEFFa\0b']
    expect(decodeFrames([[TEXT, '\uFEFFa\0b']])).toEqual({ events, error: none })
    expect(
      decodeFrames([
        [TEXT_BEGINS, '\uFEFFa'],
        [ENDS, '\0b'],
      ]),
    ).toEqual({ events, error: none })
  })

  it('hands text on as octets where the options say so, whole and in fragments', () => {
    const text = { text: 'buffer' } as const
    expect(decodeFrames([[TEXT, 'é'], [TEXT], [TEXT_BEGINS, 'a'], [ENDS, 'é'], [BINARY, 'b']], text)).toEqual({
      events: ['text-octets c3 a9', 'text-octets', 'text-octets 61 c3 a9', 'binary 62'],
      error: none,
    })
  })

  it('reads long text, ASCII and not', () => {
    for (const long of ['x'.repeat(70_000), 'añ€😀'.repeat(7_000)]) {
      const bytes = script('server', [
        [TEXT, long],
        [TEXT_BEGINS, long],
        [ENDS, long],
      ])
      const expected = { events: [`text ${long}`, `text ${long}${long}`], error: none }
      for (const size of [bytes.length, 65_536, 1_001, 7]) {
        const chunks = []
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
        const { events, error } = decodeChunks(chunks)
        expect(error).toBe(none)
        expect(events.every((event, i) => event === expected.events[i])).toBe(true)
      }
    }
  })
})

describe('MessageAssembler and memory', () => {
  /** `bytes` at the front of a read of 64 KiB. */
  function inRead(bytes: Buffer): Buffer {
    const read = Buffer.from(new ArrayBuffer(65_536))
    read.set(bytes)
    return read.subarray(0, bytes.length)
  }

  it('hands on small payloads as copies that pin no read', () => {
    const heard: Buffer[] = []
    const keep = (payload: string | Buffer): void => void heard.push(payload as Buffer)
    const decoder = receiver({ message: keep, ping: keep, pong: keep }, { role: 'client', text: 'buffer' })
    const payload = Buffer.alloc(100, 7)
    const frames: FrameLiteral[] = [
      [BINARY, payload],
      [TEXT, payload],
      [PING, payload],
      [PONG, payload],
      [BINARY],
      [PING],
    ]
    const read = inRead(script('client', frames))
    decoder.decode(read)
    read.fill(0xff)
    for (const [i, buffer] of heard.entries()) {
      expect(buffer.buffer).not.toBe(read.buffer)
      expect(buffer.buffer.byteLength).toBeLessThanOrEqual(NODE_POOL)
      expect(buffer).toEqual(i < 4 ? payload : Buffer.alloc(0))
    }
    expect(heard).toHaveLength(6)
  })

  it('hands on payloads that fill their read as copies too, as reads are only lent', () => {
    const heard: Buffer[] = []
    const decoder = receiver({ message: (data) => void heard.push(data as Buffer) }, { role: 'client', text: 'buffer' })
    const half = Buffer.alloc(32_768, 0x61)
    const whole = Buffer.alloc(65_536 - 4, 0x62)
    for (const [firstOctet, payload] of [
      [BINARY, half],
      [TEXT, half],
      [BINARY, whole.subarray(0, 65_535 - 4)],
      [TEXT, whole],
    ] as const) {
      const read = inRead(frame(firstOctet, payload))
      decoder.decode(read)
      read.fill(0xff)
      const last = heard[heard.length - 1]
      expect(last.buffer).not.toBe(read.buffer)
      expect(last.equals(payload)).toBe(true)
    }
    expect(heard).toHaveLength(4)
  })

  it('keeps nothing of the memory of a read, whatever cuts a message or a control frame', () => {
    const heard: (string | Buffer)[] = []
    const keep = (payload: string | Buffer): void => void heard.push(payload)
    const decoder = receiver({ message: keep, ping: keep, pong: keep }, { role: 'client' })
    const read = Buffer.from(new ArrayBuffer(65_536))
    const bytes = script('client', [
      [TEXT_BEGINS, 'é'.repeat(3000)],
      [PING, 'p'.repeat(120)],
      [ENDS, 'a'.repeat(5000)],
      [BINARY, Buffer.alloc(9000, 7)],
      [PONG, 'q'.repeat(120)],
    ])
    // The same memory for every read, as a transport that lends it would have it.
    for (let at = 0; at < bytes.length; at += 53) {
      const octetsRead = bytes.copy(read, 0, at, at + 53)
      expect(decoder.decode(read, 0, octetsRead)).toBe(octetsRead)
      read.fill(0xff)
    }
    expect(heard.map((payload) => payload.toString('latin1'))).toEqual([
      'p'.repeat(120),
      'é'.repeat(3000) + 'a'.repeat(5000),
      '\x07'.repeat(9000),
      'q'.repeat(120),
    ])
  })

  it('hands on messages in pieces in memory at most twice as large', () => {
    for (const size of [1, 2, 100, 127, 128, 129, 255, 256, 257, 1000, 5000, 40_000]) {
      const payload = Buffer.alloc(size, 0x61)
      for (const first of [1, size >> 3, (size >> 2) - 1, size >> 2, size >> 1, size - 1].filter((cut) => cut > 0)) {
        for (const [begins, text] of [
          [BINARY_BEGINS, 'string'],
          [TEXT_BEGINS, 'buffer'],
        ] as const) {
          const heard: Buffer[] = []
          const decoder = receiver({ message: (data) => void heard.push(data as Buffer) }, { role: 'client', text })
          decoder.decode(
            script('client', [
              [begins, payload.subarray(0, first)],
              [ENDS, payload.subarray(first)],
            ]),
          )
          expect(heard[0].equals(payload)).toBe(true)
          // Short ones lie in the pool that Node shares among short Buffers.
          expect(heard[0].buffer.byteLength).toBeLessThanOrEqual(Math.max(2 * size, NODE_POOL))
        }
      }
    }
  })

  it('hands on a message that fills half of its memory or more where it was put together, without another copy', () => {
    for (const [size, copied] of [
      [8000, false],
      [4000, false],
      [3999, true],
    ] as const) {
      const assembled: ArrayBufferLike[] = []
      const heard: Buffer[] = []
      const slow = Buffer.allocUnsafeSlow.bind(Buffer)
      const spy = vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((length) => {
        const memory = slow(length)
        assembled.push(memory.buffer)
        return memory
      })
      const decoder = receiver({ message: (data) => void heard.push(data as Buffer) }, { role: 'client' })
      decoder.decode(
        script('client', [
          [BINARY_BEGINS, Buffer.alloc(1000, 1)],
          [ENDS, Buffer.alloc(size - 1000, 2)],
        ]),
      )
      spy.mockRestore()
      expect({ size, pieces: assembled.length, copied: heard[0].buffer !== assembled[0] }).toEqual({
        size,
        pieces: 1,
        copied,
      })
      expect(heard[0].equals(Buffer.concat([Buffer.alloc(1000, 1), Buffer.alloc(size - 1000, 2)]))).toBe(true)
    }
  })

  /** Sizes of the memory that assembling takes while `chunks` come; `received` are the octets that had come by then. */
  function growth(chunks: readonly Buffer[], options: Partial<MessageOptions>): { size: number; received: number }[] {
    const taken: { size: number; received: number }[] = []
    let receivedOctets = 0
    const slow = Buffer.allocUnsafeSlow.bind(Buffer)
    const spy = vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => {
      taken.push({ size, received: receivedOctets })
      return slow(size)
    })
    const decoder = receiver({}, { role: 'client', ...options })
    for (const chunk of chunks) {
      receivedOctets += chunk.length
      decoder.decode(Buffer.from(chunk))
    }
    spy.mockRestore()
    // Once in a process it takes, for large messages, the block that teaches the allocator (memory.test.ts).
    return taken.filter(({ size }) => size < 33_000_000)
  }

  it('grows with the octets that came, to 8 times of them, never with those that a header tells [6455:10.4-01]', () => {
    const bytes = frame(BINARY, Buffer.alloc(1_000_000))
    const chunks = [bytes.subarray(0, 11)]
    for (let at = 11; at < bytes.length; at += 1000) chunks.push(bytes.subarray(at, at + 1000))
    // Of what was received, 10 octets are the header. The last is exactly what was declared.
    expect(growth(chunks, {})).toEqual([
      { size: 256, received: 11 },
      { size: 8 * 1001, received: 1011 },
      { size: 8 * 9001, received: 9011 },
      { size: 8 * 73_001, received: 73_011 },
      { size: 1_000_000, received: 585_011 },
    ])
  })

  it('grows alike while more fragments may follow, so that all copies together stay linear [6455:10.4-01]', () => {
    const chunks = [frame(BINARY_BEGINS, 'a')]
    for (let i = 1; i < 300; i++) chunks.push(frame(CONTINUES, Buffer.alloc(996)))
    const payload = (octetsReceived: number): number => 1 + ((octetsReceived - 3) / 1000) * 996
    const taken = growth(chunks, {})
    expect(taken.map(({ size, received: came }) => [payload(came), size])).toEqual([
      [1, 256],
      [997, 7976],
      [8965, 71_720],
      [72_709, 581_672],
    ])
  })

  it('grows to the end of the last fragment, if 8 times of what came is more', () => {
    const first = frame(BINARY_BEGINS, Buffer.alloc(1000))
    const last = frame(ENDS, Buffer.alloc(100_000))
    const sizes = (cut: number): number[] => {
      const chunks = [first, last.subarray(0, 10 + cut), last.subarray(10 + cut)]
      return growth(chunks, {}).map(({ size }) => size)
    }
    expect(sizes(7001)).toEqual([8000, 8 * 8001, 101_000])
    expect(sizes(11_624)).toEqual([8000, 8 * 12_624, 101_000])
    expect(sizes(11_625)).toEqual([8000, 101_000])
  })

  it('grows to no more than the message can have: its declared end, or the limit', () => {
    const part = Buffer.alloc(700)
    expect(growth([frame(BINARY_BEGINS, part), frame(ENDS, part)], {}).map(({ size }) => size)).toEqual([5600])
    const last = frame(ENDS, Buffer.alloc(300))
    const declaredEnd = [frame(BINARY_BEGINS, Buffer.alloc(10)), last.subarray(0, 254), last.subarray(254)]
    expect(growth(declaredEnd, {}).map(({ size }) => size)).toEqual([256, 310])
    const single = frame(BINARY, Buffer.alloc(900))
    expect(growth([single.subarray(0, 704), single.subarray(704)], {}).map(({ size }) => size)).toEqual([900])
    expect(growth([single.subarray(0, 14), single.subarray(14)], {}).map(({ size }) => size)).toEqual([256, 900])
    const short = frame(BINARY, Buffer.alloc(200))
    expect(growth([short.subarray(0, 5), short.subarray(5)], {}).map(({ size }) => size)).toEqual([200])
    const limited = script('client', [[BINARY_BEGINS, part], [CONTINUES, Buffer.alloc(300)], [ENDS]])
    expect(growth([limited], { maxMessageSize: 1000 }).map(({ size }) => size)).toEqual([1000])
    expect(
      growth([script('client', [[BINARY_BEGINS, 'a'], [CONTINUES, 'b'], [ENDS]])], { maxMessageSize: 9 }),
    ).toMatchObject([{ size: 9 }])
    expect(
      growth(
        [
          script('client', [
            [BINARY_BEGINS, 'a'],
            [ENDS, 'b'],
          ]),
        ],
        {},
      ),
    ).toMatchObject([{ size: 256 }])
    expect(
      growth(
        [
          script('client', [
            [BINARY_BEGINS, Buffer.alloc(33)],
            [ENDS, 'b'],
          ]),
        ],
        {},
      ),
    ).toMatchObject([{ size: 264 }])
  })

  it('takes no memory for empty pieces and fragments', () => {
    expect(
      growth([frame(BINARY_BEGINS), frame(CONTINUES), frame(BINARY, 'abc').subarray(0, 0), frame(ENDS)], {}),
    ).toEqual([])
    expect(growth([frame(BINARY, 'abc').subarray(0, 2)], {})).toEqual([])
  })

  it.each([
    ['fragment', frame(TEXT_BEGINS), frame(CONTINUES, 'x'), frame(ENDS)],
    ['read', frame(TEXT, '', { declared: 100_000n }), Buffer.from('x'), Buffer.alloc(0)],
  ])('keeps no object for each %s of 100,000 that bring one octet', (_, begin, part, end) => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const used = (): number => {
      collect()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const lengths: number[] = []
    const decoder = receiver({ message: (data) => void lengths.push(data.length) }, { role: 'client' })
    const before = used()
    decoder.decode(begin)
    for (let i = 1; i < 100_000; i++) decoder.decode(Buffer.from(part))
    // One object of the smallest kind for each would be more than two megabytes.
    expect(used() - before).toBeLessThan(1_000_000)
    decoder.decode(Buffer.from(part))
    decoder.decode(end)
    expect(lengths).toEqual([100_000])
  })

  it('gives back the memory of a message with the message', () => {
    const sizes = growth(
      [
        ...Array.from({ length: 3 }, () =>
          script('client', [
            [BINARY_BEGINS, Buffer.alloc(500)],
            [ENDS, 'b'],
          ]),
        ),
      ],
      {},
    )
    expect(sizes.map(({ size }) => size)).toEqual([4000, 4000, 4000])
  })
})

describe('MessageAssembler and its sink', () => {
  const frames: readonly FrameLiteral[] = [
    [TEXT, 'a'],
    [PING, 'p'],
    [TEXT_BEGINS, 'b'],
    [PONG, 'q'],
    [ENDS, 'c'],
    [BINARY, 'd'],
    [CLOSE, wire('03e8')],
  ]
  const events = ['text a', 'ping 70', 'pong 71', 'text bc', 'binary 64', 'close 1000']

  it.each(ROLES)('lets it stop and resume the decoder in any call, when %s', (role) => {
    const bytes = script(role, frames)
    for (const resumes of [false, true]) {
      const recorder = new Recorder()
      let stops = 0
      const stop = (): void => {
        decoder.stop()
        if (resumes) decoder.resume()
      }
      const decoder = receiver(
        {
          message: (data, isBinary) => (recorder.message(data, isBinary), stop()),
          ping: (payload) => (recorder.ping(payload), stop()),
          pong: (payload) => (recorder.pong(payload), stop()),
          close: (code, reason) => (recorder.close(code, reason), stop()),
        },
        { role },
      )
      const chunk = Buffer.from(bytes)
      for (let at = decoder.decode(chunk); at < chunk.length; stops++) at = decoder.decode(chunk, at)
      expect(recorder.events).toEqual(events)
      expect(stops).toBe(resumes ? 0 : 5)
    }
  })

  it.each(ROLES)('lets its errors through from any call, and is between messages by then, when %s', (role) => {
    const bytes = script(role, frames)
    const failure = new Error('from the sink')
    for (let throwAt = 1; throwAt <= events.length; throwAt++) {
      const heard = new Recorder()
      let calls = 0
      const count = (): void => {
        if (++calls === throwAt) throw failure
      }
      const assembler = new MessageAssembler(
        {
          message: (data, isBinary) => (heard.message(data, isBinary), count()),
          ping: (payload) => (heard.ping(payload), count()),
          pong: (payload) => (heard.pong(payload), count()),
          close: (code, reason) => (heard.close(code, reason), count()),
        },
        { ...DEFAULTS, role },
      )
      expect(() => new FrameDecoder(assembler).decode(Buffer.from(bytes))).toThrow(failure)
      expect(heard.events).toEqual(events.slice(0, throwAt))
      // Inside of the message "b" a new one is an error; everywhere else it is legal.
      const next = (): unknown => new FrameDecoder(assembler).decode(received(role, TEXT, 'next'))
      if (throwAt === 3) expect(errorOf(next)).toBe(interleaved)
      else expect(next).not.toThrow()
    }
  })

  it('is in no message any more when the sink hears it', () => {
    const bytes = script('client', [
      [TEXT_BEGINS, 'a'],
      [ENDS, 'b'],
    ])
    const sizes: number[] = []
    const assembler: MessageAssembler = new MessageAssembler(
      {
        message: (data) => {
          sizes.push(data.length)
          if (sizes.length < 3) new FrameDecoder(assembler).decode(Buffer.from(bytes))
        },
        ping: () => {},
        pong: () => {},
        close: () => {},
      },
      { ...DEFAULTS, role: 'client', maxMessageSize: 2, maxFragments: 2 },
    )
    new FrameDecoder(assembler).decode(Buffer.from(bytes))
    expect(sizes).toEqual([2, 2, 2])
  })

  it('tells when it is in a message', () => {
    const assembler = new MessageAssembler(new Recorder(), { ...DEFAULTS, role: 'client' })
    const decoder = new FrameDecoder(assembler)
    const told = [BINARY, TEXT_BEGINS, PING, CONTINUES, ENDS].map((firstOctet) => {
      decoder.decode(frame(firstOctet, 'a'))
      return assembler.inMessage
    })
    expect(told).toEqual([false, true, true, true, false])
  })

  it('hears 100,000 empty pings in one chunk without recursion', () => {
    let pings = 0
    const decoder = receiver({ ping: () => void pings++ })
    const chunk = Buffer.alloc(600_000)
    for (let at = 0; at < chunk.length; at += 6) chunk.writeUInt16BE(0x8980, at)
    decoder.decode(chunk)
    expect(pings).toBe(100_000)
  })
})

describe('checkPart', () => {
  it.each([
    ['text', ['c3', 'a4']],
    ['text that has not ended', ['61 c3']],
    ['nothing', ['']],
  ])('lets %s pass', (_what, parts) => {
    const validator = new Utf8Validator()
    for (const part of parts) expect(() => checkPart(validator, wire(part), false)).not.toThrow()
  })

  it.each([
    ['an octet that cannot be text', ['61', 'ff'], false],
    ['an octet that cannot come next', ['c3', '61'], false],
    ['an end within a character', ['61 c3'], true],
    ['an end within a character, by itself', ['c3', ''], true],
  ])('throws for %s [6455:8.1-01]', (_what, parts, last) => {
    const validator = new Utf8Validator()
    const end = parts.length - 1
    for (const part of parts.slice(0, end)) checkPart(validator, wire(part), false)
    expect(errorOf(() => checkPart(validator, wire(parts[end]), last))).toBe(invalidUtf8)
  })

  it('lets the end of text pass', () => {
    const validator = new Utf8Validator()
    expect(() => checkPart(validator, wire('c3 a4'), true)).not.toThrow()
  })
})

describe('MessageAssembler.stream', () => {
  interface Heard {
    readonly parts: (readonly [part: Buffer, isBinary: boolean, last: boolean])[]
    readonly decoder: FrameDecoder
    readonly assembler: MessageAssembler
    readonly recorder: Recorder
  }

  /** A receiver whose messages are told in parts, from now on or, with `later`, once `assembler.stream` is called. */
  function streaming(options: Partial<MessageOptions> = {}, later = false): Heard {
    const recorder = new Recorder()
    const full = { ...DEFAULTS, role: 'client', ...options } as const
    const assembler = new MessageAssembler(recorder, full)
    const parts: Heard['parts'] = []
    const heard = { parts, decoder: new FrameDecoder(assembler), assembler, recorder }
    if (!later) assembler.stream(partsInto(parts), full.maxMessageSize)
    return heard
  }

  function partsInto(parts: Heard['parts']): PartSink {
    return { messagePart: (part, isBinary, last) => void parts.push([part, isBinary, last]) }
  }

  /** The parts put together: `binary 01 02`, and `…` behind a message whose last part has not come. */
  function joined(parts: Heard['parts']): string[] {
    const messages: string[] = []
    let open: Buffer[] = []
    for (const [part, isBinary, last] of parts) {
      open.push(part)
      if (!last) continue
      messages.push(describeEvent(isBinary ? 'binary' : 'text-octets', Buffer.concat(open)))
      open = []
    }
    return open.length === 0 ? messages : [...messages, `${hex(Buffer.concat(open))} …`]
  }

  const frames: readonly FrameLiteral[] = [
    [TEXT, 'Hello é€😀'],
    [BINARY_BEGINS, wire('ff fe')],
    [PING, 'p'],
    [CONTINUES],
    [ENDS, wire('fd')],
    [TEXT],
    [TEXT_BEGINS, wire('61 c3')],
    [PONG],
    [ENDS, wire('a9')],
    [BINARY_BEGINS, 'x'],
    [ENDS],
    [CLOSE, wire('03e8')],
  ]
  const messages = [
    'text-octets 48 65 6c 6c 6f 20 c3 a9 e2 82 ac f0 9f 98 80',
    'binary ff fe fd',
    'text-octets',
    'text-octets 61 c3 a9',
    'binary 78',
  ]

  it.each(ROLES)(
    'hands messages on in parts, the last one marked, however they are cut, when %s [6455:5.4-03] [6455:5.4-i02]',
    (role) => {
      const bytes = script(role, frames)
      const cutAt = [...bytes.keys()].map((at) => [bytes.subarray(0, at), bytes.subarray(at)])
      for (const chunks of [[bytes], octets(bytes), ...cutAt]) {
        const { parts, decoder, recorder } = streaming({ role })
        for (const chunk of chunks) decoder.decode(Buffer.from(chunk))
        expect(joined(parts)).toEqual(messages)
        expect(parts.every(([part, , last]) => last || part.length > 0)).toBe(true)
        expect(recorder.events).toEqual(['ping 70', 'pong', 'close 1000'])
      }
    },
  )

  it('hands on at once what has come, and first what had been put together before', () => {
    const { parts, decoder, assembler } = streaming({}, true)
    decoder.decode(frame(TEXT_BEGINS, wire('61 c3')))
    assembler.stream(partsInto(parts), 100)
    expect(parts).toEqual([[wire('61 c3'), false, false]])
    decoder.decode(frame(ENDS, wire('a9 62')).subarray(0, 3))
    expect(parts.slice(1)).toEqual([[wire('a9'), false, false]])
    decoder.decode(Buffer.from('b'))
    expect(parts.slice(2)).toEqual([[Buffer.from('b'), false, true]])
    decoder.decode(frame(BINARY, 'c'))
    expect(parts.slice(3)).toEqual([[Buffer.from('c'), true, true]])
  })

  it('hands on nothing first when nothing has come, and binary as binary', () => {
    const { parts, decoder, assembler } = streaming({}, true)
    assembler.stream(partsInto(parts), 100)
    expect(parts).toEqual([])
    const begun = streaming({}, true)
    begun.decoder.decode(frame(BINARY_BEGINS, 'ab'))
    begun.assembler.stream(partsInto(begun.parts), 100)
    decoder.decode(frame(BINARY_BEGINS))
    expect([...parts, ...begun.parts]).toEqual([[Buffer.from('ab'), true, false]])
  })

  it('fails at the first octet that cannot be text, and hands on no part that holds it [6455:8.1-01]', () => {
    const { parts, decoder } = streaming()
    decoder.decode(frame(TEXT_BEGINS, wire('61 c3')))
    expect(errorOf(() => decoder.decode(frame(CONTINUES, wire('28'))))).toBe(invalidUtf8)
    expect(parts).toEqual([[wire('61 c3'), false, false]])
    const cutCharacter = streaming()
    expect(errorOf(() => cutCharacter.decoder.decode(frame(TEXT, wire('61 c3'))))).toBe(invalidUtf8)
    const emptyEnd = streaming()
    emptyEnd.decoder.decode(frame(TEXT_BEGINS, wire('c3')))
    expect(errorOf(() => emptyEnd.decoder.decode(frame(ENDS)))).toBe(invalidUtf8)
    expect([...cutCharacter.parts, ...emptyEnd.parts]).toEqual([[wire('c3'), false, false]])
  })

  it('has a limit of its own, which counts what came before it [6455:10.4-02]', () => {
    const { decoder, assembler } = streaming({ maxMessageSize: 3 }, true)
    decoder.decode(frame(BINARY_BEGINS, 'abc'))
    assembler.stream(partsInto([]), 10)
    decoder.decode(frame(ENDS, '0123456'))
    decoder.decode(script('client', [[BINARY_BEGINS, '01234'], [CONTINUES, '56789'], [ENDS], [TEXT, '0123456789']]))
    decoder.decode(frame(BINARY_BEGINS, '012345678'))
    expect(errorOf(() => decoder.decode(frame(ENDS, '', { declared: 2n })))).toBe(tooBig)
    const whole = streaming({ maxMessageSize: 10 })
    expect(errorOf(() => whole.decoder.decode(frame(BINARY, '', { declared: 11n })))).toBe(tooBig)
  })

  it('says its own limit in its error', () => {
    const { decoder, assembler } = streaming({ maxMessageSize: 3 }, true)
    assembler.stream(partsInto([]), 10)
    expect(() => decoder.decode(frame(BINARY, '', { declared: 11n }))).toThrow('larger than 10 octets')
  })

  it('takes any number of fragments, as whoever reads them sets the pace, but no endless run of empty ones', () => {
    const { decoder, parts } = streaming({ maxFragments: 2 })
    decoder.decode(frame(BINARY_BEGINS, 'a'))
    for (let i = 0; i < 10; i++) decoder.decode(frame(CONTINUES, 'b'))
    expect(parts).toHaveLength(11)
    const flood = (): void => {
      for (let i = 0; i < 1025; i++) decoder.decode(frame(CONTINUES))
    }
    expect(errorOf(flood)).toBe(tooManyFragments)
  })

  it('takes no memory for assembling, and hands on parts as copies that pin no read, large ones too', () => {
    const slow = vi.spyOn(Buffer, 'allocUnsafeSlow')
    const { parts, decoder } = streaming()
    const read = Buffer.from(new ArrayBuffer(65_536))
    const bytes = script('client', [
      [BINARY_BEGINS, Buffer.alloc(100, 7)],
      [ENDS, Buffer.alloc(40_000, 8)],
    ])
    read.set(bytes)
    decoder.decode(read.subarray(0, bytes.length))
    expect(slow).not.toHaveBeenCalled()
    slow.mockRestore()
    read.fill(0xff)
    expect(parts.map(([part]) => part.buffer === read.buffer)).toEqual([false, false])
    expect(parts[0][0]).toEqual(Buffer.alloc(100, 7))
    expect(parts[1][0].equals(Buffer.alloc(40_000, 8))).toBe(true)
    expect(parts).toHaveLength(2)
  })

  it('is between messages when it hands on a last part', () => {
    const failure = new Error('from the sink')
    const assembler = new MessageAssembler(new Recorder(), { ...DEFAULTS, role: 'client' })
    let throwsAtLast = true
    const messagePart = (_: Buffer, __: boolean, last: boolean): void => {
      if (last && throwsAtLast) throw failure
    }
    assembler.stream({ messagePart }, 100)
    const bytes = script('client', [
      [TEXT_BEGINS, 'a'],
      [ENDS, 'b'],
    ])
    expect(() => new FrameDecoder(assembler).decode(Buffer.from(bytes))).toThrow(failure)
    throwsAtLast = false
    new FrameDecoder(assembler).decode(Buffer.from(bytes))
    expect(errorOf(() => new FrameDecoder(assembler).decode(frame(ENDS)))).toBe(nothingToContinue)
  })
})

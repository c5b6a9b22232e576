/**
 * 24 Compressed messages, octet by octet: the examples of RFC 7692 7.2.3 and what follows from them, RSV bits in their
 * places and out of them, and the context that is kept between messages.
 */
import type { Case, Tester } from '../case.ts'
import { Unimplemented } from '../case.ts'
import type { DeflateParameters } from '../deflate.ts'
import type { Frame } from '../wire.ts'
import { event, fails, frame, hex, octets, repeat, wantEcho } from './build.ts'
import { agreed } from './deflate.ts'
import { HELLO, compressed, plainDeflate } from './steps.ts'

/** "Hello" in one block with fixed codes (RFC 7692 7.2.3.1). */
const FIXED = hex('f2 48 cd c9 c9 07 00')
/** "Hello" that points back to the one before (7.2.3.2). */
const BACK = hex('f2 00 11 00 00')
/** "Hello" in a block without compression (7.2.3.3). */
const STORED = hex('00 05 00 fa ff 48 65 6c 6c 6f 00')
/** "Hello" in a block with BFINAL (7.2.3.4), without the octet that ends the message. */
const LAST = hex('f3 48 cd c9 c9 07 00')
/** An empty block without compression, less the four octets that are taken off (7.2.3.6). */
const EMPTY = hex('00')
/** "He", and an empty block without compression (7.2.3.5); "llo". */
const HE = hex('f2 48 05 00 00 00 ff ff')
const LLO = hex('ca c9 c9 07 00')
/** 258 octets from 32768 octets back: one length, one distance, the end of the block. */
const FARTHEST = hex('1a bd ff 1f 00')

const RULE = 'RFC 7692 6, 7.2'

interface Parts {
  readonly frames: readonly Frame[]
  readonly ok: NonNullable<Case['expect']>['ok']
}

/** What has been agreed, where that is what the case needs. */
async function sendWhere(
  tester: Tester,
  frames: readonly Frame[],
  fits?: (agreedOn: DeflateParameters) => boolean,
): Promise<void> {
  const { parameters } = agreed(tester)
  if (fits !== undefined && !fits(parameters)) throw new Unimplemented('the peer wants no context to be kept')
  await tester.send(frames)
}

function works(id: string, title: string, { frames, ok }: Parts, rule: string = RULE): Case {
  return {
    id,
    title,
    rule,
    timeout: 2000,
    opening: plainDeflate,
    play: (tester) => sendWhere(tester, frames),
    expect: { ok },
  }
}

/** As `works`, where the tester may keep its context. */
function keeps(id: string, title: string, parts: Parts): Case {
  return {
    ...works(id, title, parts, 'RFC 7692 7.2.2'),
    async play(tester) {
      const forgets = tester.role === 'client' ? 'clientNoContextTakeover' : 'serverNoContextTakeover'
      await sendWhere(tester, parts.frames, (parameters) => !parameters[forgets])
    },
  }
}

const hello = event.text(HELLO)

const examples: readonly Case[] = [
  works('24.1.1', 'A block with fixed codes: "Hello"', { frames: compressed('text', FIXED), ok: [hello] }),
  works('24.1.2', 'The same in fragments of 3 and 4 octets: "Hello"', {
    frames: compressed('text', FIXED, 4),
    ok: [hello],
  }),
  keeps('24.1.3', 'A "Hello", and one that points back to it: twice "Hello"', {
    frames: [...compressed('text', FIXED), ...compressed('text', BACK)],
    ok: [hello, hello],
  }),
  keeps('24.1.4', 'The same with an uncompressed message between: all three', {
    frames: [...compressed('text', FIXED), frame.text('between'), ...compressed('text', BACK)],
    ok: [hello, event.text('between'), hello],
  }),
  works('24.1.5', 'A block without compression: "Hello"', { frames: compressed('text', STORED), ok: [hello] }),
  works('24.1.6', 'A block with BFINAL: "Hello"', {
    frames: compressed('text', Buffer.concat([LAST, EMPTY])),
    ok: [hello],
  }),
  works('24.1.7', 'Two blocks: "Hello"', { frames: compressed('text', Buffer.concat([HE, LLO])), ok: [hello] }),
  works('24.1.8', 'An empty block as text: an empty text', { frames: compressed('text', EMPTY), ok: [event.text()] }),
  works('24.1.9', 'An empty block as binary: an empty binary message', {
    frames: compressed('binary', EMPTY),
    ok: [event.binary()],
  }),
  works('24.1.10', 'One block in each of two fragments: "Hello"', {
    frames: [{ ...frame.more(frame.text(HE)), rsv: 4 }, frame.continuation(LLO)],
    ok: [hello],
  }),
  works('24.1.11', 'A flushed fragment, and a last one with an empty block: "Hello"', {
    frames: [
      { ...frame.more(frame.text(Buffer.concat([FIXED, hex('00 00 ff ff')]))), rsv: 4 },
      frame.continuation(EMPTY),
    ],
    ok: [hello],
  }),
  works('24.1.12', 'Two blocks with BFINAL in one message: "HelloHello"', {
    frames: compressed('text', Buffer.concat([LAST, LAST, EMPTY])),
    ok: [event.text('HelloHello')],
  }),
  works('24.1.13', 'A block with BFINAL and one without: "HelloHello"', {
    frames: compressed('text', Buffer.concat([LAST, FIXED])),
    ok: [event.text('HelloHello')],
  }),
  works('24.1.14', 'A block with BFINAL, cut behind every octet: "Hello"', {
    frames: compressed('text', Buffer.concat([LAST, EMPTY]), 1),
    ok: [hello],
  }),
  keeps('24.1.15', 'A block with BFINAL, and a message that points back to it: twice "Hello"', {
    frames: [...compressed('text', Buffer.concat([LAST, EMPTY])), ...compressed('text', BACK)],
    ok: [hello, hello],
  }),
  works('24.1.16', 'A thousand empty blocks and "Hello" behind them: "Hello"', {
    frames: compressed('text', Buffer.concat([...Array.from({ length: 1000 }, () => hex('00 00 00 ff ff')), FIXED])),
    ok: [hello],
  }),
]

function breaks(id: string, title: string, rule: string, ...frames: Frame[]): Case {
  return {
    id,
    title: `${title}: the connection fails`,
    rule,
    timeout: 1000,
    opening: plainDeflate,
    play: (tester) => sendWhere(tester, frames),
    expect: { ok: [] },
    close: fails(1002),
  }
}

const CONTROL = 'RFC 7692 6.1'
const RESERVED = 'RFC 6455 5.2'

const bits: readonly Case[] = [
  breaks('24.2.1', 'RSV1 on a Ping', CONTROL, frame.rsv(4, frame.ping(FIXED))),
  breaks('24.2.2', 'RSV1 on an empty Ping', CONTROL, frame.rsv(4, frame.ping())),
  breaks('24.2.3', 'RSV1 on a Pong', CONTROL, frame.rsv(4, frame.pong(FIXED))),
  breaks('24.2.4', 'RSV1 on a Close frame', CONTROL, frame.rsv(4, frame.close(1000))),
  breaks(
    '24.2.5',
    'RSV1 on a Ping between fragments',
    CONTROL,
    compressed('text', FIXED, 4)[0],
    frame.rsv(4, frame.ping()),
  ),
  breaks('24.2.6', 'RSV1 on both fragments', CONTROL, ...compressed('text', FIXED, 4).map((one) => frame.rsv(4, one))),
  breaks(
    '24.2.7',
    'RSV1 on the second fragment only',
    CONTROL,
    frame.more(frame.text(HELLO)),
    frame.rsv(4, frame.continuation(FIXED)),
  ),
  breaks('24.2.8', 'RSV2 on a compressed text', RESERVED, frame.rsv(6, frame.text(FIXED))),
  breaks('24.2.9', 'RSV3 on a compressed text', RESERVED, frame.rsv(5, frame.text(FIXED))),
  breaks('24.2.10', 'RSV2 and RSV3 on a compressed text', RESERVED, frame.rsv(7, frame.text(FIXED))),
  breaks('24.2.11', 'RSV2 on a text that is not compressed', RESERVED, frame.rsv(2, frame.text(HELLO))),
  breaks('24.2.12', 'RSV3 on a binary message that is not compressed', RESERVED, frame.rsv(1, frame.binary(HELLO))),
]

const IN_TURN = [...compressed('text', FIXED), frame.text(HELLO), ...compressed('binary', FIXED)]

/** RSV1 clear: the message is as it stands, whatever has been agreed (RFC 7692 6.1). */
const clear: readonly Case[] = [
  works('24.3.1', 'A text that is not compressed: comes back', { frames: [frame.text(HELLO)], ok: [hello] }),
  works('24.3.2', 'An empty text that is not compressed: comes back', { frames: [frame.text()], ok: [event.text()] }),
  works('24.3.3', 'A binary message that looks as if it were compressed: comes back', {
    frames: [frame.binary(FIXED)],
    ok: [event.binary(FIXED)],
  }),
  works('24.3.4', 'Fragments that are not compressed: come back as one text', {
    frames: [frame.more(frame.text('Hel')), frame.continuation('lo')],
    ok: [hello],
  }),
  works('24.3.5', 'Compressed and not, in turn: all come back', {
    frames: [IN_TURN, IN_TURN, IN_TURN].flat(),
    ok: [1, 2, 3].flatMap(() => [hello, hello, event.binary(HELLO)]),
  }),
  works('24.3.6', 'A Ping between compressed fragments: a Pong, then "Hello"', {
    frames: compressed('text', FIXED, 4).flatMap((one, i) => (i === 0 ? [one] : [frame.ping('between'), one])),
    ok: [event.pong('between'), hello],
  }),
  works('24.3.7', 'Compressed fragments of one octet with empty ones between: "Hello"', {
    frames: compressed('text', FIXED, 1).flatMap((one, i) =>
      i === 0 ? [one] : [frame.more(frame.continuation()), one],
    ),
    ok: [hello],
  }),
  works('24.3.8', 'A compressed text whose characters are cut by the fragments: comes back', {
    // A block without compression, so that the octets of the text are those of the fragments.
    frames: compressed('text', stored(octets('Grüße, κόσμε, 😀')), 1),
    ok: [event.text('Grüße, κόσμε, 😀')],
  }),
]

/** A message in one block without compression (RFC 1951 3.2.4). */
function stored(message: Buffer): Buffer {
  const lengths = Buffer.alloc(4)
  lengths.writeUInt16LE(message.length)
  lengths.writeUInt16LE(0xffff - message.length, 2)
  return Buffer.concat([EMPTY, lengths, message, EMPTY])
}

/** Octets among which nothing comes twice that is worth pointing back to. */
function noise(length: number): Buffer {
  const made = Buffer.alloc(length)
  let state = 7
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    made[i] = state >>> 24
  }
  return made
}

const WINDOW = noise(32_768)

const context: readonly Case[] = [
  keeps('24.4.1', '32768 octets, and 258 from their beginning by pointing all the way back: both', {
    frames: [...compressed('binary', stored(WINDOW)), ...compressed('binary', FARTHEST)],
    ok: [event.binary(WINDOW), event.binary(WINDOW.subarray(0, 258))],
  }),
  {
    id: '24.4.2',
    title: 'A hundred texts of which each repeats the one before: come back',
    rule: 'RFC 7692 7.2.2',
    timeout: 5000,
    opening: plainDeflate,
    async play(tester) {
      const deflate = agreed(tester)
      for (let i = 0; i < 100; i++) {
        const message = octets(`${'The same once more. '.repeat(i)}${i}`)
        await tester.send(compressed('text', await deflate.deflate(message)))
        await wantEcho(tester, 'text', message)
      }
    },
  },
  {
    id: '24.4.3',
    title: 'Compressed messages of 0 to 200 octets, all sent before any is read: come back in their order',
    rule: RULE,
    timeout: 5000,
    opening: plainDeflate,
    async play(tester) {
      const deflate = agreed(tester)
      const messages = Array.from({ length: 201 }, (_, size) => repeat('abcdefg', size))
      const frames: Frame[] = []
      for (const message of messages) frames.push(...compressed('text', await deflate.deflate(message)))
      await tester.send(frames)
      for (const message of messages) await wantEcho(tester, 'text', message)
    },
  },
]

export const compression: readonly Case[] = [...examples, ...bits, ...clear, ...context]

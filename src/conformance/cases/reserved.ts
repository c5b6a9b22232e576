/** 3 Reserved bits without an extension that gives them a meaning, and 4 reserved opcodes. */
import type { Case, SendOptions } from '../case.ts'
import type { Frame } from '../wire.ts'
import { event, fails, frame, hex, octets } from './build.ts'

const HELLO = 'Hello, world!'
const NOT_UTF8 = hex('00 ff fe fd fc fb 00 ff')
const TEXT_23 = octets('twenty-three octets :-)')

/** The one frame that must not be, alone. */
function alone(id: string, what: string, refused: Frame): Case {
  return {
    id,
    title: `${what}: the connection fails`,
    rule: 'RFC 6455 5.2',
    timeout: 1000,
    play: (tester) => tester.send(refused),
    expect: { ok: [] },
    close: fails(1002),
  }
}

/** A good message before the frame that must not be, and a Ping behind it, which must no longer be answered. */
function between(id: string, what: string, refused: Frame, how = '', options: SendOptions = {}): Case {
  return {
    id,
    title: `A text message, ${what} and a Ping${how}: the message comes back, then the connection fails`,
    rule: 'RFC 6455 5.2',
    timeout: 1000,
    play: (tester) => tester.send([frame.text(HELLO), refused, frame.ping()], options),
    expect: { ok: [event.text(HELLO)], nonStrict: [] },
    close: fails(1002),
  }
}

const { rsv, text, binary, close } = frame
const bare = (opcode: number): Frame => ({ opcode })
const full = (opcode: number, payload: string | Buffer): Frame => ({ opcode, payload: octets(payload) })
const CHOP: readonly [string, SendOptions] = [', octet by octet', { chop: 1 }]

export const reserved: readonly Case[] = [
  alone('3.1', 'A text message with RSV3', rsv(1, text(HELLO))),
  between('3.2', 'one with RSV2', rsv(2, text(HELLO))),
  between('3.3', 'one with RSV2 and RSV3', rsv(3, text(HELLO)), ', frame by frame', { perFrame: true }),
  between('3.4', 'one with RSV1', rsv(4, text(HELLO)), ...CHOP),
  alone('3.5', 'A binary message with RSV1 and RSV3', rsv(5, binary(NOT_UTF8))),
  alone('3.6', 'A binary message with RSV1 and RSV2', rsv(6, binary(HELLO))),
  alone('3.7', 'A Close frame with RSV1, RSV2 and RSV3', rsv(7, close())),

  alone('4.1.1', 'An empty frame with opcode 3', bare(3)),
  alone('4.1.2', 'A frame with opcode 4', full(4, TEXT_23)),
  between('4.1.3', 'an empty frame with opcode 5', bare(5)),
  between('4.1.4', 'a frame with opcode 6', full(6, HELLO)),
  between('4.1.5', 'a frame with opcode 7', full(7, HELLO), ...CHOP),
  alone('4.2.1', 'An empty frame with opcode 11', bare(11)),
  alone('4.2.2', 'A frame with opcode 12', full(12, TEXT_23)),
  between('4.2.3', 'an empty frame with opcode 13', bare(13)),
  between('4.2.4', 'a frame with opcode 14', full(14, HELLO)),
  between('4.2.5', 'a frame with opcode 15', full(15, HELLO), ...CHOP),
]

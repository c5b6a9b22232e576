/** 7 The closing handshake: what is left undone behind a Close frame, and which Close frames there may be. */
import type { Case, CloseRule } from '../case.ts'
import type { Frame } from '../wire.ts'
import { answers, event, frame, hex, octets, refuses, repeat, sends } from './build.ts'

const HELLO = 'Hello World!'
const NOT_UTF8 = Buffer.concat([octets('\u03ba\u1f79\u03c3\u03bc\u03b5'), hex('ed a0 80'), octets('edited')])

const { close, continuation, more, ping, text } = frame

/** Frames that begin the closing handshake, all at once; nothing may come back but a Close frame. */
function closes(id: string, title: string, frames: readonly Frame[], rule: CloseRule = answers(1000)): Case {
  const section = rule.clean ? '5.5.1, 7.1' : '5.5.1, 7.4'
  return {
    id,
    title,
    rule: `RFC 6455 ${section}`,
    timeout: 1000,
    play: sends(...frames),
    expect: { ok: [] },
    close: rule,
  }
}

/** A Close frame that is no good. */
function invalid(id: string, what: string, refused: Frame, ...codes: number[]): Case {
  return closes(id, `A Close frame with ${what}: the connection fails`, [refused], refuses(...codes))
}

/** Codes that an endpoint may send; some of them only applications do. */
const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
/** Codes that must not be sent, or that nobody has defined. */
const INVALID = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]
/** Beyond all that RFC 6455 7.4.2 speaks of. */
const BEYOND = [5000, 65_535]

export const closing: readonly Case[] = [
  {
    id: '7.1.1',
    title: 'A text message: comes back, and then the connection closes',
    rule: 'RFC 6455 7.1',
    timeout: 1000,
    play: sends(text(HELLO)),
    expect: { ok: [event.text(HELLO)] },
    close: answers(1000),
  },
  closes('7.1.2', 'Two Close frames: the first is answered', [close(1000), close()]),
  closes('7.1.3', 'A Close frame and a Ping: there is no Pong', [close(1000), ping()]),
  closes('7.1.4', 'A Close frame and a text message: the message does not come back', [close(1000), text(HELLO)]),
  closes('7.1.5', 'A Close frame between two fragments of a text message: the message does not come back', [
    more(text('fragment1')),
    close(1000),
    continuation('fragment2'),
  ]),
  {
    id: '7.1.6',
    title: 'A long and a short text message, a Close frame and a Ping, all at once: whatever comes back',
    rule: 'RFC 6455 7.1',
    timeout: 1000,
    play: sends(text(repeat('BAsd7&jh23', 262_144)), text(HELLO), close(1000), ping()),
    informational: true,
  },
  closes('7.3.1', 'A Close frame without a code: is answered', [close()]),
  invalid('7.3.2', 'half a code', { opcode: 8, payload: octets('a') }, 1002),
  closes('7.3.3', 'A Close frame with a code: is answered', [close(1000)]),
  closes('7.3.4', 'A Close frame with a code and a reason: is answered', [close(1000, HELLO)]),
  closes('7.3.5', 'A Close frame with a reason of 123 octets, the most that it may have: is answered', [
    close(1000, repeat('*', 123)),
  ]),
  invalid('7.3.6', 'a reason of 124 octets, one too many', close(1000, repeat('*', 124)), 1002),
  invalid('7.5.1', 'a reason that is not UTF-8', close(1000, NOT_UTF8), 1002, 1007),
  ...VALID.map((code, at) =>
    closes(
      `7.7.${at + 1}`,
      `A Close frame with ${code}: is answered`,
      [close(code)],
      answers(...new Set([1000, code])),
    ),
  ),
  ...INVALID.map((code, at) => invalid(`7.9.${at + 1}`, `${code}, which nobody may send`, close(code), 1002)),
  ...BEYOND.map((code, at): Case => ({
    id: `7.13.${at + 1}`,
    title: `A Close frame with ${code}, for which there is no rule: whatever comes back`,
    rule: 'RFC 6455 7.4.2',
    timeout: 1000,
    play: sends(close(code)),
    informational: true,
  })),
]

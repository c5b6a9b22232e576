/** 5 Fragmentation: messages in several frames, with control frames between them, and orders of frames that must not be. */
import type { Case, PeerEvent, SendOptions } from '../case.ts'
import type { Frame } from '../wire.ts'
import { event, fails, frame } from './build.ts'

const [F1, F2, F3, F4, F5] = ['fragment1', 'fragment2', 'fragment3', 'fragment4', 'fragment5']
const NOTHING_BEFORE = 'nothing to be continued.'
const HELLO = 'Hello, world!'

const { more, text, continuation, ping, pong } = frame

/** The three ways in which the frames of a case reach the peer. */
const WAYS: readonly (readonly [how: string, options: SendOptions])[] = [
  ['', {}],
  [', frame by frame', { perFrame: true }],
  [', octet by octet', { chop: 1 }],
]

/** What a case says beside what it sends. */
type Rest = (how: string) => Omit<Case, 'id' | 'timeout' | 'play'>

/** Three cases from `5.first` on, that send the same frames, one in each way. */
function threeWays(first: number, of: Rest, frames: readonly Frame[]): Case[] {
  const oneWay = (id: number, how: string, options: SendOptions): Case => ({
    id: `5.${id}`,
    timeout: 1000,
    play: (tester) => tester.send(frames, options),
    ...of(how),
  })
  return WAYS.map(([how, options], at) => oneWay(first + at, how, options))
}

const good =
  (what: string, result: string, ok: readonly PeerEvent[]): Rest =>
  (how) => ({
    title: `${what}${how}: ${result}`,
    rule: 'RFC 6455 5.4',
    expect: { ok },
  })

const bad =
  (what: string): Rest =>
  (how) => ({
    title: `${what}${how}: the connection fails`,
    rule: 'RFC 6455 5.4',
    expect: { ok: [] },
    close: fails(1002),
  })

function refused(id: string, what: string, frames: readonly Frame[]): Case {
  return { id, timeout: 1000, play: (tester) => tester.send(frames), ...bad(what)('') }
}

function twice(frames: readonly Frame[]): Frame[] {
  return [...frames, ...frames]
}

/** Two Pings in a message of five fragments, with time to answer the first before the rest comes. */
function pingedTwice(id: string, how: string, options: SendOptions): Case {
  return {
    id,
    title: `Five fragments of a text message, with a Ping in the middle, a pause, and a Ping before the last${how}: two Pongs, then the message`,
    rule: 'RFC 6455 5.4',
    timeout: 2000,
    play: async (tester) => {
      await tester.send([more(text(F1)), more(continuation(F2)), ping('pongme 1!')], options)
      await tester.wait(1000)
      await tester.send([more(continuation(F3)), more(continuation(F4)), ping('pongme 2!'), continuation(F5)], options)
    },
    expect: { ok: [event.pong('pongme 1!'), event.pong('pongme 2!'), event.text(`${F1}${F2}${F3}${F4}${F5}`)] },
  }
}

export const fragmentation: readonly Case[] = [
  refused('5.1', 'A Ping in two fragments', [more(ping(F1)), continuation(F2)]),
  refused('5.2', 'A Pong in two fragments', [more(pong(F1)), continuation(F2)]),
  ...threeWays(3, good('A text message in two fragments', 'comes back as one', [event.text(`${F1}${F2}`)]), [
    more(text(F1)),
    continuation(F2),
  ]),
  ...threeWays(
    6,
    good('A Ping between two fragments of a text message', 'a Pong, then the message', [
      event.pong('ping payload'),
      event.text(`${F1}${F2}`),
    ]),
    [more(text(F1)), ping('ping payload'), continuation(F2)],
  ),
  ...threeWays(9, bad('A final continuation with nothing to continue, and a text message'), [
    continuation(NOTHING_BEFORE),
    text(HELLO),
  ]),
  ...threeWays(12, bad('A continuation with nothing to continue that more should follow, and a text message'), [
    more(continuation(NOTHING_BEFORE)),
    text(HELLO),
  ]),
  {
    ...refused(
      '5.15',
      'A text message in two fragments, then a continuation with nothing to continue, and a text message',
      [more(text(F1)), continuation(F2), more(continuation(F3)), text(F4)],
    ),
    expect: { ok: [event.text(`${F1}${F2}`)], nonStrict: [] },
  },
  refused(
    '5.16',
    'Twice: a continuation with nothing to continue, and a text message in two fragments',
    twice([more(continuation(F1)), more(text(F2)), continuation(F3)]),
  ),
  refused(
    '5.17',
    'Twice: a final continuation with nothing to continue, and a text message in two fragments',
    twice([continuation(F1), more(text(F2)), continuation(F3)]),
  ),
  refused('5.18', 'A fragment of a text message, and another text message before the first has ended', [
    more(text(F1)),
    text(F2),
  ]),
  pingedTwice('5.19', '', {}),
  pingedTwice('5.20', ', frame by frame', { perFrame: true }),
]

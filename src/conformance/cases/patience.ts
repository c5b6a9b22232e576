/** 30 What is unusual but allowed: many fragments, small ones, empty ones, Pings between them, and text that is easily changed. */
import type { Case, PeerEvent } from '../case.ts'
import { sameEvents } from '../judge.ts'
import type { Frame } from '../wire.ts'
import { event, fragments, frame, hex, octets, repeat, wantEcho } from './build.ts'
import { want } from './steps.ts'

function comesBack(id: string, title: string, rule: string, frames: readonly Frame[], ok: readonly PeerEvent[]): Case {
  return { id, title, rule, timeout: 10_000, play: (tester) => tester.send(frames), expect: { ok } }
}

const text = octets('In pieces')
const letters = Array.from(text.toString())

/** All fragments but the first with this before them. */
function between(frames: readonly Frame[], ...inserted: Frame[]): Frame[] {
  return frames.flatMap((one, i) => (i === 0 ? [one] : [...inserted, one]))
}

const inPieces = fragments('text', text, 1)
const FOUR_KIB = repeat('0123456789abcdef', 4096)

const empty: readonly Case[] = [
  comesBack('30.1.1', 'Fragments of one octet: one text', 'RFC 6455 5.4', inPieces, [event.text(text)]),
  comesBack(
    '30.1.2',
    'Empty fragments before, between and behind the others: one text',
    'RFC 6455 5.4',
    [frame.more(frame.text()), frame.more(frame.continuation()), ...letters.flatMap(emptyBehind), frame.continuation()],
    [event.text(text)],
  ),
  comesBack(
    '30.1.3',
    '500 empty fragments: one empty binary message',
    'RFC 6455 5.4',
    [frame.more(frame.binary()), ...many(498, frame.more(frame.continuation())), frame.continuation()],
    [event.binary()],
  ),
  comesBack(
    '30.1.4',
    '4096 fragments of one octet: one binary message',
    'RFC 6455 5.4',
    fragments('binary', FOUR_KIB, 1),
    [event.binary(FOUR_KIB)],
  ),
]

function emptyBehind(letter: string): Frame[] {
  return [frame.more(frame.continuation(letter)), frame.more(frame.continuation())]
}

function many(count: number, one: Frame): Frame[] {
  return Array.from({ length: count }, () => one)
}

const control: readonly Case[] = [
  comesBack(
    '30.2.1',
    'Pongs that nobody asked for between fragments: one text',
    'RFC 6455 5.4, 5.5.3',
    between(inPieces, frame.pong('unasked'), frame.pong()),
    [event.text(text)],
  ),
  {
    id: '30.2.2',
    title: 'A Ping between any two fragments: Pongs, the last of them among them, and one text',
    rule: 'RFC 6455 5.4, 5.5.2',
    timeout: 5000,
    async play(tester) {
      const frames = inPieces.flatMap((one, i) => (i === 0 ? [one] : [frame.ping(`ping ${i}`), one]))
      await tester.send(frames)
      // Pongs may come before the text and behind it (5.5.3), but the last one has to come.
      const latest = event.pong(`ping ${inPieces.length - 1}`)
      let [answered, complete] = [false, false]
      while (!answered || !complete) {
        const came = await tester.next()
        if (came.type === 'pong') answered ||= sameEvents([came], [latest])
        else complete = sameEvents([came], [event.text(text)]) && !complete
        want(came.type === 'pong' || complete, 'expected Pongs, and the fragments back as one text')
      }
    },
  },
]

function exact(id: string, what: string, payload: string | Buffer): Case {
  return comesBack(id, `${what}: comes back the same`, 'RFC 6455 5.6', [frame.text(payload)], [event.text(payload)])
}

const texts: readonly Case[] = [
  exact('30.3.1', 'Text that begins with a byte order mark', hex('ef bb bf 48 65 6c 6c 6f')),
  exact('30.3.2', 'Text that is a byte order mark', hex('ef bb bf')),
  exact('30.3.3', 'Text that begins with two of them', hex('ef bb bf ef bb bf')),
  exact('30.3.4', 'Text with NULs', '\0Hel\0lo\0'),
  exact('30.3.5', 'Text with control characters and all ends of lines', 'a\rb\nc\r\nd\u0085e\u2028f\u0007g\u007f'),
  exact('30.3.6', 'Text with combining characters that could be composed', 'e\u0301 \u1100\u1161 \ufb01'),
  exact('30.3.7', 'Text that looks like an event name', '__proto__'),
  exact('30.3.8', 'Text with characters of four octets', '😀'.repeat(1000)),
]

const slow: readonly Case[] = [
  {
    id: '30.4.1',
    title: 'A binary message of 4096 octets, octet by octet: comes back',
    rule: 'RFC 6455 6.2',
    timeout: 20_000,
    async play(tester) {
      await tester.send(frame.binary(FOUR_KIB), { chop: 1 })
      await wantEcho(tester, 'binary', FOUR_KIB)
    },
  },
  {
    id: '30.4.2',
    title: 'Text whose characters are cut by fragments and by writes: comes back',
    rule: 'RFC 6455 5.6',
    timeout: 5000,
    async play(tester) {
      const greeting = octets('Grüße, κόσμε, 😀😀')
      await tester.send(fragments('text', greeting, 3), { chop: 1 })
      await wantEcho(tester, 'text', greeting)
    },
  },
  {
    id: '30.4.3',
    title: 'A message that takes a second to come, with Pings between its fragments: Pongs at once, then the message',
    rule: 'RFC 6455 5.4, 5.5.2',
    timeout: 10_000,
    async play(tester) {
      for (let i = 0; i < 5; i++) {
        const part = frame.more(i === 0 ? frame.text('part ') : frame.continuation('part '))
        await tester.send([part, frame.ping(`ping ${i}`)])
        const pong = await tester.next()
        const good = pong.type === 'pong' && pong.payload.equals(octets(`ping ${i}`))
        want(good, 'expected a Pong while the message is on its way')
        await tester.wait(200)
      }
      await tester.send(frame.continuation('end'))
      await wantEcho(tester, 'text', octets(`${'part '.repeat(5)}end`))
    },
  },
]

export const patience: readonly Case[] = [...empty, ...control, ...texts, ...slow]

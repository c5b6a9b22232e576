/** 2 Pings and pongs. */
import type { Case } from '../case.ts'
import { event, fails, frame, hex, repeat, sends } from './build.ts'

const HELLO = 'Hello, world!'
const UNASKED = 'a Pong without its Ping.'
const NOT_UTF8 = hex('00 ff fe fd fc fb 00 ff')
const LONGEST = repeat(Buffer.of(0xfe), 125)
const TEN = Array.from({ length: 10 }, (_, i) => `payload-${i}`)

const ping = (id: string, what: string, payload: string | Buffer): Case => ({
  id,
  title: `A Ping with ${what}: a Pong with the same`,
  rule: 'RFC 6455 5.5.2, 5.5.3',
  timeout: 1000,
  play: sends(frame.ping(payload)),
  expect: { ok: [event.pong(payload)] },
})

const unasked = (id: string, what: string, payload: string): Case => ({
  id,
  title: `A Pong with ${what} that nobody asked for, and a Close frame: only the Close frame is answered`,
  rule: 'RFC 6455 5.5.3',
  timeout: 1000,
  play: sends(frame.pong(payload)),
  expect: { ok: [] },
})

const tenPings: Pick<Case, 'rule' | 'timeout' | 'expect'> = {
  rule: 'RFC 6455 5.5.2',
  timeout: 3000,
  expect: { ok: TEN.map(event.pong) },
}

export const control: readonly Case[] = [
  ping('2.1', 'nothing in it', ''),
  ping('2.2', 'text in it', HELLO),
  ping('2.3', 'octets in it that are not UTF-8', NOT_UTF8),
  ping('2.4', '125 octets, the most that it may have', LONGEST),
  {
    id: '2.5',
    title: 'A Ping with 126 octets, one too many: the connection fails, and there is no Pong',
    rule: 'RFC 6455 5.5',
    timeout: 1000,
    play: sends(frame.ping(repeat(Buffer.of(0xfe), 126))),
    expect: { ok: [] },
    close: fails(1002),
  },
  {
    ...ping('2.6', '125 octets, octet by octet', LONGEST),
    timeout: 2000,
    play: (tester) => tester.send(frame.ping(LONGEST), { chop: 1 }),
  },
  unasked('2.7', 'nothing in it', ''),
  unasked('2.8', 'text in it', UNASKED),
  {
    id: '2.9',
    title: 'A Pong that nobody asked for, and a Ping: one Pong, with what the Ping had',
    rule: 'RFC 6455 5.5.3',
    timeout: 1000,
    play: sends(frame.pong(UNASKED), frame.ping('ping payload')),
    expect: { ok: [event.pong('ping payload')] },
  },
  {
    ...tenPings,
    id: '2.10',
    title: 'Ten Pings at once: ten Pongs, in the same order',
    play: sends(...TEN.map(frame.ping)),
  },
  {
    ...tenPings,
    id: '2.11',
    title: 'Ten Pings, octet by octet: ten Pongs, in the same order',
    play: (tester) => tester.send(TEN.map(frame.ping), { chop: 1 }),
  },
]

/**
 * 29 Backpressure: the tester sends and does not read, then reads. Nothing may be lost, and no Ping may be forgotten but
 * for a later one (RFC 6455 5.5.3).
 */
import type { Case, PeerEvent, Tester } from '../case.ts'
import { Unexpected } from '../case.ts'
import type { Frame } from '../wire.ts'
import { frame, octets, wantEcho } from './build.ts'
import { HELLO, want } from './steps.ts'

const RULE = 'RFC 6455 6.1, 6.2'
const KIBIBYTE = 1024

/** Octets that tell which message they are of. */
function numbered(i: number, length: number): Buffer {
  return Buffer.alloc(length, `${i}, `)
}

/** Sends without reading for a while, then reads an echo of each. */
async function heldBack(tester: Tester, messages: readonly Buffer[]): Promise<void> {
  tester.hold()
  const sent = tester.send(messages.map((message) => frame.binary(message)))
  await tester.wait(500)
  tester.release()
  for (const message of messages) await wantEcho(tester, 'binary', message)
  await sent
}

function held(id: string, count: number, length: number): Case {
  return {
    id,
    title: `${count} messages of ${length} octets, sent while the tester does not read: all come back, in their order`,
    rule: RULE,
    timeout: 20_000,
    play: (tester) =>
      heldBack(
        tester,
        Array.from({ length: count }, (_, i) => numbered(i, length)),
      ),
  }
}

/** Reads and stops reading, in turn. */
const sluggish: Case = {
  id: '29.1.5',
  title: '64 messages of 65536 octets to a tester that reads now and then: all come back, in their order',
  rule: RULE,
  timeout: 20_000,
  async play(tester) {
    const messages = Array.from({ length: 64 }, (_, i) => numbered(i, 64 * KIBIBYTE))
    const sent = tester.send(messages.map((message) => frame.binary(message)))
    for (const [i, message] of messages.entries()) {
      if (i % 8 === 0) {
        tester.hold()
        await tester.wait(20)
        tester.release()
      }
      await wantEcho(tester, 'binary', message)
    }
    await sent
  },
}

const name = (i: number): string => `ping ${i}`

/** Pongs have to belong to Pings, in their order, and the last Ping has to be answered. */
async function wantPongs(tester: Tester, count: number, echoes: number): Promise<void> {
  let echoed = 0
  for (let next = 0; next < count || echoed < echoes;) {
    const event: PeerEvent = await tester.next()
    if (event.type === 'binary') echoed++
    else next = numberOf(event, next, count) + 1
  }
}

function numberOf(event: PeerEvent, from: number, count: number): number {
  for (let i = from; event.type === 'pong' && i < count; i++) {
    if (event.payload.equals(octets(name(i)))) return i
  }
  throw new Unexpected(`expected Pongs for the Pings from number ${from} on, but something else came`)
}

function flood(id: string, count: number, more: readonly Frame[] = []): Case {
  const behind = more.length === 0 ? '' : ` behind ${more.length} messages of 65536 octets`
  return {
    id,
    title: `${count} Pings${behind}, sent while the tester does not read: the last is answered, others may be, in their order`,
    rule: 'RFC 6455 5.5.2, 5.5.3',
    timeout: 20_000,
    async play(tester) {
      tester.hold()
      const sent = tester.send([...more, ...Array.from({ length: count }, (_, i) => frame.ping(name(i)))])
      await tester.wait(300)
      tester.release()
      await wantPongs(tester, count, more.length)
      await sent
    },
  }
}

const slab = Array.from({ length: 64 }, (_, i) => frame.binary(numbered(i, 64 * KIBIBYTE)))

/** The tester closes without having read anything. */
const unread: Case = {
  id: '29.3.1',
  title: 'A Close frame behind 1 MiB of messages that nobody has read: answered, once the tester reads',
  rule: 'RFC 6455 5.5.1',
  timeout: 10_000,
  async play(tester) {
    tester.hold()
    const sent = tester.send(Array.from({ length: 16 }, (_, i) => frame.binary(numbered(i, 64 * KIBIBYTE))))
    await tester.wait(200)
    await sent
    tester.release()
    for (let i = 0; i < 16; i++) await wantEcho(tester, 'binary', numbered(i, 64 * KIBIBYTE))
  },
}

/** Many at once, which must not cost a peer that calls itself for each. */
function manyFrames(id: string, what: string, frames: readonly Frame[]): Case {
  return {
    id,
    title: `${what} and a message, in one write: the message comes back`,
    rule: 'RFC 6455 5.5.3, 6.2',
    timeout: 10_000,
    async play(tester) {
      await tester.send([...frames, frame.text(HELLO)])
      await wantEcho(tester, 'text', HELLO)
    },
  }
}

const burst: Case = {
  id: '29.4.2',
  title: '10000 messages of one octet in one write: all come back, in their order',
  rule: RULE,
  timeout: 10_000,
  async play(tester) {
    const messages = Array.from({ length: 10_000 }, (_, i) => Buffer.of(i & 0xff))
    const sent = tester.send(messages.map((message) => frame.binary(message)))
    for (const message of messages) {
      const event = await tester.next()
      want(event.type === 'binary' && event.payload.equals(message), 'expected the messages back in their order')
    }
    await sent
  },
}

export const pressure: readonly Case[] = [
  held('29.1.1', 128, 64 * KIBIBYTE),
  held('29.1.2', 2, 4 * KIBIBYTE * KIBIBYTE),
  held('29.1.3', 4096, KIBIBYTE),
  held('29.1.4', 10_000, 16),
  sluggish,
  flood('29.2.1', 1000),
  flood('29.2.2', 10_000),
  flood('29.2.3', 1000, slab),
  unread,
  manyFrames(
    '29.4.1',
    '10000 Pongs that nobody asked for',
    Array.from({ length: 10_000 }, () => frame.pong()),
  ),
  burst,
]

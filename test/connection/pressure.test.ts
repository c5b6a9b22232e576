/**
 * Backpressure from end to end, over TCP: a sink that is slow stops the peer, whatever stands between them. What has been
 * taken from the peer stays bounded, and all of it arrives once the sink goes on.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WritableStream } from 'node:stream/web'
import { setTimeout } from 'node:timers/promises'
import { constants, createDeflateRaw } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { toDuplex, toWebStreams } from '../../src/connection/index.ts'
import type { Connection, Message } from '../../src/connection/index.ts'
import type { Role } from '../../src/framing/rules.ts'
import { lines } from '../support/deflate.ts'
import { octets } from '../support/messages.ts'
import { stateOf } from '../support/streams.ts'
import { wired } from '../support/wired.ts'
import { ROLES, received } from '../support/wire.ts'

const KiB = 1024
const MiB = 1024 * KiB
const TOTAL = 64 * MiB
/** What waits in the connection and in its streams: some reads, and some parts or messages. */
const BOUND = 4 * MiB

/** A gate that is closed at first. */
class Gate {
  open: () => void = () => {}
  readonly passed: Promise<void> = new Promise((resolve) => {
    this.open = resolve
  })
}

/** What takes octets, once the gate is open, and counts them. */
type Sink = (ws: Connection, gate: Gate, take: (part: Message) => void) => Promise<unknown>

const sinks: readonly (readonly [name: string, kind: 'message' | 'messages', sink: Sink])[] = [
  [
    'an iterator that is not read',
    'message',
    async (ws, gate, take) => {
      const messages = ws.messages({ stream: true, maxMessageSize: Infinity })
      await gate.passed
      for await (const message of messages) for await (const part of message) take(part)
    },
  ],
  [
    'a message that is not read',
    'message',
    async (ws, gate, take) => {
      for await (const message of ws.messages({ stream: true, maxMessageSize: Infinity })) {
        await gate.passed
        for await (const part of message) take(part)
      }
    },
  ],
  [
    'a Writable behind a message',
    'message',
    async (ws, gate, take) => {
      for await (const message of ws.messages({ stream: true, maxMessageSize: Infinity })) {
        await pipeline(message, writable(gate, take))
      }
    },
  ],
  ['a Writable behind toDuplex', 'messages', (ws, gate, take) => pipeline(toDuplex(ws), writable(gate, take))],
  [
    'a WritableStream behind toWebStreams',
    'messages',
    (ws, gate, take) =>
      toWebStreams(ws).readable.pipeTo(
        new WritableStream<Message>({
          async write(message) {
            await gate.passed
            take(message)
          },
        }),
      ),
  ],
]

function writable(gate: Gate, take: (part: Message) => void): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(part: Message, _encoding, done) {
      void gate.passed.then(() => {
        take(part)
        done()
      })
    },
  })
}

/** The frames that carry `TOTAL` octets: fragments of one message, or messages. */
function* frames(role: Role, kind: 'message' | 'messages', payload: Buffer, count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) {
    const first = kind === 'messages' ? 0x82 : i === 0 ? 0x02 : i === count - 1 ? 0x80 : 0x00
    yield received(role, first, payload)
  }
  yield received(role, 0x88, Buffer.from([0x03, 0xe8]))
}

/** Writes as fast as the connection takes it, and ends. */
async function pour(far: Socket, bytes: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of bytes) if (!far.write(chunk)) await once(far, 'drain')
  far.resume().end()
}

/** Waits until nothing more is read. */
async function standstill(near: Socket): Promise<number> {
  for (let before = -1, same = 0; same < 25; before = near.bytesRead) {
    same = before === near.bytesRead ? same + 1 : 0
    await setTimeout(2)
  }
  return near.bytesRead
}

describe.each(ROLES)('What comes to a %s', (role) => {
  it.each(sinks)('waits with the peer for %s', { timeout: 60_000 }, async (_name, kind, sink) => {
    const { ws, near, far } = await wired(role, { perMessageDeflate: true })
    const gate = new Gate()
    let taken = 0
    const sinking = sink(ws, gate, (part) => {
      taken += part.length
    })
    const pouring = pour(far, frames(role, kind, octets(64 * KiB), TOTAL / (64 * KiB)))
    expect(await standstill(near)).toBeLessThan(BOUND)
    expect([taken, await stateOf(pouring)]).toEqual([0, 'pending'])
    gate.open()
    await Promise.all([sinking, pouring])
    expect(taken).toBe(TOTAL)
  })

  it.each(sinks)('waits with the peer for %s, compressed', { timeout: 60_000 }, async (_name, kind, sink) => {
    const { ws, near, far } = await wired(role, { perMessageDeflate: true }, 'permessage-deflate')
    const gate = new Gate()
    let taken = 0
    const sinking = sink(ws, gate, (part) => {
      taken += part.length
    })
    // Much larger than it is on the wire, which holds it back all the same.
    const text = lines(2000)
    const count = 2000
    const pouring = pour(far, deflated(role, kind, text, count))
    expect(await standstill(near)).toBeLessThan(BOUND / 4)
    expect(taken).toBe(0)
    gate.open()
    await Promise.all([sinking, pouring])
    expect(taken).toBe(count * text.length)
  })
})

/** As `frames`, compressed in one context. */
async function* deflated(
  role: Role,
  kind: 'message' | 'messages',
  payload: Buffer,
  count: number,
): AsyncGenerator<Buffer> {
  const stream = createDeflateRaw({ level: 1 })
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  for (let i = 0; i < count; i++) {
    stream.write(payload)
    await new Promise<void>((resolve) => {
      stream.flush(constants.Z_SYNC_FLUSH, resolve)
    })
    const whole = Buffer.concat(chunks.splice(0))
    const last = kind === 'messages' || i === count - 1
    const first = kind === 'messages' ? 0xc2 : i === 0 ? 0x42 : last ? 0x80 : 0x00
    yield received(role, first, last ? whole.subarray(0, -4) : whole)
  }
  stream.close()
  yield received(role, 0x88, Buffer.from([0x03, 0xe8]))
}

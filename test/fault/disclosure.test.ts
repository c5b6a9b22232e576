/**
 * Octets that are nobody's business (threats V42 to V45, V48): memory that was used before must not leave, nor reach the
 * application, whatever a careless caller hands over; and what a caller hands over stays as it was.
 *
 * Every piece of memory that is not cleared is filled with poison here, so that whatever is handed on without having been
 * written shows.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection, SendOptions } from '../../src/connection/index.ts'
import { turn } from '../support/clock.ts'
import { BINARY, CLOSE, PING, ROLES, TEXT, opened } from '../support/connection.ts'
import { NOT_DATA, VIEWS } from '../support/data.ts'
import { deflated, noise } from '../support/deflate.ts'
import { parseFrames } from '../support/duplex.ts'
import { expectSame } from '../support/messages.ts'
import { messagesIn } from '../support/streams.ts'
import { received, script } from '../support/wire.ts'

/** No octet of the texts below, no length, no code, and no key: a run of it is none of ours. */
const POISON = 0xa7
const RUN = Buffer.alloc(8, POISON)

/** Fills what is not cleared, the pool that small Buffers share included, with poison. */
function poisonMemory(): void {
  const { allocUnsafe, allocUnsafeSlow } = Buffer
  vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => allocUnsafe(size).fill(POISON))
  vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => allocUnsafeSlow(size).fill(POISON))
}

/** What Node's own functions take from the pool is poisoned beforehand. */
function poisonPool(): void {
  for (let i = 0; i < 32; i++) Buffer.from('x'.repeat(300)).fill(POISON)
}

beforeEach(poisonMemory)
afterEach(() => {
  vi.restoreAllMocks()
})

/** Everything of an odd type that JavaScript lets somebody pass, and what is almost right. */
const ODD: readonly unknown[] = [
  ...NOT_DATA.map(([, value]) => value),
  ...[0, 1, 20, 125, 1000, 65_536, 2 ** 31, -1, 1e9, Infinity],
  ...[
    Array.from({ length: 50 }),
    new Number(100),
    Object.create(Buffer.prototype),
    Object.create(Uint8Array.prototype),
  ],
  { length: 1000 },
  { type: 'Buffer', data: [1, 2, 3] },
  { buffer: new ArrayBuffer(64), byteOffset: 0, byteLength: 64, length: 64 },
  new Proxy(new Uint8Array(64), {}),
  new (class extends Array<number> {})(80),
]

type Call = (ws: Connection, value: never) => unknown

const CALLS: readonly (readonly [name: string, call: Call, codes: RegExp])[] = [
  ['send', (ws, value) => ws.send(value), /ERR_WS_INVALID_DATA/],
  ['send, in fragments', (ws, value) => ws.send(value, { fragmentSize: 10 }), /ERR_WS_INVALID_DATA/],
  ['ping', (ws, value) => ws.ping(value), /ERR_WS_INVALID_DATA/],
  ['pong', (ws, value) => ws.pong(value), /ERR_WS_INVALID_DATA/],
  ['close', (ws, value) => ws.close(value), /ERR_WS_INVALID_CLOSE_CODE/],
  ['close with a reason', (ws, value) => ws.close(1000, value), /ERR_WS_INVALID_REASON/],
]

describe.each(ROLES)('A %s', (role) => {
  it('[V42] [V43] sends nothing of its memory for a hundred thousand calls with what is no data', async () => {
    const connection = await opened(role)
    const { ws, peer } = connection
    const stackTraceLimit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    const accepted: unknown[] = []
    let calls = 0
    for (; calls < 100_000;) {
      poisonPool()
      for (const [name, call, codes] of CALLS) {
        for (const [index, value] of ODD.entries()) {
          // Without a payload Pings and Pongs are empty, and a Close has neither code nor reason.
          if (value === undefined && !name.startsWith('send')) continue
          // The one number here that is a close code.
          if (value === 1000 && name === 'close') continue
          calls++
          try {
            call(ws, value as never)
            accepted.push([name, index])
          } catch (error) {
            if (!(error instanceof TypeError || error instanceof RangeError)) {
              accepted.push([name, index, String(error)])
            } else if (!codes.test(String(Reflect.get(error, 'code')))) accepted.push([name, index, String(error)])
          }
        }
      }
      if (accepted.length > 0) break
    }
    Error.stackTraceLimit = stackTraceLimit
    expect(accepted).toEqual([])
    expect(ws.readyState).toBe(1)
    ws.send('end')
    await turn()
    expect(peer.frames).toEqual(['text end'])
    ws.terminate()
  })

  it('[V42] sends of every view the octets that it shows, and none beside them', async () => {
    const { ws, peer } = await opened(role)
    const expected: Buffer[] = []
    for (const [, make] of VIEWS) {
      for (const length of [0, 8, 80, 120, 16_400]) {
        const memory = new Uint8Array(length + 64).fill(POISON)
        memory.fill(1, 32, 32 + length)
        ws.send(make(memory.buffer, 32, length))
        expected.push(Buffer.alloc(length, 1))
        if (length <= 125) ws.ping(make(memory.buffer, 32, length))
      }
    }
    await turn()
    expectSame(messagesIn(role, peer.bytes), expected)
    const pings = parseFrames(role, peer.bytes).filter(({ firstOctet }) => firstOctet === PING)
    expect(pings).toHaveLength(VIEWS.length * 4)
    expect(pings.every(({ payload }) => payload.every((octet) => octet === 1))).toBe(true)
    ws.terminate()
  })

  it.each([undefined, 'permessage-deflate'])(
    '[V44] writes all the memory that it sends, and hands on only what came (%s)',
    async (extensions) => {
      const got: Buffer[] = []
      const deflate = extensions === undefined ? {} : { extensions, perMessageDeflate: { threshold: 0 } }
      const { ws, peer } = await opened(role, {
        ...deflate,
        maxMessageSize: 1_048_576,
        onlyHandler: {
          message: (_, data) => void got.push(Buffer.from(data)),
          ping: (_, payload) => void got.push(payload),
        },
      })
      const lengths = [
        0, 1, 7, 48, 49, 125, 126, 127, 500, 4000, 16_383, 16_384, 16_385, 40_000, 65_535, 65_536, 200_000,
      ]
      const sent = lengths.map((length) => noise(length).map((octet) => (octet === POISON ? 0 : octet)) as Buffer)
      const texts = ['', 'a', 'ä€', 'x'.repeat(48), 'é'.repeat(60), '€'.repeat(20_000), '\ud800 lone']
      const options: readonly SendOptions[] = [{}, { fragmentSize: 1000 }]
      for (const option of options) {
        for (const octets of sent) ws.send(octets, option)
        for (const text of texts) ws.send(text, option)
      }
      ws.ping('ping')
      ws.pong(Buffer.from('pong'))
      await ws.sendStream(['streamed, ', 'and more'])
      // And the other way, cut at odd places, control frames too.
      const isDeflated = extensions !== undefined
      const incoming = sent.flatMap((octets, i) => {
        const payload = isDeflated ? deflated(octets) : octets
        const half = Math.floor(payload.length / 2)
        return [
          received(role, isDeflated ? BINARY | 0x40 : BINARY, payload),
          script(role, [
            [isDeflated ? 0x42 : 0x02, payload.subarray(0, half)],
            [PING, `ping ${i}`],
            [0x80, payload.subarray(half)],
          ]),
        ]
      })
      const stream = Buffer.concat(incoming)
      for (let at = 0; at < stream.length; at += 4999) peer.write(stream.subarray(at, at + 4999))
      const whole = sent.flatMap((octets, i) => [octets, Buffer.from(`ping ${i}`), octets])
      await vi.waitFor(() => expect(got).toHaveLength(whole.length), { timeout: 10_000, interval: 5 })
      void ws.close(1000, 'reason')
      await turn(5)
      for (const octets of got) expect(octets.includes(RUN)).toBe(false)
      expect(Buffer.concat(got).equals(Buffer.concat(isDeflated ? got : whole))).toBe(true)
      expect(
        got.filter(({ length }) => length > 10).every((octets) => sent.some((message) => message.equals(octets))),
      ).toBe(true)
      // Behind it may come the Pong that a Ping is still owed.
      const closed = (): boolean => parseFrames(role, peer.bytes).some(({ firstOctet }) => firstOctet === CLOSE)
      await vi.waitFor(() => expect(closed()).toBe(true), { timeout: 10_000 })
      const frames = parseFrames(role, peer.bytes)
      for (const { payload } of frames) expect(payload.includes(RUN)).toBe(false)
      if (!isDeflated) {
        const strings = texts.map((text) => Buffer.from(text))
        const all = messagesIn(role, peer.bytes).map((message) => Buffer.from(message))
        expectSame(all, [...sent, ...strings, ...sent, ...strings, Buffer.from('streamed, and more')])
      }
      peer.end()
      ws.terminate()
    },
  )

  it('[V45] does the same where memory that should be cleared is not', async () => {
    const { alloc } = Buffer
    const { ws, peer, log } = await opened(role)
    vi.spyOn(Buffer, 'alloc').mockImplementation((...args) =>
      args.length === 1 ? alloc(args[0], POISON) : alloc(...args),
    )
    ws.send('Hello')
    ws.send(Buffer.from('octets'), { fragmentSize: 2 })
    ws.ping()
    peer.write(received(role, 0x01, 'Hel'), received(role, PING), received(role, 0x80, 'lo'), received(role, BINARY))
    peer.write(received(role, TEXT, 'x'.repeat(300)).subarray(0, 3))
    peer.write(received(role, TEXT, 'x'.repeat(300)).subarray(3))
    void ws.close()
    await turn()
    expect(log.slice(1)).toEqual(['ping', 'text Hello', 'binary', `text ${'x'.repeat(300)}`])
    expect(peer.bytes.includes(RUN)).toBe(false)
    expect(peer.frames).toEqual(['text Hello', 'binary… 6f 63', '…… te', '… ts', 'ping', 'pong', 'close'])
    ws.terminate()
  })

  it('[V48] leaves what it is given as it was, and masks a copy', async () => {
    for (const extensions of [undefined, 'permessage-deflate']) {
      const deflate = extensions === undefined ? {} : { extensions, perMessageDeflate: true }
      const { ws, peer } = await opened(role, { ...deflate, writableHighWaterMark: 1 })
      const given = [0, 5, 125, 16_384, 16_385, 70_000, 300_000].map((length) => noise(length))
      const before = given.map((octets) => Buffer.from(octets))
      peer.stopReading()
      for (const octets of given) {
        ws.send(octets)
        ws.send(octets, { fragmentSize: 5000 })
        if (octets.length <= 125) ws.ping(octets)
      }
      const streamed = ws.sendStream(given, { compress: true })
      peer.goOnReading()
      await streamed
      await turn(5)
      expectSame(given, before)
      ws.terminate()
    }
  })
})

describe('A client', () => {
  it('[V48] sends what it was given, whatever becomes of that while it waits', async () => {
    for (const extensions of [undefined, 'permessage-deflate']) {
      const deflate = extensions === undefined ? {} : { extensions, perMessageDeflate: true }
      const { ws, peer } = await opened('client', deflate)
      const lengths = [1, 125, 16_384, 16_385, 70_000]
      peer.stopReading()
      for (const length of lengths) {
        const octets = Buffer.alloc(length, 1)
        ws.send(octets, { compress: false })
        octets.fill(2)
      }
      peer.goOnReading()
      await turn(5)
      expectSame(
        messagesIn('client', peer.bytes),
        lengths.map((length) => Buffer.alloc(length, 1)),
      )
      ws.terminate()
    }
  })
})

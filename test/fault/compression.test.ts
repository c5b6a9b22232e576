/**
 * Compression as a weapon (threats V22 to V28, V30, V31): bombs, parameters that no zlib takes, streams that end again and
 * again, and connections that end while zlib is at work.
 *
 * `CLOSE_RACES=10000 npx vitest run test/fault/compression.test.ts` ends fifty times as many connections in the middle.
 */
import { createHook } from 'node:async_hooks'
import { describe, expect, it, vi } from 'vitest'
import { connect } from '../../src/client/index.ts'
import { acceptOffer, readAnswer } from '../../src/deflate/offer.ts'
import { deflateSettings } from '../../src/deflate/options.ts'
import type { DeflateOptions } from '../../src/deflate/options.ts'
import { formatExtensions, parseExtensions } from '../../src/handshake/index.ts'
import { serve } from '../../src/server/index.ts'
import { turn } from '../support/clock.ts'
import { BINARY, CLOSE, PING, PONG, TEXT, opened } from '../support/connection.ts'
import type { Opened, OpenOptions } from '../support/connection.ts'
import { deflated, noise } from '../support/deflate.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import { acceptance, rawServer } from '../support/raw-server.ts'
import { ROLES, received, script } from '../support/wire.ts'

const KiB = 1024
const MiB = 1024 * KiB
const RSV1 = 0x40
const BY_ITSELF = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
const IN_CONTEXT = 'permessage-deflate'

/** What becomes so many MiB of zeros. */
function bomb(size: number): Buffer {
  const flushed = Buffer.concat([deflated(Buffer.alloc(MiB)), Buffer.from([0, 0, 255, 255])])
  return Buffer.alloc(size * flushed.length, flushed).subarray(0, -4)
}

/** `payload` in so many fragments. */
function fragmented(role: 'server' | 'client', payload: Buffer, count: number): Buffer {
  const size = Math.ceil(payload.length / count)
  const starts = Array.from({ length: count }, (_, i) => i * size).filter((start) => start < payload.length)
  return script(
    role,
    starts.map((start, i) => [
      (start + size >= payload.length ? 0x80 : 0) | (i === 0 ? 2 | RSV1 : 0),
      payload.subarray(start, start + size),
    ]),
  )
}

/** Handles of zlib that are made while `run` runs, each of which costs some 40 us. */
async function handlesMade(run: () => Promise<unknown>): Promise<number> {
  let made = 0
  const hook = createHook({
    init(_id, type) {
      if (type === 'ZLIB') made++
    },
  }).enable()
  try {
    await run()
  } finally {
    hook.disable()
  }
  return made
}

describe.each([BY_ITSELF, IN_CONTEXT])('With "%s"', (extensions) => {
  describe.each(ROLES)('a %s', (role) => {
    const open = (options: OpenOptions = {}): Promise<Opened> =>
      opened(role, { perMessageDeflate: true, extensions, maxMessageSize: MiB, ...options })
    const ended = async ({ ws, peer, errors }: Opened): Promise<[frames: string[], errors: unknown[]]> => {
      await vi.waitFor(() => expect(peer.finished).toBe(true), { timeout: 10_000, interval: 2 })
      ws.terminate()
      await turn()
      const frames = peer.frames.map((line) => line.slice(0, 'close 1000'.length))
      return [frames, errors.map((error) => ('code' in error ? error.code : error))]
    }

    it.each([1, 1000])(
      '[V22] [V23] holds the octets that come of it against the limit, in %d fragments',
      async (count) => {
        // Exactly the limit, first.
        const sizes: number[] = []
        const { peer, ws } = await open({ onlyHandler: { message: (_, data) => void sizes.push(data.length) } })
        peer.write(fragmented(role, bomb(1), count))
        await vi.waitFor(() => expect(sizes).toEqual([MiB]), { timeout: 10_000, interval: 2 })
        ws.terminate()
        const oneMore = deflated(Buffer.alloc(MiB + 1))
        expect(oneMore.length).toBeLessThan(2 * KiB)
        for (const payload of [oneMore, bomb(10), bomb(100), bomb(900)]) {
          expect(payload.length).toBeLessThan(MiB)
          const attacked = await open()
          attacked.peer.write(fragmented(role, payload, count))
          expect(await ended(attacked)).toEqual([['close 1009'], ['ERR_WS_MESSAGE_TOO_BIG']])
          expect(attacked.log).toHaveLength(3)
        }
      },
    )

    it('[V22] stops within the chunk that passes the limit, where messages are told in parts', async () => {
      for (const payload of [bomb(10), bomb(250)]) {
        const attacked = await open({ iterate: true })
        let octets = 0
        const reading = (async () => {
          for await (const message of attacked.ws.messages({ stream: true, maxMessageSize: 300_000 })) {
            for await (const part of message) octets += part.length
          }
        })()
        attacked.peer.write(fragmented(role, payload, 3))
        const failure = reading.then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(await ended(attacked)).toEqual([['close 1009'], ['ERR_WS_MESSAGE_TOO_BIG']])
        expect(await failure).toMatchObject({ cause: { code: 'ERR_WS_MESSAGE_TOO_BIG' } })
        // Zlib makes 64 KiB at a time; the one that is too much is not handed on.
        expect(octets).toBeLessThanOrEqual(300_000)
        expect(octets).toBeGreaterThan(300_000 - 64 * KiB)
      }
    })

    it.each([1, 100])(
      '[V26] starts zlib anew only some times for half a million streams in one message, in %d fragments',
      async (count) => {
        const flood = Buffer.concat([Buffer.alloc(MiB, Buffer.from([3, 0])), Buffer.from([0])])
        for (const iterate of [false, true]) {
          const attacked = await open({ iterate })
          const reading = iterate ? attacked.ws.messages({ stream: true }).next() : undefined
          const made = await handlesMade(async () => {
            attacked.peer.write(fragmented(role, flood, count))
            expect(await ended(attacked)).toEqual([['close 1007'], ['ERR_WS_INVALID_DEFLATE']])
          })
          await reading?.catch(() => {})
          expect(made).toBeGreaterThan(0)
          expect(made).toBeLessThanOrEqual(20)
        }
      },
    )

    it('[V31] refuses RSV1 anywhere but on the first frame of a message', async () => {
      const payload = deflated(Buffer.from('Hello'))
      for (const begin of [0x01, 0x41, 0x02, 0x42]) {
        for (const firstOctet of [0x00, 0x80, PING, PONG, CLOSE]) {
          const attacked = await open()
          const first = begin === 0x01 ? 'text' : payload.subarray(0, 3)
          attacked.peer.write(received(role, begin, first), received(role, firstOctet | RSV1, payload.subarray(3)))
          expect([begin, firstOctet, await ended(attacked)]).toEqual([
            begin,
            firstOctet,
            [['close 1002'], ['ERR_WS_RESERVED_BIT']],
          ])
        }
      }
      const { ws, peer, log } = await open()
      peer.write(received(role, TEXT | RSV1, payload), received(role, BINARY, 'H'), fragmented(role, payload, 3))
      expect(log.slice(1)).toEqual(['text Hello', 'binary 48', 'binary 48 65 6c 6c 6f'])
      ws.terminate()
    })

    it('[V28] ends in order, whatever zlib is at and whenever it ends', { timeout: 120_000 }, async () => {
      const races = Number(process.env['CLOSE_RACES'] ?? 200)
      const [small, large, incompressible] = [Buffer.alloc(2000, 'ab'), Buffer.alloc(300_000, 'cd'), noise(70_000)]
      const incoming = [small, large, incompressible, small].map((message) =>
        received(role, BINARY | RSV1, deflated(message)),
      )
      // By itself each of them may be read, as none refers to another.
      const sizes = [small, large, incompressible, small].map(({ length }) => length)
      let state = 1
      const random = (below: number): number => {
        state = (state * 48_271) % 2_147_483_647
        return state % below
      }
      for (let race = 0; race < races; race++) {
        const read: number[] = []
        let closes = 0
        const { ws, peer } = await opened(role, {
          perMessageDeflate: true,
          extensions,
          onlyHandler: {
            message: (_, data) => void read.push(data.length),
            close: () => void closes++,
          },
        })
        const sent = [
          ws.sendStream([large, small], { compress: true }),
          ws.sendStream(['text ', 'in chunks'], { compress: true }),
        ].map((promise) =>
          promise.then(
            () => 'sent',
            () => 'not sent',
          ),
        )
        ws.send(small)
        ws.send(large)
        const drained = ws.drained().then(
          () => {},
          () => {},
        )
        for (const bytes of incoming) peer.write(bytes)
        await turn(random(6))
        if (random(4) === 0) await new Promise((resolve) => setTimeout(resolve, random(4)))
        const how = random(5)
        if (how === 0) ws.terminate()
        else if (how === 1) void ws.close(1000)
        else if (how === 2) peer.send(CLOSE)
        else if (how === 3) peer.reset()
        else peer.end()
        await turn(random(3))
        // The other end goes, too, so that no deadline has to pass.
        if (!peer.transport.destroyed && !peer.transport.readableEnded && how !== 4) peer.end()
        await vi.waitFor(() => expect(peer.finished || peer.destroyed).toBe(true), { timeout: 10_000, interval: 1 })
        ws.terminate()
        await ws.closed
        // Every promise settles: not one of these awaits hangs.
        await Promise.all([...sent, drained])
        expect(closes).toBe(1)
        expect(read).toEqual(sizes.slice(0, read.length))
        expect(ws.bufferedAmount).toBe(0)
        const { length } = read
        await turn(1)
        expect(read).toHaveLength(length)
      }
    })
  })
})

/** Values of window bits, and whole parameters, that no zlib can be made with (V24); some are no tokens. */
const BITS = [
  ...['0', '1', '7', '16', '17', '99', '100', '255', '256', '1000', '2147483648', '4294967304', '99999999999999999999'],
  ...[
    '08',
    '09',
    '015',
    '008',
    '8.0',
    '15.',
    '.8',
    '1e1',
    '0e1',
    '0xA',
    '0b1010',
    '0o12',
    '+9',
    '-9',
    '-0',
    '"0"',
    '"16"',
  ],
  ...['""', '" 9"', '"9 "', String.raw`"\09"`, '9a', 'a', 'true', 'null', 'NaN', 'Infinity', 'undefined', '__proto__'],
  ...['9_0', '1_0', "'9'", '9%', '!', '#9', '$', '*', '٩', '９'],
]
const BAD = [
  ...BITS.map((bits) => `server_max_window_bits=${bits}`),
  ...BITS.slice(0, 16).map((bits) => `client_max_window_bits=${bits}`),
  'server_max_window_bits',
  'server_max_window_bits=',
]

describe('Parameters that no zlib takes', () => {
  it('[V24] are declined by a server, which goes on', async () => {
    expect(BAD.length).toBeGreaterThan(60)
    const server = await serve({ host: '127.0.0.1', perMessageDeflate: true, message: (ws, data) => ws.send(data) })
    for (const parameter of BAD) {
      const client = await RawClient.connect({ port: server.port })
      client.write(Buffer.from(handshake({ 'Sec-WebSocket-Extensions': `permessage-deflate; ${parameter}` })))
      const { status, fields } = await client.readHead()
      expect([101, 400]).toContain(status)
      expect([parameter, fields.get('sec-websocket-extensions')]).toEqual([parameter, undefined])
      if (status === 101) expect(await client.write(received('server', TEXT, 'Hello')).readText()).toBe('Hello')
      client.destroy()
    }
    await server.shutdown({ timeout: 0 })
  })

  it('[V24] fail the handshake of a client, and nothing else', async () => {
    const server = await rawServer()
    for (const parameter of BAD) {
      const connecting = connect(server.url, { perMessageDeflate: true })
      const peer = await server.accept()
      peer.write(acceptance(await peer.readHead(), { 'Sec-WebSocket-Extensions': `permessage-deflate; ${parameter}` }))
      await expect(connecting, parameter).rejects.toMatchObject({ name: 'HandshakeError' })
    }
  })

  it('[V30] are never more in a server’s answer than in its offer, for all offers and all options', () => {
    const flags = [false, true]
    const bits = [undefined, 8, 9, 10, 11, 12, 13, 14, 15]
    const options: DeflateOptions[] = flags.flatMap((serverNoContextTakeover) =>
      flags.flatMap((clientNoContextTakeover) =>
        bits.flatMap((server) =>
          bits.map((client) => ({
            serverNoContextTakeover,
            clientNoContextTakeover,
            ...(server === undefined ? {} : { serverMaxWindowBits: server }),
            ...(client === undefined ? {} : { clientMaxWindowBits: client }),
          })),
        ),
      ),
    )
    const all = options.map((option) => deflateSettings(option))
    const offers = flags.flatMap((server) =>
      flags.flatMap((client) =>
        bits.flatMap((serverBits) =>
          [...bits, 'any'].map((clientBits) => ({ server, client, serverBits, clientBits })),
        ),
      ),
    )
    let judged = 0
    const wrong: string[] = []
    for (const { server, client, serverBits, clientBits } of offers) {
      const offer = [
        'permessage-deflate',
        ...(server ? ['server_no_context_takeover'] : []),
        ...(client ? ['client_no_context_takeover'] : []),
        ...(serverBits === undefined ? [] : [`server_max_window_bits=${serverBits}`]),
        ...(clientBits === undefined ? [] : [`client_max_window_bits${clientBits === 'any' ? '' : `=${clientBits}`}`]),
      ].join('; ')
      const parsed = parseExtensions(offer)
      for (const settings of all) {
        if (settings === undefined) throw new Error('off')
        const answer = formatExtensions(acceptOffer(parsed, settings))
        judged++
        if (answer === '') continue
        const agreed = readAnswer(parseExtensions(answer))
        const answered = (name: string): number | undefined => {
          const [, value] = new RegExp(`${name}=(\\d+)`).exec(answer) ?? []
          return value === undefined ? undefined : Number(value)
        }
        const ours = answered('server_max_window_bits')
        const theirs = answered('client_max_window_bits')
        const isSound =
          agreed !== undefined &&
          (!server || agreed.serverNoContextTakeover) &&
          (serverBits === undefined || (ours !== undefined && ours <= serverBits)) &&
          (theirs === undefined || clientBits !== undefined) &&
          (typeof clientBits !== 'number' || agreed.clientMaxWindowBits <= clientBits)
        if (!isSound) wrong.push(`${offer} -> ${answer}`)
      }
    }
    expect(judged).toBe(360 * 324)
    expect(wrong).toEqual([])
  })
})

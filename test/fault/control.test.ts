/**
 * Control frames, the end, and peers that do not read (threats V33, V36, V39 to V41): what is owed to a peer is bounded,
 * what it has missed it never gets in part, and the end comes once, whoever else tries to bring it about.
 *
 * `PONGS=10 npx vitest run test/fault/control.test.ts` sends ten million of them.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { CloseInfo } from '../../src/errors.ts'
import { FrameDecoder } from '../../src/framing/decoder.ts'
import { MessageAssembler } from '../../src/framing/message.ts'
import type { Role } from '../../src/framing/rules.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { CLOSE, NORMAL, PING, PONG, ROLES, TEXT, expectGone, open, opened } from '../support/connection.ts'
import type { Opened } from '../support/connection.ts'
import { DEFAULTS, Recorder, describeError } from '../support/decode.ts'
import { parsePart } from '../support/duplex.ts'
import { socketPair } from '../support/sockets.ts'
import { messagesIn } from '../support/streams.ts'
import { received, script } from '../support/wire.ts'
import { MiB, Victim } from './support/victim.ts'

const MILLION = 1_000_000
/** Millions of them. */
const PONGS = Number(process.env['PONGS'] ?? 3)

/** `count` Pings of 125 octets, of which only the last is not empty of meaning. */
function pings(role: Role, count: number, last: string): Buffer {
  const ping = received(role, PING, Buffer.alloc(125, 'p'))
  return Buffer.concat([Buffer.alloc(ping.length * (count - 1), ping), received(role, PING, last.padEnd(125))])
}

describe.each(ROLES)('A %s under a flood of Pings', (role) => {
  it(
    '[V33] owes one Pong to a peer that does not read, after a million Pings as well',
    { timeout: 120_000 },
    async () => {
      const victim = await Victim.start(role, { heartbeat: false })
      const [warm, socket] = await victim.open(2)
      await victim.send([warm], pings(role, MILLION / 10, 'warm'))
      const before = await victim.report()
      for (let i = 0; i < 10; i++) await victim.send([socket], pings(role, MILLION / 10, `last of ${i}`))
      const after = await victim.report()
      expect(after).toMatchObject({ open: 2, closes: {}, errors: {} })
      expect(after.used - before.used).toBeLessThan(MiB)
      expect(after.most - before.rss).toBeLessThan(4 * MiB)
      // When it reads on it gets what had left, and behind that the answer to the last one alone.
      let bytes = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk])
      })
      socket.resume()
      const last = (): string | undefined => parsePart(role, bytes).frames.at(-1)?.payload.toString().trim()
      await vi.waitFor(() => expect(last()).toBe('last of 9'), { timeout: 20_000 })
      const { frames, rest } = parsePart(role, bytes)
      expect(rest).toHaveLength(0)
      expect(frames.every(({ firstOctet }) => firstOctet === PONG)).toBe(true)
      expect(frames.filter(({ payload }) => payload.toString().startsWith('last'))).toHaveLength(1)
      socket.write(received(role, PING, 'alive?'))
      await vi.waitFor(() => expect(last()).toBe('alive?'), { timeout: 20_000 })
    },
  )

  it('[V33] keeps nothing of Pongs that it did not ask for, however many millions', { timeout: 120_000 }, async () => {
    const victim = await Victim.start(role, { heartbeat: false })
    const pong = received(role, PONG)
    const batch = Buffer.alloc(MILLION * pong.length, pong)
    const [socket] = await victim.open(1)
    await victim.send([socket], batch)
    const before = await victim.report()
    for (let i = 1; i < PONGS; i++) await victim.send([socket], batch)
    const after = await victim.report()
    expect(after).toMatchObject({ open: 1, closes: {}, errors: {} })
    expect(after.used - before.used).toBeLessThan(MiB / 4)
    expect(after.most - before.rss).toBeLessThan(4 * MiB)
  })
})

describe.each(ROLES)('A %s whose peer does not read', (role) => {
  useClock()

  it('[V36] sends no message behind one that found no room, however much the peer reads later', async () => {
    for (const end of ['overflow', 'close'] as const) {
      const connection = await opened(role, { maxBufferedAmount: 100_000, closeTimeout: 2000 })
      const { ws, peer } = connection
      peer.stopReading()
      const sent = Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat(4990)}`)
      const accepted: string[] = []
      for (const text of sent) {
        const octets = ws.bufferedAmount
        ws.send(text)
        if (ws.bufferedAmount > octets) accepted.push(text)
        if (end === 'close' && accepted.length === 10) void ws.close(1000)
      }
      expect([10, 20, 21]).toContain(accepted.length)
      expect(accepted.length === 10).toBe(end === 'close')
      expect(ws.readyState).not.toBe(1)
      // It drains a little, and wholly; whatever is sent now comes too late.
      peer.readOnce()
      for (const send of [() => ws.send('late'), () => ws.ping('late'), () => ws.pong('late')]) {
        expect(send()).toBe(false)
      }
      peer.goOnReading()
      await turn()
      expect(ws.send('later')).toBe(false)
      await pass(5000)
      expectGone(connection)
      const { frames, rest } = parsePart(role, peer.bytes)
      const texts = messagesIn(role, peer.bytes.subarray(0, peer.bytes.length - rest.length)).map(String)
      expect(texts).toEqual(sent.slice(0, texts.length))
      expect(frames.filter(({ opcode }) => opcode !== 1).length).toBe(end === 'close' ? 1 : 0)
      expect(peer.bytes.includes('late')).toBe(false)
    }
  })
})

/** What a handler may do, and does twice. */
const ACTIONS: readonly (readonly [name: string, act: (ws: Connection) => void])[] = [
  ['terminates', (ws) => ws.terminate()],
  ['closes', (ws) => void ws.close(1000, 'twice')],
  ['closes without a code', (ws) => void ws.close()],
  ['sends', (ws) => void ws.send('x'.repeat(30_000))],
  ['pings', (ws) => void ws.ping('p')],
  ['pauses', (ws) => ws.pause()],
  ['resumes', (ws) => ws.resume()],
  [
    'throws',
    () => {
      throw new Error('on purpose')
    },
  ],
]

/** What brings the end about, or is left to the deadlines. */
const ENDS: readonly (readonly [name: string, strike: (connection: Opened) => void])[] = [
  ['its peer closes', ({ peer }) => peer.send(CLOSE, NORMAL)],
  ['its peer breaks the protocol', ({ peer }) => peer.send(0x83)],
  ['its peer resets', ({ peer }) => peer.reset()],
  [
    'its transport fails twice',
    ({ peer }) => {
      peer.reset()
      peer.transport.emit('error', new Error('again'))
    },
  ],
  ['its peer sends FIN', ({ peer }) => peer.end()],
  ['it terminates twice', ({ ws }) => [ws.terminate(), ws.terminate()]],
  ['it closes twice', ({ ws }) => void [ws.close(1000), ws.close(4000)]],
]

const EVENTS = ['open', 'message', 'ping', 'pong', 'drain', 'error', 'close'] as const

describe.each(ROLES)('A %s', (role) => {
  useClock()

  it.each(ENDS)('[V39] ends once when %s, whatever every handler does, twice', async (_end, strike) => {
    for (const event of EVENTS) {
      for (const [name, act] of ACTIONS) {
        const twice = (ws: Connection): void => {
          act(ws)
          act(ws)
        }
        // `close` is over when it throws, and what `error` throws is told to nobody but the process.
        if (name === 'throws' && (event === 'close' || event === 'error')) continue
        const connection = open(role, { handler: { [event]: twice }, closeTimeout: 3000 })
        const { ws, peer, log } = connection
        await turn(1)
        peer.stopReading()
        ws.send('x'.repeat(70_000))
        if (!peer.destroyed) {
          peer.write(
            script(role, [
              [TEXT, 'a'],
              [PING, 'b'],
              [PONG, 'c'],
            ]),
          )
        }
        await turn(1)
        peer.goOnReading()
        await turn(1)
        if (!peer.destroyed) strike(connection)
        await turn(1)
        ws.resume()
        await pass(9000)
        // Whoever only paused, or sent, or let it be, is still closed by whoever struck; and by this, at last.
        ws.terminate()
        await turn()
        expectGone(connection)
        expect([event, name, log.filter((line) => line.startsWith('error ')).length <= 1]).toEqual([event, name, true])
        expect(await ws.closed).toBe(connection.infos[0])
        expect([event, name, vi.getTimerCount()]).toEqual([event, name, 0])
        const told = log.length
        peer.transport.emit('error', new Error('late'))
        ws.terminate()
        void ws.close(1000)
        await pass(1000)
        expect(log).toHaveLength(told)
      }
    }
  })

  it('[V41] judges every Close body as it should, in the frame as a peer sends it', () => {
    const stackTraceLimit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    const heard = (body: Buffer): string => {
      const recorder = new Recorder()
      const decoder = new FrameDecoder(new MessageAssembler(recorder, { ...DEFAULTS, role }))
      try {
        decoder.decode(received(role, CLOSE, body))
      } catch (error) {
        return describeError(error).replace(/ RFC.*/, '')
      }
      return recorder.events.join()
    }
    const wrong: unknown[] = []
    const body = Buffer.alloc(2)
    for (let code = 0; code <= 65_535; code++) {
      body.writeUInt16BE(code)
      const known = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
      const mayBeSent = known || (code >= 3000 && code <= 4999)
      const expected = mayBeSent ? `close ${code}` : 'ERR_WS_BAD_CLOSE_CODE 1002'
      if (heard(body) !== expected) wrong.push([code, heard(body)])
    }
    Error.stackTraceLimit = stackTraceLimit
    expect(wrong).toEqual([])
    for (let octet = 0; octet < 256; octet++) expect(heard(Buffer.of(octet))).toBe('ERR_WS_BAD_CLOSE_BODY 1002')
  })

  it('[V41] answers a bad Close with the code for it, and a good one with its own', async () => {
    const utf8 = (hex: string): Buffer => Buffer.concat([NORMAL, Buffer.from(hex, 'hex')])
    const code = (number: number): Buffer => Buffer.from([number >> 8, number & 255])
    const cases: readonly (readonly [body: Buffer, answer: string])[] = [
      [Buffer.of(3), 'close 1002'],
      ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(
        (number) => [code(number), 'close 1002'] as const,
      ),
      ...['ff', 'c0af', 'eda080', 'f4908080', 'e282', '616263c3'].map((hex) => [utf8(hex), 'close 1007'] as const),
      ...[1000, 1001, 1003, 1014, 3000, 4999].map((number) => [code(number), `close ${number}`] as const),
      [utf8('e282ac'), 'close 1000 €'],
      [Buffer.alloc(0), 'close'],
    ]
    for (const [body, answer] of cases) {
      const connection = await opened(role)
      const { ws, peer } = connection
      peer.send(CLOSE, body)
      const [frame] = peer.frames
      const shown = frame.startsWith('close 100') && !answer.startsWith('close 1000 ') ? frame.slice(0, 10) : frame
      expect([body.toString('hex'), peer.frames.length, shown]).toEqual([body.toString('hex'), 1, answer])
      expect(ws.readyState).toBe(2)
      peer.end()
      await turn()
      expectGone(connection)
    }
  })
})

/** What the two sides were at when the reset comes. */
const STATES: readonly (readonly [name: string, begin: (ws: Connection, far: Far) => void | Promise<void>])[] = [
  ['nothing else happens', () => {}],
  ['it has sent Close', (ws) => void ws.close(1000)],
  [
    'Close frames have crossed',
    (ws, far) => {
      void ws.close(1000)
      return far.write(CLOSE, NORMAL)
    },
  ],
  ['its peer has sent Close', (_ws, far) => far.write(CLOSE, NORMAL)],
  ['its peer has sent FIN', (_ws, far) => far.end()],
  [
    'its peer has sent FIN, and takes nothing',
    (ws, far) => {
      ws.send(Buffer.alloc(8 * MiB))
      return far.end()
    },
  ],
  ['its peer takes nothing', (ws) => void ws.send(Buffer.alloc(8 * MiB))],
  ['it has failed its peer', (_ws, far) => far.write(0x83)],
  ['a message has begun', (_ws, far) => far.write(0x01, 'half')],
  ['it is paused', (ws) => ws.pause()],
]

interface Far {
  write(firstOctet: number, payload?: Buffer | string): Promise<void>
  end(): Promise<void>
}

describe.each(ROLES)('A %s over TCP', (role) => {
  const started: Connection[] = []
  afterEach(() => {
    for (const ws of started.splice(0)) ws.terminate()
  })

  it.each(STATES)('[V40] notices a reset when %s', async (_state, begin) => {
    const { near, far } = await socketPair()
    const closes: CloseInfo[] = []
    // Deadlines are far away. A connection that is not read learns of it by what it writes, and that is its heartbeat.
    const settings = connectionSettings(role, {
      closeTimeout: 600_000,
      maxBufferedAmount: Infinity,
      heartbeat: { interval: 50, timeout: 600_000 },
    })
    const handler = { close: (_: unknown, info: CloseInfo) => void closes.push(info) }
    const ws = new Connection(near, settings, handler, undefined, '')
    started.push(ws)
    ws.start('', Buffer.alloc(0))
    far.on('error', () => {})
    await begin(ws, {
      write: (firstOctet, payload) =>
        new Promise((resolve) => void far.write(received(role, firstOctet, payload), () => resolve())),
      end: () => new Promise((resolve) => void far.end(resolve)),
    })
    await turn(5)
    far.resetAndDestroy()
    const info = await ws.closed
    expect(closes).toEqual([info])
    expect(near.destroyed).toBe(true)
    expect(near.listenerCount('data')).toBe(0)
    expect(ws.bufferedAmount).toBe(0)
  })
})

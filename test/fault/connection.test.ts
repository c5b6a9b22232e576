/**
 * Faults (threats V38 to V40, goals G12 and G13): the transport dies at every octet of a scripted exchange, and random
 * sequences of everything that either side, the network and the clock can do. Whatever it is, the connection ends once,
 * is explained, and leaves nothing behind.
 *
 * Runs print their seed when they fail.
 */
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { Role } from '../../src/framing/rules.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, PONG, ROLES, TEXT, expectGone, open } from '../support/connection.ts'
import type { OpenOptions, Opened } from '../support/connection.ts'
import { parsePart } from '../support/duplex.ts'
import { socketPair } from '../support/sockets.ts'
import { received, script } from '../support/wire.ts'

/** A little of everything that a peer sends. */
function exchange(role: Role): Buffer {
  return script(role, [
    [TEXT, 'Hello'],
    [0x01, 'frag'],
    [PING, 'between'],
    [0x00, ''],
    [0x80, 'ments'],
    [BINARY, Buffer.alloc(130, 7)],
    [PONG, 'pong'],
    [CLOSE, Buffer.from([0x03, 0xe8, 0x62, 0x79, 0x65])],
  ])
}

/** What may happen to the transport, and the initiator that it shows when nothing else had begun the end. */
const FAULTS: readonly (readonly [name: string, strike: (connection: Opened) => void])[] = [
  ['a reset', ({ peer }) => peer.reset()],
  ['a FIN', ({ peer }) => peer.end()],
  ['an end without a word', ({ peer }) => void peer.transport.destroy()],
  ['a FIN and a reset', ({ peer }) => [peer.end(), peer.reset()]],
]

/** What we may be at when it happens. */
const STATES: readonly (readonly [name: string, begin: (connection: Opened) => void])[] = [
  ['open', () => {}],
  ['closing', ({ ws }) => void ws.close(1000)],
  ['paused', ({ ws }) => ws.pause()],
  ['held back by its peer', ({ ws, peer }) => [peer.stopReading(), ws.send('x'.repeat(70_000)), void ws.drained()]],
]

describe.each(ROLES)('A %s with nobody to listen', (role) => {
  useClock()
  const bytes = exchange(role)

  describe.each(FAULTS)('and %s at any octet', (fault, strike) => {
    it.each(STATES)('[V40] [A11] ends once, explained, when %s [6455:7.2.1-02]', async (state, begin) => {
      const explained = new Set<string>()
      for (let at = 0; at <= bytes.length; at++) {
        const infos: unknown[] = []
        // Without `error`: what the network does is nobody's mistake.
        const connection = open(role, {
          onlyHandler: { message: (ws, data) => ws.send(data), close: (_, info) => void infos.push(info) },
        })
        await turn(1)
        begin(connection)
        connection.peer.write(bytes.subarray(0, at))
        if (at % 3 === 0) await turn(1)
        strike(connection)
        await turn()
        // A paused connection hears of a FIN when it reads on; a peer that reads nothing does not hear of ours.
        connection.ws.resume()
        await turn()
        connection.peer.goOnReading()
        await turn()
        const { ws, peer } = connection
        expect({ at, infos: infos.length, state: ws.readyState }).toEqual({ at, infos: 1, state: 3 })
        expect(peer.destroyed).toBe(true)
        expect(ws.bufferedAmount).toBe(0)
        const { code, wasClean, initiator } = await ws.closed
        explained.add(`${code} ${wasClean ? 'clean' : 'unclean'} ${initiator}`)
        expect(code === 1000 || !wasClean).toBe(true)
        // Clean only when the whole Close had come, and had been read.
        if (wasClean) expect(at).toBe(bytes.length)
      }
      expect([...explained].every((how) => / (network|local|peer)$/.test(how))).toBe(true)
      expect([fault, state, explained.size > 0]).toEqual([fault, state, true])
    })
  })
})

describe.each(ROLES)('A %s over TCP', (role) => {
  const started: Connection[] = []
  afterEach(() => {
    for (const ws of started.splice(0)) ws.terminate()
  })
  const bytes = exchange(role)

  it.each(['a reset', 'a FIN'])('[A11] ends once on %s at every tenth octet', async (fault) => {
    for (let at = 0; at < bytes.length; at += 10) {
      const { near, far } = await socketPair()
      const closes: unknown[] = []
      const ws = new Connection(
        near,
        connectionSettings(role, { heartbeat: false }),
        { message: (connection, data) => connection.send(data), close: (_, info) => void closes.push(info) },
        undefined,
        '',
      )
      started.push(ws)
      ws.start('', Buffer.alloc(0))
      far.on('error', () => {}).resume()
      await new Promise((resolve) => void far.write(bytes.subarray(0, at), resolve))
      if (fault === 'a FIN') far.end()
      else far.resetAndDestroy()
      const info = await ws.closed
      expect(closes).toEqual([info])
      expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'network' })
      expect(near.destroyed).toBe(true)
      far.destroy()
    }
  })
})

/** One thing that happens: what it is called, and what it does. */
interface Step {
  readonly name: string
  readonly act: (world: World) => void | Promise<void>
}

interface World extends Opened {
  readonly role: Role
  /** What the peer has sent in whole messages, while it could. */
  readonly texts: string[]
  readonly drains: { settled: number; asked: number }
}

function step(name: string, act: Step['act']): Step {
  return { name, act }
}

const peerSends = (firstOctet: number, payload: string | Buffer): Step =>
  step(`peer sends ${firstOctet.toString(16)} ${payload.length}`, ({ peer }) => {
    if (!peer.transport.destroyed && !peer.transport.readableEnded && !ended.has(peer)) peer.send(firstOctet, payload)
  })
const ended = new WeakSet<Opened['peer']>()

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.oneof(
      fc
        .constantFrom(10, 1000, 20_000, 80_000)
        .map((size) => step(`send ${size}`, ({ ws }) => void ws.send('s'.repeat(size)))),
      fc
        .constantFrom(1, 7, 300)
        .map((fragmentSize) =>
          step(`send fragments of ${fragmentSize}`, ({ ws }) => void ws.send('f'.repeat(500), { fragmentSize })),
        ),
      fc.constant(step('ping', ({ ws }) => void ws.ping('ping'))),
      fc.constant(step('pong', ({ ws }) => void ws.pong('pong'))),
      fc.constant(step('pause', ({ ws }) => ws.pause())),
      fc.constant(step('resume', ({ ws }) => ws.resume())),
      fc.constant(
        step('drained', ({ ws, drains }) => {
          drains.asked++
          ws.drained().then(
            () => drains.settled++,
            () => drains.settled++,
          )
        }),
      ),
    ),
  },
  {
    weight: 12,
    arbitrary: fc.oneof(
      fc.integer({ min: 0, max: 60 }).map((count) =>
        step(`peer sends ${count} messages`, ({ peer, role, texts }) => {
          if (peer.transport.destroyed || ended.has(peer)) return
          const sent = Array.from({ length: count }, (_, i) => `${texts.length + i}`)
          texts.push(...sent)
          peer.write(...sent.map((text) => received(role, TEXT, text)))
        }),
      ),
      fc.constant(peerSends(PING, 'ping')),
      fc.constant(peerSends(PONG, '')),
      fc.constant(step('peer stops reading', ({ peer }) => peer.stopReading())),
      fc.constant(step('peer reads', ({ peer }) => peer.goOnReading())),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.oneof(
      fc.constant(step('turn', () => turn(1))),
      fc.constantFrom(50, 500, 5000).map((time) => step(`${time} ms`, () => pass(time))),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.oneof(
      fc.constant(step('close', ({ ws }) => void ws.close(1000, 'bye'))),
      fc.constant(step('terminate', ({ ws }) => ws.terminate())),
      fc.constant(peerSends(CLOSE, NORMAL)),
      fc.constant(peerSends(0x83, 'bad')),
      fc.constant(
        step('peer sends half a frame', ({ peer, role }) => {
          if (peer.transport.destroyed || ended.has(peer)) return
          ended.add(peer)
          peer.write(received(role, TEXT, 'half').subarray(0, 3))
        }),
      ),
      fc.constant(
        step('FIN', ({ peer }) => {
          if (peer.transport.destroyed || ended.has(peer)) return
          ended.add(peer)
          peer.end()
        }),
      ),
      fc.constant(step('reset', ({ peer }) => peer.reset())),
    ),
  },
)

const OPTIONS: OpenOptions = {
  closeTimeout: 2000,
  idleTimeout: 60_000,
  frameTimeout: 20_000,
  heartbeat: { interval: 8000, timeout: 4000 },
  maxBufferedAmount: 250_000,
}

/** What has to hold after every step. */
function expectSound(world: World, before: number): void {
  const { ws, peer, log, role, texts } = world
  expect(ws.readyState).toBeGreaterThanOrEqual(before)
  expect(ws.bufferedAmount).toBeGreaterThanOrEqual(0)
  const closes = log.filter((event) => event.startsWith('close '))
  expect(closes).toHaveLength(ws.readyState === 3 ? 1 : 0)
  if (closes.length > 0) expect(log.at(-1)).toBe(closes[0])
  expect(log.filter((event) => event.startsWith('error ')).length).toBeLessThanOrEqual(1)
  // Messages are told in order, from the first on, without a gap.
  const told = log.filter((event) => event.startsWith('text ')).map((event) => event.slice(5))
  expect(told).toEqual(texts.slice(0, told.length))
  // What is on the wire is frames, of which the last may be cut; no data frame stands behind a Close.
  const { frames } = parsePart(role, peer.bytes)
  const close = frames.findIndex(({ opcode }) => opcode === 8)
  if (close >= 0) expect(frames.slice(close + 1).every(({ opcode }) => opcode === 10)).toBe(true)
}

describe.each(ROLES)('A %s and everything that can happen', (role) => {
  useClock()

  it('[V39] [A11] is sound at every step, and over in the end', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 25 }), fc.boolean(), async (sequence, iterate) => {
        const world: World = {
          ...open(role, { ...OPTIONS, iterate }),
          role,
          texts: [],
          drains: { asked: 0, settled: 0 },
        }
        const { ws, peer, drains } = world
        const iterated: string[] = []
        const loop = iterate
          ? (async () => {
              for await (const message of ws) iterated.push(String(message))
            })().catch(() => {})
          : undefined
        for (const { act } of sequence) {
          const before = ws.readyState
          await act(world)
          expectSound(world, before)
        }
        // The end, if it was not: whoever holds reading lets go, and nobody answers.
        ws.resume()
        void ws.close(4000)
        await pass(6000)
        expectGone(world)
        expectSound(world, 3)
        await loop
        expect(iterated).toEqual(world.texts.slice(0, iterated.length))
        expect(drains.settled).toBe(drains.asked)
        expect(await ws.closed).toBe(world.infos[0])
        expect(world.infos[0].wasClean ? world.infos[0].code : 1006).toBe(world.infos[0].code)
        // Nothing comes behind the end.
        const { length } = world.log
        peer.goOnReading()
        await pass(1000)
        expect(world.log).toHaveLength(length)
        expect(vi.getTimerCount()).toBe(0)
      }),
      { numRuns: 1000 },
    )
  })
})

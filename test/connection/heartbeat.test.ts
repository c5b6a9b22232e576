/** Whether a peer is still there: Pings, idleness, frames that do not go on (RFC 6455 5.5.2; threats V19, V35). */
import { describe, expect, it } from 'vitest'
import { judge, suspend } from '../../src/connection/heartbeat.ts'
import type { Progress, Pulse } from '../../src/connection/heartbeat.ts'
import { connectionSettings } from '../../src/connection/options.ts'
import type { ConnectionOptions } from '../../src/connection/options.ts'
import { pass, stall, turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, PING, PONG, ROLES, TEXT, expectGone, opened } from '../support/connection.ts'
import type { Opened } from '../support/connection.ts'
import { encoded } from '../support/prepared.ts'
import { received } from '../support/wire.ts'

const TICK = 500

describe('The judgement about a peer', () => {
  const quiet: Progress = { isStalled: () => false, excuse: () => {} }
  const pulse = (now: number): Pulse => ({ heardAt: now, activeAt: now, pingedAt: -1 })
  const settings = (options: ConnectionOptions): ReturnType<typeof connectionSettings> =>
    connectionSettings('client', { frameTimeout: 0, ...options })

  it('finds nothing wrong when it is to look at nothing', () => {
    const stalled = { ...quiet, isStalled: () => true }
    expect(judge(pulse(0), 1e9, settings({}), stalled)).toBe('fine')
  })

  it('[A10] asks for a Ping after the interval, once, and gives up after the timeout', () => {
    const peer = pulse(1000)
    const options = settings({ heartbeat: { interval: 100, timeout: 50 } })
    const verdicts = [1099, 1100, 1101, 1149, 1150].map((now) => judge(peer, now, options, quiet))
    expect(verdicts).toEqual(['fine', 'ping', 'fine', 'fine', 'silent'])
  })

  it('takes an answer that comes within the tick of the Ping for one', () => {
    const peer = pulse(0)
    const options = settings({ heartbeat: { interval: 100, timeout: 50 } })
    expect(judge(peer, 100, options, quiet)).toBe('ping')
    peer.heardAt = 100
    expect([150, 199, 200].map((now) => judge(peer, now, options, quiet))).toEqual(['fine', 'fine', 'ping'])
  })

  it('waits for no answer of a peer that nobody listened to from the first moment on', () => {
    const peer = pulse(0)
    const options = settings({ heartbeat: { interval: 100, timeout: 50 } })
    expect(suspend(peer, 0, options, quiet)).toBe(false)
    expect([60, 99, 100].map((now) => judge(peer, now, options, quiet))).toEqual(['fine', 'fine', 'ping'])
  })

  it('counts nothing of a time when nobody listened', () => {
    const peer = pulse(0)
    const options = settings({ heartbeat: { interval: 100, timeout: 50 }, idleTimeout: 120, frameTimeout: 130 })
    let began = 0
    const inFrame: Progress = {
      isStalled: (now, frameTimeout) => now - began >= frameTimeout,
      excuse: (now) => void (began = now),
    }
    expect(judge(peer, 0, options, inFrame)).toBe('fine')
    expect(judge(peer, 100, options, inFrame)).toBe('ping')
    expect(suspend(peer, 10_000, options, inFrame)).toBe(true)
    expect(suspend(peer, 10_000, settings({ heartbeat: false }), inFrame)).toBe(false)
    const judged = [10_099, 10_100, 10_120, 10_130].map((now) => judge(peer, now, options, inFrame))
    expect(judged).toEqual(['fine', 'ping', 'idle', 'stalled'])
  })
})

describe.each(ROLES)('A %s', (role) => {
  useClock()

  async function end(connection: Opened): Promise<void> {
    connection.ws.terminate()
    await turn()
    expectGone(connection)
  }

  it('sends no Ping when it is not asked to, and keeps a connection that says nothing [6455:7.1.7-08] [6455:7.2.1-03]', async () => {
    const connection = await opened(role, { heartbeat: false })
    await pass(200_000)
    expect([connection.peer.frames, connection.log]).toEqual([[], ['open']])
    await end(connection)
  })

  it('[A10] sends an empty Ping after every interval of silence, as long as it is answered [6455:7.1.7-08] [6455:7.2.1-03]', async () => {
    const connection = await opened(role, { heartbeat: { interval: 10_000, timeout: 10_000 } })
    const { peer, log } = connection
    for (let i = 0; i < 5; i++) {
      await pass(9_999)
      expect(peer.news).toEqual([])
      await pass(1)
      expect(peer.news).toEqual(['ping'])
      peer.send(PONG)
    }
    expect(log).toEqual(['open', ...Array<string>(5).fill('pong')])
    await end(connection)
  })

  it.each([
    ['a Pong', (peer: Opened['peer']) => peer.send(PONG)],
    ['a Pong of its own', (peer: Opened['peer']) => peer.send(PONG, 'unasked')],
    ['a Ping', (peer: Opened['peer']) => peer.send(PING)],
    ['a message', (peer: Opened['peer']) => peer.send(TEXT, 'x')],
    [
      'a piece of a frame',
      (peer: Opened['peer']) => peer.write(received(role, BINARY, Buffer.alloc(9)).subarray(0, 1)),
    ],
  ])('takes %s for a sign of life, until the last moment', async (_, sign) => {
    const connection = await opened(role, { heartbeat: { interval: 10_000, timeout: 10_000 } })
    await pass(19_999)
    sign(connection.peer)
    await pass(9_000)
    expect(connection.ws.readyState).toBe(1)
    await pass(11_500)
    expect(connection.log.at(-1)).toBe('close 1006 unclean timeout (ERR_WS_HEARTBEAT_TIMEOUT)')
    expectGone(connection)
  })

  it('does not take its own messages for one', async () => {
    const connection = await opened(role, { heartbeat: { interval: 10_000, timeout: 10_000 } })
    for (let i = 0; i < 20; i++) {
      connection.ws.send('x')
      await pass(1000)
    }
    expect(connection.log).toEqual([
      'open',
      'error ERR_WS_HEARTBEAT_TIMEOUT',
      'close 1006 unclean timeout (ERR_WS_HEARTBEAT_TIMEOUT)',
    ])
    expectGone(connection)
  })

  it('does not declare a peer dead that takes what was sent before the Ping', async () => {
    const connection = await opened(role, { heartbeat: { interval: 30_000, timeout: 10_000 } })
    const { ws, peer } = connection
    peer.stopReading()
    for (const text of ['first', 'second']) {
      ws.send(text)
      await turn()
    }
    // The Ping leaves behind `second`.
    await pass(30_000 + TICK)
    await pass(9000)
    peer.readOnce()
    await pass(10_000)
    expect(ws.readyState).toBe(1)
    // Nothing more is taken.
    await pass(10_000)
    expect(connection.log.at(-1)).toBe('close 1006 unclean timeout (ERR_WS_HEARTBEAT_TIMEOUT)')
    expectGone(connection)
  })

  it('does not take for a sign of life what the system takes for a peer that is silent', async () => {
    const connection = await opened(role, { heartbeat: { interval: 30_000, timeout: 10_000 } })
    const { ws, peer } = connection
    peer.stopReading()
    ws.send('waits')
    await pass(30_000 + TICK)
    peer.goOnReading()
    peer.send(PONG, '')
    await pass(30_000 + TICK)
    for (let seconds = 0; seconds < 11; seconds++) {
      ws.send('into the void')
      await pass(1000)
    }
    expect(connection.log.at(-1)).toBe('close 1006 unclean timeout (ERR_WS_HEARTBEAT_TIMEOUT)')
    expectGone(connection)
  })

  it('does not declare a peer dead that it does not listen to', async () => {
    const options = { heartbeat: { interval: 10_000, timeout: 10_000 }, idleTimeout: 40_000, frameTimeout: 10_000 }
    const connection = await opened(role, options)
    const { ws, peer } = connection
    peer.write(received(role, TEXT, 'half').subarray(0, -1))
    await turn()
    ws.pause()
    await pass(200_000)
    // Pings go out all the same: a peer that has gone would answer with a reset.
    expect([ws.readyState, new Set(peer.frames), peer.frames.length]).toEqual([1, new Set(['ping']), 20])
    ws.resume()
    await pass(9_000)
    expect(ws.readyState).toBe(1)
    await end(connection)
  })

  it('does not count a time in which the process stood still', async () => {
    const options = { heartbeat: { interval: 10_000, timeout: 10_000 }, idleTimeout: 60_000, closeTimeout: 10_000 }
    const connection = await opened(role, options)
    const { ws, peer } = connection
    await pass(10_000)
    expect(peer.news).toEqual(['ping'])
    await stall(3_600_000)
    expect(ws.readyState).toBe(1)
    peer.send(PONG)
    await stall(3_600_000)
    expect([ws.readyState, peer.news]).toEqual([1, []])
    await end(connection)
  })

  it('closes what neither side uses, after idleTimeout', async () => {
    const connection = await opened(role, { idleTimeout: 10_000, heartbeat: false })
    const { ws, peer } = connection
    await pass(5_000)
    peer.send(TEXT, 'in')
    await pass(9_000)
    ws.send('out')
    await pass(9_000)
    ws.send(Buffer.alloc(1))
    await pass(9_000)
    ws.sendPrepared(encoded([Buffer.from(received(role === 'client' ? 'server' : 'client', TEXT, 'encoded'))]))
    await turn()
    expect(peer.frames).toEqual(['text out', 'binary 00', 'text encoded'])
    // None of these is a message.
    for (let i = 0; i < 9; i++) {
      peer.send(PONG)
      peer.send(PING)
      ws.ping()
      ws.pong()
      await pass(1000)
    }
    expect(ws.readyState).toBe(1)
    await pass(1500)
    expect(peer.frames.at(-1)).toBe('close 1001 idle')
    peer.send(CLOSE, Buffer.from([0x03, 0xe9]))
    await turn()
    peer.end()
    await turn()
    expect(connection.log.at(-1)).toBe('close 1001 clean timeout')
    expectGone(connection)
  })

  it.each([
    ['in a header', 1],
    ['in a payload', -1],
  ])('fails a peer that stops %s', async (_, cut) => {
    const connection = await opened(role, { frameTimeout: 10_000 })
    const { ws, peer } = connection
    const bytes = received(role, BINARY, Buffer.alloc(3000))
    peer.write(bytes.subarray(0, cut))
    await pass(10_000 - TICK)
    expect(ws.readyState).toBe(1)
    await pass(2 * TICK)
    expect(peer.frames).toEqual(['close 1008'])
    await end(connection)
  })

  it('[V06] [V19] [A02] fails a peer that drips, and keeps one that is only slow', async () => {
    for (const [octets, state] of [
      [100, 3],
      [600, 1],
    ] as const) {
      const connection = await opened(role, { frameTimeout: 10_000 })
      const { ws, peer } = connection
      const bytes = received(role, BINARY, Buffer.alloc(60_000))
      for (let at = 0; at < 20 * octets; at += octets) {
        if (!peer.destroyed) peer.write(bytes.subarray(at, at + octets))
        await pass(4_500)
      }
      expect({ octets, state: ws.readyState }).toEqual({ octets, state })
      await end(connection)
    }
  })

  it('[A02] keeps a slow message whose frames end in time', async () => {
    const connection = await opened(role, { frameTimeout: 10_000 })
    connection.peer.send(0x01, 'a')
    for (let i = 0; i < 10; i++) {
      await pass(9_000)
      connection.peer.send(0x00, 'b')
    }
    connection.peer.send(0x80, 'c')
    expect(connection.log).toEqual(['open', 'text abbbbbbbbbbc'])
    await end(connection)
  })
})

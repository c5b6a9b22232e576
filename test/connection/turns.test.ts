/** Whose turn it is to be read (threat A05): a peer that always has more for us to read is not the only one. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import { hasToWait } from '../../src/connection/turns.ts'
import { turn } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, ROLES, TEXT, expectGone, opened } from '../support/connection.ts'
import { socketPair } from '../support/sockets.ts'
import { received } from '../support/wire.ts'

const READ = 65_536
/** Milliseconds. */
const SHARE = 5

let now = 0

beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  return async () => {
    vi.restoreAllMocks()
    await turn()
  }
})

describe('hasToWait', () => {
  it('is true when full reads have taken 5 ms of a turn, as long as that lasts', async () => {
    for (let i = 0; i < 3; i++) {
      const waits = [0, 4.9, 0.1, 0].map((milliseconds) => {
        now += milliseconds
        return hasToWait(READ, READ)
      })
      expect(waits).toEqual([false, false, true, true])
      await turn(1)
    }
  })

  it('is false for what has emptied its socket, and does not even look at the clock', () => {
    hasToWait(READ, READ)
    now += SHARE
    vi.mocked(performance.now).mockClear()
    expect([hasToWait(READ - 1, READ), hasToWait(0, READ), hasToWait(16_383, 16_383)]).toEqual([false, false, false])
    expect(performance.now).not.toHaveBeenCalled()
    expect([hasToWait(READ, READ), hasToWait(16_384, 16_384)]).toEqual([true, true])
  })
})

describe.each(ROLES)('A %s that is flooded', (role) => {
  /** Small frames, of which as many as fill a read are a little more than one. */
  const frame = received(role, BINARY, 'x')
  const perRead = Math.ceil(READ / frame.length)
  const flood = Buffer.alloc(perRead * frame.length, frame)

  it('[A05] waits for the next turn, reading nothing, and loses nothing', async () => {
    let count = 0
    const connection = await opened(role, { onlyHandler: { message: () => void count++ } })
    const { ws, peer } = connection
    for (let i = 1; i <= 3; i++) {
      peer.write(flood)
      expect([count, peer.transport.isPaused()]).toEqual([(2 * i - 1) * perRead, false])
      now += SHARE
      peer.write(flood)
      expect([count, peer.transport.isPaused()]).toEqual([2 * i * perRead, true])
      // What comes by then waits too.
      peer.write(received(role, PING, 'waits'))
      expect(peer.frames).toHaveLength(i - 1)
      await turn()
      expect([peer.frames.length, peer.transport.isPaused()]).toEqual([i, false])
    }
    ws.terminate()
    await turn()
  })

  it('[A05] hears the end that comes while it waits', async () => {
    const connection = await opened(role)
    const { peer, log } = connection
    const large = received(role, BINARY, Buffer.alloc(READ))
    peer.write(large)
    now += SHARE
    peer.write(large)
    peer.write(received(role, TEXT, 'last'), received(role, CLOSE, NORMAL))
    peer.end()
    expect(log).toHaveLength(3)
    await turn()
    expect(log.slice(3)).toEqual(['text last', 'close 1000 clean peer'])
    expectGone(connection)
  })

  it('[A05] reads no more in a turn over TCP than two reads bring', async () => {
    const { near, far } = await socketPair()
    let count = 0
    const perTurn: number[] = []
    const ws = new Connection(near, connectionSettings(role, {}), { message: () => void count++ }, undefined, '')
    far.write(Buffer.concat(Array.from({ length: 16 }, () => flood)))
    await turn(10)
    vi.mocked(performance.now).mockImplementation(() => (now += SHARE))
    ws.start('', Buffer.alloc(0))
    for (let i = 0; i < 500; i++) {
      const before = count
      await turn(1)
      perTurn.push(count - before)
    }
    expect(count).toBe(16 * perRead)
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(2 * perRead)
    ws.terminate()
    far.destroy()
    await turn()
  })

  it.each(['terminate', 'close'] as const)('may %s meanwhile', async (act) => {
    const connection = await opened(role, { handler: { message: (ws) => void ws[act]() } })
    const large = received(role, BINARY, Buffer.alloc(READ))
    hasToWait(READ, READ)
    now += SHARE
    connection.peer.write(large, received(role, CLOSE, NORMAL))
    await turn()
    if (!connection.peer.destroyed) connection.peer.end()
    await turn()
    expectGone(connection)
  })

  it('waits as long as the application wants it to, if that is longer', async () => {
    const { ws, peer } = await opened(role, { handler: { message: (connection) => connection.pause() } })
    hasToWait(READ, READ)
    now += SHARE
    peer.write(received(role, BINARY, Buffer.alloc(READ)))
    await turn()
    expect(peer.transport.isPaused()).toBe(true)
    ws.resume()
    await turn()
    expect(peer.transport.isPaused()).toBe(false)
    ws.terminate()
    await turn()
  })
})

/**
 * Peers that take their time, say what nobody asked for, or send compressed nonsense: what is kept of them is bounded.
 *
 * `DRIPPERS=2000 npx vitest run test/fault/patience.test.ts` has that many handshakes drip, until the deadline by default.
 */
import { randomFillSync } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { turn } from '../support/clock.ts'
import { opened, PONG, ROLES } from '../support/connection.ts'
import { handshake } from '../support/heads.ts'
import { received } from '../support/wire.ts'
import { start } from '../server/support.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const { DRIPPERS } = process.env

describe.each(ROLES)('A %s', (role) => {
  it('[A07] makes a message of anything behind RSV1, or fails the connection', async () => {
    const ends = new Set<string>()
    for (let size = 0; size < 400; size++) {
      const extensions = 'permessage-deflate'
      const { ws, peer, log } = await opened(role, { perMessageDeflate: true, extensions, heartbeat: false })
      const octets = randomFillSync(Buffer.alloc(size))
      peer.write(received(role, 0xc2, octets))
      await turn(4)
      if (ws.readyState === 1) expect(log[1]).toMatch(/^binary/)
      else ends.add(peer.frames.at(-1)?.split(' ').slice(0, 2).join(' ') ?? '')
      ws.terminate()
      await turn()
      expect([octets.toString('hex'), ws.readyState]).toEqual([octets.toString('hex'), 3])
    }
    expect([...ends].every((end) => ['close 1002', 'close 1007', 'close 1009'].includes(end))).toBe(true)
    expect(ends.size).toBeGreaterThan(0)
  })

  it('[A03] [A04] forgets Pongs nobody asked for, also amid a message, and goes on', async () => {
    let pongs = 0
    const onlyHandler = { pong: () => pongs++, message: () => {} }
    const { ws, peer } = await opened(role, { onlyHandler, heartbeat: false })
    peer.write(received(role, 0x01, 'begun'))
    const many = Buffer.concat(Array.from({ length: 1000 }, () => received(role, PONG, Buffer.alloc(125))))
    collect()
    const before = process.memoryUsage().arrayBuffers
    for (let round = 0; round < 100; round++) {
      peer.write(Buffer.from(many))
      await turn(1)
    }
    await turn()
    expect([pongs, ws.readyState, ws.bufferedAmount, peer.frames]).toEqual([100_000, 1, 0, []])
    // They were 13 MB. What was collected is counted off a little later.
    await vi.waitFor(() => {
      collect()
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
    })
    ws.terminate()
    await turn()
  })
})

describe('A server', () => {
  it(
    '[A01] opens for whoever is honest while handshakes drip, and ends those at the deadline',
    { timeout: 60_000 },
    async () => {
      const { dial, open, server } = await start({
        maxPendingHandshakes: Infinity,
        ...(DRIPPERS === undefined && { handshakeTimeout: 1500 }),
      })
      const slow = await Promise.all(Array.from({ length: Number(DRIPPERS ?? 300) }, () => dial()))
      const text = Buffer.from(handshake())
      let at = 0
      const dripping = setInterval(() => {
        for (const client of slow) if (!client.ended) client.write(text.subarray(at, at + 1))
        at++
      }, 100)
      for (let n = 0; n < 20; n++) await open()
      await Promise.all(slow.map(async (client) => expect((await client.readHead()).status).toBe(408)))
      clearInterval(dripping)
      expect(server.connections.size).toBe(20)
    },
  )
})

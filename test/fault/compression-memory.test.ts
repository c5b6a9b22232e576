/**
 * What compressed messages can make a process keep (threats V22, V29): bombs on many connections at once, and very many
 * messages side by side. Servers and clients run in processes of their own.
 *
 * `BOMBS=1000 npx vitest run test/fault/compression-memory.test.ts` sends the largest of them to fifty times as many.
 */
import { describe, expect, it } from 'vitest'
import { BINARY } from '../support/connection.ts'
import { deflated, noise } from '../support/deflate.ts'
import { ROLES, received } from '../support/wire.ts'
import { KiB, MiB, Victim } from './support/victim.ts'

const BY_ITSELF = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
const COMPRESSED = BINARY | 0x40
/** Messages that are inflated side by side at most, and what each of them may have: twice, while it is put together. */
const JOBS = 4

/** What becomes so many MiB of zeros. */
function bomb(size: number): Buffer {
  const flushed = Buffer.concat([deflated(Buffer.alloc(MiB)), Buffer.from([0, 0, 255, 255])])
  return Buffer.alloc(size * flushed.length, flushed).subarray(0, -4)
}

describe.each(ROLES)('A %s that inflates', (role) => {
  it.each([false, true])(
    '[V22] keeps no more of bombs than of messages that it takes (in parts: %s)',
    { timeout: 60_000 },
    async (inParts) => {
      const count = Number(process.env['BOMBS'] ?? 20)
      const options = { perMessageDeflate: true, maxMessageSize: MiB, extensions: BY_ITSELF, inParts }
      const victim = await Victim.start(role, options)
      // As much at once as may be, so that what is measured is what bombs take beyond that.
      const honest = received(role, COMPRESSED, bomb(1))
      const warm = await victim.open(20)
      for (let i = 0; i < 3; i++) await victim.send(warm, honest)
      await expect.poll(async () => (await victim.report()).messages, { timeout: 20_000 }).toBe(60)
      const sockets = await victim.open(count)
      const before = await victim.report()
      const bombs = [10, 100, 1000].map((size) => received(role, COMPRESSED, bomb(size)))
      for (const [i, socket] of sockets.entries()) socket.write(bombs[i % bombs.length])
      const failed = { ERR_WS_MESSAGE_TOO_BIG: count }
      await expect.poll(async () => (await victim.report()).errors, { timeout: 50_000, interval: 20 }).toEqual(failed)
      const after = await victim.report()
      expect(after.messages).toBe(60)
      expect(after.most - before.rss).toBeLessThan(JOBS * 2 * MiB + count * 64 * KiB + 20 * MiB)
      // What those were inflated with is kept no longer than the connections are.
      await expect.poll(async () => (await victim.report()).open, { timeout: 20_000, interval: 100 }).toBe(20)
      expect((await victim.report()).used - before.used).toBeLessThan(MiB)
    },
  )

  it('[V29] uses again what 150,000 messages of 1,000 peers took side by side', { timeout: 60_000 }, async () => {
    const victim = await Victim.start(role, { perMessageDeflate: true, extensions: BY_ITSELF })
    const small = received(role, COMPRESSED, deflated(Buffer.alloc(2000, 'ab')))
    // Too large to be inflated at once, and so is that which becomes large.
    const large = received(role, COMPRESSED, deflated(noise(40_000)))
    const swelling = received(role, COMPRESSED, deflated(Buffer.alloc(300_000, 'ab')))
    const batch = Buffer.concat([Buffer.alloc(48 * small.length, small), large, swelling])
    const sockets = await victim.open(1000)
    const sendAll = async (messages: number): Promise<void> => {
      for (const socket of sockets) socket.write(batch)
      const told = async (): Promise<number> => (await victim.report()).messages
      await expect.poll(told, { timeout: 50_000, interval: 200 }).toBe(messages)
    }
    const before = await victim.report()
    await sendAll(50_000)
    const first = await victim.report()
    await sendAll(100_000)
    await sendAll(150_000)
    const last = await victim.report()
    expect(last).toMatchObject({ open: 1000, closes: {}, errors: {} })
    expect(last.used - before.used).toBeLessThan(2 * KiB * 1000)
    // While they wait for their turn, each may have a message in memory, and the rest of one read.
    expect(first.most - before.rss).toBeLessThan(1000 * (batch.length + 64 * KiB) + 20 * MiB)
    // What zlib and its results have left is used again: twice as many more would take twice as much, if it were not.
    expect(last.rss - first.rss).toBeLessThan((first.rss - before.rss) / 2)
  })
})

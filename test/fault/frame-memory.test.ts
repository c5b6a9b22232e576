/**
 * What a peer can make us keep with few octets (threats V01, V02, V04, V07, V14, V17): many pieces, or a promise of much.
 * Memory is bounded by the octets that came, whatever they came in. Servers and clients run in processes of their own,
 * and their memory is looked at every few milliseconds meanwhile.
 */
import { describe, expect, it } from 'vitest'
import type { Role } from '../../src/framing/rules.ts'
import { BINARY, PING } from '../support/connection.ts'
import { ROLES, received, script } from '../support/wire.ts'
import { KiB, MiB, Victim } from './support/victim.ts'

const BEGIN = 0x02
const CONTINUE = 0x00
const DEFAULT_FRAGMENTS = 131_072
const LIMITS: Readonly<Record<Role, number>> = { server: MiB, client: 16 * MiB }

/** `count` fragments of one octet each, of a message that does not end. */
function fragments(role: Role, count: number): Buffer {
  const one = received(role, CONTINUE, 'x')
  return Buffer.concat([received(role, BEGIN, 'x'), Buffer.alloc(one.length * (count - 1), one)])
}

/** So that what a process has grown by does not count what it takes to begin. */
async function warmUp(victim: Victim, role: Role): Promise<void> {
  const sockets = await victim.open(10)
  const message = Buffer.concat([fragments(role, 30_000), received(role, 0x80)])
  await victim.send(sockets, Buffer.concat([message, received(role, BINARY, Buffer.alloc(60_000)), message]))
}

describe.each(ROLES)('The memory of a %s', (role) => {
  it('[V01] [V04] keeps octets, not objects, of a million fragments of one octet', { timeout: 60_000 }, async () => {
    const victim = await Victim.start(role, { maxMessageSize: MiB, maxFragments: 2_000_000 })
    await warmUp(victim, role)
    const sockets = await victim.open(1)
    const before = await victim.report()
    await victim.send(sockets, fragments(role, 1_000_000))
    const after = await victim.report()
    expect(after.open).toBe(before.open)
    expect(after.used - before.used).toBeLessThan(MiB + 64 * KiB)
    expect(after.most - before.rss).toBeLessThan(2 * MiB)
  })

  it(
    '[V02] [V04] is that of their octets with 200 peers who stop one short of the last fragment',
    { timeout: 60_000 },
    async () => {
      const victim = await Victim.start(role)
      await warmUp(victim, role)
      const sockets = await victim.open(200)
      const before = await victim.report()
      await victim.send(sockets, fragments(role, DEFAULT_FRAGMENTS - 1))
      const after = await victim.report()
      expect(after).toMatchObject({ open: before.open, closes: {} })
      expect(after.most - before.rss).toBeLessThan(200 * (DEFAULT_FRAGMENTS - 1) + 20 * MiB)
      // One more is taken, and the next is too many.
      const last = received(role, CONTINUE, 'x')
      await victim.send(sockets.slice(0, 10), last)
      expect(await victim.report()).toMatchObject({ open: before.open, closes: {} })
      await victim.send(sockets.slice(0, 10), last)
      for (const socket of sockets.slice(0, 10)) socket.destroy()
      await expect
        .poll(() => victim.report())
        .toMatchObject({
          open: before.open - 10,
          errors: { ERR_WS_TOO_MANY_FRAGMENTS: 10 },
        })
    },
  )

  it(
    '[V14] reserves nothing for what 1,000 peers announce, up to the most that they may',
    { timeout: 60_000 },
    async () => {
      const victim = await Victim.start(role)
      await warmUp(victim, role)
      const sockets = await victim.open(1000)
      const before = await victim.report()
      // The header, and one octet of it.
      const announced = received(role, BINARY, 'x', { declared: BigInt(LIMITS[role]) })
      await victim.send(sockets, announced)
      const after = await victim.report()
      expect(after).toMatchObject({ open: before.open, closes: {} })
      expect(after.most - before.rss).toBeLessThan(20 * MiB)
      expect(after.used - before.used).toBeLessThan(4 * KiB * 1000)
    },
  )

  it('[V17] pins no read for the sake of the few octets of it that are kept', { timeout: 120_000 }, async () => {
    const count = Number(process.env['IDLE_PEERS'] ?? 2000)
    const victim = await Victim.start(role)
    await warmUp(victim, role)
    const sockets = await victim.open(count)
    const before = await victim.report()
    // A read that is full, with a Ping in it, and the next header cut in its key.
    const bytes = script(role, [
      [BINARY, Buffer.alloc(64 * KiB - 300)],
      [PING, Buffer.alloc(125, 'p')],
    ])
    const cut = Buffer.concat([bytes, received(role, BINARY, 'xyz').subarray(0, role === 'server' ? 4 : 1)])
    for (let i = 0; i < count; i += 100) await victim.send(sockets.slice(i, i + 100), cut)
    const after = await victim.report()
    expect(after).toMatchObject({ open: before.open, closes: {} })
    expect(after.used - before.used).toBeLessThan(2 * KiB * count)
    expect(after.most - before.rss).toBeLessThan(20 * MiB + 2 * KiB * count)
  })

  it('[V07] keeps the octets of a frame, not the chunks in which they come', { timeout: 60_000 }, async () => {
    const victim = await Victim.start(role)
    await warmUp(victim, role)
    const [socket] = await victim.open(1)
    const before = await victim.report()
    const bytes = received(role, BINARY, Buffer.alloc(MiB, 'x'))
    // What is written as fast as it can be comes together; in between it is waited for, so that it comes in pieces.
    const size = Math.ceil(bytes.length / 2000)
    for (let at = 0; at < bytes.length - 1; at += size) {
      await new Promise(
        (resolve) => void socket.write(bytes.subarray(at, Math.min(at + size, bytes.length - 1)), resolve),
      )
    }
    await expect.poll(async () => (await victim.report()).read).toBe(before.read + bytes.length - 1)
    const after = await victim.report()
    expect(after.messages).toBe(before.messages)
    expect(after.used - before.used).toBeLessThan(MiB + 64 * KiB)
    expect(after.most - before.rss).toBeLessThan(3 * MiB)
  })
})

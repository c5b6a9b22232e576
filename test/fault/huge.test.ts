/**
 * Messages that would not fit into the memory that a process may have here; `npm run huge` does the same with 4 GiB.
 */
import { describe, expect, it } from 'vitest'
import { pass, senders, ways } from '../../scripts/huge.ts'

const MiB = 1_048_576
/** What a process has before, and some of what a message is. */
const SIZE = 192 * MiB
const MOST = 200 * MiB

describe.each(ways)('192 MiB by %s', (way) => {
  it.each(senders)('from the %s leave both ends small, and every octet arrives', { timeout: 60_000 }, async (from) => {
    const { sender, receiver } = await pass(way, from, SIZE, 50)
    expect([receiver.octets, receiver.intact]).toEqual([SIZE, true])
    // If one of them kept it all, this is what it would have.
    expect(Math.min(sender.before, receiver.before) + SIZE).toBeGreaterThan(MOST)
    expect(Math.max(sender.most, receiver.most)).toBeLessThan(MOST)
  })
})

import { describe, expect, it } from 'vitest'
import { WireLog } from '../../src/conformance/log.ts'

describe('WireLog', () => {
  it('keeps who, what, and the first 256 octets', () => {
    const log = new WireLog()
    log.add('peer', 'frame', Buffer.alloc(300, 1), 70_000)
    log.add('tester', 'head', Buffer.alloc(3000, 2))
    log.tell('tester', 'note', 'that was long')
    const entries = log.entries.map(({ from, kind, octets, length, text }) => [from, kind, octets.length, length, text])
    expect(entries).toEqual([
      ['peer', 'frame', 256, 70_000, undefined],
      ['tester', 'head', 2048, 3000, undefined],
      ['tester', 'note', 0, 0, 'that was long'],
    ])
  })

  it('copies what it keeps', () => {
    const log = new WireLog()
    const octets = Buffer.from('abc')
    log.add('peer', 'octets', octets)
    octets.fill(0)
    expect(log.entries[0].octets.toString()).toBe('abc')
  })

  it('tells the time since the connection began', () => {
    const log = new WireLog()
    log.tell('peer', 'end', 'over')
    expect(log.entries[0].at).toBeGreaterThanOrEqual(0)
    expect(log.elapsed).toBeGreaterThanOrEqual(log.entries[0].at)
  })

  it.each([60, 61, 2100, 10_000])('keeps the beginning and the end of %d entries', (count) => {
    const log = new WireLog()
    for (let i = 0; i < count; i++) log.tell('peer', 'note', String(i))
    const texts = log.entries.map(({ text }) => text)
    const range = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, at) => String(from + at))
    const gap = count === 60 ? [] : [`${count - 60} entries are left out here`]
    expect(texts).toEqual([...range(0, 40), ...gap, ...range(count - 20, count)])
  })
})

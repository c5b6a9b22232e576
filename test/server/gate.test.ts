import { describe, expect, it, vi } from 'vitest'
import { Gate } from '../../src/server/gate.ts'
import type { Peer } from '../../src/server/peer.ts'

describe('Gate', () => {
  it('lets as many in as may be in at once, and again as many as have left', () => {
    const gate = new Gate(2, Infinity)
    expect([gate.enter('a'), gate.enter('b'), gate.enter('c')]).toEqual([true, true, false])
    gate.leave('a')
    expect([gate.enter('c'), gate.enter('d')]).toEqual([true, false])
  })

  it('lets as many in from one address as may be in from there, whoever else is in', () => {
    const gate = new Gate(Infinity, 2)
    expect([gate.enter('a'), gate.enter('a'), gate.enter('a'), gate.enter('b')]).toEqual([true, true, false, true])
    gate.leave('a')
    gate.leave('b')
    expect([gate.enter('a'), gate.enter('a')]).toEqual([true, false])
    gate.leave('a')
    gate.leave('a')
    expect([gate.enter('a'), gate.enter('a'), gate.enter('a')]).toEqual([true, true, false])
  })

  it('does not count those together who have no address', () => {
    const gate = new Gate(3, 1)
    expect([gate.enter(''), gate.enter(''), gate.enter(''), gate.enter('')]).toEqual([true, true, true, false])
  })

  it('asks for an address only where addresses are counted', () => {
    const peer = { address: '192.0.2.1' } as Peer
    expect(new Gate(9, 2).nameOf(peer)).toBe('192.0.2.1')
    expect(new Gate(9, Infinity).nameOf(peer)).toBe('')
  })

  it('forgets an address that nobody is in from any more, so that it does not grow with all that ever came', () => {
    const set = vi.spyOn(Map.prototype, 'set')
    const gate = new Gate(Infinity, 2)
    for (const address of ['a', 'b', 'a']) gate.enter(address)
    const [byAddress] = set.mock.contexts as Array<Map<string, number>>
    set.mockRestore()
    gate.leave('a')
    expect([...byAddress]).toEqual([
      ['a', 1],
      ['b', 1],
    ])
    gate.leave('a')
    gate.leave('b')
    expect([...byAddress]).toEqual([])
  })

  it('takes an address for nothing but a name', () => {
    const gate = new Gate(Infinity, 1)
    expect([gate.enter('__proto__'), gate.enter('__proto__'), gate.enter('constructor')]).toEqual([true, false, true])
  })

  it('lets nobody in with room for none, or when it is closed', () => {
    expect(new Gate(0, Infinity).enter('a')).toBe(false)
    expect(new Gate(Infinity, 0).enter('a')).toBe(false)
    const gate = new Gate(Infinity, Infinity)
    gate.closed = true
    expect(gate.enter('a')).toBe(false)
  })
})

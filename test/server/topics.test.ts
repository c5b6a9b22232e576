import { describe, expect, it } from 'vitest'
import { PreparedMessage } from '../../src/connection/index.ts'
import { Topics, sendToAll } from '../../src/server/topics.ts'
import type { Subscriber } from '../../src/server/topics.ts'
import { OBJECT_NAMES } from '../support/heads.ts'

class Member implements Subscriber {
  readyState = 1
  readonly received: PreparedMessage[] = []
  onMessage: () => void = () => {}

  sendPrepared(message: PreparedMessage): boolean {
    this.received.push(message)
    this.onMessage()
    return false
  }
}

describe('Topics', () => {
  it('knows who has subscribed to what, however often they did', () => {
    const topics = new Topics<Member>()
    const [a, b] = [new Member(), new Member()]
    topics.add('x', a)
    topics.add('x', b)
    topics.add('x', a)
    topics.add('y', b)
    expect([...(topics.subscribers('x') ?? [])]).toEqual([a, b])
    topics.delete('x', b)
    topics.delete('x', b)
    expect([...(topics.subscribers('x') ?? [])]).toEqual([a])
    expect([...(topics.subscribers('y') ?? [])]).toEqual([b])
  })

  it('forgets a topic that nobody subscribes to any more', () => {
    const topics = new Topics<Member>()
    const member = new Member()
    topics.add('x', member)
    topics.delete('x', member)
    expect(topics.subscribers('x')).toBeUndefined()
    topics.delete('x', member)
    expect(topics.subscribers('x')).toBeUndefined()
  })

  it.each(OBJECT_NAMES)('knows nothing of a topic named %s before somebody subscribes', (name) => {
    const topics = new Topics<Member>()
    const member = new Member()
    expect(topics.subscribers(name)).toBeUndefined()
    topics.delete(name, member)
    topics.add(name, member)
    expect([...(topics.subscribers(name) ?? [])]).toEqual([member])
  })
})

describe('sendToAll', () => {
  const message = new PreparedMessage('a', undefined, Infinity)

  it('sends the same message to all but one, and answers to how many', () => {
    const [a, b, c] = [new Member(), new Member(), new Member()]
    expect(sendToAll([a, b, c], message, b)).toBe(2)
    expect([a, b, c].map(({ received }) => received.length)).toEqual([1, 0, 1])
    expect(a.received[0]).toBe(message)
    expect(c.received[0]).toBe(message)
    expect(sendToAll([], message)).toBe(0)
  })

  it('passes over those who are closing or closed', () => {
    const members = [1, 2, 3].map((readyState) => Object.assign(new Member(), { readyState }))
    expect(sendToAll(members, message)).toBe(1)
    expect(members.map(({ received }) => received.length)).toEqual([1, 0, 0])
  })

  it('goes on when one leaves, or ends, in the middle', () => {
    const [a, b, c] = [new Member(), new Member(), new Member()]
    const all = new Set([a, b, c])
    a.onMessage = () => {
      all.delete(a)
      all.delete(b)
      c.readyState = 2
    }
    expect(sendToAll(all, message)).toBe(1)
    expect([a, b, c].map(({ received }) => received.length)).toEqual([1, 0, 0])
  })
})

import { describe, expect, it } from 'vitest'
import { Topics, encodeMessage, sendToAll } from '../../src/server/topics.ts'
import type { Subscriber } from '../../src/server/topics.ts'
import { OBJECT_NAMES } from '../support/heads.ts'
import { frame } from '../support/wire.ts'

class Member implements Subscriber {
  readyState = 1
  readonly received: Array<readonly Buffer[]> = []
  onFrames: () => void = () => {}

  sendEncoded(frames: readonly Buffer[]): boolean {
    this.received.push(frames)
    this.onFrames()
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

describe('encodeMessage', () => {
  it.each<[what: string, data: string | ArrayBufferView | ArrayBuffer, options: object | undefined, frames: Buffer]>([
    ['text', 'Hällo', undefined, frame(0x81, 'Hällo')],
    ['an empty text', '', undefined, frame(0x81)],
    ['octets', Buffer.from([1, 2]), undefined, frame(0x82, Buffer.from([1, 2]))],
    ['a view', new Uint16Array([0x0201]).subarray(0), undefined, frame(0x82, Buffer.from([1, 2]))],
    ['an ArrayBuffer', new Uint8Array([1, 2]).buffer, undefined, frame(0x82, Buffer.from([1, 2]))],
    ['a string as binary', 'a', { binary: true }, frame(0x82, 'a')],
    ['octets as text', Buffer.from('a'), { binary: false }, frame(0x81, 'a')],
    ['much text', 'x'.repeat(70_000), undefined, frame(0x81, 'x'.repeat(70_000))],
    ['many octets', Buffer.alloc(70_000, 1), undefined, frame(0x82, Buffer.alloc(70_000, 1))],
    ['fragments', 'abcde', { fragmentSize: 2 }, Buffer.concat([frame(0x01, 'ab'), frame(0, 'cd'), frame(0x80, 'e')])],
  ])('makes unmasked frames of %s', (_what, data, options, frames) => {
    expect(Buffer.concat(encodeMessage(data, options, Infinity))).toEqual(frames)
  })

  it('fragments by the size that is the handler’s, or that of the message', () => {
    const sizes = (frames: readonly Buffer[]): number[] => frames.map(({ length }) => length - 2)
    expect(sizes(encodeMessage('abcde', undefined, 4))).toEqual([4, 1])
    expect(sizes(encodeMessage('abcde', { fragmentSize: 3 }, 4))).toEqual([3, 2])
    expect(sizes(encodeMessage('abcde', { fragmentSize: Infinity }, 4))).toEqual([5])
  })

  it.each<[unknown, object | undefined]>([
    [1, undefined],
    [null, undefined],
    [undefined, undefined],
    [{}, undefined],
    [Buffer.from([0xff]), { binary: false }],
    ['a', { fragmentSize: '1' }],
  ])('throws a TypeError for %o with %o', (data, options) => {
    expect(() => encodeMessage(data as string, options, Infinity)).toThrow(TypeError)
  })

  it.each([0, -1, 1.5, Number.NaN])('throws a RangeError for a fragmentSize of %d', (fragmentSize) => {
    expect(() => encodeMessage('a', { fragmentSize }, Infinity)).toThrow(RangeError)
  })
})

describe('sendToAll', () => {
  const frames = [frame(0x81, 'a')]

  it('sends the same frames to all but one, and answers to how many', () => {
    const [a, b, c] = [new Member(), new Member(), new Member()]
    expect(sendToAll([a, b, c], frames, b)).toBe(2)
    expect([a, b, c].map(({ received }) => received.length)).toEqual([1, 0, 1])
    expect(a.received[0]).toBe(frames)
    expect(c.received[0]).toBe(frames)
    expect(sendToAll([], frames)).toBe(0)
  })

  it('passes over those who are closing or closed', () => {
    const members = [1, 2, 3].map((readyState) => Object.assign(new Member(), { readyState }))
    expect(sendToAll(members, frames)).toBe(1)
    expect(members.map(({ received }) => received.length)).toEqual([1, 0, 0])
  })

  it('goes on when one leaves, or ends, in the middle', () => {
    const [a, b, c] = [new Member(), new Member(), new Member()]
    const all = new Set([a, b, c])
    a.onFrames = () => {
      all.delete(a)
      all.delete(b)
      c.readyState = 2
    }
    expect(sendToAll(all, frames)).toBe(1)
    expect([a, b, c].map(({ received }) => received.length)).toEqual([1, 0, 0])
  })
})

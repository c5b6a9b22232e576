import { describe, expect, it } from 'vitest'
import { event, fragments, frame, hex, octets, repeat, wantEcho } from '../../../src/conformance/cases/build.ts'
import { Unexpected } from '../../../src/conformance/index.ts'
import { CLOSE_1000, playing } from '../stage.ts'

describe('fragments', () => {
  const shape = (size: number, of: number): string[] =>
    fragments('text', Buffer.alloc(of), size).map(({ opcode, fin, payload }) => `${opcode} ${fin} ${payload?.length}`)

  it('cuts a message, and ends it with an empty fragment behind an exact multiple', () => {
    expect(shape(2, 5)).toEqual(['1 false 2', '0 false 2', '0 true 1'])
    expect(shape(2, 4)).toEqual(['1 false 2', '0 false 2', '0 true 0'])
    expect(shape(2, 0)).toEqual(['1 true 0'])
  })
})

describe('the words of cases', () => {
  it('are frames', () => {
    expect(frame.rsv(7, frame.more(frame.close(1000, 'x')))).toEqual({
      opcode: 8,
      payload: Buffer.from('03e878', 'hex'),
      fin: false,
      rsv: 7,
    })
    expect(
      [frame.text(), frame.binary('a'), frame.continuation(), frame.ping(), frame.pong()].map((one) => one.opcode),
    ).toEqual([1, 2, 0, 9, 10])
  })

  it('are octets', () => {
    expect(hex('00 ff')).toEqual(Buffer.of(0, 255))
    expect(octets('é')).toEqual(Buffer.of(0xc3, 0xa9))
    expect(repeat('abc', 5).toString()).toBe('abcab')
    expect(repeat('abc', 0)).toHaveLength(0)
  })

  it('are events', () => {
    const types = [event.text(), event.binary(), event.ping(), event.pong(), event.pause].map(({ type }) => type)
    expect(types).toEqual(['text', 'binary', 'ping', 'pong', 'pause'])
  })
})

describe('wantEcho', () => {
  it.each([
    [0x81, 'hello', undefined],
    [0x82, 'hello', 'expected the text "hello" back, but there came the binary message 68656c6c6f'],
    [0x81, 'hellO', 'expected the text "hello" back, but there came the text "hellO"'],
  ])('is content, or not, with %d %s', async (firstOctet, payload, message) => {
    const { peer, seen, say } = await playing({ play: (tester) => wantEcho(tester, 'text', octets('hello')) })
    say(firstOctet, payload)
    await peer.readClose()
    say(0x88, CLOSE_1000)
    peer.end()
    const { failure } = await seen
    expect(failure?.message).toBe(message)
    expect(failure === undefined || failure instanceof Unexpected).toBe(true)
  })
})

/** Entries of the wire log in one line. */
import { describe, expect, it } from 'vitest'
import { describeEntry, describeFrame } from '../../../src/conformance/report/entry.ts'
import { KEY, frame, wire } from '../../support/wire.ts'
import { REQUEST, entry } from './made-up.ts'

describe('describeFrame', () => {
  it.each([
    ['Text, FIN, masked, 13 octets: "Hello, world!"', frame(0x81, 'Hello, world!', { key: KEY })],
    ['Text, 0 octets', frame(0x01)],
    ['Binary, FIN, 3 octets', frame(0x82, 'abc')],
    ['Continuation, FIN, RSV1, RSV2, RSV3, 1 octet', frame(0xf0, 'x')],
    ['reserved opcode 3, FIN, 0 octets', frame(0x83)],
    ['Close, FIN, 0 octets', frame(0x88)],
    ['Close, FIN, 1 octet: 0x61', frame(0x88, 'a')],
    ['Close, FIN, 2 octets: 1002 protocol error', frame(0x88, wire('03ea'))],
    ['Close, FIN, masked, 5 octets: 1000 normal closure, "bye"', frame(0x88, wire('03e8 627965'), { key: KEY })],
    ['part of a frame: 81', wire('81')],
    ['Binary, FIN, length cut', wire('82 7e 01')],
    ['Binary, FIN, 99 octets, cut', wire('82 63 00')],
    ['Text, FIN, masked, 1 octet, cut', wire('81 81 37fa')],
  ])('says %s', (line, octets) => {
    expect(describeFrame(octets)).toBe(line)
  })

  it('does not call cut what is only not known', () => {
    const whole = frame(0x82, Buffer.alloc(300))
    expect(describeFrame(whole.subarray(0, 64), whole.length)).toBe('Binary, FIN, 300 octets')
  })
})

describe('describeEntry', () => {
  it.each([
    ['head: GET /chat HTTP/1.1', entry('tester', 'head', { octets: Buffer.from(REQUEST) })],
    ['head: no end', entry('peer', 'head', { octets: Buffer.from('no end') })],
    [String.raw`head: \u{1b}[2J`, entry('peer', 'head', { octets: Buffer.from('\u{1b}[2J\nx') })],
    ['Ping, FIN, 0 octets', entry('peer', 'frame', { octets: frame(0x89) })],
    ['3 octets: 61 62 63', entry('peer', 'octets', { octets: Buffer.from('abc') })],
    [`17 octets: ${'61 '.repeat(16)}…`, entry('peer', 'octets', { octets: Buffer.from('a'.repeat(17)) })],
    ['TCP was dropped.', entry('peer', 'end', { text: 'TCP was dropped.' })],
    ['end', entry('peer', 'end')],
  ])('says %s', (line, about) => {
    expect(describeEntry(about)).toBe(line)
  })
})

/** Frames explained field by field: right ones, wrong ones, and what is left of cut ones. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explainFrame } from '../../../src/conformance/report/fields.ts'
import type { FrameContext, FrameField } from '../../../src/conformance/report/fields.ts'
import { KEY, frame, wire } from '../../support/wire.ts'

/** `name [start-end) = value`, and a problem where there is one. */
function told(fields: readonly FrameField[]): string[] {
  return fields.map(({ name, start, end, value, problem }) => {
    const wrong = problem === undefined ? '' : ` ✗ ${problem}`
    return `${name} ${start}-${end} = ${value}${wrong}`
  })
}

function problems(octets: Buffer, context?: FrameContext): string[] {
  return explainFrame(octets, octets.length, context).flatMap(({ problem }) => problem ?? [])
}

describe('explainFrame', () => {
  it('names every field of the masked text of RFC 6455 5.7', () => {
    expect(told(explainFrame(wire('81 85 37fa213d 7f9f4d5158')))).toEqual([
      'FIN 0-1 = 1',
      'RSV1 0-1 = 0',
      'RSV2 0-1 = 0',
      'RSV3 0-1 = 0',
      'opcode 0-1 = 0x1',
      'MASK 1-2 = 1',
      'payload length 1-2 = 5',
      'masking key 2-6 = 37 fa 21 3d',
      'payload data 6-11 = 5 octets',
      'payload data, unmasked 6-11 = "Hello"',
    ])
  })

  it('tells bits by their place in the octet, and what each field means and where that is written', () => {
    const fields = explainFrame(wire('01 03 48656c'))
    expect(fields.map(({ bits }) => bits)).toEqual([[0, 0], [1, 1], [2, 2], [3, 3], [4, 7], [0, 0], [1, 7], undefined])
    expect(fields[0]).toEqual({
      name: 'FIN',
      start: 0,
      end: 1,
      bits: [0, 0],
      octets: wire('01'),
      value: '0',
      meaning: 'more frames of this message follow',
      section: 'RFC 6455 5.2',
    })
    expect(fields.at(-1)).toMatchObject({ octets: wire('48656c'), meaning: 'text in UTF-8', section: 'RFC 6455 5.2' })
  })

  it('reads the longer forms of the length', () => {
    const fields16 = explainFrame(frame(0x82, Buffer.alloc(256)))
    expect(fields16[7]).toMatchObject({
      name: 'extended payload length',
      start: 2,
      end: 4,
      value: '256',
      meaning: '256 octets',
    })
    expect(fields16[6]).toMatchObject({ value: '126', meaning: 'the next 2 octets tell it' })
    const fields64 = explainFrame(frame(0x82, Buffer.alloc(65_536)))
    expect(fields64[7]).toMatchObject({ name: 'extended payload length', start: 2, end: 10, value: '65,536' })
    expect(fields64[6]).toMatchObject({ value: '127', meaning: 'the next 8 octets tell it' })
  })

  it('explains a Close with its code and reason', () => {
    expect(told(explainFrame(frame(0x88, wire('03e8 627965'), { key: KEY }))).slice(8)).toEqual([
      'payload data 6-11 = 5 octets',
      'payload data, unmasked 6-11 = 5 octets',
      'close code 6-8 = 1000',
      'close reason 8-11 = "bye"',
    ])
  })

  it('finds nothing wrong with what is right', () => {
    const right = [
      frame(0x81, 'ζ'),
      frame(0x01, wire('ce')),
      frame(0x80, wire('b6')),
      frame(0x02),
      frame(0x89, 'x'),
      frame(0x8a),
      frame(0x88),
    ]
    for (const octets of right) expect(problems(octets, { sender: 'server' })).toEqual([])
    expect(problems(frame(0x81, '', { key: KEY }), { sender: 'client' })).toEqual([])
    expect(problems(frame(0xc1, wire('00')), { deflate: true })).toEqual([])
  })

  it.each<[string, Buffer, FrameContext, string]>([
    ['a fragmented Ping', frame(0x09), {}, 'A control frame must not be fragmented (RFC 6455 5.5).'],
    [
      'RSV1 with nothing agreed',
      frame(0xc1),
      { deflate: false },
      'No extension that was agreed on gives RSV1 a meaning.',
    ],
    ['RSV1 on a Pong', frame(0xca), { deflate: true }, 'Control frames are never compressed (RFC 7692 6.1).'],
    ['RSV1 on a continuation', frame(0xc0), {}, 'RSV1 stands on the first frame of a message only (RFC 7692 6.1).'],
    ['RSV2', frame(0xa1), {}, 'No extension gives RSV2 a meaning.'],
    ['RSV3', frame(0x91), {}, 'No extension gives RSV3 a meaning.'],
    ['a reserved opcode', frame(0x83), {}, 'A reserved opcode fails the connection.'],
    [
      'a client that does not mask',
      frame(0x81),
      { sender: 'client' },
      'A client must mask every frame (RFC 6455 5.1).',
    ],
    [
      'a server that masks',
      frame(0x81, '', { key: KEY }),
      { sender: 'server' },
      'A server must not mask any frame (RFC 6455 5.1).',
    ],
    [
      'a long Ping',
      frame(0x89, Buffer.alloc(126)),
      {},
      'A control frame has at most 125 octets of payload (RFC 6455 5.5).',
    ],
    [
      '16 bits for 125',
      frame(0x82, Buffer.alloc(125), { lengthBits: 16 }),
      {},
      'A length must be told in as few octets as it can.',
    ],
    [
      '64 bits for 65535',
      frame(0x82, Buffer.alloc(65_535), { lengthBits: 64 }),
      {},
      'A length must be told in as few octets as it can.',
    ],
    ['half a close code', frame(0x88, 'a'), {}, 'A body begins with a code of two octets.'],
    ['a code that nobody sends', frame(0x88, wire('03ee')), {}, 'This code must not stand in a Close frame.'],
    [
      'a text that is not UTF-8',
      frame(0x81, wire('61 eda080')),
      {},
      'Not UTF-8 from octet 1 on (0xed) (RFC 6455 8.1).',
    ],
    ['a text cut in a character', frame(0x81, wire('61 c3')), {}, 'Not UTF-8 from octet 1 on (0xc3) (RFC 6455 8.1).'],
    ['a fragment that is not UTF-8', frame(0x01, wire('ff')), {}, 'Not UTF-8 from octet 0 on (0xff) (RFC 6455 8.1).'],
    [
      'a reason that is not UTF-8',
      frame(0x88, wire('03e8 ff')),
      {},
      'Not UTF-8 from octet 0 on (0xff) (RFC 6455 8.1).',
    ],
  ])('says what is wrong with %s', (_, octets, context, problem) => {
    expect(problems(octets, context)).toEqual([problem])
  })

  it('says that the top bit of a length must be 0', () => {
    const octets = wire('82 7f 8000000000000001 00')
    expect(problems(octets)).toEqual([
      'The top bit of a 64-bit length must be 0.',
      'Cut: 1 of 9,223,372,036,854,775,809 octets are there.',
    ])
  })

  it.each([
    ['', []],
    ['81', ['header 0-1 = 81 ✗ A frame has at least two octets; this is the first.']],
    ['81 7e', ['extended payload length 2-2 =  ✗ Cut: 0 of 2 octets are there.']],
    ['81 fe 01', ['extended payload length 2-3 = 01 ✗ Cut: 1 of 2 octets are there.']],
    ['81 81 37fa', ['masking key 2-4 = 37 fa ✗ Cut: 2 of 4 octets are there.']],
    ['81 81 37fa213d', ['masking key 2-6 = 37 fa 21 3d', 'payload data 6-6 = 0 octets ✗ Cut: 0 of 1 octet are there.']],
    ['81 03 6162', ['payload data 2-4 = "ab" ✗ Cut: 2 of 3 octets are there.']],
  ])('explains what there is of %j', (octets, end) => {
    const fields = told(explainFrame(wire(octets)))
    expect(fields.slice(end.length > 0 && octets !== '81' ? 7 : 0)).toEqual(end)
  })

  it('does not call cut what is only not known', () => {
    const whole = frame(0x82, Buffer.alloc(300))
    const fields = explainFrame(whole.subarray(0, 100), whole.length)
    expect(fields.at(-1)).toMatchObject({
      value: '96 octets',
      meaning: 'what the application makes of it; the first 96 of 300 octets',
    })
    expect(fields.flatMap(({ problem }) => problem ?? [])).toEqual([])
  })

  it('leaves octets behind the frame alone', () => {
    const two = Buffer.concat([frame(0x81, 'one', { key: KEY }), frame(0x81, 'two')])
    const end = explainFrame(two).at(-1)?.end
    expect(told(explainFrame(two.subarray(end))).at(-1)).toBe('payload data 2-5 = "two"')
  })

  it('explains any octets, fields in their order and within what there is', () => {
    const context = fc.record(
      { sender: fc.constantFrom('client' as const, 'server' as const), deflate: fc.boolean() },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(20), context, (octets, more, about) => {
        let before = 0
        for (const { start, end } of explainFrame(Buffer.from(octets), octets.length + more, about)) {
          expect(end).toBeGreaterThanOrEqual(start)
          expect(end).toBeLessThanOrEqual(octets.length)
          expect(start).toBeGreaterThanOrEqual(before)
          before = start
        }
      }),
    )
  })
})

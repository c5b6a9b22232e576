/** The hex dump, as it reads. */
import { describe, expect, it } from 'vitest'
import type { TappedFrame } from '../../src/connection/index.ts'
import { formatFrame, hexDump } from '../../src/tap/index.ts'
import { KEY, Kept, tapped } from './support.ts'

/** Its first line, from the direction on. */
function header(fields: Partial<TappedFrame>): string {
  return formatFrame(tapped(fields), '#1').split('\n')[0].slice('2026-11-28T09:30:00.125Z #1 '.length)
}

describe('formatFrame', () => {
  it('tells a header in a line, and the payload in rows', () => {
    expect(formatFrame(tapped({ maskingKey: KEY }), '#1')).toBe(
      '2026-11-28T09:30:00.125Z #1 in  Text FIN MASK=37fa213d length=5\n' +
        '  0000  48 65 6c 6c 6f                                    Hello\n',
    )
  })

  it('breaks rows after 16 octets, and shows what is no printable ASCII as a dot', () => {
    const payload = Buffer.concat([Buffer.from('\u001b[2J\u202eäöü~\u007f\n'), Buffer.alloc(16, 'x')])
    expect(formatFrame(tapped({ payload }), 'ws').split('\n').slice(1)).toEqual([
      '  0000  1b 5b 32 4a e2 80 ae c3  a4 c3 b6 c3 bc 7e 7f 0a  .[2J.........~..',
      '  0010  78 78 78 78 78 78 78 78  78 78 78 78 78 78 78 78  xxxxxxxxxxxxxxxx',
      '',
    ])
  })

  it('has no row for an empty payload', () => {
    expect(formatFrame(tapped({ payload: Buffer.alloc(0) }), '#1').split('\n')).toHaveLength(2)
  })

  it('says what of a payload was not kept', () => {
    expect(formatFrame(tapped({ payloadLength: 1005, extendedLength: 2 }), '#1')).toMatch(
      /\n {2}octets not kept: 1000\n$/,
    )
  })

  it.each<[text: string, fields: Partial<TappedFrame>]>([
    ['out Binary length=5', { direction: 'out', fin: false, opcode: 2 }],
    ['in  Continuation FIN length=5', { opcode: 0 }],
    ['in  Ping FIN length=5', { opcode: 9 }],
    ['in  Pong FIN length=5', { opcode: 10 }],
    ['in  Text FIN RSV1 length=5', { rsv1: true }],
    ['in  opcode=3 FIN RSV2 RSV3 length=5', { opcode: 3, rsv2: true, rsv3: true }],
    ['in  Text FIN length=5 (in 8 octets)', { extendedLength: 8 }],
    ['in  Text FIN length=200', { payload: Buffer.alloc(200) }],
    ['in  Close FIN length=0', { opcode: 8, payload: Buffer.alloc(0) }],
    ['in  Close FIN length=2 code=1000', { opcode: 8, payload: Buffer.from('03e8', 'hex') }],
    [
      'in  Close FIN length=6 code=1001 reason="b\\u001be"',
      { opcode: 8, payload: Buffer.from('03e9621b65', 'hex'), payloadLength: 6 },
    ],
  ])('tells %s', (text, fields) => {
    expect(header(fields)).toBe(text)
  })
})

describe('hexDump', () => {
  it('numbers connections, and says where frames are missing', () => {
    const to = new Kept()
    const sink = hexDump(to, { maxBuffered: 1 })
    const [one, two] = [tapped(), tapped({ direction: 'out' })]
    sink(one)
    to.blocked = true
    sink(two)
    for (let i = 0; i < 3; i++) sink(one)
    to.unblock()
    sink(two)
    expect(to.text.split('\n').filter((line) => !line.startsWith('  '))).toEqual([
      '2026-11-28T09:30:00.125Z #1 in  Text FIN length=5',
      '2026-11-28T09:30:00.125Z #2 out Text FIN length=5',
      '(frames dropped: 3)',
      '2026-11-28T09:30:00.125Z #2 out Text FIN length=5',
      '',
    ])
  })
})

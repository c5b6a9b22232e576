/** Frames of a tap, a line each. */
import { describe, expect, it } from 'vitest'
import { painter } from '../../src/cli/style.ts'
import { frameLine, payloadExcerpt } from '../../src/cli/wire.ts'
import { tapped } from './support.ts'

const plain = painter(false)

describe('frameLine', () => {
  it('tells every field of the header', () => {
    const masked = tapped({ direction: 'out', masked: true, maskingKey: 0x3d_21_fa_37, payload: Buffer.from('Hello') })
    expect(frameLine(masked, plain)).toBe('→ FIN=1 RSV=000 Text (0x1)         MASK=1 key=37fa213d length=5 "Hello"')
    expect(frameLine(tapped({ opcode: 0, fin: false, rsv1: true, rsv3: true }), plain)).toBe(
      '← FIN=0 RSV=101 Continuation (0x0) MASK=0 length=0',
    )
    expect(frameLine(tapped({ opcode: 3, rsv2: true }), plain)).toBe(
      '← FIN=1 RSV=010 reserved (0x3)     MASK=0 length=0',
    )
  })

  it('has colours for directions', () => {
    const paint = painter(true)
    expect(frameLine(tapped({ direction: 'out' }), paint).startsWith('\u{1b}[32m→')).toBe(true)
    expect(frameLine(tapped({}), paint).startsWith('\u{1b}[36m←')).toBe(true)
  })
})

describe('payloadExcerpt', () => {
  it.each([
    ['nothing', 1, '', ''],
    ['text', 1, '48656c6c6f', '"Hello"'],
    ['text that ends within a character', 1, '48c3', '"H"'],
    ['half a character', 1, 'c3', 'c3'],
    ['what is no text', 1, '48ff', '48 ff'],
    ['octets', 2, '48656c6c6f', '48 65 6c 6c 6f'],
    ['many octets', 2, '00'.repeat(17), `${'00 '.repeat(16)}…`],
    ['a Ping', 9, '6869', '"hi"'],
    ['a close code', 8, '03e8', '1000 normal closure'],
    ['a close code and its reason', 8, '03e9627965', '1001 going away "bye"'],
    ['half a close code', 8, '03', String.raw`"\u{3}"`],
  ])('shows %s', (_, opcode, hex, shown) => {
    expect(payloadExcerpt({ opcode, rsv1: false, payload: Buffer.from(hex, 'hex') })).toBe(shown)
  })

  it('does not take compressed octets for text', () => {
    expect(payloadExcerpt({ opcode: 1, rsv1: true, payload: Buffer.from('Hi') })).toBe('48 69')
  })
})

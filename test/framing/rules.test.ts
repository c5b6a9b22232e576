/** Every MUST about one frame header, each for both roles, inside and outside of a message, and in the order of the rules. */
import { describe, expect, it } from 'vitest'
import { FrameHeader } from '../../src/framing/header.ts'
import { checkFrameHeader } from '../../src/framing/rules.ts'
import type { Role } from '../../src/framing/rules.ts'
import { describeError } from '../support/decode.ts'
import { ROLES } from '../support/wire.ts'

/** A header as `role` receives it, legal but for `fields`. */
function headerFor(role: Role, fields: Partial<FrameHeader>): FrameHeader {
  return Object.assign(new FrameHeader(), { fin: true, opcode: 1, masked: role === 'server' }, fields)
}

function verdict(header: FrameHeader, role: Role, inMessage: boolean, rsv1Negotiated?: boolean): string {
  try {
    checkFrameHeader(header, role, inMessage, rsv1Negotiated)
    return 'legal'
  } catch (error) {
    return describeError(error)
  }
}

interface Rule {
  readonly breaks: string
  readonly fields: Partial<FrameHeader>
  /** Where a message must have begun, or must not have; else both are tried. */
  readonly inMessage?: boolean
  readonly error: string
}

const reservedBit = 'ERR_WS_RESERVED_BIT 1002 RFC 6455 5.2'
const reservedOpcode = 'ERR_WS_RESERVED_OPCODE 1002 RFC 6455 5.2'
const fragmented = 'ERR_WS_FRAGMENTED_CONTROL 1002 RFC 6455 5.5'
const tooLong = 'ERR_WS_CONTROL_TOO_LONG 1002 RFC 6455 5.5'
const badLength = 'ERR_WS_BAD_LENGTH 1002 RFC 6455 5.2'
const interleaved = 'ERR_WS_MESSAGES_INTERLEAVED 1002 RFC 6455 5.4'

/** In the order in which they are to be checked: a header that breaks several is refused for the first. */
const rules: readonly Rule[] = [
  { breaks: 'RSV1 without an extension [6455:5.2-03] [6455:5.2-09]', fields: { rsv1: true }, error: reservedBit },
  { breaks: 'RSV2 [6455:5.2-03] [6455:5.2-10]', fields: { rsv2: true }, error: reservedBit },
  { breaks: 'RSV3 [6455:5.2-03] [6455:5.2-11]', fields: { rsv3: true }, error: reservedBit },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    breaks: `the reserved opcode ${opcode} [6455:5.2-04]`,
    fields: { opcode },
    error: reservedOpcode,
  })),
  {
    breaks: 'a Close frame without FIN [6455:5.4-02] [6455:5.5-02]',
    fields: { opcode: 8, fin: false },
    error: fragmented,
  },
  {
    breaks: 'a Ping frame without FIN [6455:5.4-02] [6455:5.5-02]',
    fields: { opcode: 9, fin: false },
    error: fragmented,
  },
  {
    breaks: 'a Pong frame without FIN [6455:5.4-02] [6455:5.5-02]',
    fields: { opcode: 10, fin: false },
    error: fragmented,
  },
  ...[8, 9, 10].map((opcode) => ({
    breaks: `126 octets in a control frame (opcode ${opcode}) [6455:5.5-01]`,
    fields: { opcode, payloadLength: 126, extendedLength: 2 },
    error: tooLong,
  })),
  {
    breaks: 'a text frame inside of a message [6455:5.4-04] [6455:5.4-12] [6455:5.4-i01]',
    fields: { opcode: 1 },
    inMessage: true,
    error: interleaved,
  },
  {
    breaks: 'a binary frame inside of a message [6455:5.4-04] [6455:5.4-12] [6455:5.4-i01]',
    fields: { opcode: 2 },
    inMessage: true,
    error: interleaved,
  },
  {
    breaks: 'a continuation frame outside of a message [6455:5.4-i01]',
    fields: { opcode: 0 },
    inMessage: false,
    error: 'ERR_WS_NOTHING_TO_CONTINUE 1002 RFC 6455 5.4',
  },
]

/** Rules about a frame of any kind, checked behind those above; `opcode` is chosen to be legal. */
const lengthRules: readonly Rule[] = [
  {
    breaks: 'the top bit of a 64-bit length [6455:5.2-05]',
    fields: { payloadLength: 2 ** 63, extendedLength: 8, lengthTopBit: true },
    error: badLength,
  },
  ...[
    [0, 2],
    [125, 2],
    [0, 8],
    [125, 8],
    [126, 8],
    [65_535, 8],
  ].map(([payloadLength, extendedLength]) => ({
    breaks: `a length of ${payloadLength} in ${extendedLength} octets more than it needs [6455:5.2-06]`,
    fields: { payloadLength, extendedLength },
    error: badLength,
  })),
]

const wrongMasking: Readonly<Record<Role, string>> = {
  server: 'ERR_WS_UNMASKED_FRAME 1002 RFC 6455 5.1',
  client: 'ERR_WS_MASKED_FRAME 1002 RFC 6455 5.1',
}

describe.each(ROLES)('checkFrameHeader when %s', (role) => {
  it.each(rules.map((rule) => [rule.breaks, rule] as const))('refuses %s', (_breaks, { fields, inMessage, error }) => {
    for (const within of inMessage === undefined ? [false, true] : [inMessage]) {
      expect(verdict(headerFor(role, fields), role, within)).toBe(error)
    }
  })

  it.each(lengthRules.map((rule) => [rule.breaks, rule] as const))('refuses %s', (_breaks, { fields, error }) => {
    expect(verdict(headerFor(role, fields), role, false)).toBe(error)
    expect(verdict(headerFor(role, { ...fields, opcode: 0 }), role, true)).toBe(error)
    if (fields.payloadLength! <= 125) expect(verdict(headerFor(role, { ...fields, opcode: 9 }), role, true)).toBe(error)
  })

  it('refuses the masking of its own side, with 1002 [6455:5.1-02] [6455:5.1-03] [6455:5.1-05] [6455:5.1-06]', () => {
    for (const fields of [
      { opcode: 1 },
      { opcode: 2, payloadLength: 9 },
      { opcode: 8 },
      { opcode: 9 },
      { opcode: 10 },
    ]) {
      const header = headerFor(role, { ...fields, masked: role === 'client' })
      expect(verdict(header, role, false)).toBe(wrongMasking[role])
    }
    const continuation = headerFor(role, { opcode: 0, masked: role === 'client' })
    expect(verdict(continuation, role, true)).toBe(wrongMasking[role])
  })

  it('takes every legal kind of frame [6455:5.2-01] [6455:5.4-01] [6455:5.4-05] [6455:5.4-07]', () => {
    for (const fin of [true, false]) {
      for (const opcode of [1, 2]) expect(verdict(headerFor(role, { opcode, fin }), role, false)).toBe('legal')
      expect(verdict(headerFor(role, { opcode: 0, fin }), role, true)).toBe('legal')
    }
    for (const opcode of [8, 9, 10]) {
      for (const inMessage of [false, true]) {
        for (const payloadLength of [0, 1, 125]) {
          expect(verdict(headerFor(role, { opcode, payloadLength }), role, inMessage)).toBe('legal')
        }
      }
    }
  })

  it('takes every length in its shortest form, with no limit of its own [6455:5.2-06]', () => {
    for (const [payloadLength, extendedLength] of [
      [0, 0],
      [125, 0],
      [126, 2],
      [65_535, 2],
      [65_536, 8],
      [2 ** 62, 8],
    ]) {
      expect(verdict(headerFor(role, { payloadLength, extendedLength }), role, false)).toBe('legal')
    }
  })

  it('takes RSV1 on the first frame of a message once it is negotiated, there only [7692:6.1-04]', () => {
    const misplaced = 'ERR_WS_RESERVED_BIT 1002 RFC 7692 6.1'
    for (const fin of [true, false]) {
      for (const opcode of [1, 2]) {
        expect(verdict(headerFor(role, { rsv1: true, opcode, fin }), role, false, true)).toBe('legal')
        expect(verdict(headerFor(role, { rsv1: true, opcode, fin }), role, false, false)).toBe(reservedBit)
      }
      expect(verdict(headerFor(role, { rsv1: true, opcode: 0, fin }), role, true, true)).toBe(misplaced)
    }
    for (const opcode of [8, 9, 10]) {
      for (const inMessage of [false, true]) {
        expect(verdict(headerFor(role, { rsv1: true, opcode }), role, inMessage, true)).toBe(misplaced)
      }
    }
    expect(verdict(headerFor(role, { opcode: 1 }), role, false, true)).toBe('legal')
    expect(verdict(headerFor(role, { rsv2: true }), role, false, true)).toBe(reservedBit)
    expect(verdict(headerFor(role, { rsv3: true }), role, false, true)).toBe(reservedBit)
    expect(verdict(headerFor(role, { opcode: 3, rsv1: true }), role, false, true)).toBe(reservedOpcode)
  })

  it('checks the kind of frame, then the masking, then the length', () => {
    for (const { fields, inMessage = false, error } of rules) {
      const worse = { payloadLength: 2 ** 63, extendedLength: 8, lengthTopBit: true }
      for (const masked of [false, true]) {
        expect(verdict(headerFor(role, { ...worse, ...fields, masked }), role, inMessage)).toBe(error)
      }
    }
    for (const { fields } of lengthRules) {
      expect(verdict(headerFor(role, { ...fields, masked: role === 'client' }), role, false)).toBe(wrongMasking[role])
    }
  })

  it('checks reserved bits, opcode, FIN, control length and message order, in this order', () => {
    const everything = { opcode: 11, fin: false, payloadLength: 126, extendedLength: 2 }
    expect(verdict(headerFor(role, { ...everything, rsv3: true }), role, false)).toBe(reservedBit)
    expect(verdict(headerFor(role, everything), role, false)).toBe(reservedOpcode)
    expect(verdict(headerFor(role, { ...everything, opcode: 9 }), role, false)).toBe(fragmented)
    expect(verdict(headerFor(role, { ...everything, opcode: 9, fin: true }), role, false)).toBe(tooLong)
  })

  it('says in each message what is wrong', () => {
    const message = (fields: Partial<FrameHeader>, inMessage: boolean, negotiated = false): string => {
      try {
        checkFrameHeader(headerFor(role, fields), role, inMessage, negotiated)
      } catch (error) {
        return (error as Error).message
      }
      return ''
    }
    expect(message({ rsv1: true }, false)).toMatch('RSV1')
    expect(message({ rsv2: true }, false)).toMatch('RSV2')
    expect(message({ rsv3: true }, false)).toMatch('RSV3')
    expect(message({ rsv1: true, opcode: 9 }, false, true)).toMatch('first frame')
    expect(message({ opcode: 7 }, false)).toMatch('Opcode 7')
    expect(message({ opcode: 0 }, false)).toMatch('no message to continue')
    expect(message({ opcode: 1 }, true)).toMatch('new message')
    expect(message({ masked: role === 'client' }, false)).toMatch(role === 'server' ? 'must mask' : 'must not mask')
    expect(message({ lengthTopBit: true, extendedLength: 8, payloadLength: 2 ** 63 }, false)).toMatch('top bit')
    expect(message({ extendedLength: 8 }, false)).toMatch('as few octets')
  })
})

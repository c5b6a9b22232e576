/** The table of RFC 6455 11.8, opcode by opcode. */
import { describe, expect, it } from 'vitest'
import { Opcode, isControl, isData, isKnown } from '../../src/framing/opcode.ts'

const names = 'Continuation Text Binary - - - - - Close Ping Pong - - - - -'.split(' ')

describe('Opcode', () => {
  it('has the numbers that 11.8 registers and no others', () => {
    expect(Opcode).toEqual({ Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 })
  })

  it.each(names.map((name, opcode) => ({ opcode, name })))(
    'opcode $opcode ($name) is of one family, and known if it has a name [6455:5.2-04]',
    ({ opcode, name }) => {
      expect(isControl(opcode)).toBe(opcode >= 8)
      expect(isData(opcode)).toBe(opcode < 8)
      expect(isKnown(opcode)).toBe(name !== '-')
    },
  )
})

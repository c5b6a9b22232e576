/** Close codes and Close bodies (RFC 6455 5.5.1, 7.4): all 65,536 codes, every length of body, both ways. */
import { describe, expect, it, vi } from 'vitest'
import {
  CloseCode,
  MAX_REASON_LENGTH,
  isSendableCloseCode,
  readCloseBody,
  writeCloseBody,
} from '../../src/framing/close.ts'
import { ProtocolError } from '../../src/errors.ts'
import { describeError, errorOf } from '../support/decode.ts'
import { SENTENCE } from '../support/errors.ts'
import { hex, wire } from '../support/wire.ts'

const badCode = 'ERR_WS_BAD_CLOSE_CODE 1002 RFC 6455 7.4'
const badBody = 'ERR_WS_BAD_CLOSE_BODY 1002 RFC 6455 5.5.1'
const badReason = 'ERR_WS_INVALID_UTF8 1007 RFC 6455 8.1'

/** The codes of 7.4.1 and of the registry that may stand in a Close frame, one by one. */
const defined = new Set([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014])

function mayBeSent(code: number): boolean {
  return defined.has(code) || Math.floor(code / 1000) === 3 || Math.floor(code / 1000) === 4
}

function bodyOf(code: number, reason: string | Uint8Array = ''): Buffer {
  return Buffer.concat([Buffer.from([Math.floor(code / 256), code % 256]), Buffer.from(reason)])
}

/** What calling with arguments of the wrong type does: the types would not let it be written. */
function misuse(run: () => unknown): { name: string; code: unknown } {
  try {
    run()
  } catch (error) {
    const { name, message, code } = error as Error & { code?: unknown }
    expect(message).toMatch(SENTENCE)
    return { name, code }
  }
  return { name: 'nothing', code: undefined }
}

describe('CloseCode', () => {
  it('has the names and numbers of 7.4.1 and of the registry [6455:7.4.1-01]', () => {
    expect(CloseCode).toEqual({
      NormalClosure: 1000,
      GoingAway: 1001,
      ProtocolError: 1002,
      UnsupportedData: 1003,
      NoStatusReceived: 1005,
      AbnormalClosure: 1006,
      InvalidFramePayloadData: 1007,
      PolicyViolation: 1008,
      MessageTooBig: 1009,
      MandatoryExtension: 1010,
      InternalError: 1011,
      ServiceRestart: 1012,
      TryAgainLater: 1013,
      BadGateway: 1014,
      TlsHandshake: 1015,
    })
  })
})

describe('isSendableCloseCode', () => {
  it('tells all 65,536 codes apart [6455:7.4.1-03] [6455:7.4.1-04] [6455:7.4.1-06] [6455:7.4.1-i01] [6455:7.4.2-i01]', () => {
    const wrong: number[] = []
    for (let code = 0; code < 0x1_0000; code++) if (isSendableCloseCode(code) !== mayBeSent(code)) wrong.push(code)
    expect(wrong).toEqual([])
    expect([-1, 65_536, Number.NaN, Infinity].filter(isSendableCloseCode)).toEqual([])
  })
})

describe('readCloseBody', () => {
  it('answers 1005 and no reason for an empty body [6455:5.5.1-01] [6455:7.1.5-i01] [6455:7.1.6-i01]', () => {
    expect(readCloseBody(Buffer.alloc(0))).toEqual({ code: 1005, reason: '' })
  })

  it('refuses a body of one octet, whichever it is [6455:5.5.1-02]', () => {
    for (let octet = 0; octet < 256; octet++) expect(errorOf(() => readCloseBody(Buffer.from([octet])))).toBe(badBody)
  })

  it('reads the code in network byte order and refuses those that must not be sent, for all 65,536 [6455:5.5.1-02] [6455:7.4.2-i01]', () => {
    const wrong: string[] = []
    for (let code = 0; code < 0x1_0000; code++) {
      let verdict: string
      try {
        const read = readCloseBody(bodyOf(code))
        verdict = `${read.code} ${read.reason}`
      } catch (error) {
        verdict = describeError(error)
      }
      if (verdict !== (mayBeSent(code) ? `${code} ` : badCode)) wrong.push(`${code}: ${verdict}`)
    }
    expect(wrong).toEqual([])
  })

  it.each(['', 'bye', 'Hello World!', '*'.repeat(123), 'κόσμε', '😀'.repeat(30), '\0', '\uFEFF'])(
    'reads the reason %j [6455:5.5.1-03] [6455:7.1.6-i01]',
    (reason) => {
      expect(readCloseBody(bodyOf(1000, reason))).toEqual({ code: 1000, reason })
    },
  )

  it('refuses a reason that is not UTF-8 with 1007 [6455:8.1-01]', () => {
    for (const literal of ['ff', 'c3', 'ceba80', 'eda080', 'f4908080', 'cebae1bdb9cf83cebcceb5eda080656469746564']) {
      expect(errorOf(() => readCloseBody(bodyOf(1000, wire(literal))))).toBe(badReason)
    }
  })

  it('names the code before it looks at the reason', () => {
    expect(errorOf(() => readCloseBody(bodyOf(1005, wire('ff'))))).toBe(badCode)
  })

  it('says what is wrong', () => {
    const message = (body: Buffer): string => {
      try {
        readCloseBody(body)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
        return (error as Error).message
      }
      return ''
    }
    expect(message(bodyOf(1006))).toMatch('Close code 1006')
    expect(message(wire('03'))).toMatch('one octet')
    expect(message(bodyOf(1000, wire('ff')))).toMatch('not valid UTF-8')
  })
})

describe('writeCloseBody', () => {
  it('writes nothing without a code [6455:5.5.1-01]', () => {
    expect(writeCloseBody()).toEqual(Buffer.alloc(0))
    expect(writeCloseBody(undefined, '')).toEqual(Buffer.alloc(0))
  })

  it('writes the code in network byte order and the reason behind it in UTF-8 [6455:5.5.1-02] [6455:5.5.1-03]', () => {
    expect(writeCloseBody(1000)).toEqual(wire('03e8'))
    expect(writeCloseBody(1001, 'bye')).toEqual(wire('03e9 627965'))
    expect(writeCloseBody(4999, 'κ€😀')).toEqual(wire('1387 ceba e282ac f09f9880'))
  })

  it('writes those of all 65,536 codes that may be sent and refuses the others [6455:7.4.1-03] [6455:7.4.1-04] [6455:7.4.1-06] [6455:7.4.1-i01] [6455:7.4.2-i01]', () => {
    const wrong: number[] = []
    for (let code = 0; code < 0x1_0000; code++) {
      if (mayBeSent(code)) {
        if (!writeCloseBody(code, 'x').equals(bodyOf(code, 'x'))) wrong.push(code)
      } else {
        const { name, code: errorCode } = misuse(() => writeCloseBody(code))
        if (name !== 'RangeError' || errorCode !== 'ERR_WS_INVALID_CLOSE_CODE') wrong.push(code)
      }
    }
    expect(wrong).toEqual([])
  })

  it.each([1000.5, -1000, 66_536, Number.NaN, Infinity, '1000', null, true, [1000], {}])(
    'refuses the code %j that is no code',
    (code) => {
      expect(misuse(() => writeCloseBody(code as number))).toEqual({
        name: 'RangeError',
        code: 'ERR_WS_INVALID_CLOSE_CODE',
      })
    },
  )

  it('refuses an object that cannot be made a string as any other', () => {
    expect(misuse(() => writeCloseBody(Object.create(null) as number))).toEqual({
      name: 'RangeError',
      code: 'ERR_WS_INVALID_CLOSE_CODE',
    })
  })

  it('lets no line break and no terminal sequence into its message', () => {
    expect(() => writeCloseBody('a\nb\u001b[31m' as unknown as number)).toThrow('"a\\nb\\u001b[31m"')
  })

  it('takes a reason of 123 octets and no more, counted in UTF-8 [6455:5.5-01]', () => {
    expect(MAX_REASON_LENGTH).toBe(123)
    for (const [fits, tooLong] of [
      ['*'.repeat(123), '*'.repeat(124)],
      ['é'.repeat(61), 'é'.repeat(62)],
      ['€'.repeat(41), `${'€'.repeat(41)}*`],
      ['\ud800'.repeat(41), `${'\ud800'.repeat(41)}*`],
    ]) {
      expect(writeCloseBody(1000, fits).length).toBeLessThanOrEqual(125)
      expect(readCloseBody(writeCloseBody(1000, fits)).reason).toBe(Buffer.from(fits).toString())
      expect(misuse(() => writeCloseBody(1000, tooLong))).toEqual({ name: 'RangeError', code: 'ERR_WS_INVALID_REASON' })
    }
  })

  it('refuses a reason without a code', () => {
    expect(misuse(() => writeCloseBody(undefined, 'why'))).toEqual({
      name: 'TypeError',
      code: 'ERR_WS_INVALID_CLOSE_CODE',
    })
  })

  it.each([1, null, true, {}, [], new Float32Array(20), Buffer.from('bye'), new String('bye')])(
    'refuses %j as a reason, and sends no memory for it',
    (reason) => {
      const refusal = { name: 'TypeError', code: 'ERR_WS_INVALID_REASON' }
      expect(misuse(() => writeCloseBody(1000, reason as string))).toEqual(refusal)
      expect(misuse(() => writeCloseBody(undefined, reason as string))).toEqual(refusal)
    },
  )

  it('[V44] fills all the memory that it takes', () => {
    const poisoned = vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => Buffer.alloc(size, 0xaa))
    for (const reason of ['', 'bye', 'κ€😀', '\ud800', '*'.repeat(123)]) {
      expect(hex(writeCloseBody(1000, reason))).toBe(hex(bodyOf(1000, reason)))
    }
    expect(poisoned).toHaveBeenCalled()
    poisoned.mockRestore()
  })
})

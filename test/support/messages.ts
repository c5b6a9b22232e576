/** Messages that two implementations exchange to see that they understand each other. */
import { expect } from 'vitest'

/** Around every boundary of the length field, of masks and of memory. */
export const LENGTHS: readonly number[] = [
  ...[0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33],
  ...[123, 124, 125, 126, 127, 128, 129, 255, 256, 257],
  ...[1023, 1024, 1025, 4095, 4096, 4097, 16_383, 16_384, 16_385],
  ...[65_533, 65_534, 65_535, 65_536, 65_537, 65_538, 69_999, 70_000],
]

export const TEXTS: readonly string[] = [
  '',
  'Hello',
  '\0\x01\x7f',
  'Gr\u00fc\u00dfe, \u03ba\u1f79\u03c3\u03bc\u03b5, \u65e5\u672c\u8a9e, \u{1f600}',
  '\u{10ffff}\ufffd\ufeff\u2028',
  '\u20ac'.repeat(50_000),
]

/** Octets that are the same each time, and no two stretches of them alike. */
export function octets(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let index = 0, state = length + 1; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}

/** Codes that may be sent, with reasons. */
export const CLOSES: readonly (readonly [code: number, reason: string])[] = [
  [1000, ''],
  [1000, 'done'],
  [1001, 'away'],
  [1003, 'only text'],
  [1011, ''],
  [3000, '\u00fc'.repeat(61)],
  [4999, 'x'.repeat(123)],
]

/** Compares messages; `toEqual` takes seconds for octets by the million. */
export function expectSame(messages: readonly (string | Buffer)[], sent: readonly (string | Buffer)[]): void {
  expect(messages.map((message) => [typeof message, message.length])).toEqual(
    sent.map((message) => [typeof message, message.length]),
  )
  const different = messages.findIndex((message, index) => !Buffer.from(message).equals(Buffer.from(sent[index])))
  expect(different, 'the first message that differs').toBe(-1)
}

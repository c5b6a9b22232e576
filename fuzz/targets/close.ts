/**
 * Bodies of Close frames, by themselves and in a frame, and the bodies that we write.
 *
 * - A body is read exactly when its code may stand there and its reason is UTF-8 (RFC 6455 5.5.1, 7.4, 8.1); it is written
 *   again as it was.
 * - What is to be written and cannot be is a `TypeError` or `RangeError`, never a frame.
 */
import { isUtf8 } from 'node:buffer'
import { ProtocolError } from '../../src/errors.ts'
import { isSendableCloseCode, readCloseBody, writeCloseBody } from '../../src/framing/index.ts'
import { NOT_UTF8, TEXTS } from '../generate/payloads.ts'
import type { Random } from '../support/random.ts'
import { check, codeOf } from './target.ts'
import type { Input, Target } from './target.ts'

/** RFC 6455 7.4.1 and the registry of 11.7, a line for each range. */
const RANGES = [
  [1000, 1003],
  [1007, 1014],
  [3000, 4999],
] as const

const isAllowed = (code: number): boolean => RANGES.some(([first, last]) => code >= first && code <= last)

const ODD: readonly unknown[] = [
  Number.NaN,
  -1,
  1000.5,
  Infinity,
  '1000',
  null,
  {},
  [],
  true,
  2 ** 32 + 1000,
  1000n,
  Symbol('x'),
]

function expected(body: Buffer): string {
  if (body.length === 0) return '1005 ""'
  if (body.length === 1) return 'ERR_WS_BAD_CLOSE_BODY 1002'
  const code = body.readUInt16BE(0)
  if (!isAllowed(code)) return 'ERR_WS_BAD_CLOSE_CODE 1002'
  return isUtf8(body.subarray(2)) ? `${code} ${JSON.stringify(body.toString('utf8', 2))}` : 'ERR_WS_INVALID_UTF8 1007'
}

function outcomeOf({ octets }: Input): string {
  try {
    const { code, reason } = readCloseBody(octets)
    const written = code === 1005 ? writeCloseBody() : octets.length <= 125 ? writeCloseBody(code, reason) : octets
    check(written.equals(octets), () => `written again: ${written.toString('hex')}`)
    return `${code} ${JSON.stringify(reason)}`
  } catch (error) {
    const code = codeOf(error, ProtocolError)
    return `${code} ${(error as ProtocolError).closeCode}`
  }
}

/** Codes and reasons of every kind, as an application may hand them in. */
function checkWriting(body: Buffer, random: Random): void {
  const code: unknown = random.chance(0.3) ? random.pick(ODD) : random.chance(0.5) ? random.int(70_000) : 1000
  const reason: unknown = random.chance(0.1) ? random.pick(ODD) : body.toString(random.chance(0.5) ? 'latin1' : 'utf8')
  try {
    const written = writeCloseBody(code as number, reason as string)
    check(typeof code === 'number' && isAllowed(code) && typeof reason === 'string', () => `${String(code)} is written`)
    check(written.length <= 125 && written.readUInt16BE(0) === code, () => `written: ${written.toString('hex')}`)
    check(isUtf8(written.subarray(2)), () => `not UTF-8: ${written.toString('hex')}`)
  } catch (error) {
    codeOf(error, TypeError, RangeError)
  }
}

export const close: Target = {
  name: 'close',
  settings: [''],
  unit: 'bodies',
  dictionary: NOT_UTF8,

  generate(random) {
    if (random.chance(0.05)) return random.bytes(random.int(3))
    const [first, last] = random.pick(RANGES)
    const code = random.chance(0.5) ? random.int(65_536) : random.between(first - 1, last + 1)
    const reason = random.pick(random.chance(0.7) ? TEXTS : NOT_UTF8)
    return Buffer.concat([Buffer.of(code >> 8, code), reason.subarray(0, random.between(0, 130))])
  },

  run(input, random) {
    const outcome = outcomeOf(input)
    check(outcome === expected(input.octets), () => `${outcome}, and it is ${expected(input.octets)}`)
    checkWriting(input.octets, random)
    const code = random.int(65_536)
    check(isSendableCloseCode(code) === isAllowed(code), () => `code ${code}`)
    return 1
  },

  outcome: outcomeOf,
}

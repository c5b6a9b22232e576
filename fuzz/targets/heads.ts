/** What request and response have in common: a head that comes in pieces is the same head, or the same error. */
import { HandshakeError } from '../../src/errors.ts'
import { HeadReader } from '../../src/handshake/index.ts'
import type { HeadLimits, Heads } from '../../src/handshake/index.ts'
import { readHead } from '../reference/heads.ts'
import { cutUp } from '../support/cuts.ts'
import type { Cuts } from '../support/cuts.ts'
import { check, codeOf } from './target.ts'

export interface HeadOutcome<Kind extends keyof Heads> {
  readonly head: Heads[Kind] | undefined
  readonly error: HandshakeError | undefined
  /** Octets of the head, up to its end or the octet that was refused. */
  readonly taken: number
}

export const SMALL_LIMITS: HeadLimits = { maxHeadSize: 400, maxStartLineSize: 40, maxFieldLineSize: 60, maxFields: 8 }

export function readInChunks<Kind extends keyof Heads>(
  kind: Kind,
  octets: Buffer,
  cuts: Cuts,
  limits?: HeadLimits,
): HeadOutcome<Kind> {
  const reader = new HeadReader(kind, limits)
  let taken = 0
  try {
    for (const chunk of cutUp(octets, cuts)) {
      const end = reader.read(chunk)
      taken += reader.taken
      check(reader.taken === (end < 0 ? chunk.length : end), () => 'an octet is not accounted for')
      // Chunks are only lent.
      chunk.fill(0x58)
      if (end >= 0) break
    }
  } catch (thrown) {
    codeOf(thrown, HandshakeError)
    taken += reader.taken
    check(reader.received.equals(octets.subarray(0, taken)), () => 'what was received is not what came')
    return { head: undefined, error: thrown as HandshakeError, taken }
  }
  check(reader.received.equals(octets.subarray(0, taken)), () => 'what was received is not what came')
  let head: Heads[Kind] | undefined
  try {
    head = reader.head
  } catch (thrown) {
    check(codeOf(thrown, TypeError) === 'ERR_WS_HEAD_INCOMPLETE', () => String(thrown))
  }
  return { head, error: undefined, taken }
}

/** Everything of it that two readings can be compared by. */
export function inWords({ head, error, taken }: HeadOutcome<keyof Heads>): string {
  if (error !== undefined) return `${error.code} ${error.status ?? ''} ${error.section} at ${taken}`
  if (head === undefined) return `incomplete after ${taken}`
  return JSON.stringify({ ...head, fields: [...head.fields], taken })
}

/** A head that is read is one by the grammar, with the same fields; one that is refused for its grammar is none. */
export function compareWithReference(kind: keyof Heads, octets: Buffer, outcome: HeadOutcome<keyof Heads>): void {
  const { head, error } = outcome
  const expected = readHead(kind, octets.toString('latin1'))
  if (head !== undefined) {
    const fields = JSON.stringify([...head.fields])
    check(expected !== undefined, () => `read, and not a head: ${inWords(outcome)}`)
    check(expected.length === outcome.taken, () => `${outcome.taken} octets taken of ${expected.length}`)
    check(
      JSON.stringify(expected.fields) === fields,
      () => `the fields are ${JSON.stringify(expected.fields)}: ${fields}`,
    )
  } else if (error?.code !== 'ERR_WS_HEAD_TOO_LARGE') {
    check(expected === undefined, () => `a head, and not read: ${inWords(outcome)}`)
  }
}

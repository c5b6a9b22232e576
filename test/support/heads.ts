/**
 * Runs a head through `HeadReader` in every way it may arrive: whole, cut in two at every offset, byte by byte, each with
 * and without bytes behind it. All ways must agree, and the reader must account for every byte; the outcome is returned.
 */

import { expect } from 'vitest'

import { HandshakeError } from '../../src/errors.ts'
import type { HeadLimits, Heads } from '../../src/handshake/index.ts'
import { HeadReader } from '../../src/handshake/index.ts'
import { failedHandshake } from './errors.ts'

export type HeadOutcome<Kind extends keyof Heads> =
  | { readonly kind: 'head'; readonly head: Heads[Kind]; readonly received: string }
  | { readonly kind: 'refused'; readonly code: string; readonly status: number | undefined; readonly received: string }
  | { readonly kind: 'incomplete'; readonly received: string }

const BEHIND = Buffer.from('\x81\x85GET / HTTP/1.1\r\n\r\n', 'latin1')
const LONGEST_CUT_EVERYWHERE = 1_500
const CUTS_OF_LONG = 20

export function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/** What comes of a head in these chunks. */
export function readChunks<Kind extends keyof Heads>(
  kind: Kind,
  chunks: readonly Buffer[],
  limits?: Partial<HeadLimits>,
): HeadOutcome<Kind> {
  const reader = new HeadReader(kind, limits)
  const all = Buffer.concat(chunks)
  let offset = 0
  for (const chunk of chunks) {
    const before = Buffer.from(chunk)
    try {
      const end = reader.read(chunk)
      if (!chunk.equals(before)) throw new Error('The chunk was changed.')
      if (reader.taken !== (end === -1 ? chunk.length : end)) throw new Error('A byte is not accounted for.')
      offset += reader.taken
      if (all.length <= LONGEST_CUT_EVERYWHERE) expect(reader.received.equals(all.subarray(0, offset))).toBe(true)
      if (end !== -1) return { kind: 'head', head: reader.head, received: reader.received.toString('latin1') }
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error
      expect(error).toEqual(failedHandshake(error.code, error.status))
      expect(reader.received.equals(all.subarray(0, offset + reader.taken))).toBe(true)
      return { kind: 'refused', code: error.code, status: error.status, received: reader.received.toString('latin1') }
    }
  }
  return { kind: 'incomplete', received: reader.received.toString('latin1') }
}

/** An outcome that can be compared: the fields as pairs. */
export function plain(outcome: HeadOutcome<keyof Heads>): unknown {
  return outcome.kind === 'head' ? { ...outcome, head: { ...outcome.head, fields: [...outcome.head.fields] } } : outcome
}

/** What comes of `text`, Latin-1, however it arrives. */
export function readEveryWay<Kind extends keyof Heads>(
  kind: Kind,
  text: string,
  limits?: Partial<HeadLimits>,
): HeadOutcome<Kind> {
  const bytes = latin1(text)
  const outcome = readChunks(kind, [bytes], limits)
  const expected = plain(outcome)
  const ways: Buffer[][] = [Array.from(bytes, (byte) => Buffer.of(byte))]
  const step = bytes.length > LONGEST_CUT_EVERYWHERE ? Math.floor(bytes.length / CUTS_OF_LONG) : 1
  for (let cut = 0; cut <= bytes.length; cut += step) ways.push([bytes.subarray(0, cut), bytes.subarray(cut)])
  if (outcome.kind !== 'incomplete') {
    ways.push([Buffer.concat([bytes, BEHIND])], [bytes.subarray(0, 1), Buffer.concat([bytes.subarray(1), BEHIND])])
  }
  for (const chunks of ways) expect(plain(readChunks(kind, chunks, limits))).toEqual(expected)
  return outcome
}

/** The head that `text` is, however it arrives. */
export function headOf<Kind extends keyof Heads>(kind: Kind, text: string, limits?: Partial<HeadLimits>): Heads[Kind] {
  const outcome = readEveryWay(kind, text, limits)
  if (outcome.kind !== 'head') throw new Error(`No head: ${JSON.stringify(outcome)}`)
  expect(outcome.received).toBe(text)
  return outcome.head
}

/** The code and status with which `text` is refused, however it arrives. */
export function refusalOf(kind: keyof Heads, text: string, limits?: Partial<HeadLimits>): [string, number | undefined] {
  const outcome = readEveryWay(kind, text, limits)
  if (outcome.kind !== 'refused') throw new Error(`Not refused: ${JSON.stringify(plain(outcome))}`)
  return [outcome.code, outcome.status]
}

/** The fields of an opening handshake that fits every rule. */
export const HANDSHAKE_FIELDS: ReadonlyArray<readonly [name: string, value: string]> = [
  ['Host', 'server.example.com'],
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ['Sec-WebSocket-Version', '13'],
]

/** That handshake as text, with some fields replaced (`undefined`: left out) and others added. */
export function handshake(
  changes: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  startLine = 'GET /chat HTTP/1.1',
): string {
  const fields = new Map<string, string | readonly string[] | undefined>([
    ...HANDSHAKE_FIELDS,
    ...Object.entries(changes),
  ])
  let text = `${startLine}\r\n`
  for (const [name, value] of fields) {
    for (const line of value === undefined ? [] : [value].flat()) text += `${name}: ${line}\r\n`
  }
  return `${text}\r\n`
}

/** Names that have a meaning for objects in JavaScript. */
export const OBJECT_NAMES: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'valueOf',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'toLocaleString',
  '__defineGetter__',
  '__lookupSetter__',
  'length',
]

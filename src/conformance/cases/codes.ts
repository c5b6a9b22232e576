/**
 * 28 All 65536 close codes, each on a connection of its own (RFC 6455 7.4).
 *
 * Nothing but the two Close frames goes over a connection once it is open, so that all of them take well under a minute.
 */
import type { Case, CloseRule } from '../case.ts'
import { answers, frame, refuses, sends } from './build.ts'

interface Range {
  readonly id: string
  readonly title: string
  readonly first: number
  readonly last: number
  readonly rule: (code: number) => CloseRule
}

/** The peer answers with the same code or with 1000. */
const known = (code: number): CloseRule => answers(1000, code)

/** The peer answers that the protocol is broken, or drops TCP. */
const unknown = (): CloseRule => refuses(1002)

/** No document says what it means, so the peer may take it for the one or for the other. */
const open = (code: number): CloseRule => refuses(1000, 1002, code)

const RANGES: readonly Range[] = [
  { id: '28.1', title: 'The codes 0 to 999, which are not used: refused', first: 0, last: 999, rule: unknown },
  { id: '28.2', title: 'The codes 1000 to 1003: answered', first: 1000, last: 1003, rule: known },
  {
    id: '28.3',
    title: 'The codes 1004 to 1006, which are never sent: refused',
    first: 1004,
    last: 1006,
    rule: unknown,
  },
  { id: '28.4', title: 'The codes 1007 to 1011: answered', first: 1007, last: 1011, rule: known },
  {
    id: '28.5',
    title: 'The codes 1012 to 1014, registered since: answered or refused',
    first: 1012,
    last: 1014,
    rule: open,
  },
  {
    id: '28.6',
    title: 'The codes 1015 to 2999, which nobody may use: refused',
    first: 1015,
    last: 2999,
    rule: unknown,
  },
  { id: '28.7', title: 'The codes 3000 to 3999, for libraries: answered', first: 3000, last: 3999, rule: known },
  { id: '28.8', title: 'The codes 4000 to 4999, for applications: answered', first: 4000, last: 4999, rule: known },
  {
    id: '28.9',
    title: 'The codes 5000 to 65535, of which nothing is said: answered or refused',
    first: 5000,
    last: 65_535,
    rule: open,
  },
]

export const codes: readonly Case[] = RANGES.map(({ id, title, first, last, rule }) => ({
  id,
  title,
  rule: 'RFC 6455 7.4',
  timeout: 1000,
  connections: last - first + 1,
  at: (turn) => ({ play: sends(frame.close(first + turn)), close: rule(first + turn) }),
  expect: { ok: [] },
}))

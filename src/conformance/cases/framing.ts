/** 1 Framing: text and binary messages whose lengths lie around those where the form of the header changes. */
import type { Case } from '../case.ts'
import { event, frame, repeat } from './build.ts'

/** Octets, and how many of them go to TCP at a time. */
const LENGTHS: readonly (readonly [length: number, chop?: number])[] = [
  [0],
  [125],
  [126],
  [127],
  [128],
  [65_535],
  [65_536],
  [65_536, 997],
]

function echoes(section: string, type: 'text' | 'binary', octet: string | Buffer): Case[] {
  return LENGTHS.map(([length, chop], at) => {
    const payload = repeat(octet, length)
    return {
      id: `${section}.${at + 1}`,
      title: `A ${type} message of ${length} octets${chop === undefined ? '' : `, ${chop} octets at a time`}: comes back`,
      rule: 'RFC 6455 5.2, 5.6',
      timeout: length < 65_535 ? 1000 : 10_000,
      play: (tester) => tester.send(frame[type](payload), chop === undefined ? {} : { chop }),
      expect: { ok: [event[type](payload)] },
    }
  })
}

export const framing: readonly Case[] = [...echoes('1.1', 'text', '*'), ...echoes('1.2', 'binary', Buffer.of(0xfe))]

import { describe, expect, it } from 'vitest'

import { BYTE_CLASSES, ByteClass } from '../../src/handshake/grammar.ts'
import { explain, LAST_RUN, NEXT, State } from '../../src/handshake/machine.ts'

const states = Object.entries(State)

describe('NEXT', () => {
  it('has a row for every state, and they do not overlap', () => {
    const rows = states.map(([, state]) => state / BYTE_CLASSES)
    expect(rows).toEqual(rows.map((_, index) => index))
    expect(NEXT).toHaveLength(states.length * BYTE_CLASSES)
  })

  it('leads to states only, and nowhere from the two ends', () => {
    const known = new Set<number>(Object.values(State))
    for (const next of NEXT) expect(known.has(next)).toBe(true)
    for (const end of [State.Done, State.Refused]) {
      for (let byteClass = 0; byteClass < BYTE_CLASSES; byteClass++) expect(NEXT[end + byteClass]).toBe(State.Refused)
    }
  })

  it('allows a control character nowhere, and LF only behind CR [9112-2.2-02] [9112-2.2-04]', () => {
    for (const [name, state] of states) {
      expect(NEXT[state + ByteClass.Control]).toBe(State.Refused)
      const isBehindCr = name === 'EmptyLine' || name === 'LineEnd' || name === 'HeadEnd'
      for (let byteClass = 0; byteClass < BYTE_CLASSES; byteClass++) {
        const isAllowed = NEXT[state + byteClass] !== State.Refused
        if (isBehindCr) expect(isAllowed, name).toBe(byteClass === ByteClass.LineFeed)
        else if (byteClass === ByteClass.LineFeed) expect(isAllowed, name).toBe(false)
      }
    }
  })

  it('stays in a state only in runs, all of which come first', () => {
    for (const [name, state] of states.slice(0, -1)) {
      const stays = [...NEXT.subarray(state, state + BYTE_CLASSES)].includes(state)
      expect(stays, name).toBe(state <= LAST_RUN)
    }
  })
})

describe('explain', () => {
  it('has a section and a sentence for every state', () => {
    for (const [, state] of states) {
      const [section, message] = explain(state)
      expect(section).toMatch(/^RFC 911[02] /)
      expect(message).toMatch(/^[A-Z][ -~]+\.$/)
    }
  })
})

/** The closing handshake as a table (RFC 6455 5.5.1, 7.1). */
import { describe, expect, it } from 'vitest'
import { ClosingHandshake } from '../../src/connection/closing.ts'
import type { CloseInitiator } from '../../src/errors.ts'
import { ROLES } from '../support/wire.ts'

describe('ClosingHandshake', () => {
  it('knows what follows, for both roles [6455:5.5.1-06] [6455:5.5.1-10] [6455:7.1.1-03] [6455:7.1.1-06]', () => {
    const steps = ROLES.map((role) =>
      [false, true].map((sent) =>
        [false, true].map((received) => {
          const closing = new ClosingHandshake('local')
          closing.sent = sent
          if (received) closing.receive(1000, '')
          return closing.step(role)
        }),
      ),
    )
    const table = (whenBoth: string): string[][] => [
      ['none', 'answer'],
      ['await-close', whenBoth],
    ]
    expect(steps).toEqual([table('end'), table('await-end')])
  })

  it('explains an end without any Close frame as 1006 [6455:7.1.5-i01] [6455:7.1.6-i01]', () => {
    for (const initiator of ['local', 'peer', 'network', 'timeout'] satisfies CloseInitiator[]) {
      expect(new ClosingHandshake(initiator).info).toEqual({ code: 1006, reason: '', wasClean: false, initiator })
    }
  })

  it('takes code and reason from the Close frame that came [6455:7.1.5-i01] [6455:7.1.6-i01]', () => {
    const closing = new ClosingHandshake('peer')
    closing.receive(4001, 'bye')
    expect(closing.info).toEqual({ code: 4001, reason: 'bye', wasClean: false, initiator: 'peer' })
  })

  it('calls an end clean when Close frames have crossed both ways, and only then [6455:7.1.4-i01]', () => {
    const closing = new ClosingHandshake('local')
    closing.sent = true
    expect(closing.info.wasClean).toBe(false)
    closing.receive(1005, '')
    expect(closing.info).toEqual({ code: 1005, reason: '', wasClean: true, initiator: 'local' })
  })

  it('tells the cause when there is one', () => {
    const closing = new ClosingHandshake('network')
    expect(closing.info).not.toHaveProperty('cause')
    closing.cause = new Error('reset')
    expect(closing.info.cause).toBe(closing.cause)
  })
})

/**
 * The closing handshake (RFC 6455 section 7) as a table: which of the two Close frames have crossed, and what follows.
 *
 *     Close sent   Close received   what follows
 *     no           no               nothing, the connection is open
 *     yes          no               wait for the peer's Close
 *     no           yes              answer it (5.5.1)
 *     yes          yes              the server ends TCP, so that it holds TIME_WAIT; the client waits for that (7.1.1)
 *
 * Beside it stands how the end came about, for the explanation that every close carries.
 */
import type { CloseInfo, CloseInitiator } from '../errors.ts'
import { CloseCode } from '../framing/index.ts'
import type { Role } from '../framing/index.ts'

export type ClosingStep = 'none' | 'await-close' | 'answer' | 'end' | 'await-end'

const STEPS: Record<Role, Record<'notSent' | 'sent', readonly [notReceived: ClosingStep, received: ClosingStep]>> = {
  server: { notSent: ['none', 'answer'], sent: ['await-close', 'end'] },
  client: { notSent: ['none', 'answer'], sent: ['await-close', 'await-end'] },
}

export class ClosingHandshake {
  sent = false
  received = false
  /** Who began the end; the first cause stays. */
  initiator: CloseInitiator
  cause: Error | undefined = undefined
  #code: number = CloseCode.AbnormalClosure
  #reason = ''

  constructor(initiator: CloseInitiator) {
    this.initiator = initiator
  }

  /** The peer's Close has come: its code and reason are those of the connection (7.1.5, 7.1.6). */
  receive(code: number, reason: string): void {
    this.received = true
    this.#code = code
    this.#reason = reason
  }

  step(role: Role): ClosingStep {
    return STEPS[role][this.sent ? 'sent' : 'notSent'][this.received ? 1 : 0]
  }

  /** 7.1.4: cleanly closed when TCP closed after the closing handshake had completed. */
  get info(): CloseInfo {
    const explained = {
      code: this.#code,
      reason: this.#reason,
      wasClean: this.sent && this.received,
      initiator: this.initiator,
    }
    return this.cause === undefined ? explained : { ...explained, cause: this.cause }
  }
}

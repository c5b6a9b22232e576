/** What a run tells: a verdict for every case, and the octets that led to it. */
import type { PeerEvent, Role } from './case.ts'

/** From good to bad. UNIMPLEMENTED is no failure. */
export type Verdict = 'OK' | 'INFORMATIONAL' | 'UNIMPLEMENTED' | 'NON-STRICT' | 'FAILED'

/** How the connection ended, beside how it should have. */
export type CloseVerdict =
  | 'OK'
  | 'INFORMATIONAL'
  | 'WRONG SIDE'
  | 'UNCLEAN'
  | 'WRONG CODE'
  | 'NOT DROPPED'
  | 'NO HANDSHAKE'

/** One thing that went over the wire, or that the tester has to say about it. */
export interface LogEntry {
  /** Milliseconds since the connection began. */
  readonly at: number
  readonly from: 'tester' | 'peer'
  /** `head`: of the opening handshake. `octets`: what is no frame. `end`: TCP was ended or dropped. `note`: a remark. */
  readonly kind: 'head' | 'frame' | 'octets' | 'end' | 'note'
  /** The first octets of it, as they went over the wire; empty for `end` and `note`. */
  readonly octets: Buffer
  /** How many octets it had in all. */
  readonly length: number
  /** For `end` and `note`: a sentence. */
  readonly text?: string
}

/** What a case found out. */
export interface CaseResult {
  readonly id: string
  readonly title: string
  readonly rule: string
  /** The worse of the two below. */
  readonly verdict: Verdict
  readonly behavior: Verdict
  readonly close: CloseVerdict
  /** One sentence: why it is not OK; empty when it is. */
  readonly explanation: string
  /** Milliseconds that it took. */
  readonly duration: number
  /** Where the case compares events: what would have been OK, and what came. */
  readonly expected?: readonly PeerEvent[]
  readonly received?: readonly PeerEvent[]
  /** Codes in the Close frames; 1005 stands for a Close without one, `undefined` for no Close. */
  readonly sentCode?: number
  readonly receivedCode?: number
  readonly receivedReason?: string
  /** The wire log of the connection that gave the verdict; of a long one its beginning and its end. */
  readonly log: readonly LogEntry[]
}

/** What a run found out. */
export interface Report {
  /** The peer's role, and what it calls itself or where it was found. */
  readonly peer: { readonly role: Role; readonly name: string }
  /** ISO 8601. */
  readonly startedAt: string
  /** Milliseconds. */
  readonly duration: number
  /** In the order of their numbers. */
  readonly results: readonly CaseResult[]
}

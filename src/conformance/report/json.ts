/**
 * A report as JSON, for other programs. Octets are hex strings without spaces. Fields are only ever added: `format` changes when
 * one goes away or gets another meaning.
 */
import type { PeerEvent } from '../case.ts'
import type { CaseResult, CloseVerdict, LogEntry, Report, Verdict } from '../result.ts'
import { totals } from './totals.ts'
import type { Totals } from './totals.ts'

/** What the object has in it. */
export interface JsonOptions {
  /** Wire logs of all cases; by default only of those that are not OK. */
  readonly allLogs?: boolean
}

/** A `Report`. */
export interface JsonReport {
  readonly format: 'fullduplex conformance 1'
  readonly peer: Report['peer']
  /** ISO 8601. */
  readonly startedAt: string
  /** Milliseconds, here and in each case. */
  readonly duration: number
  readonly totals: Totals
  readonly results: readonly JsonResult[]
}

/** A `CaseResult`. */
export interface JsonResult {
  readonly id: string
  readonly title: string
  readonly rule: string
  readonly verdict: Verdict
  readonly behavior: Verdict
  readonly close: CloseVerdict
  readonly explanation: string
  readonly duration: number
  readonly sentCode?: number
  readonly receivedCode?: number
  readonly receivedReason?: string
  /** Where the case compares events, and it is not OK. */
  readonly expected?: readonly JsonEvent[]
  readonly received?: readonly JsonEvent[]
  readonly log?: readonly JsonEntry[]
}

/** A `PeerEvent`. */
export type JsonEvent =
  | {
      readonly type: 'text' | 'binary' | 'ping' | 'pong'
      /** Octets of the payload. */
      readonly length: number
      /** The first 1024 of them. */
      readonly payload: string
    }
  | { readonly type: 'pause' }

/** A `LogEntry`. */
export interface JsonEntry {
  readonly at: number
  readonly from: LogEntry['from']
  readonly kind: LogEntry['kind']
  readonly length: number
  /** The first of them. */
  readonly octets: string
  readonly text?: string
}

/** Payloads of many megabytes help nobody. */
const LONGEST_PAYLOAD = 1024

/** The report as an object for `JSON.stringify`. */
export function toJson(report: Report, options: JsonOptions = {}): JsonReport {
  const { peer, startedAt, duration, results } = report
  return {
    format: 'fullduplex conformance 1',
    peer,
    startedAt,
    duration,
    totals: totals(report),
    results: results.map((result) => toJsonResult(result, options.allLogs ?? false)),
  }
}

function toJsonResult({ expected, received, log, ...rest }: CaseResult, allLogs: boolean): JsonResult {
  if (rest.verdict === 'OK' && !allLogs) return rest
  return {
    ...rest,
    ...(expected === undefined ? {} : { expected: expected.map(toJsonEvent) }),
    ...(received === undefined ? {} : { received: received.map(toJsonEvent) }),
    log: log.map(toJsonEntry),
  }
}

function toJsonEvent(event: PeerEvent): JsonEvent {
  if (event.type === 'pause') return { type: event.type }
  const { type, payload } = event
  return { type, length: payload.length, payload: payload.toString('hex', 0, LONGEST_PAYLOAD) }
}

function toJsonEntry({ at, from, kind, length, octets, text }: LogEntry): JsonEntry {
  return { at, from, kind, length, octets: octets.toString('hex'), ...(text === undefined ? {} : { text }) }
}

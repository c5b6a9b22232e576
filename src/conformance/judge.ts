/**
 * The two verdicts of a case, from what was seen on its connection: what the peer did, and how the connection ended.
 *
 * A pure function. The end is judged in a fixed order: was it the right side that closed first, was it clean, had the
 * peer's Close frame a code that it may have, did the peer end TCP where that was its turn.
 */
import { quote } from '../errors.ts'
import { PeerGone, Unexpected, Unimplemented } from './case.ts'
import type { Case, CloseRule, PeerEvent, Role } from './case.ts'
import { NO_CODE } from './receiver.ts'
import type { CloseVerdict, Verdict } from './result.ts'

/** What was seen on one connection of a case, once that was open. */
export interface Observation {
  /** In the order in which they came; where the case looks at events itself, those that it did not ask for. */
  readonly events: readonly PeerEvent[]
  readonly tester: Role
  /** Milliseconds until the tester would give up. */
  readonly limit: number
  /** What `play` threw. */
  readonly failure?: Error
  /** What the peer did that no peer may do. */
  readonly breach?: string | undefined
  readonly firstClose?: 'tester' | 'peer'
  /** As in `CaseResult`. */
  readonly sentCode?: number
  readonly receivedCode?: number
  readonly receivedReason?: string
  /** Who ended TCP; `tester` only where it was not the tester's turn. */
  readonly dropped?: 'tester' | 'peer'
  /** The tester waited in vain, or saw a breach. */
  readonly gaveUp?: boolean
}

export interface Judgement {
  readonly verdict: Verdict
  readonly behavior: Verdict
  readonly close: CloseVerdict
  readonly explanation: string
}

const ORDER: readonly Verdict[] = ['OK', 'INFORMATIONAL', 'UNIMPLEMENTED', 'NON-STRICT', 'FAILED']

/** A verdict and why it is not OK. */
type Finding<V> = readonly [verdict: V, why: string]

/** Where the case says nothing else the tester closes with 1000, and the peer answers it. */
const TESTER_CLOSES: CloseRule = { by: 'tester', codes: [1000], clean: true }

/** How a connection has to end; one with a peer that does not do what the case is about ends as usual. */
export function ruleOf({ close }: Case, failure: Error | undefined): CloseRule {
  return close === undefined || failure instanceof Unimplemented ? TESTER_CLOSES : close
}

export function judge(testCase: Case, seen: Observation): Judgement {
  if (testCase.informational === true) {
    return {
      verdict: 'INFORMATIONAL',
      behavior: 'INFORMATIONAL',
      close: 'INFORMATIONAL',
      explanation: describeEnd(seen),
    }
  }
  const rule = ruleOf(testCase, seen.failure)
  const [close, whyClose] = judgeClose(rule, seen)
  let [behavior, whyBehavior] = judgeBehavior(testCase, rule, seen)
  const decisive = (rule.codeMatters && close === 'WRONG CODE') || (rule.sideMatters && close === 'WRONG SIDE')
  if (decisive === true && behavior !== 'FAILED') [behavior, whyBehavior] = ['FAILED', '']
  // A connection that the tester had to fail ends in no way that is worth a word.
  const explanation = [whyBehavior, seen.breach === undefined ? whyClose : ''].filter((why) => why !== '').join('; ')
  return { verdict: worse(behavior, close === 'OK' ? 'OK' : 'FAILED'), behavior, close, explanation }
}

/** No connection came about, so there is nothing to be seen. */
export function judgeUnopened(explanation: string): Judgement {
  return { verdict: 'FAILED', behavior: 'FAILED', close: 'NO HANDSHAKE', explanation }
}

export function worse(a: Verdict, b: Verdict): Verdict {
  return ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b
}

export function sameEvents(a: readonly PeerEvent[], b: readonly PeerEvent[]): boolean {
  return a.length === b.length && a.every((event, i) => sameEvent(event, b[i]))
}

function sameEvent(a: PeerEvent, b: PeerEvent): boolean {
  if (a.type === 'pause' || b.type === 'pause') return a.type === b.type
  return a.type === b.type && a.payload.equals(b.payload)
}

function judgeBehavior({ expect }: Case, rule: CloseRule, seen: Observation): Finding<Verdict> {
  const { events, failure, breach } = seen
  if (breach !== undefined) return ['FAILED', `the peer broke a rule that holds always: ${breach}`]
  if (failure instanceof Unimplemented) return ['UNIMPLEMENTED', failure.message]
  if (failure instanceof Unexpected) return ['FAILED', failure.message]
  const gone = failure === undefined || failure instanceof PeerGone
  if (!gone) return ['FAILED', `the tester failed: ${failure.message}`]
  if (expect !== undefined) {
    if (sameEvents(events, expect.ok)) return ['OK', '']
    const difference = describeDifference(expect.ok, seen)
    if (expect.nonStrict === undefined || !sameEvents(events, expect.nonStrict)) return ['FAILED', difference]
    return ['NON-STRICT', `${difference}, which is allowed, but not the best`]
  }
  // How it ended is told by the other verdict.
  if (failure !== undefined) return ['FAILED', 'expected more from the peer before the end']
  if (rule.by !== 'peer' && events.length > 0) {
    return ['FAILED', `expected nothing more, but there came ${describeEvents(events)}`]
  }
  return ['OK', '']
}

function judgeClose(rule: CloseRule, seen: Observation): Finding<CloseVerdict> {
  const { tester, sentCode, receivedCode, dropped } = seen
  const wanted = `a Close frame with ${describeCodes(rule.codes)} or without a code`
  // A peer that has to fail the connection may do so without a Close frame (RFC 6455 7.1.7).
  const first = seen.firstClose ?? (dropped === 'tester' ? 'tester' : 'peer')
  if (rule.by !== 'either' && first !== rule.by) {
    const want = rule.by === 'tester' ? 'the connection to stay open' : `${wanted}, or the end of TCP`
    return ['WRONG SIDE', `expected ${want}, but ${describeEnd(seen)}`]
  }
  const crossed = sentCode !== undefined && receivedCode !== undefined
  const clean = crossed && (tester === 'server' || dropped === 'peer')
  if (rule.clean && !clean) return ['UNCLEAN', `expected ${wanted} and the end of TCP, but ${describeEnd(seen)}`]
  if (receivedCode !== undefined && receivedCode !== NO_CODE && !rule.codes.includes(receivedCode)) {
    return ['WRONG CODE', `expected ${wanted}, but ${describeEnd(seen)}`]
  }
  // The server ends TCP (7.1.1); a client may leave that to the server, but not before it has sent its Close frame.
  if (rule.by !== 'either' && dropped === 'tester' && (tester === 'client' || receivedCode === undefined)) {
    return ['NOT DROPPED', `expected the end of TCP, but ${describeEnd(seen)}`]
  }
  return ['OK', '']
}

/** How the connection ended, as a clause. */
function describeEnd(seen: Observation): string {
  const { receivedCode, receivedReason = '', dropped, sentCode, firstClose, limit, breach } = seen
  const reason = receivedReason === '' ? '' : ` and the reason ${quote(receivedReason)}`
  const code = receivedCode === NO_CODE ? 'without a code' : `with ${receivedCode}`
  if (seen.gaveUp === true) {
    return breach === undefined
      ? `the connection was still open when the tester gave up after ${seconds(limit)}`
      : 'the tester failed the connection'
  }
  if (receivedCode === undefined) {
    if (dropped !== 'peer') return 'the peer answered the Close frame neither with one nor with the end of TCP'
    return sentCode === undefined ? 'the peer ended TCP' : 'the peer ended TCP without a Close frame'
  }
  const who = firstClose === 'peer' ? 'the peer closed by itself with' : 'the peer answered with'
  const drop = dropped === 'tester' ? ' and did not end TCP' : ''
  return `${who} a Close frame ${code}${reason}${drop}`
}

function describeDifference(ok: readonly PeerEvent[], { events, gaveUp, limit }: Observation): string {
  if (ok.length > 0 && [...ok, ...events].every(isPause)) {
    return `expected the connection to fail behind part ${ok.length + 1} of what was sent, but it was part ${events.length + 1}`
  }
  const nothing = gaveUp === true ? `nothing came within ${seconds(limit)}` : 'nothing came'
  return `expected ${describeEvents(ok)}, but ${events.length === 0 ? nothing : `there came ${describeEvents(events)}`}`
}

function isPause({ type }: PeerEvent): boolean {
  return type === 'pause'
}

function describeCodes(codes: readonly number[]): string {
  return codes.join(' or ')
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`
}

/** Events that are told one by one. */
const TOLD = 4

export function describeEvents(events: readonly PeerEvent[]): string {
  if (events.length === 0) return 'neither a message nor a Pong'
  const told = events.slice(0, TOLD).map(describeEvent)
  if (events.length > TOLD) told.push(`${events.length - TOLD} more`)
  return told.join(', then ')
}

function describeEvent(event: PeerEvent): string {
  if (event.type === 'pause') return 'the end of a pause'
  const what = { text: 'the text', binary: 'the binary message', ping: 'a Ping', pong: 'a Pong' }[event.type]
  const control = event.type === 'ping' || event.type === 'pong'
  const { payload } = event
  const within = control && payload.length > 0 && payload.length <= EXCERPT ? ' with' : ''
  return `${what}${within} ${describeOctets(payload, event.type === 'binary')}`
}

const EXCERPT = 24

/** Few octets as they are, many with their number. */
export function describeOctets(octets: Buffer, binary = false): string {
  if (octets.length === 0) return 'of no octets'
  const excerpt = octets.subarray(0, EXCERPT)
  const text = binary ? excerpt.toString('hex') : quote(excerpt.toString())
  return octets.length <= EXCERPT ? text : `of ${octets.length} octets that begins with ${text}`
}

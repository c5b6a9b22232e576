/**
 * One connection of a case from its TCP connection to its result; and what several connections of a case come to.
 * Settles always, and never badly: whatever the peer does is a result.
 */
import type { Socket } from 'node:net'
import type { Case, Role } from './case.ts'
import { TesterDeflate } from './deflate.ts'
import { judge, judgeUnopened, worse } from './judge.ts'
import type { Judgement, Observation } from './judge.ts'
import { WireLog } from './log.ts'
import { openAsClient, openAsServer } from './opening.ts'
import type { Opened, Target } from './opening.ts'
import type { CaseResult } from './result.ts'
import { CaseTester } from './tester.ts'

/** Which case, which of its connections (from 0), and what every time limit is multiplied by. */
export interface Turn {
  readonly testCase: Case
  readonly turn: number
  readonly timeoutFactor: number
}

/** The tester is the client, on a socket that is connected. */
export async function playAsClient(socket: Socket, target: Target, turn: Turn): Promise<CaseResult> {
  const log = new WireLog()
  return play(socket, 'client', await openAsClient(socket, target, turn.testCase, log, turn.timeoutFactor), turn, log)
}

/** The tester is the server, and has read the head of a request. */
export async function playAsServer(
  socket: Socket,
  read: { readonly head: string; readonly rest: Buffer },
  turn: Turn,
): Promise<CaseResult> {
  const log = new WireLog()
  return play(socket, 'server', await openAsServer(socket, read, turn.testCase, log, turn.timeoutFactor), turn, log)
}

/** No connection came about. */
export function unopened(testCase: Case, why: string): CaseResult {
  const log = new WireLog()
  log.tell('tester', 'note', why)
  return resultOf(testCase, judgeUnopened(why), log)
}

async function play(socket: Socket, role: Role, opened: Opened, turn: Turn, log: WireLog): Promise<CaseResult> {
  const testCase = { ...turn.testCase, ...turn.testCase.at?.(turn.turn) }
  const fail = (why: string): CaseResult => {
    log.tell('tester', 'note', why)
    socket.destroy()
    return resultOf(testCase, judgeUnopened(why), log)
  }
  if (opened.outcome === 'problem') return fail(opened.why)
  if (opened.outcome === 'refused') {
    log.tell('tester', 'note', 'the peer refused the opening handshake, as it may here')
    socket.destroy()
    return resultOf(testCase, { verdict: 'OK', behavior: 'OK', close: 'OK', explanation: '' }, log)
  }
  const { peerHead, extensions, rest } = opened
  let inflater: TesterDeflate | undefined = undefined
  try {
    if (extensions !== '') inflater = new TesterDeflate(extensions, role)
  } catch (error) {
    // The tester's own answer may be wrong on purpose; that of a server may not (RFC 7692 5.1).
    const why = `the server's answer to the extensions is no good: ${(error as Error).message}`
    if (role === 'client') return fail(why)
  }
  const tester = new CaseTester({ socket, role, ...turn, testCase, peerHead, extensions, rest, log, inflater })
  const seen = await tester.run()
  return resultOf(testCase, judge(testCase, seen), log, seen)
}

function resultOf(
  { id, title, rule, expect }: Case,
  judgement: Judgement,
  log: WireLog,
  { sentCode, receivedCode, receivedReason, events = [] }: Partial<Observation> = {},
): CaseResult {
  return {
    id,
    title,
    rule,
    ...judgement,
    duration: log.elapsed,
    ...(expect === undefined ? {} : { expected: expect.ok, received: events }),
    ...(sentCode === undefined ? {} : { sentCode }),
    ...(receivedCode === undefined ? {} : { receivedCode }),
    ...(receivedReason === undefined ? {} : { receivedReason }),
    log: log.entries,
  }
}

/** Two connections of one case: the worse result, and the time of both. */
export function merge(before: CaseResult | undefined, result: CaseResult): CaseResult {
  if (before === undefined) return result
  const worst = worse(before.verdict, result.verdict) === before.verdict ? before : result
  return { ...worst, duration: before.duration + result.duration }
}

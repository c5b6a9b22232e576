/** Differences about headers: what they may say, and when that is looked at. */
import type { Rule } from '../compare.ts'
import { CLOSE, structureOf } from '../structure.ts'
import type { HeaderFault } from '../structure.ts'
import { MAX_MESSAGE_SIZE } from '../verdict.ts'
import { JAVASCRIPT, PYTHON, failed, headerRefused, messageBefore, messageBegunBefore } from './look.ts'

/** Who takes which fault of a header for none. */
const TOLERATED: ReadonlyMap<HeaderFault, readonly string[]> = new Map<HeaderFault, readonly string[]>([
  ['not minimal', ['ws', 'undici', 'websockets']],
  ['too big', ['wsproto']],
  ['rsv1 misplaced', ['undici']],
  ['nothing to continue', ['undici']],
  ['empty fragments', [...JAVASCRIPT, ...PYTHON]],
])

/** What the header of a frame says, and websockets looks at when its payload is there. */
const JUDGED_LATE: ReadonlySet<HeaderFault> = new Set<HeaderFault>([
  'rsv1',
  'rsv1 misplaced',
  'rsv2 or rsv3',
  'fragmented control',
  'long control',
  'interleaved',
  'nothing to continue',
])

/** A header with `fault`, which we refuse and `peers` take; not when it has another fault that they refuse, too. */
function tolerated(fault: HeaderFault, name: string, reason: string, whose: Rule['whose'] = 'theirs'): Rule {
  return {
    name,
    peers: TOLERATED.get(fault) ?? [],
    whose,
    reason,
    explains(c) {
      const frame = headerRefused(c)
      if (frame === undefined || !frame.faults.includes(fault) || !c.theyWentOn) return false
      const all = frame.faults.every((one) => TOLERATED.get(one)?.includes(c.peer) === true)
      if (fault === 'nothing to continue' && messageBefore(c, frame)?.compressed !== true) return false
      return all && (c.theirs.end === 'open' || c.theirs.taken > frame.payloadStart || c.theirs.taken >= frame.end)
    },
  }
}

export const headerRules: readonly Rule[] = [
  tolerated(
    'not minimal',
    'length not minimal',
    'They take a payload length in more octets than it needs; RFC 6455 5.2 demands the fewest, and we fail with 1002.',
  ),
  tolerated(
    'too big',
    'no limit',
    'It has no limit for the size of a message; we fail with 1009 as soon as a header announces too much.',
    'intended',
  ),
  tolerated(
    'empty fragments',
    'empty fragments',
    'They take any number of empty fragments; we fail with 1008 beyond 1,024 in a row, which carry nothing and cost time.',
    'intended',
  ),
  tolerated(
    'nothing to continue',
    'continuation of a compressed message',
    'Behind a compressed message it takes a continuation frame that continues nothing; RFC 6455 5.4 forbids it.',
  ),
  tolerated(
    'rsv1 misplaced',
    'RSV1 misplaced',
    'It takes RSV1 on control frames and continuations where compression was agreed upon; RFC 7692 6.1 forbids it.',
  ),
  {
    name: 'header cut off',
    peers: [...JAVASCRIPT, ...PYTHON],
    whose: 'intended',
    reason: 'They judge a header by its first octets; we wait for all of it, which takes at most twelve octets more.',
    explains(c) {
      const { rest } = c.structure
      if (c.ours.end !== 'open' || !failed(c.theirs.end) || rest.length < 2) return false
      if (c.theirs.taken <= c.stream.octets.length - rest.length) return false
      const whole = Buffer.concat([c.stream.octets, Buffer.alloc(12)])
      const { frames } = structureOf({ ...c.stream, octets: whole })
      return frames[c.structure.frames.length].faults.length > 0 && c.weWentOn && c.theyWentOn
    },
  },
  {
    name: 'several faults',
    peers: [...JAVASCRIPT, 'websockets'],
    whose: 'intended',
    reason: 'A header with several faults fails the connection with the code of the one that is looked for first.',
    explains(c) {
      const frame = headerRefused(c)
      if (frame === undefined || frame !== c.theirFrame || frame.faults.length < 2) return false
      return c.weWentOn && c.theyWentOn && frame.faults.includes('too big') && c.theirs.end === 'failed 1009'
    },
  },
  {
    name: 'header judged with its payload',
    peers: ['websockets'],
    whose: 'intended',
    reason: 'It judges reserved bits, control frames and fragmentation when the payload is there; we do by the header.',
    explains(c) {
      const frame = headerRefused(c)
      if (frame === undefined || !c.weWentOn || !c.theyWentOn) return false
      if (!frame.faults.some((fault) => JUDGED_LATE.has(fault))) return false
      if (c.theirs.end === 'open') return !frame.complete
      return c.theirFrame === frame && c.theirs.taken === frame.end && failed(c.theirs.end)
    },
  },
  {
    name: 'fragmentation judged with the payload',
    peers: ['wsproto'],
    whose: 'intended',
    reason:
      'It judges the order of fragments when an octet of the payload is there, and, where a message is compressed, has been inflated; we do by the header.',
    explains(c) {
      const frame = headerRefused(c)
      if (frame === undefined || !c.weWentOn || !c.theyWentOn) return false
      if (!frame.faults.includes('interleaved') && !frame.faults.includes('nothing to continue')) return false
      if (c.theirs.end === 'open') return frame.length > 0n && frame.payload.length === 0
      const around = [messageBegunBefore(c, frame), messageBefore(c, frame)]
      const isInflated = c.theirs.end === 'failed 1007' && around.some((one) => one?.compressed === true)
      return (c.theirs.end === 'failed 1002' || isInflated) && c.theirs.taken === frame.payloadStart + 1
    },
  },
  {
    name: 'limit for control frames',
    peers: ['undici', 'websockets'],
    whose: 'theirs',
    reason:
      'They hold control frames, and frames that are wrong otherwise, to what the message around them may still have, and fail with 1009; we look at the rules first, and control frames are no part of a message.',
    explains(c) {
      const { theirFrame: frame } = c
      if (frame === undefined || c.theirs.end !== 'failed 1009' || !c.weWentOn) return false
      if (c.ours.end !== 'open' && c.ours.taken < c.theirs.taken) return false
      const { frames } = c.structure
      const at = frames.indexOf(frame)
      const around = frame.inMessage ? messageBegunBefore(c, frame) : undefined
      let size = Number(frame.length)
      for (const index of around?.frames ?? []) if (index < at) size += Number(frames[index].length)
      // undici adds to what has come out of a compressed message.
      const counted = size > MAX_MESSAGE_SIZE || (c.peer === 'undici' && around?.compressed === true)
      return counted && (frame.opcode >= CLOSE || frame.faults.includes('interleaved'))
    },
  },
]

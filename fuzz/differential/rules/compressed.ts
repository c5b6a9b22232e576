/** Differences about compressed messages (RFC 7692). */
import type { Case, Rule } from '../compare.ts'
import { deflations } from '../deflation.ts'
import { CLOSE } from '../structure.ts'
import type { StreamMessage } from '../structure.ts'
import { MAX_MESSAGE_SIZE } from '../verdict.ts'
import type { End } from '../verdict.ts'
import {
  JAVASCRIPT,
  PYTHON,
  endOf,
  endedBefore,
  messageOf,
  partingDeflation,
  partingEvent,
  partingMessage,
} from './look.ts'

/** Whether control frames stand between the frames of a message. */
function isInterrupted({ frames }: StreamMessage, { structure }: Case): boolean {
  const first = frames[0]
  const after = frames.length - 1
  return frames[after] - first > after || (structure.frames[first + 1]?.opcode ?? 0) >= CLOSE
}

export const compressedRules: readonly Rule[] = [
  {
    name: 'invalid DEFLATE is 1002',
    peers: ['websockets'],
    whose: 'intended',
    reason: 'It fails with 1002 for what is not DEFLATE; we fail with 1007, as most do. RFC 7692 names no code.',
    explains(c) {
      if (c.ours.end !== 'failed 1007' || c.theirs.end !== 'failed 1002' || partingDeflation(c) !== 'invalid') {
        return false
      }
      return c.ours.taken === c.theirs.taken && c.weWentOn && c.theyWentOn
    },
  },
  {
    name: 'DEFLATE cut off',
    peers: [...JAVASCRIPT, ...PYTHON],
    whose: 'theirs',
    reason:
      'They take a compressed message that ends within a block for what has come out of it; we fail with 1007, as the rest is missing.',
    explains(c) {
      if (partingDeflation(c) !== 'cut' || c.ours.end !== 'failed 1007' || !c.theyWentOn) return false
      return messageOf(c, c.ourFrame) === partingMessage(c)
    },
  },
  {
    name: 'control frame within a compressed message',
    peers: ['wsproto'],
    whose: 'theirs',
    reason:
      'It forgets that a message is compressed when a control frame comes between its fragments, which RFC 6455 5.4 allows, and hands on the rest as it came.',
    explains(c) {
      const message = partingMessage(c) ?? messageOf(c, c.theirFrame)
      if (message?.compressed !== true) return false
      const until = c.structure.messages.indexOf(message)
      return c.structure.messages.slice(0, until + 1).some((one) => one.compressed && isInterrupted(one, c))
    },
  },
  {
    name: 'exception for invalid DEFLATE',
    peers: ['autobahn'],
    whose: 'theirs',
    reason:
      'It lets the exception of zlib through, and the connection is neither failed nor closed; we fail with 1007.',
    explains(c) {
      const message = partingMessage(c)
      if (c.theirs.end !== 'threw error' || !c.weWentOn || message === undefined) return false
      if (messageOf(c, c.theirFrame) !== message || partingDeflation(c) !== 'invalid') return false
      const end = endOf(c, message)
      // What is too large may be invalid, too.
      const codes: readonly End[] = ['failed 1007', 'failed 1009']
      return endedBefore(end, c.ours, c.ourFrame) || (c.ours.taken === end && codes.includes(c.ours.end))
    },
  },
  {
    name: 'DEFLATE completed by the tail',
    peers: ['autobahn'],
    whose: 'theirs',
    reason:
      'It drops what comes out of the four octets that RFC 7692 7.2.2 has a receiver put behind a message; we hand on that, too, where a block goes on into them.',
    explains(c) {
      const at = partingEvent(c)
      if (partingDeflation(c) !== 'completed' || at >= c.theirs.events.length) return false
      if (at < c.ours.events.length) return c.ours.events[at].startsWith(c.theirs.events[at])
      return c.ours.end === 'failed 1007' && c.theyWentOn
    },
  },
  {
    name: 'no limit once inflated',
    peers: ['wsproto', 'autobahn'],
    whose: 'intended',
    reason:
      'They hold only what comes over the wire to a limit, or nothing; we fail with 1009 for what becomes too large.',
    explains(c) {
      const message = partingMessage(c)
      if (message === undefined || partingDeflation(c) !== 'large' || c.ours.end !== 'failed 1009') return false
      return c.ours.taken === endOf(c, message) && c.theyWentOn
    },
  },
  {
    name: 'DEFLATE judged earlier',
    peers: [...JAVASCRIPT, 'websockets', 'wsproto'],
    whose: 'intended',
    reason:
      'They inflate each frame as it comes; we inflate a message when all of it is there, and fail with 1007 or 1009 then.',
    explains(c) {
      const message = partingMessage(c)
      const deflation = partingDeflation(c)
      if (message === undefined || (deflation !== 'large' && deflation !== 'invalid')) return false
      // What is too large may be invalid, too.
      const codes = new Set<End>([
        'failed 1009',
        'failed 1007',
        c.peer === 'websockets' ? 'failed 1002' : 'failed 1007',
      ])
      if (!codes.has(c.theirs.end) || !c.weWentOn) return false
      const end = endOf(c, message)
      if (messageOf(c, c.theirFrame) !== message) return false
      // What is not earlier is another rule's.
      const isSame = c.theirs.taken === c.ours.taken && c.ours.end !== 'open'
      if (c.theirs.end === 'failed 1002' && isSame) return false
      return endedBefore(end, c.ours, c.ourFrame) || (c.ours.taken === end && codes.has(c.ours.end))
    },
  },
  {
    name: 'context that was to be dropped',
    peers: ['undici'],
    whose: 'theirs',
    reason:
      'It keeps the context of a server that agreed to drop it (RFC 7692 7.1.1.1), so that messages which refer to one another go unnoticed; we fail with 1007.',
    explains(c) {
      const message = partingMessage(c)
      if (message === undefined || partingDeflation(c) !== 'invalid' || c.ours.end !== 'failed 1007') return false
      const kept = deflations(c.structure, 'context').get(message)
      return c.stream.deflate === 'single' && kept !== 'invalid' && c.theyWentOn
    },
  },
  {
    name: 'final block',
    peers: [...JAVASCRIPT, ...PYTHON],
    whose: 'theirs',
    reason:
      'They drop what follows a final block in a message, and what later messages could refer to; RFC 7692 7.2.3.4 and 7.2.3.5 allow more blocks there, which we inflate, or fail for with 1007.',
    explains(c) {
      const message = partingMessage(c)
      if (message?.compressed !== true) return false
      const at = partingEvent(c)
      const before = c.structure.messages.slice(0, c.structure.messages.indexOf(message))
      const found = deflations(c.structure, c.stream.deflate)
      const lasts = c.stream.deflate === 'context' || c.peer === 'undici'
      // What they make of the message itself is the beginning of what it is, or put together of what each fragment begins with.
      const both = at < c.theirs.events.length && at < c.ours.events.length
      const begun = !both || message.frames.length > 1 || c.ours.events[at].startsWith(c.theirs.events[at])
      return (found.get(message) === 'ended' && begun) || (lasts && before.some((one) => found.get(one) === 'ended'))
    },
  },
  {
    name: 'limit of compressed octets',
    peers: [...JAVASCRIPT, 'websockets', 'autobahn'],
    whose: 'intended',
    reason:
      'They hold the compressed octets of a message to the limit; we leave them a sixteenth more, as what cannot be compressed may grow, and hold what comes out of them to it.',
    explains(c) {
      const { theirFrame: frame } = c
      if (c.theirs.end !== 'failed 1009' || frame?.compressed !== true || frame.faults.includes('too big')) return false
      const message = messageOf(c, frame)
      const index = c.structure.frames.indexOf(frame)
      const frames = message?.frames.filter((one) => one <= index).map((one) => c.structure.frames[one]) ?? []
      let size = 0
      for (const { length } of frames) size += Number(length)
      // undici adds the compressed octets of a fragment to those that came out of the ones before it.
      const counted = size > MAX_MESSAGE_SIZE || (c.peer === 'undici' && frames.length > 1)
      return counted && c.weWentOn && (c.ours.end === 'open' || c.ours.taken >= c.theirs.taken)
    },
  },
]

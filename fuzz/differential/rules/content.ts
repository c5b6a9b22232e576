/** Differences about what messages and Close frames hold: text, codes, reasons. */
import { partOf } from '../compare.ts'
import type { Rule } from '../compare.ts'
import { CLOSE, closeFault } from '../structure.ts'
import { closed } from '../verdict.ts'
import { JAVASCRIPT, endOf, endedBefore, isData, messageOf } from './look.ts'

export const contentRules: readonly Rule[] = [
  {
    name: 'text judged later',
    peers: [...JAVASCRIPT, 'websockets', 'wsproto'],
    whose: 'intended',
    reason:
      'They look for invalid UTF-8 when a message, a frame or a character has ended; we fail at the first octet that cannot be text.',
    explains(c) {
      const message = messageOf(c, c.ourFrame)
      if (c.ours.end !== 'failed 1007' || message?.isText !== true || message.compressed) return false
      if (!c.theyWentOn || c.theirs.events.slice(c.ours.events.length).some((event) => isData(event))) return false
      const end = endOf(c, message)
      if (endedBefore(end, c.theirs, c.theirFrame)) return true
      return c.theirs.taken === end && c.theirs.end === 'failed 1007'
    },
  },
  {
    name: 'compressed text judged earlier',
    peers: ['websockets', 'wsproto', 'autobahn'],
    whose: 'intended',
    reason: 'They look at compressed text as it comes; we inflate a message when all of it is there, and look then.',
    explains(c) {
      const message = messageOf(c, c.theirFrame)
      if (c.theirs.end !== 'failed 1007' || message?.isText !== true || !message.compressed) return false
      if (!c.weWentOn || (c.ours.end !== 'open' && c.ours.taken < c.theirs.taken)) return false
      // We do not take it for text either.
      const end = endOf(c, message)
      if (endedBefore(end, c.ours, c.ourFrame)) return true
      return c.ours.taken === end && c.ours.end === 'failed 1007'
    },
  },
  {
    name: 'Close within a message',
    peers: ['websockets'],
    whose: 'theirs',
    reason:
      'It fails with 1002 when a Close comes between the fragments of a message; RFC 6455 5.4 allows control frames there.',
    explains(c) {
      const { ourFrame: frame } = c
      if (frame?.opcode !== CLOSE || !frame.inMessage || c.theirFrame !== frame) return false
      return c.ours.end.startsWith('closed') && c.theirs.end === 'failed 1002' && c.weWentOn && c.theyWentOn
    },
  },
  {
    name: 'code 1014',
    peers: ['wsproto', 'autobahn'],
    whose: 'theirs',
    reason: 'They do not know the close code 1014, which the IANA registry has, and fail with 1002.',
    explains(c) {
      const { ourFrame: frame } = c
      if (frame?.opcode !== CLOSE || frame !== c.theirFrame || !c.weWentOn || !c.theyWentOn) return false
      if (c.theirs.end !== 'failed 1002' || frame.payload.toString('hex', 0, 2) !== '03f6') return false
      return c.ours.end === closed(1014, frame.payload.subarray(2)) || c.ours.end === 'failed 1007'
    },
  },
  {
    name: 'Close of one octet',
    peers: ['ws', 'autobahn'],
    whose: 'intended',
    reason: 'They refuse a Close of one octet by its header; we do when that octet is there.',
    explains(c) {
      const { theirFrame: frame } = c
      const { rest } = c.structure
      if (!c.weWentOn || !c.theyWentOn || c.theirs.end !== 'failed 1002') return false
      if (frame === undefined) return c.ours.end === 'open' && (rest[0] & 0x0f) === CLOSE && (rest[1] & 0x7f) === 1
      if (frame.opcode !== CLOSE || frame.length !== 1n || partOf(frame, c.theirs.taken) !== 'header') return false
      return c.ours.end === 'open' ? !frame.complete : c.ours.end === 'failed 1002' && c.ours.taken === frame.end
    },
  },
  {
    name: 'Close with two faults',
    peers: ['websockets'],
    whose: 'intended',
    reason:
      'Of a Close whose code and reason are both invalid it names the reason, with 1007; we name the code, with 1002.',
    explains(c) {
      const { ourFrame: frame } = c
      if (frame?.opcode !== CLOSE || frame !== c.theirFrame || closeFault(frame.payload) !== 'close code') return false
      const reason = Buffer.concat([Buffer.from([3, 232]), frame.payload.subarray(2)])
      const both = closeFault(reason) === 'close reason'
      return both && c.ours.end === 'failed 1002' && c.theirs.end === 'failed 1007' && c.weWentOn && c.theyWentOn
    },
  },
  {
    name: 'mark at the beginning of a reason',
    peers: ['undici'],
    whose: 'theirs',
    reason:
      'It drops a byte order mark at the beginning of the reason of a Close, as a browser does; we hand on what came.',
    explains(c) {
      const { ourFrame: frame } = c
      if (frame?.opcode !== CLOSE || frame !== c.theirFrame || !c.weWentOn || !c.theyWentOn) return false
      if (frame.payload.toString('hex', 2, 5) !== 'efbbbf') return false
      return c.theirs.end === closed(frame.payload.readUInt16BE(0), frame.payload.subarray(5))
    },
  },
]

/** What rules ask about a difference: where in the stream the verdicts part, and what stands there. */
import type { Case } from '../compare.ts'
import { deflations } from '../deflation.ts'
import type { Deflation } from '../deflation.ts'
import type { StreamFrame, StreamMessage } from '../structure.ts'
import type { Verdict } from '../verdict.ts'

/** Who is in this process, and who is not. */
export const JAVASCRIPT: readonly string[] = ['ws', 'undici']
export const PYTHON: readonly string[] = ['websockets', 'wsproto', 'autobahn']

/** The frame whose header we fail the connection for, where the stream says that we have to. */
export function headerRefused({ ours, ourFrame }: Case): StreamFrame | undefined {
  const refused = ['failed 1002', 'failed 1008', 'failed 1009'].includes(ours.end)
  if (!refused || ourFrame === undefined || ourFrame.faults.length === 0) return undefined
  return ours.taken === ourFrame.payloadStart ? ourFrame : undefined
}

export function failed(end: string): boolean {
  return end.startsWith('failed ')
}

/** Offset behind the last octet that matters of a message: of its last frame, or of the stream where that is cut. */
export function endOf(c: Case, message: StreamMessage): number {
  const last = c.structure.frames[message.frames[message.frames.length - 1]]
  return message.complete ? last.end : Infinity
}

/** The message that a frame belongs to. */
export function messageOf(c: Case, frame: StreamFrame | undefined): StreamMessage | undefined {
  if (frame === undefined) return undefined
  const index = c.structure.frames.indexOf(frame)
  return c.structure.messages.find(({ frames }) => frames.includes(index))
}

/** The last message that ended before a frame. */
export function messageBefore(c: Case, frame: StreamFrame): StreamMessage | undefined {
  const index = c.structure.frames.indexOf(frame)
  return c.structure.messages.findLast(({ frames, complete }) => complete && frames[frames.length - 1] < index)
}

/** The last message that began before a frame, whether it has ended or not. */
export function messageBegunBefore(c: Case, frame: StreamFrame): StreamMessage | undefined {
  const index = c.structure.frames.indexOf(frame)
  return c.structure.messages.findLast(({ frames }) => frames[0] < index)
}

/** Whether a connection ended before the last octet of a message, or in a header that comes last there. */
export function endedBefore(end: number, verdict: Verdict, frame: StreamFrame | undefined): boolean {
  if (verdict.end === 'open') return end === Infinity
  return verdict.taken < end || (verdict.taken === end && frame !== undefined && frame.faults.length > 0)
}

export function isData(event: string): boolean {
  return event.startsWith('text') || event.startsWith('binary')
}

/** Where the events part: at the first that is not the same, or behind all of ours. */
export function partingEvent({ ours, theirs }: Case): number {
  const index = ours.events.findIndex((one, at) => one !== theirs.events[at])
  return index < 0 ? ours.events.length : index
}

/**
 * The message at which the verdicts part: all those before it were told by both, and itself, with the same octets, by one at
 * most.
 */
export function partingMessage(c: Case): StreamMessage | undefined {
  let told = c.ours.events.slice(0, partingEvent(c)).filter((one) => isData(one)).length
  return c.structure.messages.find(({ complete }) => !complete || told-- === 0)
}

/** How the message is at which the verdicts part, if it is compressed. */
export function partingDeflation(c: Case): Deflation | undefined {
  const message = partingMessage(c)
  return message && deflations(c.structure, c.stream.deflate).get(message)
}

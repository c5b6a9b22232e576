/**
 * Octets of a WebSocket connection taken apart: an opening handshake if they begin with one, then frames, each field by field,
 * with every rule that they break. Pure, and of any octets: wrong ones, cut ones.
 *
 * What one frame says about itself, `explainFrame` of the kit knows; what follows from those before it (RFC 6455 5.4, 8.1) and
 * from the handshake is found out here.
 */
import { isUtf8 } from 'node:buffer'
import { constants, inflateRawSync } from 'node:zlib'
import { explainFrame } from '../conformance/index.ts'
import type { FrameField } from '../conformance/index.ts'
import { FrameHeader, Opcode, applyMask, isControl, readFrameHeader } from '../framing/index.ts'
import { explainHead, headKind } from './heads.ts'
import type { Agreed, HeadPart } from './heads.ts'

export interface FramePart {
  readonly kind: 'frame'
  /** From its first octet on, those behind it included. */
  readonly octets: Buffer
  /** Its first octet, counted from 0 at the first of all, and the one behind its last. */
  readonly start: number
  readonly end: number
  /** `start` and `end` count from the first octet of the frame. */
  readonly fields: readonly FrameField[]
  /** What is wrong with it, in view of what came before it. */
  readonly problems: readonly string[]
  /** What the message says that ends with it, where that takes more than its own payload: fragments, inflated. */
  readonly message?: Buffer
  readonly text: boolean
}

/** What is behind a response that is no handshake. */
export interface BodyPart {
  readonly kind: 'body'
  readonly start: number
  readonly end: number
}

export type Part = HeadPart | FramePart | BodyPart

export interface Inspection {
  readonly octets: number
  readonly parts: readonly Part[]
  /** How many rules are broken. */
  readonly mistakes: number
  /** Whether the octets end in the middle of something. */
  readonly cut: boolean
}

export interface InspectOptions {
  /** Who sent the octets; if it is not said, an opening handshake tells. */
  readonly from?: 'client' | 'server' | undefined
  /** Whether permessage-deflate was agreed upon; if it is not said, an opening handshake may tell. */
  readonly deflate?: boolean | undefined
}

export function inspectOctets(octets: Buffer, options: InspectOptions = {}): Inspection {
  const parts: Part[] = []
  let agreed: Agreed = {}
  let at = 0
  for (let kind = headKind(octets, at); kind !== undefined; kind = headKind(octets, at)) {
    const head = explainHead(octets, at, kind, agreed)
    parts.push(head.part)
    agreed = head.agreed
    at = head.part.end
    if (!head.complete) {
      if (at < octets.length) parts.push({ kind: 'body', start: at, end: octets.length })
      return summarize(octets, parts)
    }
  }
  // Behind a request and its response come frames of both sides.
  const sender = options.from ?? (parts.length > 1 ? undefined : agreed.sender)
  const frames = new Frames({ sender, deflate: options.deflate ?? agreed.deflate }, parts.length === 1)
  while (at < octets.length) {
    const part = frames.take(octets, at)
    parts.push(part)
    at = part.end
  }
  return summarize(octets, parts)
}

/** Whether a field's problem is not a mistake but the end of what there is. */
export function isCut({ name, problem }: Pick<FrameField, 'name' | 'problem'>): boolean {
  return problem !== undefined && (name === 'header' || problem.startsWith('Cut: '))
}

function summarize(octets: Buffer, parts: readonly Part[]): Inspection {
  let mistakes = 0
  let cut = false
  for (const part of parts) {
    if (part.kind === 'body') continue
    mistakes += part.problems.length
    if (part.kind === 'frame') {
      const wrong = part.fields.filter(({ problem }) => problem !== undefined)
      const cuts = wrong.filter(isCut)
      mistakes += wrong.length - cuts.length
      cut ||= cuts.length > 0
    } else {
      cut ||= part.cut
    }
  }
  return { octets: octets.length, parts, mistakes, cut }
}

const FLUSHED = Buffer.from([0, 0, 0xff, 0xff])
const WINDOW = 32_768
const MOST_INFLATED = 16 * 1024 * 1024

/** Frames of one direction, one after the other. */
class Frames {
  readonly #context: { sender?: 'client' | 'server'; deflate?: boolean }
  /** Whether all that came before is known. */
  #fromTheStart: boolean
  /** The message that has begun and not ended. */
  #message: { opcode: number; compressed: boolean; pieces: Buffer[] } | undefined = undefined
  #closed = false
  /** What a compressed message may refer back to (RFC 7692 7.2.2). */
  #window: Buffer = Buffer.alloc(0)

  constructor({ sender, deflate }: { sender: InspectOptions['from']; deflate: boolean | undefined }, isStart: boolean) {
    this.#context = { ...(sender && { sender }), ...(deflate === undefined ? {} : { deflate }) }
    this.#fromTheStart = isStart
  }

  take(octets: Buffer, start: number): FramePart {
    const rest = octets.subarray(start)
    const fields = explainFrame(rest, rest.length, this.#context)
    const end = start + Math.max(...fields.map((field) => field.end))
    const header = new FrameHeader()
    const headerEnd = readFrameHeader(rest, 0, header)
    const known = { kind: 'frame', octets: rest, start, end, fields } as const
    if (headerEnd < 0) return { ...known, end: octets.length, problems: [], text: false }
    const problems = this.#placeProblems(header)
    const payload = Buffer.from(rest.subarray(headerEnd, end - start))
    if (header.masked) applyMask(payload, 0, payload.length, header.maskingKey)
    const whole = payload.length === header.payloadLength
    const message = this.#gather(header, payload, whole, problems)
    this.#fromTheStart = true
    this.#closed ||= header.opcode === Opcode.Close
    return { ...known, problems, ...message }
  }

  /** What may not stand where it stands. */
  #placeProblems({ opcode }: FrameHeader): string[] {
    const problems: string[] = []
    if (this.#closed) problems.push('After a Close frame nothing more is sent (RFC 6455 5.5.1).')
    if (isControl(opcode)) return problems
    if (opcode === Opcode.Continuation) {
      if (this.#message === undefined && this.#fromTheStart) {
        problems.push('There is no message that this frame could go on with (RFC 6455 5.4).')
      }
    } else if (this.#message !== undefined) {
      problems.push('A message begins before the one before it has ended (RFC 6455 5.4).')
    }
    return problems
  }

  /** Puts messages together, and says what the one that ends here says. */
  #gather(
    { opcode, fin, rsv1 }: FrameHeader,
    payload: Buffer,
    whole: boolean,
    problems: string[],
  ): { message?: Buffer; text: boolean } {
    if (isControl(opcode)) return { text: false }
    if (opcode !== Opcode.Continuation) {
      this.#message = { opcode, compressed: rsv1 && this.#context.deflate !== false, pieces: [] }
    }
    const message = this.#message
    if (message === undefined) return { text: false }
    message.pieces.push(payload)
    const text = message.opcode === Opcode.Text
    if (!fin || !whole) return { text }
    this.#message = undefined
    const octets = Buffer.concat(message.pieces)
    const said = message.compressed ? this.#inflate(octets, problems) : octets
    // The one frame of an uncompressed message has said it all.
    if (said === undefined || (message.pieces.length === 1 && !message.compressed)) return { text }
    if (text && !isUtf8(said)) problems.push('The text of the message is not UTF-8 (RFC 6455 8.1).')
    return { message: said, text }
  }

  #inflate(octets: Buffer, problems: string[]): Buffer | undefined {
    try {
      const inflated = inflateRawSync(Buffer.concat([octets, FLUSHED]), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: MOST_INFLATED,
        ...(this.#window.length > 0 && { dictionary: this.#window }),
      })
      this.#window = Buffer.concat([this.#window, inflated]).subarray(-WINDOW)
      return inflated
    } catch (error) {
      const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      if (!tooLarge) problems.push('The message is not what DEFLATE makes (RFC 7692 7.2.2).')
      return undefined
    }
  }
}

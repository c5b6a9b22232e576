/** One message on its way through zlib (RFC 7692 7.2.2), and what can go wrong there. */
import { ProtocolError } from '../errors.ts'
import { CloseCode } from '../framing/index.ts'
import { FLUSHED, isTooLarge, tooLarge } from './zlib.ts'
import type { Inflated } from './zlib.ts'

/** 7.2.2: what a sync flush ends with, and behind it the end of a stream, so that zlib has to find the message complete. */
export const TAIL: Buffer = Buffer.concat([FLUSHED, Buffer.from([0x01, 0x00, 0x00, 0xff, 0xff])])
export const LARGEST_WINDOW_SIZE = 32_768
/** Ends of DEFLATE streams within one message: legal, if odd (7.2.1), but each costs a new start. */
const MAX_RESTARTS = 16

/** A message that is whole: usually one DEFLATE stream, but final blocks may make it several (7.2.1). */
export class Inflation {
  done = false
  /** What is to be inflated next, and what that may refer back to. */
  rest: Buffer
  window: Buffer
  /** Octets that may still come of it. */
  room: number
  readonly #pieces: Buffer[] = []
  #restarts = 0

  constructor(payload: Buffer, window: Buffer, maxSize: number) {
    this.rest = Buffer.concat([payload, TAIL])
    this.window = window
    this.room = maxSize
  }

  get output(): Buffer {
    return this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces)
  }

  take({ buffer, engine }: Inflated): void {
    this.#pieces.push(buffer)
    this.room -= buffer.length
    if (this.room < 0) throw tooLarge()
    this.done = isComplete(this.rest.length - engine.bytesWritten)
    if (this.done) return
    checkRestarts(++this.#restarts)
    this.rest = this.rest.subarray(engine.bytesWritten)
    this.window = slide(this.window, buffer, LARGEST_WINDOW_SIZE)
  }
}

/** Whether so many octets may be left when all of a message has come: none, or, behind a final block, our tail. */
export function isComplete(left: number): boolean {
  return left === 0 || left === TAIL.length
}

/** Throws an Error for more ends of streams within a message than can be meant. */
export function checkRestarts(restarts: number): void {
  if (restarts > MAX_RESTARTS) throw new Error('It has too many final blocks')
}

/** The last `size` octets of `window` and what came behind them, as a copy. */
function slide(window: Buffer, data: Buffer, size: number): Buffer {
  const kept = Math.min(window.length, Math.max(0, size - data.length))
  // Memory of its own, as it may be kept for long.
  const slid = Buffer.allocUnsafeSlow(kept + Math.min(data.length, size))
  window.copy(slid, 0, window.length - kept)
  data.copy(slid, kept, Math.max(0, data.length - size))
  return slid
}

/** RFC 6455 10.4 and 7.4.1; RFC 7692 names no code for what cannot be inflated, and that is inconsistent data. */
export function failure(error: unknown, maxSize: number): ProtocolError {
  if (isTooLarge(error)) {
    const message = `The message is larger than ${maxSize} octets once inflated; raise maxMessageSize if such messages are wanted`
    return new ProtocolError('ERR_WS_MESSAGE_TOO_BIG', CloseCode.MessageTooBig, 'RFC 6455 10.4', message)
  }
  const message = `The message cannot be inflated: ${(error as Error).message}`
  return new ProtocolError('ERR_WS_INVALID_DEFLATE', CloseCode.InvalidFramePayloadData, 'RFC 7692 7.2.2', message)
}

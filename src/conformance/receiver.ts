/**
 * What the peer's frames say, and the first thing in them that no peer may ever do, whatever the case is about.
 *
 * It goes on behind a breach as well as it can: how the connection ends is still worth knowing. Sans-I/O.
 */
import { isUtf8 } from 'node:buffer'
import type { Role } from './case.ts'
import { Opcode } from './wire.ts'
import type { ReceivedFrame } from './wire.ts'

/** A message or a control frame of the peer. */
export type Heard =
  | { readonly type: 'text' | 'binary'; readonly payload: Buffer; readonly compressed: boolean }
  | { readonly type: 'ping' | 'pong'; readonly payload: Buffer }
  | { readonly type: 'close'; readonly code: number; readonly reason: string }

/** More than any case asks for; a message of a peer that goes on without end is not kept. */
export const MAX_MESSAGE: number = 64 * 1024 * 1024
const MAX_FRAGMENTS = 1024 * 1024

/** Stands for a Close frame without a code (RFC 6455 7.1.5). */
export const NO_CODE = 1005

const NAMES = new Map<number, string>([
  [Opcode.continuation, 'continuation'],
  [Opcode.text, 'text'],
  [Opcode.binary, 'binary'],
  [Opcode.close, 'Close'],
  [Opcode.ping, 'Ping'],
  [Opcode.pong, 'Pong'],
])

export class Receiver {
  /** The first breach: what the peer did, and the section that forbids it. */
  breach: string | undefined = undefined
  readonly #peer: Role
  readonly #deflate: boolean
  #closed = false
  /** Of the message that is being read: its type, whether it is compressed, and its fragments. */
  #type: 'text' | 'binary' | undefined = undefined
  #compressed = false
  #fragments: Buffer[] = []
  #size = 0

  /** `deflate`: permessage-deflate has been agreed, which gives RSV1 a meaning. */
  constructor(peer: Role, deflate: boolean) {
    this.#peer = peer
    this.#deflate = deflate
  }

  /** Answers what the frame completes, if it does. */
  take(frame: ReceivedFrame): Heard | undefined {
    this.#checkHeader(frame)
    const { payload } = frame
    switch (frame.opcode) {
      case Opcode.ping:
        return { type: 'ping', payload }
      case Opcode.pong:
        return { type: 'pong', payload }
      case Opcode.close:
        return this.#takeClose(payload)
      default:
        return this.#takeFragment(frame)
    }
  }

  /** A message after it was inflated, or one that never was compressed. */
  checkMessage(type: 'text' | 'binary', payload: Buffer): void {
    // RFC 6455 8.1
    if (type === 'text' && !isUtf8(payload)) this.note('it sent a text message that is not UTF-8', '8.1')
  }

  /** Keeps the first breach; `section` is one of RFC 6455 unless it says otherwise. */
  note(what: string, section: string): void {
    this.breach ??= `${what} (${section.startsWith('RFC') ? section : `RFC 6455 ${section}`})`
  }

  #checkHeader(frame: ReceivedFrame): void {
    const { opcode, fin, rsv, masked, payload } = frame
    const name = NAMES.get(opcode)
    const what = name === undefined ? `a frame with opcode ${opcode}` : `a ${name} frame`
    const control = opcode >= 8
    if (masked && this.#peer === 'server') this.note(`it masked ${what}, as a server must not`, '5.1')
    if (!masked && this.#peer === 'client') this.note(`it did not mask ${what}, as a client must`, '5.1')
    const first = opcode === Opcode.text || opcode === Opcode.binary
    // RFC 7692 6: RSV1 marks the first frame of a compressed message.
    const meant = rsv === 0 || (this.#deflate && rsv === 4 && first)
    if (!meant) this.note(`it sent ${what} with RSV bits ${bits(rsv)}`, '5.2')
    if (name === undefined) this.note(`it sent ${what}, which is reserved`, '5.2')
    if (!frame.minimal) this.note(`it gave the length of ${what} more octets than needed`, '5.2')
    if (control && !fin) this.note(`it sent a fragment of ${what}`, '5.5')
    if (control && payload.length > 125) this.note(`it sent ${what} of ${payload.length} octets`, '5.5')
    if (!control && this.#closed) this.note(`it sent ${what} behind its Close frame`, '5.5.1')
  }

  #takeClose(payload: Buffer): Heard {
    this.#closed = true
    if (payload.length === 0) return { type: 'close', code: NO_CODE, reason: '' }
    if (payload.length === 1) {
      this.note('it sent a Close frame with half a code', '5.5.1')
      return { type: 'close', code: NO_CODE, reason: '' }
    }
    const code = payload.readUInt16BE(0)
    const reason = payload.subarray(2)
    if (!maySend(code)) this.note(`it sent a Close frame with ${code}, a code that must not be sent`, '7.4')
    if (!isUtf8(reason)) this.note('it sent a Close frame with a reason that is not UTF-8', '5.5.1')
    return { type: 'close', code, reason: reason.toString() }
  }

  #takeFragment({ opcode, fin, rsv, payload }: ReceivedFrame): Heard | undefined {
    if (opcode === Opcode.continuation) {
      if (this.#type === undefined) {
        this.note('it sent a continuation frame with nothing to continue', '5.4')
        return undefined
      }
    } else {
      if (this.#type !== undefined) this.note('it began a message before the one before was complete', '5.4')
      if (opcode > Opcode.binary) return undefined
      this.#type = opcode === Opcode.text ? 'text' : 'binary'
      this.#compressed = this.#deflate && rsv >= 4
      this.#fragments = []
      this.#size = 0
    }
    this.#fragments.push(payload)
    this.#size += payload.length
    if (this.#size > MAX_MESSAGE || this.#fragments.length > MAX_FRAGMENTS) {
      this.note('it sent a message that is far larger than what it was sent', '10.4')
      this.#fragments = []
    }
    if (!fin) return undefined
    const message = this.#fragments.length === 1 ? payload : Buffer.concat(this.#fragments)
    const heard: Heard = { type: this.#type, payload: message, compressed: this.#compressed }
    this.#type = undefined
    this.#fragments = []
    return heard
  }
}

/** RSV1, RSV2 and RSV3 as they stand on the wire. */
function bits(rsv: number): string {
  return rsv.toString(2).padStart(3, '0')
}

/** RFC 6455 7.4, and what has been registered since (1012 to 1014). */
function maySend(code: number): boolean {
  if (code >= 3000) return code <= 4999
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)
}

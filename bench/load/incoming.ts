/**
 * What the load receives: frames of a server, or of a client, which masks them. `FrameCounter` looks at headers only, keeps nothing and
 * makes no garbage, so that the load costs little; `MessageReader` keeps whole messages, for the check before anything is measured.
 */
import { OPCODE } from './frames.ts'
import { WrongReply } from './plan.ts'

export type Sender = 'server' | 'client'

const LONGEST_HEAD = 14

/** Counts messages. Throws a WrongReply for what the other side may not send, and for a Close that nobody asked for. */
export class FrameCounter {
  messages = 0
  /** Octets of payload. */
  octets = 0
  /** Octets of the frame's payload that are still to come; -1 between frames. */
  #left = -1
  #endsMessage = false
  /** A header that came in pieces. */
  readonly #head = Buffer.alloc(LONGEST_HEAD)
  #had = 0
  /** What is added to the second octet and to the header's length. */
  readonly #mask: number

  constructor(from: Sender = 'server') {
    this.#mask = from === 'client' ? 4 : 0
  }

  /** Answers how many messages have become complete. */
  read(bytes: Buffer, end: number): number {
    let at = 0
    let complete = 0
    for (;;) {
      if (this.#left >= 0) {
        const taken = Math.min(this.#left, end - at)
        at += taken
        this.#left -= taken
        if (this.#left > 0) break
        this.#left = -1
        if (this.#endsMessage) complete++
      }
      if (at === end) break
      at += this.#had === 0 && end - at >= LONGEST_HEAD ? this.#header(bytes, at) : this.#gather(bytes, at, end)
    }
    this.messages += complete
    return complete
  }

  /** Takes octets of a header until it is whole; answers how many. */
  #gather(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end) {
      this.#head[this.#had++] = bytes[at++]
      if (this.#had >= 2 && this.#had === headLength(this.#head[1] & 127) + this.#mask) {
        this.#had = 0
        this.#header(this.#head, 0)
        break
      }
    }
    return at - start
  }

  /** Answers the header's length. */
  #header(bytes: Buffer, at: number): number {
    const first = bytes[at]
    const second = bytes[at + 1] & 127
    checkMask(bytes[at + 1], this.#mask)
    const opcode = first & 15
    if (opcode === OPCODE.close) throw new WrongReply('it closed a connection while it was asked for replies')
    this.#endsMessage = first > 127 && opcode < 8
    let length = second
    if (second === 126) length = (bytes[at + 2] << 8) | bytes[at + 3]
    else if (second === 127) length = bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6)
    if (opcode < 8) this.octets += length
    this.#left = length
    return headLength(second) + this.#mask
  }
}

export interface Reply {
  readonly opcode: number
  readonly rsv1: boolean
  readonly payload: Buffer
}

/** Keeps messages whole. Throws a WrongReply for what the other side may not send. */
export class MessageReader {
  #bytes: Buffer = Buffer.alloc(0)
  #parts: Buffer[] = []
  #first = 0
  readonly #mask: number

  constructor(from: Sender = 'server') {
    this.#mask = from === 'client' ? 4 : 0
  }

  /** Answers the messages that have become complete; pings and pongs are none. */
  read(bytes: Buffer, end: number): Reply[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes.subarray(0, end)])
    const replies: Reply[] = []
    for (;;) {
      const frame = this.#frame()
      if (frame === undefined) return replies
      const [first, payload] = frame
      const opcode = first & 15
      if (opcode > OPCODE.close) continue
      if (opcode === OPCODE.close) throw new WrongReply(`it closed a connection with ${payload.toString('hex')}`)
      if ((opcode === OPCODE.continuation) !== this.#parts.length > 0) {
        throw new WrongReply('it sends frames that belong to no message')
      }
      if (this.#parts.length === 0) this.#first = first
      this.#parts.push(payload)
      if (first < 0x80) continue
      replies.push({
        opcode: this.#first & 15,
        rsv1: (this.#first & 0x40) !== 0,
        payload: Buffer.concat(this.#parts),
      })
      this.#parts = []
    }
  }

  #frame(): [first: number, payload: Buffer] | undefined {
    const bytes = this.#bytes
    if (bytes.length < 2) return undefined
    checkMask(bytes[1], this.#mask)
    let length = bytes[1] & 127
    const start = headLength(length) + this.#mask
    if (bytes.length < start) return undefined
    if (length === 126) length = bytes.readUInt16BE(2)
    else if (length === 127) length = Number(bytes.readBigUInt64BE(2))
    if (bytes.length < start + length) return undefined
    this.#bytes = bytes.subarray(start + length)
    const payload = bytes.subarray(start, start + length)
    return [bytes[0], this.#mask === 0 ? payload : unmasked(payload, bytes.subarray(start - 4, start))]
  }
}

function checkMask(second: number, mask: number): void {
  if (second > 127 !== mask > 0) throw new WrongReply(mask > 0 ? 'it masks nothing' : 'it masks what it sends')
}

function unmasked(payload: Buffer, key: Buffer): Buffer {
  return Buffer.from(payload.map((octet, index) => octet ^ key[index & 3]))
}

/** Without a masking key. */
function headLength(second: number): number {
  if (second < 126) return 2
  return second === 126 ? 4 : 10
}

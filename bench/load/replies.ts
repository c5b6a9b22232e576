/**
 * What the load receives: frames of a server. `ReplyCounter` looks at headers only, keeps nothing and makes no garbage, so that the
 * load costs little; `ReplyReader` keeps whole messages, for the check before anything is measured.
 */
import { OPCODE } from './frames.ts'
import { WrongReply } from './plan.ts'

/** Counts messages. Throws a WrongReply for what no server may send, and for a Close that nobody asked for. */
export class ReplyCounter {
  messages = 0
  /** Octets of payload. */
  octets = 0
  /** Octets of the frame's payload that are still to come; -1 between frames. */
  #left = -1
  #endsMessage = false
  /** A header that came in pieces. */
  readonly #head = Buffer.alloc(10)
  #had = 0

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
      at += this.#had === 0 && end - at >= 10 ? this.#header(bytes, at) : this.#gather(bytes, at, end)
    }
    this.messages += complete
    return complete
  }

  /** Takes octets of a header until it is whole; answers how many. */
  #gather(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end) {
      this.#head[this.#had++] = bytes[at++]
      if (this.#had >= 2 && this.#had === headLength(this.#head[1])) {
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
    const second = bytes[at + 1]
    if (second > 127) throw new WrongReply('it masks what it sends')
    const opcode = first & 15
    if (opcode === OPCODE.close) throw new WrongReply('it closed a connection while it was asked for replies')
    this.#endsMessage = first > 127 && opcode < 8
    let length = second
    if (second === 126) length = (bytes[at + 2] << 8) | bytes[at + 3]
    else if (second === 127) length = bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6)
    if (opcode < 8) this.octets += length
    this.#left = length
    return headLength(second)
  }
}

export interface Reply {
  readonly opcode: number
  readonly rsv1: boolean
  readonly payload: Buffer
}

/** Keeps messages whole. Throws a WrongReply for what no server may send. */
export class ReplyReader {
  #bytes: Buffer = Buffer.alloc(0)
  #parts: Buffer[] = []
  #first = 0

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
    if (bytes[1] > 127) throw new WrongReply('it masks what it sends')
    const start = headLength(bytes[1])
    if (bytes.length < start) return undefined
    let length = bytes[1]
    if (length === 126) length = bytes.readUInt16BE(2)
    else if (length === 127) length = Number(bytes.readBigUInt64BE(2))
    if (bytes.length < start + length) return undefined
    this.#bytes = bytes.subarray(start + length)
    return [bytes[0], bytes.subarray(start, start + length)]
  }
}

function headLength(second: number): number {
  if (second < 126) return 2
  return second === 126 ? 4 : 10
}

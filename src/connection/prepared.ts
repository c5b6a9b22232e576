/** Messages as frames that are at hand: made once for many connections, or made elsewhere, as in the thread pool. */
import type { PerMessageDeflate } from '../deflate/index.ts'
import { FrameList, RSV1, writeMessage } from '../framing/index.ts'
import { Burst } from './burst.ts'
import type { MessageData, SendOptions } from './handler.ts'
import { checkCount } from './options.ts'
import { opcodeOf, payloadOf } from './payload.ts'

/** The frames of one message. */
export type Frames = readonly Buffer[]

/** The frames of a message; `opcode` as for `writeMessage`. */
export function framesOf(opcode: number, payload: string | Buffer, masked: boolean, fragmentSize: number): Frames {
  const target = new FrameList()
  writeMessage(target, opcode, payload, masked, fragmentSize)
  return target.frames
}

/**
 * A message from a server to many of its clients. Its frames are not masked, and so the same for all (RFC 6455 5.1);
 * compressed they are the same for all with the same window and without a context (RFC 7692 7.1.1.1).
 */
export class PreparedMessage {
  readonly payload: string | Buffer
  readonly opcode: number
  readonly fragmentSize: number
  readonly #compress: boolean | undefined
  #plain: Burst | undefined = undefined
  #octets: Buffer | undefined = undefined
  /** By window bits. */
  readonly #compressed = new Map<number, Burst | Promise<Frames>>()

  /** Throws a `TypeError` or `RangeError` for what cannot be sent. */
  constructor(data: MessageData, options: SendOptions | undefined, fragmentSize: number) {
    this.payload = payloadOf(data)
    this.opcode = opcodeOf(this.payload, options?.binary)
    this.fragmentSize = checkCount('fragmentSize', options?.fragmentSize ?? fragmentSize)
    this.#compress = options?.compress
  }

  /** The payload as octets. */
  get octets(): Buffer {
    this.#octets ??= typeof this.payload === 'string' ? Buffer.from(this.payload) : this.payload
    return this.#octets
  }

  /** The frames for a connection; `undefined` where its messages refer back to those before, so that it makes its own. */
  framesFor(deflate: PerMessageDeflate | undefined): Burst | Promise<Frames> | undefined {
    if (deflate === undefined || !deflate.wants(this.payload, this.#compress)) return this.#plainBurst()
    if (deflate.sharedWindowBits === 0) return undefined
    const known = this.#compressed.get(deflate.sharedWindowBits)
    if (known !== undefined) return known
    const compressed = deflate.compress(this.octets, true)
    const frames =
      compressed instanceof Promise
        ? compressed.then((made) => this.#frames(made))
        : new Burst(this.#frames(compressed))
    this.#compressed.set(deflate.sharedWindowBits, frames)
    return frames
  }

  /** RFC 7692 6.1: without RSV1, where compressing it was of no use. */
  #frames(compressed: Buffer | undefined): Frames {
    const [opcode, payload] = compressed === undefined ? [this.opcode, this.payload] : [this.opcode | RSV1, compressed]
    return framesOf(opcode, payload, false, this.fragmentSize)
  }

  #plainBurst(): Burst {
    this.#plain ??= new Burst(this.#frames(undefined))
    return this.#plain
  }
}

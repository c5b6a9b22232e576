/** Frames as a tap tells them, and a stream to write them to. */
import { Writable } from 'node:stream'
import type { Connection, Message, TappedFrame } from '../../src/connection/index.ts'

/** A frame with these fields; the rest is that of a short text from the peer. */
export function tapped(fields: Partial<TappedFrame> = {}): TappedFrame {
  const payload = fields.payload ?? Buffer.from('Hello')
  return {
    at: Date.UTC(2026, 10, 28, 9, 30, 0, 125),
    direction: 'in',
    connection: {} as Connection,
    fin: true,
    rsv1: false,
    rsv2: false,
    rsv3: false,
    opcode: 1,
    masked: fields.maskingKey !== undefined,
    maskingKey: undefined,
    extendedLength: payload.length > 125 ? 2 : 0,
    payloadLength: payload.length,
    payload,
    ...fields,
  }
}

/** The masking key of RFC 6455 5.7. */
export const KEY = 0x3d21fa37

/** A stream that keeps what it takes; while `blocked`, it takes nothing more. */
export class Kept extends Writable {
  blocked = false
  readonly chunks: Buffer[] = []
  #waiting: (() => void) | undefined = undefined

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(chunk)
    if (this.blocked) this.#waiting = done
    else done()
  }

  unblock(): void {
    this.blocked = false
    this.#waiting?.()
  }
}

/** The next message of a connection. */
export async function next(ws: Connection): Promise<Message | undefined> {
  for await (const message of ws) return message
  return undefined
}

/**
 * What the sinks have in common: a tap that writes to a stream, in bounded memory.
 *
 * A frame has crossed the wire when it is told, and nobody can be made to wait for a slow disk or terminal. So while more
 * than `maxBuffered` octets wait in the stream, frames are dropped; they are counted, and the next frame that is written
 * tells how many are missing in front of it.
 */
import type { Writable } from 'node:stream'
import { checkCount, checkNames } from '../connection/index.ts'
import type { Connection, TappedFrame } from '../connection/index.ts'
import { invalidType } from '../errors.ts'

/** A tap for any number of connections, of servers and of clients. */
export interface Sink {
  (frame: TappedFrame): void
  /** Frames that were dropped so far, as the stream was full, or had ended. */
  readonly dropped: number
}

export interface SinkOptions {
  /** Octets that may wait in the stream. 16 MiB. */
  readonly maxBuffered?: number
}

const MAX_BUFFERED = 16_777_216

/** Writes what `format` makes of each frame to `to`; `missing` frames were dropped before it. */
export function sinkTo(
  to: Writable,
  options: SinkOptions,
  format: (frame: TappedFrame, missing: number) => string | Buffer,
): Sink {
  checkNames('a sink', options, ['maxBuffered'])
  const maxBuffered = checkCount('maxBuffered', options.maxBuffered ?? MAX_BUFFERED)
  if (typeof to?.write !== 'function') throw invalidType('ERR_WS_INVALID_OPTION', 'A sink writes to a stream.Writable')
  let dropped = 0
  let missing = 0
  const tap = (frame: TappedFrame): void => {
    if (!to.writable || to.writableLength >= maxBuffered) {
      dropped++
      missing++
      return
    }
    to.write(format(frame, missing))
    missing = 0
  }
  return Object.defineProperty(tap, 'dropped', { get: () => dropped }) as Sink
}

/** Numbers connections in the order in which they are seen, from 1 up. */
export class Numbers {
  readonly #numbers = new WeakMap<Connection, number>()
  #last = 0

  of(connection: Connection): number {
    const number = this.#numbers.get(connection) ?? ++this.#last
    this.#numbers.set(connection, number)
    return number
  }
}

/** The four octets of a masking key, as they stand on the wire. */
export function keyOctets(maskingKey: number): Buffer {
  const octets = Buffer.allocUnsafe(4)
  octets.writeInt32LE(maskingKey)
  return octets
}

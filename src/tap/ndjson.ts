/** Frames for programs: a JSON object on a line for each. */
import type { Writable } from 'node:stream'
import type { TappedFrame } from '../connection/index.ts'
import { Numbers, keyOctets, sinkTo } from './sink.ts'
import type { Sink, SinkOptions } from './sink.ts'

/** What a line holds: the fields of `TappedFrame`, three of them as JSON can have them. */
export interface FrameRecord extends Omit<TappedFrame, 'connection' | 'maskingKey' | 'payload'> {
  /** Connections are numbered as they are seen, from 1 up. */
  readonly connection: number
  /** Eight hexadecimal digits, as on the wire; `null` for a frame that is not masked. */
  readonly maskingKey: string | null
  /** Base64. */
  readonly payload: string
}

/** A tap that writes a `FrameRecord` for each frame, and `{"dropped":3}` where three are missing. */
export function ndjson(to: Writable, options: SinkOptions = {}): Sink {
  const numbers = new Numbers()
  return sinkTo(to, options, (frame, missing) => {
    const before = missing === 0 ? '' : `${JSON.stringify({ dropped: missing })}\n`
    return `${before}${JSON.stringify(recordOf(frame, numbers.of(frame.connection)))}\n`
  })
}

function recordOf(frame: TappedFrame, connection: number): FrameRecord {
  const { at, direction, fin, rsv1, rsv2, rsv3, opcode, masked, extendedLength, payloadLength } = frame
  const maskingKey = frame.maskingKey === undefined ? null : keyOctets(frame.maskingKey).toString('hex')
  const payload = frame.payload.toString('base64')
  const bits = { fin, rsv1, rsv2, rsv3, opcode, masked, maskingKey, extendedLength, payloadLength }
  return { at, connection, direction, ...bits, payload }
}

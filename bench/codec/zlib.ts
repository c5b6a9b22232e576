/**
 * zlib alone: a state that is kept and driven synchronously, which is the least that a message can cost. Node has no
 * documented way to do that. `_processChunk` has been one for long; it means to be called once, so that it closes the state,
 * leaves a listener behind, and answers memory that it uses again.
 */
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'
import type { DeflateRaw, ZlibOptions } from 'node:zlib'

/** What every sync flush ends with, and is not sent (RFC 7692 7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff])

interface Engine extends DeflateRaw {
  _handle: { close(): void }
  _processChunk(chunk: Buffer, flush: number): Buffer
}

export type AtOnce = (message: Buffer) => Buffer

/** Compresses messages one after the other; without `context` each begins anew. */
export function keptDeflate(options: ZlibOptions, context: boolean): AtOnce {
  const process = kept(createDeflateRaw(options) as unknown as Engine, context)
  return (message) => process(message).subarray(0, -TAIL.length)
}

export function keptInflate(context: boolean): AtOnce {
  const process = kept(createInflateRaw() as unknown as Engine, context)
  return (message) => process(Buffer.concat([message, TAIL]))
}

function kept(engine: Engine, context: boolean): AtOnce {
  const handle = engine._handle
  handle.close = () => {}
  return (bytes) => {
    const result = engine._processChunk(bytes, constants.Z_SYNC_FLUSH)
    engine._handle = handle
    engine.removeAllListeners('error')
    if (!context) engine.reset()
    return Buffer.from(result)
  }
}

/**
 * A state of zlib that is kept for as many messages as one likes, and driven where we are.
 *
 * That takes a third of the time of a call of `deflateRawSync`, which makes such a state and drops it again, but no
 * documented function of Node leads there: streams go through the thread pool. Node's own synchronous functions use what
 * stands in `Inside`, and so do we, here and nowhere else. Whether it is there and does what we think is tried once
 * before anything depends on it; where it does not, `zlib.ts` has the documented way.
 */
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'
import type { DeflateRaw, InflateRaw, ZlibOptions } from 'node:zlib'
import { DICTIONARY, tooLarge } from './zlib.ts'

/** What a stream of zlib consists of, from Node 20 on. */
interface Inside {
  /** `null` once the stream is closed, or has failed. */
  readonly _handle: {
    writeSync(
      flush: number,
      input: Buffer,
      inputAt: number,
      inputLength: number,
      output: Buffer,
      outputAt: number,
      outputLength: number,
    ): void
  }
  /** Octets that the last write left: of the room for output, and of the input. */
  readonly _writeState: Uint32Array
}

type Stream = (DeflateRaw | InflateRaw) & Inside

/** The last version of Node that this was tried on. Arguments that do not fit would end the process, not throw. */
const LAST_KNOWN_NODE = 26
/** The stream's own room for output, of which no use is made: the smallest that may be. */
const UNUSED_CHUNK = 64
const SCRATCH_SIZE = 65_536
/** Where output is written, before it is known how much it is. */
let scratch = Buffer.alloc(0)

export class Kept {
  /** Octets of the last input that stand behind the end of a DEFLATE stream, or of a block with `Z_BLOCK`. */
  unused = 0
  readonly #stream: Stream

  constructor(kind: 'deflate' | 'inflate', options: ZlibOptions) {
    const create = kind === 'deflate' ? createDeflateRaw : createInflateRaw
    this.#stream = create({ ...options, chunkSize: UNUSED_CHUNK }) as Stream
    // What fails is thrown by `write`.
    this.#stream.on('error', () => {})
    if (scratch.length === 0) scratch = Buffer.allocUnsafeSlow(SCRATCH_SIZE)
  }

  /**
   * What comes of `input`, as a copy. Throws what zlib does; `ERR_BUFFER_TOO_LARGE` as soon as there are more than `most`
   * octets. Once it has thrown it is good for nothing but `close`.
   */
  write(input: Buffer, flush: number, most: number): Buffer {
    const stream = this.#stream
    const { _handle: handle, _writeState: left } = stream
    let pieces: Buffer[] | undefined
    let room = most
    let at = 0
    for (;;) {
      // Room for one octet more than may come, which tells that too many would.
      const size = Math.min(SCRATCH_SIZE, room + 1)
      handle.writeSync(flush, input, at, input.length - at, scratch, 0, size)
      if (stream.errored !== null) throw stream.errored
      const length = size - left[0]
      if (length > room) throw tooLarge()
      const piece = copyOfScratch(length)
      if (length < size) {
        this.unused = left[1]
        return pieces === undefined ? piece : Buffer.concat([...pieces, piece])
      }
      pieces ??= []
      pieces.push(piece)
      room -= length
      at = input.length - left[1]
    }
  }

  get isClosed(): boolean {
    return this.#stream.destroyed
  }

  /** As new. */
  reset(): void {
    this.#stream.reset()
  }

  /** Gives zlib's memory back at once. */
  close(): void {
    this.#stream.close()
  }
}

function copyOfScratch(length: number): Buffer {
  const copy = Buffer.allocUnsafe(length)
  scratch.copy(copy, 0, 0, length)
  return copy
}

let works: boolean | undefined

/** Whether there is such a thing here. */
export function keptWorks(): boolean {
  works ??= isAsExpected(process.versions.node, Kept)
  return works
}

/** Whether states of zlib of this class do all that is asked of them. */
export function isAsExpected(nodeVersion: string, State: typeof Kept): boolean {
  if (Number.parseInt(nodeVersion, 10) > LAST_KNOWN_NODE) return false
  const made: Kept[] = []
  const start = (kind: 'deflate' | 'inflate', options: ZlibOptions): Kept => {
    const state = new State(kind, options)
    made.push(state)
    return state
  }
  try {
    return keepsContext(start) && resets(start) && tellsEnds(start('inflate', {})) && fails(start('inflate', {}))
  } catch {
    return false
  } finally {
    for (const state of made) state.close()
  }
}

type Start = (kind: 'deflate' | 'inflate', options: ZlibOptions) => Kept

/** Some of it is in the dictionary, all of it is in the message before. */
const TEXT = Buffer.from('What a message refers back to, and what it does not')

function keepsContext(start: Start): boolean {
  const [deflate, inflate] = [
    start('deflate', { dictionary: DICTIONARY }),
    start('inflate', { dictionary: DICTIONARY }),
  ]
  const sent = [0, 1].map(() => deflate.write(TEXT, constants.Z_SYNC_FLUSH, Infinity))
  const received = sent.map((octets) => inflate.write(octets, constants.Z_SYNC_FLUSH, TEXT.length))
  const isShorter = sent[0].length < TEXT.length && sent[1].length < sent[0].length
  return isShorter && inflate.unused === 0 && received.every((octets) => octets.equals(TEXT))
}

function resets(start: Start): boolean {
  const deflate = start('deflate', {})
  const first = deflate.write(TEXT, constants.Z_SYNC_FLUSH, Infinity)
  deflate.reset()
  return deflate.write(TEXT, constants.Z_SYNC_FLUSH, Infinity).equals(first)
}

/** Whether it stops where a block ends when asked to, and always where a stream does. */
function tellsEnds(inflate: Kept): boolean {
  inflate.write(Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff, 0x00]), constants.Z_BLOCK, 0)
  const behindBlock = inflate.unused
  inflate.write(Buffer.from([0x03, 0x00, 0x00, 0x00]), constants.Z_SYNC_FLUSH, 0)
  return behindBlock === 1 && inflate.unused === 2
}

/** Whether it says so when a block is of the reserved type. */
function fails(inflate: Kept): boolean {
  try {
    inflate.write(Buffer.from([0x07]), constants.Z_SYNC_FLUSH, 1)
  } catch (error) {
    return (error as { code?: unknown }).code === 'Z_DATA_ERROR'
  }
  return false
}

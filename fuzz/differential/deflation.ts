/** What zlib says of the compressed messages of a stream, each with what the ones before it left to refer back to. */
import { constants, inflateRawSync } from 'node:zlib'
import type { ZlibOptions } from 'node:zlib'
import type { StreamMessage, Structure } from './structure.ts'
import { MAX_MESSAGE_SIZE } from './verdict.ts'
import type { Deflate } from './verdict.ts'

/**
 * `whole`: blocks up to the tail that RFC 7692 7.2.2 puts behind them. `completed`: octets of the tail are data of it. `ended`: a final block, and something behind it.
 * `cut`: the tail lies within a block. `invalid`: this is not DEFLATE. `large`: more than a message may be.
 */
export type Deflation = 'whole' | 'completed' | 'ended' | 'cut' | 'invalid' | 'large'

const TAIL = Buffer.from('0000ffff', 'hex')
/** An empty final block: where it is found and ends the stream, all before it was whole. */
const FINAL = Buffer.from('010000ffff', 'hex')
const WINDOW = 32_768
/** A bound for what is looked at, far beyond what a message may be. */
const MOST = 64 * MAX_MESSAGE_SIZE
const MAX_STREAMS = 64
const GONE_ON: ReadonlySet<Deflation> = new Set<Deflation>(['whole', 'completed', 'ended'])

interface Inflated {
  readonly deflation: Deflation
  readonly octets: Buffer
}

/**
 * How each compressed message is, up to the first that cannot be inflated as a whole: nobody knows what those behind it refer
 * to.
 */
export function deflations({ messages }: Structure, deflate: Deflate): ReadonlyMap<StreamMessage, Deflation> {
  const found = new Map<StreamMessage, Deflation>()
  let window = Buffer.alloc(0)
  for (const message of messages) {
    if (!message.compressed) continue
    const { deflation, octets } = inflate(message.payload, window)
    found.set(message, deflation)
    if (!GONE_ON.has(deflation)) return found
    if (deflate === 'context') window = Buffer.concat([window, octets]).subarray(-WINDOW)
  }
  return found
}

/** All streams of a message: a final block ends one, and what follows begins the next. */
function inflate(payload: Buffer, window: Buffer): Inflated {
  const end = Buffer.concat([TAIL, FINAL])
  let rest = Buffer.concat([payload, end])
  let octets = Buffer.alloc(0)
  let ended = false
  for (let streams = 0; streams < MAX_STREAMS; streams++) {
    const one = inflateOne(rest, Buffer.concat([window, octets]).subarray(-WINDOW))
    // What follows a final block is lost on others, whatever it is.
    if (one === 'invalid') return { deflation: ended ? 'ended' : withoutEnd(rest, window), octets }
    octets = Buffer.concat([octets, one.octets])
    if (octets.length > MAX_MESSAGE_SIZE) return { deflation: ended ? 'ended' : 'large', octets }
    // Nothing is left, or a final block was the last thing before the tail, or ended with it, as its length stood there.
    const complete = one.final && [0, FINAL.length, end.length].includes(one.left)
    if (complete) {
      const usual = isCompleted(payload, window, octets) ? 'completed' : 'whole'
      return { deflation: ended || one.left > 0 ? 'ended' : usual, octets }
    }
    // One that needs some octets of the tail is not all there.
    if (!one.final || one.left < end.length) return { deflation: ended ? 'ended' : 'cut', octets }
    ended = true
    rest = rest.subarray(rest.length - one.left)
  }
  return { deflation: 'ended', octets }
}

/** Whether less comes of it without the tail. */
function isCompleted(payload: Buffer, window: Buffer, octets: Buffer): boolean {
  const one = inflateOne(payload, window)
  return one === 'invalid' || one.octets.length < octets.length
}

/** One stream: what came of it, whether a final block ended it, and how many octets are left behind that. */
function inflateOne(input: Buffer, dictionary: Buffer): { octets: Buffer; final: boolean; left: number } | 'invalid' {
  const options = { info: true, maxOutputLength: MOST, dictionary }
  try {
    return { ...use(input, options), final: true }
  } catch {
    try {
      return { ...use(input, { ...options, finishFlush: constants.Z_SYNC_FLUSH }), final: false }
    } catch {
      return 'invalid'
    }
  }
}

function use(input: Buffer, options: ZlibOptions): { octets: Buffer; left: number } {
  const { buffer, engine } = inflateRawSync(input, options) as unknown as {
    readonly buffer: Buffer
    readonly engine: { readonly bytesWritten: number }
  }
  return { octets: buffer, left: input.length - engine.bytesWritten }
}

/** How a message is that does not go together with an empty final block behind it. */
function withoutEnd(rest: Buffer, dictionary: Buffer): Deflation {
  const one = inflateOne(rest.subarray(0, -FINAL.length), dictionary)
  if (one === 'invalid') return 'invalid'
  return one.octets.length > MAX_MESSAGE_SIZE ? 'large' : 'cut'
}

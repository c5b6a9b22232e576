/**
 * DEFLATE (RFC 1951) by the documented functions of node:zlib, one message at a time: nothing of zlib's outlives a
 * message, and what that may refer back to goes in as the dictionary.
 *
 * So large messages are worked on, in the thread pool, a few at a time, so that they neither hold up the event loop nor
 * fill the memory. Small ones are worked on where we are, which costs a fraction of the trip to the thread pool, and by a
 * state of zlib that is kept (kept.ts) where that is possible.
 */
import { constants, deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib'
import type { ZlibOptions } from 'node:zlib'

/** Octets up to which input is worked on at once: some tenths of a millisecond. */
export const AT_ONCE_UP_TO = 32_768
/** Octets that may come of it; beyond them it goes to the thread pool after all. */
export const INFLATED_AT_ONCE_UP_TO = 262_144

/** As many as the thread pool has threads, if nobody changed that; each may take as much memory as a message. */
const MAX_JOBS = 4
const SMALLEST_CHUNK = 1024
export const LARGEST_CHUNK = 65_536
/** RFC 7692 7.2.1: what a sync flush ends with. */
export const FLUSHED: Buffer = Buffer.from([0x00, 0x00, 0xff, 0xff])
/** To try zlib with: what a message refers back to, and that message, the same again. */
export const DICTIONARY: Buffer = Buffer.from('What a message refers back to')
const REFERRING_BACK = Buffer.from('0bc7270900', 'hex')
/** What zlib says of output beyond its limit. */
const TOO_LARGE = 'ERR_BUFFER_TOO_LARGE'

/** What came of one DEFLATE stream. */
export interface Inflated {
  readonly buffer: Buffer
  /** `bytesWritten`: octets of the input that were used; the rest lies behind the end of the stream. */
  readonly engine: { readonly bytesWritten: number }
}

let jobs = 0
const waiting: (() => void)[] = []

/** Octets of a message that begins behind `dictionary`, with the sync flush that RFC 7692 7.2.1 wants at their end. */
export function deflateAtOnce(payload: Buffer, options: ZlibOptions, dictionary: Buffer): Buffer {
  return deflateRawSync(payload, deflateOptions(payload, options, dictionary))
}

/** As `deflateAtOnce`, in the thread pool; rejects when it is not `wanted` any more by the time it could begin. */
export function deflateInPool(
  payload: Buffer,
  options: ZlibOptions,
  dictionary: Buffer,
  wanted: () => boolean,
): Promise<Buffer> {
  return job(wanted, (done) => deflateRaw(payload, deflateOptions(payload, options, dictionary), done))
}

/** One DEFLATE stream. Throws what zlib does; `ERR_BUFFER_TOO_LARGE` as soon as there are more than `most` octets. */
export function inflateAtOnce(input: Buffer, dictionary: Buffer, most: number): Inflated {
  // With `info` it answers more than the types know of.
  const inflated: unknown = inflateRawSync(input, inflateOptions(dictionary, most, chunkSize(4 * input.length)))
  return inflated as Inflated
}

/** As `inflateAtOnce`, in the thread pool; rejects when it is not `wanted` any more by the time it could begin. */
export function inflateInPool(
  input: Buffer,
  dictionary: Buffer,
  most: number,
  wanted: () => boolean,
): Promise<Inflated> {
  // Every chunk of output is a trip of its own.
  const options = inflateOptions(dictionary, most, LARGEST_CHUNK)
  return job(wanted, (done) => inflateRaw(input, options, done as (error: Error | null) => void))
}

let dictionariesWork: boolean | undefined

/** Whether what is inflated here may refer back to a dictionary. */
export function hasDictionaries(): boolean {
  dictionariesWork ??= usesDictionaries(inflateAtOnce)
  return dictionariesWork
}

/** Deno 2.9 takes no notice of a dictionary where DEFLATE is raw. */
export function usesDictionaries(inflate: typeof inflateAtOnce): boolean {
  try {
    return inflate(REFERRING_BACK, DICTIONARY, DICTIONARY.length).buffer.equals(DICTIONARY)
  } catch {
    return false
  }
}

function deflateOptions(payload: Buffer, options: ZlibOptions, dictionary: Buffer): ZlibOptions {
  return { ...options, dictionary, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: chunkSize(payload.length) }
}

function inflateOptions(dictionary: Buffer, most: number, chunk: number): ZlibOptions {
  // A limit of 0 is none to zlib; one octet too many is noticed by whoever adds up.
  return { dictionary, maxOutputLength: Math.max(most, 1), info: true, chunkSize: chunk }
}

/** Room for the output that is likely to be enough, as what is left over is kept with it. */
function chunkSize(expected: number): number {
  return Math.min(Math.max(expected, SMALLEST_CHUNK), LARGEST_CHUNK)
}

async function job<T>(
  wanted: () => boolean,
  start: (done: (error: Error | null, result: T) => void) => void,
): Promise<T> {
  if (jobs < MAX_JOBS) jobs++
  else await new Promise<void>((resolve) => waiting.push(resolve))
  try {
    // Who has gone must not make others wait.
    if (!wanted()) throw new Error('Nobody waits for it any more')
    return await new Promise<T>((resolve, reject) => {
      start((error, result) => (error === null ? resolve(result) : reject(error)))
    })
  } finally {
    const next = waiting.shift()
    if (next === undefined) jobs--
    else next()
  }
}

/** What zlib throws at output beyond its limit. */
export function tooLarge(): RangeError {
  return Object.assign(new RangeError('There are too many octets'), { code: TOO_LARGE })
}

export function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && 'code' in error && error.code === TOO_LARGE
}

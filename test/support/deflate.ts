/** zlib as a peer has it, and what there is to compress. */
import { createHash } from 'node:crypto'
import { constants, deflateRawSync } from 'node:zlib'
import type { DeflateRaw, InflateRaw } from 'node:zlib'
import { onTestFinished } from 'vitest'
import { PerMessageDeflate } from '../../src/deflate/deflate.ts'
import { keptWorks } from '../../src/deflate/kept.ts'
import type { DeflateParameters } from '../../src/deflate/offer.ts'
import { deflateSettings } from '../../src/deflate/options.ts'
import type { DeflateOptions } from '../../src/deflate/options.ts'
import type { Role } from '../../src/framing/index.ts'
import { describeError } from './decode.ts'

/** 7.2.1: what a sync flush ends with. */
export const FLUSHED: Buffer = Buffer.from([0x00, 0x00, 0xff, 0xff])

/** What two sides agree upon that ask for nothing. */
const ALL_WINDOWS: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
}

/** One side, which keeps its context unless something else is agreed upon, or its options say so. */
export function makeCodec(
  role: Role,
  agreed: Partial<DeflateParameters> = {},
  options: DeflateOptions = {},
  mayKeep: () => boolean = keptWorks,
): PerMessageDeflate {
  const settings = deflateSettings({ serverNoContextTakeover: false, clientNoContextTakeover: false, ...options })
  if (settings === undefined) throw new Error('off')
  return new PerMessageDeflate({ ...ALL_WINDOWS, ...agreed }, settings, role, mayKeep)
}

export const INVALID = 'ERR_WS_INVALID_DEFLATE 1007 RFC 7692 7.2.2'
export const TOO_BIG = 'ERR_WS_MESSAGE_TOO_BIG 1009 RFC 6455 10.4'

/** The parameters of one direction, by who compresses. */
export function direction(sender: Role, noContextTakeover: boolean, bits: number): Partial<DeflateParameters> {
  return sender === 'server'
    ? { serverNoContextTakeover: noContextTakeover, serverMaxWindowBits: bits }
    : { clientNoContextTakeover: noContextTakeover, clientMaxWindowBits: bits }
}

export const other = (role: Role): Role => (role === 'server' ? 'client' : 'server')

/** Writes to a stream of zlib, and answers what came of it. */
export async function through(stream: DeflateRaw | InflateRaw, input: Buffer): Promise<Buffer> {
  const output: Buffer[] = []
  const onData = (chunk: Buffer): void => {
    output.push(chunk)
  }
  stream.on('data', onData)
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject)
    stream.write(input)
    stream.flush(constants.Z_SYNC_FLUSH, resolve)
  })
  stream.off('data', onData).removeAllListeners('error')
  return Buffer.concat(output)
}

/** A message as a peer compresses it that refers to nothing but what is in it, and in `dictionary`. */
export function deflated(payload: Buffer | string, dictionary?: Buffer): Buffer {
  return deflateRawSync(payload, { dictionary, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}

/** A peer that keeps one stream for all messages, with the window that was agreed upon. */
export function keptStream<S extends DeflateRaw | InflateRaw>(stream: S): S {
  onTestFinished(() => stream.close())
  return stream
}

/** Lines that have much in common, within a message and with other ones. */
export function lines(count: number, seed = 1): Buffer {
  return Buffer.from(
    Array.from({ length: count }, (_, i) => `{"id":${(i * 7919 + seed) % 9973},"state":"open"}`).join('\n'),
  )
}

/** Octets that cannot be compressed. */
export function noise(size: number): Buffer {
  const blocks: Buffer[] = []
  for (let i = 0; i * 64 < size; i++) blocks.push(createHash('sha512').update(String(i)).digest())
  return Buffer.concat(blocks).subarray(0, size)
}

/** What is thrown, or rejected with; fails when nothing is. */
export async function errorOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    return describeError(error)
  }
  throw new Error('nothing was thrown')
}

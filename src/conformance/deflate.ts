/**
 * permessage-deflate (RFC 7692 7) as the tester needs it: what was agreed, strictly read, and messages both ways.
 *
 * There is no stream and no thread behind it. Each message is compressed or inflated by itself, in one call; where the
 * context is kept, the last octets of what went before stand in as the dictionary, which is just what an LZ77 window is.
 * So a message of a few octets costs no trip to the thread pool, and a connection holds no zlib state.
 */
import { deflateRawSync, inflateRawSync, constants } from 'node:zlib'
import type { ZlibOptions } from 'node:zlib'
import { quote } from '../errors.ts'
import { Unexpected } from './case.ts'
import type { Role } from './case.ts'
import { decimal, listOf } from './head.ts'

/** The agreed parameters (RFC 7692 7.1); window bits are `undefined` where nothing was said. */
export interface DeflateParameters {
  readonly serverNoContextTakeover: boolean
  readonly clientNoContextTakeover: boolean
  readonly serverMaxWindowBits: number | undefined
  readonly clientMaxWindowBits: number | undefined
}

/** More than this no message inflates to, whatever the peer sends. */
const MAX_INFLATED = 64 * 1024 * 1024

/** 00 00 ff ff, which is taken off the end of every message (RFC 7692 7.2.1). */
const TAIL_LENGTH = 4
/** The tail, and an empty last block: behind a message that is whole, and only there, it ends the inflating. */
const TAIL_AND_LAST_BLOCK = Buffer.from('0000ffff010000ffff', 'hex')
const EXTENSION = 'permessage-deflate'
const CLIENT_BITS = 'client_max_window_bits'
const LONGEST_WINDOW = 15
const CHUNK = 32_768
/** Compressed octets up to which a message is inflated strictly, which takes ten times as long. */
const LONGEST_STRICT = 2048
const NOTHING: Buffer = Buffer.alloc(0)

/** One direction: how far back it may refer, and the octets that it may refer to. */
class Window {
  readonly #bits: number
  #octets: Buffer = NOTHING
  readonly #keeps: boolean

  constructor(bits: number = LONGEST_WINDOW, forgets: boolean = false) {
    this.#bits = bits
    this.#keeps = !forgets
  }

  /** For both directions; `strict` where the peer is to be caught that points back farther than was agreed. */
  options(strict: boolean = false): ZlibOptions {
    // zlib looks at the distance only where the octets have left its hands, a chunk at a time: small ones let little slip.
    const narrow = strict && this.#bits < LONGEST_WINDOW
    const chunkSize = narrow ? Math.max(constants.Z_MIN_CHUNK, 2 ** (this.#bits - 3)) : CHUNK
    const options: ZlibOptions = { windowBits: this.#bits, chunkSize, maxOutputLength: MAX_INFLATED }
    return this.#octets.length === 0 ? options : { ...options, dictionary: this.#octets }
  }

  /** These octets of a message have gone through. */
  slide(message: Buffer): void {
    const size = 2 ** this.#bits
    const kept = Math.max(0, size - message.length)
    const before = kept === 0 ? NOTHING : this.#octets.subarray(-kept)
    this.#octets = Buffer.concat([before, message.subarray(-size)])
  }

  /** The message has gone through. */
  finish(): void {
    if (!this.#keeps) this.#octets = NOTHING
  }
}

/** Octets up to the end of the first block with BFINAL, and how many they are. */
function inflateOnce(octets: Buffer, window: Window): { message: Buffer; consumed: number } {
  const strict = octets.length <= LONGEST_STRICT
  try {
    const { buffer, engine } = inflateRawSync(octets, { ...window.options(strict), info: true }) as unknown as Inflated
    return { message: buffer, consumed: engine.bytesWritten }
  } catch (error) {
    throw new Unexpected(`its octets are not DEFLATE to their end: ${(error as Error).message}`)
  }
}

/** What zlib answers when `info` is asked of it. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

export class TesterDeflate {
  readonly parameters: DeflateParameters
  readonly #sent: Window
  readonly #received: Window

  /** `answer`: the field value that the server answered, whoever was the server; `role`: the tester's own. */
  constructor(answer: string, role: Role) {
    this.parameters = readDeflate(answer)
    const client = new Window(this.parameters.clientMaxWindowBits, this.parameters.clientNoContextTakeover)
    const server = new Window(this.parameters.serverMaxWindowBits, this.parameters.serverNoContextTakeover)
    this.#sent = role === 'client' ? client : server
    this.#received = role === 'client' ? server : client
  }

  /** The payload of a message as it goes over the wire (RFC 7692 7.2.1). */
  async deflate(message: Buffer): Promise<Buffer> {
    const octets = deflateRawSync(message, { ...this.#sent.options(), finishFlush: constants.Z_SYNC_FLUSH })
    this.#sent.slide(message)
    this.#sent.finish()
    return octets.subarray(0, -TAIL_LENGTH)
  }

  /** The message behind a payload of the peer (7.2.2). Throws `Unexpected` when it is not DEFLATE to its last octet. */
  async inflate(payload: Buffer): Promise<Buffer> {
    const rest = Buffer.concat([payload, TAIL_AND_LAST_BLOCK])
    const parts: Buffer[] = []
    // A block with BFINAL ends the inflating, but need not end the message (7.2.1).
    for (let at = 0; at < rest.length;) {
      const { message, consumed } = inflateOnce(rest.subarray(at), this.#received)
      this.#received.slide(message)
      parts.push(message)
      at += consumed
    }
    this.#received.finish()
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }
}

type Found = Map<string, string | undefined>

/**
 * Reads what a server answered, as `permessage-deflate; server_max_window_bits=10`, or one offer of a client. Throws
 * `Unexpected` for whatever must not be there (RFC 7692 7); whether an answer fits an offer is not looked at.
 */
export function readDeflate(element: string, of: 'answer' | 'offer' = 'answer'): DeflateParameters {
  const { name, parameters: found, twice } = readElement(element)
  if (name !== EXTENSION) throw new Unexpected(`expected ${EXTENSION} and no more, but there is ${quote(element)}`)
  if (twice !== undefined) throw new Unexpected(`the parameter ${quote(twice)} is there twice`)
  // RFC 7692 7.1.2.2: only here a value may be left out, and only by a client.
  if (of === 'offer' && found.get(CLIENT_BITS) === undefined) found.delete(CLIENT_BITS)
  const parameters = {
    serverNoContextTakeover: takeFlag(found, 'server_no_context_takeover'),
    clientNoContextTakeover: takeFlag(found, 'client_no_context_takeover'),
    serverMaxWindowBits: takeBits(found, 'server_max_window_bits'),
    clientMaxWindowBits: takeBits(found, CLIENT_BITS),
  }
  for (const parameter of found.keys()) throw new Unexpected(`the parameter ${quote(parameter)} is unknown`)
  return parameters
}

/** RFC 7692 7.1.1.1, 7.1.1.2 */
function takeFlag(found: Found, name: string): boolean {
  if (found.get(name) !== undefined) throw new Unexpected(`${name} has a value`)
  return found.delete(name)
}

/** RFC 7692 7.1.2.1, 7.1.2.2 */
function takeBits(found: Found, name: string): number | undefined {
  const value = found.get(name)
  if (!found.delete(name)) return undefined
  const bits = value === undefined || value.startsWith('0') ? undefined : decimal(value)
  if (bits !== undefined && bits >= 8 && bits <= LONGEST_WINDOW) return bits
  throw new Unexpected(
    `${name} has ${value === undefined ? 'no value' : `the value ${quote(value)}`}, not one from 8 to 15`,
  )
}

/** What one side asks of the other's compressor. */
export interface DeflateDemand {
  readonly noContextTakeover?: boolean
  readonly maxWindowBits?: number
}

/** The tester is the client: what it offers in order to have its demand met. */
export function offerDeflate({ noContextTakeover, maxWindowBits }: DeflateDemand, more: string = ''): string {
  const flag = noContextTakeover === true ? '; server_no_context_takeover' : ''
  const bits = maxWindowBits === undefined ? '' : `; server_max_window_bits=${maxWindowBits}`
  return `${EXTENSION}${more}${flag}${bits}`
}

/**
 * The tester is the server: the answer to `offers`, the field value of a client. The first offer counts; what it asks is
 * granted, and of the demands the first is made that it allows. `undefined` where that is none.
 */
export function answerDeflate(offers: string, demands: readonly DeflateDemand[]): string | undefined {
  const offer = listOf(offers)
    .map(readElement)
    .find(({ name }) => name === EXTENSION)?.parameters
  if (offer === undefined) return undefined
  // RFC 7692 7.1.2.2: the server may say something of the client's window only when the client has.
  const demand = demands.find(({ maxWindowBits }) => maxWindowBits === undefined || offer.has(CLIENT_BITS))
  if (demand === undefined) return undefined
  const maxWindowBits = decimal(offer.get('server_max_window_bits') ?? '')
  const noContextTakeover = offer.has('server_no_context_takeover')
  const granted = maxWindowBits === undefined ? { noContextTakeover } : { noContextTakeover, maxWindowBits }
  return offerDeflate(granted, asked(demand, offer))
}

function asked({ noContextTakeover, maxWindowBits }: DeflateDemand, offer: Found): string {
  const flag = noContextTakeover === true ? '; client_no_context_takeover' : ''
  if (maxWindowBits === undefined) return flag
  const hint = decimal(offer.get(CLIENT_BITS) ?? '') ?? LONGEST_WINDOW
  return `${flag}; client_max_window_bits=${Math.min(maxWindowBits, hint)}`
}

/** `name; parameter; parameter=value`. */
function readElement(element: string): { name: string; parameters: Found; twice: string | undefined } {
  const [name, ...rest] = listOf(element, ';')
  const parameters: Found = new Map()
  let twice: string | undefined = undefined
  for (const piece of rest) {
    const [parameter, ...values] = listOf(piece, '=')
    if (parameters.has(parameter)) twice = parameter
    parameters.set(parameter, piece.includes('=') ? unquoted(values.join('=')) : undefined)
  }
  return { name, parameters, twice }
}

/** RFC 6455 9.1: a value may be quoted. */
function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

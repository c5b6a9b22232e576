/**
 * One case, every way that a network may cut it: `decode` feeds the bytes whole, cut in two at every offset, octet by
 * octet, from odd places in the memory and with further bytes behind them, asserts that all of it means the same, and
 * answers what it means.
 *
 * Events and errors are strings that a specification can quote: `text Hello`, `binary 00 ff`, `ping 68 69`,
 * `close 1000 bye`, and `ERR_WS_UNMASKED_FRAME 1002 RFC 6455 5.1`.
 */
import { expect } from 'vitest'
import { ProtocolError } from '../../src/errors.ts'
import { FrameDecoder } from '../../src/framing/decoder.ts'
import { MessageAssembler } from '../../src/framing/message.ts'
import type { MessageOptions, MessageSink } from '../../src/framing/message.ts'
import type { Role } from '../../src/framing/rules.ts'
import { SENTENCE } from './errors.ts'
import { ROLES, hex, received, script } from './wire.ts'
import type { FrameLiteral } from './wire.ts'

export interface Decoded {
  /** What the sink heard, in order. */
  readonly events: readonly string[]
  /** Code, close code and section of the error that ended it; `undefined` when there was none. */
  readonly error: string | undefined
}

/** A `MessageSink` that keeps what it is handed and describes it when asked, so that a later change would show. */
export class Recorder implements MessageSink {
  readonly #heard: (() => string)[] = []

  message(data: string | Buffer, isBinary: boolean): void {
    const kind = isBinary ? 'binary' : typeof data === 'string' ? 'text' : 'text-octets'
    this.#heard.push(() => describe(kind, data))
  }

  ping(payload: Buffer): void {
    this.#heard.push(() => describe('ping', payload))
  }

  pong(payload: Buffer): void {
    this.#heard.push(() => describe('pong', payload))
  }

  close(code: number, reason: string): void {
    this.#heard.push(() => describe(`close ${code}`, reason))
  }

  get events(): string[] {
    return this.#heard.map((event) => event())
  }
}

/** How an event reads in an expectation: its kind, and what came with it unless that is empty. */
export function describe(kind: string, data: string | Buffer): string {
  if (data.length === 0) return kind
  return `${kind} ${typeof data === 'string' ? data : hex(data)}`
}

/**
 * How a `ProtocolError` reads in an expectation; anything else is thrown on, because nothing else may be thrown. Its message is
 * words, which may be written anew without a test that fails.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof ProtocolError)) throw error
  expect(error.message).toMatch(SENTENCE)
  return `${error.code} ${error.closeCode} ${error.section}`
}

/** The error that `run` throws; fails when it throws none. */
export function errorOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return describeError(error)
  }
  throw new Error('nothing was thrown')
}

export const DEFAULTS: MessageOptions = {
  role: 'server',
  maxMessageSize: 1_048_576,
  maxFragments: 131_072,
  text: 'string',
}

export interface Run extends Decoded {
  /** Chunks taken before the error, or all of them. */
  readonly taken: number
  /** Whether the bytes ended inside a frame. */
  readonly inFrame: boolean
}

/** One run over copies of `chunks`; the decoder unmasks in place. `displaced`: each lies that far into its memory. */
export function decodeChunks(chunks: readonly Buffer[], options: Partial<MessageOptions> = {}, displaced = 0): Run {
  const recorder = new Recorder()
  const decoder = new FrameDecoder(new MessageAssembler(recorder, { ...DEFAULTS, ...options }))
  let taken = 0
  let error: string | undefined
  try {
    for (; taken < chunks.length; taken++) {
      const chunk = Buffer.from(new ArrayBuffer(displaced + chunks[taken].length), displaced)
      chunk.set(chunks[taken])
      const end = decoder.decode(chunk)
      if (end !== chunk.length) throw new Error(`${end} of ${chunk.length} octets taken, without a stop`)
    }
  } catch (thrown) {
    error = describeError(thrown)
  }
  return { events: recorder.events, error, taken, inFrame: decoder.inFrame }
}

/** What `bytes` mean, however they are cut. */
export function decode(bytes: Buffer, options: Partial<MessageOptions> = {}): Decoded {
  const whole = decodeChunks([bytes], options)
  const { events, error } = whole
  function expectSame(how: string, run: Run): void {
    expect({ how, events: run.events, error: run.error }).toEqual({ how, events, error })
  }

  for (const at of [1, 2, 3, 4, 5, 6, 7, 40_001]) {
    expectSame(`${at} octets into the memory`, decodeChunks([bytes], options, at))
  }
  for (const at of cuts(bytes.length)) {
    expectSame(`cut at ${at}`, decodeChunks([bytes.subarray(0, at), bytes.subarray(at)], options))
  }
  expectSame('octet by octet', decodeChunks(octets(bytes), options))

  if (error !== undefined) {
    // What stands behind an error is not looked at: a ping there would be heard.
    const behind = received(options.role ?? DEFAULTS.role, 0x89, 'behind')
    expectSame('with bytes behind the error', decodeChunks([Buffer.concat([bytes, behind])], options))
  } else if (!whole.inFrame) {
    const behind = Buffer.concat([bytes, received(options.role ?? DEFAULTS.role, 0x89, 'behind')])
    const more = { events: [...events, 'ping 62 65 68 69 6e 64'], error: undefined }
    for (const chunks of [[behind], octets(behind)]) expect(decodeChunks(chunks, options)).toMatchObject(more)
  }
  return { events, error }
}

/** What the frames mean, received in either role: they must mean the same in both. */
export function decodeFrames(
  frames: readonly FrameLiteral[],
  options: Partial<Omit<MessageOptions, 'role'>> = {},
): Decoded {
  const [asServer, asClient] = ROLES.map((role) => decode(script(role, frames), { ...options, role }))
  expect({ role: 'client', ...asClient }).toEqual({ role: 'client', ...asServer })
  return asServer
}

/** How many octets of `bytes`, fed one by one, are taken without an error. */
export function octetsBeforeError(bytes: Buffer, options: Partial<MessageOptions> & { readonly role: Role }): number {
  return decodeChunks(octets(bytes), options).taken
}

export function octets(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (octet) => Buffer.from([octet]))
}

/** Every offset of short bytes; of long ones the first and last and some between. */
function cuts(length: number): number[] {
  const all = Array.from({ length: Math.max(0, length - 1) }, (_, at) => at + 1)
  if (length <= 400) return all
  const stride = Math.ceil(length / 40)
  return all.filter((at) => at <= 32 || at >= length - 16 || at % stride === 0)
}

/**
 * Frame streams, as the network brings them, through `FrameDecoder`, `MessageAssembler` and `PerMessageDeflate`, in both roles.
 *
 * - However the stream is cut, it means the same: the same messages and control frames, the same error.
 * - It means what the plain reading in `reference` makes of it.
 * - Nothing but a `ProtocolError` is thrown, with a close code that may be sent.
 * - Each call of the sink costs the peer octets: nobody can keep us busy for nothing.
 * - What is allocated is bounded by what came, not by what was announced.
 */
import { PerMessageDeflate, deflateSettings } from '../../src/deflate/index.ts'
import { ProtocolError } from '../../src/errors.ts'
import { FrameDecoder, MessageAssembler, textOf } from '../../src/framing/index.ts'
import type { ExtensionSink, FrameHeader, FrameSink, MessageOptions, MessageSink } from '../../src/framing/index.ts'
import { generateFrames } from '../generate/frames.ts'
import { NOT_UTF8 } from '../generate/payloads.ts'
import { readFrames } from '../reference/frames.ts'
import type { Events, Meaning, ReferenceOptions } from '../reference/frames.ts'
import { cutUp, waysToCut } from '../support/cuts.ts'
import type { Cuts } from '../support/cuts.ts'
import type { Random } from '../support/random.ts'
import { check, codeOf } from './target.ts'
import type { Input, Target } from './target.ts'

const SETTINGS = ['server', 'client'].flatMap((role) =>
  ['', ' deflate', ' context'].flatMap((deflate) => [`${role}${deflate}`, `${role}${deflate} small`]),
)

type Options = ReferenceOptions & { readonly text: 'string' | 'buffer' }

const OPTIONS = new Map<string, Options>(SETTINGS.map((settings) => [settings, optionsOf(settings.split(' '))]))

function optionsOf(words: readonly string[]): Options {
  const small = words.includes('small')
  return {
    role: words.includes('client') ? 'client' : 'server',
    deflate: words.includes('deflate') ? 'each' : words.includes('context') ? 'context' : 'no',
    // Up to this size all is inflated at once.
    maxMessageSize: small ? 300 : 200_000,
    maxFragments: small ? 4 : 131_072,
    text: small ? 'buffer' : 'string',
  }
}

/** All that came of it, kept by reference: what is handed out has to stay as it is. */
class Listener implements MessageSink, ExtensionSink {
  readonly events: Events = []
  readonly #deflate: PerMessageDeflate | undefined
  readonly #options: Options

  constructor(options: Options, deflate: PerMessageDeflate | undefined) {
    this.#options = options
    this.#deflate = deflate
  }

  message(data: string | Buffer, isBinary: boolean): void {
    this.events.push(isBinary ? 'binary' : 'text', data)
  }

  ping(payload: Buffer): void {
    this.events.push('ping', payload)
  }

  pong(payload: Buffer): void {
    this.events.push('pong', payload)
  }

  close(code: number, reason: string): void {
    this.events.push(`close ${code}`, reason)
  }

  extended(payload: Buffer, isBinary: boolean): void {
    const octets = this.#deflate!.decompressSmall(payload, this.#options.maxMessageSize)
    if (octets === undefined) this.events.push('large', String(payload.length))
    else if (isBinary) this.message(octets, true)
    else this.message(textOf(octets, 0, octets.length), false)
  }

  extendedPart(): void {
    throw new Error('a part, where whole messages were wanted')
  }
}

/** Counts the calls, and throws when there are more than the octets can have paid for. */
class Budget implements FrameSink {
  readonly #sink: FrameSink
  #left: number

  constructor(sink: FrameSink, octets: number, chunks: number) {
    this.#sink = sink
    this.#left = octets + chunks + 2
  }

  frameHeader(header: FrameHeader): void {
    this.#spend()
    this.#sink.frameHeader(header)
  }

  framePayload(header: FrameHeader, chunk: Buffer, start: number, end: number, remaining: number): void {
    this.#spend()
    check(start <= end && end <= chunk.length, () => `a piece from ${start} to ${end} of ${chunk.length} octets`)
    this.#sink.framePayload(header, chunk, start, end, remaining)
  }

  #spend(): void {
    if (--this.#left < 0) throw new Error('the sink is called more often than the octets allow')
  }
}

interface Outcome {
  readonly events: Events
  readonly error: ProtocolError | undefined
  readonly frames: number
}

const NO_CUTS: Cuts = []
const bits = { serverMaxWindowBits: 15, clientMaxWindowBits: 15 }
const deflateOptions = deflateSettings(true)!

function codecFor({ role, deflate }: Options): PerMessageDeflate | undefined {
  if (deflate === 'no') return undefined
  const alone = deflate === 'each'
  return new PerMessageDeflate(
    { serverNoContextTakeover: alone, clientNoContextTakeover: alone, ...bits },
    deflateOptions,
    role,
  )
}

function read(octets: Buffer, cuts: Cuts, options: Options): Outcome {
  const codec = codecFor(options)
  const listener = new Listener(options, codec)
  const limits: MessageOptions = options
  const assembler = new MessageAssembler(listener, limits, codec && listener)
  const decoder = new FrameDecoder(new Budget(assembler, octets.length, cuts.length + 1))
  let error: ProtocolError | undefined
  try {
    for (const chunk of cutUp(octets, cuts)) {
      const end = decoder.decode(chunk)
      check(end === chunk.length, () => `${end} of ${chunk.length} octets taken`)
      // Chunks are only lent.
      chunk.fill(0xaa)
    }
  } catch (thrown) {
    codeOf(thrown, ProtocolError)
    error = thrown as ProtocolError
  } finally {
    codec?.end()
  }
  return { events: listener.events, error, frames: decoder.frames }
}

function isSame(one: string | Buffer, other: string | Buffer): boolean {
  if (typeof one === 'string' && typeof other === 'string') return one === other
  return Buffer.from(one).equals(typeof other === 'string' ? Buffer.from(other) : other)
}

function areSame(some: Events, others: Events): boolean {
  return some.length === others.length && some.every((event, at) => isSame(event, others[at]))
}

function inWords({ events, error }: { events: Events; error: ProtocolError | undefined }): string {
  const words: string[] = []
  for (let at = 0; at < events.length; at += 2) {
    const data = events[at + 1]
    const shown = typeof data === 'string' ? JSON.stringify(data) : data.toString('hex')
    words.push(`${String(events[at])} ${shown.length > 60 ? `${shown.slice(0, 60)}… (${data.length})` : shown}`.trim())
  }
  if (error !== undefined) words.push(`${error.code} ${error.closeCode} ${error.section}`)
  return words.join(', ') || 'nothing'
}

/** Inflating may fail for its size or for its content, whichever zlib comes upon first. */
function isSameCode(code: number | undefined, expected: number | undefined, deflate: boolean): boolean {
  return (
    code === expected ||
    (deflate && code !== undefined && [code, expected].every((one) => one === 1007 || one === 1009))
  )
}

function compareWithReference(outcome: Outcome, meaning: Meaning, options: Options): void {
  const { events, error } = outcome
  const say = (): string =>
    `${inWords(outcome)}; the reference has ${inWords({ events: meaning.events, error: undefined })}, close code ${meaning.closeCode}`
  if (meaning.unsure) {
    check(areSame(events.slice(0, meaning.events.length), meaning.events), say)
    return
  }
  check(areSame(events, meaning.events), say)
  check(isSameCode(error?.closeCode, meaning.closeCode, options.deflate !== 'no'), say)
}

/** Beside what came and what came of it, each as often as buffers that grow may take of it. */
const SLACK = 262_144
const TIMES = 20

function readWithinMemory(octets: Buffer, options: Options): Outcome {
  const before = process.memoryUsage().arrayBuffers
  const outcome = read(octets, NO_CUTS, options)
  const grown = process.memoryUsage().arrayBuffers - before
  const delivered = outcome.events.reduce((sum, event) => sum + event.length, 0)
  const most = TIMES * (octets.length + delivered) + SLACK + (options.deflate === 'no' ? 0 : 2 * options.maxMessageSize)
  check(grown <= most, () => `${grown} octets allocated for ${octets.length} that came and ${delivered} handed out`)
  return outcome
}

export const frames: Target = {
  name: 'frames',
  settings: SETTINGS,
  unit: 'frames',
  dictionary: [
    ...NOT_UTF8,
    ...['8000', '0000', '8180', '8900', '8800', '8a80', 'c100', '7f', 'fe', 'ff'].map((digits) =>
      Buffer.from(digits, 'hex'),
    ),
  ],

  generate(random, settings) {
    const options = OPTIONS.get(settings)!
    const largest = options.maxMessageSize === 300 ? 1000 : 160_000
    return generateFrames(random, { role: options.role, deflate: options.deflate !== 'no', largest })
  },

  run({ settings, octets }: Input, random: Random): number {
    const options = OPTIONS.get(settings)!
    const whole = random.chance(0.02) ? readWithinMemory(octets, options) : read(octets, NO_CUTS, options)
    for (const cuts of waysToCut(octets.length, random)) {
      const cut = read(octets, cuts, options)
      const isEqual =
        areSame(cut.events, whole.events) &&
        cut.error?.code === whole.error?.code &&
        cut.error?.closeCode === whole.error?.closeCode
      check(isEqual, () => `cut at ${cuts.join(', ')}: ${inWords(cut)}; whole: ${inWords(whole)}`)
    }
    // zlib once more is what takes longest.
    const isCompared = options.deflate === 'no' || random.chance(0.25)
    if (isCompared) compareWithReference(whole, readFrames(octets, options), options)
    return whole.frames
  },

  outcome: ({ settings, octets }) => inWords(read(octets, NO_CUTS, OPTIONS.get(settings)!)),
}

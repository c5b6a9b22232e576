/**
 * Chunks as they are read, to messages: ours by `FrameDecoder` and `MessageAssembler`, ws by its `Receiver`. The
 * limit is what is handed out, made of octets that lie there without frames or masks: a string, or a copy.
 *
 * Payloads are unmasked where they lie, so that every other time the same chunk holds other octets; the masking key is
 * such that ASCII stays ASCII. Each run takes the other of two copies of the chunks, as a read never brings the memory
 * of the last one.
 */
import { isAscii } from 'node:buffer'
import type { Case, Way } from './case.ts'
import type { Ours, Ws } from './parts.ts'
import { ascii, octetsOf, scripts } from './samples.ts'

interface Input {
  readonly name: string
  readonly role: 'server' | 'client'
  readonly text: boolean
  readonly messages: readonly Buffer[]
  /** Octets of a chunk; all in one unless given. */
  readonly chunkSize?: number
  readonly fragmentSize?: number
  /** Text as octets, which is how ws hands it on anyway. */
  readonly asOctets?: boolean
}

const LOW_BITS = 0x04030201
const LIMITS = { maxMessageSize: 2 ** 30, maxFragments: 2 ** 30 }

function inputs(): Input[] {
  const many = (count: number, message: Buffer): Buffer[] => Array.from({ length: count }, () => message)
  const server = { role: 'server', text: false } as const
  const text = { role: 'server', text: true } as const
  return [
    { ...text, name: 'text, 32 B', messages: [ascii(32)] },
    { ...server, name: 'binary, 32 B', messages: [octetsOf(32)] },
    { ...text, name: 'text, 1 KiB', messages: [ascii(1024)] },
    { ...server, name: 'binary, 1 KiB', messages: [octetsOf(1024)] },
    { ...server, name: 'binary, 64 KiB', messages: [octetsOf(65_536)] },
    { ...server, name: 'binary, 1 MiB in reads of 64 KiB', messages: [octetsOf(1_048_576)], chunkSize: 65_536 },
    { ...text, name: '100 × text, 32 B, in one read', messages: many(100, ascii(32)) },
    { ...text, name: '100 × text, 32 B, in one read, as octets', messages: many(100, ascii(32)), asOctets: true },
    { ...server, name: '1,000 × binary, 4 B, in one read', messages: many(1000, octetsOf(4)) },
    { ...text, name: 'text, 125 B, octet by octet', messages: [ascii(125)], chunkSize: 1 },
    { ...text, name: 'text, 4 KiB in fragments of 64 B', messages: [ascii(4096)], fragmentSize: 64 },
    { ...server, name: 'binary, 1 KiB in fragments of 1 B', messages: [octetsOf(1024)], fragmentSize: 1 },
    { role: 'client', text: true, name: 'unmasked, 100 × text, 32 B, in one read', messages: many(100, ascii(32)) },
    { role: 'client', text: true, name: 'unmasked, text of many scripts, 1 KiB', messages: [scripts(1024)] },
  ]
}

export function messageCases(ours: Ours, ws: Ws): Case[] {
  return inputs().map((input) => {
    const chunks = (): Buffer[] => cut(wireOf(ours, input), input.chunkSize)
    const expected = input.messages.map((message) => (handsOnText(input) ? message.toString() : message))
    const way = (prepare: (found: Found) => Feed): Way => wayOf(chunks, prepare)
    return {
      group: 'reading',
      name: input.name,
      expected,
      ways: {
        fullduplex: way((found) => prepareOurs(ours, input, found)),
        ws: way((found) => prepareWs(ws, input, found)),
        limit: handingOut(input),
      },
    }
  })
}

type Feed = (chunk: Buffer) => void
/** Where messages go: counted, and kept where `kept` is there. */
interface Found {
  count: number
  kept: (string | Buffer)[] | undefined
  last: string | Buffer | undefined
}

function handsOnText({ text, asOctets = false }: Input): boolean {
  return text && !asOctets
}

function wayOf(chunks: () => Buffer[], prepare: (found: Found) => Feed): Way {
  const found: Found = { count: 0, kept: undefined, last: undefined }
  const feed = prepare(found)
  const [one, other] = [chunks(), chunks()]
  let turn = false
  return {
    run() {
      turn = !turn
      for (const chunk of turn ? one : other) feed(chunk)
    },
    result() {
      const kept: (string | Buffer)[] = []
      found.kept = kept
      for (const chunk of chunks()) feed(chunk)
      found.kept = undefined
      return kept
    },
  }
}

function prepareOurs({ framing }: Ours, input: Input, found: Found): Feed {
  const sink = {
    message: (data: string | Buffer) => take(found, data),
    ping() {},
    pong() {},
    close() {},
  }
  const options = { role: input.role, ...LIMITS, text: handsOnText(input) ? 'string' : 'buffer' } as const
  const decoder = new framing.FrameDecoder(new framing.MessageAssembler(sink, options))
  return (chunk) => decoder.decode(chunk)
}

function prepareWs(ws: Ws, input: Input, found: Found): Feed {
  const receiver = new ws.Receiver({
    isServer: input.role === 'server',
    maxPayload: LIMITS.maxMessageSize,
    maxFragments: 0,
    maxBufferedChunks: 0,
  })
  const toText = handsOnText(input)
  receiver.on('message', (data: Buffer) => take(found, toText ? data.toString() : data))
  receiver.on('error', (error) => {
    throw error
  })
  return (chunk) => receiver.write(chunk)
}

function take(found: Found, data: string | Buffer): void {
  found.count++
  found.last = data
  if (found.kept !== undefined) found.kept.push(data)
}

/** The data of all messages, from where it lies together: strings, or copies of octets. */
function handingOut(input: Input): Way {
  const { messages } = input
  const encoding = messages.every((message) => isAscii(message)) ? 'latin1' : 'utf8'
  const bytes = Buffer.concat(messages)
  const asText = handsOnText(input)
  const found: Found = { count: 0, kept: undefined, last: undefined }
  return {
    run() {
      let start = 0
      for (const { length } of messages) {
        const end = start + length
        take(found, asText ? bytes.toString(encoding, start, end) : copyOf(bytes, start, end))
        start = end
      }
    },
  }
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start)
  bytes.copy(copy, 0, start, end)
  return copy
}

/** What the peer sends. */
function wireOf({ framing }: Ours, { role, text, messages, fragmentSize = Infinity }: Input): Buffer {
  const frames: Buffer[] = []
  for (const message of messages) {
    for (let start = 0; start < message.length; start += fragmentSize) {
      const payload = message.subarray(start, Math.min(start + fragmentSize, message.length))
      const opcode = start > 0 ? framing.Opcode.Continuation : text ? framing.Opcode.Text : framing.Opcode.Binary
      const fin = start + payload.length === message.length
      frames.push(framing.encodeFrame({ opcode, fin, payload, ...(role === 'server' && { maskingKey: LOW_BITS }) }))
    }
  }
  return Buffer.concat(frames)
}

/** In memories of their own, as reads are. */
function cut(bytes: Buffer, size = bytes.length): Buffer[] {
  const chunks: Buffer[] = []
  for (let start = 0; start < bytes.length; start += size) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(size, bytes.length - start))
    bytes.copy(chunk, 0, start)
    chunks.push(chunk)
  }
  return chunks
}

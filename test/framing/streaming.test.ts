/**
 * Messages in parts, from one end of the framing to the other: what `writeFragments` makes of the parts of a message,
 * `MessageAssembler.stream` gives back in parts, however both are cut (RFC 6455 5.4, 8.1).
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  FrameDecoder,
  FrameList,
  MessageAssembler,
  Opcode,
  writeControl,
  writeFragments,
} from '../../src/framing/index.ts'
import type { MessageSink, PartSink } from '../../src/framing/index.ts'
import { DEFAULTS, describe as describeEvent } from '../support/decode.ts'
import { parseFrames } from '../support/duplex.ts'
import { ROLES } from '../support/wire.ts'

interface Sent {
  readonly isBinary: boolean
  readonly parts: readonly Buffer[]
}

/** Puts parts together again, and keeps a count of what it holds. */
class Gatherer implements PartSink, MessageSink {
  readonly events: string[] = []
  #parts: Buffer[] = []

  messagePart(part: Buffer, isBinary: boolean, last: boolean): void {
    if (!last && part.length === 0) throw new Error('an empty part')
    this.#parts.push(part)
    if (!last) return
    this.events.push(describeEvent(isBinary ? 'binary' : 'text', Buffer.concat(this.#parts)))
    this.#parts = []
  }

  message(): void {
    throw new Error('a message was put together')
  }

  ping(payload: Buffer): void {
    this.events.push(describeEvent('ping', payload))
  }

  pong(): void {}

  close(): void {}
}

const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 8 }), { maxLength: 5 })
const binaries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 })
const message: fc.Arbitrary<Sent> = fc.oneof(
  texts.map((parts) => ({ isBinary: false, parts: parts.map((part) => Buffer.from(part)) })),
  binaries.map((parts) => ({ isBinary: true, parts: parts.map((part) => Buffer.from(part)) })),
)

describe.each(ROLES)('A streamed message to a %s', (role) => {
  const masked = role === 'server'

  it('is the message that was sent, wherever it is cut, with control frames between [6455:5.4-03] [6455:5.4-05] [6455:5.4-i02]', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 4 }),
        fc.constantFrom(1, 2, 7, 125, 126, Infinity),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }),
        (messages, fragmentSize, cuts) => {
          const list = new FrameList()
          const expected: string[] = []
          for (const { isBinary, parts } of messages) {
            let opcode: number = isBinary ? Opcode.Binary : Opcode.Text
            for (const part of parts) {
              writeFragments(list, opcode, part, masked, fragmentSize, false)
              opcode = Opcode.Continuation
              writeControl(list, Opcode.Ping, Buffer.from('p'), masked)
              expected.push('ping 70')
            }
            writeFragments(list, opcode, Buffer.alloc(0), masked, fragmentSize, true)
            expected.push(describeEvent(isBinary ? 'binary' : 'text', Buffer.concat(parts)))
          }
          const bytes = Buffer.concat(list.frames)
          expect(list.size).toBe(bytes.length)

          const gatherer = new Gatherer()
          const assembler = new MessageAssembler(gatherer, { ...DEFAULTS, role })
          assembler.stream(gatherer, Infinity)
          const decoder = new FrameDecoder(assembler)
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const end = at + cuts[turn % cuts.length]
            decoder.decode(Buffer.from(bytes.subarray(at, end)))
            at = end
          }
          expect(gatherer.events).toEqual(expected)
          expect(decoder.inFrame).toBe(false)
        },
      ),
    )
  })

  it('is as many frames as its parts need, and no part is larger than a frame may be [6455:5.4-i01] [6455:6.1-07]', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        fc.integer({ min: 1, max: 200 }),
        fc.boolean(),
        (part, most, last) => {
          const list = new FrameList()
          writeFragments(list, Opcode.Binary, Buffer.from(part), masked, most, last)
          const frames = parseFrames(masked ? 'client' : 'server', Buffer.concat(list.frames))
          expect(Buffer.concat(frames.map(({ payload }) => payload))).toEqual(Buffer.from(part))
          expect(frames.length).toBe(Math.max(1, Math.ceil(part.length / most)))
          for (const [index, { firstOctet, payload }] of frames.entries()) {
            const fin = last && index === frames.length - 1 ? 0x80 : 0
            expect(firstOctet).toBe(fin | (index === 0 ? Opcode.Binary : Opcode.Continuation))
            expect(payload.length).toBeLessThanOrEqual(most)
          }
        },
      ),
    )
  })
})

describe('MessageAssembler.stream', () => {
  it('keeps nothing of what it had put together', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const assembler = new MessageAssembler(new Gatherer(), { ...DEFAULTS, role: 'client' })
    const decoder = new FrameDecoder(assembler)
    // More than Node would put into memory that it shares among small Buffers.
    decoder.decode(Buffer.concat([Buffer.from([0x02, 0x7e, 0xff, 0xff]), Buffer.alloc(65_535)]))
    const assembled: WeakRef<ArrayBufferLike>[] = []
    assembler.stream({ messagePart: (part) => void assembled.push(new WeakRef(part.buffer)) }, 100_000)
    expect(assembled.length).toBe(1)
    // A WeakRef holds until the end of the turn in which it was made.
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    expect(assembled[0].deref()).toBe(undefined)
    decoder.decode(Buffer.from([0x80, 0x00]))
  })
})

describe('A FrameList', () => {
  it('counts what is pushed and what is claimed alike, and hands out memory of its own for each', () => {
    const list = new FrameList()
    list.push(Buffer.from('abc'))
    const first = list.claim(2)
    const memory = list.bytes
    expect([first, memory.length, list.size]).toEqual([0, 2, 5])
    list.claim(3)
    expect([list.bytes.length, list.size, list.frames.length]).toEqual([3, 8, 3])
    expect([list.frames[1], list.frames[2]]).toEqual([memory, list.bytes])
    expect(list.frames[1]).toBe(memory)
  })
})

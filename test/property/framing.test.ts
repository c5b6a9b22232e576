/**
 * What holds for all of framing: what is encoded is decoded, however it is fragmented, interleaved and cut; the same bytes
 * mean the same in any chunks; and bytes of any kind end in events or in a `ProtocolError`, never in anything else.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../src/errors.ts'
import { isSendableCloseCode, writeCloseBody } from '../../src/framing/close.ts'
import { FrameDecoder } from '../../src/framing/decoder.ts'
import { encodeFrame, writeControl, writeMessage } from '../../src/framing/encoder.ts'
import type { FrameTarget } from '../../src/framing/encoder.ts'
import { MessageAssembler } from '../../src/framing/message.ts'
import type { MessageOptions } from '../../src/framing/message.ts'
import { Opcode } from '../../src/framing/opcode.ts'
import type { Role } from '../../src/framing/rules.ts'
import { DEFAULTS, Recorder, decodeChunks, describe as event } from '../support/decode.ts'

class Collected implements FrameTarget {
  bytes: Buffer = Buffer.alloc(0)
  readonly #parts: Buffer[] = []

  claim(size: number): number {
    this.bytes = Buffer.alloc(size, 0xa5)
    this.#parts.push(this.bytes)
    return 0
  }

  claimUpTo(size: number): number {
    this.bytes = Buffer.alloc(size, 0xa5)
    return 0
  }

  settle(size: number): void {
    this.#parts.push(this.bytes.subarray(0, size))
  }

  push(bytes: Buffer): void {
    this.#parts.push(bytes)
  }

  get output(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

const octets = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes))

/** Short and empty often, at times so long that the length takes 16 or 64 bits. */
const binary = fc.oneof(
  { weight: 8, arbitrary: octets(300) },
  { weight: 1, arbitrary: fc.integer({ min: 16_000, max: 70_000 }).map((length) => Buffer.alloc(length, 'binary')) },
)
const text = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4_000, max: 20_000 }).map((length) => 'añ€😀'.repeat(length / 4)) },
)

interface Action {
  /** Writes a message or a control frame. */
  readonly write: (target: FrameTarget, masked: boolean) => void
  readonly event: string
}

const fragmentSize = fc.oneof(
  fc.integer({ min: 1, max: 64 }),
  fc.integer({ min: 65, max: 40_000 }),
  fc.constant(Infinity),
)

const actions = (textMode: MessageOptions['text']): fc.Arbitrary<Action[]> =>
  fc.array(
    fc.oneof(
      fc.tuple(text, fragmentSize).map(([data, size]) => ({
        write: (target: FrameTarget, masked: boolean) => writeMessage(target, Opcode.Text, data, masked, size),
        event: textMode === 'string' ? event('text', data) : event('text-octets', Buffer.from(data)),
      })),
      fc.tuple(binary, fragmentSize).map(([data, size]) => ({
        write: (target: FrameTarget, masked: boolean) => writeMessage(target, Opcode.Binary, data, masked, size),
        event: event('binary', data),
      })),
      fc.tuple(fc.constantFrom(Opcode.Ping, Opcode.Pong), octets(125)).map(([opcode, payload]) => ({
        write: (target: FrameTarget, masked: boolean) => writeControl(target, opcode, payload, masked),
        event: event(opcode === Opcode.Ping ? 'ping' : 'pong', payload),
      })),
      fc
        .tuple(
          fc.integer({ min: 1000, max: 4999 }).filter(isSendableCloseCode),
          fc.string({ unit: 'binary', maxLength: 30 }),
        )
        .map(([code, reason]) => ({
          write: (target: FrameTarget, masked: boolean) =>
            writeControl(target, Opcode.Close, writeCloseBody(code, reason), masked),
          event: event(`close ${code}`, reason),
        })),
    ),
    { maxLength: 8 },
  )

const role = fc.constantFrom<Role>('server', 'client')
const textMode = fc.constantFrom<MessageOptions['text']>('string', 'buffer')

/** Sizes of the chunks to cut bytes into, used in turn. */
const chunkSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 21, max: 70_000 })), {
  minLength: 1,
  maxLength: 12,
})

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    // Chunks of a few octets for long bytes would take long and show nothing that shorter bytes do not.
    const size = Math.max(sizes[chunks.length % sizes.length], bytes.length >> 12)
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

describe('framing', () => {
  it('decodes what it encodes: any messages, fragments, control frames, chunks, roles and text modes [6455:5.4-i02] [6455:6.2-01]', () => {
    fc.assert(
      fc.property(
        textMode.chain((mode) => fc.tuple(fc.constant(mode), actions(mode))),
        role,
        chunkSizes,
        fc.nat(7),
        ([mode, sent], asRole, sizes, displaced) => {
          const target = new Collected()
          for (const { write } of sent) write(target, asRole === 'server')
          const run = decodeChunks(
            cut(target.output, sizes),
            { role: asRole, text: mode, maxFragments: Infinity },
            displaced,
          )
          expect({ events: run.events, error: run.error, inFrame: run.inFrame }).toEqual({
            events: sent.map((action) => action.event),
            error: undefined,
            inFrame: false,
          })
        },
      ),
      { numRuns: 300 },
    )
  })

  it('decodes messages in any fragments with any control frames between them [6455:5.4-01] [6455:5.4-03] [6455:5.4-05]', () => {
    const between = fc.tuple(fc.constantFrom(Opcode.Ping, Opcode.Pong), octets(20))
    const fragment = fc.tuple(octets(40), fc.array(between, { maxLength: 2 }))
    fc.assert(
      fc.property(
        fc.array(fc.array(fragment, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
        role,
        chunkSizes,
        fc.integer(),
        (messages, asRole, sizes, maskingKey) => {
          const mask = asRole === 'server' ? { maskingKey } : {}
          const frames: Buffer[] = []
          const expected: string[] = []
          for (const fragments of messages) {
            for (const [i, [payload, controls]] of fragments.entries()) {
              const last = i === fragments.length - 1
              const opcode = i === 0 ? Opcode.Binary : Opcode.Continuation
              frames.push(encodeFrame({ opcode, payload, fin: last, ...mask }))
              if (last) expected.push(event('binary', Buffer.concat(fragments.map(([part]) => part))))
              for (const [controlOpcode, body] of controls) {
                frames.push(encodeFrame({ opcode: controlOpcode, payload: body, ...mask }))
                expected.push(event(controlOpcode === Opcode.Ping ? 'ping' : 'pong', body))
              }
            }
          }
          const run = decodeChunks(cut(Buffer.concat(frames), sizes), { role: asRole })
          expect({ events: run.events, error: run.error }).toEqual({ events: expected, error: undefined })
        },
      ),
      { numRuns: 300 },
    )
  })

  /** Frames that are mostly legal, with anything in them, so that errors of every kind come somewhere in the middle. */
  const anyFrame = fc
    .record({
      opcode: fc.oneof(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.nat(15)),
      fin: fc.boolean(),
      rsv1: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
      payload: fc.oneof(
        octets(6),
        fc.constantFrom(Buffer.from('é€😀'), Buffer.from('03e8', 'hex'), Buffer.from('c3', 'hex')),
      ),
      masked: fc.integer({ min: 0, max: 19 }).map((n) => n > 0),
    })
    .map(({ masked, ...fields }) => encodeFrame({ ...fields, ...(masked && { maskingKey: 0x3d21fa37 }) }))
  const anyBytes = fc.oneof(
    fc.array(anyFrame, { maxLength: 8 }).map((frames) => Buffer.concat(frames)),
    octets(60),
    fc
      .tuple(fc.array(anyFrame, { maxLength: 3 }), octets(20))
      .map(([frames, rest]) => Buffer.concat([...frames, rest])),
  )

  it('means the same by the same bytes in any chunks, errors included', () => {
    fc.assert(
      fc.property(anyBytes, role, textMode, chunkSizes, fc.nat(7), (bytes, asRole, mode, sizes, displaced) => {
        const options = { role: asRole, text: mode, maxMessageSize: 12, maxFragments: 3 }
        const whole = decodeChunks([bytes], options)
        for (const chunks of [cut(bytes, sizes), cut(bytes, [1])]) {
          const run = decodeChunks(chunks, options, displaced)
          expect([run.events, run.error]).toEqual([whole.events, whole.error])
          if (whole.error === undefined) expect(run.inFrame).toBe(whole.inFrame)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('[V21] ends any bytes in events or a ProtocolError, taking octets with every turn [6455:10.7-01]', () => {
    fc.assert(
      fc.property(anyBytes, role, (bytes, asRole) => {
        const assembler = new MessageAssembler(new Recorder(), { ...DEFAULTS, role: asRole })
        const decoder = new FrameDecoder({
          frameHeader: (header) => {
            decoder.stop()
            assembler.frameHeader(header)
          },
          framePayload: (header, chunk, start, end, remaining) => {
            decoder.stop()
            assembler.framePayload(header, chunk, start, end, remaining)
          },
        })
        const chunk = Buffer.from(bytes)
        try {
          for (let at = 0; at < chunk.length;) {
            const next = decoder.decode(chunk, at)
            expect(next).toBeGreaterThan(at)
            expect(next).toBeLessThanOrEqual(chunk.length)
            at = next
          }
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
          expect([1002, 1007, 1008, 1009]).toContain(error.closeCode)
          expect(error.code).toMatch(/^ERR_WS_[A-Z0-9_]+$/)
          expect(error.section).toMatch(/^RFC 6455 \d/)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../src/errors.ts'
import { FrameDecoder, MessageAssembler } from '../../src/framing/index.ts'
import { generateFrames } from '../../fuzz/generate/frames.ts'
import type { StreamOptions } from '../../fuzz/generate/frames.ts'
import { Random } from '../../fuzz/support/random.ts'
import { ROLES } from '../support/wire.ts'

const STREAMS = 3000

/** What comes of so many streams: how many hold no mistake, the codes of the others, the frames in all of them. */
function read(options: StreamOptions): { valid: number; codes: Set<string>; frames: number } {
  const random = new Random(1)
  const codes = new Set<string>()
  let valid = 0
  let frames = 0
  const ignore = (): void => {}
  const sink = { message: ignore, ping: ignore, pong: ignore, close: ignore }
  const extension = { extended: ignore, extendedPart: ignore }
  const limits = { maxMessageSize: 1_048_576, maxFragments: 131_072, text: 'string' as const }
  for (let i = 0; i < STREAMS; i++) {
    const assembler = new MessageAssembler(
      sink,
      { role: options.role, ...limits },
      options.deflate ? extension : undefined,
    )
    const decoder = new FrameDecoder(assembler)
    try {
      decoder.decode(generateFrames(random, options))
      valid++
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      codes.add(error.code)
    }
    frames += decoder.frames
  }
  return { valid, codes, frames }
}

const RULES = [
  ...['BAD_CLOSE_BODY', 'BAD_CLOSE_CODE', 'BAD_LENGTH', 'CONTROL_TOO_LONG', 'FRAGMENTED_CONTROL', 'INVALID_UTF8'],
  ...['MESSAGES_INTERLEAVED', 'MESSAGE_TOO_BIG', 'NOTHING_TO_CONTINUE', 'RESERVED_BIT', 'RESERVED_OPCODE'],
  'TOO_MANY_FRAGMENTS',
].map((name) => `ERR_WS_${name}`)

describe('generateFrames', () => {
  for (const role of ROLES) {
    for (const deflate of [false, true]) {
      const name = `${role}, ${deflate ? 'with' : 'without'} deflate`
      it(`breaks every rule in some of its streams, and none in most of them: ${name}`, () => {
        const { valid, codes, frames } = read({ role, deflate })
        const masking = role === 'server' ? 'ERR_WS_UNMASKED_FRAME' : 'ERR_WS_MASKED_FRAME'
        expect([...codes].toSorted()).toEqual([...RULES, masking].toSorted())
        expect(valid / STREAMS).toBeGreaterThan(0.65)
        expect(valid / STREAMS).toBeLessThan(0.85)
        expect(frames / STREAMS).toBeGreaterThan(10)
      })

      it(`breaks no rule where it is asked not to: ${name}`, () => {
        expect(read({ role, deflate, flawed: 0 })).toMatchObject({ valid: STREAMS, codes: new Set() })
      })
    }
  }

  it('makes the same of a seed again, and something else of another one', () => {
    const streams = (seed: number): string[] => {
      const random = new Random(seed)
      return Array.from({ length: 20 }, () => generateFrames(random, { role: 'server', deflate: true }).toString('hex'))
    }
    expect(streams(7)).toEqual(streams(7))
    expect(streams(8)).not.toEqual(streams(7))
  })
})

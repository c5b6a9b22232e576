import { deflateRawSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Unexpected } from '../../src/conformance/index.ts'
import { TesterDeflate, answerDeflate, offerDeflate, readDeflate } from '../../src/conformance/deflate.ts'
import { hex, wire } from '../support/wire.ts'

const PLAIN = 'permessage-deflate'
const FORGETFUL = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
const HELLO = Buffer.from('Hello')

describe('TesterDeflate', () => {
  it('compresses as the examples of RFC 7692 7.2.3 have it, with the context and without', async () => {
    const keeps = new TesterDeflate(PLAIN, 'client')
    expect(hex(await keeps.deflate(HELLO))).toBe('f2 48 cd c9 c9 07 00')
    expect(hex(await keeps.deflate(HELLO))).toBe('f2 00 11 00 00')
    const forgets = new TesterDeflate(FORGETFUL, 'client')
    expect(hex(await forgets.deflate(HELLO))).toBe('f2 48 cd c9 c9 07 00')
    expect(hex(await forgets.deflate(HELLO))).toBe('f2 48 cd c9 c9 07 00')
    expect(hex(await forgets.deflate(Buffer.alloc(0)))).toBe('00')
  })

  it.each([
    ['a block with fixed codes', 'f2 48 cd c9 c9 07 00'],
    ['a block without compression', '00 05 00 fa ff 48 65 6c 6c 6f 00'],
    ['a block with BFINAL', 'f3 48 cd c9 c9 07 00 00'],
    ['two blocks', 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00'],
  ])('inflates %s', async (_, payload) => {
    expect(String(await new TesterDeflate(PLAIN, 'client').inflate(wire(payload)))).toBe('Hello')
  })

  it('inflates a message that points back to the one before, which may have had BFINAL', async () => {
    const deflate = new TesterDeflate(PLAIN, 'server')
    expect(String(await deflate.inflate(wire('f3 48 cd c9 c9 07 00 00')))).toBe('Hello')
    expect(String(await deflate.inflate(wire('f2 00 11 00 00')))).toBe('Hello')
  })

  it('goes on behind a block with BFINAL', async () => {
    const deflate = new TesterDeflate(FORGETFUL, 'client')
    expect(String(await deflate.inflate(wire('f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00')))).toBe('HelloHello')
  })

  it('inflates a part that points back to another of the same message, even where no context is kept', async () => {
    const deflate = new TesterDeflate(FORGETFUL, 'client')
    expect(String(await deflate.inflate(wire('f3 48 cd c9 c9 07 00 f2 00 11 00 00')))).toBe('HelloHello')
    await expect(deflate.inflate(wire('f2 00 11 00 00'))).rejects.toThrow(Unexpected)
  })

  it.each([
    ['points back although no context is kept', 'f2 00 11 00 00'],
    ['ends within a block', 'f2 48 cd c9'],
    ['has no octet at all', ''],
    ['has its last four octets still', 'f2 48 cd c9 c9 07 00 00 00 ff ff'],
    ['has a block of type 3', '06'],
    ['ends with BFINAL and nothing behind it', 'f3 48 cd c9 c9 07 00'],
  ])('refuses a message that %s', async (_, payload) => {
    const deflate = new TesterDeflate(FORGETFUL, 'client')
    await expect(deflate.inflate(wire(payload))).rejects.toThrow(Unexpected)
  })

  it('refuses a message that points back farther than the agreed window', async () => {
    const noise = Buffer.from(Array.from({ length: 600 }, (_, i) => (i * i * 31 + (i >> 3) * 7) & 0xff))
    const payload = deflateRawSync(Buffer.concat([noise, noise]), { finishFlush: 2 }).subarray(0, -4)
    expect(payload.length).toBeLessThan(1000)
    await expect(new TesterDeflate(PLAIN, 'client').inflate(payload)).resolves.toHaveLength(1200)
    const narrow = new TesterDeflate(`${PLAIN}; server_max_window_bits=9`, 'client')
    await expect(narrow.inflate(payload)).rejects.toThrow('too far back')
  })

  it('refuses a message that inflates to more than 64 MiB', async () => {
    const part = deflateRawSync(Buffer.alloc(1_048_576), { finishFlush: 2 })
    const bomb = Buffer.concat(Array.from({ length: 65 }, () => part)).subarray(0, -4)
    await expect(new TesterDeflate(PLAIN, 'client').inflate(bomb)).rejects.toThrow(Unexpected)
  })

  it('gives back what went in, whatever was agreed', async () => {
    const answer = fc
      .record({ server: fc.integer({ min: 8, max: 15 }), client: fc.integer({ min: 8, max: 15 }), keeps: fc.boolean() })
      .map(({ server, client, keeps }) => {
        const window = `server_max_window_bits=${server}; client_max_window_bits=${client}`
        return `${keeps ? PLAIN : FORGETFUL}; ${window}`
      })
    const message = fc.array(fc.constantFrom('the same', 'other', 'words', ' '), { maxLength: 300 })
    const property = fc.asyncProperty(answer, fc.array(message, { maxLength: 8 }), async (agreed, messages) => {
      const client = new TesterDeflate(agreed, 'client')
      const server = new TesterDeflate(agreed, 'server')
      for (const words of messages) {
        const octets = Buffer.from(words.join(''))
        expect(await server.inflate(await client.deflate(octets))).toEqual(octets)
        expect(await client.inflate(await server.deflate(octets))).toEqual(octets)
      }
    })
    await fc.assert(property, { numRuns: 50 })
  })

  it('keeps to a window of 9 bits when it compresses', async () => {
    const deflate = new TesterDeflate(`${PLAIN}; client_max_window_bits=9`, 'client')
    const message = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i % 700) & 0xff))
    const payload = await deflate.deflate(message)
    expect(inflateRawSync(payload, { windowBits: 9, chunkSize: 64, finishFlush: 2 })).toEqual(message)
  })
})

describe('readDeflate', () => {
  it('reads all four parameters, with blanks and quotes', () => {
    const answer =
      'permessage-deflate;server_no_context_takeover ; client_no_context_takeover; server_max_window_bits = "8"; client_max_window_bits=15'
    expect(readDeflate(answer)).toEqual({
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 8,
      clientMaxWindowBits: 15,
    })
  })

  it('finds nothing said where nothing is', () => {
    expect(readDeflate(PLAIN)).toEqual({
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
      serverMaxWindowBits: undefined,
      clientMaxWindowBits: undefined,
    })
  })

  it.each([
    '',
    'x-other',
    'permessage-deflate, permessage-deflate',
    'permessage-deflate; unknown',
    'permessage-deflate; __proto__=1',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; client_no_context_takeover=',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; server_max_window_bits=',
    'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; server_max_window_bits=08',
    'permessage-deflate; server_max_window_bits="',
    'permessage-deflate; client_max_window_bits=+9',
    'permessage-deflate; client_max_window_bits=9=9',
    'permessage-deflate; client_max_window_bits',
  ])('refuses "%s" [7692:7-02]', (answer) => {
    expect(() => readDeflate(answer)).toThrow(Unexpected)
  })
})

describe('offerDeflate', () => {
  it('offers what it asks of the server', () => {
    expect(offerDeflate({})).toBe(PLAIN)
    expect(offerDeflate({ noContextTakeover: true, maxWindowBits: 9 }, '; client_max_window_bits')).toBe(
      'permessage-deflate; client_max_window_bits; server_no_context_takeover; server_max_window_bits=9',
    )
  })
})

describe('answerDeflate', () => {
  const NARROW = { maxWindowBits: 9 }

  it.each([
    ['an offer of nothing', PLAIN, [{}], PLAIN],
    [
      'the first of several',
      `x-other, ${PLAIN}; server_no_context_takeover, ${PLAIN}`,
      [{}],
      `${PLAIN}; server_no_context_takeover`,
    ],
    [
      'an offer that asks for a window',
      `${PLAIN}; server_max_window_bits=10`,
      [{}],
      `${PLAIN}; server_max_window_bits=10`,
    ],
    ['a demand that needs no leave', PLAIN, [{ noContextTakeover: true }], `${PLAIN}; client_no_context_takeover`],
    ['a demand that is allowed', `${PLAIN}; client_max_window_bits`, [NARROW], `${PLAIN}; client_max_window_bits=9`],
    [
      'a demand for more than the hint',
      `${PLAIN}; client_max_window_bits=8`,
      [NARROW],
      `${PLAIN}; client_max_window_bits=8`,
    ],
    ['the first demand that is allowed', PLAIN, [NARROW, {}], PLAIN],
  ])('grants %s', (_, offers, demands, answer) => {
    expect(answerDeflate(offers, demands)).toBe(answer)
  })

  it('answers nothing where there is no offer, or none that allows a demand', () => {
    expect(answerDeflate('', [{}])).toBeUndefined()
    expect(answerDeflate('x-other; a', [{}])).toBeUndefined()
    expect(answerDeflate(PLAIN, [NARROW])).toBeUndefined()
  })
})

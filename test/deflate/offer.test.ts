import { describe, expect, it } from 'vitest'
import { acceptOffer, createOffers, readAnswer } from '../../src/deflate/offer.ts'
import { deflateSettings } from '../../src/deflate/options.ts'
import type { DeflateOptions, DeflateSettings } from '../../src/deflate/options.ts'
import { HandshakeError } from '../../src/errors.ts'
import { formatExtensions, parseExtensions } from '../../src/handshake/index.ts'

/** Both sides keep the context, so that a parameter is there because the test is about it. */
const KEEPING = { serverNoContextTakeover: false, clientNoContextTakeover: false }

function settings(options: DeflateOptions = KEEPING): DeflateSettings {
  const checked = deflateSettings(options)
  if (checked === undefined) throw new Error('off')
  return checked
}

/** The field value that a server answers to one. */
function answer(offers: string, options?: DeflateOptions): string {
  return formatExtensions(acceptOffer(parseExtensions(offers), settings(options)))
}

/** Values of window bits that look right to a careless reader (7.1.2.1, 7.1.2.2). */
const BAD_BITS = ['0', '7', '16', '08', '015', '8.0', '1e1', '0xA', '+9', '-9', '1000', '9a', 'a', 'true']

/** What is wrong in offers and answers alike. */
const BAD_PARAMETERS = [
  'unknown',
  'unknown=1',
  'unknown=10',
  '__proto__',
  'constructor=1',
  'Server_no_context_takeover',
  'server_no_context_takeover=1',
  'server_no_context_takeover=true',
  'server_no_context_takeover=10',
  'client_no_context_takeover=10',
  'client_no_context_takeover=0',
  'server_no_context_takeover; server_no_context_takeover',
  'client_no_context_takeover; client_no_context_takeover',
  'server_max_window_bits=10; server_max_window_bits=10',
  'client_max_window_bits=10; client_max_window_bits=10',
  'server_max_window_bits',
  ...BAD_BITS.flatMap((bits) => [`server_max_window_bits=${bits}`, `client_max_window_bits=${bits}`]),
]

describe('A server', () => {
  it('accepts an offer with what it has to say itself [7692:5-05] [7692:5-06] [7692:7.1.1.1-03] [7692:7.1.1.2-02] [7692:7.1.2.1-04]', () => {
    expect(answer('permessage-deflate', {})).toBe(
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    )
    expect(answer('permessage-deflate', KEEPING)).toBe('permessage-deflate')
    expect(answer('permessage-deflate', { ...KEEPING, serverMaxWindowBits: 10 })).toBe(
      'permessage-deflate; server_max_window_bits=10',
    )
  })

  it('agrees to leave its context when it is asked to, and takes the hint that a client will [7692:7.1.1.1-02] [7692:7.1.1.1-i01] [7692:7.1.1.2-02]', () => {
    expect(answer('permessage-deflate; server_no_context_takeover')).toBe(
      'permessage-deflate; server_no_context_takeover',
    )
    expect(answer('permessage-deflate; client_no_context_takeover')).toBe(
      'permessage-deflate; client_no_context_takeover',
    )
  })

  it('answers server_max_window_bits when it is offered, and never more than was offered [7692:7.1.2.1-03] [7692:7.1.2.1-i01]', () => {
    for (let offered = 8; offered <= 15; offered++) {
      for (const ours of [undefined, 8, 9, 12, 15]) {
        const options = ours === undefined ? KEEPING : { ...KEEPING, serverMaxWindowBits: ours }
        expect(answer(`permessage-deflate; server_max_window_bits=${offered}`, options)).toBe(
          `permessage-deflate; server_max_window_bits=${Math.min(offered, ours ?? 15)}`,
        )
      }
    }
  })

  it('answers client_max_window_bits when it was offered, and only then [7692:7.1.2.2-03] [7692:7.1.2.2-04] [7692:7.1.2.2-05]', () => {
    const options = { ...KEEPING, clientMaxWindowBits: 10 }
    expect(answer('permessage-deflate', options)).toBe('permessage-deflate')
    expect(answer('permessage-deflate; server_max_window_bits=15', options)).not.toContain('client')
    expect(answer('permessage-deflate; client_max_window_bits', options)).toBe(
      'permessage-deflate; client_max_window_bits=10',
    )
    expect(answer('permessage-deflate; client_max_window_bits=12', options)).toBe(
      'permessage-deflate; client_max_window_bits=10',
    )
    expect(answer('permessage-deflate; client_max_window_bits=9', options)).toBe(
      'permessage-deflate; client_max_window_bits=9',
    )
    expect(answer('permessage-deflate; client_max_window_bits', KEEPING)).toBe('permessage-deflate')
    expect(answer('permessage-deflate; client_max_window_bits=15', KEEPING)).toBe('permessage-deflate')
  })

  it('takes values that are quoted, which are the same to the grammar', () => {
    expect(answer('permessage-deflate; server_max_window_bits="10"')).toBe(
      'permessage-deflate; server_max_window_bits=10',
    )
  })

  it.each(BAD_PARAMETERS)('declines an offer with "%s" [7692:7-01] [7692:5-11]', (parameters) => {
    expect(acceptOffer(parseExtensions(`permessage-deflate; ${parameters}`), settings())).toEqual([])
  })

  it('takes the first offer that it can, whatever else is offered [7692:5-02] [7692:5-i01]', () => {
    expect(
      answer(
        'x-other, permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=9, permessage-deflate',
      ),
    ).toBe('permessage-deflate; server_max_window_bits=9')
    expect(answer('permessage-deflate, permessage-deflate; server_max_window_bits=9')).toBe('permessage-deflate')
  })

  it('chooses nothing where nothing of it is offered [7692:5-11]', () => {
    for (const offers of ['x-webkit-deflate-frame', 'Permessage-Deflate', 'permessage-deflate2, __proto__']) {
      expect(acceptOffer(parseExtensions(offers), settings())).toEqual([])
    }
  })
})

describe('A client', () => {
  const offered = (options: DeflateOptions): string => formatExtensions(createOffers(settings(options)))

  it('offers what it can, and asks for what it wants in an offer of its own [7692:5-01] [7692:5-02] [7692:5-03] [7692:7.1.1.1-01] [7692:7.1.2.1-01]', () => {
    expect(offered(KEEPING)).toBe('permessage-deflate; client_max_window_bits')
    expect(offered({})).toBe(
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, ' +
        'permessage-deflate; client_no_context_takeover; client_max_window_bits',
    )
    expect(offered({ ...KEEPING, serverMaxWindowBits: 10 })).toBe(
      'permessage-deflate; server_max_window_bits=10; client_max_window_bits, permessage-deflate; client_max_window_bits',
    )
  })

  it('does not offer what it could not inflate', () => {
    const offers = createOffers({ ...settings({}), canReferBack: false })
    expect(formatExtensions(offers)).toBe(
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits',
    )
  })

  it('gives hints about its own compressor [7692:5-04] [7692:7.1.1.2-01] [7692:7.1.2.2-01] [7692:7.1.2.2-02] [7692:7.1.2.1-02]', () => {
    expect(offered({ ...KEEPING, clientNoContextTakeover: true })).toBe(
      'permessage-deflate; client_no_context_takeover; client_max_window_bits',
    )
    for (let bits = 8; bits <= 15; bits++) {
      expect(offered({ ...KEEPING, clientMaxWindowBits: bits })).toBe(
        `permessage-deflate; client_max_window_bits=${bits}`,
      )
      expect(offered({ ...KEEPING, serverMaxWindowBits: bits })).toContain(`server_max_window_bits=${bits};`)
    }
  })

  it('reads every valid answer [7692:5-13] [7692:7.1.1.2-03]', () => {
    expect(readAnswer([])).toBeUndefined()
    expect(readAnswer(parseExtensions('permessage-deflate'))).toEqual({
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 15,
      clientMaxWindowBits: 15,
    })
    const all =
      'permessage-deflate; client_max_window_bits=8; server_max_window_bits=9; client_no_context_takeover; server_no_context_takeover'
    expect(readAnswer(parseExtensions(all))).toEqual({
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 9,
      clientMaxWindowBits: 8,
    })
  })

  it.each([...BAD_PARAMETERS, 'client_max_window_bits'])(
    'fails on an answer with "%s" [7692:7-02] [7692:5-12] [7692:7.1.2.1-03] [7692:7.1.2.2-04]',
    (parameters) => {
      expect(() => readAnswer(parseExtensions(`permessage-deflate; ${parameters}`))).toThrow(
        expect.objectContaining({
          name: HandshakeError.name,
          code: 'ERR_WS_BAD_EXTENSIONS',
          section: 'RFC 7692 7',
        }),
      )
    },
  )

  it('fails on an answer that has it twice, as both would use RSV1 [7692:5-08] [7692:5-12]', () => {
    expect(() => readAnswer(parseExtensions('permessage-deflate, permessage-deflate'))).toThrow(/it came twice/)
  })

  it('says what is wrong with an answer, and shows it', () => {
    const twice = 'permessage-deflate; server_no_context_takeover; server_no_context_takeover'
    expect(() => readAnswer(parseExtensions(twice))).toThrow(
      `"${twice}" is not valid: the parameter "server_no_context_takeover" came twice.`,
    )
    expect(() => readAnswer(parseExtensions('permessage-deflate; server_max_window_bits=1000'))).toThrow(
      'The server\'s answer "permessage-deflate; server_max_window_bits=1000" is not valid: the parameter ' +
        '"server_max_window_bits" is unknown, or its value is not valid.',
    )
  })
})

describe('Client and server', () => {
  it('agree upon something that fits both, whatever their options are [7692:5-13] [7692:7.1.2.1-i01]', () => {
    const flags = [true, false]
    const bits = [undefined, 8, 9, 15]
    const all: DeflateOptions[] = flags.flatMap((serverNoContextTakeover) =>
      flags.flatMap((clientNoContextTakeover) =>
        bits.flatMap((serverMaxWindowBits) =>
          bits.map((clientMaxWindowBits) => ({
            serverNoContextTakeover,
            clientNoContextTakeover,
            ...(serverMaxWindowBits === undefined ? {} : { serverMaxWindowBits }),
            ...(clientMaxWindowBits === undefined ? {} : { clientMaxWindowBits }),
          })),
        ),
      ),
    )
    for (const client of all) {
      for (const server of all) {
        const wire = formatExtensions(acceptOffer(createOffers(settings(client)), settings(server)))
        expect(readAnswer(parseExtensions(wire))).toEqual({
          serverNoContextTakeover: client.serverNoContextTakeover === true || server.serverNoContextTakeover === true,
          clientNoContextTakeover: client.clientNoContextTakeover === true || server.clientNoContextTakeover === true,
          serverMaxWindowBits: Math.min(client.serverMaxWindowBits ?? 15, server.serverMaxWindowBits ?? 15),
          clientMaxWindowBits: Math.min(client.clientMaxWindowBits ?? 15, server.clientMaxWindowBits ?? 15),
        })
      }
    }
  })
})

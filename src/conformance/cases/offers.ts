/**
 * 20.6 to 20.8 What a server answers to offers of extensions: nothing to those that it does not know or that are wrong,
 * and to permessage-deflate what fits the offer (RFC 6455 9.1, RFC 7692 7.1).
 */
import type { Case, Opening, Tester } from '../case.ts'
import { Unexpected, Unimplemented } from '../case.ts'
import { readDeflate } from '../deflate.ts'
import { echo } from './steps.ts'

function offering(id: string, title: string, rule: string, opening: Opening, play: NonNullable<Case['play']>): Case {
  return { id, title, rule, peer: 'server', timeout: 5000, opening, play }
}

/** The connection opens as if nothing had been offered. */
async function withoutExtension(tester: Tester): Promise<void> {
  const { extensions: agreed } = tester
  if (agreed !== '') throw new Unexpected(`expected no extension, but the server agreed to ${agreed}`)
  await echo(tester)
}

function unknown(id: string, offer: string): Case {
  const title = `An offer of an extension that does not exist, ${offer}: the connection opens without it`
  return offering(id, title, 'RFC 6455 4.2.2, 9.1', { offer }, withoutExtension)
}

function malformed(id: string, offer: string): Case {
  const title = `Extensions that break the grammar, ${offer}: refused`
  return offering(id, title, 'RFC 6455 9.1', { offer, outcome: 'refuse' }, echo)
}

/** A server that refuses the request does not accept the offer either. */
function declined(id: string, parameters: string): Case {
  const offer = `permessage-deflate; ${parameters}`
  const title = `An offer that has to be declined, ${offer}: no permessage-deflate`
  return offering(id, title, 'RFC 7692 7', { offer, outcome: 'either' }, withoutExtension)
}

const extensions: readonly Case[] = [
  unknown('20.6.1', 'x-unknown'),
  unknown('20.6.2', 'x-unknown; a; b=1; c="2"'),
  unknown('20.6.3', 'x-unknown, x-another; x-unknown=x-unknown'),
  unknown('20.6.4', 'constructor; __proto__=1, __proto__; toString'),
  malformed('20.6.5', 'x-unknown;'),
  malformed('20.6.6', '; a=1'),
  malformed('20.6.7', 'x-unknown; a="1'),
  malformed('20.6.8', 'x-unknown; =1'),
  malformed('20.6.9', 'x unknown'),
  malformed('20.6.10', 'x-unknown; a="1 2"'),
]

const BAD_PARAMETERS = [
  'unknown_parameter',
  'unknown_parameter=1',
  'server_no_context_takeover=1',
  'client_no_context_takeover=true',
  'server_no_context_takeover; server_no_context_takeover',
  'client_no_context_takeover; client_no_context_takeover',
  'server_max_window_bits',
  'server_max_window_bits=0',
  'server_max_window_bits=7',
  'server_max_window_bits=16',
  'server_max_window_bits=08',
  'server_max_window_bits=1e1',
  'server_max_window_bits=0xA',
  'server_max_window_bits=+9',
  'server_max_window_bits=9.0',
  'server_max_window_bits=10; server_max_window_bits=10',
  'client_max_window_bits=0',
  'client_max_window_bits=7',
  'client_max_window_bits=16',
  'client_max_window_bits=010',
  'client_max_window_bits=1000',
  'client_max_window_bits; client_max_window_bits',
]

/** What the server agreed to has to fit one offer (RFC 7692 7.1). */
function fits(
  offer: string,
  server: { bits?: number; noContext?: boolean; client?: boolean },
): NonNullable<Case['play']> {
  return async (tester) => {
    if (tester.extensions === '') throw new Unimplemented('the server does not agree to the offer')
    const { serverMaxWindowBits, serverNoContextTakeover, clientMaxWindowBits } = readDeflate(tester.extensions)
    const wrong = `but to ${offer} the server answered ${tester.extensions}`
    if (server.noContext === true && !serverNoContextTakeover) {
      throw new Unexpected(`expected server_no_context_takeover to be granted, ${wrong}`)
    }
    if (server.bits !== undefined && (serverMaxWindowBits ?? 16) > server.bits) {
      throw new Unexpected(`expected server_max_window_bits of ${server.bits} at most, ${wrong}`)
    }
    if (server.client !== true && clientMaxWindowBits !== undefined) {
      throw new Unexpected(`expected nothing of client_max_window_bits, which was not offered, ${wrong}`)
    }
    await echo(tester)
  }
}

function fitting(id: string, rule: string, parameters: string, server: Parameters<typeof fits>[1]): Case {
  const offer = `permessage-deflate${parameters}`
  return offering(id, `An offer of ${offer}: the answer keeps to it`, rule, { offer }, fits(offer, server))
}

const parameters: readonly Case[] = [
  ...BAD_PARAMETERS.map((bad, i) => declined(`20.7.${i + 1}`, bad)),
  fitting('20.8.1', 'RFC 7692 7.1.2.2', '', {}),
  fitting('20.8.2', 'RFC 7692 7.1.1.1', '; server_no_context_takeover', { noContext: true }),
  fitting('20.8.3', 'RFC 7692 7.1.1.2', '; client_no_context_takeover', {}),
  fitting('20.8.4', 'RFC 7692 7.1.2.2', '; client_max_window_bits', { client: true }),
  fitting('20.8.5', 'RFC 7692 7.1.2.2', '; client_max_window_bits=9', { client: true }),
  fitting('20.8.6', 'RFC 7692 7.1.2.1', '; server_max_window_bits=15', { bits: 15 }),
  fitting('20.8.7', 'RFC 7692 7.1.2.1', '; server_max_window_bits=10', { bits: 10 }),
  fitting('20.8.8', 'RFC 7692 7.1.2.1', '; server_max_window_bits=9', { bits: 9 }),
  fitting('20.8.9', 'RFC 7692 7.1.2.1', '; server_max_window_bits=8', { bits: 8 }),
  fitting('20.8.10', 'RFC 6455 9.1', '; server_max_window_bits="12"', { bits: 12 }),
  fitting(
    '20.8.11',
    'RFC 7692 7.1',
    '; server_no_context_takeover; server_max_window_bits=11; client_no_context_takeover; client_max_window_bits=11',
    { bits: 11, noContext: true, client: true },
  ),
]

export const offers: readonly Case[] = [...extensions, ...parameters]

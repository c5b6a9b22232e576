/**
 * Values of Sec-WebSocket-Extensions and Sec-WebSocket-Protocol, through their parsers and through the agreement upon
 * permessage-deflate, as a server takes offers and as a client takes an answer.
 *
 * - They are lists by the grammar exactly when they are read as such, and what is written of them reads the same.
 * - Nothing but a `HandshakeError` is thrown.
 * - What a server answers a client can read, and it asks for no more than was offered (RFC 7692 7.1).
 */
import { acceptOffer, deflateSettings, readAnswer } from '../../src/deflate/index.ts'
import type { DeflateSettings } from '../../src/deflate/index.ts'
import { HandshakeError } from '../../src/errors.ts'
import { formatExtensions, parseExtensions, parseProtocols } from '../../src/handshake/index.ts'
import type { ExtensionOffer } from '../../src/handshake/index.ts'
import { HEAD_DICTIONARY, extensionList } from '../generate/heads.ts'
import { isExtensionList, isTokenList } from '../reference/heads.ts'
import { check, codeOf } from './target.ts'
import type { Input, Target } from './target.ts'

const SETTINGS: ReadonlyMap<string, DeflateSettings> = new Map([
  ['default', deflateSettings(true)!],
  ['context', deflateSettings({ serverNoContextTakeover: false, clientNoContextTakeover: false })!],
  ['small windows', deflateSettings({ serverMaxWindowBits: 9, clientMaxWindowBits: 10 })!],
])

function attempt<T>(work: () => T): T | string {
  try {
    return work()
  } catch (error) {
    return codeOf(error, HandshakeError)
  }
}

/** Bits that one side of an offer allows, as far as it is valid: the first parameter of that name counts. */
function bitsIn(offer: ExtensionOffer, name: string): number | undefined {
  const found = offer.parameters.find(([parameter]) => parameter === name)
  return found === undefined ? undefined : found[1] === true ? 15 : Number(found[1])
}

/** RFC 7692 7: an offer is valid only if each of its parameters is known, stands once and has a value as it should. */
function isValidOffer({ name, parameters }: ExtensionOffer): boolean {
  const forms = new Map([
    ['server_no_context_takeover', /^true$/],
    ['client_no_context_takeover', /^true$/],
    ['server_max_window_bits', /^(8|9|1[0-5])$/],
    ['client_max_window_bits', /^(true|8|9|1[0-5])$/],
  ])
  const isUnique = new Set(parameters.map(([parameter]) => parameter)).size === parameters.length
  return (
    name === 'permessage-deflate' &&
    isUnique &&
    parameters.every(([parameter, value]) => {
      const isWord = value !== 'true'
      return isWord && forms.get(parameter)?.test(String(value)) === true
    })
  )
}

function checkAnswer(offers: readonly ExtensionOffer[], settings: DeflateSettings): string {
  const answer = acceptOffer(offers, settings)
  const offer = offers.find(isValidOffer)
  check(
    (offer !== undefined) === (answer.length === 1),
    () => `${formatExtensions(offers)}: ${formatExtensions(answer)}`,
  )
  if (offer === undefined) return 'declined'
  const agreed = readAnswer(answer)!
  const say = (): string => `${formatExtensions([offer])}: answered with ${formatExtensions(answer)}`
  check(agreed.serverMaxWindowBits <= (bitsIn(offer, 'server_max_window_bits') ?? 15), say)
  check(agreed.clientMaxWindowBits <= (bitsIn(offer, 'client_max_window_bits') ?? 15), say)
  const offered = new Set(offer.parameters.map(([name]) => name))
  const told = new Set(answer[0].parameters.map(([name]) => name))
  check(offered.has('client_max_window_bits') || !told.has('client_max_window_bits'), say)
  check(!offered.has('server_no_context_takeover') || agreed.serverNoContextTakeover, say)
  check(!offered.has('server_max_window_bits') || told.has('server_max_window_bits'), say)
  return formatExtensions(answer)
}

function outcomeOf({ settings, octets }: Input): string {
  const value = octets.toString('latin1')
  const protocols = attempt(() => parseProtocols(value))
  if (typeof protocols !== 'string') check(isTokenList(value), () => `${JSON.stringify(value)} is read as protocols`)
  const offers = attempt(() => parseExtensions(value))
  const isList = isExtensionList(value)
  check(isList === (typeof offers !== 'string'), () => `${JSON.stringify(value)} is ${isList ? 'refused' : 'read'}`)
  if (typeof offers === 'string') return offers
  const written = formatExtensions(offers)
  check(
    formatExtensions(parseExtensions(written)) === written,
    () => `${JSON.stringify(value)} is written as ${written}`,
  )
  // Whether it was offered is looked at before.
  const named = offers.map(({ parameters }) => ({ name: 'permessage-deflate', parameters }))
  const answer = attempt(() => readAnswer(named))
  const isAnswer = named.length === 1 && isValidOffer(named[0]) && !isBare(named[0])
  check(isAnswer === (typeof answer !== 'string'), () => `as an answer: ${written}: ${JSON.stringify(answer)}`)
  return checkAnswer(offers, SETTINGS.get(settings)!)
}

/** 7.1.2.2: in an answer it has a value. */
function isBare({ parameters }: ExtensionOffer): boolean {
  return parameters.some(([name, value]) => name === 'client_max_window_bits' && value === true)
}

export const extensions: Target = {
  name: 'extensions',
  settings: [...SETTINGS.keys()],
  unit: 'lists',
  dictionary: HEAD_DICTIONARY,
  generate: (random) => Buffer.from(extensionList(random), 'latin1'),
  run(input) {
    outcomeOf(input)
    return 1
  },
  outcome: outcomeOf,
}

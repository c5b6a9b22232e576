/**
 * What client and server agree upon (RFC 7692 5, 7.1): the client offers, in order of preference, and the server takes the
 * first offer that it can.
 *
 * | parameter                     | in an offer                            | in the answer                          |
 * |-------------------------------|----------------------------------------|----------------------------------------|
 * | `server_no_context_takeover`  | the server is asked to                 | the server will                        |
 * | `client_no_context_takeover`  | the client means to                    | the client has to                      |
 * | `server_max_window_bits=8…15` | the server is asked for no more        | the server will take no more           |
 * | `client_max_window_bits`      | the client could be told               |                                        |
 * | `client_max_window_bits=8…15` | the same, and means to take no more    | the client has to take no more         |
 */
import { HandshakeError, quote } from '../errors.ts'
import { formatExtensions } from '../handshake/index.ts'
import type { ExtensionOffer, ExtensionParameter } from '../handshake/index.ts'
import type { DeflateSettings } from './options.ts'

/** What was agreed upon. */
export interface DeflateParameters {
  readonly serverNoContextTakeover: boolean
  readonly clientNoContextTakeover: boolean
  readonly serverMaxWindowBits: number
  readonly clientMaxWindowBits: number
}

const EXTENSION_NAME = 'permessage-deflate'

const LARGEST_WINDOW = 15
/** 7.1.2: "a decimal integer value without leading zeroes between 8 to 15", all of them. */
const WINDOW_BITS = new Map(Array.from({ length: 8 }, (_, index) => [String(index + 8), index + 8]))

/** An offer or an answer, read; `undefined` for what is not in it. */
interface Parameters {
  serverNoContextTakeover?: boolean
  clientNoContextTakeover?: boolean
  serverMaxWindowBits?: number
  /** 15 in an offer that has it without a value. */
  clientMaxWindowBits?: number
}

/**
 * What a client offers. What it asks of the server it asks for in a first offer; a server that cannot do it has a
 * second one without, unless we could not inflate what such a server sends.
 */
export function createOffers(settings: DeflateSettings): ExtensionOffer[] {
  const { clientMaxWindowBits, serverMaxWindowBits } = settings
  const asked: ExtensionParameter[] = []
  if (settings.serverNoContextTakeover) asked.push(['server_no_context_takeover', true])
  if (serverMaxWindowBits !== undefined) asked.push(['server_max_window_bits', String(serverMaxWindowBits)])
  const own: ExtensionParameter[] = []
  if (settings.clientNoContextTakeover) own.push(['client_no_context_takeover', true])
  own.push(['client_max_window_bits', clientMaxWindowBits === undefined ? true : String(clientMaxWindowBits)])
  const plain = { name: EXTENSION_NAME, parameters: own }
  if (asked.length === 0) return [plain]
  const first = { name: EXTENSION_NAME, parameters: [...asked, ...own] }
  return settings.canReferBack ? [first, plain] : [first]
}

/** What a server answers, as a list; empty when it declines every offer. */
export function acceptOffer(offers: readonly ExtensionOffer[], settings: DeflateSettings): ExtensionOffer[] {
  for (const offer of offers) {
    if (offer.name !== EXTENSION_NAME) continue
    const asked = readParameters(offer, true)
    // 7: an offer with an unknown parameter, an invalid value or a parameter given twice is declined.
    if (typeof asked === 'string') continue
    const parameters = {
      serverNoContextTakeover: settings.serverNoContextTakeover || asked.serverNoContextTakeover === true,
      clientNoContextTakeover: settings.clientNoContextTakeover || asked.clientNoContextTakeover === true,
      serverMaxWindowBits: smaller(settings.serverMaxWindowBits, asked.serverMaxWindowBits),
      // 7.1.2.2: a client that does not offer it cannot be told.
      clientMaxWindowBits:
        asked.clientMaxWindowBits === undefined
          ? LARGEST_WINDOW
          : smaller(settings.clientMaxWindowBits, asked.clientMaxWindowBits),
    }
    return [answerOf(parameters, asked)]
  }
  return []
}

function smaller(ours: number | undefined, theirs: number | undefined): number {
  return Math.min(ours ?? LARGEST_WINDOW, theirs ?? LARGEST_WINDOW)
}

function answerOf(agreed: DeflateParameters, asked: Parameters): ExtensionOffer {
  const parameters: ExtensionParameter[] = []
  if (agreed.serverNoContextTakeover) parameters.push(['server_no_context_takeover', true])
  if (agreed.clientNoContextTakeover) parameters.push(['client_no_context_takeover', true])
  // 7.1.2.1: to accept what the client asks for is to say so.
  if (agreed.serverMaxWindowBits < LARGEST_WINDOW || asked.serverMaxWindowBits !== undefined) {
    parameters.push(['server_max_window_bits', String(agreed.serverMaxWindowBits)])
  }
  if (agreed.clientMaxWindowBits < LARGEST_WINDOW) {
    parameters.push(['client_max_window_bits', String(agreed.clientMaxWindowBits)])
  }
  return { name: EXTENSION_NAME, parameters }
}

/**
 * What the extensions mean that a server chose, to itself and to the client that offered; `undefined` when it chose none.
 *
 * @throws HandshakeError `ERR_WS_BAD_EXTENSIONS` for an answer that no offer of ours fits (RFC 7692 5, 7)
 */
export function readAnswer(extensions: readonly ExtensionOffer[]): DeflateParameters | undefined {
  if (extensions.length === 0) return undefined
  const [answer] = extensions
  // 5: two that both use RSV1, as this one does twice.
  const read = extensions.length > 1 ? 'it came twice' : readParameters(answer, false)
  if (typeof read !== 'string') {
    return {
      serverNoContextTakeover: read.serverNoContextTakeover === true,
      clientNoContextTakeover: read.clientNoContextTakeover === true,
      serverMaxWindowBits: read.serverMaxWindowBits ?? LARGEST_WINDOW,
      clientMaxWindowBits: read.clientMaxWindowBits ?? LARGEST_WINDOW,
    }
  }
  const message = `The server's answer ${quote(formatExtensions(extensions))} is not valid: ${read}.`
  throw new HandshakeError('ERR_WS_BAD_EXTENSIONS', message, { section: 'RFC 7692 7' })
}

/** The parameters, or what is wrong with them. */
function readParameters({ parameters }: ExtensionOffer, isOffer: boolean): Parameters | string {
  const read: Parameters = {}
  const names = new Set<string>()
  for (const [name, value] of parameters) {
    if (names.has(name)) return `the parameter ${quote(name)} came twice`
    names.add(name)
    const bits = value === true ? undefined : WINDOW_BITS.get(value)
    if (name === 'server_no_context_takeover' && value === true) read.serverNoContextTakeover = true
    else if (name === 'client_no_context_takeover' && value === true) read.clientNoContextTakeover = true
    else if (name === 'server_max_window_bits' && bits !== undefined) read.serverMaxWindowBits = bits
    else if (name === 'client_max_window_bits' && bits !== undefined) read.clientMaxWindowBits = bits
    else if (name === 'client_max_window_bits' && isOffer && value === true) read.clientMaxWindowBits = LARGEST_WINDOW
    else return `the parameter ${quote(name)} is unknown, or its value is not valid`
  }
  return read
}

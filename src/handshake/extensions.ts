/**
 * `Sec-WebSocket-Extensions` (RFC 6455 9.1), read and written. What parameters mean is for each extension to say: here they
 * are pairs in the order they came, duplicates included, so that an extension can refuse a parameter given twice.
 *
 * ```
 * extension-list  = 1#extension
 * extension       = extension-token *( ";" extension-param )
 * extension-param = token [ "=" ( token / quoted-string ) ]     ; a quoted-string must say a token, too
 * ```
 */

import { HandshakeError, invalidType } from '../errors.ts'
import type { Scanner } from './grammar.ts'
import { describe, EQUALS, isToken, parseList, QUOTE, SEMICOLON } from './grammar.ts'

/** A parameter without a value has the value `true`. */
export type ExtensionParameter = readonly [name: string, value: string | true]

/** One extension: offered by a client, or accepted by a server. */
export interface ExtensionOffer {
  readonly name: string
  readonly parameters: readonly ExtensionParameter[]
}

/** The extensions of a field value, or `undefined` if it breaks the grammar. */
export function readExtensions(value: string): ExtensionOffer[] | undefined {
  return parseList(value, readExtension)
}

/**
 * The extensions of a field value, in order.
 *
 * @throws HandshakeError `ERR_WS_BAD_EXTENSIONS`, status 400, if it breaks the grammar (RFC 6455 9.1)
 */
export function parseExtensions(value: string): ExtensionOffer[] {
  const extensions = readExtensions(value)
  if (extensions !== undefined) return extensions
  throw new HandshakeError('ERR_WS_BAD_EXTENSIONS', 'Sec-WebSocket-Extensions must be a list of extensions.', {
    section: 'RFC 6455 9.1',
    status: 400,
  })
}

/**
 * The field value for a list of extensions.
 *
 * @throws TypeError `ERR_WS_INVALID_EXTENSION` if a name or a value is no token
 */
export function formatExtensions(extensions: readonly ExtensionOffer[]): string {
  return extensions.map(formatExtension).join(', ')
}

function readExtension(scanner: Scanner): ExtensionOffer | undefined {
  const name = scanner.takeToken()
  if (name === '') return undefined
  const parameters: ExtensionParameter[] = []
  for (;;) {
    scanner.skipWhitespace()
    if (!scanner.take(SEMICOLON)) return { name, parameters }
    scanner.skipWhitespace()
    const parameter = readParameter(scanner)
    if (parameter === undefined) return undefined
    parameters.push(parameter)
  }
}

function readParameter(scanner: Scanner): ExtensionParameter | undefined {
  const name = scanner.takeToken()
  if (name === '') return undefined
  scanner.skipWhitespace()
  if (!scanner.take(EQUALS)) return [name, true]
  scanner.skipWhitespace()
  const value = scanner.take(QUOTE) ? scanner.takeQuotedToken() : scanner.takeToken()
  return value === '' ? undefined : [name, value]
}

function formatExtension({ name, parameters }: ExtensionOffer): string {
  let text = checkToken(name)
  for (const [parameter, value] of parameters) {
    text += `; ${checkToken(parameter)}`
    if (value !== true) text += `=${checkToken(value)}`
  }
  return text
}

function checkToken(text: unknown): string {
  if (typeof text === 'string' && isToken(text)) return text
  throw invalidType('ERR_WS_INVALID_EXTENSION', `Names and values of extensions must be tokens, not ${describe(text)}.`)
}

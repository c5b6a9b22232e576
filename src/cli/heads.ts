/**
 * The opening handshake line by line: what each field is for, and whether client or server say what they have to (RFC 6455
 * 4.1, 4.2). Whether a head as a whole is in order, the package's own judges of requests and responses say.
 */
import { readAnswer } from '../deflate/index.ts'
import type { HandshakeError } from '../errors.ts'
import {
  HeadReader,
  acceptKey,
  acceptRequest,
  checkResponse,
  parseExtensions,
  parseProtocols,
} from '../handshake/index.ts'
import type { Fields, RequestHead, ResponseHead } from '../handshake/index.ts'

export interface HeadField {
  /** `request line`, `status line`, or the name of a field as it was written. */
  readonly name: string
  /** Its first octet, counted from 0 at the first of all, and the one behind its last, CR LF included. */
  readonly start: number
  readonly end: number
  /** The line. */
  readonly value: string
  readonly meaning: string
  readonly section: string
}

export type HeadKind = 'request' | 'response'

export interface HeadPart {
  readonly kind: HeadKind
  readonly start: number
  readonly end: number
  readonly fields: readonly HeadField[]
  readonly problems: readonly string[]
  /** Whether its end is missing. */
  readonly cut: boolean
}

/** What the heads so far tell about what follows. */
export interface Agreed {
  /** Who sent the last of them. */
  readonly sender?: 'client' | 'server'
  readonly deflate?: boolean
  /** The request, if there was one. */
  readonly request?: RequestHead
}

const DEFLATE = 'permessage-deflate'
const METHOD = /^[A-Z]{3,10} $/

/** Whether a head begins at `at`: no frame begins with these letters and makes sense. */
export function headKind(octets: Buffer, at: number): HeadKind | undefined {
  const start = octets.toString('latin1', at, at + 11)
  if (start.startsWith('HTTP/')) return 'response'
  const space = start.indexOf(' ')
  return METHOD.test(start.slice(0, space + 1)) ? 'request' : undefined
}

/** What a head means for what follows. */
interface Verdict {
  readonly problems: readonly string[]
  readonly agreed: Agreed
  /** Whether frames follow. */
  readonly complete: boolean
}

/** Explains the head that begins at `start`; `before` is what the heads before it tell. */
export function explainHead(
  octets: Buffer,
  start: number,
  kind: HeadKind,
  before: Agreed,
): { readonly part: HeadPart; readonly agreed: Agreed; readonly complete: boolean } {
  const rest = octets.subarray(start)
  const part = (length: number, problems: readonly string[], cut = false): HeadPart => {
    const fields = lines(rest.toString('latin1', 0, length), start, kind)
    return { kind, start, end: start + length, fields, problems, cut }
  }
  try {
    const reader = new HeadReader(kind)
    const length = reader.read(rest)
    if (length < 0) return { part: part(rest.length, [], true), agreed: before, complete: false }
    const { head } = reader
    const { problems, agreed, complete } = 'method' in head ? judgeRequest(head) : judgeResponse(head, before)
    return { part: part(length, problems), agreed, complete }
  } catch (error) {
    // Behind a head that is malformed nobody knows where anything begins.
    return { part: part(rest.length, [sentence(error as HandshakeError)]), agreed: before, complete: false }
  }
}

function judgeRequest(head: RequestHead): Verdict {
  const verdict = acceptRequest(head, { origins: 'any' })
  // Who does not offer it will not have it; an offer alone tells nothing yet.
  const deflate = namesOf(head.fields).includes(DEFLATE) ? {} : { deflate: false }
  return {
    problems: verdict.accepted ? [] : [sentence(verdict.error)],
    agreed: { sender: 'client', request: head, ...deflate },
    complete: true,
  }
}

function judgeResponse(head: ResponseHead, before: Agreed): Verdict {
  return {
    problems: responseProblems(head, before.request),
    agreed: { ...before, sender: 'server', deflate: namesOf(head.fields).includes(DEFLATE) },
    complete: head.status === 101,
  }
}

/** A response is judged by the request that it answers; without one, by all that does not depend on it. */
function responseProblems(head: ResponseHead, request: RequestHead | undefined): string[] {
  if (head.status !== 101) return []
  const fields = request?.fields
  const extensions = namesOf(fields ?? head.fields)
  const protocols = (fields ?? head.fields).get('sec-websocket-protocol')
  const expected = {
    key: fields?.get('sec-websocket-key') ?? '',
    protocols: protocols === undefined ? [] : (attempt(() => parseProtocols(protocols)) ?? []),
    extensions,
  }
  try {
    readAnswer(checkResponse(head, expected).extensions)
    return []
  } catch (error) {
    const { code } = error as HandshakeError
    // Only the key could tell whether the answer to it is right.
    const unknown = request === undefined && code === 'ERR_WS_BAD_ACCEPT' && isAccept(head.fields)
    return unknown ? [] : [sentence(error as HandshakeError)]
  }
}

/** Base64 of the 20 octets of a SHA-1. */
function isAccept(fields: Fields): boolean {
  return /^[A-Za-z0-9+/]{27}=$/.test(fields.get('sec-websocket-accept') ?? '')
}

function namesOf(fields: Fields): string[] {
  const value = fields.get('sec-websocket-extensions')
  return value === undefined ? [] : (attempt(() => parseExtensions(value)) ?? []).map(({ name }) => name)
}

/** What is malformed has been named as a problem already. */
function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}

function sentence({ message, section }: HandshakeError): string {
  return `${message.replace(/\.$/, '')} (${section}).`
}

/** The lines of a head, the empty one at its end included. */
function lines(text: string, start: number, kind: HeadKind): HeadField[] {
  const fields: HeadField[] = []
  let at = 0
  while (at < text.length) {
    const feed = text.indexOf('\n', at)
    const end = feed < 0 ? text.length : feed + 1
    const value = text.slice(at, end).replace(/\r?\n$/, '')
    fields.push({
      start: start + at,
      end: start + end,
      value,
      ...meaningOf(value, fields.length === 0 ? kind : undefined),
    })
    at = end
  }
  return fields
}

function meaningOf(line: string, first: HeadKind | undefined): Pick<HeadField, 'name' | 'meaning' | 'section'> {
  if (first === 'request') {
    return { name: 'request line', meaning: 'method, resource name and version of HTTP', section: 'RFC 6455 4.1' }
  }
  if (first === 'response') {
    const isSwitch = line.split(' ', 2)[1] === '101'
    const meaning = isSwitch ? 'from here on it is WebSocket' : 'the server does not agree; what follows is HTTP'
    return { name: 'status line', meaning, section: 'RFC 6455 4.2.2' }
  }
  if (line === '') return { name: 'end of the head', meaning: 'an empty line ends the head', section: 'RFC 9112 2.1' }
  const colon = line.indexOf(':')
  const name = colon < 0 ? line : line.slice(0, colon)
  const value = colon < 0 ? '' : line.slice(colon + 1).trim()
  const [meaning, section] = FIELDS.get(name.toLowerCase()) ?? [() => 'a field of HTTP', 'RFC 9110 6.3']
  return { name, meaning: meaning(value), section }
}

const FIELDS: ReadonlyMap<string, readonly [meaning: (value: string) => string, section: string]> = new Map([
  ['host', [() => 'the server that is asked, with its port', 'RFC 6455 4.1']],
  ['upgrade', [() => 'the protocol to change to', 'RFC 6455 4.1']],
  ['connection', [() => 'Upgrade is meant for the next hop', 'RFC 6455 4.1']],
  ['sec-websocket-key', [(key: string) => `16 random octets; the answer has to be ${acceptKey(key)}`, 'RFC 6455 4.1']],
  ['sec-websocket-version', [() => 'the version of the protocol; 13 is RFC 6455', 'RFC 6455 4.1']],
  ['sec-websocket-accept', [() => 'SHA-1 of the key and a fixed text: the server speaks WebSocket', 'RFC 6455 4.2.2']],
  ['sec-websocket-protocol', [() => 'subprotocols: offered in a request, chosen in a response', 'RFC 6455 1.9']],
  ['sec-websocket-extensions', [() => 'extensions: offered in a request, chosen in a response', 'RFC 6455 9.1']],
  ['origin', [() => 'where the page came from that connects', 'RFC 6455 10.2']],
  ['cookie', [() => 'what the server told the browser to remember', 'RFC 6265 4.2']],
  ['authorization', [() => 'who asks', 'RFC 9110 11.6.2']],
  ['user-agent', [() => 'which program asks', 'RFC 9110 10.1.5']],
])

/**
 * What a head says, once all of it has been read: its text and the marks that `HeadReader` left where its parts end become a
 * `RequestHead` or a `ResponseHead`. The parts of the start line are substrings of the text, the fields are left in it; what
 * the table of states could not see, the version and the length of the status code, is checked here.
 */

import { HandshakeError } from '../errors.ts'
import { Fields } from './fields.ts'
import { ByteClass, classAt } from './grammar.ts'
import { explain, State } from './machine.ts'

/** The versions of HTTP that a head may have. */
export type HttpVersion = '1.0' | '1.1'

/** The head of a request. */
export interface RequestHead {
  readonly method: string
  /** The request-target as it was sent. */
  readonly target: string
  readonly version: HttpVersion
  readonly fields: Fields
}

/** The head of a response. */
export interface ResponseHead {
  /** 100 to 999. */
  readonly status: number
  readonly reason: string
  readonly version: HttpVersion
  readonly fields: Fields
}

/** What a reader of heads gives, by what it reads. */
export interface Heads {
  readonly request: RequestHead
  readonly response: ResponseHead
}

/** How many fields a head may have where nothing else is said. */
export const MAX_FIELDS = 100

/** Marks of the start line: its first, second and third part end there. Two for each field follow: its colon, its end. */
export const START_LINE_MARKS = 3

export const TOO_MANY_FIELDS = 'The head has too many fields: send fewer.'

const CRLF_SIZE = 2

/** For each kind of head: what a complete one says, or what is wrong with it. */
export const decoders: {
  readonly [Kind in keyof Heads]: (text: string, marks: readonly number[]) => Heads[Kind] | HandshakeError
} = {
  request(text, marks) {
    const [methodEnd, targetEnd, lineEnd] = marks
    const version = decodeVersion('request', text.slice(targetEnd + 1, lineEnd))
    if (version instanceof HandshakeError) return version
    const method = text.slice(text.startsWith('\r\n') ? CRLF_SIZE : 0, methodEnd)
    return {
      method,
      target: text.slice(methodEnd + 1, targetEnd),
      version,
      fields: new Fields(text, marks, START_LINE_MARKS),
    }
  },
  response(text, marks) {
    const [versionEnd, statusEnd, lineEnd] = marks
    const version = decodeVersion('response', text.slice(0, versionEnd))
    if (version instanceof HandshakeError) return version
    const status = decodeStatus(text.slice(versionEnd + 1, statusEnd))
    if (status === undefined) return malformed('response', State.Status)
    return {
      status,
      reason: text.slice(statusEnd + 1, lineEnd),
      version,
      fields: new Fields(text, marks, START_LINE_MARKS),
    }
  },
}

/**
 * The head of a request that another HTTP parser has read, such as `node:http`: `method`, `url`, `httpVersion` and
 * `rawHeaders` of an `IncomingMessage`, names and values in turn.
 *
 * @throws HandshakeError 505 if the version is neither 1.0 nor 1.1, 431 if there are more than `maxFields` fields
 */
export function requestHead(
  method: string,
  target: string,
  httpVersion: string,
  rawHeaders: readonly string[],
  maxFields: number = MAX_FIELDS,
): RequestHead {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') throw unsupportedVersion('request')
  if (rawHeaders.length > 2 * maxFields) throw tooLarge('request', 431, TOO_MANY_FIELDS)
  const entries: Array<[name: string, value: string]> = []
  for (let index = 0; index < rawHeaders.length; index += 2) entries.push([rawHeaders[index], rawHeaders[index + 1]])
  return { method, target, version: httpVersion, fields: Fields.from(entries) }
}

/** The error for a byte that the table refuses in `state`. */
export function malformed(kind: keyof Heads, state: number): HandshakeError {
  const [section, message] = explain(state)
  // RFC 9112 2.2: what does not match the grammar is answered with 400.
  return kind === 'request'
    ? new HandshakeError('ERR_WS_BAD_REQUEST', message, { section, status: 400 })
    : new HandshakeError('ERR_WS_BAD_RESPONSE', message, { section })
}

/** The error for a limit; `status` is for requests only. */
export function tooLarge(kind: keyof Heads, status: number, message: string): HandshakeError {
  const options = { section: 'RFC 9110 5.4', status: kind === 'request' ? status : undefined }
  return new HandshakeError('ERR_WS_HEAD_TOO_LARGE', message, options)
}

function unsupportedVersion(kind: keyof Heads): HandshakeError {
  const message = 'The HTTP version is not supported: use HTTP/1.1.'
  const options = { section: 'RFC 9112 2.3', status: kind === 'request' ? 505 : undefined }
  return new HandshakeError('ERR_WS_BAD_HTTP_VERSION', message, options)
}

/** RFC 9112 2.3: HTTP-version = "HTTP/" DIGIT "." DIGIT, letters in upper case. */
function decodeVersion(kind: keyof Heads, text: string): HttpVersion | HandshakeError {
  if (text === 'HTTP/1.1') return '1.1'
  if (text === 'HTTP/1.0') return '1.0'
  const isVersion =
    text.length === 8 && text.startsWith('HTTP/') && isDigitAt(text, 5) && text[6] === '.' && isDigitAt(text, 7)
  return isVersion ? unsupportedVersion(kind) : malformed(kind, State.RequestVersion)
}

/** RFC 9112 4: status-code = 3DIGIT, the first of which is its class (RFC 9110 15). That all are digits is known here. */
function decodeStatus(text: string): number | undefined {
  if (text.length !== 3 || text.startsWith('0')) return undefined
  let status = 0
  for (let index = 0; index < text.length; index++) status = status * 10 + (text.charCodeAt(index) - 0x30)
  return status
}

function isDigitAt(text: string, index: number): boolean {
  return classAt(text, index) === ByteClass.Digit
}

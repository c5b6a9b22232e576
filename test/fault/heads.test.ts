/**
 * A corpus of heads that some parser has read otherwise than the one behind it: lines, names, values, lengths and versions that are
 * nearly right. Each is refused, as a request and as a response, however it is cut; none is repaired.
 */
import { describe, expect, it } from 'vitest'
import { acceptRequest, checkResponse } from '../../src/handshake/index.ts'
import { readEveryWay } from '../support/heads.ts'

/** Lines of a head, in front of the empty one, that make it none, whatever else stands there. */
const SYNTAX: readonly string[] = [
  'Content-Length : 0\r\n',
  'Content-Length\t: 0\r\n',
  ' Content-Length: 0\r\n',
  '\tContent-Length: 0\r\n',
  'X: a\r\n b\r\n',
  'X: a\r\n\tb\r\n',
  'X: a\r\n \r\n',
  'X: a\n',
  'X: a\r',
  'X: a\r\r\n',
  'X: a\n\r\n',
  'X: a\rY: b\r\n',
  'X: a\nY: b\r\n',
  'X: a\0b\r\n',
  'X: a\x01b\r\n',
  'X: a\x0bb\r\n',
  'X: a\x7fb\r\n',
  'X\0: a\r\n',
  'X\r: a\r\n',
  'X\n: a\r\n',
  'X\x80: a\r\n',
  'X\xa0: a\r\n',
  'X\x85: a\r\n',
  'Content\x0bLength: 0\r\n',
  'X(a): b\r\n',
  'X a: b\r\n',
  'X"a": b\r\n',
  'X/a: b\r\n',
  'X{: b\r\n',
  'X[a]: b\r\n',
  'X@: b\r\n',
  ': a\r\n',
  ':\r\n',
  'X\r\n',
  'X\r\n: a\r\n',
  'no colon here\r\n',
  'GET / HTTP/1.1\r\n',
  '\rX: a\r\n',
  'X: a\r\n\rX',
  '\x1b[2J: a\r\n',
  'X: \x1b[2J\r\n',
]

const REQUEST_LINES: readonly string[] = [
  'GET / HTTP/1.1 ',
  'GET  / HTTP/1.1',
  'GET /  HTTP/1.1',
  ' GET / HTTP/1.1',
  'GET\t/ HTTP/1.1',
  'GET / HTTP/1.1\t',
  'GET /\x0bHTTP/1.1',
  'GET / HTTP/11',
  'GET / HTTP/1.10',
  'GET / HTTP/01.1',
  'GET / HTTP/1.+1',
  'GET / http/1.1',
  'GET / HTTP 1.1',
  'GET / XTTP/1.1',
  'GET / HTTP/1.1xyz',
  'GET / HTTP/\xb9.1',
  'GET / HTTP/1',
  'GET / HTTP/',
  'GET /',
  'GET',
  'GET /a b HTTP/1.1',
  'GET /\x80 HTTP/1.1',
  'GET /\0 HTTP/1.1',
  'G(T / HTTP/1.1',
  'G\xc9T / HTTP/1.1',
  ' / HTTP/1.1',
  '\r\nGET / HTTP/1.1\r\n ',
  '\n\nGET / HTTP/1.1',
]

const STATUS_LINES: readonly string[] = [
  'HTTP/1.1  101 OK',
  'HTTP/1.1\t101 OK',
  'HTTP/1.1 10 OK',
  'HTTP/1.1 1010 OK',
  'HTTP/1.1 +11 OK',
  'HTTP/1.1 1_1 OK',
  'HTTP/1.1 1.1 OK',
  'HTTP/1.1 0x1 OK',
  'HTTP/1.1 \xb901 OK',
  'HTTP/1.1 101\tOK',
  ' HTTP/1.1 101 OK',
  'http/1.1 101 OK',
  'HTTP/1.10 101 OK',
  'HTTP/11 101 OK',
  'HTTP 101 OK',
  'HTTP/1.1 101 O\0K',
  'HTTP/1.1 101 O\x1bK',
  '\nHTTP/1.1 101 OK',
  'ICY 101 OK',
]

const GOOD = {
  request:
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n',
  response:
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n',
} as const

describe.each(['request', 'response'] as const)('The head of a %s', (kind) => {
  it('is read when nothing is wrong with it', () => {
    expect(readEveryWay(kind, `${GOOD[kind]}\r\n`).kind).toBe('head')
  })

  it.each(SYNTAX)('[V60] [V61] is refused with the line %j, first, amid the others and last', (line) => {
    const [start, first, ...others] = GOOD[kind].split(/(?<=\r\n)/)
    for (const text of [
      [start, line, first, ...others],
      [start, first, line, ...others],
      [start, first, ...others, line],
    ]) {
      expect(readEveryWay(kind, `${text.join('')}\r\n`)).toMatchObject({ kind: 'refused' })
    }
  })

  it.each(kind === 'request' ? REQUEST_LINES : STATUS_LINES)('[V61] is refused with the start line %j', (line) => {
    const rest = GOOD[kind].slice(GOOD[kind].indexOf('\r\n'))
    expect(readEveryWay(kind, `${line}${rest}\r\n`)).toMatchObject({ kind: 'refused' })
  })
})

describe('A request', () => {
  it.each([
    'Content-Length: +0',
    'Content-Length: -0',
    'Content-Length: 0x0',
    'Content-Length: 1_0',
    'Content-Length: 0 0',
    'Content-Length: \xb2',
    'Content-Length: 00000000000000000000005',
    'Content-Length: 0\r\nContent-Length: 1',
    'Content-Length: 0, 1',
    'Content-Length: 18446744073709551616',
    'Content-Length:',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: identity',
    'Transfer-Encoding:',
    'Transfer-Encoding: \x0cchunked'.replace('\x0c', ''),
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    'Host: b',
    'Host:',
  ])('[V57] [V61] opens nothing with %j', (line) => {
    const outcome = readEveryWay('request', `${GOOD.request}${line}\r\n\r\n`)
    if (outcome.kind !== 'head') throw new Error('The head is well-formed.')
    const answer = acceptRequest(outcome.head, {})
    expect(answer).toMatchObject({ status: expect.toBeOneOf([400, 501]) as number })
  })
})

describe('A response', () => {
  it.each([
    'Upgrade: websocket\xa0',
    'Upgrade: \x85websocket',
    'Upgrade: web\xadsocket',
    'Upgrade: websocke\u0074\xcc',
  ])('[V55] [V61] opens nothing with %j', (line) => {
    const text = GOOD.response.replace('Upgrade: websocket', line)
    const outcome = readEveryWay('response', `${text}\r\n`)
    if (outcome.kind !== 'head') throw new Error('The head is well-formed.')
    const { head } = outcome
    expect(() => checkResponse(head, { key: 'dGhlIHNhbXBsZSBub25jZQ==', protocols: [], extensions: [] })).toThrow(
      expect.objectContaining({ name: 'HandshakeError' }),
    )
  })
})

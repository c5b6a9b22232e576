/** Opening handshakes, explained line by line. */
import { describe, expect, it } from 'vitest'
import { explainHead, headKind } from '../../src/cli/heads.ts'
import type { Agreed, HeadPart } from '../../src/cli/heads.ts'

const REQUEST = [
  'GET /chat HTTP/1.1',
  'Host: server.example.com',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Origin: http://example.com',
  'Sec-WebSocket-Protocol: chat, superchat',
  'Sec-WebSocket-Version: 13',
]
const RESPONSE = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  'Sec-WebSocket-Protocol: chat',
]

function head(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

function explain(octets: Buffer, before: Agreed = {}): { part: HeadPart; agreed: Agreed; complete: boolean } {
  const kind = headKind(octets, 0)
  if (kind === undefined) throw new Error('This is no head')
  return explainHead(octets, 0, kind, before)
}

const asked = explain(head(REQUEST)).agreed

describe('headKind', () => {
  it.each([
    ['GET / HTTP/1.1\r\n', 'request'],
    ['OPTIONS * HTTP/1.1\r\n', 'request'],
    ['HTTP/1.1 101 ', 'response'],
    ['\x81\x05Hello', undefined],
    ['GET', undefined],
    ['get / HTTP/1.1', undefined],
    ['', undefined],
  ])('knows what begins as %j', (text, kind) => {
    expect(headKind(Buffer.from(text, 'latin1'), 0)).toBe(kind)
    expect(headKind(Buffer.from(`\x81\0${text}`, 'latin1'), 2)).toBe(kind)
  })
})

describe('explainHead', () => {
  it('names each line, where it is, and what it is for', () => {
    const octets = head(REQUEST)
    const { part, agreed, complete } = explainHead(Buffer.concat([Buffer.from('..'), octets]), 2, 'request', {})
    expect(part).toMatchObject({ kind: 'request', start: 2, end: octets.length + 2, problems: [], cut: false })
    expect(part.fields.map(({ name }) => name)).toEqual([
      'request line',
      ...REQUEST.slice(1).map((line) => line.split(':')[0]),
      'end of the head',
    ])
    expect(part.fields[0]).toMatchObject({ start: 2, end: 22, value: 'GET /chat HTTP/1.1', section: 'RFC 6455 4.1' })
    expect(part.fields[4].meaning).toBe('16 random octets; the answer has to be s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    expect(part.fields.at(-1)).toMatchObject({ value: '', end: part.end })
    expect(agreed).toMatchObject({ sender: 'client', deflate: false })
    expect(complete).toBe(true)
  })

  it('knows of fields of HTTP only that they are such', () => {
    const { part } = explain(head([...REQUEST, 'X-Own: 1']))
    expect(part.fields.at(-2)).toMatchObject({ name: 'X-Own', meaning: 'a field of HTTP', section: 'RFC 9110 6.3' })
  })

  it.each(['Cookie', 'Authorization', 'User-Agent', 'Sec-WebSocket-Extensions'])('knows %s', (name) => {
    const { part } = explain(head([...REQUEST, `${name}: x`]))
    expect(part.fields.at(-2)?.meaning).not.toBe('a field of HTTP')
  })

  it('judges a response by the request that it answers', () => {
    const { part, agreed, complete } = explain(head(RESPONSE), asked)
    expect(part.problems).toEqual([])
    expect(part.fields[0].meaning).toBe('from here on it is WebSocket')
    expect(agreed).toMatchObject({ sender: 'server', deflate: false })
    expect(complete).toBe(true)
    const wrong = head(RESPONSE.with(3, 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOoo'))
    expect(explain(wrong, asked).part.problems).toEqual([
      'Sec-WebSocket-Accept is missing or does not fit the key (RFC 6455 4.1).',
    ])
    const other = head(RESPONSE.with(4, 'Sec-WebSocket-Protocol: other'))
    expect(explain(other, asked).part.problems).toEqual([
      'The server chose the subprotocol "other", which was not offered (RFC 6455 4.1).',
    ])
  })

  it('judges a response by itself as far as that goes', () => {
    expect(explain(head(RESPONSE)).part.problems).toEqual([])
    expect(explain(head(RESPONSE.with(3, 'Sec-WebSocket-Accept: x'))).part.problems).toHaveLength(1)
    expect(explain(head(RESPONSE.toSpliced(3, 1))).part.problems).toHaveLength(1)
    expect(explain(head(RESPONSE.with(1, 'Upgrade: h2c'))).part.problems).toEqual([
      'The server did not answer with "Upgrade: websocket" (RFC 6455 4.1).',
    ])
  })

  it('says that the server does not agree', () => {
    const { part, complete } = explain(head(['HTTP/1.1 404 Not Found']), asked)
    expect(part.fields[0].meaning).toBe('the server does not agree; what follows is HTTP')
    expect(part.problems).toEqual([])
    expect(complete).toBe(false)
  })

  it('knows whether compression was offered, and agreed upon', () => {
    const offer = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'
    const { agreed } = explain(head([...REQUEST, offer]))
    expect('deflate' in agreed).toBe(false)
    const answer = explain(head([...RESPONSE, 'Sec-WebSocket-Extensions: permessage-deflate']), agreed)
    expect(answer.agreed.deflate).toBe(true)
    expect(answer.part.problems).toEqual([])
    const wrong = explain(head([...RESPONSE, 'Sec-WebSocket-Extensions: permessage-deflate; x']), agreed)
    expect(wrong.part.problems).toHaveLength(1)
  })

  it.each([
    [
      'an unknown version',
      REQUEST.with(7, 'Sec-WebSocket-Version: 8'),
      'Sec-WebSocket-Version must be 13 (RFC 6455 4.4).',
    ],
    [
      'extensions that are no list',
      [...REQUEST, 'Sec-WebSocket-Extensions: ;'],
      'Sec-WebSocket-Extensions must be a list of extensions (RFC 6455 9.1).',
    ],
    [
      'a field that is none',
      REQUEST.with(2, 'Upgrade : websocket'),
      'A field name must be a token with a colon directly behind it (RFC 9112 5.1).',
    ],
    [
      'no colon',
      REQUEST.with(2, 'Upgrade'),
      'A field name must be a token with a colon directly behind it (RFC 9112 5.1).',
    ],
  ])('names what is wrong: %s', (_, lines, problem) => {
    expect(explain(head(lines)).part.problems).toEqual([problem])
  })

  it('goes no further behind a head that is malformed', () => {
    const octets = head(REQUEST.with(2, 'Upgrade : websocket'))
    const { part, complete } = explain(octets)
    expect([complete, part.end]).toEqual([false, octets.length])
  })

  it('asks a response with subprotocols that are no list for none of them', () => {
    const request = explain(head(REQUEST.with(6, 'Sec-WebSocket-Protocol: ,;'))).agreed
    expect(explain(head(RESPONSE), request).part.problems).toHaveLength(1)
  })

  it.each([
    ['request', head(REQUEST)],
    ['response', head(RESPONSE)],
  ])('says where a %s is cut', (_, octets) => {
    const { part, complete } = explain(octets.subarray(0, 40))
    expect(part).toMatchObject({ cut: true, end: 40, problems: [] })
    expect(complete).toBe(false)
  })

  it('reads lines that end with LF alone, and says that they must not', () => {
    const { part } = explain(Buffer.from(`${REQUEST.join('\n')}\n\n`))
    expect(part.fields).toHaveLength(REQUEST.length + 1)
    expect(part.problems).toHaveLength(1)
  })
})

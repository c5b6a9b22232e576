import { describe, expect, it } from 'vitest'

import { formatAcceptance, formatRejection, isHandshakeField, isMessageField } from '../../src/handshake/answer.ts'
import type { Acceptance } from '../../src/handshake/index.ts'
import { misuse } from '../support/errors.ts'
import { headOf } from '../support/heads.ts'

const ACCEPTANCE: Acceptance = {
  accepted: true,
  accept: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  resourceName: '/',
  authority: 'a',
  protocol: undefined,
  offeredProtocols: ['chat', 'mqtt'],
  extensions: [],
}
const invalidHeader = misuse('TypeError', 'ERR_WS_INVALID_HEADER')
const INJECTIONS = ['a\r\nX: y', 'a\nb', 'a\rb', '\0', '\u010a', '\u560d\u560a', '\x1b[2J']

describe('formatAcceptance', () => {
  it('writes a 101 with Upgrade, Connection and Accept [6455:4.2.2-12] [6455:4.2.2-i01] [6455:4.2.2-i02] [6455:4.2.2-i03] [9110-7.8-02] [9110-15.2.2-01] [9110-7.8-06]', () => {
    const text = formatAcceptance(ACCEPTANCE)
    expect(text).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    )
    expect(headOf('response', text).status).toBe(101)
  })

  it('names no subprotocol and no extension where none was chosen, nor a length or coding [6455:4.2.2-09] [9112-6.1-01] [9110-8.6-01]', () => {
    const { fields } = headOf('response', formatAcceptance(ACCEPTANCE))
    expect([...fields].map(([name]) => name)).toEqual(['upgrade', 'connection', 'sec-websocket-accept'])
  })

  it('adds subprotocol, extensions and headers [6455:5.8-01]', () => {
    const extensions = [
      {
        name: 'foo',
        parameters: [
          ['bar', true],
          ['baz', '2'],
        ],
      },
      { name: 'mux', parameters: [] },
    ] as const
    const text = formatAcceptance(
      { ...ACCEPTANCE, protocol: 'chat', extensions },
      { headers: { 'Set-Cookie': ['a=b', 'c=d'] } },
    )
    const { fields } = headOf('response', text)
    expect([...fields].slice(3)).toEqual([
      ['sec-websocket-protocol', 'chat'],
      ['sec-websocket-extensions', 'foo; bar; baz=2, mux'],
      ['set-cookie', 'a=b'],
      ['set-cookie', 'c=d'],
    ])
  })

  it('lets the subprotocol be replaced by another offer, and by nothing else [6455:4.2.2-08]', () => {
    expect(formatAcceptance({ ...ACCEPTANCE, protocol: 'chat' }, { protocol: 'mqtt' })).toContain(
      'Sec-WebSocket-Protocol: mqtt\r\n',
    )
    for (const protocol of ['other', '', 'a\r\nX: y']) {
      expect(() => formatAcceptance(ACCEPTANCE, { protocol })).toThrow(misuse('TypeError', 'ERR_WS_INVALID_PROTOCOL'))
    }
  })

  it('refuses headers that belong to the handshake', () => {
    const reserved = [
      'Upgrade',
      'connection',
      'Sec-WebSocket-Accept',
      'sec-websocket-protocol',
      'Sec-WebSocket-Anything',
      'Content-Length',
      'TRANSFER-ENCODING',
    ]
    for (const name of reserved) {
      expect(() => formatAcceptance(ACCEPTANCE, { headers: [[name, 'x']] }), name).toThrow(invalidHeader)
    }
  })

  it('[V70] refuses to split the server’s response [9112-11.1-01]', () => {
    for (const text of INJECTIONS) {
      expect(() => formatAcceptance(ACCEPTANCE, { headers: { 'X-Test': text } })).toThrow(invalidHeader)
      expect(() => formatAcceptance(ACCEPTANCE, { headers: { [text]: 'x' } })).toThrow(invalidHeader)
      expect(() => formatAcceptance({ ...ACCEPTANCE, protocol: text })).toThrow(invalidHeader)
      expect(() => formatAcceptance({ ...ACCEPTANCE, extensions: [{ name: text, parameters: [] }] })).toThrow(TypeError)
    }
  })
})

describe('formatRejection', () => {
  const parts = (answer: Buffer): { head: ReturnType<typeof headOf<'response'>>; body: string } => {
    const end = answer.indexOf('\r\n\r\n') + 4
    return { head: headOf('response', answer.toString('latin1', 0, end)), body: answer.toString('utf8', end) }
  }

  it('writes an answer that ends with its content and closes the connection [9112-9.6-01] [9112-9.3-01] [9112-2.2-09]', () => {
    const { head, body } = parts(formatRejection({ status: 400 }, new Date(0)))
    expect(head).toMatchObject({ status: 400, reason: 'Bad Request', version: '1.1' })
    expect([...head.fields]).toEqual([
      ['connection', 'close'],
      ['content-length', '12'],
      ['date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
      ['content-type', 'text/plain; charset=utf-8'],
    ])
    expect(body).toBe('Bad Request\n')
  })

  it('tells the time, unless it is given [9110-6.6.1-01]', () => {
    const dateOf = (bytes: Buffer): number => Date.parse(parts(bytes).head.fields.get('date') ?? '')
    const before = Math.floor(Date.now() / 1000) * 1000
    expect(dateOf(formatRejection({ status: 404 }))).toBeGreaterThanOrEqual(before)
    const headers = { Date: 'Thu, 01 Jan 1970 00:00:01 GMT' }
    expect(dateOf(formatRejection({ status: 404, headers }))).toBe(1000)
  })

  it('names Upgrade in Connection where it sends it [9110-7.8-06] [9110-7.6.1-01] [9110-7.8-04]', () => {
    const headers = [
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Version', '13'],
    ] as const
    const { head } = parts(formatRejection({ status: 426, headers, body: 'No.\n' }))
    expect(head.fields.get('connection')).toBe('close, Upgrade')
    expect(head.fields.get('upgrade')).toBe('websocket')
    expect(head.fields.get('sec-websocket-version')).toBe('13')
  })

  it('takes headers, a content type and a body of text or bytes [6455:4.2.2-03]', () => {
    // The head is Latin-1, the body UTF-8.
    const realm = { 'WWW-Authenticate': 'Bearer realm="caf\u00e9"' }
    const text = parts(formatRejection({ status: 401, headers: realm, body: 'caf\u00e9' }))
    expect(text.body).toBe('caf\u00e9')
    expect(text.head.fields.get('content-length')).toBe('5')
    expect(text.head.fields.get('www-authenticate')).toBe('Bearer realm="caf\u00e9"')
    const bytes = formatRejection({
      status: 302,
      headers: { location: '/x', 'content-type': 'image/x' },
      body: Uint8Array.of(0, 255),
    })
    expect(bytes.subarray(-2)).toEqual(Buffer.of(0, 255))
    expect(parts(bytes).head.fields.getAll('content-type')).toEqual(['image/x'])
    expect(parts(formatRejection({ status: 503, body: '' })).head.fields.get('content-length')).toBe('0')
  })

  it('has a reason phrase for the usual statuses, and keeps the space where it has none [9112-4-01]', () => {
    expect(formatRejection({ status: 599 }).toString()).toMatch(/^HTTP\/1\.1 599 \r\n/)
    expect(parts(formatRejection({ status: 599 })).body).toBe('599\n')
    for (const status of [300, 403, 404, 405, 414, 417, 426, 429, 431, 500, 501, 503, 505]) {
      expect(parts(formatRejection({ status })).head.reason).toMatch(/^[A-Z][A-Za-z -]+$/)
    }
  })

  it('refuses a status that cannot reject [9110-8.6-01]', () => {
    for (const status of [0, 100, 101, 200, 204, 299, 304, 600, 400.5, Number.NaN, '400' as unknown as number]) {
      expect(() => formatRejection({ status }), `${status}`).toThrow(misuse('RangeError', 'ERR_WS_INVALID_STATUS'))
    }
  })

  it('[V70] refuses headers that say how the message ends, and to split the response [9112-11.1-01]', () => {
    for (const name of ['Connection', 'content-length', 'Transfer-Encoding']) {
      expect(() => formatRejection({ status: 400, headers: { [name]: 'x' } })).toThrow(invalidHeader)
    }
    for (const text of INJECTIONS) {
      expect(() => formatRejection({ status: 400, headers: { location: text } })).toThrow(invalidHeader)
      expect(() => formatRejection({ status: 400, headers: { [text]: 'x' } })).toThrow(invalidHeader)
    }
  })
})

describe('isHandshakeField and isMessageField', () => {
  it('know the fields that users leave to the library', () => {
    const names = [
      'upgrade',
      'connection',
      'content-length',
      'transfer-encoding',
      'sec-websocket-key',
      'host',
      'origin',
      'set-cookie',
      'constructor',
    ]
    expect(names.filter(isHandshakeField)).toEqual(names.slice(0, 5))
    expect(names.filter(isMessageField)).toEqual(names.slice(1, 4))
  })
})

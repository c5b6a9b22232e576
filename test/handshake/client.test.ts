import { describe, expect, it } from 'vitest'

import { HandshakeError } from '../../src/errors.ts'
import type { ExpectedResponse, FieldsInit, RequestOptions } from '../../src/handshake/index.ts'
import {
  acceptKey,
  acceptRequest,
  checkResponse,
  createKey,
  createRequest,
  parseUri,
  unexpectedResponse,
} from '../../src/handshake/index.ts'
import { failedHandshake, misuse } from '../support/errors.ts'
import { headOf } from '../support/heads.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

function request(uri: string, options: Partial<RequestOptions> = {}): string {
  return createRequest({ uri: parseUri(uri), key: KEY, ...options })
}

describe('createRequest', () => {
  it('writes a GET with all that is required [6455:4.1-19] [6455:4.1-20] [6455:4.1-21] [6455:4.1-24] [6455:4.1-25] [6455:4.1-26] [6455:4.1-27] [6455:4.1-28] [6455:4.1-33] [6455:4.1-34] [9110-7.8-06]', () => {
    expect(request('ws://example.com/chat')).toBe(
      'GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    )
  })

  it('begins with the request line, and ends with one empty line [9112-2.2-05] [9112-2.2-07]', () => {
    expect(request('ws://a')).toMatch(/^GET \/ HTTP\/1\.1\r\nHost: a\r\n(?:[^\r\n]+\r\n)+\r\n$/)
  })

  it('names resource and host as the URI does [6455:4.1-22] [6455:4.1-23] [9112-3.2-02] [9112-3.2.1-01]', () => {
    const cases = [
      ['ws://a:80', '/', 'a'],
      ['wss://a:443/', '/', 'a'],
      ['ws://a:443/?x', '/?x', 'a:443'],
      ['wss://u:p@a:9000/b', '/b', 'a:9000'],
      ['ws://[::1]:1/', '/', '[::1]:1'],
    ] as const
    for (const [uri, target, host] of cases) {
      const head = headOf('request', request(uri))
      expect([head.target, head.fields.get('host')]).toEqual([target, host])
    }
  })

  it('offers subprotocols and extensions [6455:4.1-35] [6455:4.1-38] [6455:9-01] [6455:5.8-01]', () => {
    const { fields } = headOf(
      'request',
      request('ws://a', { protocols: ['b', 'a'], extensions: [{ name: 'x', parameters: [['y', '1']] }] }),
    )
    expect(fields.get('sec-websocket-protocol')).toBe('b, a')
    expect(fields.get('sec-websocket-extensions')).toBe('x; y=1')
    const formatted = headOf('request', request('ws://a', { extensions: 'permessage-deflate; client_max_window_bits' }))
    expect(formatted.fields.get('sec-websocket-extensions')).toBe('permessage-deflate; client_max_window_bits')
    const none = headOf('request', request('ws://a', { protocols: [], extensions: '' }))
    expect(none.fields.size).toBe(5)
  })

  it('adds further headers, of which Host replaces that of the URI [6455:4.1-32] [6455:4.1-39]', () => {
    const headers = { Host: 'b:8080', Origin: 'http://b', Cookie: 'c=d', 'User-Agent': 'x', 'X-List': ['1', '2'] }
    const { fields } = headOf('request', request('ws://a', { headers }))
    expect(fields.getAll('host')).toEqual(['b:8080'])
    expect([...fields].slice(5)).toEqual([
      ['origin', 'http://b'],
      ['cookie', 'c=d'],
      ['user-agent', 'x'],
      ['x-list', '1'],
      ['x-list', '2'],
    ])
  })

  it('sends the credentials of the URI unless others are given', () => {
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
    expect(headOf('request', request('ws://us%40er:p%3A%C3%A9@h')).fields.get('authorization')).toBe(
      basic('us@er:p:\u00e9'),
    )
    const own = request('ws://user:pass@h', { headers: { AUTHORIZATION: 'Bearer x' } })
    expect(headOf('request', own).fields.getAll('authorization')).toEqual(['Bearer x'])
    expect(own).not.toContain('pass@')
  })

  it('refuses headers that belong to the handshake, and a second line of what has one value [9110-5.3-02]', () => {
    const invalid = misuse('TypeError', 'ERR_WS_INVALID_HEADER')
    for (const name of [
      'Upgrade',
      'connection',
      'Sec-WebSocket-Key',
      'sec-websocket-version',
      'Content-Length',
      'Transfer-Encoding',
    ]) {
      expect(() => request('ws://a', { headers: { [name]: 'x' } })).toThrow(invalid)
    }
    for (const name of ['Host', 'origin', 'Authorization']) {
      expect(() =>
        request('ws://a', {
          headers: [
            [name, 'a'],
            [name.toUpperCase(), 'a'],
          ],
        }),
      ).toThrow(invalid)
    }
    for (const host of ['', 'a b', 'a/b', 'a, b', 'u@a']) {
      expect(() => request('ws://a', { headers: { host } })).toThrow(invalid)
    }
  })

  it('[V71] lets nothing be written between the fields [9112-11.1-01] [6455:4.1-03]', () => {
    const payloads = [
      '\r\nX: y',
      '\n',
      '\r',
      '\0',
      '\r\n\r\nGET / HTTP/1.1',
      '\u010a',
      '\u010d\u010a',
      '\u560d\u560a',
      '\u2028',
      '\x0b',
      '\x1b',
      '\x7f',
    ]
    const uri = parseUri('ws://a')
    const places: Array<(text: string) => Partial<RequestOptions>> = [
      (text) => ({ uri: { ...uri, resourceName: `/${text}` } }),
      (text) => ({ uri: { ...uri, authority: `a${text}` } }),
      (text) => ({ key: KEY.slice(0, -2) + text }),
      (text) => ({ protocols: [`a${text}`] }),
      (text) => ({ extensions: `a; b${text}` }),
      (text) => ({ extensions: [{ name: 'a', parameters: [['b', `c${text}`]] }] }),
      (text) => ({ headers: { Host: `a${text}` } }),
      (text) => ({ headers: { 'X-Test': `a${text}b` } }),
      (text) => ({ headers: { [`X${text}`]: 'a' } }),
      (text) => ({ headers: { Cookie: text } }),
    ]
    for (const place of places) {
      for (const payload of payloads) expect(() => request('ws://a', place(payload))).toThrow(TypeError)
    }
  })

  it('refuses a resource name, key, subprotocol or extension that cannot be sent [6455:4.1-36] [6455:4.1-37]', () => {
    const code = (expected: string): unknown => misuse('TypeError', expected)
    const uri = parseUri('ws://a')
    for (const resourceName of ['', 'a', 'http://b/', '/a b', '/a#b']) {
      expect(() => request('ws://a', { uri: { ...uri, resourceName } })).toThrow(code('ERR_WS_INVALID_URI'))
    }
    for (const key of ['', 'x', `${KEY} `]) expect(() => request('ws://a', { key })).toThrow(code('ERR_WS_INVALID_KEY'))
    for (const protocols of [['a', 'a'], [''], ['a,b']]) {
      expect(() => request('ws://a', { protocols })).toThrow(code('ERR_WS_INVALID_PROTOCOL'))
    }
    for (const extensions of ['a;', ',', 'a b', [{ name: '', parameters: [] }]]) {
      expect(() => request('ws://a', { extensions })).toThrow(code('ERR_WS_INVALID_EXTENSION'))
    }
    expect(() => request('ws://a', { headers: 'X: y' as unknown as FieldsInit })).toThrow(code('ERR_WS_INVALID_HEADER'))
  })

  it('writes what acceptRequest accepts', () => {
    const head = headOf(
      'request',
      createRequest({ uri: parseUri('ws://a:8080/x'), key: createKey(), protocols: ['p'] }),
    )
    expect(acceptRequest(head, { protocols: ['p'] })).toMatchObject({
      accepted: true,
      protocol: 'p',
      resourceName: '/x',
    })
  })
})

describe('checkResponse', () => {
  const FIELDS = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': acceptKey(KEY) }
  type Changes = Readonly<Record<string, string | readonly string[] | undefined>>

  const check = (changes: Changes = {}, expected: Partial<ExpectedResponse> = {}, startLine = 'HTTP/1.1 101 X') => {
    let text = `${startLine}\r\n`
    for (const [name, value] of Object.entries({ ...FIELDS, ...changes })) {
      for (const line of value === undefined ? [] : [value].flat()) text += `${name}: ${line}\r\n`
    }
    return checkResponse(headOf('response', `${text}\r\n`), { key: KEY, ...expected })
  }
  const failure = (...parameters: Parameters<typeof check>): HandshakeError => {
    try {
      check(...parameters)
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error
      expect(error).toEqual(failedHandshake(error.code, error.status))
      return error
    }
    return expect.unreachable('The response was accepted.')
  }

  it("accepts the RFC's own example [6455:4.1-41]", () => {
    expect(check()).toEqual({ protocol: undefined, extensions: [] })
    expect(check({ 'Sec-WebSocket-Protocol': 'chat' }, { protocols: ['superchat', 'chat'] }).protocol).toBe('chat')
  })

  it('fails on every status but 101, with status and fields of the answer [6455:4.1-i01]', () => {
    for (const status of [100, 102, 200, 301, 401, 426, 503]) {
      const error = failure({ 'Set-Cookie': ['a', 'b'], __proto__x: 'y' }, {}, `HTTP/1.1 ${status} No`)
      expect(error).toMatchObject({ code: 'ERR_WS_UNEXPECTED_RESPONSE', status, body: undefined })
      expect(error.headers.get('set-cookie')).toBe('a, b')
      expect(error.headers.get('upgrade')).toBe('websocket')
    }
  })

  it('fails on a 101 in HTTP/1.0 [6455:4.1-47]', () => {
    expect(failure({}, {}, 'HTTP/1.0 101 X')).toMatchObject({ code: 'ERR_WS_BAD_RESPONSE', status: 101 })
  })

  it('fails unless Upgrade is websocket, in any case [6455:4.1-42] [9110-7.8-10]', () => {
    check({ Upgrade: 'WebSocket' })
    for (const upgrade of [
      undefined,
      '',
      'websockets',
      'h2c',
      'websocket/13',
      'websocket, h2c',
      ['websocket', 'websocket'],
      'web socket',
    ]) {
      expect(failure({ Upgrade: upgrade }), String(upgrade)).toMatchObject({
        code: 'ERR_WS_BAD_UPGRADE',
        status: 101,
        section: 'RFC 6455 4.1',
      })
    }
  })

  it('[V75] fails unless Connection is a list with Upgrade in it, in any case [6455:4.1-43]', () => {
    for (const connection of ['upgrade', 'keep-alive, Upgrade', 'UPGRADE ,x', ['keep-alive', 'upgrade']]) {
      check({ Connection: connection })
    }
    for (const connection of [
      undefined,
      '',
      'close',
      'upgrades',
      'keep-alive Upgrade',
      'upgrade;x',
      `b${' '.repeat(8000)}x`,
    ]) {
      expect(failure({ Connection: connection }).code).toBe('ERR_WS_BAD_UPGRADE')
    }
  })

  it('fails unless Accept fits the key, apart from whitespace around it [6455:4.1-44]', () => {
    check({ 'Sec-WebSocket-Accept': ` \t${acceptKey(KEY)} ` })
    const accept = acceptKey(KEY)
    for (const value of [
      undefined,
      '',
      KEY,
      accept.toLowerCase(),
      accept.slice(0, -1),
      [accept, accept],
      `${accept}=`,
      acceptKey(createKey()),
    ]) {
      expect(failure({ 'Sec-WebSocket-Accept': value })).toMatchObject({ code: 'ERR_WS_BAD_ACCEPT', status: 101 })
    }
  })

  it('fails on a subprotocol that was not offered, or more than one [6455:4.1-46] [6455:4.3-i01]', () => {
    const protocols = ['a', 'b', 'c']
    for (const protocol of ['d', 'A', '', 'a, b', ['a', 'a'], ['a', 'b'], '\u00e9', 'constructor', '__proto__']) {
      expect(failure({ 'Sec-WebSocket-Protocol': protocol }, { protocols }).code).toBe('ERR_WS_BAD_PROTOCOL')
    }
    expect(failure({ 'Sec-WebSocket-Protocol': 'a' }).code).toBe('ERR_WS_BAD_PROTOCOL')
    expect(check({}, { protocols }).protocol).toBeUndefined()
  })

  it('fails on an extension that was not offered, and on malformed ones [6455:4.1-45] [6455:9.1-01] [6455:9.1-06]', () => {
    const extensions = ['foo', 'bar']
    expect(check({ 'Sec-WebSocket-Extensions': ['bar; x=1', 'foo'] }, { extensions }).extensions).toEqual([
      { name: 'bar', parameters: [['x', '1']] },
      { name: 'foo', parameters: [] },
    ])
    for (const value of ['baz', 'foo, baz', 'constructor', '__proto__', 'FOO', '', 'foo;', 'foo; x="', '\u00e9', ',']) {
      expect(failure({ 'Sec-WebSocket-Extensions': value }, { extensions }).code).toBe('ERR_WS_BAD_EXTENSIONS')
    }
    expect(failure({ 'Sec-WebSocket-Extensions': 'foo' }).code).toBe('ERR_WS_BAD_EXTENSIONS')
  })

  it('ignores what a 101 says about a body, as it has none [9112-6.3-01]', () => {
    expect(check({ 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }).extensions).toEqual([])
  })

  it('[V69] writes nothing of the server raw into a message', () => {
    const error = failure({ 'Sec-WebSocket-Protocol': `\u009b31m${'x'.repeat(500)}` })
    expect(error.message).toMatch(/^[ -~]{1,200}$/)
  })
})

describe('unexpectedResponse', () => {
  it('carries what was read of the body', () => {
    const head = headOf('response', 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\n\r\n')
    const error = unexpectedResponse(head, Buffer.from('log in'))
    expect(error).toMatchObject({ status: 401, body: Buffer.from('log in') })
    expect(error.message).toBe('The server answered with status 401 instead of 101.')
    expect(error.headers.get('www-authenticate')).toBe('Bearer')
  })

  it('[V69] says where a redirect points to, fit for a log', () => {
    const head = headOf('response', 'HTTP/1.1 302 Found\r\nLocation: /b\xff\r\n\r\n')
    const error = unexpectedResponse(head)
    expect(error.message).toBe('The server answered with status 302 instead of 101. It points to "/b\\u00ff".')
    expect(error.body).toBeUndefined()
  })
})

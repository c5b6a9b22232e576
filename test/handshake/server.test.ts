import { describe, expect, it } from 'vitest'

import { HandshakeError } from '../../src/errors.ts'
import type { Acceptance, AcceptOptions, ExtensionOffer, Rejection } from '../../src/handshake/index.ts'
import { acceptRequest, isUpgradeRequest, rejectionOf } from '../../src/handshake/index.ts'
import { misuse } from '../support/errors.ts'
import { handshake, HANDSHAKE_FIELDS, headOf, OBJECT_NAMES } from '../support/heads.ts'

type Changes = NonNullable<Parameters<typeof handshake>[0]>

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

function judge(changes: Changes = {}, options?: AcceptOptions, startLine?: string): Acceptance | Rejection {
  return acceptRequest(headOf('request', handshake(changes, startLine)), options)
}

function accepted(changes?: Changes, options?: AcceptOptions, startLine?: string): Acceptance {
  const result = judge(changes, options, startLine)
  if (!result.accepted) throw new Error(`Rejected: ${result.error.message}`)
  return result
}

function rejected(changes?: Changes, options?: AcceptOptions, startLine?: string): [status: number, code: string] {
  const result = judge(changes, options, startLine)
  if (result.accepted) throw new Error('Accepted.')
  expect(result.status).toBe(result.error.status)
  expect(result.body).toMatch(/^[A-Z][ -~]+\.\n$/)
  expect(result.error.section).toMatch(/^RFC \d+ /)
  return [result.status, result.error.code]
}

describe('acceptRequest', () => {
  it("accepts the RFC's own example [6455:4.2.2-01] [6455:4.2.2-i04]", () => {
    const result = accepted(
      { Origin: 'http://example.com', 'Sec-WebSocket-Protocol': 'chat, superchat' },
      { origins: 'any', protocols: ['chat'] },
    )
    expect(result).toEqual({
      accepted: true,
      accept: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      resourceName: '/chat',
      authority: 'server.example.com',
      protocol: 'chat',
      offeredProtocols: ['chat', 'superchat'],
      extensions: [],
    })
  })

  it('chooses nothing unless told to [6455:4.2.2-09] [6455:4.2.2-11]', () => {
    const result = accepted({ 'Sec-WebSocket-Protocol': 'chat', 'Sec-WebSocket-Extensions': 'permessage-deflate' })
    expect(result).toMatchObject({ protocol: undefined, offeredProtocols: ['chat'], extensions: [] })
  })

  it('ignores unknown fields and the order of fields [6455:4.2.1-i07]', () => {
    accepted({
      Cookie: 'a=b',
      'X-Unknown': '?',
      ...Object.fromEntries(OBJECT_NAMES.filter((name) => name !== '__proto__').map((name) => [name, 'x'])),
    })
    const reversed = `GET /chat HTTP/1.1\r\n__proto__: x\r\n${HANDSHAKE_FIELDS.toReversed()
      .map((field) => `${field.join(':')}\r\n`)
      .join('')}\r\n`
    expect(acceptRequest(headOf('request', reversed)).accepted).toBe(true)
  })

  it('ignores the case of names and of the keywords [6455:4.2.1-i03] [6455:4.2.1-i04]', () => {
    expect(accepted({ Upgrade: 'WebSocket', Connection: 'UPGRADE' }).accepted).toBe(true)
    expect(accepted({ Upgrade: undefined, uPGRADE: 'WEBSOCKET' }).accepted).toBe(true)
  })

  it('finds the keywords in lists, split over lines or not [6455:4.2.1-i03] [6455:4.2.1-i04] [9110-5.3-01]', () => {
    expect(accepted({ Upgrade: 'h2c, websocket', Connection: 'keep-alive, Upgrade' }).accepted).toBe(true)
    expect(
      accepted({ Upgrade: ['HTTP/2.0', 'websocket'], Connection: ['keep-alive', 'HTTP2-Settings , upgrade'] }).accepted,
    ).toBe(true)
  })

  it('[V50] [V58] refuses a request that lacks any required item, or has it empty [6455:4.2.1-01]', () => {
    for (const [name] of HANDSHAKE_FIELDS) {
      for (const value of [undefined, '']) expect(rejected({ [name]: value })[0], name).toBeGreaterThanOrEqual(400)
    }
  })

  it('refuses every field that must stand there once when it stands there twice', () => {
    for (const [name, value] of HANDSHAKE_FIELDS.filter(([field]) => field !== 'Upgrade' && field !== 'Connection')) {
      expect(rejected({ [name]: [value, value] })[0], name).toBeGreaterThanOrEqual(400)
      expect(rejected({ [name]: [value, ''] })[0], name).toBeGreaterThanOrEqual(400)
    }
  })

  it('refuses methods other than GET with 405, unknown long ones with 501 [6455:4.2.1-i01] [9110-7.8-05] [9112-3-02] [9110-15.5.6-01]', () => {
    for (const method of ['POST', 'HEAD', 'get', 'CONNECT', 'OPTIONS', 'GETT', 'UPDATEREDIRECTREF']) {
      expect(rejected({}, {}, `${method} / HTTP/1.1`)).toEqual([405, 'ERR_WS_METHOD_NOT_ALLOWED'])
    }
    expect(rejected({}, {}, `${'X'.repeat(18)} / HTTP/1.1`)).toEqual([501, 'ERR_WS_METHOD_NOT_IMPLEMENTED'])
    expect(judge({}, {}, 'POST / HTTP/1.1')).toMatchObject({ headers: [['Allow', 'GET']] })
  })

  it('refuses a missing, repeated or invalid Host with 400 [9112-3.2-03] [6455:4.2.1-i02]', () => {
    const hosts = [
      undefined,
      '',
      ['a', 'a'],
      ['a', 'b'],
      'a b',
      'a/b',
      'a:99999',
      'user@a',
      '\u00e9',
      ['', 'a'],
      'a, a',
    ]
    for (const host of hosts) expect(rejected({ Host: host }), String(host)).toEqual([400, 'ERR_WS_BAD_REQUEST'])
  })

  it('refuses a target that is neither a path nor an absolute http URI with 400 [6455:4.2.1-i01]', () => {
    for (const target of ['*', 'a.com:80', 'chat', 'ws://a/', '/#a', 'http://u@a/']) {
      expect(rejected({}, {}, `GET ${target} HTTP/1.1`)).toEqual([400, 'ERR_WS_BAD_REQUEST'])
    }
  })

  it('[V68] takes path and host from an absolute target, whatever a valid Host says [9112-3.2.2-02] [9112-3.2.2-03]', () => {
    const line = 'GET http://b.com:8080/x?y HTTP/1.1'
    expect(accepted({ Origin: 'http://b.com:8080' }, {}, line)).toMatchObject({
      authority: 'b.com:8080',
      resourceName: '/x?y',
    })
    expect(rejected({ Origin: 'http://server.example.com' }, {}, line)[0]).toBe(403)
    expect(rejected({ Host: undefined }, {}, line)[0]).toBe(400)
  })

  it('answers a request that does not ask for websocket with 426 and what to ask for [9110-7.8-03] [9110-7.8-04]', () => {
    for (const upgrade of [
      undefined,
      'h2c',
      'websockets',
      'web socket'.replace(' ', '-'),
      'websocket/13',
      'h2c, HTTP/2.0',
    ]) {
      expect(rejected({ Upgrade: upgrade }), String(upgrade)).toEqual([426, 'ERR_WS_UPGRADE_REQUIRED'])
    }
    const headers = [
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Version', '13'],
    ]
    const result = judge({ Upgrade: undefined })
    expect(result).toMatchObject({ headers })
    expect(result.accepted || [...result.error.headers]).toEqual([
      ['upgrade', 'websocket'],
      ['sec-websocket-version', '13'],
    ])
  })

  it('ignores an Upgrade in HTTP/1.0 [9110-7.8-07] [9110-15.2-02]', () => {
    expect(rejected({}, {}, 'GET / HTTP/1.0')).toEqual([426, 'ERR_WS_UPGRADE_REQUIRED'])
  })

  it('refuses with 400 an Upgrade that is no list, or that Connection does not name [6455:4.2.1-i04] [9110-7.6.1-01]', () => {
    for (const upgrade of ['websocket;x', 'web socket', 'websocket/', '"websocket"', '', ',']) {
      expect(rejected({ Upgrade: upgrade }), upgrade).toEqual([400, 'ERR_WS_BAD_UPGRADE'])
    }
    for (const connection of [
      undefined,
      '',
      'close',
      'keep-alive',
      'upgrades',
      'up grade',
      'upgrade;x',
      'keep-alive upgrade',
      `b${' '.repeat(8000)}x`,
    ]) {
      expect(rejected({ Connection: connection })).toEqual([400, 'ERR_WS_BAD_UPGRADE'])
    }
  })

  it('[V12] [V58] speaks version 13 only, and says so with 426 [6455:4.2.1-i06] [6455:4.2.2-06] [6455:4.4-01]', () => {
    const versions = [
      undefined,
      '',
      '8',
      '7',
      '0',
      '12',
      '14',
      '25',
      '13abc',
      '13, 8',
      '+13',
      '013',
      '1 3',
      '13.0',
      '0xD',
      '\u00b913',
      ['13', '13'],
      ['8', '13'],
    ]
    for (const version of versions) {
      expect(rejected({ 'Sec-WebSocket-Version': version }), String(version)).toEqual([426, 'ERR_WS_BAD_VERSION'])
      expect(judge({ 'Sec-WebSocket-Version': version })).toMatchObject({
        headers: [
          ['Upgrade', 'websocket'],
          ['Sec-WebSocket-Version', '13'],
        ],
      })
    }
  })

  it('refuses a Key that is not base64 of 16 bytes with 400 [6455:4.2.1-i05] [6455:4.3-i01]', () => {
    for (const key of [
      undefined,
      '',
      'x',
      KEY.slice(1),
      `${KEY}x`,
      `${KEY}, ${KEY}`,
      KEY.replace('Q', '\u00e9'),
      'AAAAAAAAAAAAAAAAAAAAAAAA',
    ]) {
      expect(rejected({ 'Sec-WebSocket-Key': key }), String(key)).toEqual([400, 'ERR_WS_BAD_KEY'])
    }
    accepted({ 'Sec-WebSocket-Key': 'AQIDBAUGBwgJCgsMDQ4PEC==' })
  })

  it('[V57] refuses a request with a body with 400 [9112-6.1-02] [9112-6.1-03] [9112-6.3-03] [9112-6.3-04] [9110-7.8-05]', () => {
    for (const length of [
      '1',
      '5',
      '00',
      '+0',
      '-0',
      '0x0',
      '0, 0',
      '',
      '0 ,1',
      '1e0',
      '\u00b2',
      ['0', '0'],
      ['0', '5'],
    ]) {
      expect(rejected({ 'Content-Length': length }), String(length)).toEqual([400, 'ERR_WS_BAD_REQUEST'])
    }
    for (const coding of ['chunked', 'identity', '', 'gzip, chunked', 'xchunked']) {
      expect(rejected({ 'Transfer-Encoding': coding })).toEqual([400, 'ERR_WS_BAD_REQUEST'])
      expect(rejected({ 'Transfer-Encoding': coding, 'Content-Length': '0' })).toEqual([400, 'ERR_WS_BAD_REQUEST'])
      expect(rejected({ 'Transfer-Encoding': coding }, {}, 'GET / HTTP/1.0')).toEqual([400, 'ERR_WS_BAD_REQUEST'])
    }
    accepted({ 'Content-Length': '0' })
  })

  it('refuses expectations with 417 [9110-7.8-09]', () => {
    expect(rejected({ Expect: '100-continue' })).toEqual([417, 'ERR_WS_EXPECTATION_FAILED'])
  })

  it('ignores expectations in HTTP/1.0 [9110-10.1.1-01]', () => {
    expect(rejected({ Expect: '100-continue' }, {}, 'GET / HTTP/1.0')).toEqual([426, 'ERR_WS_UPGRADE_REQUIRED'])
  })

  it('refuses an origin with 403 [6455:4.2.2-05] [6455:10.2-02]', () => {
    expect(rejected({ Origin: 'http://evil.example' })).toEqual([403, 'ERR_WS_ORIGIN_REFUSED'])
    expect(rejected({ Origin: 'null' })).toEqual([403, 'ERR_WS_ORIGIN_REFUSED'])
    expect(rejected({ Origin: ['http://server.example.com', 'http://server.example.com'] })[0]).toBe(403)
    expect(rejected({ Origin: 'http://server.example.com' }, { secure: true })[0]).toBe(403)
    accepted({ Origin: 'http://server.example.com' })
    accepted({ Origin: 'https://server.example.com' }, { secure: true })
    accepted({ Origin: 'null' }, { origins: ['null'] })
  })

  it('refuses malformed subprotocols and extensions with 400 [6455:4.2.1-01] [6455:9.1-01]', () => {
    for (const protocols of ['', 'a b', 'a, a', '\u00e9', `b${' '.repeat(8000)}x`, ['a', 'a']]) {
      expect(rejected({ 'Sec-WebSocket-Protocol': protocols })).toEqual([400, 'ERR_WS_BAD_PROTOCOL'])
    }
    for (const extensions of ['', 'a;', 'a; b="c', `a; b="${'\\x'.repeat(4000)}`, '\u00e9', ['a', ';b']]) {
      expect(rejected({ 'Sec-WebSocket-Extensions': extensions })).toEqual([400, 'ERR_WS_BAD_EXTENSIONS'])
    }
  })

  it('reads lists that are split over lines as one [6455:9.1-03] [6455:9-02]', () => {
    const seen: ExtensionOffer[] = []
    const options: AcceptOptions = {
      protocols: ['c'],
      extensions: (offers) => {
        seen.push(...offers)
        return offers.slice(1)
      },
    }
    const result = accepted(
      { 'Sec-WebSocket-Protocol': ['a', 'b, c'], 'Sec-WebSocket-Extensions': ['foo', 'bar; baz=2'] },
      options,
    )
    expect(result).toMatchObject({
      protocol: 'c',
      offeredProtocols: ['a', 'b', 'c'],
      extensions: [{ name: 'bar', parameters: [['baz', '2']] }],
    })
    expect(seen.map(({ name }) => name)).toEqual(['foo', 'bar'])
  })

  it('lets extensions be chosen from the offers only, and asks for none without offers [6455:4.2.2-10] [6455:9-03]', () => {
    const invalid = misuse('TypeError', 'ERR_WS_INVALID_EXTENSION')
    const choose = (): ExtensionOffer[] => [{ name: 'bar', parameters: [] }]
    expect(() => judge({ 'Sec-WebSocket-Extensions': 'foo' }, { extensions: choose })).toThrow(invalid)
    expect(accepted({ 'Sec-WebSocket-Extensions': 'foo, bar' }, { extensions: choose }).extensions).toEqual(choose())
    expect(accepted({}, { extensions: () => expect.unreachable() }).extensions).toEqual([])
    for (const name of OBJECT_NAMES) {
      expect(() =>
        judge({ 'Sec-WebSocket-Extensions': 'foo' }, { extensions: () => [{ name, parameters: [] }] }),
      ).toThrow(invalid)
    }
  })

  it('passes on what functions of the options throw, and answers with what they throw as HandshakeError', () => {
    const failure = new Error('of the user')
    const origins = (): never => {
      throw failure
    }
    expect(() => judge({ Origin: 'http://a' }, { origins })).toThrow(failure)
    const refuse = (): never => {
      throw new HandshakeError('ERR_WS_ORIGIN_REFUSED', 'Not today.', { section: 'RFC 6455 10.2', status: 403 })
    }
    expect(rejected({ Origin: 'http://a' }, { origins: refuse })).toEqual([403, 'ERR_WS_ORIGIN_REFUSED'])
  })

  it('[A17] sends nothing back of what it was sent [6455:10.1-i01]', () => {
    const secret = 'x/ecret'
    const cases: Changes[] = HANDSHAKE_FIELDS.map(([name]) => ({ [name]: secret }))
    for (const name of ['Origin', 'Content-Length', 'Expect']) cases.push({ [name]: secret })
    for (const changes of cases) {
      const result = judge(changes)
      expect(result.accepted).toBe(false)
      expect(JSON.stringify(result)).not.toContain('ecret')
      expect(result.accepted || result.error.message).not.toContain('ecret')
    }
  })
})

describe('isUpgradeRequest', () => {
  const asks = (changes: Changes, startLine?: string): boolean =>
    isUpgradeRequest(headOf('request', handshake(changes, startLine)))

  it('is true for whatever asks for websocket, even if it will be refused', () => {
    for (const upgrade of ['websocket', 'WebSocket', 'h2c, websocket']) expect(asks({ Upgrade: upgrade })).toBe(true)
    expect(asks({ Connection: undefined, Host: undefined })).toBe(true)
    expect(asks({}, 'POST / HTTP/1.1')).toBe(true)
  })

  it('is false for everything else, and in HTTP/1.0 [9110-7.8-01] [9110-7.8-07]', () => {
    for (const upgrade of [undefined, '', 'h2c', 'websocket/8', 'websocket;', 'web socket']) {
      expect(asks({ Upgrade: upgrade })).toBe(false)
    }
    expect(asks({}, 'GET / HTTP/1.0')).toBe(false)
  })
})

describe('rejectionOf', () => {
  it('answers an error with its status and sentence, and with 400 where it has none', () => {
    const error = new HandshakeError('ERR_WS_HEAD_TOO_LARGE', 'The head is too large.', { status: 431 })
    expect(rejectionOf(error)).toEqual({
      accepted: false,
      status: 431,
      headers: [],
      body: 'The head is too large.\n',
      error,
    })
    expect(rejectionOf(new HandshakeError('ERR_WS_X', 'No.')).status).toBe(400)
  })
})

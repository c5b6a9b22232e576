/** Which proxy is asked for what, and its answer. */
import { describe, expect, it } from 'vitest'
import { TunnelReader, proxyFor } from '../../src/client/proxy.ts'
import type { ProxyOptions } from '../../src/client/proxy.ts'
import { parseUri } from '../../src/handshake/index.ts'
import { takingBy } from '../support/answers.ts'
import { latin1 } from '../support/heads.ts'

const target = parseUri('wss://user:secret@server.example/chat')

describe('proxyFor', () => {
  it('is none, unless one is given', () => {
    expect(proxyFor(target, undefined)).toBeUndefined()
    expect(proxyFor(target, 'environment', {})).toBeUndefined()
    expect(proxyFor(target, 'environment', { https_proxy: 'http://a', no_proxy: '*' })).toBeUndefined()
  })

  it.each<[string | URL | ProxyOptions, object]>([
    ['http://proxy.example', { secure: false, host: 'proxy.example', port: 80 }],
    ['https://proxy.example', { secure: true, host: 'proxy.example', port: 443 }],
    ['HTTP://Proxy:3128/ignored?too#this', { secure: false, host: 'proxy', port: 3128 }],
    ['http://proxy:443', { secure: false, host: 'proxy', port: 443 }],
    ['https://[::1]:80', { secure: true, host: '::1', port: 80 }],
    [new URL('http://proxy:1'), { secure: false, host: 'proxy', port: 1 }],
    [
      { url: 'https://proxy:1', tls: { ca: 'a' } },
      { secure: true, host: 'proxy', port: 1, tls: { ca: 'a' } },
    ],
    [{ url: new URL('http://proxy:1') }, { secure: false, host: 'proxy', port: 1 }],
  ])('reads %j', (option, expected) => {
    expect(proxyFor(target, option)).toMatchObject(expected)
  })

  it('asks for the server with the credentials of the proxy, and with nothing that is for the server', () => {
    const request = proxyFor(target, {
      url: 'http://us%40er:p%3A%C3%BC@proxy',
      headers: { 'User-Agent': 'a' },
    })?.request
    expect(request).toBe(
      'CONNECT server.example:443 HTTP/1.1\r\nHost: server.example:443\r\n' +
        `Proxy-Authorization: Basic ${Buffer.from('us@er:p:\u00fc').toString('base64')}\r\nUser-Agent: a\r\n\r\n`,
    )
    expect(proxyFor(target, 'http://proxy')?.request).not.toContain('Proxy-Authorization')
  })

  it('takes the one that the environment names', () => {
    const env = { https_proxy: 'https://u:p@proxy:8080' }
    expect(proxyFor(target, 'environment', env)).toMatchObject({
      secure: true,
      host: 'proxy',
      port: 8080,
      tls: undefined,
    })
  })

  it('throws for what is none, and repeats no password', () => {
    const options: unknown[] = [
      'proxy',
      'proxy.example:8080',
      'socks5://u:secret@proxy',
      'ws://proxy',
      'http://',
      'http://u:secret@proxy:99999',
      'http://a%3Ab:secret@proxy',
      'http://u%zz:secret@proxy',
      {},
      { url: 5 },
      { url: 'http://proxy', tls: null },
      { url: 'http://proxy', tls: 'ca' },
      { url: 'http://proxy', host: 'a' },
    ]
    for (const option of options) {
      const read = (): unknown => proxyFor(target, option as ProxyOptions)
      expect(read, JSON.stringify(option)).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_WS_INVALID_OPTION' }),
      )
      expect(read).not.toThrow(/secret/)
    }
    expect(() => proxyFor(target, { url: 'http://proxy', headers: { Host: 'a' } })).toThrow(/belongs to the handshake/)
  })

  it('says which variable names none', () => {
    for (const [name, value] of [
      ['HTTPS_PROXY', 'socks5://u:secret@proxy'],
      ['all_proxy', 'http://'],
      ['https_proxy', 'u%zz:secret@proxy'],
    ]) {
      const read = (): unknown => proxyFor(target, 'environment', { [name]: value })
      expect(read).toThrow(expect.objectContaining({ name: 'TypeError', code: 'ERR_WS_INVALID_OPTION' }))
      expect(read).toThrow(new RegExp(`^${name} `))
      expect(read).not.toThrow(/secret/)
    }
  })

  it('tells of a proxy that cannot be reached, or that says nothing, without its credentials', () => {
    const party = proxyFor(target, 'https://user:secret@proxy:81')?.party
    const cause = Object.assign(new Error('no'), { code: 'ECONNREFUSED' })
    expect(party?.unreachable(cause)).toMatchObject({
      name: 'HandshakeError',
      code: 'ERR_WS_PROXY_FAILED',
      message: 'Cannot connect to the proxy https://proxy:81: ECONNREFUSED; the cause of this error tells more',
      section: 'RFC 9110 9.3.6',
      cause,
    })
    expect(proxyFor(target, 'http://proxy')?.party.unreachable(cause).message).toContain('the proxy http://proxy: E')
    expect(party?.noAnswer()).toMatchObject({
      code: 'ERR_WS_PROXY_FAILED',
      message: 'The proxy ended the connection without answering',
    })
  })
})

const { take, takeEveryWay } = takingBy(() => new TunnelReader())

const REFUSED = 'ERR_WS_PROXY_REFUSED'
const FAILED = 'ERR_WS_PROXY_FAILED'

describe('TunnelReader', () => {
  it.each(['200 Connection established', '200 ', '201 Created', '204 No Content', '299 X'])('opens at %j', (status) => {
    expect(takeEveryWay(`HTTP/1.1 ${status}\r\n\r\n`)).toEqual(['open', ''])
    expect(takeEveryWay(`HTTP/1.0 ${status}\r\nVia: a\r\n\r\n`)).toEqual(['open', ''])
  })

  it('opens behind the head, whatever that says about a body [9112-6.3-02]', () => {
    for (const field of ['Content-Length: 5', 'Transfer-Encoding: chunked', 'Content-Length: x']) {
      expect(takeEveryWay(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n\x16\x03\x01\r\n\xff`)).toEqual([
        'open',
        '\x16\x03\x01\r\n\xff',
      ])
    }
  })

  it('passes over interim responses, but not over another protocol', () => {
    const interim = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n'
    expect(takeEveryWay(`${interim}HTTP/1.1 200 OK\r\n\r\nrest`)).toEqual(['open', 'rest'])
    expect(takeEveryWay('HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n')).toEqual([REFUSED, 101, undefined])
    expect(takeEveryWay('HTTP/1.1 100 X\r\n\r\n'.repeat(9))).toEqual([FAILED, undefined, undefined])
  })

  it('tells a refusal with its body, redirects included', () => {
    expect(takeEveryWay('HTTP/1.1 407 No\r\nContent-Length: 6\r\n\r\nlog in, please')).toEqual([REFUSED, 407, 'log in'])
    expect(takeEveryWay('HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n')).toEqual([REFUSED, 302, ''])
    expect(takeEveryWay('HTTP/1.1 502 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n')).toEqual([
      REFUSED,
      502,
      'hi',
    ])
    expect(takeEveryWay('HTTP/1.1 503 Busy\r\n\r\ntry la')).toEqual(['waiting', REFUSED, 503, 'try la'])
  })

  it('keeps the first 64 KiB of a body', () => {
    const body = Buffer.alloc(70_000, 'abc')
    expect(take([latin1('HTTP/1.1 500 No\r\n\r\n'), body])).toEqual([REFUSED, 500, body.toString('latin1', 0, 65_536)])
  })

  it('says that it was the proxy, when its answer is malformed or too large', () => {
    for (const text of [
      'SSH-2.0-OpenSSH\r\n',
      'HTTP/1.1 200 X\n',
      '\x15\x03\x03',
      'HTTP/1.1 200 X\r\nA : b',
      'HTTP/2.0 200 OK\r\n\r\n',
    ]) {
      expect([text, ...takeEveryWay(text)]).toEqual([text, FAILED, undefined, undefined])
    }
    const endless = latin1(`HTTP/1.1 200 X\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(20)}`)
    expect(() => new TunnelReader().take(endless)).toThrow(
      expect.objectContaining({
        code: FAILED,
        message: "The proxy's answer is no answer: The head is too large.",
        section: 'RFC 9110 5.4',
        cause: expect.objectContaining({ code: 'ERR_WS_HEAD_TOO_LARGE' }) as unknown,
      }),
    )
  })
})

import { describe, expect, it } from 'vitest'

import { formatUri, parseAuthority, parseTarget, parseUri, toWebSocketUrl } from '../../src/handshake/uri.ts'
import { misuse } from '../support/errors.ts'

const invalid = misuse('TypeError', 'ERR_WS_INVALID_URI')

describe('parseUri', () => {
  it('takes a URI apart, with default ports and without [6455:3-01] [6455:4.1-03]', () => {
    expect(parseUri('ws://example.com')).toEqual({
      secure: false,
      host: 'example.com',
      port: 80,
      authority: 'example.com',
      resourceName: '/',
      userinfo: undefined,
    })
    expect(parseUri('wss://example.com/chat?room=1')).toEqual({
      secure: true,
      host: 'example.com',
      port: 443,
      authority: 'example.com',
      resourceName: '/chat?room=1',
      userinfo: undefined,
    })
    expect(parseUri('WS://Example.COM:8080?q')).toMatchObject({
      port: 8080,
      authority: 'example.com:8080',
      resourceName: '/?q',
    })
    expect(parseUri('ws://example.com:443')).toMatchObject({ port: 443, authority: 'example.com:443' })
    expect(parseUri('wss://example.com:443')).toMatchObject({ port: 443, authority: 'example.com' })
  })

  it('gives an IPv6 address without brackets to connect to, with brackets for Host', () => {
    expect(parseUri('ws://[::1]:9000/')).toMatchObject({ host: '::1', port: 9000, authority: '[::1]:9000' })
  })

  it('encodes what is not ASCII', () => {
    expect(parseUri('ws://b\u00fccher.example/\u010a \u560a?\u00e9')).toMatchObject({
      host: 'xn--bcher-kva.example',
      resourceName: '/%C4%8A%20%E5%98%8A?%C3%A9',
    })
  })

  it('leaves %23 in a path [6455:3-03]', () => {
    expect(parseUri('ws://a/%23?%23').resourceName).toBe('/%23?%23')
  })

  it('[V76] decodes user name and password', () => {
    expect(parseUri('ws://us%40er:p%3A%C3%A9@h')).toMatchObject({
      authority: 'h',
      userinfo: { username: 'us@er', password: 'p:\u00e9' },
    })
    expect(parseUri('ws://user@h').userinfo).toEqual({ username: 'user', password: '' })
    expect(parseUri('ws://:secret@h').userinfo).toEqual({ username: '', password: 'secret' })
  })

  it('does not change a URL that it is given', () => {
    const url = new URL('ws://user:pass@example.com:8080/a?b')
    const before = url.href
    expect(parseUri(url)).toMatchObject({ port: 8080, resourceName: '/a?b' })
    expect(url.href).toBe(before)
  })

  it('refuses a fragment, even an empty one [6455:3-02]', () => {
    for (const uri of ['ws://a/#b', 'ws://a/#', 'ws://a#', new URL('ws://a/b#c')]) {
      expect(() => parseUri(uri)).toThrow(invalid)
    }
  })

  it('refuses what is no ws: or wss: URI [6455:4.1-04]', () => {
    const wrong = [
      '',
      'a',
      '/chat',
      '//a',
      'http://a',
      'https://a',
      'ftp://a',
      'ws+unix:///a',
      'ws:',
      'ws://',
      'ws://a:65536',
      'ws://a:b',
      'ws://[::1',
      'ws://a b',
      'ws://%',
      'mailto:a@b',
      'ws://a:99999/',
      'ws://:80/',
    ]
    for (const uri of wrong) expect(() => parseUri(uri), uri).toThrow(invalid)
    for (const odd of [5, null, undefined, {}, Symbol('s')]) expect(() => parseUri(odd as string)).toThrow(invalid)
  })

  it('[V71] refuses control characters instead of dropping them', () => {
    for (const character of ['\r', '\n', '\t', '\0', '\x1b', '\x7f', '\r\nX: y']) {
      for (const uri of [
        `ws://a${character}.com/`,
        `ws://a/${character}b`,
        `${character}ws://a`,
        `ws://a/?${character}`,
      ]) {
        expect(() => parseUri(uri)).toThrow(invalid)
      }
    }
  })

  it.each([
    ['ws://a\n', 'control characters'],
    ['a', 'absolute and well-formed'],
    ['http://a', 'ws: or wss:'],
    ['ws://a/#b', 'a fragment'],
    ['ws://a%3Ab@h', 'a colon in the user name'],
    ['ws://%ff@h', 'a malformed user name or password'],
  ])('says what is wrong with %j: %s', (uri, problem) => {
    expect(() => parseUri(uri)).toThrow(problem)
  })

  it('refuses user information that cannot be sent, and never repeats a password', () => {
    for (const uri of [
      'ws://a%3Ab:secret@h',
      'ws://a:secret%ff@h',
      'ws://%ff:secret@h',
      'ws://a:secret@h/#',
      'http://a:secret@h',
    ]) {
      expect(() => parseUri(uri)).toThrow(invalid)
      expect(() => parseUri(uri)).not.toThrow(/secret/)
    }
  })
})

describe('formatUri', () => {
  it('makes a URI again, without user name and password', () => {
    for (const [uri, again] of [
      ['ws://example.com', 'ws://example.com/'],
      ['wss://user:pass@example.com:443/chat?room=1', 'wss://example.com/chat?room=1'],
      ['ws://[::1]:81/', 'ws://[::1]:81/'],
    ]) {
      expect(formatUri(parseUri(uri))).toBe(again)
    }
  })
})

describe('toWebSocketUrl', () => {
  it('makes ws: of http: and wss: of https:, and leaves other URLs and the one that it was given', () => {
    for (const [url, other] of [
      ['http://u:p@a/b?c#d', 'ws://u:p@a/b?c#d'],
      ['https://a:443/', 'wss://a/'],
      ['http://a:443/', 'ws://a:443/'],
      ['ws://a/', 'ws://a/'],
      ['wss://a/', 'wss://a/'],
      ['mailto:a@b', 'mailto:a@b'],
    ]) {
      const given = new URL(url)
      const before = given.href
      expect(toWebSocketUrl(given).href).toBe(other)
      expect(given.href).toBe(before)
    }
  })
})

describe('parseAuthority', () => {
  it('reads hosts and ports', () => {
    expect(parseAuthority('Example.COM')).toEqual({ host: 'example.com', port: undefined })
    expect(parseAuthority('a:')).toEqual({ host: 'a', port: undefined })
    expect(parseAuthority('a_b-c.d~e:8080')).toEqual({ host: 'a_b-c.d~e', port: 8080 })
    expect(parseAuthority('127.0.0.1:0')).toEqual({ host: '127.0.0.1', port: 0 })
    expect(parseAuthority('[::FFFF:1.2.3.4]:65535')).toEqual({ host: '[::ffff:1.2.3.4]', port: 65_535 })
    expect(parseAuthority('[2001:db8::a9]')).toEqual({ host: '[2001:db8::a9]', port: undefined })
    expect(parseAuthority('a:00080')).toEqual({ host: 'a', port: 80 })
  })

  it('refuses everything else', () => {
    const wrong = [
      '',
      ':',
      ':80',
      'a:b',
      'a:8 0',
      'a:65536',
      'a:-1',
      'a:+1',
      'a:1e3',
      'a:80:80',
      'a b',
      'a, a',
      'a/b',
      'user@a',
      'a?b',
      'a#b',
      'a\\b',
      '[',
      '[]',
      '[]:80',
      '[::1',
      '[::1]80',
      '[::1]:x',
      '[::g]',
      '[::1%25eth0]',
      '::1',
      '[a]b',
      'a]',
      '\u00e9',
      'a\u00ff',
      '\u017f',
      'a%41',
      'a\0',
      'a\t',
      'a"',
      'a<b>',
      'a{b}',
      'a|b',
      'a^b',
      'a`b',
      '@',
      '[@]',
      '[G]',
      '[`]',
    ]
    for (const text of wrong) expect(parseAuthority(text), text).toBeUndefined()
  })
})

describe('parseTarget', () => {
  it('reads paths [6455:4.2.1-i01]', () => {
    for (const target of ['/', '/chat?x=%23', '//evil.com/a', '/?', '/{"a"}', '/a:b@c', '/http://a']) {
      expect(parseTarget(target)).toEqual({ resourceName: target, authority: undefined })
    }
  })

  it('reads absolute http and https URIs, and uses nothing but their path and host [9112-3.2.2-03]', () => {
    expect(parseTarget('http://a.com:80/chat?x')).toEqual({ resourceName: '/chat?x', authority: 'a.com:80' })
    expect(parseTarget('HTTPS://[::1]')).toEqual({ resourceName: '/', authority: '[::1]' })
    expect(parseTarget('http://a?x=/y')).toEqual({ resourceName: '/?x=/y', authority: 'a' })
  })

  it('refuses the other forms, other schemes, fragments and what is not visible ASCII [6455:4.2.1-i01]', () => {
    const wrong = [
      '',
      '*',
      'a.com:80',
      'chat',
      'ws://a/',
      'ftp://a/',
      'http:/a',
      'http:a',
      'http://',
      'http:///a',
      'http://u@a/',
      'http://u:p@a/',
      'http://a:x/',
      '/a#b',
      'http://a/#',
      '/a b',
      '/\u00e9',
      '/\u010a',
      '/a\r\n',
      '/\0',
      'http://a,b c/',
      '?x',
    ]
    for (const target of wrong) expect(parseTarget(target), target).toBeUndefined()
  })
})

/** Which proxy the environment names. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { proxyFromEnvironment } from '../../src/client/environment.ts'
import { parseUri } from '../../src/handshake/index.ts'

/** The proxy for a URI. */
function proxyOf(uri: string, env: Record<string, string>): string | undefined {
  return proxyFromEnvironment(parseUri(uri), env)?.url
}

/** Does `uri` go without a proxy, when `no_proxy` is that? */
function isExempt(uri: string, list: string): boolean {
  return proxyOf(uri, { all_proxy: 'http://proxy', no_proxy: list }) === undefined
}

describe('proxyFromEnvironment', () => {
  it('takes https_proxy for wss:, http_proxy for ws:, and all_proxy for what has none of its own', () => {
    const env = { https_proxy: 'http://secure', http_proxy: 'http://plain', all_proxy: 'http://all' }
    expect(proxyOf('wss://a', env)).toBe('http://secure')
    expect(proxyOf('ws://a', env)).toBe('http://plain')
    expect(proxyOf('ws://a', { https_proxy: 'http://secure' })).toBeUndefined()
    expect(proxyOf('wss://a', { http_proxy: 'http://plain' })).toBeUndefined()
    for (const uri of ['ws://a', 'wss://a']) {
      expect(proxyOf(uri, { all_proxy: 'http://all' })).toBe('http://all')
      expect(proxyOf(uri, { ALL_PROXY: 'http://all' })).toBe('http://all')
      expect(proxyOf(uri, {})).toBeUndefined()
    }
  })

  it('prefers the lower-case name, and takes an empty variable for none', () => {
    for (const name of ['https_proxy', 'http_proxy', 'all_proxy']) {
      const uri = name === 'http_proxy' ? 'ws://a' : 'wss://a'
      const upper = name.toUpperCase()
      expect(proxyOf(uri, { [name]: 'http://lower', [upper]: 'http://upper' })).toBe('http://lower')
      expect(proxyOf(uri, { [name]: '', [upper]: 'http://upper' })).toBe('http://upper')
      expect(proxyOf(uri, { [name]: '', [upper]: '' })).toBeUndefined()
    }
    expect(proxyOf('ws://a', { all_proxy: 'http://b', no_proxy: '', NO_PROXY: 'a' })).toBeUndefined()
    expect(proxyOf('ws://a', { all_proxy: 'http://b', no_proxy: 'c', NO_PROXY: 'a' })).toBe('http://b')
  })

  it('tells which variable it was, and takes a URL without a scheme for http:', () => {
    const target = parseUri('ws://a')
    expect(proxyFromEnvironment(target, { HTTP_PROXY: 'proxy:3128' })).toEqual({
      url: 'http://proxy:3128',
      name: 'HTTP_PROXY',
    })
    expect(proxyFromEnvironment(target, { all_proxy: 'u:p@proxy' })).toEqual({
      url: 'http://u:p@proxy',
      name: 'all_proxy',
    })
    expect(proxyOf('ws://a', { all_proxy: 'socks5://proxy' })).toBe('socks5://proxy')
  })

  it('takes nothing from HTTP_PROXY in a CGI program, where it is a field of the request', () => {
    const env = { REQUEST_METHOD: 'GET', HTTP_PROXY: 'http://evil', HTTPS_PROXY: 'http://secure' }
    expect(proxyOf('ws://a', env)).toBeUndefined()
    expect(proxyOf('wss://a', env)).toBe('http://secure')
    expect(proxyOf('ws://a', { ...env, http_proxy: 'http://plain' })).toBe('http://plain')
  })

  describe('by itself', () => {
    afterEach(() => void vi.unstubAllEnvs())

    it('reads the environment of the process', () => {
      vi.stubEnv('https_proxy', 'http://from-the-process')
      expect(proxyFromEnvironment(parseUri('wss://a'))?.url).toBe('http://from-the-process')
    })
  })
})

describe('no_proxy', () => {
  it.each([
    ['', []],
    [' , ', []],
    ['*', ['a', 'b.a', '127.0.0.1', '[::1]']],
    [
      'server.example',
      ['server.example', 'www.server.example', 'a.b.server.example', 'SERVER.example', 'server.example.'],
    ],
    ['.server.example', ['server.example', 'www.server.example']],
    ['*.server.example', ['server.example', 'www.server.example']],
    ['Server.EXAMPLE.', ['server.example', 'www.server.example']],
    ['a,server.example', ['a', 'server.example']],
    ['a server.example\tb', ['a', 'server.example', 'b']],
    ['127.0.0.1', ['127.0.0.1', '127.1', '0x7f.1']],
    ['::1', ['[::1]', '[0:0:0:0:0:0:0:1]']],
    ['[::1]', ['[::1]']],
    ['2001:DB8::/32', ['[2001:db8::5]', '[2001:db8:ffff::]']],
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255']],
    ['0.0.0.0/0', ['1.2.3.4']],
    ['localhost', ['localhost', 'a.localhost']],
  ])('%j exempts what it means, and nothing else', (list, hosts) => {
    for (const host of hosts) expect(isExempt(`ws://${host}/`, list), host).toBe(true)
    for (const host of ['other.example', 'xserver.example', 'server.example.org', '12.7.0.0', '[::2]']) {
      expect(isExempt(`ws://${host}/`, list), host).toBe(list === '*' || (list === '0.0.0.0/0' && host === '12.7.0.0'))
    }
  })

  it('takes a port for that port only, the default one included', () => {
    for (const [uri, entry, expected] of [
      ['ws://a:8080', 'a:8080', true],
      ['ws://a:8081', 'a:8080', false],
      ['ws://b.a:8080', '.a:8080', true],
      ['ws://a', 'a:80', true],
      ['wss://a', 'a:443', true],
      ['wss://a', 'a:80', false],
      ['ws://127.0.0.1:81', '127.0.0.1:81', true],
      ['ws://127.0.0.1:82', '127.0.0.1:81', false],
      ['ws://[::1]:81', '[::1]:81', true],
      ['ws://[::1]:82', '[::1]:81', false],
      ['ws://a', 'a:', true],
    ] as const) {
      expect([uri, entry, isExempt(uri, entry)]).toEqual([uri, entry, expected])
    }
  })

  it('takes no part of an address for a name, and makes nothing of what is no entry', () => {
    for (const [host, entry] of [
      ['1.2.3.4', '3.4'],
      ['1.2.3.4', '.4'],
      ['10.1.1.1', '10.0.0.0/'],
      ['10.1.1.1', '10.0.0.0/33'],
      ['10.1.1.1', '10.0.0.0/-1'],
      ['10.1.1.1', '10.0.0.0/x'],
      ['10.1.1.1', 'ten/8'],
      ['a', 'a/8'],
      ['a', 'a:b'],
      ['a', '.'],
      ['a', '*.'],
      ['a', '<a>'],
      ['a', 'http://a'],
    ] as const) {
      expect([entry, isExempt(`ws://${host}`, entry)]).toEqual([entry, false])
    }
  })
})

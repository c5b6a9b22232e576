import { describe, expect, it } from 'vitest'

import { requestHead } from '../../src/handshake/decode.ts'
import type { OriginPolicy } from '../../src/handshake/origin.ts'
import { isOriginAllowed, isOriginPolicy } from '../../src/handshake/origin.ts'

function allows(policy: OriginPolicy, origins: readonly string[], authority = 'a.com', secure = false): boolean {
  const head = requestHead(
    'GET',
    '/',
    '1.1',
    origins.flatMap((origin) => ['Origin', origin]),
  )
  return isOriginAllowed(head, policy, { authority, secure })
}

describe('isOriginAllowed without a policy', () => {
  const table: ReadonlyArray<readonly [origin: string, host: string, secure: boolean, allowed: boolean]> = [
    ['http://a.com', 'a.com', false, true],
    ['https://a.com', 'a.com', true, true],
    ['http://A.COM', 'a.com', false, true],
    ['HTTP://a.com', 'a.com', false, true],
    ['http://a.com', 'A.Com', false, true],
    ['http://a.com:80', 'a.com', false, true],
    ['http://a.com', 'a.com:80', false, true],
    ['http://a.com', 'a.com:', false, true],
    ['https://a.com:443', 'a.com', true, true],
    ['https://a.com', 'a.com:443', true, true],
    ['http://a.com:8080', 'a.com:8080', false, true],
    ['https://a.com:8443', 'a.com:8443', true, true],
    ['http://127.0.0.1:8080', '127.0.0.1:8080', false, true],
    ['http://[::1]:8080', '[::1]:8080', false, true],
    ['http://xn--bcher-kva.example', 'xn--bcher-kva.example', false, true],
    // What a server behind a proxy that ends TLS sees.
    ['https://a.com', 'a.com', false, true],
    ['https://a.com:8443', 'a.com:8443', false, true],
    // A page that anyone on the way could have written.
    ['http://a.com', 'a.com', true, false],
    ['http://a.com:443', 'a.com:443', true, false],
    ['http://a.com:8080', 'a.com', false, false],
    ['http://a.com', 'a.com:8080', false, false],
    ['https://a.com', 'a.com:80', false, false],
    ['http://b.com', 'a.com', false, false],
    ['http://a.com.evil.com', 'a.com', false, false],
    ['http://evil.a.com', 'a.com', false, false],
    ['http://evila.com', 'a.com', false, false],
    ['http://a.co', 'a.com', false, false],
    ['http://a.com.', 'a.com', false, false],
    ['http://a.com', 'a.com.', false, false],
    ['null', 'a.com', false, false],
    ['null', 'null', false, false],
    ['', 'a.com', false, false],
    ['a.com', 'a.com', false, false],
    ['//a.com', 'a.com', false, false],
    ['://a.com', 'a.com', false, false],
    ['http://', 'a.com', false, false],
    ['http://a.com/', 'a.com', false, false],
    ['http://a.com/path', 'a.com', false, false],
    ['http://a.com@evil.com', 'a.com', false, false],
    ['http://evil.com@a.com', 'a.com', false, false],
    ['http://evil.com#a.com', 'a.com', false, false],
    ['http://evil.com?a.com', 'a.com', false, false],
    ['http://a.com http://a.com', 'a.com', false, false],
    ['http://a.com, http://evil.com', 'a.com', false, false],
    ['http://a.com:65536', 'a.com', false, false],
    ['http://a.com:8x', 'a.com', false, false],
    ['http://b\u00fccher.example', 'xn--bcher-kva.example', false, false],
    ['file://', 'a.com', false, false],
    ['file://a.com', 'a.com', false, false],
    ['ftp://a.com', 'a.com', false, false],
    ['ftp://a.com:8080', 'a.com:8080', false, false],
    ['ftp://a.com:80', 'a.com', false, false],
    ['chrome-extension://a.com', 'a.com', false, false],
    ['h ttp://a.com', 'a.com', false, false],
    ['http://a.com', 'a com', false, false],
    ['http://constructor', '__proto__', false, false],
  ]

  it('[V66] [A13] allows the host that the request came to, and no other [6455:4.2.2-04] [6455:10.2-01]', () => {
    expect(table.length).toBeGreaterThan(40)
    for (const [origin, host, secure, allowed] of table) {
      expect(allows(undefined, [origin], host, secure), `${origin} at ${host}, secure: ${secure}`).toBe(allowed)
    }
  })

  it('allows a request without Origin, which no browser sends [6455:4.2.1-02]', () => {
    for (const policy of [undefined, 'any', [], () => false] as OriginPolicy[]) expect(allows(policy, [])).toBe(true)
  })
})

describe('isOriginAllowed', () => {
  it('[V66] [A13] refuses two Origin fields whatever the policy', () => {
    for (const policy of [undefined, 'any', ['http://a.com'], () => true] as OriginPolicy[]) {
      expect(allows(policy, ['http://a.com', 'http://a.com'])).toBe(false)
      expect(allows(policy, ['http://a.com', ''])).toBe(false)
    }
  })

  it("allows everything when told 'any'", () => {
    for (const origin of ['http://b.com', 'null', '', 'nonsense']) expect(allows('any', [origin])).toBe(true)
  })

  it('allows what is on a list, whatever the case and the way to write the default port', () => {
    const list = [
      'https://App.example',
      'http://b.com:8080',
      'null',
      'chrome-extension://abcdef',
      'http://c.com:80',
      'nonsense',
    ]
    const allowed = [
      'https://app.example',
      'HTTPS://APP.EXAMPLE:443',
      'http://b.com:8080',
      'null',
      'chrome-extension://abcdef',
      'http://c.com',
      'nonsense',
    ]
    for (const origin of allowed) expect(allows(list, [origin]), origin).toBe(true)
    const refused = [
      'http://app.example',
      'https://app.example:80',
      'https://app.example.evil.com',
      'http://b.com',
      'NULL',
      '',
      'http://a.com',
      'constructor',
      'chrome-extension://abcdef:80',
    ]
    for (const origin of refused) expect(allows(list, [origin]), origin).toBe(false)
    expect(allows(['https://app.example'], ['null'])).toBe(false)
    expect(allows([], ['http://a.com'])).toBe(false)
  })

  it('asks a function, and takes nothing but true for a yes', () => {
    expect(allows((origin, { target }) => origin === 'http://b.com' && target === '/', ['http://b.com'])).toBe(true)
    for (const answer of [false, undefined, 1, 'yes', {}, Promise.resolve(true)]) {
      expect(allows(() => answer as boolean, ['http://a.com'])).toBe(false)
    }
  })
})

describe('isOriginPolicy', () => {
  it('takes none, any, a function, and a list of what can be an origin', () => {
    const lists = [[], ['null'], ['https://app.example', 'http://b.com:8080', 'chrome-extension://abcdef', 'null']]
    for (const policy of [undefined, 'any', () => true, ...lists]) expect(isOriginPolicy(policy)).toBe(true)
  })

  it('refuses anything else, and a list with one that would never match', () => {
    const lists = ['', 'a.com', '*', 'https://a.com/', 'any', 5, null].map((item) => ['https://app.example', item])
    for (const policy of [null, true, '', '*', 'https://app.example', 5, {}, ...lists]) {
      expect(isOriginPolicy(policy), JSON.stringify(policy)).toBe(false)
    }
  })
})

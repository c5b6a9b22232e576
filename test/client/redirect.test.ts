/** Where a redirect leads, and what may go there. */
import { Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { isRedirect, redirected, tooManyRedirects } from '../../src/client/redirect.ts'
import type { Addressee } from '../../src/client/redirect.ts'
import { HandshakeError } from '../../src/errors.ts'
import { formatUri, parseUri } from '../../src/handshake/index.ts'

function answer(status: number, location?: string): HandshakeError {
  const headers: [string, string][] = location === undefined ? [] : [['location', location]]
  return new HandshakeError('ERR_WS_UNEXPECTED_RESPONSE', 'No', { status, headers, body: Buffer.from('body') })
}

const tls = { ca: 'ca', cert: 'cert', key: 'key', minVersion: 'TLSv1.3', servername: 'other' } as const
const headers = [
  ['Authorization', 'Bearer a'],
  ['COOKIE', 'sid=1'],
  ['Proxy-Authorization', 'Basic b'],
  ['host', 'virtual.example'],
  ['Origin', 'https://app.example'],
  ['X-Cookie', 'c'],
] as const

function from(uri: string): Addressee {
  return { uri: parseUri(uri), headers, tls }
}

/** Where `location` leads from `uri`. */
function leadTo(uri: string, location: string): string {
  return formatUri(redirected(from(uri), answer(302, location), undefined).uri)
}

describe('isRedirect', () => {
  it('knows the five statuses, with a Location', () => {
    for (const status of [301, 302, 303, 307, 308]) {
      expect([status, isRedirect(answer(status, '/')), isRedirect(answer(status))]).toEqual([status, true, false])
    }
    for (const status of [200, 201, 300, 304, 305, 306, 401, 503]) expect(isRedirect(answer(status, '/'))).toBe(false)
  })

  it('takes nothing else for one, and no answer of a proxy', () => {
    const options = { status: 302, headers: [['location', '/']] as const }
    for (const error of [
      new HandshakeError('ERR_WS_PROXY_REFUSED', 'No', options),
      new HandshakeError('ERR_WS_NO_RESPONSE', 'No'),
      new Error('No'),
      undefined,
    ]) {
      expect(isRedirect(error)).toBe(false)
    }
  })
})

describe('redirected', () => {
  it.each([
    ['ws://a/b/c?d', '/e', 'ws://a/e'],
    ['ws://a/b/c?d', 'e', 'ws://a/b/e'],
    ['ws://a/b/c?d', '?f', 'ws://a/b/c?f'],
    ['ws://a/b/c?d', '', 'ws://a/b/c?d'],
    ['ws://a/b/c?d', '../e', 'ws://a/e'],
    ['ws://a:81/b', '/e', 'ws://a:81/e'],
    ['ws://a/', '//other/e', 'ws://other/e'],
    ['ws://a/', 'http://a/e', 'ws://a/e'],
    ['ws://a/', 'https://a/e', 'wss://a/e'],
    ['ws://a/', 'wss://a/e#part', 'wss://a/e'],
    ['wss://a/', 'https://a:443/e', 'wss://a/e'],
    ['wss://a/', 'HTTPS://B/', 'wss://b/'],
    ['wss://a/', '//b', 'wss://b/'],
    ['ws://[::1]:9/', '/e', 'ws://[::1]:9/e'],
  ])('leads from %s by %j to %s', (uri, location, expected) => {
    expect(leadTo(uri, location)).toBe(expected)
  })

  it.each([
    ['ws://a/', 'ftp://a/', /neither/],
    ['ws://a/', 'data:,0', /neither/],
    ['ws://a/', 'https://', /no URL/],
    ['ws://a/', 'http://a:99999/', /no URL/],
    ['ws://a/', 'http://a/\tb', undefined],
    ['wss://a/', 'http://a/', /from wss: to ws:/],
    ['wss://a/', 'ws://a:443/', /from wss: to ws:/],
    ['wss://a/', 'http://b/', /from wss: to ws:/],
    ['wss://a/', 'https://u:p@b/', /credentials/],
    ['wss://a/', 'https://u@a/', /credentials/],
    ['wss://a/', 'https://:p@a/', /credentials/],
  ])('does not lead from %s by %j', (uri, location, message) => {
    if (message === undefined) {
      // The URL parser drops the tab; HTTP lets one stand in a field.
      expect(leadTo(uri, location)).toBe('ws://a/b')
      return
    }
    const refused = answer(302, location)
    expect(() => leadTo(uri, location)).toThrow(
      expect.objectContaining({
        name: 'HandshakeError',
        code: 'ERR_WS_BAD_REDIRECT',
        section: 'RFC 9110 15.4',
        message: expect.stringMatching(message) as unknown,
        status: 302,
        headers: refused.headers,
        body: Buffer.from('body'),
      }),
    )
  })

  it('does not lead from an answer without Location', () => {
    expect(() => redirected(from('ws://a/'), answer(302), undefined)).toThrow(/no URL in Location/)
  })

  it('takes everything along within one origin', () => {
    const addressee = from('wss://user:pass@a/')
    for (const location of ['/b', 'https://a/b', 'wss://a:443/b']) {
      const next = redirected(addressee, answer(307, location), '/socket')
      expect(next).toEqual({ ...addressee, uri: { ...addressee.uri, resourceName: '/b' } })
    }
  })

  it.each(['https://b/', 'https://a:444/', 'https://b.a/'])(
    'takes no credentials, no name of the server and no certificate along to %s',
    (location) => {
      expect(redirected(from('wss://user:pass@a/'), answer(307, location), undefined)).toEqual({
        uri: parseUri(location.replace('https', 'wss')),
        headers: headers.slice(4),
        tls: { ca: 'ca', minVersion: 'TLSv1.3' },
      })
    },
  )

  it('takes none of what shows who we are, or is about one server, out of the options of TLS', () => {
    const own = {
      cert: 'cert',
      key: 'key',
      pfx: 'pfx',
      passphrase: 'secret',
      secureContext: createSecureContext(),
      clientCertEngine: 'engine',
      privateKeyEngine: 'engine',
      privateKeyIdentifier: 'key',
      pskCallback: () => null,
      servername: 'a',
      session: Buffer.from('session'),
    }
    const addressee = { ...from('wss://a/'), tls: { ...own, rejectUnauthorized: false } }
    expect(redirected(addressee, answer(302, 'https://b/'), undefined).tls).toEqual({ rejectUnauthorized: false })
  })

  it('takes https: of the same host for another origin than http:', () => {
    const next = redirected({ ...from('ws://user:pass@a/'), tls: undefined }, answer(308, 'https://a/'), undefined)
    expect(next).toEqual({ uri: parseUri('wss://a/'), headers: headers.slice(4), tls: {} })
  })

  it('does not leave a Unix socket for another origin', () => {
    expect(() => redirected(from('ws://a/'), answer(302, 'http://b/'), '/socket')).toThrow(/from a Unix socket/)
  })
})

describe('redirected over a socket that was given', () => {
  it('leads nowhere, as that is used up', () => {
    const addressee = { ...from('wss://a/'), tls: { socket: new Socket() } }
    expect(() => redirected(addressee, answer(302, '/b'), undefined)).toThrow(/another socket than the one in tls/)
  })
})

describe('tooManyRedirects', () => {
  it('tells the last answer', () => {
    const last = answer(302, '/')
    expect(tooManyRedirects(last, 3)).toMatchObject({
      code: 'ERR_WS_TOO_MANY_REDIRECTS',
      message: 'The server redirects more than 3 times',
      status: 302,
      headers: last.headers,
      cause: last,
    })
  })

  it('tells of no body where there was none', () => {
    const { status, headers: fields } = answer(302, '/')
    const bare = new HandshakeError('ERR_WS_UNEXPECTED_RESPONSE', 'No', { status, headers: fields })
    expect(tooManyRedirects(bare, 1).body).toBeUndefined()
  })
})

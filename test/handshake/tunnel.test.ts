/** A tunnel through a proxy (RFC 9110 9.3.6): the request for it, and a refusal. */
import { describe, expect, it } from 'vitest'
import { createTunnelRequest, refusedTunnel } from '../../src/handshake/tunnel.ts'
import { misuse } from '../support/errors.ts'
import { headOf } from '../support/heads.ts'

const target = { host: 'server.example', port: 443 }

describe('createTunnelRequest', () => {
  it('asks for host and port, whatever the port is [9112-3.2.3-01]', () => {
    for (const [host, port, authority] of [
      ['server.example', 443, 'server.example:443'],
      ['server.example', 80, 'server.example:80'],
      ['127.0.0.1', 8080, '127.0.0.1:8080'],
      ['::1', 9, '[::1]:9'],
    ] as const) {
      expect(createTunnelRequest({ target: { host, port } })).toBe(
        `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`,
      )
    }
  })

  it('logs in with credentials, unless the headers do', () => {
    const userinfo = { username: 'us@er', password: 'p:\u00fc' }
    const basic = Buffer.from('us@er:p:\u00fc').toString('base64')
    const head = 'CONNECT server.example:443 HTTP/1.1\r\nHost: server.example:443\r\n'
    expect(createTunnelRequest({ target, userinfo })).toBe(`${head}Proxy-Authorization: Basic ${basic}\r\n\r\n`)
    expect(createTunnelRequest({ target, userinfo, headers: { 'User-Agent': 'a' } })).toBe(
      `${head}Proxy-Authorization: Basic ${basic}\r\nUser-Agent: a\r\n\r\n`,
    )
    const headers = { 'User-Agent': 'a', 'proxy-authorization': 'Bearer b' }
    expect(createTunnelRequest({ target, userinfo, headers })).toBe(
      `${head}User-Agent: a\r\nproxy-authorization: Bearer b\r\n\r\n`,
    )
  })

  it('refuses fields that are malformed, or say where the request goes or how it ends', () => {
    const fields: readonly [string, string][] = [
      ...(['Host', 'Content-Length', 'transfer-encoding', 'CONNECTION', 'a b', ''] as const).map(
        (name): [string, string] => [name, 'x'],
      ),
      ...['a\r\nX: y', '\0', '\u010a'].map((value): [string, string] => ['X', value]),
    ]
    const error = misuse('TypeError', 'ERR_WS_INVALID_HEADER')
    for (const field of fields) expect(() => createTunnelRequest({ target, headers: [field] }), field[0]).toThrow(error)
  })
})

describe('refusedTunnel', () => {
  it('says that it was the proxy, and tells all of its answer', () => {
    const head = headOf('response', 'HTTP/1.1 502 Bad Gateway\r\nVia: a\r\nVia: b\r\n\r\n')
    expect(refusedTunnel(head, Buffer.from('no way'))).toMatchObject({
      name: 'HandshakeError',
      code: 'ERR_WS_PROXY_REFUSED',
      section: 'RFC 9110 9.3.6',
      message: 'The proxy answered with status 502 instead of opening a tunnel.',
      status: 502,
      headers: new Map([['via', 'a, b']]),
      body: Buffer.from('no way'),
    })
    expect(refusedTunnel(head).body).toBeUndefined()
  })

  it('says what 407 wants', () => {
    const head = headOf('response', 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    expect(refusedTunnel(head).message).toMatch(/status 407 .*credentials/)
  })
})

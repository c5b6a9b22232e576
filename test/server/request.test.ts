import { describe, expect, it, vi } from 'vitest'
import { HeadReader } from '../../src/handshake/index.ts'
import { UpgradeRequest } from '../../src/server/request.ts'
import { OBJECT_NAMES, handshake } from '../support/heads.ts'

function request(
  changes: Parameters<typeof handshake>[0] = {},
  resourceName = '/chat',
  secure = false,
): UpgradeRequest {
  const reader = new HeadReader('request')
  reader.read(Buffer.from(handshake(changes, `GET ${resourceName} HTTP/1.1`), 'latin1'))
  return new UpgradeRequest(reader.head, resourceName, { address: '127.0.0.1' }, secure)
}

describe('UpgradeRequest', () => {
  it('tells method, target, path and where it came from', () => {
    expect(request({}, '/a%20b?c=d?e', true)).toMatchObject({
      method: 'GET',
      target: '/a%20b?c=d?e',
      path: '/a%20b',
      remoteAddress: '127.0.0.1',
      secure: true,
    })
  })

  it('has the query taken apart', () => {
    expect([...request({}, '/?a=1&b=%20x+y&a=2&__proto__=z').query]).toEqual([
      ['a', '1'],
      ['b', ' x y'],
      ['a', '2'],
      ['__proto__', 'z'],
    ])
    expect([...request({}, '/').query]).toEqual([])
    expect([...request({}, '/?').query]).toEqual([])
    expect([...request({}, '/?%zz=%').query]).toEqual([['%zz', '%']])
  })

  it('has the headers, whatever the case of their names', () => {
    const { headers } = request({ 'X-Thing': ['a', 'b'], 'X-Latin': 'caf\xe9' })
    expect([headers.get('x-thing'), headers.get('X-THING'), headers.get('x-latin')]).toEqual([
      'a, b',
      'a, b',
      'caf\xe9',
    ])
    for (const name of OBJECT_NAMES) expect(headers.get(name)).toBeUndefined()
  })

  it.each<[cookie: string | readonly string[] | undefined, cookies: Array<[string, string]>]>([
    [undefined, []],
    ['', []],
    ['sid=1', [['sid', '1']]],
    [
      'a=1; b=2;c=3',
      [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ],
    ],
    ['a=1; a=2', [['a', '1']]],
    [
      'a="x y"; b=',
      [
        ['a', '"x y"'],
        ['b', ''],
      ],
    ],
    ['a=b=c', [['a', 'b=c']]],
    ['none; =x; ;;   ; a=1', [['a', '1']]],
    ['none; a=1', [['a', '1']]],
    ['a%20=%3B', [['a%20', '%3B']]],
    [
      ['a=1', 'b=2'],
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['a=\xe9', [['a', '\xe9']]],
  ])('[V67] reads the cookies %o leniently', (cookie, cookies) => {
    expect([...request({ Cookie: cookie }).cookies]).toEqual(cookies)
  })

  it.each(OBJECT_NAMES)('[V53] reads a cookie named %s as any other', (name) => {
    const { cookies } = request({ Cookie: `${name}=1` })
    expect([...cookies]).toEqual([[name, '1']])
    expect(Object.prototype).not.toHaveProperty('1')
    expect(request().cookies.get(name)).toBeUndefined()
  })

  it('[V67] reads 16 KiB of cookies in one pass', () => {
    const text = `a=1${'; '.repeat(3_000)}${';'.repeat(2_000)} b=2`
    const indexOf = vi.spyOn(String.prototype, 'indexOf')
    const { cookies } = request({ Cookie: text.slice(0, 8_000) })
    expect(indexOf.mock.calls.length).toBeLessThan(20_000)
    indexOf.mockRestore()
    expect([...cookies]).toEqual([['a', '1']])
  })

  it('has the subprotocols and extensions that are offered, in order', () => {
    const offering = request({
      'Sec-WebSocket-Protocol': ['b, a', 'c'],
      'Sec-WebSocket-Extensions': 'x-one; p=1; q, x-two',
    })
    expect(offering.protocols).toEqual(['b', 'a', 'c'])
    expect(offering.extensions.map(({ name }) => name)).toEqual(['x-one', 'x-two'])
    expect(request()).toMatchObject({ protocols: [], extensions: [] })
  })

  it('has none where they are malformed, so that who logs a refused request gets no second error', () => {
    const malformed = request({ 'Sec-WebSocket-Protocol': 'a,,a b', 'Sec-WebSocket-Extensions': 'x;=' })
    expect(malformed).toMatchObject({ protocols: [], extensions: [] })
  })

  it('has the origin, or none', () => {
    expect(request({ Origin: 'https://app.example' }).origin).toBe('https://app.example')
    expect(request().origin).toBeUndefined()
  })
})

/** The constructor and the opening handshake: the facts that the web-platform-tests check. */
import { describe, expect, it } from 'vitest'
import { WebSocket } from '../../../src/client/websocket.ts'
import type { WebSocketInit } from '../../../src/client/websocket-arguments.ts'
import { defaults } from '../../../src/connection/index.ts'
import { acceptance, rawServer } from '../../support/raw-server.ts'
import { closing, logOf, next, nextTask, opened } from '../websocket-support.ts'
import { SCHEMES, usePlaces } from './support.ts'

const syntaxError: unknown = expect.toSatisfy(
  (error: unknown) => error instanceof DOMException && error.name === 'SyntaxError',
  'a SyntaxError',
)

function creating(...given: unknown[]): () => WebSocket {
  return () => Reflect.construct(WebSocket, given) as WebSocket
}

function codesOf(text: string): string[] {
  return Array.from(text, (character) => `a${character}b`)
}

const CONTROLS = Array.from({ length: 0x1f }, (_, index) => String.fromCharCode(index + 1)).join('')
const NOT_ASCII = Array.from({ length: 0x81 }, (_, index) => String.fromCharCode(index + 0x7f)).join('')

describe('new WebSocket throws', () => {
  it('a TypeError without arguments [wpt:constructor/001]', () => {
    expect(creating()).toThrow(TypeError)
  })

  it.each([
    [
      'wpt:Create-invalid-urls',
      ['ws://foo bar.com/', 'wss://foo bar.com/', 'ftp://a/', 'mailto:a@b.org', 'about:blank'],
    ],
    ['wpt:Create-invalid-urls', ['ws://localhost/#', 'ws://localhost/#test', 'wss://localhost/#test', '#test']],
    ['wpt:Create-wrong-scheme', ['ftp://localhost/echo', 'mailto:example@example.org']],
    ['wpt:Create-non-absolute-url', ['web-platform.test/echo', '/echo', 'echo', '?echo', '']],
    ['wpt:Create-url-with-space', ['ws://web platform.test:80/echo']],
  ])('a SyntaxError for a URL [%s]', (_file, urls) => {
    for (const url of urls) expect(creating(url), url).toThrow(syntaxError)
  })

  it.each([
    ['wpt:constructor/004', ['', ...codesOf(CONTROLS), ...codesOf(NOT_ASCII)]],
    ['wpt:constructor/007', ['a\0b']],
    ['wpt:constructor/021', [['foobar, foobar']]],
    ['wpt:Create-asciiSep-protocol-string', ['/echo']],
    ['wpt:Create-nonAscii-protocol-string', ['\u0080echo']],
    ['wpt:Create-protocol-with-space', ['ec ho']],
    ['wpt:Create-protocols-repeated', [['echo', 'echo']]],
    ['wpt:Create-protocols-repeated-case-insensitive', [['echo', 'eCho']]],
  ])('a SyntaxError for protocols [%s]', (_file, protocols) => {
    for (const protocol of protocols) expect(creating('ws://localhost/echo', protocol)).toThrow(syntaxError)
  })
})

describe('new WebSocket', () => {
  it('makes ws: of http: and wss: of https: [wpt:Create-http-urls]', async () => {
    for (const [url, expected] of [
      ['http://localhost:1/', 'ws://localhost:1/'],
      ['https://localhost:1/', 'wss://localhost:1/'],
    ]) {
      const ws = new WebSocket(url)
      expect(ws.url).toBe(expected)
      ws.close()
      await closing(ws)
    }
  })

  it('does not throw for ports of other schemes, nor for hosts that nobody has [wpt:constructor/008]', async () => {
    for (const url of ['ws://example.invalid:80/', 'ws://example.invalid:443/', 'wss://example.invalid:80/']) {
      const ws = new WebSocket(url)
      ws.close()
      expect(await closing(ws)).toMatchObject({ code: 1006 })
    }
  })

  it('takes a URL with too few slashes [wpt:constructor/017]', async () => {
    for (const url of ['ws:localhost:1/echo', 'ws:/localhost:1/echo', 'wss:localhost:1/echo']) {
      const ws = new WebSocket(url)
      expect(ws.url).toMatch(/^wss?:\/\/localhost:1\/echo$/)
      await closing(ws)
    }
  })

  it('escapes what a URL cannot hold [wpt:interfaces/WebSocket/url/resolve]', async () => {
    const ws = new WebSocket('ws://localhost:1/echo?foo%20bar baz')
    expect(ws.url).toBe('ws://localhost:1/echo?foo%20bar%20baz')
    await closing(ws)
  })

  it('fails for every port that browsers block, without a try [wpt:Create-blocked-port]', async () => {
    const blocked = `1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113
      115 117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636
      989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080`
    for (const port of blocked.split(/\s+/)) {
      const ws = new WebSocket(`ws://localhost:${port}/echo`)
      const log = logOf(ws)
      expect(ws.readyState).toBe(0)
      await closing(ws)
      expect(log, port).toEqual(['error', 'close 1006 unclean ""'])
    }
  })

  it('has no protocol before the handshake is over [wpt:Create-valid-url-protocol-empty]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url, 'echo')
    expect(ws.protocol).toBe('')
    ws.close()
    await closing(ws)
  })

  it('ignores a stray argument [wpt:constructor]', async () => {
    const server = await rawServer()
    const ws = creating(server.url, 'echo', 'Stray argument')()
    expect(ws).toBeInstanceOf(WebSocket)
    ws.close()
    await closing(ws)
  })

  it('opens one connection to a host at a time [wpt:constructor/014]', async () => {
    const server = await rawServer()
    const first = new WebSocket(server.url)
    const second = new WebSocket(server.url)
    const log = logOf(second)
    const peer = await server.accept()
    const head = await peer.readHead()
    await nextTask()
    expect(server.accepted).toBe(1)
    peer.write(acceptance(head))
    await next(first, 'open')
    expect(log).toEqual([])
    const open = next(second, 'open')
    await server.open()
    await open
  })
})

describe.each(SCHEMES)('over %s: a connection', (scheme) => {
  const places = usePlaces(scheme)

  /** What happens to one that is closed when it is open. */
  async function ofWhole(ws: WebSocket): Promise<{ log: string[]; protocol: string; extensions: string }> {
    const log = logOf(ws)
    await next(ws, 'open')
    const { protocol, extensions } = ws
    expect(ws.readyState).toBe(1)
    ws.close()
    await closing(ws)
    return { log, protocol, extensions }
  }

  it.each([
    ['wpt:Create-valid-url', undefined, ''],
    ['wpt:Create-valid-url-array-protocols', ['echo', 'chat'], 'echo'],
    ['wpt:Create-valid-url-protocol', 'echo', 'echo'],
    ['wpt:Create-valid-url-protocol-string', 'echo', 'echo'],
    ['wpt:Create-valid-url-protocol-setCorrectly', 'echo', 'echo'],
    ['wpt:Create-extensions-empty', undefined, ''],
    ['wpt:opening-handshake/002', undefined, ''],
    ['wpt:opening-handshake/005', undefined, ''],
    ['wpt:constructor/005', undefined, ''],
    ['wpt:constructor/third-param-ignored', undefined, ''],
    ['wpt:constructor/third-param-ignored', 'echo', 'echo'],
    ['wpt:constructor/third-param-ignored', ['echo'], 'echo'],
  ])('opens, with the protocol that the server chose, and closes cleanly [%s]', async (_file, protocols, protocol) => {
    const ws = places.create('/echo', protocols)
    expect(ws).toBeInstanceOf(WebSocket)
    expect(await ofWhole(ws)).toEqual({ log: ['open', expect.stringMatching(/ clean /)], protocol, extensions: '' })
  })

  it('takes an option bag in the place of the protocols [wpt:constructor/option-bag]', async () => {
    const empty = new WebSocket(places.url('/echo'), { ...places.init })
    expect(await ofWhole(empty)).toMatchObject({ protocol: '' })
    const ws = new WebSocket(places.url('/protocol_array'), { ...places.init, protocols: ['foobar', 'foobar2'] })
    expect(await next<MessageEvent>(ws, 'message')).toMatchObject({ data: 'foobar' })
    expect(ws.protocol).toBe('foobar')
    ws.close()
    await closing(ws)
  })

  it.each([
    ['wpt:constructor/009', 'foobar'],
    ['wpt:constructor/022', ['foobar', 'foobar2']],
  ])('has its protocol when the first message comes [%s]', async (_file, protocols) => {
    const ws = places.create('/protocol_array', protocols)
    expect(await next<MessageEvent>(ws, 'message')).toMatchObject({ data: 'foobar' })
    expect(ws.protocol).toBe('foobar')
    ws.close()
    await closing(ws)
  })

  it('takes anything that is a URL as a string [wpt:constructor/006]', async () => {
    const url = { toString: () => places.url('/echo') }
    const ws = creating(url, [], places.init)()
    expect(ws.url).toBe(places.url('/echo'))
    await next(ws, 'open')
    ws.send('test')
    expect(await next<MessageEvent>(ws, 'message')).toMatchObject({ data: 'test' })
    ws.close()
    await closing(ws)
  })

  it.each([
    ['wpt:constructor/016', '/echo-query?\u00e5\u00e4\u00f6', '%C3%A5%C3%A4%C3%B6'],
    ['wpt:constructor/018', '/echo-query?x\u0000y\u0000', 'x%00y'],
  ])('sends a query in UTF-8, escaped [%s]', async (_file, path, query) => {
    const ws = places.create(path)
    expect(await next<MessageEvent>(ws, 'message')).toMatchObject({ data: query })
    ws.close()
    await closing(ws)
  })

  it.each([
    ['wpt:constructor/019', (url: string) => url.replace(/^wss?/, (found) => found.toUpperCase())],
    ['wpt:constructor/020', (url: string) => url.replace('localhost', 'LOCALHOST')],
  ])('opens in whatever case the URL is [%s]', async (_file, change) => {
    const { log } = await ofWhole(new WebSocket(change(places.url('/echo')), [], places.init))
    expect(log).toEqual(['open', 'close 1005 clean ""'])
  })

  it('sends what stands before the @ as credentials [wpt:basic-auth]', async () => {
    const ws = new WebSocket(places.url('/basic_auth').replace('://', '://foo:bar@'), [], places.init)
    expect((await ofWhole(ws)).log).toEqual(['open', 'close 1005 clean ""'])
  })

  it('is one of 25 that all tell their own events [wpt:constructor/013]', async () => {
    const logs = await Promise.all(
      Array.from({ length: 25 }, async (_, id) => {
        const ws = places.create('/echo')
        const log = logOf(ws)
        await next(ws, 'open')
        ws.send(String(id))
        await next(ws, 'message')
        ws.close()
        await closing(ws)
        return log
      }),
    )
    for (const [id, log] of logs.entries()) expect(log).toEqual(['open', `message "${id}"`, 'close 1005 clean ""'])
  })

  it.each([
    ['wpt:opening-handshake/001', '/invalid'],
    ['wpt:opening-handshake/received-301-code', '/redirect'],
  ])('fails where the answer is another one, and is not led elsewhere [%s]', async (_file, path) => {
    const ws = places.create(path)
    const log = logOf(ws)
    await closing(ws)
    expect(log).toEqual(['error', 'close 1006 unclean ""'])
  })

  it('can follow upon others that failed [wpt:opening-handshake/006]', async () => {
    for (const path of ['/invalid1', '/invalid2', '/invalid3']) {
      expect(await closing(places.create(path))).toMatchObject({ wasClean: false })
    }
    await ofWhole(places.create('/echo'))
  })

  it('has nothing that would end it while nothing is said [wpt:keeping-connection-open/001]', async () => {
    expect(defaults.client).toMatchObject({ idleTimeout: 0, heartbeat: false })
    const ws = places.create('/echo')
    const log = logOf(ws)
    await next(ws, 'open')
    await nextTask()
    expect(log).toEqual(['open'])
    ws.send('test')
    expect(await next<MessageEvent>(ws, 'message')).toMatchObject({ data: 'test' })
    ws.close()
    await closing(ws)
  })
})

describe('the answer of a server', () => {
  async function answered(
    fields: Record<string, string>,
    init: WebSocketInit,
  ): Promise<{ log: string[]; ended: Promise<unknown> }> {
    const server = await rawServer()
    const ws = new WebSocket(server.url, init)
    const log = logOf(ws)
    const ended = closing(ws)
    const peer = await server.accept()
    peer.write(acceptance(await peer.readHead(), fields))
    return { log, ended }
  }

  it.each([
    ['wpt:constructor/010', 'a protocol that nobody asked for', { 'Sec-WebSocket-Protocol': 'foobar' }, {}],
    ['wpt:constructor/011', 'one in another case', { 'Sec-WebSocket-Protocol': 'foobar' }, { protocols: 'FOOBAR' }],
    ['wpt:constructor/012', 'none where one was offered', {}, { protocols: 'foobar' }],
    ['wpt:security/001', 'a wrong accept key', { 'Sec-WebSocket-Accept': btoa('x'.repeat(20)) }, {}],
  ])('with a fault fails the connection [%s]: %s', async (_file, _what, fields, init) => {
    const { log, ended } = await answered(fields, init)
    await ended
    expect(log).toEqual(['error', 'close 1006 unclean ""'])
  })
})

it('extensions are those that were agreed upon, and empty before [wpt:interfaces/WebSocket/extensions/001]', async () => {
  const agreed = 'permessage-deflate; client_no_context_takeover'
  const server = await rawServer()
  const ws = new WebSocket(server.url, { perMessageDeflate: true })
  expect(ws.extensions).toBe('')
  const open = next(ws, 'open')
  const peer = await server.accept()
  const head = await peer.readHead()
  expect(head).toContain('Sec-WebSocket-Extensions: permessage-deflate')
  peer.write(acceptance(head, { 'Sec-WebSocket-Extensions': agreed }))
  await open
  expect(ws.extensions).toBe(agreed)
  const other = await opened({ perMessageDeflate: true })
  expect(other.ws.extensions).toBe('')
})

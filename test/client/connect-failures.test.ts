/**
 * Everything that may go wrong before a connection is open: what `connect` tells then, and that nothing is left of the
 * attempt - no socket, no listener, no timer, no turn.
 */
import { spawn } from 'node:child_process'
import { getEventListeners, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect } from '../../src/client/connect.ts'
import type { ConnectOptions } from '../../src/client/connect.ts'
import type { HandshakeError } from '../../src/errors.ts'
import { acceptOf } from '../support/accept.ts'
import { failing, failureOf, watchSockets } from '../support/connecting.ts'
import { acceptance, expectOpen, rawServer } from '../support/raw-server.ts'
import type { RawPeer } from '../support/raw-server.ts'

/** What an attempt fails with when `answer` is given the request. */
async function refusal(
  answer: (request: string, peer: RawPeer) => string | Uint8Array | undefined,
  options?: ConnectOptions,
): Promise<HandshakeError> {
  const raw = await rawServer()
  const failure = failureOf(connect(raw.url, options))
  const peer = await raw.accept()
  const bytes = answer(await peer.readHead(), peer)
  if (bytes !== undefined) peer.write(bytes)
  const error = await failure
  // The socket was ended, whatever the server does.
  await peer.readEnd()
  return error
}

/** Settles when `length` octets have come in on a socket of the client. */
async function arrival(socket: Socket, length: number): Promise<void> {
  while (socket.bytesRead < length) await setImmediate()
  await setImmediate()
}

describe('connect with wrong arguments', () => {
  const code = (expected: string): unknown => expect.objectContaining({ name: 'TypeError', code: expected })

  it('throws at once for URIs that are none, and repeats no password [6455:4.1-03] [6455:4.1-04] [6455:3-02]', () => {
    const uris = [
      '',
      'localhost',
      '/chat',
      'http://a/',
      'wss:',
      'ws://',
      'ws://a:99999',
      'ws://a b/',
      'ws+unix:///a:/b',
    ]
    for (const uri of [
      ...uris,
      'ws://a/#',
      'ws://a/#b',
      'ws://a/\r\nX: y',
      'ws://u%zz:secret@a/',
      'ws://a%3Ab:secret@a',
    ]) {
      expect(() => connect(uri), uri).toThrow(code('ERR_WS_INVALID_URI'))
      expect(() => connect(uri), uri).not.toThrow(/secret/)
    }
  })

  it('[V71] throws at once for what would inject header fields: 9 places, 12 payloads', () => {
    const payloads = [
      '\r\nX: y',
      '\n',
      '\r',
      '\0',
      'a\r\n\r\nGET /',
      '\u010a',
      '\u560a',
      '\u{1f60a}',
      '\x7f',
      '\x01',
      '\u2028',
      'a\nb',
    ]
    const places: ((text: string) => [string, ConnectOptions?])[] = [
      (text) => ['ws://a', { headers: { X: text } }],
      (text) => ['ws://a', { headers: { [`X${text}`]: 'a' } }],
      (text) => ['ws://a', { headers: { Host: `b${text}` } }],
      (text) => ['ws://a', { headers: [['Origin', text]] }],
      (text) => ['ws://a', { headers: new Map([['Cookie', text]]) }],
      (text) => ['ws://a', { headers: { Authorization: ['Basic ', text].join('') } }],
      (text) => ['ws://a', { headers: { X: ['a', text] } }],
      (text) => ['ws://a', { protocols: ['a', text] }],
      (text) => ['ws://a', { protocols: [`a${text}`] }],
    ]
    for (const place of places) {
      for (const payload of payloads) expect(() => connect(...place(payload)), payload).toThrow(TypeError)
    }
  })

  it('lets no control character of a URI through, and encodes the rest', async () => {
    const sockets = watchSockets()
    for (const at of ['ws://a\r\n.example/', 'ws://a/\tb', 'ws://a/?\nb', 'ws://a\0/', '\x7fws://a']) {
      expect(() => connect(at)).toThrow(code('ERR_WS_INVALID_URI'))
    }
    expect(sockets).toEqual([])
    const raw = await rawServer()
    const connecting = connect(`${raw.url}/\u010a\u560a?\u{1f60a}`)
    const peer = await raw.accept()
    expect(await peer.readHead()).toMatch(/^GET \/%C4%8A%E5%98%8A\?%F0%9F%98%8A HTTP\/1.1\r\n/)
    peer.socket.end()
    await failureOf(connecting)
  })

  it('throws at once for fields of the handshake itself, and subprotocols that cannot be offered [6455:4.1-36] [6455:4.1-37]', () => {
    for (const name of ['Upgrade', 'connection', 'SEC-WEBSOCKET-KEY', 'Sec-WebSocket-Extensions', 'Content-Length']) {
      expect(() => connect('ws://a', { headers: { [name]: 'x' } }), name).toThrow(code('ERR_WS_INVALID_HEADER'))
    }
    for (const protocols of [[''], ['a', 'a'], ['a b'], ['a,b'], ['\u00fc'], [5 as unknown as string]]) {
      expect(() => connect('ws://a', { protocols })).toThrow(code('ERR_WS_INVALID_PROTOCOL'))
    }
  })

  it('throws at once for wrong options', () => {
    const wrong: Record<string, unknown>[] = [
      { message: 'x' },
      { protocols: 'chat' },
      { signal: {} },
      { socketPath: 5 },
      { tls: true },
      { handshakeTimeout: '5' },
      { maxMessageSize: '5' },
      { text: 'utf8' },
      { heartbeat: true },
    ]
    for (const options of wrong) {
      expect(() => connect('ws://a', options), JSON.stringify(options)).toThrow(code('ERR_WS_INVALID_OPTION'))
    }
    const tooMuch = [
      { handshakeTimeout: 0 },
      { handshakeTimeout: Infinity },
      { handshakeTimeout: 1.5 },
      { closeTimeout: -1 },
    ]
    for (const options of tooMuch) expect(() => connect('ws://a', options)).toThrow(RangeError)
  })
})

describe('connect that is answered something else', () => {
  const REQUIRED = ['Upgrade', 'Connection', 'Sec-WebSocket-Accept'] as const

  it.each(REQUIRED)('fails without %s [6455:4.1-42] [6455:4.1-43] [6455:4.1-44]', async (name) => {
    const error = await refusal((request) => acceptance(request, { [name]: undefined }))
    expect(error).toMatchObject({
      code: name === 'Sec-WebSocket-Accept' ? 'ERR_WS_BAD_ACCEPT' : 'ERR_WS_BAD_UPGRADE',
      section: 'RFC 6455 4.1',
      status: 101,
    })
    expect(error.headers.size).toBe(2)
  })

  it.each([
    [{ Upgrade: 'h2c' }, 'ERR_WS_BAD_UPGRADE'],
    [{ Upgrade: 'websocket, h2c' }, 'ERR_WS_BAD_UPGRADE'],
    [{ Connection: 'keep-alive' }, 'ERR_WS_BAD_UPGRADE'],
    [{ 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }, 'ERR_WS_BAD_ACCEPT'],
    [{ 'Sec-WebSocket-Extensions': 'permessage-deflate' }, 'ERR_WS_BAD_EXTENSIONS'],
    [{ 'Sec-WebSocket-Protocol': 'other' }, 'ERR_WS_BAD_PROTOCOL'],
    [{ 'Sec-WebSocket-Protocol': 'chat, chat' }, 'ERR_WS_BAD_PROTOCOL'],
    [{ 'Sec-WebSocket-Protocol': 'CHAT' }, 'ERR_WS_BAD_PROTOCOL'],
  ])('fails at a 101 with %o [6455:4.1-41] [6455:4.1-45] [6455:4.1-46]', async (changes, code) => {
    expect(await refusal((request) => acceptance(request, changes), { protocols: ['chat'] })).toMatchObject({ code })
  })

  it.each([
    ['of HTTP/1.0', (request: string) => acceptance(request).replace('HTTP/1.1', 'HTTP/1.0'), 'ERR_WS_BAD_RESPONSE'],
    ['of HTTP/2', () => 'HTTP/2.0 200 OK\r\n\r\n', 'ERR_WS_BAD_HTTP_VERSION'],
    ['with bare line feeds', (request: string) => acceptance(request).replaceAll('\r', ''), 'ERR_WS_BAD_RESPONSE'],
    ['with a folded line', (request: string) => acceptance(request, { A: 'b\r\n c' }), 'ERR_WS_BAD_RESPONSE'],
    ['that is none', () => 'SSH-2.0-OpenSSH_9.2\r\n', 'ERR_WS_BAD_RESPONSE'],
    ['behind a ninth interim one', () => 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(9), 'ERR_WS_BAD_RESPONSE'],
    ['that is a frame', () => '\x81\x02hi', 'ERR_WS_BAD_RESPONSE'],
  ])('fails at an answer %s [6455:4.1-47]', async (_, answer, code) => {
    expect(await refusal(answer)).toMatchObject({ code, body: undefined })
  })

  it.each(['permessage-deflate, x-frames', 'x-frames, permessage-deflate', 'permessage-deflate, permessage-deflate'])(
    'fails at a 101 with two extensions: %s [7692:5-08] [7692:5-10] [6455:4.1-45]',
    async (extensions) => {
      const changes = { 'Sec-WebSocket-Extensions': extensions }
      const error = await refusal((request) => acceptance(request, changes), { perMessageDeflate: true })
      expect(error.code).toBe('ERR_WS_BAD_EXTENSIONS')
    },
  )

  it('[V06] [V74] fails at an endless head before it is 17 KiB long', async () => {
    let written = 0
    const error = await refusal((_, { socket }) => {
      const more = (): void => {
        do written += 1000
        while (!socket.destroyed && socket.write(`X: ${'y'.repeat(995)}\r\n`) && written < 1_000_000)
      }
      socket.write('HTTP/1.1 101 X\r\n')
      socket.on('drain', more)
      more()
      return undefined
    })
    expect(error).toMatchObject({ code: 'ERR_WS_HEAD_TOO_LARGE', status: undefined })
  })

  const UNEXPECTED = 'ERR_WS_UNEXPECTED_RESPONSE'

  it.each([
    ['Content-Length', 401, 'Content-Length: 10\r\n\r\nlog in!', ' ok'],
    ['chunks', 403, 'Transfer-Encoding: chunked\r\n\r\n6;x=y\r\nlog in\r\n', '4\r\n! ok\r\n0\r\nTrailer: 1\r\n\r\n'],
    ['a bad size behind them', 500, 'Transfer-Encoding: chunked\r\n\r\na\r\nlog in! ok\r\n', 'no\r\nmore'],
  ])(
    'tells status, fields and body of another status: body with %s [6455:4.1-i01]',
    async (_, status, first, second) => {
      const error = await refusal((__, peer) => {
        void peer
          .flush(Buffer.from(`HTTP/1.1 ${status} No\r\nSet-Cookie: a\r\nSET-Cookie: b\r\n${first}`))
          .then(async () => {
            await setImmediate()
            peer.write(second)
          })
        return undefined
      })
      expect(error).toMatchObject({ name: 'HandshakeError', code: UNEXPECTED, status, section: 'RFC 6455 4.1' })
      expect(error.headers.get('set-cookie')).toBe('a, b')
      expect(error.body?.toString()).toBe('log in! ok')
      expect(error.message).toContain(String(status))
    },
  )

  it.each([
    ['FIN', (peer: RawPeer) => void peer.socket.end()],
    ['RST', (peer: RawPeer) => void setImmediate().then(() => peer.socket.resetAndDestroy())],
  ])('tells the status and as much of the body as came before %s', async (_, end) => {
    const raw = await rawServer()
    const failure = failureOf(connect(raw.url))
    const peer = await raw.accept()
    await peer.readHead()
    await peer.flush(Buffer.from('HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\ntry la'))
    await setImmediate()
    end(peer)
    const error = await failure
    expect(error).toMatchObject({ code: UNEXPECTED, status: 503 })
    expect(error.body?.toString()).toBe('try la')
  })

  it('[V74] keeps 64 KiB of an endless body, and hangs up then', async () => {
    const error = await refusal((_, { socket }) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write('0123456789abcdef'.repeat(64)));
      }
      socket.write('HTTP/1.1 500 No\r\n\r\n')
      socket.on('drain', more)
      more()
      return undefined
    })
    expect(error).toMatchObject({ code: UNEXPECTED, status: 500 })
    expect(error.body).toEqual(Buffer.alloc(65_536, '0123456789abcdef'))
  })

  it('does not wait for a body that cannot come', async () => {
    expect(await refusal(() => 'HTTP/1.1 204 No Content\r\n\r\n')).toMatchObject({ status: 204, body: Buffer.alloc(0) })
    expect(await refusal(() => 'HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n')).toMatchObject({ status: 304 })
  })

  it.each([
    ['with Connection: close', 'HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'],
    ['that would keep the connection', 'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'],
    ['of HTTP/1.0 with Transfer-Encoding', 'HTTP/1.0 403 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])(
    'ends the connection behind an answer %s, and sends nothing more [9112-9.6-02] [9112-6.1-03]',
    async (_, answer) => {
      const raw = await rawServer()
      const failure = failureOf(connect(raw.url))
      const peer = await raw.accept()
      await peer.readHead()
      peer.write(answer)
      expect(await failure).toMatchObject({ code: UNEXPECTED, status: 403 })
      expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
      expect(raw.accepted).toBe(1)
    },
  )

  it('takes nothing for its answer that was sent before its request [9112-9.2-01]', async () => {
    const raw = await rawServer()
    const failure = failureOf(connect(raw.url))
    const peer = await raw.accept()
    // Who has not seen the request can only guess at what its key asks for.
    peer.write(acceptance('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'))
    expect(await failure).toMatchObject({ code: 'ERR_WS_BAD_ACCEPT', status: 101 })
    await peer.readEnd()
    expect(raw.accepted).toBe(1)
  })

  it('[V72] follows no redirect', async () => {
    const elsewhere = await rawServer()
    for (const status of [301, 302, 303, 307, 308]) {
      const answer = `HTTP/1.1 ${status} X\r\nLocation: ${elsewhere.url}\r\nContent-Length: 0\r\n\r\n`
      const error = await refusal(() => answer, { headers: { cookie: 'a=b' } })
      expect([error.status, error.headers.get('location')]).toEqual([status, elsewhere.url])
    }
    await setImmediate()
    expect(elsewhere.accepted).toBe(0)
  })
})

describe('connect that reaches nobody', () => {
  it('tells what the system says, with the error as cause [6455:4.1-13]', async () => {
    const raw = await rawServer()
    const { port } = raw
    await raw.close()
    const error = await failureOf(connect(`ws://localhost:${port}/path?token=secret`))
    expect(error).toMatchObject({
      code: 'ERR_WS_CONNECT_FAILED',
      section: 'RFC 6455 4.1',
      status: undefined,
      message: `Cannot connect to ws://localhost:${port}: ECONNREFUSED; the cause of this error tells more`,
      cause: { code: 'ECONNREFUSED' },
    })
    expect(error.headers.size).toBe(0)
    expect(await failureOf(connect(`wss://localhost:${port}`))).toMatchObject({ cause: { code: 'ECONNREFUSED' } })
    expect(await failureOf(connect('ws://name.invalid'))).toMatchObject({
      code: 'ERR_WS_CONNECT_FAILED',
      cause: { syscall: 'getaddrinfo' },
    })
    expect(await failureOf(connect('ws://a', { socketPath: '/nowhere/socket' }))).toMatchObject({
      cause: { code: 'ENOENT' },
    })
  })

  it.each([
    ['FIN', (peer: RawPeer) => void peer.socket.end(), { code: 'ERR_WS_NO_RESPONSE' }],
    [
      'half an answer and FIN',
      (peer: RawPeer) => void peer.socket.end('HTTP/1.1 101 Swit'),
      { code: 'ERR_WS_NO_RESPONSE' },
    ],
    [
      'RST',
      (peer: RawPeer) => void peer.socket.resetAndDestroy(),
      { code: 'ERR_WS_CONNECT_FAILED', cause: { code: 'ECONNRESET' } },
    ],
  ])('fails when it is answered by %s', async (_, act, expected) => {
    const error = await refusal((__, peer) => {
      act(peer)
      return undefined
    })
    expect(error).toMatchObject(expected)
  })
})

describe('the deadline of connect', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('[V06] [V74] is 10 s from the first try to the end of the answer, however that drips', async () => {
    const raw = await rawServer()
    const [failure, sockets] = [failureOf(connect(raw.url)), watchSockets()]
    const peer = await raw.accept()
    const answer = Buffer.from(acceptance(await peer.readHead()))
    for (let second = 1; second <= 9; second++) {
      peer.write(answer.subarray(second - 1, second))
      await arrival(sockets[0], second)
      vi.advanceTimersByTime(1_000)
    }
    vi.advanceTimersByTime(999)
    await setImmediate()
    expect(sockets[0].destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(await failure).toMatchObject({
      code: 'ERR_WS_HANDSHAKE_TIMEOUT',
      message: 'The opening handshake took longer than 10000 ms',
      status: undefined,
    })
    await peer.readEnd()
  })

  it('is what handshakeTimeout says', async () => {
    const raw = await rawServer()
    const failure = failureOf(connect(raw.url, { handshakeTimeout: 50 }))
    await (await raw.accept()).readHead()
    vi.advanceTimersByTime(50)
    expect((await failure).message).toBe('The opening handshake took longer than 50 ms')
  })

  it('begins with the turn, not before', async () => {
    const raw = await rawServer()
    const first = connect(raw.url, { handshakeTimeout: 20_000 })
    const second = connect(raw.url)
    const peer = await raw.accept()
    vi.advanceTimersByTime(15_000)
    peer.write(acceptance(await peer.readHead()))
    await expectOpen(first)
    await raw.open()
    await expectOpen(second)
  })

  it('tells the status and what there is of the body, when it passes within that', async () => {
    const raw = await rawServer()
    const [failure, sockets] = [failureOf(connect(raw.url)), watchSockets()]
    const peer = await raw.accept()
    await peer.readHead()
    const part = 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\nhalf'
    peer.write(part)
    await arrival(sockets[0], part.length)
    vi.advanceTimersByTime(10_000)
    const error = await failure
    expect(error).toMatchObject({ code: 'ERR_WS_UNEXPECTED_RESPONSE', status: 502 })
    expect(error.body?.toString()).toBe('half')
  })

  it('is over when the connection is open', async () => {
    const raw = await rawServer()
    const connecting = connect(raw.url)
    const peer = await raw.open()
    const ws = await connecting
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(60_000)
    ws.send('still here')
    expect((await peer.readFrame()).payload.toString()).toBe('still here')
    ws.terminate()
  })
})

describe('the signal of connect', () => {
  const reason = new Error('changed my mind')

  it('ends it before it began', async () => {
    const sockets = watchSockets()
    await expect(connect('ws://localhost:1', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(sockets).toEqual([])
  })

  it('does not wait for a turn when it has aborted already', async () => {
    const raw = await rawServer()
    const first = connect(raw.url)
    await expect(connect(raw.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await raw.open()
    await expectOpen(first)
  })

  it('ends the wait for its turn', async () => {
    const raw = await rawServer()
    const first = connect(raw.url)
    const controller = new AbortController()
    const second = connect(raw.url, { signal: controller.signal })
    controller.abort(reason)
    await expect(second).rejects.toBe(reason)
    await raw.open()
    await expectOpen(first)
    expect(raw.accepted).toBe(1)
  })

  it('ends it at the very moment at which its turn comes', async () => {
    const raw = await rawServer()
    // How many steps of the microtask queue lie between the end of one turn and the next, nobody needs to know.
    for (let steps = 0; steps < 20; steps++) {
      const first = connect(raw.url)
      const controller = new AbortController()
      const second = connect(raw.url, { signal: controller.signal })
      const before = raw.accepted
      await raw.open()
      await expectOpen(first)
      for (let step = 0; step < steps; step++) await Promise.resolve()
      controller.abort(reason)
      await expect(second).rejects.toBe(reason)
      await setImmediate()
      expect(raw.accepted - before).toBeLessThanOrEqual(2)
      if (raw.accepted - before === 2) await (await raw.accept()).readEnd()
    }
  })

  it('ends it while it connects', async () => {
    const raw = await rawServer()
    const sockets = watchSockets()
    const controller = new AbortController()
    const connecting = connect(raw.url, { signal: controller.signal, oneAtATime: false })
    expect(sockets.map((socket) => socket.connecting)).toEqual([true])
    controller.abort(reason)
    await expect(connecting).rejects.toBe(reason)
    expect(sockets[0].destroyed).toBe(true)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  })

  it.each([
    ['while it waits for the answer', ''],
    ['in the middle of the answer', 'HTTP/1.1 101 Switching Protocols\r\nUpgr'],
    ['in the middle of the body of a refusal', 'HTTP/1.1 403 No\r\n\r\nbecause'],
  ])('ends it %s', async (_, answer) => {
    const raw = await rawServer()
    const sockets = watchSockets()
    const controller = new AbortController()
    const connecting = connect(raw.url, { signal: controller.signal })
    const peer = await raw.accept()
    await peer.readHead()
    peer.write(answer)
    await arrival(sockets[0], answer.length)
    controller.abort(reason)
    await expect(connecting).rejects.toBe(reason)
    expect(sockets[0].destroyed).toBe(true)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    await peer.readEnd()
  })

  it('does nothing once the connection is open', async () => {
    const raw = await rawServer()
    const controller = new AbortController()
    const connecting = connect(raw.url, { signal: controller.signal })
    const peer = await raw.open()
    const ws = await connecting
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    controller.abort(reason)
    ws.send('still here')
    expect((await peer.readFrame()).payload.toString()).toBe('still here')
    ws.terminate()
  })
})

describe('a failed attempt', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  const failures: [string, (request: string, peer: RawPeer, controller: AbortController) => void][] = [
    ['a refusal', (_, peer) => peer.write('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n')],
    ['a wrong 101', (request, peer) => peer.write(acceptance(request, { Upgrade: undefined }))],
    ['no HTTP', (_, peer) => peer.write('\0')],
    ['FIN', (_, peer) => void peer.socket.end()],
    ['RST', (_, peer) => void peer.socket.resetAndDestroy()],
    ['the deadline', () => void vi.advanceTimersByTime(10_000)],
    ['its signal', (_, __, controller) => controller.abort()],
  ]

  it.each(failures)('leaves nothing behind: %s', async (_, fail) => {
    const raw = await rawServer()
    const sockets = watchSockets()
    const controller = new AbortController()
    const attempt = failing(connect(raw.url, { signal: controller.signal }))
    const peer = await raw.accept()
    expect(vi.getTimerCount()).toBe(1)
    fail(await peer.readHead(), peer, controller)
    expect(await attempt).toBeInstanceOf(Error)
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    const [socket] = sockets
    expect(socket.destroyed).toBe(true)
    if (!socket.closed) await once(socket, 'close')
    const left = ['connect', 'data', 'close', 'timeout', 'drain'].map((event) => socket.listenerCount(event))
    expect(left).toEqual([0, 0, 0, 0, 0])
    // What it may still say does no harm.
    expect(socket.emit('error', new Error('late'))).toBe(true)
    await peer.readEnd()
  })

  it('and one that succeeds leave no timer and no listener but those of the connection', async () => {
    const raw = await rawServer()
    const sockets = watchSockets()
    const connecting = connect(raw.url)
    await raw.open()
    const ws = await connecting
    expect(vi.getTimerCount()).toBe(0)
    const counts = ['connect', 'data', 'error', 'close', 'timeout'].map((event) => sockets[0].listenerCount(event))
    expect(counts).toEqual([0, 1, 1, 1, 0])
    ws.terminate()
  })

  it.each(failures)('ends its turn: %s [6455:4.1-05]', async (_, fail) => {
    const raw = await rawServer()
    const controller = new AbortController()
    const attempt = failing(connect(`${raw.url}/first`, { signal: controller.signal }))
    const next = connect(`${raw.url}/second`)
    const peer = await raw.accept()
    await setImmediate()
    expect(raw.accepted).toBe(1)
    fail(await peer.readHead(), peer, controller)
    expect(await attempt).toBeInstanceOf(Error)
    await raw.open()
    await expectOpen(next)
  })

  it('ends its turn when nobody is reached, and when the transport refuses its options', async () => {
    const raw = await rawServer()
    const { port } = raw
    await raw.close()
    const uri = `ws://localhost:${port}`
    const errors = await Promise.all([failureOf(connect(uri)), failureOf(connect(uri)), failureOf(connect(uri))])
    expect(errors.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'ERR_WS_CONNECT_FAILED'))
    const secure = uri.replace('ws:', 'wss:')
    const wrong = connect(secure, { tls: { minVersion: 'none' as 'TLSv1.2' } })
    const behind = connect(secure)
    await expect(wrong).rejects.toThrow(TypeError)
    expect(await failureOf(behind)).toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  })
})

describe('attempts at once', () => {
  async function pathOf(peer: RawPeer): Promise<string> {
    const head = await peer.readHead()
    peer.write(acceptance(head))
    return head.slice(4, head.indexOf(' HTTP'))
  }

  it('go to one host and port one after another, in order [6455:4.1-05] [6455:4.1-06] [6455:4.1-07]', async () => {
    const raw = await rawServer()
    const paths = ['/a', '/b', '/c', '/d']
    const sockets = watchSockets()
    const attempts = paths.map((path) => connect(`${raw.url}${path}`))
    for (const [index, path] of paths.entries()) {
      const peer = await raw.accept()
      await setImmediate()
      expect(sockets).toHaveLength(index + 1)
      expect(await pathOf(peer)).toBe(path)
    }
    for (const ws of await Promise.all(attempts)) ws.terminate()
  })

  it('do not wait for those to another port, or for those that have opened', async () => {
    const [raw, other] = [await rawServer(), await rawServer()]
    const first = connect(raw.url)
    const stuck = await raw.accept()
    const second = connect(other.url)
    await other.open()
    const ws = await second
    const third = connect(other.url)
    await other.open()
    for (const open of [ws, await third]) open.terminate()
    await pathOf(stuck)
    await expectOpen(first)
  })

  it('go to one Unix socket one after another, whatever their URIs say', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fullduplex-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const socketPath = join(folder, 'socket')
    const raw = await rawServer({ socketPath })
    const sockets = watchSockets()
    const first = connect('ws://first/1', { socketPath })
    const second = connect('ws://second:81/2', { socketPath })
    const peer = await raw.accept()
    await setImmediate()
    expect(sockets).toHaveLength(1)
    expect(await pathOf(peer)).toBe('/1')
    await expectOpen(first)
    expect(await pathOf(await raw.accept())).toBe('/2')
    await expectOpen(second)
  })

  it('go to one port by any scheme and path one after another', async () => {
    const raw = await rawServer()
    const first = connect(`${raw.url}/a`)
    const secure = connect(`${raw.url.replace('ws:', 'wss:')}/b`)
    const failed = failureOf(secure)
    const peer = await raw.accept()
    await setImmediate()
    expect(raw.accepted).toBe(1)
    await pathOf(peer)
    await expectOpen(first)
    const hello = await raw.accept()
    // The first octet of TLS.
    expect((await hello.read(1))[0]).toBe(22)
    hello.socket.end()
    await failed
  })

  it('all go at once where oneAtATime is false', async () => {
    const raw = await rawServer()
    const attempts = ['/a', '/b', '/c'].map((path) => connect(`${raw.url}${path}`, { oneAtATime: false }))
    const peers = [await raw.accept(), await raw.accept(), await raw.accept()]
    const paths = await Promise.all(peers.map((peer) => pathOf(peer)))
    expect(paths.toSorted()).toEqual(['/a', '/b', '/c'])
    for (const ws of await Promise.all(attempts)) ws.terminate()
  })
})

describe('a process', () => {
  const program = fileURLToPath(new URL('../support/failing-client.ts', import.meta.url))

  it('[A18] survives every failure without a listener, and ends by itself', async () => {
    const args = ['--unhandled-rejections=strict', '--throw-deprecation', '--import', 'tsx', program]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    let [output, errors] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number | null]
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    expect(output).toMatch(/^(\S+ ERR_WS_\w+ 0 left\n){8}all done\n$/)
  })
})

it('the accept value of these tests is that of the RFC', () => {
  expect(acceptOf('GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')).toBe(
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  )
})

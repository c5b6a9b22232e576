/** `WebSocketStream`: the facts that the web-platform-tests check in websockets/stream/tentative. */
import { describe, expect, it } from 'vitest'
import { WebSocketStreamError } from '../../../src/client/websocket-stream-error.ts'
import { WebSocketStream } from '../../../src/client/websocket-stream.ts'
import type { WebSocketStreamOptions } from '../../../src/client/websocket-stream.ts'
import { rawServer } from '../../support/raw-server.ts'
import type { RawPeer } from '../../support/raw-server.ts'
import { frame } from '../../support/wire.ts'
import { BINARY, CLOSE, closeBody, nextTask, swallow } from '../websocket-support.ts'
import { SCHEMES, usePlaces } from './support.ts'

const MiB = 1_048_576

const websocketError: unknown = expect.toSatisfy(
  (error: unknown) => error instanceof WebSocketStreamError && error.constructor === WebSocketStreamError,
  'a WebSocketError',
)

function named(name: string): unknown {
  return expect.toSatisfy((error: unknown) => error instanceof DOMException && error.name === name, name)
}

async function connected(
  options?: WebSocketStreamOptions,
): Promise<{ wss: WebSocketStream; peer: RawPeer } & Awaited<WebSocketStream['opened']>> {
  const server = await rawServer()
  const wss = new WebSocketStream(server.url, options)
  const peer = await server.open()
  return { wss, peer, ...(await wss.opened) }
}

/** Whether it has settled when all has been done that can be done without anybody. */
async function settles(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  promise.then(settle, settle)
  for (let turn = 0; turn < 300; turn++) await nextTask()
  return settled
}

describe.each(SCHEMES)('over %s: WebSocketStream', (scheme) => {
  const places = usePlaces(scheme)
  const create = (path: string, options?: WebSocketStreamOptions): WebSocketStream =>
    new WebSocketStream(places.url(path), { ...places.init, ...options })

  it('connects, and tells where [wpt:stream/tentative/constructor]', async () => {
    const wss = create('/echo')
    const { readable, writable, protocol, extensions } = await wss.opened
    expect(wss.url).toBe(places.url('/echo'))
    expect(readable).toBeInstanceOf(ReadableStream)
    expect(writable).toBeInstanceOf(WritableStream)
    expect([protocol, extensions]).toEqual(['', ''])
    wss.close()
    await wss.closed
  })

  it('has the protocol that the server chose [wpt:stream/tentative/constructor]', async () => {
    const wss = create('/protocol_array', { protocols: ['alpha', 'beta'] })
    const { readable, protocol } = await wss.opened
    expect(protocol).toBe('alpha')
    expect(await readable.getReader().read()).toEqual({ value: 'alpha', done: false })
    wss.close()
    await wss.closed
  })

  it('rejects both promises when the server refuses [wpt:stream/tentative/constructor]', async () => {
    const wss = create('/404')
    await expect(wss.opened).rejects.toEqual(websocketError)
    await expect(wss.closed).rejects.toEqual(websocketError)
  })

  it('is not touched by its signal once it is open [wpt:stream/tentative/abort]', async () => {
    const controller = new AbortController()
    const wss = create('/echo', { signal: controller.signal })
    const { readable, writable } = await wss.opened
    controller.abort()
    await writable.getWriter().write('connected')
    expect(await readable.getReader().read()).toEqual({ value: 'connected', done: false })
    wss.close()
    await wss.closed
  })

  it('gives octets as a Uint8Array [wpt:stream/tentative/read]', async () => {
    const wss = create('/echo')
    const { readable, writable } = await wss.opened
    await writable.getWriter().write(new Uint8Array(16))
    const { value } = await readable.getReader().read()
    expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype)
    expect(value).toHaveLength(16)
    wss.close()
    await wss.closed
  })

  it.each([
    ['a code and reason', { closeCode: 3456, reason: 'pizza' }, 3456, 'pizza'],
    ['nothing', undefined, 1005, ''],
    ['an empty object', {}, 1005, ''],
    ['an empty reason', { reason: '' }, 1005, ''],
    ['a reason alone', { reason: 'non-empty' }, 1000, 'non-empty'],
  ])('closes with %s [wpt:stream/tentative/close]', async (_what, closeInfo, closeCode, reason) => {
    const wss = create('/echo')
    await wss.opened
    wss.close(closeInfo)
    expect(await wss.closed).toEqual({ closeCode, reason })
  })

  it('closes when its writable side does [wpt:stream/tentative/close]', async () => {
    const wss = create('/echo')
    const { writable } = await wss.opened
    await writable.getWriter().close()
    expect(await wss.closed).toEqual({ closeCode: 1005, reason: '' })
  })

  describe.each(['abort', 'cancel'] as const)('on %s', (method) => {
    it.each([
      ['nothing', undefined, 1005, ''],
      ['an object that is no WebSocketError', { closeCode: 3456, reason: 'set' }, 1005, ''],
      ['a DOMException', new DOMException('yes', 'DataCloneError'), 1005, ''],
      ['a code', new WebSocketStreamError('', { closeCode: 3333 }), 3333, ''],
      ['a code and reason', new WebSocketStreamError('', { closeCode: 3456, reason: 'set' }), 3456, 'set'],
      ['a reason', new WebSocketStreamError('', { reason: 'set' }), 1000, 'set'],
      ['a WebSocketError without either', new WebSocketStreamError('yes'), 1005, ''],
    ])('with %s closes cleanly [wpt:stream/tentative/close]', async (_what, given, closeCode, reason) => {
      const wss = create('/echo')
      const { readable, writable } = await wss.opened
      await (method === 'abort' ? writable.abort(given) : readable.cancel(given))
      expect(await wss.closed).toEqual({ closeCode, reason })
    })
  })

  it.each([
    ['code=1000', 1000, ''],
    ['', 1005, ''],
    ['code=4000&reason=robot', 4000, 'robot'],
    ['code=4000&reason=%E3%83%AD%E3%83%9C%E3%83%83%E3%83%88', 4000, '\u30ed\u30dc\u30c3\u30c8'],
  ])('is closed by the server: %s [wpt:stream/tentative/remote-close]', async (query, closeCode, reason) => {
    const wss = create(`/remote-close?${query}`)
    const { readable, writable } = await wss.opened
    expect(await wss.closed).toEqual({ closeCode, reason })
    expect(await readable.getReader().read()).toEqual({ value: undefined, done: true })
    await expect(writable.getWriter().ready).rejects.toEqual(named('InvalidStateError'))
  })

  it('fails with one error when the server goes without a word [wpt:stream/tentative/remote-close]', async () => {
    const wss = create('/remote-close?abrupt=1')
    const { readable, writable } = await wss.opened
    const error: unknown = await wss.closed.catch((reason: unknown) => reason)
    expect(error).toEqual(websocketError)
    expect(error).toMatchObject({ name: 'WebSocketError', closeCode: 1006, reason: '' })
    await expect(readable.getReader().read()).rejects.toBe(error)
    await expect(writable.getWriter().ready).rejects.toBe(error)
  })

  it('sends what was written, whoever still holds it [wpt:stream/tentative/write]', async () => {
    const { writable } = await create('/echo').opened
    const writer = writable.getWriter()
    const written = await Promise.all(Array.from({ length: 20 }, () => writer.write(new Uint8Array(100_000))))
    expect(written).toHaveLength(20)
    await writer.abort()
  })
})

describe('WebSocketStream', () => {
  const construct = (...given: unknown[]): (() => unknown) => {
    return () => Reflect.construct(WebSocketStream, given) as unknown
  }

  it.each([
    ['no URL', []],
    ['options that are no object', ['ws://localhost/', true]],
    ['protocols that are no list', ['ws://localhost/', { protocols: 'hi' }]],
    ['protocols that cannot be iterated over', ['ws://localhost/', { protocols: {} }]],
    ['a signal that is none', ['ws://localhost/', { signal: {} }]],
    ['a signal that is null', ['ws://localhost/', { signal: null }]],
  ])('throws a TypeError for %s [wpt:stream/tentative/constructor]', (_what, given) => {
    expect(construct(...given)).toThrow(TypeError)
  })

  it.each([['invalid:'], ['/relative'], ['ws://localhost/#test'], ['ws://localhost', { protocols: ['a', 'A'] }]])(
    'throws a SyntaxError for %j [wpt:stream/tentative/constructor]',
    (...given) => {
      expect(construct(...given)).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
    },
  )

  it('does not connect when its signal has been aborted [wpt:stream/tentative/abort]', async () => {
    const server = await rawServer()
    const wss = new WebSocketStream(server.url, { signal: AbortSignal.abort() })
    await expect(wss.opened).rejects.toEqual(named('AbortError'))
    await expect(wss.closed).rejects.toEqual(named('AbortError'))
    expect(server.accepted).toBe(0)
  })

  it('ends its attempt when its signal is aborted [wpt:stream/tentative/abort]', async () => {
    const server = await rawServer()
    const controller = new AbortController()
    const wss = new WebSocketStream(server.url, { signal: controller.signal })
    const peer = await server.accept()
    controller.abort()
    await expect(wss.opened).rejects.toEqual(named('AbortError'))
    await expect(wss.closed).rejects.toEqual(named('AbortError'))
    await peer.readEnd()
  })

  it('makes the server wait until somebody reads [wpt:stream/tentative/backpressure-receive]', async () => {
    const { wss, peer, readable } = await connected()
    const count = 32
    const sent = peer.flush(Buffer.concat(Array.from({ length: count }, () => frame(BINARY, Buffer.alloc(MiB)))))
    expect(await settles(sent)).toBe(false)
    const reader = readable.getReader()
    for (let message = 0; message < count; message++) {
      expect((await reader.read()).value).toHaveLength(MiB)
    }
    await sent
    wss.close()
    peer.socket.destroy()
  })

  it('waits with a write until the server reads [wpt:stream/tentative/backpressure-send]', async () => {
    const { peer, writable } = await connected()
    peer.socket.pause()
    const written = writable.getWriter().write(new Uint8Array(8 * MiB))
    expect(await settles(written)).toBe(false)
    await Promise.all([written, swallow(peer, 8 * MiB)])
  })

  it.each([
    [true, 'TypeError'],
    [{ closeCode: -1 }, 'TypeError'],
    [{ reason: '.'.repeat(124) }, 'SyntaxError'],
    [{ closeCode: 999 }, 'InvalidAccessError'],
    [{ closeCode: 1001 }, 'InvalidAccessError'],
    [{ closeCode: 2999 }, 'InvalidAccessError'],
    [{ closeCode: 5000 }, 'InvalidAccessError'],
  ])('throws for close(%j), and stays open [wpt:stream/tentative/close]', async (closeInfo, name) => {
    const { wss, peer } = await connected()
    expect(() => wss.close(closeInfo as object)).toThrow(expect.objectContaining({ name }))
    wss.close({ closeCode: 1000 })
    expect(await peer.readFrame()).toEqual({ first: CLOSE, payload: closeBody(1000) })
  })

  it('can be closed while it connects [wpt:stream/tentative/close]', async () => {
    const server = await rawServer()
    const wss = new WebSocketStream(server.url)
    wss.close()
    await expect(wss.opened).rejects.toEqual(websocketError)
    await expect(wss.closed).rejects.toEqual(websocketError)
    await expect(wss.closed).rejects.toMatchObject({ closeCode: 1006, reason: '' })
  })

  it('has not closed before the closing handshake is over [wpt:stream/tentative/close]', async () => {
    const { peer, writable } = await connected()
    const closed = writable.getWriter().close()
    await peer.readFrame()
    expect(await settles(closed)).toBe(false)
    peer.write(frame(CLOSE))
    peer.socket.end()
    await closed
  })

  it('takes the code and reason of the server, if both close [wpt:stream/tentative/remote-close]', async () => {
    const { wss, peer } = await connected()
    wss.close({ closeCode: 4111, reason: 'local' })
    peer.write(frame(CLOSE, closeBody(4222, 'remote')))
    peer.socket.end()
    expect(await wss.closed).toEqual({ closeCode: 4222, reason: 'remote' })
  })

  it('is not closed cleanly while something is unsent, which is told who wrote it [wpt:stream/tentative/remote-close] [wpt:stream/tentative/write]', async () => {
    const { wss, peer, writable } = await connected({ closeTimeout: 100 })
    peer.socket.pause()
    const writer = writable.getWriter()
    const goodbye = writer.write('Goodbye')
    const written = writer.write(new Uint8Array(20 * MiB)).catch((error: unknown) => error)
    await goodbye
    peer.write(frame(CLOSE, closeBody(4567)))
    const error: unknown = await wss.closed.catch((reason: unknown) => reason)
    expect(error).toEqual(websocketError)
    expect(error).toMatchObject({ closeCode: 4567 })
    const lost = await written
    expect(lost).toEqual(named('InvalidStateError'))
    await expect(writer.write('word')).rejects.toBe(lost)
  })

  it.each([
    ['what cannot be a string', { toString: () => ({}) }],
    ['a symbol', Symbol('text')],
    ['a resizable ArrayBuffer', Reflect.construct(ArrayBuffer, [1024, { maxByteLength: 65_536 }])],
    ['a view of shared memory', new Uint8Array(new SharedArrayBuffer(8))],
  ])('rejects %s with a TypeError [wpt:stream/tentative/write]', async (_what, chunk) => {
    const { writable } = await connected()
    await expect(writable.getWriter().write(chunk as string)).rejects.toThrow(TypeError)
  })
})

describe('WebSocketError', () => {
  it('has its defaults [wpt:stream/tentative/websocket-error]', () => {
    const error = new WebSocketStreamError()
    expect(error).toMatchObject({ code: 0, name: 'WebSocketError', message: '', closeCode: null, reason: '' })
  })

  it.each([
    [{ closeCode: 3456, reason: 'reason' }, 3456, 'reason'],
    [{ closeCode: 3333 }, 3333, ''],
    [{ reason: 'specified' }, 1000, 'specified'],
  ])('takes what it is given: %j [wpt:stream/tentative/websocket-error]', (init, closeCode, reason) => {
    const error = new WebSocketStreamError('message', init)
    expect(error).toMatchObject({ code: 0, name: 'WebSocketError', message: 'message', closeCode, reason })
  })

  it.each([999, 1001, 2999, 5000])('refuses %i as a code [wpt:stream/tentative/websocket-error]', (closeCode) => {
    const create = (): unknown => new WebSocketStreamError('', { closeCode })
    expect(create).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
  })

  it.each([{ closeCode: 1000, reason: 'x'.repeat(124) }, { reason: '\u{1f50c}'.repeat(32) }])(
    'refuses a reason that is too long in UTF-8 [wpt:stream/tentative/websocket-error]',
    (init) => {
      const create = (): unknown => new WebSocketStreamError('', init)
      expect(create).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
    },
  )
})

/** What the tests in `wpt` do not tell of `WebSocketStream`: its options, its errors, and its ends. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HandshakeError, ProtocolError } from '../../src/errors.ts'
import { WebSocketStreamError } from '../../src/client/websocket-stream-error.ts'
import { WebSocketStream } from '../../src/client/websocket-stream.ts'
import type { WebSocketOpenInfo, WebSocketStreamOptions } from '../../src/client/websocket-stream.ts'
import { serve } from '../../src/server/index.ts'
import { acceptance, rawServer } from '../support/raw-server.ts'
import type { RawPeer } from '../support/raw-server.ts'
import { frame } from '../support/wire.ts'
import { BINARY, CLOSE, TEXT, closeBody, nextTask, stringOf, swallow } from './websocket-support.ts'

const MiB = 1_048_576

interface Opened extends WebSocketOpenInfo {
  readonly wss: WebSocketStream
  readonly peer: RawPeer
}

async function opened(options?: WebSocketStreamOptions, behind?: Uint8Array): Promise<Opened> {
  const server = await rawServer()
  const wss = new WebSocketStream(server.url, options)
  const peer = await server.open(behind)
  return { wss, peer, ...(await wss.opened) }
}

/** The peer's half of a closing handshake. */
function closeFrom(peer: RawPeer, code: number, reason = ''): void {
  peer.write(frame(CLOSE, closeBody(code, reason)))
  peer.socket.end()
}

/** All there is to read, to the end. */
async function all(readable: WebSocketOpenInfo['readable']): Promise<unknown[]> {
  const chunks: unknown[] = []
  for await (const chunk of readable) chunks.push(chunk)
  return chunks
}

async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
}

describe('the interface of WebSocketStream', () => {
  const { prototype } = WebSocketStream

  it('is that of the proposal', async () => {
    expect([WebSocketStream.name, WebSocketStream.length]).toEqual(['WebSocketStream', 1])
    expect(stringOf(prototype)).toBe('[object WebSocketStream]')
    expect(Object.keys(prototype)).toEqual(['url', 'opened', 'closed', 'close'])
    expect([prototype.close.name, prototype.close.length]).toEqual(['close', 0])
    for (const name of ['url', 'opened', 'closed']) {
      expect(Object.getOwnPropertyDescriptor(prototype, name)).toMatchObject({ set: undefined, configurable: true })
      expect(() => Reflect.get(prototype, name, {}) as unknown).toThrow(TypeError)
    }
    expect(() => Reflect.apply(prototype.close, {}, [])).toThrow(TypeError)
    const { wss } = await opened()
    const { opened: first, closed } = wss
    expect([wss.opened === first, wss.closed === closed]).toEqual([true, true])
  })
})

describe('new WebSocketStream', () => {
  it('takes the options of connect, and makes ws: of http:', async () => {
    const server = await rawServer()
    const url = server.url.replace('ws:', 'http:')
    const wss = new WebSocketStream(url, { headers: { cookie: 'sid=1' }, perMessageDeflate: true, protocols: ['a'] })
    expect(wss.url).toBe(`${server.url}/`)
    const peer = await server.accept()
    const head = await peer.readHead()
    expect(head).toContain('\r\ncookie: sid=1\r\n')
    const agreed = { 'Sec-WebSocket-Extensions': 'permessage-deflate', 'Sec-WebSocket-Protocol': 'a' }
    peer.write(acceptance(head, agreed))
    expect(await wss.opened).toMatchObject({ extensions: 'permessage-deflate', protocol: 'a' })
  })

  it('takes null for no options, and refuses those that it does not know', async () => {
    const server = await rawServer()
    const wss = new WebSocketStream(server.url, null as unknown as WebSocketStreamOptions)
    await server.open()
    await wss.opened
    expect(() => new WebSocketStream(server.url, { header: {} } as WebSocketStreamOptions)).toThrow(TypeError)
    expect(() => new WebSocketStream(server.url, { closeTimeout: 0 })).toThrow(RangeError)
  })

  it('gives text as strings, whatever the options say', async () => {
    const { readable } = await opened({ text: 'buffer' } as WebSocketStreamOptions, frame(TEXT, 'hi'))
    expect(await readable.getReader().read()).toEqual({ value: 'hi', done: false })
  })
})

describe('a failure to open', () => {
  it('tells with cause what connect would', async () => {
    const server = await rawServer()
    const wss = new WebSocketStream(server.url)
    const peer = await server.accept()
    await peer.readHead()
    peer.socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n')
    const cause: unknown = expect.toSatisfy((error) => error instanceof HandshakeError && error.status === 401)
    expect(await reasonOf(wss.opened)).toMatchObject({ closeCode: null, reason: '', cause })
    expect(await reasonOf(wss.closed)).toMatchObject({ closeCode: 1006, reason: '', cause })
  })

  it('is one at a port that browsers block', async () => {
    const wss = new WebSocketStream('ws://localhost:25')
    expect(await reasonOf(wss.opened)).toMatchObject({ cause: { code: 'ERR_WS_BLOCKED_PORT' } })
  })

  it('is one where the server chooses none of the protocols', async () => {
    const server = await rawServer()
    const wss = new WebSocketStream(server.url, { protocols: ['chat'] })
    const peer = await server.open()
    expect(await reasonOf(wss.opened)).toMatchObject({ cause: { code: 'ERR_WS_BAD_PROTOCOL' } })
    expect(await reasonOf(wss.closed)).toMatchObject({ closeCode: 1006 })
    expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
  })

  it('is with the reason of the signal, whatever that is', async () => {
    const server = await rawServer()
    const controller = new AbortController()
    const wss = new WebSocketStream(server.url, { signal: controller.signal })
    await server.accept()
    controller.abort('enough')
    expect([await reasonOf(wss.opened), await reasonOf(wss.closed)]).toEqual(['enough', 'enough'])
  })

  it('is not that of a signal which is aborted later', async () => {
    const server = await rawServer()
    const controller = new AbortController()
    const wss = new WebSocketStream(server.url, { signal: controller.signal })
    wss.close()
    expect(await reasonOf(wss.opened)).toMatchObject({ name: 'WebSocketError', cause: { name: 'AbortError' } })
    controller.abort('late')
    expect(await reasonOf(wss.closed)).toMatchObject({ name: 'WebSocketError' })
    wss.close()
  })

  it('can come in the moment in which the handshake succeeds', async () => {
    const server = await rawServer()
    let socket: Socket | undefined
    const onSocket = (message: unknown): void => {
      ;({ socket } = message as { socket: Socket })
    }
    subscribe('net.client.socket', onSocket)
    onTestFinished(() => void unsubscribe('net.client.socket', onSocket))
    const wss = new WebSocketStream(server.url)
    const peer = await server.accept()
    // Behind the listener of the handshake, which has then seen the answer.
    socket?.once('data', () => wss.close())
    peer.write(acceptance(await peer.readHead()))
    expect(await reasonOf(wss.opened)).toMatchObject({ name: 'WebSocketError', cause: { name: 'AbortError' } })
    expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
  })
})

describe('readable', () => {
  it('gives what came before the end, and then ends', async () => {
    const { wss, peer, readable } = await opened()
    peer.write(Buffer.concat([frame(TEXT, 'a'), frame(BINARY, Buffer.from([1, 2])), frame(TEXT, 'b')]))
    closeFrom(peer, 1000, 'done')
    expect(await all(readable)).toEqual(['a', new Uint8Array([1, 2]), 'b'])
    expect(await wss.closed).toEqual({ closeCode: 1000, reason: 'done' })
  })

  it('gives octets in memory of their own', async () => {
    const { readable } = await opened({}, frame(BINARY, Buffer.from([1, 2])))
    const { value } = await readable.getReader().read()
    expect((value as Uint8Array).buffer.byteLength).toBe(2)
  })

  it('asks for a message when the one before has been read', async () => {
    const { peer, readable } = await opened()
    const reader = readable.getReader()
    peer.write(Buffer.concat([frame(TEXT, 'a'), frame(TEXT, 'b')]))
    expect(await reader.read()).toMatchObject({ value: 'a' })
    expect(await reader.read()).toMatchObject({ value: 'b' })
    const third = reader.read()
    peer.write(frame(TEXT, 'c'))
    expect(await third).toMatchObject({ value: 'c' })
  })

  it('gives nothing that comes after close', async () => {
    const { wss, peer, readable } = await opened()
    wss.close()
    await peer.readFrame()
    peer.write(frame(TEXT, 'late'))
    closeFrom(peer, 1000)
    await wss.closed
    expect(await all(readable)).toEqual([])
  })

  it('may be cancelled while a message waits in it', async () => {
    const { wss, peer, readable } = await opened({}, frame(TEXT, 'unread'))
    await nextTask()
    await readable.cancel()
    expect(await peer.readFrame()).toMatchObject({ first: CLOSE })
    peer.write(frame(TEXT, 'late'))
    closeFrom(peer, 1000)
    expect(await wss.closed).toEqual({ closeCode: 1000, reason: '' })
  })

  it('fails with the stream when the server breaks the protocol, and cause tells how', async () => {
    const { wss, peer, readable } = await opened()
    peer.write(frame(0x83, 'LOL'))
    const error = await reasonOf(all(readable))
    expect(error).toBe(await reasonOf(wss.closed))
    expect(error).toBeInstanceOf(WebSocketStreamError)
    expect((error as WebSocketStreamError).cause).toBeInstanceOf(ProtocolError)
    // It cannot be sent back; a cancelled stream closes without it.
    const other = await opened()
    await other.readable.cancel(error)
    expect(await other.peer.readFrame()).toEqual({ first: CLOSE, payload: Buffer.alloc(0) })
  })
})

describe('writable', () => {
  it('sends strings as text, and octets as binary', async () => {
    const { peer, writable } = await opened()
    const writer = writable.getWriter()
    for (const chunk of ['text', new Uint8Array([1, 2]), new Uint8Array([3]).buffer, 7 as unknown as string]) {
      void writer.write(chunk)
    }
    expect([await peer.readFrame(), await peer.readFrame(), await peer.readFrame(), await peer.readFrame()]).toEqual([
      { first: TEXT, payload: Buffer.from('text') },
      { first: BINARY, payload: Buffer.from([1, 2]) },
      { first: BINARY, payload: Buffer.from([3]) },
      { first: TEXT, payload: Buffer.from('7') },
    ])
  })

  it('sends nothing once the closing handshake has begun, and says nothing of it', async () => {
    const { wss, peer, writable } = await opened()
    wss.close()
    await writable.getWriter().write('late')
    expect(await peer.readFrame()).toMatchObject({ first: CLOSE })
    closeFrom(peer, 1000)
    expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
    expect(await wss.closed).toEqual({ closeCode: 1000, reason: '' })
  })

  it('that is closed while much of it waits sends that first, and ends cleanly', async () => {
    const { wss, peer, writable } = await opened()
    peer.socket.pause()
    const writer = writable.getWriter()
    const written = writer.write(new Uint8Array(8 * MiB))
    await nextTask()
    wss.close({ closeCode: 1000 })
    await swallow(peer, 8 * MiB)
    await written
    closeFrom(peer, 1000)
    expect(await wss.closed).toEqual({ closeCode: 1000, reason: '' })
  })

  it('that is aborted closes at once, whatever waits', async () => {
    const { wss, peer, writable } = await opened({ closeTimeout: 100 })
    peer.socket.pause()
    const writer = writable.getWriter()
    const lost = reasonOf(writer.write(new Uint8Array(8 * MiB)))
    await nextTask()
    await reasonOf(writer.abort(new WebSocketStreamError('', { closeCode: 3000 })))
    expect(await lost).toMatchObject({ name: 'InvalidStateError' })
    expect(await reasonOf(wss.closed)).toMatchObject({ closeCode: 1006, cause: { code: 'ERR_WS_CLOSE_TIMEOUT' } })
  })

  it('fails when more waits than may wait', async () => {
    const { wss, peer, writable } = await opened({ maxBufferedAmount: 1, highWaterMark: Infinity })
    peer.socket.pause()
    const writer = writable.getWriter()
    await writer.write(new Uint8Array(8 * MiB))
    await expect(writer.write('more')).rejects.toMatchObject({ name: 'InvalidStateError' })
    expect(await reasonOf(wss.closed)).toMatchObject({ closeCode: 1006, cause: { code: 'ERR_WS_BUFFER_OVERFLOW' } })
  })
})

it('an end that nobody asked for ends no process', async () => {
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', onUnhandled)
  onTestFinished(() => void process.off('unhandledRejection', onUnhandled))
  const { wss, peer, writable } = await opened()
  const refused = new WebSocketStream('ws://localhost:25')
  peer.socket.destroy()
  await Promise.all([reasonOf(refused.closed), reasonOf(wss.closed), reasonOf(writable.getWriter().closed)])
  await nextTask()
  expect(unhandled).toEqual([])
})

it('WebSocketStream talks to a server of this package, which may be as slow as it likes', async () => {
  const server = await serve({ host: '127.0.0.1', perMessageDeflate: true, message: (ws, data) => void ws.send(data) })
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  const wss = new WebSocketStream(server.url, { perMessageDeflate: true })
  const { readable, writable, extensions } = await wss.opened
  expect(extensions).toContain('permessage-deflate')
  const count = 200
  const writing = (async (): Promise<void> => {
    const writer = writable.getWriter()
    for (let index = 0; index < count; index++) await writer.write(`${index} ${'x'.repeat(10_000)}`)
  })()
  const reader = readable.getReader()
  for (let index = 0; index < count; index++) {
    expect(await reader.read()).toEqual({ value: `${index} ${'x'.repeat(10_000)}`, done: false })
  }
  await writing
  wss.close({ closeCode: 1000, reason: 'done' })
  expect(await wss.closed).toEqual({ closeCode: 1000, reason: 'done' })
})

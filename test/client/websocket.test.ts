import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from '../../src/client/websocket.ts'
import type { WebSocketInit } from '../../src/client/websocket-arguments.ts'
import { serve } from '../../src/server/index.ts'
import { createAuthority } from '../support/certificates.ts'
import { acceptance, rawServer } from '../support/raw-server.ts'
import type { RawPeer } from '../support/raw-server.ts'
import { frame } from '../support/wire.ts'
import { BINARY, CLOSE, TEXT, closeBody, closing, logOf, next, opened, stringOf } from './websocket-support.ts'

const FAILED = ['error', 'close 1006 unclean ""']

/** The `WebSocket` of a server that answers with these fields, and its log when it has ended. */
async function answered(
  fields: Record<string, string>,
  init?: WebSocketInit,
): Promise<{ ws: WebSocket; log: string[] }> {
  const server = await rawServer()
  const ws = new WebSocket(server.url, init)
  const log = logOf(ws)
  const peer = await server.accept()
  peer.write(acceptance(await peer.readHead(), fields))
  return { ws, log }
}

/** The next exception that nobody has caught. */
function uncaught(): Promise<unknown> {
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  })
  return new Promise((resolve) => {
    process.once('uncaughtException', resolve)
  })
}

/** The peer's half of a closing handshake that it begins. */
function closeFrom(peer: RawPeer, code: number, reason?: string): void {
  peer.write(frame(CLOSE, closeBody(code, reason)))
  peer.socket.end()
}

describe('new WebSocket', () => {
  it('is CONNECTING, with nothing in it yet', async () => {
    const server = await rawServer()
    const ws = new WebSocket(`${server.url}/chat?room=1`)
    expect(ws).toBeInstanceOf(EventTarget)
    expect(stringOf(ws)).toBe('[object WebSocket]')
    expect(ws).toMatchObject({ url: `${server.url}/chat?room=1`, readyState: 0, bufferedAmount: 0 })
    expect(ws).toMatchObject({ extensions: '', protocol: '', binaryType: 'blob' })
    expect(ws).toMatchObject({ onopen: null, onmessage: null, onerror: null, onclose: null })
    ws.close()
    await closing(ws)
  })

  it('connects to http: and https: URLs as ws: and wss:', async () => {
    const authority = await createAuthority()
    const { key, cert } = await authority.issue()
    const server = await rawServer({ tls: { key, cert } })
    const ws = new WebSocket(new URL(`https://localhost:${server.port}`), { tls: { ca: authority.cert } })
    const open = next(ws, 'open')
    const peer = await server.open()
    await open
    expect(ws.url).toBe(`wss://localhost:${server.port}/`)
    const message = next<MessageEvent>(ws, 'message')
    peer.write(frame(TEXT, 'hi'))
    expect(await message).toMatchObject({ origin: `wss://localhost:${server.port}` })
  })

  it('throws a SyntaxError for a URL or protocols that the standard refuses', () => {
    for (const [url, protocols] of [['/chat'], ['ws://a/#b'], ['ws://a', ''], ['ws://a', ['b', 'b']]] as const) {
      expect(() => new WebSocket(url, protocols)).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
    }
  })

  it('throws a TypeError or RangeError for arguments that cannot be converted, and for wrong options', () => {
    const create = (...given: unknown[]): WebSocket => Reflect.construct(WebSocket, given) as WebSocket
    expect(() => create()).toThrow(TypeError)
    expect(() => create(Symbol('ws://a'))).toThrow(TypeError)
    expect(() => create('ws://a', Symbol('chat'))).toThrow(TypeError)
    expect(() => create('ws://a', { handshakeTimeout: 0 })).toThrow(RangeError)
    expect(() => create('ws://a', [], { handshakeTimeout: 0 })).toThrow(RangeError)
    expect(() => create('ws://a', { signal: {} })).toThrow(TypeError)
  })

  it.each([
    ['behind the protocols', (url: string, init: WebSocketInit) => new WebSocket(url, 'chat', init)],
    ['in their place', (url: string, init: WebSocketInit) => new WebSocket(url, { protocols: 'chat', ...init })],
  ])('takes the options of connect %s', async (_where, create) => {
    const folder = mkdtempSync(join(tmpdir(), 'fullduplex-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const socketPath = join(folder, 'socket')
    const server = await rawServer({ socketPath })
    const ws = create('ws://server.example/chat', { socketPath, headers: { cookie: 'sid=1' } })
    const head = await (await server.accept()).readHead()
    expect(head).toContain('GET /chat HTTP/1.1\r\nHost: server.example\r\n')
    expect(head).toContain('\r\nSec-WebSocket-Protocol: chat\r\n')
    expect(head).toContain('\r\ncookie: sid=1\r\n')
    ws.close()
    await closing(ws)
  })

  it('gives text as strings, whatever the options say', async () => {
    const { ws, peer } = await opened({ text: 'buffer' } as WebSocketInit)
    const message = next<MessageEvent>(ws, 'message')
    peer.write(frame(TEXT, 'hi'))
    expect(await message).toMatchObject({ data: 'hi' })
  })
})

describe('the opening handshake', () => {
  it('ends with open, in a task of its own', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    const seen: unknown[] = []
    ws.onopen = function (event) {
      seen.push(this, ws.readyState, stringOf(event), event.bubbles, event.cancelable, ws.protocol, ws.extensions)
    }
    const open = next(ws, 'open')
    await server.open()
    await open
    expect(seen).toEqual([ws, 1, '[object Event]', false, false, '', ''])
  })

  it('leaves time between open and the first message, though both come at once', async () => {
    const { ws, log } = await opened({}, Buffer.concat([frame(TEXT, 'a'), frame(TEXT, 'b')]))
    // Who listens only now has missed nothing.
    expect(await next<MessageEvent>(ws, 'message')).toMatchObject({ data: 'a' })
    expect(log).toEqual(['open', 'message "a"', 'message "b"'])
  })

  it('tells the protocol that the server chose', async () => {
    const { ws } = await answered({ 'Sec-WebSocket-Protocol': 'b' }, { protocols: ['a', 'b'] })
    expect(ws.protocol).toBe('')
    await next(ws, 'open')
    expect(ws.protocol).toBe('b')
  })

  it.each([
    ['none of the protocols', {}],
    ['a protocol that was not offered', { 'Sec-WebSocket-Protocol': 'c' }],
    ['an extension that was not offered', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }],
    ['a wrong accept', { 'Sec-WebSocket-Accept': 'wrong' }],
  ])('fails with error and close when the server answers %s', async (_what, fields) => {
    const { ws, log } = await answered(fields, { protocols: ['a', 'b'] })
    await closing(ws)
    expect(log).toEqual(FAILED)
    expect(ws).toMatchObject({ readyState: 3, protocol: '', extensions: '' })
  })

  it('fails with error and close when the server refuses, and both are told when it is over', async () => {
    const server = await serve({ host: '127.0.0.1', upgrade: () => ({ status: 403 }) })
    onTestFinished(() => server.shutdown({ timeout: 0 }))
    const ws = new WebSocket(server.url)
    const log: unknown[] = []
    for (const type of ['error', 'close']) {
      ws.addEventListener(type, (event) => log.push([event.type, stringOf(event), event.cancelable, ws.readyState]))
    }
    await closing(ws)
    expect(log).toEqual([
      ['error', '[object Event]', false, 3],
      ['close', '[object CloseEvent]', false, 3],
    ])
  })

  it('fails with error and close when nobody is there, and not at once', async () => {
    const server = await rawServer()
    const { url } = server
    await server.close()
    const ws = new WebSocket(url)
    const log = logOf(ws)
    await closing(ws)
    expect(log).toEqual(FAILED)
  })

  it.each(['before', 'during'])('fails when the signal of the user aborts %s it', async (when) => {
    const server = await rawServer()
    const controller = new AbortController()
    if (when === 'before') controller.abort()
    const ws = new WebSocket(server.url, { signal: controller.signal })
    const log = logOf(ws)
    if (when === 'during') {
      const peer = await server.accept()
      await peer.readHead()
      controller.abort()
    }
    expect(log).toEqual([])
    // Promises that are settled are no reason to tell anything: events have tasks of their own.
    for (let turns = 0; turns < 100; turns++) await Promise.resolve()
    expect([log, ws.readyState]).toEqual([[], 0])
    await closing(ws)
    expect(log).toEqual(FAILED)
  })
})

describe('send', () => {
  it('throws an InvalidStateError while CONNECTING, after it has looked at its argument', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    expect(() => ws.send('early')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }))
    expect(() => Reflect.apply(ws.send.bind(ws) as () => void, undefined, [])).toThrow(TypeError)
    expect(() => ws.send(Symbol('text') as unknown as string)).toThrow(TypeError)
    expect(ws.bufferedAmount).toBe(0)
    ws.close()
    await closing(ws)
  })

  it('sends strings as text and octets as binary', async () => {
    const { ws, peer } = await opened()
    expect(ws.send('h\u00e9')).toBeUndefined()
    ws.send('')
    ws.send('\ud800')
    ws.send(null as unknown as string)
    ws.send(Uint8Array.of(1, 2))
    ws.send(Uint8Array.of(3).buffer)
    ws.send(new Blob(['blob']))
    const sent = [
      [TEXT, 'h\u00e9'],
      [TEXT, ''],
      [TEXT, '\ufffd'],
      [TEXT, 'null'],
      [BINARY, '\u0001\u0002'],
      [BINARY, '\u0003'],
      [BINARY, 'blob'],
    ] as const
    for (const [first, text] of sent) expect(await peer.readFrame()).toEqual({ first, payload: Buffer.from(text) })
  })

  it('sends nothing after close, nor when nothing can be sent any more', async () => {
    const { ws, peer, log } = await opened()
    closeFrom(peer, 1000)
    await closing(ws)
    ws.send('late')
    expect(log).toEqual(['open', 'close 1000 clean ""'])
    expect(await peer.readFrame()).toEqual({ first: CLOSE, payload: closeBody(1000) })
    expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
    expect(ws.bufferedAmount).toBe(4)
  })
})

describe('a message', () => {
  it('is a MessageEvent with the origin of the URL', async () => {
    const { ws, peer } = await opened()
    const message = next<MessageEvent>(ws, 'message')
    peer.write(frame(TEXT, 'h\u00e9'))
    const event = await message
    expect(event).toBeInstanceOf(MessageEvent)
    expect(event).toMatchObject({ data: 'h\u00e9', origin: new URL(ws.url).origin, lastEventId: '', source: null })
    expect(event).toMatchObject({ bubbles: false, cancelable: false, target: ws })
  })

  it('of octets is a Blob or an ArrayBuffer, as binaryType says when it comes', async () => {
    const { ws, peer } = await opened()
    const message = async (): Promise<unknown> => {
      const event = next<MessageEvent>(ws, 'message')
      peer.write(frame(BINARY, Uint8Array.of(1, 2, 3)))
      return (await event).data as unknown
    }
    const blob = await message()
    expect(blob).toBeInstanceOf(Blob)
    expect(blob).toMatchObject({ size: 3, type: '' })
    expect(new Uint8Array(await (blob as Blob).arrayBuffer())).toEqual(Uint8Array.of(1, 2, 3))
    ws.binaryType = 'arraybuffer'
    const buffer = await message()
    expect(buffer).toBeInstanceOf(ArrayBuffer)
    expect(new Uint8Array(buffer as ArrayBuffer)).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('is not told once close was called', async () => {
    const { ws, peer, log } = await opened()
    peer.write(Buffer.concat([frame(TEXT, 'a'), frame(TEXT, 'b')]))
    ws.onmessage = () => ws.close()
    await peer.readFrame()
    peer.write(frame(TEXT, 'c'))
    closeFrom(peer, 1000)
    await closing(ws)
    expect(log).toEqual(['open', 'message "a"', 'close 1000 clean ""'])
  })

  it('that is not in order fails the connection', async () => {
    const { ws, peer, log } = await opened()
    peer.write(Buffer.concat([frame(TEXT, 'a'), frame(0x83, 'LOL')]))
    expect(await peer.readFrame()).toMatchObject({ first: CLOSE })
    peer.socket.end()
    await closing(ws)
    expect(log).toEqual(['open', 'message "a"', ...FAILED])
  })
})

describe('binaryType', () => {
  it('ignores values that it does not know', async () => {
    const { ws } = await opened()
    for (const value of ['arraybuffer', 'ArrayBuffer', '', 'text', null, 1, 'blob ', {}]) {
      ws.binaryType = value as 'blob'
      expect(ws.binaryType).toBe('arraybuffer')
    }
    ws.binaryType = 'blob'
    expect(ws.binaryType).toBe('blob')
    expect(() => {
      ws.binaryType = Symbol('blob') as unknown as 'blob'
    }).toThrow(TypeError)
  })
})

describe('close', () => {
  it.each([
    [[], Buffer.alloc(0), 'close 1005 clean ""'],
    [[undefined], Buffer.alloc(0), 'close 1005 clean ""'],
    [[undefined, undefined], Buffer.alloc(0), 'close 1005 clean ""'],
    [[undefined, ''], Buffer.alloc(0), 'close 1005 clean ""'],
    [[1000], closeBody(1000), 'close 1000 clean ""'],
    [[1000, 'bye'], closeBody(1000, 'bye'), 'close 1000 clean "bye"'],
    [['3000.4', '\ud800'], closeBody(3000, '\ufffd'), 'close 3000 clean "\ufffd"'],
    [[4999, null], closeBody(4999, 'null'), 'close 4999 clean "null"'],
    [[undefined, 'bye'], closeBody(1000, 'bye'), 'close 1000 clean "bye"'],
  ])('with %j sends a Close frame', async (given, body, last) => {
    const { ws, peer, log } = await opened()
    expect(ws.close(...(given as [number, string]))).toBeUndefined()
    expect(ws.readyState).toBe(2)
    expect(await peer.readFrame()).toEqual({ first: CLOSE, payload: body })
    peer.write(frame(CLOSE, body))
    peer.socket.end()
    await closing(ws)
    expect(ws.readyState).toBe(3)
    expect(log).toEqual(['open', last])
  })

  it('refuses codes and reasons in every state, and changes nothing then', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    const refuse = (): void => {
      for (const code of [0, 999, 1001, 2999, 5000, 65_536 + 1000, Number.NaN, null, 'string']) {
        expect(() => ws.close(code as number)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
      }
      expect(() => ws.close(1000, 'x'.repeat(124))).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
      expect(() => ws.close(1000n as unknown as number)).toThrow(TypeError)
      expect(() => ws.close(1000, Symbol('reason') as unknown as string)).toThrow(TypeError)
    }
    refuse()
    expect(ws.readyState).toBe(0)
    const open = next(ws, 'open')
    const peer = await server.open()
    await open
    refuse()
    expect(ws.readyState).toBe(1)
    closeFrom(peer, 1000)
    await closing(ws)
    refuse()
  })

  it('does nothing a second time', async () => {
    const { ws, peer, log } = await opened()
    ws.close(3000)
    ws.close(3001)
    expect(await peer.readFrame()).toEqual({ first: CLOSE, payload: closeBody(3000) })
    ws.onclose = () => ws.close()
    closeFrom(peer, 3000)
    await closing(ws)
    ws.close()
    expect(ws.readyState).toBe(3)
    expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
    expect(log).toEqual(['open', 'close 3000 clean ""'])
  })

  it('while CONNECTING fails the connection, but tells so later', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    ws.close(1000, 'never mind')
    expect(ws.readyState).toBe(2)
    ws.close()
    const log = logOf(ws)
    for (let turns = 0; turns < 100; turns++) await Promise.resolve()
    expect([log, ws.readyState]).toEqual([[], 2])
    ws.send('into the void')
    expect(ws.bufferedAmount).toBe(13)
    await closing(ws)
    expect(ws.readyState).toBe(3)
    expect(log).toEqual(FAILED)
    expect(ws.bufferedAmount).toBe(13)
  })

  it('while the request waits for its answer ends the transport', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    const log = logOf(ws)
    const peer = await server.accept()
    await peer.readHead()
    ws.close()
    await closing(ws)
    expect(log).toEqual(FAILED)
    expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
  })

  it('ends an attempt that a signal of the user could have ended', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url, { signal: new AbortController().signal })
    const log = logOf(ws)
    const peer = await server.accept()
    await peer.readHead()
    ws.close()
    await closing(ws)
    expect(log).toEqual(FAILED)
  })

  it('in the moment in which the handshake succeeds still prevents open', async () => {
    const server = await rawServer()
    let socket: Socket | undefined
    const onSocket = (message: unknown): void => {
      ;({ socket } = message as { socket: Socket })
    }
    subscribe('net.client.socket', onSocket)
    const ws = new WebSocket(server.url)
    const log = logOf(ws)
    const peer = await server.accept()
    unsubscribe('net.client.socket', onSocket)
    // Behind the listener of the handshake, which has then seen the answer.
    socket?.once('data', () => ws.close())
    const answer = acceptance(await peer.readHead())
    peer.write(Buffer.concat([Buffer.from(answer), frame(TEXT, 'hi')]))
    await closing(ws)
    expect(log).toEqual(FAILED)
    expect(ws.readyState).toBe(3)
    expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
  })
})

describe('the end', () => {
  it('that the server begins is CLOSING first, then close with its code and reason', async () => {
    const { ws, peer, log } = await opened()
    peer.write(frame(CLOSE, closeBody(4000, 'enough')))
    expect(await peer.readFrame()).toEqual({ first: CLOSE, payload: closeBody(4000, 'enough') })
    expect(ws.readyState).toBe(2)
    ws.send('late')
    ws.close()
    expect(ws.bufferedAmount).toBe(4)
    peer.socket.end()
    const event = await closing(ws)
    expect(event).toMatchObject({ code: 4000, reason: 'enough', wasClean: true, bubbles: false, cancelable: false })
    expect(log).toEqual(['open', 'close 4000 clean "enough"'])
  })

  it('without a closing handshake is a failure', async () => {
    const { ws, peer, log } = await opened()
    peer.socket.end()
    await closing(ws)
    expect(log).toEqual(['open', ...FAILED])
  })

  it('by a reset is a failure', async () => {
    const { ws, peer, log } = await opened()
    peer.socket.resetAndDestroy()
    await closing(ws)
    expect(log).toEqual(['open', ...FAILED])
  })
})

describe('listeners', () => {
  it('of every kind are called in the order in which they were registered', async () => {
    const { ws, peer } = await opened()
    const order: string[] = []
    ws.addEventListener('message', () => order.push('first'))
    ws.onmessage = () => order.push('replaced')
    ws.addEventListener('message', { handleEvent: () => order.push('third') })
    ws.onmessage = () => order.push('second')
    const message = next(ws, 'message')
    peer.write(frame(TEXT, ''))
    await message
    expect(order).toEqual(['first', 'second', 'third'])
  })

  it('are what the attributes say', async () => {
    const { ws, peer } = await opened()
    const handlers = { onopen: vi.fn<() => void>(), onmessage: vi.fn<() => void>() }
    Object.assign(ws, handlers, { onerror: handlers.onopen, onclose: null })
    expect(ws).toMatchObject({ ...handlers, onerror: handlers.onopen, onclose: null })
    Object.assign(ws, { onopen: 2, onmessage: null, onerror: undefined })
    expect(ws).toMatchObject({ onopen: null, onmessage: null, onerror: null })
    const closed = new Promise((resolve) => {
      ws.onclose = resolve
    })
    peer.socket.resetAndDestroy()
    expect(await closed).toMatchObject({ type: 'close', code: 1006 })
    expect(handlers.onopen).not.toHaveBeenCalled()
  })

  it('that throw are reported, and harm neither the others nor the socket', async () => {
    const { ws, peer, log } = await opened()
    const mistake = new Error('mistake')
    const reported = uncaught()
    ws.onmessage = () => {
      throw mistake
    }
    peer.write(Buffer.concat([frame(TEXT, 'a')]))
    expect(await reported).toBe(mistake)
    ws.onmessage = null
    const message = next(ws, 'message')
    peer.write(frame(TEXT, 'b'))
    await message
    closeFrom(peer, 1000)
    await closing(ws)
    expect(log).toEqual(['open', 'message "a"', 'message "b"', 'close 1000 clean ""'])
  })

  it('of a class that overrides dispatchEvent hear everything all the same', async () => {
    class Deaf extends WebSocket {
      override dispatchEvent(): boolean {
        return false
      }
    }
    const server = await rawServer()
    const ws = new Deaf(server.url)
    const log = logOf(ws)
    const peer = await server.open()
    peer.write(Buffer.concat([frame(TEXT, 'a'), frame(0x83, 'LOL')]))
    peer.socket.end()
    await closing(ws)
    expect(log).toEqual(['open', 'message "a"', ...FAILED])
  })
})

it('WebSocket talks to a server of this package', async () => {
  const server = await serve({ host: '127.0.0.1', protocols: ['echo'], message: (ws, data) => ws.send(data) })
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  const ws = new WebSocket(server.url, 'echo')
  ws.binaryType = 'arraybuffer'
  const received: unknown[] = []
  ws.onopen = () => {
    ws.send('text')
    ws.send(new Blob(['blob']))
  }
  ws.onmessage = ({ data }) => {
    if (received.push(data instanceof ArrayBuffer ? Buffer.from(data) : data) === 2) ws.close(1000, 'done')
  }
  const event = await closing(ws)
  expect(received).toEqual(['text', Buffer.from('blob')])
  expect(event).toMatchObject({ code: 1000, reason: 'done', wasClean: true })
  expect(ws.protocol).toBe('echo')
})

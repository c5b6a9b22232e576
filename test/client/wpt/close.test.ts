/** `close`, and the end: the facts that the web-platform-tests check. docs/web-platform-tests.md lists them. */
import { describe, expect, it } from 'vitest'
import { CloseEvent } from '../../../src/client/events.ts'
import { WebSocket } from '../../../src/client/websocket.ts'
import { rawServer } from '../../support/raw-server.ts'
import { frame } from '../../support/wire.ts'
import { CLOSE, TEXT, closeBody, closing, logOf, next, nextTask, opened } from '../websocket-support.ts'
import { SCHEMES, usePlaces } from './support.ts'

describe.each(SCHEMES)('over %s: close', (scheme) => {
  const places = usePlaces(scheme)

  it.each([
    ['wpt:Close-1000', [1000], 1000, ''],
    ['wpt:Close-1000-verify-code', [1000, 'Clean Close'], 1000, 'Clean Close'],
    ['wpt:Close-1000-reason', [1000, 'Clean Close'], 1000, 'Clean Close'],
    ['wpt:Close-1005', [], 1005, ''],
    ['wpt:Close-1005-verify-code', [], 1005, ''],
    ['wpt:Close-undefined', [undefined], 1005, ''],
    ['wpt:Close-3000-reason', [3000, 'Clean Close with code - 3000'], 3000, 'Clean Close with code - 3000'],
    ['wpt:Close-3000-verify-code', [3000, 'Clean Close'], 3000, 'Clean Close'],
    ['wpt:Close-4999-reason', [4999, 'Clean Close with code - 4999'], 4999, 'Clean Close with code - 4999'],
    ['wpt:Close-reason-unpaired-surrogates', [1000, '\ud807'], 1000, '\ufffd'],
    ['wpt:closing-handshake/003', [], 1005, ''],
  ] as const)('ends cleanly, with what the server sent back [%s]', async (_file, args, code, reason) => {
    const ws = places.create('/echo')
    const log = logOf(ws)
    await next(ws, 'open')
    ws.close(...(args as [number, string]))
    expect(await closing(ws)).toMatchObject({ code, reason, wasClean: true })
    expect(log.slice(0, -1)).toEqual(['open'])
  })

  it.each([
    ['wpt:Close-2999-reason', [2999, 'Close not in range 3000-4999'], 'InvalidAccessError'],
    ['wpt:Close-onlyReason', ['Close with only reason'], 'InvalidAccessError'],
    ['wpt:Close-Reason-124Bytes', [1000, 'a'.repeat(124)], 'SyntaxError'],
  ])('throws while the connection is open, and leaves it open [%s]', async (_file, args, name) => {
    const ws = places.create('/echo')
    await next(ws, 'open')
    expect(() => ws.close(...(args as [number, string]))).toThrow(expect.objectContaining({ name }))
    expect(ws.readyState).toBe(1)
    ws.close()
    expect(await closing(ws)).toMatchObject({ wasClean: true })
  })

  it('is CLOSING at once and CLOSED in the event [wpt:Close-readyState-Closing] [wpt:Close-readyState-Closed]', async () => {
    const ws = places.create('/echo')
    await next(ws, 'open')
    ws.close()
    expect(ws.readyState).toBe(2)
    expect(await closing(ws)).toMatchObject({ wasClean: true })
    expect(ws.readyState).toBe(3)
  })

  it('after a message is clean [wpt:interfaces/CloseEvent/clean-close]', async () => {
    const ws = places.create('/echo')
    await next(ws, 'open')
    ws.send('Test')
    expect(await next<MessageEvent>(ws, 'message')).toMatchObject({ data: 'Test' })
    ws.close()
    expect(await closing(ws)).toMatchObject({ wasClean: true })
  })

  it('by the server is answered, and clean [wpt:Close-server-initiated-close] [wpt:closing-handshake/002]', async () => {
    const ws = places.create('/echo_exit')
    const log = logOf(ws)
    await next(ws, 'open')
    ws.send('Goodbye')
    expect(await closing(ws)).toMatchObject({ wasClean: true })
    expect([ws.readyState, log]).toEqual([3, ['open', 'close 1000 clean ""']])
  })
})

describe('close', () => {
  it.each([0, 500, Number.NaN, 'string', null, 0x1_03_e8])(
    'throws an InvalidAccessError for %j, connected or not [wpt:close-invalid]',
    async (code) => {
      const server = await rawServer()
      const ws = new WebSocket(server.url)
      expect(() => ws.close(code as number)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
      expect(ws.readyState).toBe(0)
      ws.close()
      await closing(ws)
    },
  )

  it('is not over before the server has answered [wpt:Close-delayed]', async () => {
    const { ws, peer, log } = await opened()
    ws.close()
    expect(await peer.readFrame()).toMatchObject({ first: CLOSE })
    await nextTask()
    expect([ws.readyState, log]).toEqual([2, ['open']])
    const closed = closing(ws)
    peer.write(frame(CLOSE))
    peer.socket.end()
    expect(await closed).toMatchObject({ wasClean: true })
  })

  it('drops what the server sends behind its Close frame [wpt:closing-handshake/004]', async () => {
    const { ws, peer, log } = await opened()
    const closed = closing(ws)
    peer.write(Buffer.concat([frame(CLOSE, closeBody(1000)), frame(TEXT, 'late')]))
    peer.socket.end()
    await closed
    expect(log).toEqual(['open', 'close 1000 clean ""'])
  })

  it('while connecting tells error, then close, later [wpt:interfaces/WebSocket/close/close-connecting-async]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    const log = logOf(ws)
    ws.onerror = () => log.push(`readyState ${ws.readyState}`)
    expect(ws.readyState).toBe(WebSocket.CONNECTING)
    ws.close()
    expect([ws.readyState, log]).toEqual([WebSocket.CLOSING, []])
    await closing(ws)
    expect(log).toEqual(['error', 'readyState 3', 'close 1006 unclean ""'])
  })

  it('while the server has not answered is unclean [wpt:interfaces/WebSocket/close/close-connecting]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    await (await server.accept()).readHead()
    expect(ws.readyState).toBe(0)
    ws.close()
    expect(ws.readyState).toBe(2)
    expect(await closing(ws)).toMatchObject({ wasClean: false })
    expect(ws.readyState).toBe(3)
  })

  it('tells a CloseEvent that cannot be changed [wpt:interfaces/WebSocket/close/close-basic]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    ws.close()
    expect(ws.readyState).toBe(WebSocket.CLOSING)
    const event = await closing(ws)
    expect(event).toBeInstanceOf(CloseEvent)
    expect(event.wasClean).toBe(false)
    expect(Reflect.set(event, 'wasClean', true)).toBe(false)
    expect(Reflect.deleteProperty(event, 'wasClean')).toBe(true)
    expect(event.wasClean).toBe(false)
    const own = Object.getOwnPropertyDescriptor(CloseEvent.prototype, 'wasClean') ?? {}
    expect(Reflect.deleteProperty(CloseEvent.prototype, 'wasClean')).toBe(true)
    expect(event.wasClean).toBeUndefined()
    Object.defineProperty(CloseEvent.prototype, 'wasClean', own)
  })

  it('three times tells one event [wpt:interfaces/WebSocket/close/close-multiple]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    const log = logOf(ws)
    for (let time = 0; time < 3; time++) ws.close()
    await closing(ws)
    await nextTask()
    expect(log).toEqual(['error', 'close 1006 unclean ""'])
  })

  it('in the close event does nothing [wpt:interfaces/WebSocket/close/close-nested]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    const states: number[] = []
    ws.onclose = () => {
      states.push(ws.readyState)
      ws.close()
      states.push(ws.readyState)
    }
    ws.close()
    expect(ws.readyState).toBe(2)
    await closing(ws)
    await nextTask()
    expect(states).toEqual([3, 3])
  })

  it('answers undefined [wpt:interfaces/WebSocket/close/close-return]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    expect(Reflect.apply(WebSocket.prototype.close, ws, [])).toBeUndefined()
    await closing(ws)
  })
})

describe('CloseEvent', () => {
  it('has defaults, and takes what it is given [wpt:interfaces/CloseEvent/constructor]', () => {
    const bare = new CloseEvent('foo')
    expect(bare).toBeInstanceOf(CloseEvent)
    expect(bare).toMatchObject({ type: 'foo', bubbles: false, cancelable: false, wasClean: false, code: 0, reason: '' })
    const init = { bubbles: true, cancelable: true, wasClean: true, code: 7, reason: 'x' }
    expect(new CloseEvent('foo', init)).toMatchObject({ type: 'foo', ...init })
  })

  it('has no initCloseEvent [wpt:interfaces/CloseEvent/historical]', () => {
    expect('initCloseEvent' in CloseEvent.prototype).toBe(false)
  })
})

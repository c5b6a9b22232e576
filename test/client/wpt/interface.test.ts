/** Attributes, constants, events and their handlers: the facts that the web-platform-tests check. */
import { describe, expect, it } from 'vitest'
import { CloseEvent } from '../../../src/client/events.ts'
import { WebSocket } from '../../../src/client/websocket.ts'
import { rawServer } from '../../support/raw-server.ts'
import { frame } from '../../support/wire.ts'
import { TEXT, closing, next, opened, stringOf } from '../websocket-support.ts'
import { SCHEMES, usePlaces } from './support.ts'

const CONSTANTS = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']
const HANDLERS = ['onopen', 'onmessage', 'onerror', 'onclose']

/** One that is CONNECTING, for as long as the test takes. */
async function withSocket(use: (ws: WebSocket, url: string) => void): Promise<void> {
  const server = await rawServer()
  const ws = new WebSocket(server.url)
  use(ws, server.url)
  WebSocket.prototype.close.call(ws)
  await closing(ws)
}

/** Whatever is done to a member of the prototype is undone. */
function keeping(name: string, use: () => void): void {
  const own = Object.getOwnPropertyDescriptor(WebSocket.prototype, name) ?? {}
  try {
    use()
  } finally {
    Object.defineProperty(WebSocket.prototype, name, own)
  }
}

describe('the constants', () => {
  it('are on the class, the prototype and so on the object [wpt:interfaces/WebSocket/constants/001] [wpt:interfaces/WebSocket/constants/004]', () =>
    withSocket((ws) => {
      for (const [value, name] of CONSTANTS.entries()) {
        for (const holder of [WebSocket, WebSocket.prototype, ws]) expect(Reflect.get(holder, name)).toBe(value)
      }
    }))

  it.each([
    ['wpt:interfaces/WebSocket/constants/002', (on: object, name: string) => Reflect.set(on, name, 5)],
    [
      'wpt:interfaces/WebSocket/constants/005',
      (on: object, name: string) => Reflect.defineProperty(on, name, { get: () => 'foo' }),
    ],
    [
      'wpt:interfaces/WebSocket/constants/006',
      (on: object, name: string) => Reflect.defineProperty(on, name, { set: () => {} }),
    ],
  ])('cannot be changed [%s]', (_file, change) => {
    for (const [value, name] of CONSTANTS.entries()) {
      for (const holder of [WebSocket, WebSocket.prototype]) {
        expect(change(holder, name)).toBe(false)
        expect(Reflect.get(holder, name)).toBe(value)
      }
    }
  })

  it('cannot be deleted, and of an object there is nothing to delete [wpt:interfaces/WebSocket/constants/003]', () =>
    withSocket((ws) => {
      for (const [value, name] of CONSTANTS.entries()) {
        expect(Reflect.deleteProperty(WebSocket, name)).toBe(false)
        expect(Reflect.deleteProperty(WebSocket.prototype, name)).toBe(false)
        expect(Reflect.deleteProperty(ws, name)).toBe(true)
        expect(Reflect.get(ws, name)).toBe(value)
      }
    }))
})

describe('the attributes', () => {
  it('have their first values [wpt:interfaces/WebSocket/readyState/001] [wpt:interfaces/WebSocket/url/001] [wpt:interfaces/WebSocket/protocol/protocol-initial] [wpt:interfaces/WebSocket/bufferedAmount/bufferedAmount-initial]', () =>
    withSocket((ws, url) => {
      expect(ws).toMatchObject({ readyState: WebSocket.CONNECTING, url: `${url}/`, protocol: '', bufferedAmount: 0 })
    }))

  it.each([
    ['wpt:interfaces/WebSocket/readyState/002', 'readyState'],
    ['wpt:interfaces/WebSocket/url/002', 'url'],
    ['wpt:interfaces/WebSocket/bufferedAmount/bufferedAmount-readonly', 'bufferedAmount'],
  ])('cannot be set [%s]: %s', (_file, name) =>
    withSocket((ws) => {
      const before: unknown = Reflect.get(ws, name)
      expect(Reflect.set(ws, name, 5)).toBe(false)
      expect(Reflect.get(ws, name)).toBe(before)
    }),
  )

  it.each([
    ['wpt:interfaces/WebSocket/readyState/003', 'readyState'],
    ['wpt:interfaces/WebSocket/url/003', 'url'],
    ['wpt:interfaces/WebSocket/bufferedAmount/bufferedAmount-deleting', 'bufferedAmount'],
  ])('can be deleted from the prototype, not from the object [%s]: %s', (_file, name) =>
    withSocket((ws) => {
      const before: unknown = Reflect.get(ws, name)
      expect(Reflect.deleteProperty(ws, name)).toBe(true)
      expect(Reflect.get(ws, name)).toBe(before)
      keeping(name, () => {
        expect(Reflect.deleteProperty(WebSocket.prototype, name)).toBe(true)
        expect(Reflect.get(ws, name)).toBeUndefined()
      })
    }),
  )

  it.each([
    ['wpt:interfaces/WebSocket/readyState/004', 'wpt:interfaces/WebSocket/readyState/005', 'readyState'],
    ['wpt:interfaces/WebSocket/url/005', 'wpt:interfaces/WebSocket/url/006', 'url'],
    [
      'wpt:interfaces/WebSocket/bufferedAmount/bufferedAmount-defineProperty-getter',
      'wpt:interfaces/WebSocket/bufferedAmount/bufferedAmount-defineProperty-setter',
      'bufferedAmount',
    ],
  ])('can be defined anew [%s] [%s]: %s', (_getter, _setter, name) =>
    withSocket((ws) => {
      const set: unknown[] = []
      keeping(name, () => {
        Object.defineProperty(WebSocket.prototype, name, {
          get: () => 'foo',
          set: (value) => {
            set.push(value)
          },
        })
        expect(Reflect.get(ws, name)).toBe('foo')
        Reflect.set(ws, name, 'bar')
      })
      expect(set).toEqual(['bar'])
    }),
  )

  it('has none named URL [wpt:interfaces/WebSocket/url/004]', () => {
    expect('URL' in WebSocket.prototype).toBe(false)
  })

  it('binaryType is blob, and keeps its value when it is given another than the two [wpt:Create-valid-url-binaryType-blob] [wpt:binaryType-wrong-value]', async () => {
    const { ws } = await opened()
    expect(ws.binaryType).toBe('blob')
    Reflect.set(ws, 'binaryType', 'notBlobOrArrayBuffer')
    expect(ws.binaryType).toBe('blob')
    ws.binaryType = 'arraybuffer'
    expect(ws.binaryType).toBe('arraybuffer')
  })
})

describe.each(SCHEMES)('over %s: readyState', (scheme) => {
  const places = usePlaces(scheme)

  it('is OPEN, CLOSING and CLOSED in turn [wpt:interfaces/WebSocket/readyState/006] [wpt:interfaces/WebSocket/readyState/007] [wpt:interfaces/WebSocket/readyState/008]', async () => {
    const ws = places.create('/echo')
    const states: number[] = []
    ws.onopen = () => {
      states.push(ws.readyState)
      ws.close()
      states.push(ws.readyState)
    }
    ws.onclose = () => states.push(ws.readyState)
    await closing(ws)
    expect(states).toEqual([WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED])
  })
})

describe('the event handlers', () => {
  it('are attributes, null at first [wpt:interfaces/WebSocket/events/001] [wpt:interfaces/WebSocket/events/006]', () =>
    withSocket((ws) => {
      for (const name of HANDLERS) {
        expect(name in ws).toBe(true)
        expect(Reflect.get(ws, name)).toBeNull()
      }
    }))

  it.each([
    ['wpt:interfaces/WebSocket/events/002', false],
    ['wpt:interfaces/WebSocket/events/010', undefined],
    ['wpt:interfaces/WebSocket/events/011', 1],
    ['wpt:interfaces/WebSocket/events/012', ';'],
    ['wpt:interfaces/WebSocket/events/014', null],
    ['wpt:eventhandlers', 2],
  ])('keep functions, and are null when they are set to anything else [%s]: %j', (_file, other) =>
    withSocket((ws) => {
      const handler = (): void => {}
      for (const name of HANDLERS) {
        Reflect.set(ws, name, handler)
        expect(Reflect.get(ws, name)).toBe(handler)
        Reflect.set(ws, name, other)
        expect(Reflect.get(ws, name)).toBeNull()
      }
    }),
  )

  it('keep an object, and call nothing of it [wpt:interfaces/WebSocket/events/013]', () =>
    withSocket((ws) => {
      for (const name of HANDLERS) {
        const handleEvent = (): never => {
          throw new Error('called')
        }
        const handler = { handleEvent }
        Reflect.set(ws, name, handler)
        expect(Reflect.get(ws, name)).toBe(handler)
        ws.dispatchEvent(new Event(name.slice(2)))
        Reflect.set(ws, name, null)
      }
    }))

  it.each([
    ['wpt:interfaces/WebSocket/events/003', 'open'],
    ['wpt:interfaces/WebSocket/events/007', 'message'],
    ['wpt:interfaces/WebSocket/events/008', 'error'],
    ['wpt:interfaces/WebSocket/events/009', 'close'],
  ])('hear events of any class that are dispatched to the socket [%s]: %s', (_file, type) =>
    withSocket((ws) => {
      class Detailed extends Event {
        readonly detail = 5
      }
      const details: unknown[] = []
      Reflect.set(ws, `on${type}`, (event: Detailed) => details.push(event.detail))
      ws.dispatchEvent(new Detailed(type))
      expect(details).toEqual([5])
      Reflect.set(ws, `on${type}`, null)
    }),
  )
})

describe('the events', () => {
  it('are for listeners that come and go [wpt:interfaces/WebSocket/events/004] [wpt:interfaces/WebSocket/events/019]', () =>
    withSocket((ws) => {
      const heard: string[] = []
      const listener = ({ type }: Event): void => void heard.push(type)
      for (const type of ['open', 'message', 'error', 'close']) {
        ws.addEventListener(type, listener)
        ws.dispatchEvent(new Event(type))
        ws.removeEventListener(type, listener)
        ws.dispatchEvent(new Event(type))
      }
      expect(heard).toEqual(['open', 'message', 'error', 'close'])
    }))

  it('are told to listeners and handlers in the order of their coming [wpt:interfaces/WebSocket/events/016]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    const order: string[] = []
    for (const type of ['open', 'message', 'close']) {
      ws.addEventListener(type, () => order.push(`${type} 1`))
      Reflect.set(ws, `on${type}`, () => order.push(`${type} 2`))
      ws.addEventListener(type, () => order.push(`${type} 3`))
    }
    const message = next(ws, 'message')
    const peer = await server.open(frame(TEXT, 'x'))
    await message
    peer.socket.end()
    await closing(ws)
    expect(order).toEqual(['open', 'message', 'close'].flatMap((type) => [1, 2, 3].map((place) => `${type} ${place}`)))
  })

  it('are of the classes of the standard, at the socket, and neither bubble nor can be cancelled [wpt:interfaces/WebSocket/events/015] [wpt:interfaces/WebSocket/events/017] [wpt:interfaces/WebSocket/events/018]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    const seen: unknown[] = []
    const classes = { open: Event, message: MessageEvent, error: Event, close: CloseEvent }
    for (const type of Object.keys(classes)) {
      ws.addEventListener(type, function listener(this: unknown, event) {
        const { bubbles, cancelable, target, currentTarget, eventPhase } = event
        expect([this === ws, target === ws, currentTarget === ws, eventPhase]).toEqual([true, true, true, 2])
        expect([bubbles, cancelable]).toEqual([false, false])
        expect(event.constructor).toBe(classes[type as keyof typeof classes])
        seen.push(`${stringOf(event)} ${ws.readyState}`)
      })
    }
    // A text, and then a frame with the reserved opcode 3.
    const peer = await server.open(Buffer.concat([frame(TEXT, 'test'), frame(0x83, 'LOL')]))
    peer.socket.end()
    await closing(ws)
    expect(seen).toEqual([
      '[object Event] 1',
      `${stringOf(new MessageEvent('message'))} 1`,
      '[object Event] 3',
      '[object CloseEvent] 3',
    ])
  })

  it('tell with error that nobody is there [wpt:interfaces/WebSocket/events/020]', async () => {
    const server = await rawServer()
    const { url } = server
    await server.close()
    const ws = new WebSocket(url)
    const closed = closing(ws)
    expect((await next(ws, 'error')).constructor).toBe(Event)
    await closed
  })
})

describe('the interfaces', () => {
  /** As the standard's IDL has them. */
  const interfaces = [
    {
      of: WebSocket,
      name: 'WebSocket',
      extends: EventTarget,
      readonly: ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol'],
      writable: ['onopen', 'onerror', 'onclose', 'onmessage', 'binaryType'],
      methods: { close: 0, send: 1 },
    },
    {
      of: CloseEvent,
      name: 'CloseEvent',
      extends: Event,
      readonly: ['wasClean', 'code', 'reason'],
      writable: [],
      methods: {},
    },
  ] as const

  it.each(interfaces)('$name is as its IDL [wpt:idlharness]', (idl) => {
    const { prototype } = idl.of
    expect(Object.getPrototypeOf(idl.of)).toBe(idl.extends)
    expect(Object.getPrototypeOf(prototype)).toBe(idl.extends.prototype)
    expect(Object.getOwnPropertyDescriptor(idl.of, 'name')).toMatchObject({ value: idl.name, writable: false })
    expect(Object.getOwnPropertyDescriptor(idl.of, 'length')).toMatchObject({ value: 1, writable: false })
    expect(Object.getOwnPropertyDescriptor(idl.of, 'prototype')).toMatchObject({ writable: false, enumerable: false })
    expect(Object.getOwnPropertyDescriptor(prototype, 'constructor')).toMatchObject({
      value: idl.of,
      enumerable: false,
    })
    const tag = { value: idl.name, writable: false, enumerable: false, configurable: true }
    expect(Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)).toEqual(tag)
    for (const name of [...idl.readonly, ...idl.writable]) {
      const { get, set, ...rest } = Object.getOwnPropertyDescriptor(prototype, name) ?? {}
      expect(rest, name).toEqual({ enumerable: true, configurable: true })
      expect(get?.name).toBe(`get ${name}`)
      expect(set?.name).toBe(idl.writable.some((other) => other === name) ? `set ${name}` : undefined)
      expect(() => get?.call({}) as unknown).toThrow(TypeError)
    }
    for (const [name, length] of Object.entries(idl.methods)) {
      const method = Object.getOwnPropertyDescriptor(prototype, name)
      expect(method).toMatchObject({ writable: true, enumerable: true, configurable: true })
      const value = method?.value as () => unknown
      expect([value.name, value.length]).toEqual([name, length])
      expect(() => Reflect.apply(value, {}, ['x'])).toThrow(TypeError)
    }
    expect(() => Reflect.apply(idl.of as unknown as () => void, undefined, ['ws://a'])).toThrow(TypeError)
  })
})

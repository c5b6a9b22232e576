import { describe, expect, it } from 'vitest'
import {
  checkClose,
  checkProtocols,
  closeInfoOf,
  initOf,
  outgoingOf,
  payloadOrTextOf,
  protocolSequenceOf,
  protocolsOf,
  urlRecordOf,
} from '../../src/client/websocket-arguments.ts'

function domException(name: string): unknown {
  return expect.toSatisfy((error: unknown) => error instanceof DOMException && error.name === name, name)
}

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

describe('the URL', () => {
  it.each([
    ['ws://example.com', 'ws://example.com/'],
    ['WSS://EXAMPLE.com:443/Path?query', 'wss://example.com/Path?query'],
    ['http://example.com/', 'ws://example.com/'],
    ['http://example.com:80/', 'ws://example.com/'],
    ['http://example.com:443/', 'ws://example.com:443/'],
    ['https://example.com:8443/a', 'wss://example.com:8443/a'],
    ['https://example.com:443/', 'wss://example.com/'],
    ['ws:example.com', 'ws://example.com/'],
    [' \tws://exam\nple.com/ \n', 'ws://example.com/'],
    ['ws://example.com/a b?c d', 'ws://example.com/a%20b?c%20d'],
    ['ws://example.com/?%23', 'ws://example.com/?%23'],
    ['ws://b\u00fccher.example/\u00fc', 'ws://xn--bcher-kva.example/%C3%BC'],
    ['ws://user:pass@example.com/', 'ws://user:pass@example.com/'],
    ['ws://[::1]:9/', 'ws://[::1]:9/'],
  ])('%j is that of %s', (text, href) => {
    expect(urlRecordOf(text).href).toBe(href)
  })

  it.each([
    ...['', '/', 'chat', '//example.com/', '?query', '#fragment', 'ws://', 'ws:', 'ws://foo bar.com/', 'ws://a:x/'],
    ...['ftp://example.com/', 'mailto:a@example.com', 'about:blank', 'file:///x', 'blob:x', 'data:,'],
    ...['ws://example.com/#', 'ws://example.com/#test', 'wss://example.com/?a#', 'http://example.com/#test'],
    ...['ws://us%er@example.com/', 'ws://us%3Aer@example.com/'],
  ])('%j is a SyntaxError', (text) => {
    expect(thrownBy(() => urlRecordOf(text))).toEqual(domException('SyntaxError'))
  })
})

describe('the protocols', () => {
  it('are one string, or what an iterable brings', () => {
    expect(protocolsOf()).toEqual([])
    expect(protocolsOf('chat')).toEqual(['chat'])
    expect(protocolsOf(['b', 'a'])).toEqual(['b', 'a'])
    expect(protocolsOf(new Set(['b', 'a']))).toEqual(['b', 'a'])
    // Objects that can be iterated over are sequences, even those of class String.
    expect(protocolsOf(new String('ab') as unknown as string)).toEqual(['a', 'b'])
    expect(protocolsOf([1, null] as unknown as string[])).toEqual(['1', 'null'])
    expect(protocolsOf(null as unknown as string)).toEqual(['null'])
    expect(() => protocolsOf(Symbol('chat') as unknown as string)).toThrow(TypeError)
    expect(() => protocolsOf([Symbol('chat')] as unknown as string[])).toThrow(TypeError)
  })

  it('are a list and nothing else where a sequence is asked for', () => {
    expect(protocolSequenceOf(new Set(['b', 'a']))).toEqual(['b', 'a'])
    for (const other of ['ab', null, 1, {}]) {
      expect(() => protocolSequenceOf(other as string[])).toThrow(TypeError)
    }
  })

  it.each([
    [['']],
    [['a b']],
    [['a,b']],
    [['/echo']],
    [['caf\u00e9']],
    [['\u0000']],
    [['a\r\n']],
    [['a', 'b', 'a']],
    [['echo', 'eCho']],
  ])('%j are a SyntaxError', (protocols) => {
    expect(thrownBy(() => checkProtocols(protocols))).toEqual(domException('SyntaxError'))
  })

  it('can be any tokens', () => {
    expect(() => checkProtocols(['chat.v2', "!#$%&'*+-.^_`|~", '0', 'Chat.V1'])).not.toThrow()
    expect(() => checkProtocols([])).not.toThrow()
  })

  it('can come in a dictionary, which can also stand behind them', () => {
    const headers = { cookie: 'sid=1' }
    const init = { protocols: 'chat', headers }
    expect(initOf(init, undefined)).toBe(init)
    expect(initOf('chat', { headers })).toEqual({ protocols: 'chat', headers })
    expect(initOf(['a'], { headers, protocols: 'b' })).toEqual({ protocols: ['a'], headers })
    const set = new Set(['a'])
    expect(initOf(set, { headers })).toEqual({ protocols: set, headers })
    for (const stray of [undefined, null, 'stray argument', 1]) expect(initOf('a', stray)).toEqual({ protocols: 'a' })
  })
})

describe('the arguments of close', () => {
  it.each([undefined, 1000, 3000, 4999])('can be the code %j', (code) => {
    expect(() => checkClose(code, '')).not.toThrow()
  })

  it.each([0, 500, 999, 1001, 1005, 1006, 1015, 2999, 5000, 65_535])('cannot be the code %i', (code) => {
    expect(thrownBy(() => checkClose(code, ''))).toEqual(domException('InvalidAccessError'))
  })

  it('can be a reason of 123 octets of UTF-8, and not of more', () => {
    expect(() => checkClose(undefined, `${'\u20ac'.repeat(40)}abc`)).not.toThrow()
    for (const reason of [`${'\u20ac'.repeat(40)}abcd`, 'a'.repeat(124), `${'\ud800'.repeat(41)}a`]) {
      expect(thrownBy(() => checkClose(1000, reason))).toEqual(domException('SyntaxError'))
    }
  })

  it('are wrong by the code first', () => {
    expect(thrownBy(() => checkClose(0, 'a'.repeat(124)))).toEqual(domException('InvalidAccessError'))
  })
})

describe('a WebSocketCloseInfo', () => {
  it.each([
    [undefined, undefined, ''],
    [null, undefined, ''],
    [{}, undefined, ''],
    [{ closeCode: undefined, reason: undefined }, undefined, ''],
    [{ closeCode: 3000.9 }, 3000, ''],
    [{ closeCode: '1000', reason: '\ud800' }, 1000, '\ufffd'],
    [{ reason: 'a' }, 1000, 'a'],
    [{ reason: null }, 1000, 'null'],
    [Object.assign(() => {}, { closeCode: 4999 }), 4999, ''],
  ])('%j is read as Web IDL has it', (given, closeCode, reason) => {
    expect(closeInfoOf(given as Parameters<typeof closeInfoOf>[0])).toEqual({ closeCode, reason })
  })

  it.each([true, 1, 'x', Symbol('x')])('%s is none', (given) => {
    expect(() => closeInfoOf(given as unknown as object)).toThrow(TypeError)
  })

  it('is checked as the arguments of close are', () => {
    expect(thrownBy(() => closeInfoOf({ closeCode: 1001 }))).toEqual(domException('InvalidAccessError'))
    expect(thrownBy(() => closeInfoOf({ reason: 'a'.repeat(124) }))).toEqual(domException('SyntaxError'))
  })
})

describe('the argument of send', () => {
  const octets = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7)

  it('is a string or a Blob as it is', () => {
    const blob = new Blob(['blob'])
    expect(outgoingOf('text')).toBe('text')
    expect(outgoingOf(blob)).toBe(blob)
  })

  it('is octets, and of a view only what it shows', () => {
    for (const [data, expected] of [
      [octets.buffer, [0, 1, 2, 3, 4, 5, 6, 7]],
      [octets.subarray(2, 5), [2, 3, 4]],
      [new Uint16Array(octets.buffer, 2, 1), [2, 3]],
      [new DataView(octets.buffer, 7), [7]],
      [Buffer.from([1]), [1]],
      [new ArrayBuffer(0), []],
    ] as const) {
      expect(outgoingOf(data)).toEqual(Buffer.from(expected))
    }
  })

  it('is not memory that others can change or resize meanwhile', () => {
    const shared = new SharedArrayBuffer(2)
    const resizable = Reflect.construct(ArrayBuffer, [2, { maxByteLength: 4 }])
    for (const data of [shared, new Uint8Array(shared), resizable, new DataView(resizable)]) {
      expect(() => outgoingOf(data as ArrayBuffer)).toThrow(TypeError)
      expect(() => payloadOrTextOf(data as ArrayBuffer)).toThrow(TypeError)
    }
  })

  it('has no octets once the memory is elsewhere', () => {
    const view = Uint8Array.of(1, 2, 3)
    structuredClone(view.buffer, { transfer: [view.buffer] })
    expect(outgoingOf(view)).toEqual(Buffer.alloc(0))
    expect(outgoingOf(view.buffer)).toEqual(Buffer.alloc(0))
  })

  it('is a string for everything else', () => {
    const others = [null, undefined, 1, true, {}, [1, 2], new URL('ws://a/')] as unknown as string[]
    expect(others.map(outgoingOf)).toEqual(['null', 'undefined', '1', 'true', '[object Object]', '1,2', 'ws://a/'])
    expect(() => outgoingOf(Symbol('text') as unknown as string)).toThrow(TypeError)
  })
})

/** `send`, messages and `bufferedAmount`: the facts that the web-platform-tests check. */
import { describe, expect, it } from 'vitest'
import { WebSocket } from '../../../src/client/websocket.ts'
import { rawServer } from '../../support/raw-server.ts'
import { closing, logOf, next } from '../websocket-support.ts'
import { SCHEMES, usePlaces } from './support.ts'

const KIND = 65_000

/** Octets with a pattern, so that an offset shows. */
function memory(size: number): ArrayBuffer {
  return Uint8Array.from({ length: size }, (_, index) => index * 7).buffer
}

function octetsOf(data: ArrayBuffer | ArrayBufferView): Buffer {
  if (data instanceof ArrayBuffer) return Buffer.from(data)
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

/** Node 24 has it; before it is what another view of two octets is. */
const Float16: new (buffer: ArrayBuffer) => ArrayBufferView = Reflect.get(globalThis, 'Float16Array') ?? Uint16Array

describe.each(SCHEMES)('over %s: a message', (scheme) => {
  const places = usePlaces(scheme)

  /** What comes back of what is sent. */
  async function echoed(data: unknown, binaryType: 'blob' | 'arraybuffer' = 'arraybuffer'): Promise<unknown> {
    const ws = places.create('/echo')
    ws.binaryType = binaryType
    await next(ws, 'open')
    const answer: unknown = Reflect.apply(WebSocket.prototype.send as () => unknown, ws, [data])
    expect(answer).toBeUndefined()
    const { data: back } = await next<MessageEvent>(ws, 'message')
    ws.close()
    expect(await closing(ws)).toMatchObject({ wasClean: true })
    return back
  }

  it.each([
    ['wpt:Send-0byte-data', '', ''],
    ['wpt:Send-65K-data', 'c'.repeat(KIND), 'c'.repeat(KIND)],
    ['wpt:Send-data', 'Message to send', 'Message to send'],
    ['wpt:Send-null', null, 'null'],
    ['wpt:Send-paired-surrogates', '\ud801\udc07', '\ud801\udc07'],
    ['wpt:Send-unicode-data', '\u00a5\u00a5\u00a5\u00a5\u00a5\u00a5', '\u00a5\u00a5\u00a5\u00a5\u00a5\u00a5'],
    ['wpt:Send-unpaired-surrogates', '\ud807', '\ufffd'],
    ['wpt:interfaces/WebSocket/send/005', 'test', 'test'],
    ['wpt:interfaces/WebSocket/send/006', 'a\udc00xb\ud800xc\udc00\ud800x', 'a\ufffdxb\ufffdxc\ufffd\ufffdx'],
    ['wpt:interfaces/WebSocket/send/011', '\u00e5 a\u030a \ud801\udc7e', '\u00e5 a\u030a \ud801\udc7e'],
    ['wpt:interfaces/WebSocket/send/012', null, 'null'],
    ['wpt:extended-payload-length', 'a'.repeat(125), 'a'.repeat(125)],
    ['wpt:extended-payload-length', 'a'.repeat(126), 'a'.repeat(126)],
    ['wpt:extended-payload-length', 'a'.repeat(0xffff), 'a'.repeat(0xffff)],
    ['wpt:extended-payload-length', 'a'.repeat(0x1_0000), 'a'.repeat(0x1_0000)],
  ])('of text comes back as it is, but for lone surrogates [%s]', async (_file, data, expected) => {
    expect(await echoed(data)).toBe(expected)
  })

  it('of anything else is what String makes of it [wpt:interfaces/WebSocket/send/010]', async () => {
    const others: unknown[] = [
      null,
      undefined,
      1,
      globalThis,
      {},
      [],
      new EventTarget(),
      function named() {},
      new Error('x'),
    ]
    for (const other of others) expect(await echoed(other)).toBe(String(other))
  })

  it.each([
    ['wpt:Send-binary-65K-arraybuffer', memory(KIND)],
    ['wpt:Send-binary-arraybuffer', memory(15)],
    ['wpt:Send-binary-arraybufferview-float16', new Float16(memory(8))],
    ['wpt:Send-binary-arraybufferview-float32', new Float32Array(memory(8))],
    ['wpt:Send-binary-arraybufferview-float64', new Float64Array(memory(8))],
    ['wpt:Send-binary-arraybufferview-int8', new Int8Array(memory(8))],
    ['wpt:Send-binary-arraybufferview-int16-offset', new Int16Array(memory(8), 2)],
    ['wpt:Send-binary-arraybufferview-int32', new Int32Array(memory(8))],
    ['wpt:Send-binary-arraybufferview-uint8-offset', new Uint8Array(memory(8), 2)],
    ['wpt:Send-binary-arraybufferview-uint8-offset-length', new Uint8Array(memory(8), 2, 4)],
    ['wpt:Send-binary-arraybufferview-uint16-offset-length', new Uint16Array(memory(8), 2, 2)],
    ['wpt:Send-binary-arraybufferview-uint32-offset', new Uint32Array(memory(8), 4)],
    ['wpt:binary/004', memory(100_000)],
    ['wpt:binary/005', memory(10)],
  ])('of octets comes back as an ArrayBuffer of what the view shows [%s]', async (_file, data) => {
    const back = await echoed(data)
    expect(back).toBeInstanceOf(ArrayBuffer)
    expect(Buffer.from(back as ArrayBuffer)).toEqual(octetsOf(data))
  })

  it.each([
    ['wpt:Send-binary-blob', new Blob([memory(65_000)]), memory(65_000)],
    ['wpt:binary/001', memory(10), memory(10)],
    ['wpt:binary/002', memory(100_000), memory(100_000)],
  ])('of octets comes back as a Blob where binaryType is that [%s]', async (_file, data, expected) => {
    const back = await echoed(data, 'blob')
    expect(back).toBeInstanceOf(Blob)
    expect(Buffer.from(await (back as Blob).arrayBuffer())).toEqual(Buffer.from(expected))
  })

  it('of nothing is one, too [wpt:interfaces/WebSocket/send/009]', async () => {
    const ws = places.create('/empty-message')
    await next(ws, 'open')
    ws.send('')
    expect(await next<MessageEvent>(ws, 'message')).toMatchObject({ data: 'pass' })
    ws.close()
    await closing(ws)
  })

  it('of 64 KiB can be sent fifty times in one go [wpt:send-many-64K-messages-with-backpressure]', async () => {
    const ws = places.create('/receive-many')
    await next(ws, 'open')
    const answers: unknown[] = []
    ws.onmessage = ({ data }) => {
      if (answers.push(data) === 50) ws.close()
    }
    for (let count = 0; count < 50; count++) ws.send(new Uint8Array(65_536))
    expect(await closing(ws)).toMatchObject({ wasClean: true })
    expect(new Set(answers)).toEqual(new Set(['65536']))
  })

  it.each([
    ['wpt:interfaces/WebSocket/bufferedAmount/bufferedAmount-arraybuffer', new ArrayBuffer(10), 10],
    ['wpt:interfaces/WebSocket/bufferedAmount/bufferedAmount-blob', new Blob(['a'.repeat(10)]), 10],
    ['wpt:interfaces/WebSocket/bufferedAmount/bufferedAmount-large', 'x'.repeat(KIND), KIND],
    ['wpt:interfaces/WebSocket/bufferedAmount/bufferedAmount-unicode', '\u00e5'.repeat(4), 8],
  ])('counts at once in bufferedAmount, and not when it has been answered [%s]', async (_file, data, amount) => {
    const ws = places.create('/echo')
    await next(ws, 'open')
    ws.send(data)
    expect(ws.bufferedAmount).toBe(amount)
    await next(ws, 'message')
    expect(ws.bufferedAmount).toBe(0)
    ws.close()
    await closing(ws)
  })

  it('adds to bufferedAmount, which only shrinks between events [wpt:interfaces/WebSocket/bufferedAmount/bufferedAmount-getting]', async () => {
    const ws = places.create('/echo')
    const texts = ['x', '\u00e5', '\u5336', '\ud801\udc7e']
    await next(ws, 'open')
    for (const [index, text] of texts.entries()) {
      ws.send(text)
      expect(ws.bufferedAmount).toBe([1, 3, 6, 10][index])
    }
    const seen: unknown[] = []
    const amounts: number[] = []
    ws.onmessage = ({ data }) => {
      amounts.push(ws.bufferedAmount)
      if (seen.push(data) === texts.length) ws.close()
    }
    await closing(ws)
    expect([seen, amounts.at(-1)]).toEqual([texts, 0])
    expect(amounts.toSorted((a, b) => b - a)).toEqual(amounts)
  })

  it('behind close is not sent [wpt:interfaces/WebSocket/send/007]', async () => {
    const ws = places.create('/echo')
    const log = logOf(ws)
    await next(ws, 'open')
    ws.close()
    ws.send('test')
    await closing(ws)
    expect(log).toEqual(['open', 'close 1005 clean ""'])
  })

  it('in the close event is not sent [wpt:interfaces/WebSocket/send/008]', async () => {
    const ws = places.create('/echo_exit')
    const log = logOf(ws)
    ws.onclose = () => ws.send('test')
    await next(ws, 'open')
    ws.send('Goodbye')
    await closing(ws)
    expect([log, ws.bufferedAmount]).toEqual([['open', 'close 1000 clean ""'], 4])
  })
})

describe('send', () => {
  it('needs an argument [wpt:interfaces/WebSocket/send/001]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    expect(() => Reflect.apply(WebSocket.prototype.send as () => void, ws, [])).toThrow(TypeError)
    ws.close()
    await closing(ws)
  })

  it('can be replaced, as close can [wpt:interfaces/WebSocket/send/002] [wpt:interfaces/WebSocket/close/close-replace]', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    for (const name of ['send', 'close']) {
      expect(Reflect.set(ws, name, 5)).toBe(true)
      expect(Reflect.get(ws, name)).toBe(5)
      expect(Reflect.deleteProperty(ws, name)).toBe(true)
    }
    ws.close()
    await closing(ws)
  })

  it.each([
    ['wpt:Send-before-open', 'a'],
    ['wpt:interfaces/WebSocket/send/003', 'a'],
    ['wpt:interfaces/WebSocket/send/004', 'a\udc00x'],
    ['wpt:interfaces/WebSocket/send/004', 'a\ud800x'],
    ['wpt:interfaces/WebSocket/send/004', 'a\udc00\ud800x'],
  ])('throws an InvalidStateError while connecting [%s]', async (_file, data) => {
    const server = await rawServer()
    const ws = new WebSocket(server.url)
    expect(() => ws.send(data)).toThrow(expect.objectContaining({ name: 'InvalidStateError' }))
    ws.close()
    await closing(ws)
  })
})

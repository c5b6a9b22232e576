/** A connection as its user sees it: what can be sent, what comes of it on the wire, and what it answers. */
import { describe, expect, it } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { MessageData, SendOptions } from '../../src/connection/index.ts'
import { turn, useClock } from '../support/clock.ts'
import { CLOSE, NORMAL, PING, ROLES, TEXT, expectGone, open, opened } from '../support/connection.ts'
import type { Opened } from '../support/connection.ts'
import { NOT_DATA, VIEWS } from '../support/data.ts'
import { pair, parseFrames } from '../support/duplex.ts'
import { encoded } from '../support/prepared.ts'
import { hex, received } from '../support/wire.ts'

async function end(connection: Opened): Promise<void> {
  connection.ws.terminate()
  await turn()
  expectGone(connection)
}

describe.each(ROLES)('Connection as a %s', (role) => {
  useClock()

  async function sent(act: (connection: Opened) => unknown): Promise<string[]> {
    const connection = await opened(role)
    act(connection)
    await turn()
    const { frames } = connection.peer
    await end(connection)
    return frames
  }

  describe('send', () => {
    it.each([
      '',
      'Hello',
      'Grüße, 世界 😀',
      'x'.repeat(125),
      'x'.repeat(126),
      'ü'.repeat(8192),
      'ü'.repeat(8193),
      'x'.repeat(65_536),
    ])('sends a string as text [6455:6.1-01] [6455:6.1-04] [6455:6.1-09] %#', async (text) => {
      expect(await sent(({ ws }) => ws.send(text))).toEqual([`text ${text}`.trimEnd()])
    })

    it.each(VIEWS)('sends a %s as the octets it shows', async (_, make) => {
      for (const length of [0, 16, 125 * 8, 128 * 8, 40_000]) {
        const memory = new ArrayBuffer(length + 64)
        new Uint8Array(memory).fill(7)
        new Uint8Array(memory, 16, length).fill(9)
        expect(await sent(({ ws }) => ws.send(make(memory, 16, length)))).toEqual([
          `binary ${hex(Buffer.alloc(length, 9))}`.trimEnd(),
        ])
      }
    })

    it('sends an ArrayBuffer and a SharedArrayBuffer', async () => {
      for (const memory of [new ArrayBuffer(3), new SharedArrayBuffer(3)]) {
        new Uint8Array(memory).set([1, 2, 3])
        expect(await sent(({ ws }) => ws.send(memory))).toEqual(['binary 01 02 03'])
        expect(await sent(({ ws }) => ws.send(memory, { binary: false }))).toEqual(['text \u0001\u0002\u0003'])
      }
    })

    it('sends text as binary and octets as text when it is told to [6455:6.1-06]', async () => {
      expect(await sent(({ ws }) => ws.send('ü', { binary: true }))).toEqual(['binary c3 bc'])
      expect(await sent(({ ws }) => ws.send(Buffer.from('ü'), { binary: false }))).toEqual(['text ü'])
      expect(await sent(({ ws }) => ws.send('ü', { binary: false }))).toEqual(['text ü'])
      expect(await sent(({ ws }) => ws.send('ü', {}))).toEqual(['text ü'])
    })

    it.each(NOT_DATA)('refuses %s with a TypeError, and sends nothing (V42, V43)', async (_, data) => {
      const frames = await sent(({ ws }) => {
        for (const act of ['send', 'ping', 'pong'] as const) {
          // A missing payload of a Ping or Pong is an empty one.
          if (data === undefined && act !== 'send') continue
          expect(() => ws[act](data as string)).toThrow(TypeError)
          expect(() => ws[act](data as string)).toThrow(expect.objectContaining({ code: 'ERR_WS_INVALID_DATA' }))
        }
        expect(ws.bufferedAmount).toBe(0)
      })
      expect(frames).toEqual([])
    })

    it('refuses memory that is gone', async () => {
      const memory = new ArrayBuffer(8)
      const view = new Uint8Array(memory)
      structuredClone(memory, { transfer: [memory] })
      await sent(({ ws }) => expect(() => ws.send(view)).toThrow(TypeError))
    })

    it('refuses octets as text that are not UTF-8, and sends nothing', async () => {
      const frames = await sent(({ ws }) => {
        expect(() => ws.send(Buffer.from([0x68, 0xff]), { binary: false })).toThrow(TypeError)
        expect(() => ws.send(new Uint8Array([0xed, 0xa0, 0x80]), { binary: false })).toThrow(TypeError)
      })
      expect(frames).toEqual([])
    })

    it('[A23] refuses all that also when the connection has ended', async () => {
      const connection = await opened(role)
      await end(connection)
      const { ws } = connection
      expect(() => ws.send(5 as unknown as string)).toThrow(TypeError)
      expect(() => ws.ping('x'.repeat(126))).toThrow(RangeError)
      expect(() => ws.send('x', { fragmentSize: 0 })).toThrow(RangeError)
      expect(ws.send('x')).toBe(false)
    })

    it('sends fragments when a message is larger than that [6455:6.1-05] [6455:6.1-07]', async () => {
      const send = (data: MessageData, options: SendOptions): Promise<string[]> =>
        sent(({ ws }) => ws.send(data, options))
      expect(await send('abcdefg', { fragmentSize: 3 })).toEqual(['text… abc', '…… def', '… g'])
      expect(await send('abcdef', { fragmentSize: 3 })).toEqual(['text… abc', '… def'])
      expect(await send('abc', { fragmentSize: 3 })).toEqual(['text abc'])
      expect(await send(Buffer.from('abcd'), { fragmentSize: 1 })).toEqual(['binary… 61', '…… b', '…… c', '… d'])
      expect(await send('abc', { fragmentSize: Infinity })).toEqual(['text abc'])
    })

    it('takes the size of fragments from the connection, if the message has none', async () => {
      const connection = await opened(role, { fragmentSize: 2 })
      const { ws, peer } = connection
      ws.send('abc')
      ws.send('abc', { fragmentSize: 3 })
      ws.send('abc', {})
      await turn()
      expect(peer.frames).toEqual(['text… ab', '… c', 'text abc', 'text… ab', '… c'])
      await end(connection)
    })

    it('refuses a size of fragments that is none', async () => {
      const frames = await sent(({ ws }) => {
        for (const fragmentSize of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
          expect(() => ws.send('x', { fragmentSize })).toThrow(RangeError)
        }
        expect(() => ws.send('x', { fragmentSize: '1' as unknown as number })).toThrow(TypeError)
      })
      expect(frames).toEqual([])
    })

    it(`${role === 'client' ? 'masks' : 'does not mask'} what it sends, of every kind [6455:6.1-08] [6455:5.5.1-i01]`, async () => {
      const connection = await opened(role)
      const { ws, peer } = connection
      ws.send('text')
      ws.send(Buffer.alloc(70_000))
      ws.send('')
      ws.ping('ping')
      ws.pong()
      peer.send(PING, 'auto')
      void ws.close(1000, 'reason')
      await turn()
      const masked = parseFrames(role, peer.bytes).map((sentFrame) => sentFrame.masked)
      expect(masked).toEqual(Array(7).fill(role === 'client'))
      await end(connection)
    })

    it('does not change what it is given', async () => {
      for (const length of [10, 1000, 50_000]) {
        const octets = Buffer.alloc(length, 3)
        await sent(({ ws }) => {
          ws.send(octets)
          ws.send(octets, { fragmentSize: 100 })
        })
        expect(octets).toEqual(Buffer.alloc(length, 3))
      }
    })

    it('answers true, and false once it does not send any more [6455:6.1-02]', async () => {
      const connection = await opened(role)
      const { ws, peer } = connection
      expect([ws.send('x'), ws.ping(), ws.pong(), ws.sendPrepared(encoded([]))]).toEqual([true, true, true, true])
      void ws.close(1000)
      const late = [ws.send('x'), ws.ping(), ws.pong(), ws.sendPrepared(encoded([received('client', TEXT, 'x')]))]
      expect(late).toEqual([false, false, false, false])
      await turn()
      expect(peer.frames).toEqual(['text x', 'ping', 'pong', 'close 1000'])
      await end(connection)
    })

    it('sends frames that were encoded before, as they are', async () => {
      const frames = [
        received(role === 'client' ? 'server' : 'client', 0x01, 'a'),
        received(role === 'client' ? 'server' : 'client', 0x80, 'b'),
      ]
      expect(await sent(({ ws }) => expect(ws.sendPrepared(encoded(frames))).toBe(true))).toEqual(['text… a', '… b'])
    })
  })

  describe('ping and pong', () => {
    it('send up to 125 octets of any kind, or none [6455:5.5-01] [6455:5.5.2-01] [6455:5.5.2-04] [6455:5.5.3-02]', async () => {
      for (const act of ['ping', 'pong'] as const) {
        const frames = await sent(({ ws }) => {
          ws[act]()
          ws[act]('ü')
          ws[act](new Uint16Array([0x0201]))
          ws[act](Buffer.alloc(125, 1))
          ws[act](new ArrayBuffer(1))
        })
        expect(frames).toEqual([
          act,
          `${act} c3 bc`,
          `${act} 01 02`,
          `${act} ${hex(Buffer.alloc(125, 1))}`,
          `${act} 00`,
        ])
      }
    })

    it('[A23] refuse more than that, and send nothing [6455:5.5-01]', async () => {
      const frames = await sent(({ ws }) => {
        for (const payload of [Buffer.alloc(126), 'x'.repeat(126), 'ü'.repeat(63)]) {
          expect(() => ws.ping(payload)).toThrow(RangeError)
          expect(() => ws.pong(payload)).toThrow(expect.objectContaining({ code: 'ERR_WS_INVALID_DATA' }))
        }
      })
      expect(frames).toEqual([])
    })

    it('are not fragmented, however small the fragments [6455:5.5-02]', async () => {
      const connection = await opened(role, { fragmentSize: 1 })
      connection.ws.ping('ping')
      connection.peer.send(PING, 'auto')
      void connection.ws.close(1000, 'reason')
      await turn()
      expect(connection.peer.frames).toEqual(['ping 70 69 6e 67', 'pong 61 75 74 6f', 'close 1000 reason'])
      await end(connection)
    })
  })

  it('tells `open` first, with a connection that is open', async () => {
    const seen: unknown[] = []
    const connection = open(role, {
      handler: { open: (ws) => void seen.push(ws, ws.readyState, ws.bufferedAmount) },
      head: received(role, TEXT, 'early'),
    })
    expect(seen).toEqual([connection.ws, 1, 0])
    expect(connection.log).toEqual(['open', 'text early'])
    await turn()
    await end(connection)
  })

  it('keeps data and subprotocol', async () => {
    const [near] = pair({ delivery: 'later' })
    const data = { name: 'Ada' }
    const ws = new Connection<typeof data | undefined>(near, connectionSettings(role, {}), {}, data, 'chat.v2')
    expect([ws.data, ws.protocol]).toEqual([data, 'chat.v2'])
    ws.data = undefined
    expect(ws.data).toBeUndefined()
  })

  it('can be disposed of: that closes it with 1000', async () => {
    const connection = await opened(role)
    const { ws, peer } = connection
    const disposed = ws[Symbol.asyncDispose]()
    await turn()
    expect(peer.frames).toEqual(['close 1000'])
    peer.send(CLOSE, NORMAL)
    peer.end()
    await disposed
    expectGone(connection)
    expect(connection.log).toEqual(['open', 'close 1000 clean local'])
    await ws[Symbol.asyncDispose]()
  })

  it('tells `close` before whoever waits for `closed`, and with nothing left to do', async () => {
    const order: string[] = []
    const connection = await opened(role, {
      handler: {
        close: (ws) => {
          order.push(`close ${ws.readyState}`)
          expect([ws.send('late'), ws.bufferedAmount]).toEqual([false, 0])
          void ws.closed.then(() => order.push('closed, asked for in close'))
        },
      },
    })
    void connection.ws.closed.then(() => order.push('closed'))
    connection.peer.reset()
    await turn()
    expect(order).toEqual(['close 3', 'closed, asked for in close', 'closed'])
    expectGone(connection)
  })

  it('does not need anybody to listen, whatever happens', async () => {
    for (const act of [
      ({ peer }: Opened) => peer.reset(),
      ({ peer }: Opened) => peer.send(0x83),
      ({ peer }: Opened) => peer.end(),
      ({ ws }: Opened) => void ws.drained().then(() => ws.close(1000)),
    ]) {
      const connection = open(role, { onlyHandler: {} })
      await turn()
      act(connection)
      await turn()
      connection.ws.terminate()
      await turn()
      expect(connection.ws.readyState).toBe(3)
    }
  })
})

describe('Two connections', () => {
  useClock()

  it.each(['later', 'within'] as const)('understand each other over a transport that delivers %s', async (delivery) => {
    const [near, far] = pair({ delivery })
    const heard: string[] = []
    const server = new Connection(
      near,
      connectionSettings('server', {}),
      { message: (ws, data, isBinary) => ws.send(data, { binary: isBinary }) },
      undefined,
      '',
    )
    const client = new Connection(
      far,
      connectionSettings('client', {}),
      { message: (_, data) => void heard.push(typeof data === 'string' ? data : hex(data)) },
      undefined,
      '',
    )
    server.start('', Buffer.alloc(0))
    client.start('', Buffer.alloc(0))
    const large = Buffer.alloc(100_000, 'large')
    client.send('Hello')
    client.send(Buffer.from([1, 2, 3]))
    client.send(large, { fragmentSize: 1000 })
    client.send('last', { fragmentSize: 1 })
    await turn(20)
    expect(heard).toEqual(['Hello', '01 02 03', hex(large), 'last'])
    const [ours, theirs] = await Promise.all([client.close(4000, 'done'), server.closed])
    expect(ours).toEqual({ code: 4000, reason: 'done', wasClean: true, initiator: 'local' })
    expect(theirs).toEqual({ code: 4000, reason: 'done', wasClean: true, initiator: 'peer' })
    expect([near.destroyed, far.destroyed]).toEqual([true, true])
  })

  it('[A09] close each other at once', async () => {
    const [near, far] = pair({ delivery: 'later' })
    const ends = [
      new Connection(near, connectionSettings('server', {}), {}, undefined, ''),
      new Connection(far, connectionSettings('client', {}), {}, undefined, ''),
    ]
    for (const ws of ends) ws.start('', Buffer.alloc(0))
    await turn()
    const infos = await Promise.all(ends.map((ws, i) => ws.close(4000 + i)))
    expect(infos).toEqual([
      { code: 4001, reason: '', wasClean: true, initiator: 'local' },
      { code: 4000, reason: '', wasClean: true, initiator: 'local' },
    ])
  })
})

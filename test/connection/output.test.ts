/**
 * The way out: what is written together, in which order, what waits, and whose memory it is. In memory where the shape of
 * the writes matters, over TCP where the kernel's does.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Connection, connectionSettings, createCounts } from '../../src/connection/index.ts'
import type { ConnectionHandler, ConnectionOptions } from '../../src/connection/index.ts'
import { Burst } from '../../src/connection/burst.ts'
import { Output } from '../../src/connection/output.ts'
import { PreparedMessage } from '../../src/connection/prepared.ts'
import type { Role } from '../../src/framing/rules.ts'
import { turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, ROLES, TEXT, expectGone, open, opened } from '../support/connection.ts'
import type { Opened } from '../support/connection.ts'
import { Peer, describeFrame, parseFrames, parsePart } from '../support/duplex.ts'
import type { SentFrame } from '../support/duplex.ts'
import { encoded } from '../support/prepared.ts'
import { socketPair } from '../support/sockets.ts'
import { hex, received, wire } from '../support/wire.ts'

/** Who asks for nothing. */
const owner = {
  settings: { counts: createCounts() },
  written: () => {},
  outputDrained: () => {},
  outputWaits: () => {},
}

async function end(connection: Opened): Promise<void> {
  connection.ws.terminate()
  await turn()
  expectGone(connection)
}

describe.each(ROLES)('Output of a %s', (role) => {
  useClock()

  it('writes all that one read caused in one write, Pongs and echoes in order', async () => {
    const connection = await opened(role, { handler: { message: (ws, data) => ws.send(data) } })
    const { peer } = connection
    peer.write(
      received(role, TEXT, 'one'),
      received(role, PING, 'p'),
      received(role, BINARY, 'two'),
      received(role, TEXT, ''),
    )
    expect(peer.writes).toHaveLength(1)
    expect(peer.frames).toEqual(['text one', 'pong 70', 'binary 74 77 6f', 'text'])
    await end(connection)
  })

  it('writes greeting, early messages and the answers to them in two writes: before the head, and after it', async () => {
    const connection = open(role, {
      greeting: 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      head: Buffer.concat([received(role, TEXT, 'a'), received(role, TEXT, 'b')]),
      handler: { open: (ws) => ws.send('welcome'), message: (ws, data) => ws.send(data) },
    })
    const { peer } = connection
    expect(peer.writes).toHaveLength(2)
    const greeting = peer.writes[0].toString('latin1')
    expect(greeting.startsWith('HTTP/1.1 101 Switching Protocols\r\n\r\n')).toBe(true)
    const bytes = peer.bytes.subarray(greeting.indexOf('\r\n\r\n') + 4)
    expect(parseFrames(role, bytes).map((sent) => describeFrame(sent))).toEqual(['text welcome', 'text a', 'text b'])
    await end(connection)
  })

  it('gathers what is sent outside of a read until the tick ends', async () => {
    const connection = await opened(role)
    const { ws, peer } = connection
    for (let i = 0; i < 5; i++) ws.send(`${i}`)
    ws.ping('p')
    ws.send(Buffer.alloc(20_000, 1))
    ws.send('last')
    expect(peer.writes).toEqual([])
    await turn(1)
    expect(peer.writes).toHaveLength(1)
    ws.send('again')
    await turn(1)
    expect(peer.writes).toHaveLength(2)
    expect(peer.frames.map((frame) => frame.slice(0, 9))).toEqual([
      'text 0',
      'text 1',
      'text 2',
      'text 3',
      'text 4',
      'ping 70',
      'binary 01',
      'text last',
      'text agai',
    ])
    await end(connection)
  })

  it('gathers for each connection by itself', async () => {
    const connections = await Promise.all([1, 2, 3].map(() => opened(role)))
    for (let i = 0; i < 6; i++) connections[i % 3].ws.send(`${i}`)
    await turn(1)
    expect(connections.map(({ peer }) => [peer.writes.length, ...peer.frames])).toEqual([
      [1, 'text 0', 'text 3'],
      [1, 'text 1', 'text 4'],
      [1, 'text 2', 'text 5'],
    ])
    for (const connection of connections) await end(connection)
  })

  it('sends to another connection at the end of the tick, while its own read is being worked through', async () => {
    const other = await opened(role)
    const connection = await opened(role, {
      handler: {
        message: (ws, data) => {
          other.ws.send(data)
          ws.send(data)
        },
      },
    })
    connection.peer.write(received(role, TEXT, 'a'), received(role, TEXT, 'b'))
    expect([connection.peer.writes.length, other.peer.writes.length]).toEqual([1, 0])
    await turn(1)
    expect([other.peer.writes.length, other.peer.frames]).toEqual([1, ['text a', 'text b']])
    await end(connection)
    await end(other)
  })

  it('keeps the order of small, large and fragmented messages, Pings and a Close', async () => {
    const connection = await opened(role)
    const { ws, peer } = connection
    const large = Buffer.alloc(40_000, 'l')
    const expected: string[] = []
    const send = (act: () => unknown, ...frames: readonly string[]): void => void (act(), expected.push(...frames))
    for (let i = 0; i < 3; i++) {
      send(() => ws.send(`small ${i}`), `text small ${i}`)
      send(() => ws.send(large, { binary: false }), `text ${large.toString()}`)
      send(() => ws.send('fragments', { fragmentSize: 4 }), 'text… frag', '…… ment', '… s')
      send(() => ws.ping('p'), 'ping 70')
      send(
        () => ws.send(large, { fragmentSize: 30_000 }),
        `binary… ${hex(large.subarray(0, 30_000))}`,
        `… ${large.toString('utf8', 30_000)}`,
      )
    }
    send(() => ws.close(1000, 'bye'), 'close 1000 bye')
    await turn()
    expect(peer.frames).toEqual(expected)
    await end(connection)
  })

  it('counts what waits, headers included, here and in the socket', async () => {
    const connection = await opened(role)
    const { ws, peer } = connection
    const overhead = role === 'client' ? 4 : 0
    expect(ws.bufferedAmount).toBe(0)
    ws.send('12345')
    expect(ws.bufferedAmount).toBe(7 + overhead)
    ws.send(Buffer.alloc(20_000))
    expect(ws.bufferedAmount).toBe(7 + 20_004 + 2 * overhead)
    await turn()
    expect(ws.bufferedAmount).toBe(0)
    peer.stopReading()
    ws.send('12345')
    await turn()
    expect(ws.bufferedAmount).toBe(7 + overhead)
    ws.send('12345')
    expect(ws.bufferedAmount).toBe(2 * (7 + overhead))
    peer.goOnReading()
    await turn()
    expect(ws.bufferedAmount).toBe(0)
    await end(connection)
  })

  it('forgets what waits when the connection is terminated', async () => {
    const connection = await opened(role)
    const { ws, peer } = connection
    peer.stopReading()
    ws.send(Buffer.alloc(100_000))
    await turn()
    ws.send('waits')
    const written = vi.spyOn(peer.transport, 'write')
    ws.terminate()
    ws.send('late')
    await turn()
    expect(written).not.toHaveBeenCalled()
    peer.goOnReading()
    expect(peer.bytes).toHaveLength(0)
    expectGone(connection)
  })

  describe('under pressure', () => {
    it('answers false from the high-water mark on, and says when that is over, once', async () => {
      const connection = await opened(role, { highWaterMark: 20_000 })
      const { ws, peer, log } = connection
      peer.stopReading()
      const payload = 20_000 - (role === 'client' ? 8 : 4)
      expect(ws.send('x'.repeat(payload - 1))).toBe(true)
      await turn()
      expect(log).toEqual(['open'])
      peer.goOnReading()
      await turn()
      peer.stopReading()
      expect(ws.send('x'.repeat(payload))).toBe(false)
      expect(ws.send('more')).toBe(false)
      expect(ws.ping()).toBe(false)
      expect(ws.pong()).toBe(false)
      await turn()
      expect(log).toEqual(['open'])
      peer.goOnReading()
      await turn()
      expect(log).toEqual(['open', 'drain'])
      expect(ws.send('again')).toBe(true)
      await turn()
      expect(log).toEqual(['open', 'drain'])
      await end(connection)
    })

    it('answers true to a peer that takes everything, however much it is', async () => {
      const connection = await opened(role, { highWaterMark: 100 })
      for (let i = 0; i < 10; i++) expect(connection.ws.send(Buffer.alloc(50_000))).toBe(true)
      await turn()
      expect(connection.log).toEqual(['open'])
      await end(connection)
    })

    it.each([
      ['above', 16_384, 40_000],
      ['below', 65_536, 40_000],
      ['far below', 65_536, 1],
    ])('says so with a high-water mark %s the socket’s', async (_, writableHighWaterMark, highWaterMark) => {
      const connection = await opened(role, { highWaterMark, writableHighWaterMark })
      const { ws, peer, log } = connection
      peer.stopReading()
      let settled = 0
      for (let i = 0; i < 3; i++) {
        expect(ws.send('x'.repeat(50_000))).toBe(false)
        const waiting = [ws.drained(), ws.drained()]
        for (const drained of waiting) void drained.then(() => settled++)
        await turn(4)
        expect([settled, log.length]).toEqual([2 * i, i + 1])
        // Whoever goes on sending waits for that too.
        ws.send('x'.repeat(50_000))
        await turn(4)
        expect([settled, log.length]).toEqual([2 * i, i + 1])
        peer.goOnReading()
        await Promise.all(waiting)
        await turn()
        expect([ws.bufferedAmount, log]).toEqual([0, ['open', ...Array<string>(i + 1).fill('drain')]])
        peer.stopReading()
      }
      await end(connection)
    })

    it('waits for the last octet even if the peer takes only some at first', async () => {
      // The socket never holds us back: only an empty write tells when it is done.
      const connection = await opened(role, { highWaterMark: 10, writableHighWaterMark: 1e9 })
      const { ws, peer, log } = connection
      peer.stopReading()
      ws.send('x'.repeat(100))
      await turn()
      peer.readOnce()
      ws.send('y'.repeat(100))
      await turn()
      peer.readOnce()
      await turn()
      expect([ws.bufferedAmount > 0, log]).toEqual([true, ['open']])
      peer.goOnReading()
      await turn()
      expect([ws.bufferedAmount, log]).toEqual([0, ['open', 'drain']])
      await end(connection)
    })

    it('settles `drained` as soon as less waits than the high-water mark, `drain` when nothing does', async () => {
      const connection = await opened(role, { highWaterMark: 50_000 })
      const { ws, peer, log } = connection
      peer.stopReading()
      ws.send('x'.repeat(40_000))
      await turn()
      expect(ws.send('y'.repeat(40_000))).toBe(false)
      peer.readOnce()
      expect(ws.bufferedAmount).toBeLessThan(50_000)
      await ws.drained()
      expect(log).toEqual(['open'])
      peer.goOnReading()
      await turn()
      expect(log).toEqual(['open', 'drain'])
      await end(connection)
    })

    it('settles `drained` at once when nothing waits', async () => {
      const connection = await opened(role)
      await connection.ws.drained()
      connection.ws.send('little')
      await connection.ws.drained()
      expect(connection.peer.frames).toEqual([])
      await end(connection)
    })

    it('settles `drained` for Pongs that wait, of which `send` has not answered anything', async () => {
      const waiting: Promise<void>[] = []
      const connection = await opened(role, {
        highWaterMark: 10,
        handler: { message: (ws) => void waiting.push(ws.drained()) },
      })
      connection.peer.write(received(role, PING, 'x'.repeat(100)), received(role, TEXT, 'now'))
      await Promise.all(waiting)
      expect([waiting.length, connection.log.at(-1)]).toEqual([1, 'text now'])
      await end(connection)
    })

    it('settles `drained` while the connection closes, once what it waits for has left, and tells no `drain`', async () => {
      const connection = await opened(role)
      const { ws, peer, log } = connection
      peer.stopReading()
      expect(ws.send('x'.repeat(70_000))).toBe(false)
      const waiting = ws.drained()
      void ws.close(1000)
      peer.goOnReading()
      await turn()
      await waiting
      expect([ws.readyState, log]).toEqual([2, ['open']])
      await end(connection)
    })

    it('rejects `drained` when the connection ends first, and after it', async () => {
      const connection = await opened(role)
      const { ws, peer, log } = connection
      peer.stopReading()
      ws.send('x'.repeat(70_000))
      const waiting = ws.drained()
      void ws.close(1000)
      await expect(ws.drained()).rejects.toMatchObject({ name: 'ConnectionClosedError', initiator: 'local' })
      ws.terminate()
      await expect(waiting).rejects.toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: 1006 })
      await expect(ws.drained()).rejects.toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: 1006 })
      expect(log).toEqual(['open', 'close 1006 unclean local'])
      expectGone(connection)
    })

    it.each([16_384, 1e9])(
      'says nothing of a drain to whoever closed or terminated meanwhile (%i)',
      async (writableHighWaterMark) => {
        for (const act of ['close', 'terminate'] as const) {
          const connection = await opened(role, { writableHighWaterMark })
          const { ws, peer, log } = connection
          peer.stopReading()
          ws.send('x'.repeat(70_000))
          await turn()
          void ws[act]()
          peer.goOnReading()
          await turn()
          expect(log).not.toContain('drain')
          await end(connection)
        }
      },
    )

    it('[V34] fails at maxBufferedAmount, not one octet earlier [6455:6.1-03]', async () => {
      const overhead = role === 'client' ? 8 : 4
      const connection = await opened(role, { maxBufferedAmount: 1000 })
      const { ws, peer, log } = connection
      peer.stopReading()
      ws.send('x'.repeat(999 - overhead))
      expect(ws.bufferedAmount).toBe(999)
      expect(ws.send('')).toBe(true)
      expect(ws.readyState).toBe(1)
      expect(ws.ping()).toBe(false)
      expect(ws.readyState).toBe(2)
      await turn()
      expect(log.slice(1)).toEqual([
        'error ERR_WS_BUFFER_OVERFLOW',
        'close 1006 unclean local (ERR_WS_BUFFER_OVERFLOW)',
      ])
      expectGone(connection)
    })

    it('takes what is more than that, when nothing waits, and what a reading peer takes at once', async () => {
      const connection = await opened(role, { maxBufferedAmount: 1000 })
      for (let i = 0; i < 10; i++) connection.ws.send(Buffer.alloc(2000))
      await turn()
      expect(connection.peer.frames).toHaveLength(10)
      await end(connection)
    })

    it('applies that to what was encoded once for many, too', async () => {
      const connection = await opened(role, { maxBufferedAmount: 1000, highWaterMark: 500 })
      const { ws, peer } = connection
      const frame = received(role === 'client' ? 'server' : 'client', BINARY, Buffer.alloc(600))
      peer.stopReading()
      expect(ws.sendPrepared(encoded([frame, frame]))).toBe(false)
      expect(ws.sendPrepared(encoded([frame]))).toBe(false)
      expect(ws.readyState).toBe(2)
      expect(ws.sendPrepared(encoded([frame]))).toBe(false)
      await turn()
      expectGone(connection)
    })
  })

  describe('of Pongs', () => {
    it('answers ten Pings with ten Pongs, in order, with the same payloads [6455:5.5.2-02] [6455:5.5.2-03] [6455:5.5.3-i01] [6455:5.5.2-01]', async () => {
      const connection = await opened(role)
      const { peer, log } = connection
      for (let i = 0; i < 10; i++) peer.send(PING, Buffer.alloc(i === 9 ? 125 : i, i))
      const payloads = Array.from({ length: 10 }, (_, i) => hex(Buffer.alloc(i === 9 ? 125 : i, i)))
      expect(peer.frames).toEqual(payloads.map((payload) => `pong ${payload}`.trimEnd()))
      expect(log).toEqual(['open', ...payloads.map((payload) => `ping ${payload}`.trimEnd())])
      await end(connection)
    })

    it('answers a Ping in the middle of a message', async () => {
      const connection = await opened(role)
      connection.peer.send(0x01, 'frag')
      connection.peer.send(PING, 'now')
      expect(connection.peer.frames).toEqual(['pong 6e 6f 77'])
      connection.peer.send(0x80, 'ments')
      expect(connection.log).toEqual(['open', 'ping 6e 6f 77', 'text fragments'])
      await end(connection)
    })

    it('[V33] answers only the latest Ping of a peer that does not read [6455:5.5.3-01]', async () => {
      const connection = await opened(role)
      const { ws, peer, log } = connection
      peer.stopReading()
      ws.send(Buffer.alloc(20_000))
      await turn()
      const waiting = ws.bufferedAmount
      for (let i = 0; i < 1000; i++) peer.send(PING, `${i}`)
      expect(ws.bufferedAmount).toBe(waiting)
      expect(log).toHaveLength(1001)
      peer.goOnReading()
      await turn()
      expect(peer.frames.slice(1)).toEqual([`pong ${hex(Buffer.from('999'))}`])
      peer.send(PING, 'next')
      expect(peer.frames.slice(2)).toEqual([`pong ${hex(Buffer.from('next'))}`])
      await end(connection)
    })

    it('bounds what a flood of Pings can make wait', async () => {
      const connection = await opened(role)
      connection.peer.stopReading()
      const flood = Buffer.concat(Array.from({ length: 400 }, () => received(role, PING, Buffer.alloc(125))))
      for (let i = 0; i < 40; i++) connection.peer.write(flood)
      await turn()
      // What one read caused; from then on the socket holds us back.
      expect(connection.ws.bufferedAmount).toBeLessThan(2 * flood.length)
      await end(connection)
    })

    it('does not answer it any more when a Close came in between [6455:5.5.2-02]', async () => {
      const connection = await opened(role)
      const { ws, peer } = connection
      peer.stopReading()
      ws.send('x'.repeat(20_000))
      await turn()
      peer.send(PING, 'a')
      peer.send(CLOSE, NORMAL)
      peer.goOnReading()
      await turn()
      expect(peer.frames.slice(1)).toEqual(['close 1000'])
      peer.end()
      await turn()
      expectGone(connection)
    })

    it('nor behind its own FIN, when what it waited for turns out to be gone', async () => {
      const connection = await opened(role, { highWaterMark: 10 })
      const { ws, peer } = connection
      peer.stopReading()
      ws.send('x'.repeat(100))
      ws.send('y'.repeat(20_000))
      await turn()
      peer.send(PING, 'a')
      peer.end()
      await turn()
      peer.goOnReading()
      await turn()
      expect(peer.frames.map((frame) => frame.slice(0, 6))).toEqual(['text x', 'text y'])
      expect(connection.log.at(-1)).toBe('close 1006 unclean network')
      expectGone(connection)
    })

    it('nor when a FIN did', async () => {
      const connection = await opened(role)
      const { ws, peer, log } = connection
      peer.stopReading()
      ws.send('x'.repeat(20_000))
      await turn()
      peer.send(PING, 'a')
      peer.end()
      await turn()
      peer.goOnReading()
      await turn()
      expect(peer.frames).toHaveLength(1)
      expect(log.at(-1)).toBe('close 1006 unclean network')
      expectGone(connection)
    })
  })
})

describe('Output over TCP', () => {
  const connections: Connection[] = []
  const sockets: Socket[] = []
  afterEach(async () => {
    for (const ws of connections.splice(0)) ws.terminate()
    for (const socket of sockets.splice(0)) socket.destroy()
    vi.restoreAllMocks()
    await turn()
  })

  async function bind(
    role: Role,
    handler: ConnectionHandler = {},
    options: ConnectionOptions = {},
  ): Promise<{ ws: Connection; far: Socket; near: Socket }> {
    const { near, far } = await socketPair()
    const settings = connectionSettings(role, { heartbeat: false, maxBufferedAmount: Infinity, ...options })
    const ws = new Connection(near, settings, handler, undefined, '')
    ws.start('', Buffer.alloc(0))
    connections.push(ws)
    sockets.push(near, far)
    return { ws, far, near }
  }
  /** Reads until `count` frames are there. */
  async function readFrames(role: Role, far: Socket, count: number): Promise<SentFrame[]> {
    const frames: SentFrame[] = []
    let rest = Buffer.alloc(0)
    far.resume()
    while (frames.length < count) {
      const [chunk] = (await once(far, 'data')) as [Buffer]
      const part = parsePart(role, Buffer.concat([rest, chunk]))
      frames.push(...part.frames)
      rest = Buffer.from(part.rest)
    }
    far.pause()
    return frames
  }

  it.each(ROLES)('never reuses memory that a socket still holds (%s)', async (role) => {
    // Two connections take turns with the slab. One peer does not read, so that its writes stay pending; the other does.
    const echo: ConnectionHandler = {
      message: (ws, data) => void [ws.send(`${String(data)} `.repeat(40)), ws.send(data)],
    }
    const slow = await bind(role, echo)
    const quick = await bind(role, echo)
    let count = 0
    const batch = (): Buffer =>
      Buffer.concat(Array.from({ length: 50 }, () => received(role, TEXT, `message ${count++}`)))
    const expected = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) => [`message ${from + i} `.repeat(40), `message ${from + i}`]).flat()
    const texts = (frames: readonly SentFrame[]): string[] => frames.map(({ payload }) => payload.toString())

    const ranges: [number, number][] = []
    while (slow.near.writableLength === 0 || ranges.length < 30) {
      const from = count
      slow.ws.receive(batch())
      ranges.push([from, count])
      if (ranges.length > 2000) throw new Error('the kernel takes everything')
    }
    for (let i = 0; i < 20; i++) {
      const from = count
      quick.ws.receive(batch())
      expect(texts(await readFrames(role, quick.far, 2 * (count - from)))).toEqual(expected(from, count))
      const pending = count
      slow.ws.receive(batch())
      ranges.push([pending, count])
    }
    const all = ranges.flatMap(([from, to]) => expected(from, to))
    expect(texts(await readFrames(role, slow.far, all.length))).toEqual(all)
    expect(slow.ws.bufferedAmount).toBe(0)
  })

  it.each(ROLES)('fills the slab more than once within a batch, in order (%s)', async (role) => {
    const lengths = [10, 16_000, 60_000, 65_000, 70_000, 5, 16_380, 16_384, 16_385, 30_000, 1]
    const { ws, far } = await bind(role, {
      message: (connection) => {
        for (const [i, length] of lengths.entries()) connection.send(Buffer.alloc(length, i))
        connection.send('text '.repeat(3000))
      },
    })
    for (let i = 0; i < 5; i++) {
      ws.receive(received(role, TEXT, 'go'))
      const frames = await readFrames(role, far, lengths.length + 1)
      expect(frames.map(({ payload }) => payload.length)).toEqual([...lengths, 15_000])
      for (const [fill, length] of lengths.entries()) {
        expect(frames[fill].payload.equals(Buffer.alloc(length, fill))).toBe(true)
      }
    }
  })

  it.each(ROLES)('puts what is in the slab between what is not, where it belongs (%s)', async (role) => {
    const { ws, far } = await bind(role, {
      message: (connection) => {
        connection.send('before')
        connection.send(Buffer.alloc(20_000, 1))
        connection.send('between')
        connection.send('b'.repeat(17_000))
        connection.ping('behind')
      },
    })
    ws.receive(received(role, TEXT, 'go'))
    const frames = await readFrames(role, far, 5)
    expect(frames.map((sent) => describeFrame(sent).slice(0, 14))).toEqual([
      'text before',
      'binary 01 01 0',
      'text between',
      'text bbbbbbbbb',
      'ping 62 65 68 ',
    ])
  })

  it('takes no memory for a batch that the kernel takes whole', async () => {
    const { ws, far } = await bind('server', { message: (connection, data) => connection.send(data) })
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow')
    const pooled = vi.spyOn(Buffer, 'allocUnsafe')
    for (let i = 0; i < 200; i++) {
      const bytes = received('server', TEXT, 'x'.repeat(1000))
      pooled.mockClear()
      ws.receive(bytes)
      expect([allocated.mock.calls.length, pooled.mock.calls.length]).toEqual([0, 0])
      await readFrames('server', far, 1)
    }
  })

  it('takes a slab for many batches that wait, not one for each', async () => {
    const { ws, near } = await bind('server', { message: (connection) => connection.send('x'.repeat(500)) })
    while (near.writableLength === 0) ws.receive(received('server', TEXT, 'x'))
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow')
    for (let i = 0; i < 100; i++) ws.receive(received('server', TEXT, 'x'))
    expect(allocated.mock.calls.length).toBeLessThanOrEqual(1)
  })

  it('drops from the slab what a handler lost by terminating, and harms nobody with it', async () => {
    const lost = await bind('server', {
      message: (connection) => {
        connection.send('lost')
        connection.terminate()
        connection.send('lost too')
      },
    })
    const other = await bind('server', { message: (connection, data) => connection.send(data) })
    const written = vi.spyOn(lost.near, 'write')
    lost.ws.receive(received('server', TEXT, 'go'))
    expect(written).not.toHaveBeenCalled()
    other.ws.receive(received('server', TEXT, 'kept'))
    const [frame] = await readFrames('server', other.far, 1)
    expect(describeFrame(frame)).toBe('text kept')
    const heard: Buffer[] = []
    lost.far.on('data', (chunk: Buffer) => heard.push(chunk)).resume()
    await once(lost.far, 'close')
    expect(heard).toEqual([])
  })

  it('says when a kernel that was full has taken everything', async () => {
    const told: string[] = []
    const { ws, far } = await bind('server', { drain: () => void told.push('drain') })
    while (ws.send(Buffer.alloc(100_000)));
    expect(ws.bufferedAmount).toBeGreaterThanOrEqual(65_536)
    far.resume()
    await ws.drained()
    await turn()
    expect([ws.bufferedAmount, told]).toEqual([0, ['drain']])
  })

  it.each(ROLES)('passes large octets on as they lie there, or masked in a copy (%s)', async (role) => {
    const { ws, far } = await bind(role)
    const octets = Buffer.alloc(50_000, 1)
    ws.send(octets)
    expect(octets.equals(Buffer.alloc(50_000, 1))).toBe(true)
    octets.fill(2)
    const [{ payload }] = await readFrames(role, far, 1)
    expect(payload.equals(Buffer.alloc(50_000, role === 'server' ? 2 : 1))).toBe(true)
    // Small ones are copied in both roles.
    const few = Buffer.alloc(16_384, 1)
    ws.send(few)
    few.fill(2)
    const [small] = await readFrames(role, far, 1)
    expect(small.payload).toEqual(Buffer.alloc(16_384, 1))
  })

  it('ends on a reset while much waits', async () => {
    const { ws, far } = await bind('server')
    while (ws.send(Buffer.alloc(100_000)));
    far.resetAndDestroy()
    expect(await ws.closed).toMatchObject({ code: 1006, wasClean: false, initiator: 'network' })
    await expect(ws.drained()).rejects.toMatchObject({ code: 'ERR_WS_CLOSED' })
    expect(ws.bufferedAmount).toBe(0)
  })
})

describe('Output of broadcasts', () => {
  useClock()

  interface Receiving extends Opened {
    /** What was handed to the transport, by reference, a list a write. */
    readonly handed: Buffer[][]
  }

  async function receivers(count: number, options: Parameters<typeof opened>[1] = {}): Promise<Receiving[]> {
    return Promise.all(
      Array.from({ length: count }, async () => {
        const connection = await opened('server', options)
        const handed: Buffer[][] = []
        const { peer } = connection
        vi.spyOn(peer, 'take').mockImplementation((chunks, done) => {
          handed.push([...chunks])
          peer.writes.push(Buffer.concat(chunks))
          done()
        })
        return { ...connection, handed }
      }),
    )
  }
  const message = (data: string | Buffer, fragmentSize = Infinity): PreparedMessage =>
    new PreparedMessage(data, undefined, fragmentSize)
  function broadcast(connections: readonly Receiving[], prepared: PreparedMessage): void {
    for (const { ws } of connections) ws.sendPrepared(prepared)
  }
  function framesOf(prepared: PreparedMessage): readonly Buffer[] {
    const frames = prepared.framesFor(undefined)
    if (!(frames instanceof Burst)) throw new Error('not at hand')
    return frames.chunks
  }
  async function endAll(connections: readonly Receiving[]): Promise<void> {
    for (const connection of connections) await end(connection)
  }

  it('is one write of one Buffer, the same for all, however many there are in a tick', async () => {
    const connections = await receivers(4)
    for (const text of ['a', 'b', 'c']) broadcast(connections, message(text))
    expect(connections.map(({ ws }) => ws.bufferedAmount)).toEqual([9, 9, 9, 9])
    await turn(1)
    for (const { handed, peer, ws } of connections) {
      expect(peer.frames).toEqual(['text a', 'text b', 'text c'])
      expect(handed).toHaveLength(1)
      expect(handed[0]).toHaveLength(1)
      expect(handed[0][0]).toBe(connections[0].handed[0][0])
      expect(ws.bufferedAmount).toBe(0)
    }
    // The next tick is another matter.
    broadcast(connections, message('d'))
    await turn(1)
    expect(connections.map(({ peer, handed }) => [peer.frames.at(-1), handed.length])).toEqual(
      Array.from({ length: 4 }, () => ['text d', 2]),
    )
    await endAll(connections)
  })

  it('is the frames themselves, shared by all, when it is one', async () => {
    const connections = await receivers(3)
    broadcast(connections, message('abcde', 2))
    await turn(1)
    for (const { handed, peer } of connections) {
      expect(peer.frames).toEqual(['text… ab', '…… cd', '… e'])
      expect(handed).toEqual([connections[0].handed[0]])
      for (const [i, chunk] of handed[0].entries()) expect(chunk).toBe(connections[0].handed[0][i])
    }
    await endAll(connections)
  })

  it('goes to each connection in its own order, where they do not all receive the same', async () => {
    const connections = await receivers(4)
    const [a, b, c] = ['a', 'b', 'c'].map((text) => message(text))
    for (const [prepared, which] of [
      [a, [0, 1, 2, 3]],
      [b, [0, 1]],
      [c, [3, 2, 1, 0]],
      [a, [0, 2]],
    ] as const) {
      broadcast(
        which.map((i) => connections[i]),
        prepared,
      )
    }
    await turn(1)
    expect(connections.map(({ peer, handed }) => [handed.length, ...peer.frames])).toEqual([
      [1, 'text a', 'text b', 'text c', 'text a'],
      [1, 'text a', 'text b', 'text c'],
      [1, 'text a', 'text c', 'text a'],
      [1, 'text a', 'text c'],
    ])
    await endAll(connections)
  })

  it('keeps its place among what else is sent, and counts with it', async () => {
    const connections = await receivers(2)
    const [{ ws }] = connections
    broadcast(connections, message('a'))
    broadcast(connections, message('b'))
    ws.send('between')
    expect(connections.map((connection) => connection.ws.bufferedAmount)).toEqual([6 + 9, 6])
    broadcast(connections, message('c'))
    broadcast(connections, message('d'))
    ws.ping('p')
    broadcast(connections, message('e'))
    expect(connections.map((connection) => connection.ws.bufferedAmount)).toEqual([15 + 9 + 3, 15])
    await turn(1)
    expect(connections.map(({ peer, handed }) => [handed.length, ...peer.frames])).toEqual([
      [1, 'text a', 'text b', 'text between', 'text c', 'text d', 'ping 70', 'text e'],
      [1, 'text a', 'text b', 'text c', 'text d', 'text e'],
    ])
    expect(connections.map((connection) => connection.ws.bufferedAmount)).toEqual([0, 0])
    await endAll(connections)
  })

  it('stands behind what had been sent before it in the tick', async () => {
    const connections = await receivers(2)
    connections[0].ws.send('before')
    broadcast(connections, message('a'))
    broadcast(connections, message('b'))
    await turn(1)
    expect(connections.map(({ peer, handed }) => [handed.length, ...peer.frames])).toEqual([
      [1, 'text before', 'text a', 'text b'],
      [1, 'text a', 'text b'],
    ])
    await endAll(connections)
  })

  it('is not put together above 16 KiB, but leaves in one write all the same', async () => {
    const connections = await receivers(2)
    const large = Buffer.alloc(10_000, 'l')
    broadcast(connections, message('a'))
    for (let i = 0; i < 2; i++) broadcast(connections, message(large))
    broadcast(connections, message('z'))
    expect(connections.map(({ ws }) => ws.bufferedAmount)).toEqual([20_014, 20_014])
    await turn(1)
    for (const { handed, peer } of connections) {
      expect(peer.frames).toEqual(['text a', `binary ${hex(large)}`, `binary ${hex(large)}`, 'text z'])
      // What was put together before it was too much, and the others as they are.
      expect(handed.map((chunks) => chunks.map(({ length }) => length))).toEqual([[3 + 10_004, 10_004, 3]])
      for (const [i, chunk] of handed[0].entries()) expect(chunk).toBe(connections[0].handed[0][i])
    }
    await endAll(connections)
  })

  it('passes on by reference what is too large to be copied', async () => {
    const connections = await receivers(2)
    const large = Buffer.alloc(20_000, 1)
    broadcast(connections, message(large))
    broadcast(connections, message('z'))
    await turn(1)
    for (const { handed } of connections) {
      expect(handed[0].map(({ length }) => length)).toEqual([4, 20_000, 3])
      expect(handed[0][1].buffer).toBe(large.buffer)
    }
    await endAll(connections)
  })

  it('is forgotten by a connection that is terminated before it left, and by no other', async () => {
    const connections = await receivers(2)
    broadcast(connections, message('a'))
    broadcast(connections, message('b'))
    connections[0].ws.terminate()
    expect(connections[0].ws.bufferedAmount).toBe(0)
    broadcast(connections, message('c'))
    await turn(1)
    expect(connections.map(({ peer }) => peer.frames)).toEqual([[], ['text a', 'text b', 'text c']])
    await endAll(connections)
  })

  it('is answered by what waits, which the high-water mark is held against', async () => {
    const [{ ws, peer, log }] = await receivers(1, { highWaterMark: 100 })
    vi.mocked(peer.take).mockRestore()
    peer.stopReading()
    expect(ws.sendPrepared(message('x'.repeat(50)))).toBe(true)
    expect(ws.sendPrepared(message('y'.repeat(50)))).toBe(false)
    await turn()
    expect(ws.bufferedAmount).toBe(104)
    peer.goOnReading()
    await turn()
    expect([ws.bufferedAmount, log]).toEqual([0, ['open', 'drain']])
    ws.terminate()
    await turn()
  })

  it('is what was sent to each connection, in order, whatever it is and whoever else sends', async () => {
    const step = fc.record({
      data: fc.oneof(
        fc.string({ maxLength: 200 }),
        fc.nat(9000).map((length) => Buffer.alloc(length, length)),
      ),
      fragmentSize: fc.constantFrom(Infinity, 100),
      // Whom it goes to, a bit each; and who sends something of his own behind it.
      to: fc.nat(7),
      own: fc.nat(7),
      tick: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const connections = await receivers(3)
        const expected = connections.map(() => [] as Buffer[])
        for (const { data, fragmentSize, to, own, tick } of steps) {
          const prepared = message(data, fragmentSize)
          for (const [i, { ws }] of connections.entries()) {
            if (((to >> i) & 1) !== 0) {
              ws.sendPrepared(prepared)
              expected[i].push(...framesOf(prepared))
            }
            if (((own >> i) & 1) !== 0) {
              ws.send('own')
              expected[i].push(wire('81 03 6f776e'))
            }
            const handed = connections[i].peer.bytes.length
            expect(handed + ws.bufferedAmount).toBe(Buffer.concat(expected[i]).length)
          }
          if (tick) await turn(1)
        }
        await turn(1)
        for (const [i, { peer }] of connections.entries()) {
          expect(peer.bytes.equals(Buffer.concat(expected[i]))).toBe(true)
        }
        await endAll(connections)
      }),
      { numRuns: 50 },
    )
  })
})

describe('Output', () => {
  function claim(output: Output, literal: string): void {
    const bytes = wire(literal)
    const at = output.claim(bytes.length)
    output.bytes.set(bytes, at)
  }
  function burst(literal: string): Burst {
    return new Burst([wire(literal)])
  }
  /** An output to a socket, and what it hands to that, a write each. */
  async function toSocket(): Promise<{ readonly output: Output; readonly writes: string[] }> {
    const { near, far } = await socketPair()
    onTestFinished(() => {
      near.destroy()
      far.destroy()
    })
    const writes: string[] = []
    const write = near.write.bind(near)
    vi.spyOn(near, 'write').mockImplementation((bytes) => {
      writes.push(hex(bytes as Buffer))
      return write(bytes)
    })
    return { output: new Output(near, owner), writes }
  }
  /** An output to a peer that reads or does not, with an owner who hears all that there is to hear. */
  function heard(writableHighWaterMark?: number) {
    const peer = new Peer('server', writableHighWaterMark)
    const told = { written: vi.fn(), outputDrained: vi.fn(), outputWaits: vi.fn() }
    return { peer, told, output: new Output(peer.transport, { ...owner, ...told }) }
  }

  it('lends its slab to sockets only: another transport may keep what it says it is done with', () => {
    const kept: Buffer[] = []
    const { transport } = new Peer('server')
    transport.far = {
      take: (chunks, done) => {
        kept.push(...chunks)
        done()
      },
      ended: () => {},
      gone: () => {},
    }
    const output = new Output(transport, owner)
    for (const octet of ['01', '02', '03']) {
      output.begin()
      const at = output.claim(1)
      output.bytes.set(wire(octet), at)
      output.end()
    }
    expect(kept.map((bytes) => hex(bytes))).toEqual(['01', '02', '03'])
  })

  it('takes back what was claimed of the slab and not used, and claims nothing elsewhere before its size is known', async () => {
    const { near, far } = await socketPair()
    const output = new Output(near, owner)
    expect(output.claimUpTo(1)).toBe(-1)
    output.begin()
    expect(output.claimUpTo(65_537)).toBe(-1)
    const at = output.claimUpTo(60_000)
    output.bytes.set(wire('01 02'), at)
    output.settle(2)
    expect(output.queued).toBe(2)
    expect(output.claimUpTo(60_000)).toBe(at + 2)
    output.bytes.set(wire('03'), at + 2)
    output.settle(1)
    // What was not settled is nobody's.
    output.claimUpTo(100)
    output.end()
    near.end()
    const bytes: Buffer[] = []
    for await (const chunk of far) bytes.push(chunk as Buffer)
    expect(hex(Buffer.concat(bytes))).toBe('01 02 03')
    near.destroy()
    far.destroy()
  })

  it('puts frames for many behind what lies in the slab, and what is claimed next behind them', async () => {
    const { near, far } = await socketPair()
    const output = new Output(near, owner)
    output.begin()
    output.pushBurst(new Burst([wire('01')]))
    claim(output, '02 03')
    output.pushBurst(new Burst([wire('04'), wire('05')]))
    output.pushBurst(new Burst([wire('06')]))
    claim(output, '07')
    expect(output.bufferedAmount).toBe(7)
    output.end()
    // With nothing in the slab they stay together, and what is claimed stands behind them.
    output.begin()
    output.pushBurst(new Burst([wire('08')]))
    output.pushBurst(new Burst([wire('09')]))
    claim(output, '0a')
    output.end()
    const bytes: Buffer[] = []
    far.on('data', (chunk: Buffer) => bytes.push(chunk)).resume()
    near.end()
    await once(far, 'end')
    expect(hex(Buffer.concat(bytes))).toBe('01 02 03 04 05 06 07 08 09 0a')
    near.destroy()
    far.destroy()
  })

  it('writes the exact octets of a frame', async () => {
    const peer = new Peer('server')
    const output = new Output(peer.transport, owner)
    output.begin()
    const at = output.claim(3)
    output.bytes.set(wire('8a 01 21'), at)
    output.push(wire('8900'))
    output.end()
    expect(hex(peer.bytes)).toBe('8a 01 21 89 00')
  })

  it('has the slab to itself while its batch is open, whatever other outputs do meanwhile', async () => {
    const [one, other] = [await toSocket(), await toSocket()]
    one.output.begin()
    claim(one.output, '01')
    other.output.begin()
    claim(other.output, '11')
    other.output.push(wire('12'))
    other.output.end()
    claim(one.output, '02')
    other.output.pushBurst(burst('13'))
    other.output.pushBurst(burst('14'))
    other.output.flush()
    claim(one.output, '03')
    other.output.push(wire('15'))
    other.output.discard()
    claim(one.output, '04')
    expect(one.output.queued).toBe(4)
    one.output.end()
    expect([one.writes, other.writes]).toEqual([['01 02 03 04'], ['11', '12', '13 14']])
  })

  it('puts bursts together while its part of the slab is empty, and writes nothing that is empty', async () => {
    const { output, writes } = await toSocket()
    output.begin()
    output.pushBurst(burst('01'))
    output.pushBurst(burst('02'))
    output.flush()
    output.push(wire('03'))
    claim(output, '04')
    output.push(wire('05'))
    output.end()
    expect(writes).toEqual(['01 02', '03', '04', '05'])
  })

  it('claims all of the slab, again and again, as long as the kernel takes what was in it', async () => {
    const { output } = await toSocket()
    output.begin()
    expect(output.claimUpTo(65_536)).toBe(0)
    const slab = output.bytes
    for (let i = 0; i < 3; i++) {
      claim(output, '01')
      expect(output.bytes).toBe(slab)
      expect(output.claimUpTo(65_536)).toBe(0)
      expect(output.bytes).toBe(slab)
    }
    output.end()
  })

  it('counts the octets that it hands on, wherever they waited', () => {
    const { output } = heard()
    const before = owner.settings.counts.octetsSent
    output.begin()
    claim(output, '01 02')
    output.push(wire('03'))
    output.pushBurst(burst('04'))
    expect(owner.settings.counts.octetsSent).toBe(before)
    output.end()
    expect(owner.settings.counts.octetsSent).toBe(before + 4)
  })

  it('shows its owner what the transport is given, while that is wanted', () => {
    const { output, told } = heard()
    for (const [literal, tapped] of [
      ['01', false],
      ['02', true],
      ['03', false],
    ] as const) {
      output.tapped = tapped
      output.push(wire(literal))
      output.flush()
    }
    expect(told.written.mock.calls).toEqual([[wire('02')]])
  })

  it('says of bursts alone that they wait, in a batch and outside of one, and once', async () => {
    const { output, peer, told } = heard()
    async function waits(push: () => void): Promise<number[]> {
      told.outputWaits.mockClear()
      output.begin()
      push()
      output.end()
      const inBatch = told.outputWaits.mock.calls.length
      push()
      await turn()
      return [inBatch, told.outputWaits.mock.calls.length - inBatch]
    }
    const pushBurst = (): void => output.pushBurst(burst('01'))
    const push = (): void => output.push(wire('01'))
    expect([await waits(pushBurst), await waits(push)]).toEqual([
      [0, 0],
      [0, 0],
    ])
    peer.stopReading()
    expect([await waits(push), await waits(pushBurst), await waits(push)]).toEqual([
      [0, 0],
      [1, 1],
      [0, 0],
    ])
  })

  it('tells of a drain whoever asked, once', () => {
    const { output, told } = heard()
    output.drained()
    expect(told.outputDrained).not.toHaveBeenCalled()
    output.askDrain()
    output.drained()
    output.drained()
    expect(told.outputDrained).toHaveBeenCalledOnce()
  })

  it('finds out when a transport is done by one empty write behind all that waits', async () => {
    const { output, peer, told } = heard(1e9)
    const write = vi.spyOn(peer.transport, 'write')
    peer.stopReading()
    output.push(wire('01'))
    output.askDrain()
    output.askDrain()
    await turn()
    output.askDrain()
    output.push(wire('02'))
    await turn()
    expect(write.mock.calls.map(([bytes]) => hex(bytes as Buffer))).toEqual(['01', '', '02'])
    expect(told.outputDrained).not.toHaveBeenCalled()
    peer.goOnReading()
    await turn()
    expect(told.outputDrained).toHaveBeenCalledOnce()
  })

  it('does not take for drained what was lost with its transport', async () => {
    const { output, peer, told } = heard()
    peer.stopReading()
    output.push(wire('01'))
    output.askDrain()
    await turn()
    peer.transport.destroy()
    await turn()
    expect(output.bufferedAmount).toBe(0)
    expect(told.outputDrained).not.toHaveBeenCalled()
  })
})

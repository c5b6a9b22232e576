/**
 * `sendStream`: one message from a source that is still being read, with everything else in its place around it
 * (RFC 6455 5.4, 5.5, 6.1).
 */
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { MessageData, MessageSource } from '../../src/connection/index.ts'
import { ConnectionClosedError } from '../../src/errors.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { CLOSE, NORMAL, PING, ROLES, expectGone, opened } from '../support/connection.ts'
import type { Opened } from '../support/connection.ts'
import { NOT_DATA, VIEWS } from '../support/data.ts'
import { octets } from '../support/messages.ts'
import { encoded } from '../support/prepared.ts'
import { Faucet, messagesIn, stateOf } from '../support/streams.ts'

const HIGH = '\ud83d'
const LOW = '\ude00'

async function* later<T>(chunks: Iterable<T>): AsyncGenerator<T> {
  for (const chunk of chunks) {
    await Promise.resolve()
    yield chunk
  }
}

/** The same chunks, from everything that can bring chunks. */
const SOURCES: readonly (readonly [name: string, make: (chunks: readonly MessageData[]) => MessageSource])[] = [
  ['an array', (chunks) => chunks],
  ['a Set', (chunks) => new Set(chunks)],
  ['a generator', (chunks) => chunks[Symbol.iterator]()],
  ['an async generator', (chunks) => later(chunks)],
  ['a Readable of Node', (chunks) => Readable.from(chunks)],
  [
    'a ReadableStream of the web',
    (chunks) =>
      new ReadableStream<MessageData>({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk)
          controller.close()
        },
      }),
  ],
]

describe.each(ROLES)('sendStream of a %s', (role) => {
  useClock()

  async function end(connection: Opened): Promise<void> {
    connection.ws.terminate()
    await turn()
    expectGone(connection)
  }
  /** What a connection sends for the source, as frames. */
  async function framesOf(
    source: MessageSource,
    options?: { binary?: boolean; fragmentSize?: number },
  ): Promise<string[]> {
    const connection = await opened(role)
    await connection.ws.sendStream(source, options)
    await turn()
    const { frames } = connection.peer
    messagesIn(role, connection.peer.bytes)
    await end(connection)
    return frames
  }
  /** The octets of a frame with so many of payload, as this role sends them. */
  const size = (payload: number): number => (role === 'client' ? 6 : 2) + payload

  describe('takes from its source', () => {
    it.each(SOURCES)('all that %s brings', async (_, make) => {
      const connection = await opened(role)
      await connection.ws.sendStream(make(['Hel', 'lo, ', 'W\u00f6rld']))
      await connection.ws.sendStream(make([Buffer.from([1, 2]), new Uint16Array([0x0403]), new ArrayBuffer(1)]))
      await connection.ws.sendStream(make([]))
      await turn()
      expect(messagesIn(role, connection.peer.bytes)).toEqual(['Hello, W\u00f6rld', Buffer.from([1, 2, 3, 4, 0]), ''])
      await end(connection)
    })

    it.each(VIEWS)('octets in a %s, and only those that it shows', async (_, make) => {
      const memory = new ArrayBuffer(40)
      new Uint8Array(memory).set(octets(40))
      const connection = await opened(role)
      await connection.ws.sendStream([make(memory, 8, 16), make(memory, 24, 8)])
      await turn()
      expect(messagesIn(role, connection.peer.bytes)).toEqual([octets(40).subarray(8, 32)])
      await end(connection)
    })

    // Of a promise, `for await` takes what it brings.
    it.each(NOT_DATA.filter(([name]) => name !== 'a promise'))(
      'no %s, and is left untouched by it',
      async (_, chunk) => {
        const connection = await opened(role)
        const sending = connection.ws.sendStream([chunk as string])
        await expect(sending).rejects.toThrow(
          expect.objectContaining({ name: 'TypeError', code: 'ERR_WS_INVALID_DATA' }),
        )
        expect(connection.ws.send('x')).toBe(true)
        await turn()
        expect([connection.peer.frames, connection.log]).toEqual([['text x'], ['open']])
        await end(connection)
      },
    )

    it('nothing that has no chunks', async () => {
      const connection = await opened(role)
      for (const source of [undefined, null, 5, {}]) {
        await expect(connection.ws.sendStream(source as string[])).rejects.toThrow(TypeError)
      }
      expect(connection.ws.readyState).toBe(1)
      await end(connection)
    })
  })

  describe('makes one message', () => {
    it('a fragment of each chunk, with the type on the first, and FIN on the last [6455:5.4-i01] [6455:6.1-05] [6455:6.1-06] [6455:6.1-07]', async () => {
      expect(await framesOf(['Hel', 'lo, ', 'you'])).toEqual(['text… Hel', '…… lo, ', '…… you', '…'])
      expect(await framesOf([Buffer.from([1]), Buffer.from([2])])).toEqual(['binary… 01', '…… \u0002', '…'])
    })

    it('of no more frames than it has chunks with octets, and one to end it', async () => {
      expect(await framesOf(['', 'a', '', '', 'b', ''])).toEqual(['text… a', '…… b', '…'])
    })

    it('that is empty when its source is', async () => {
      expect(await framesOf([])).toEqual(['text'])
      expect(await framesOf([], { binary: true })).toEqual(['binary'])
      expect(await framesOf([''])).toEqual(['text'])
      expect(await framesOf([Buffer.alloc(0)])).toEqual(['binary'])
    })

    it('of the type of its first chunk, or of that which `binary` says [6455:5.4-12]', async () => {
      expect(await framesOf(['a', Buffer.from('\u00e9')])).toEqual(['text… a', '…… \u00e9', '…'])
      expect(await framesOf([Buffer.from('a'), 'b'])).toEqual(['binary… 61', '…… b', '…'])
      expect(await framesOf(['', Buffer.from('a')])).toEqual(['text… a', '…'])
      expect(await framesOf(['a', 'b'], { binary: true })).toEqual(['binary… 61', '…… b', '…'])
      expect(await framesOf([Buffer.from('a'), 'b'], { binary: false })).toEqual(['text… a', '…… b', '…'])
    })

    it('of fragments of at most `fragmentSize` octets, the connection’s or its own [6455:5.4-06]', async () => {
      expect(await framesOf(['Hello', 'you'], { fragmentSize: 2 })).toEqual([
        ...['text… He', '…… ll', '…… o', '…… yo', '…… u', '…'],
      ])
      const connection = await opened(role, { fragmentSize: 3 })
      await connection.ws.sendStream(['Hello'])
      await connection.ws.sendStream(['Hello'], { fragmentSize: 4 })
      await turn()
      expect(connection.peer.frames).toEqual(['text… Hel', '…… lo', '…', 'text… Hell', '…… o', '…'])
      await end(connection)
    })

    it('of no other number of octets than a whole one from 1', async () => {
      const connection = await opened(role)
      for (const fragmentSize of [0, -1, 1.5, Number.NaN]) {
        expect(() => connection.ws.sendStream(['x'], { fragmentSize })).toThrow(RangeError)
      }
      expect(() => connection.ws.sendStream(['x'], { fragmentSize: '3' as unknown as number })).toThrow(TypeError)
      await turn()
      expect([connection.peer.frames, connection.log]).toEqual([[], ['open']])
      await end(connection)
    })

    it('of chunks larger than what is copied, without a change to them', async () => {
      const chunks = [octets(100_000), octets(16_385), octets(16_384), octets(1)]
      const connection = await opened(role)
      await connection.ws.sendStream(chunks)
      await turn()
      expect(Buffer.concat(chunks).equals(messagesIn(role, connection.peer.bytes)[0] as Buffer)).toBe(true)
      expect(chunks[0].equals(octets(100_000))).toBe(true)
      await end(connection)
    })
  })

  describe('keeps text whole', () => {
    it('where chunks share a character [6455:5.6-01]', async () => {
      expect(await framesOf([`a${HIGH}`, `${LOW}b`])).toEqual(['text… a', `…… ${HIGH}${LOW}b`, '…'])
      expect(await framesOf([HIGH, LOW])).toEqual([`text… ${HIGH}${LOW}`, '…'])
      expect(await framesOf([HIGH, '', LOW])).toEqual([`text… ${HIGH}${LOW}`, '…'])
    })

    it('where half a character has no other half, as `send` does', async () => {
      expect(await framesOf([`a${HIGH}`])).toEqual(['text… a', '… \ufffd'])
      expect(await framesOf([HIGH])).toEqual(['text \ufffd'])
      expect(await framesOf([HIGH, HIGH, LOW])).toEqual(['text… \ufffd', `…… ${HIGH}${LOW}`, '…'])
      expect(await framesOf([LOW, 'a', HIGH, 'b'])).toEqual(['text… \ufffd', '…… a', '…… \ufffdb', '…'])
    })

    it('where octets follow half a character', async () => {
      expect(await framesOf([HIGH, Buffer.from('a'), `${LOW}b`])).toEqual(['text… \ufffda', '…… \ufffdb', '…'])
    })

    it('wherever it is cut into chunks', async () => {
      const unit = fc.constantFrom('a', '\u00e9', '\u20ac', HIGH, LOW, '')
      const chunks = fc.array(
        fc.array(unit).map((units) => units.join('')),
        { maxLength: 6 },
      )
      await fc.assert(
        fc.asyncProperty(chunks, fc.constantFrom(1, 2, 3, Infinity), async (texts, fragmentSize) => {
          const connection = await opened(role)
          await connection.ws.sendStream(texts, { fragmentSize })
          await turn()
          // What `send` makes of the whole.
          expect(messagesIn(role, connection.peer.bytes)).toEqual([Buffer.from(texts.join('')).toString()])
          await end(connection)
        }),
      )
    })

    it('where it comes as octets, whose characters chunks may share', async () => {
      const text = Buffer.from('a\u00e9\u20ac\u{1f600}')
      const byOctet = Array.from(text, (octet) => Buffer.of(octet))
      expect((await framesOf(byOctet, { binary: false })).length).toBe(text.length + 1)
    })

    it('or rejects octets that are none at the first of them, and fails the connection when something has left [6455:5.6-01]', async () => {
      const cases: readonly (readonly [left: string[], chunks: readonly MessageData[]])[] = [
        [['text… a'], ['a', Buffer.from([0xff]), 'b']],
        [['text… \ufffd'], [Buffer.from([0xc3]), Buffer.from([0x28])]],
        [['text… \ufffd'], [Buffer.from([0xc3]), '\u00e9']],
        [['text… \ufffd'], [Buffer.from([0xe2, 0x82])]],
      ]
      for (const [left, chunks] of cases) {
        const connection = await opened(role)
        const sending = connection.ws.sendStream(chunks, { binary: false })
        await expect(sending).rejects.toThrow(
          expect.objectContaining({ name: 'TypeError', code: 'ERR_WS_INVALID_DATA' }),
        )
        await turn()
        expect(connection.peer.frames).toEqual([...left, 'close 1011'])
        expect(connection.log).toEqual(['open', 'error ERR_WS_INVALID_DATA'])
        await end(connection)
      }
    })

    it('or rejects them before anything has left, and the connection does not hear of it', async () => {
      const connection = await opened(role)
      const sending = connection.ws.sendStream([Buffer.from([0x61, 0xff])], { binary: false })
      connection.ws.send('held back')
      await expect(sending).rejects.toThrow(TypeError)
      await turn()
      expect([connection.peer.frames, connection.log]).toEqual([['text held back'], ['open']])
      await end(connection)
    })
  })

  describe('keeps the order of the calls', () => {
    it('control frames go between the fragments [6455:5.4-01] [6455:5.4-02]', async () => {
      const connection = await opened(role)
      const { ws, peer } = connection
      const source = new Faucet<string>()
      const sending = ws.sendStream(source)
      source.give('a')
      await turn()
      ws.ping('mine')
      ws.pong()
      peer.send(PING, 'yours')
      await turn()
      source.give('b').end()
      await sending
      await turn()
      expect(peer.frames).toEqual(['text… a', 'ping 6d 69 6e 65', 'pong', 'pong 79 6f 75 72 73', '…… b', '…'])
      await end(connection)
    })

    it('messages sent meanwhile follow, in order, whoever sends them [6455:5.4-04]', async () => {
      const connection = await opened(role)
      const { ws, peer } = connection
      const source = new Faucet<string>()
      const sending = ws.sendStream(source)
      // Not one chunk of it has been read.
      ws.send('1')
      source.give('a')
      await turn()
      ws.send(Buffer.from([2]))
      ws.sendPrepared(encoded([Buffer.from([0x81, 0x01]), Buffer.from('3')]))
      ws.send('4-5-6', { fragmentSize: 2 })
      await turn()
      expect(ws.bufferedAmount).toBe(size(1) + size(1) + 3 + size(2) + size(2) + size(1))
      source.end()
      await sending
      await turn()
      expect(ws.bufferedAmount).toBe(0)
      // What was encoded for many is unmasked in either role; only servers have such.
      if (role === 'server') {
        expect(peer.frames).toEqual([...['text… a', '…', 'text 1', 'binary 02', 'text 3', 'text… 4-', '…… 5-', '… 6']])
      }
      await end(connection)
    })

    it('a second stream waits for the first, and what is sent after its call for the second', async () => {
      const connection = await opened(role)
      const { ws, peer } = connection
      const [first, second] = [new Faucet<string>(), new Faucet<string>()]
      const sending = [ws.sendStream(first)]
      ws.send('1')
      sending.push(ws.sendStream(second))
      ws.send('2')
      second.give('s').end()
      await turn()
      expect([second.asked, peer.frames, ws.bufferedAmount]).toEqual([0, [], 2 * size(1)])
      first.give('f').end()
      await Promise.all(sending)
      ws.send('3')
      await turn()
      expect(peer.frames).toEqual(['text… f', '…', 'text 1', 'text… s', '…', 'text 2', 'text 3'])
      await end(connection)
    })

    it('a second stream goes on when the first fails before anything of it has left', async () => {
      const connection = await opened(role)
      const { ws, peer } = connection
      const failure = new Error('from the source')
      const sending = ws.sendStream(new Faucet<string>().fail(failure))
      ws.send('1')
      const second = ws.sendStream(['s'])
      ws.send('2')
      await expect(sending).rejects.toBe(failure)
      await second
      await turn()
      expect([peer.frames, connection.log]).toEqual([['text 1', 'text… s', '…', 'text 2'], ['open']])
      await end(connection)
    })

    it('nothing is lost that is sent just when the message ends', async () => {
      for (let ticks = 0; ticks < 30; ticks++) {
        const connection = await opened(role)
        const source = new Faucet<string>().give('a')
        const sending = connection.ws.sendStream(source)
        await turn()
        source.end()
        for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
        connection.ws.send('b')
        await sending
        await turn()
        expect({ ticks, messages: messagesIn(role, connection.peer.bytes) }).toEqual({ ticks, messages: ['a', 'b'] })
        await end(connection)
      }
    })

    it('whatever is called when, and however the sources and the peer go on', async () => {
      type Step = 'send' | 'stream' | 'chunk' | 'end' | 'fail' | 'turn' | 'tick' | 'block' | 'read'
      interface Call {
        text: string
        readonly source?: Faucet<string>
        over?: boolean
        failed?: boolean
      }
      const step = fc.constantFrom<Step>('send', 'stream', 'chunk', 'end', 'fail', 'turn', 'tick', 'block', 'read')
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const connection = await opened(role, { highWaterMark: 20 })
          const { ws, peer } = connection
          const calls: Call[] = []
          const sending: Promise<unknown>[] = []
          /** The first stream that is not over; it may have its turn or not. */
          const current = (): Call | undefined =>
            calls.find(({ source, over }) => source !== undefined && over !== true)
          const acts: Record<Step, () => unknown> = {
            send() {
              calls.push({ text: `<${calls.length}>` })
              ws.send(`<${calls.length - 1}>`)
            },
            stream() {
              const source = new Faucet<string>()
              calls.push({ text: '', source })
              sending.push(ws.sendStream(source).catch((error: unknown) => error))
            },
            chunk() {
              const call = current()
              if (call === undefined) return
              const text = `${calls.length} and so on and on;`
              call.text += text
              call.source?.give(text)
            },
            end() {
              const call = current()
              if (call === undefined) return
              call.over = true
              call.source?.end()
            },
            fail() {
              const call = current()
              if (call?.text !== '') return
              call.over = true
              call.failed = true
              call.source?.fail(new Error('from the source'))
            },
            turn: () => turn(1),
            tick: () => Promise.resolve(),
            block: () => peer.stopReading(),
            read: () => peer.goOnReading(),
          }
          for (const what of steps) {
            const time = acts[what]()
            if (what === 'turn' || what === 'tick') await time
          }
          for (const call of calls) if (call.over !== true) call.source?.end()
          peer.goOnReading()
          await Promise.all(sending)
          await turn()
          const expected = calls.filter(({ failed }) => failed !== true).map(({ text }) => text)
          expect(messagesIn(role, peer.bytes)).toEqual(expected)
          expect(ws.bufferedAmount).toBe(0)
          await end(connection)
        }),
        { numRuns: 300 },
      )
    })
  })

  describe('holds back', () => {
    it('its source, while the peer does not read', async () => {
      const connection = await opened(role, { highWaterMark: 10_000 })
      const { ws, peer } = connection
      let made = 0
      const source = function* chunks(): Generator<Buffer> {
        for (; made < 50; made++) yield octets(1000)
      }
      peer.stopReading()
      const sending = ws.sendStream(source())
      await turn()
      expect(made).toBeLessThan(11)
      expect(ws.bufferedAmount).toBeLessThan(12_000)
      // What has been handed on goes, and with it only so much more comes.
      peer.readOnce()
      peer.readOnce()
      await turn()
      expect([made > 11, made < 25]).toEqual([true, true])
      expect(await stateOf(sending)).toBe('pending')
      peer.goOnReading()
      await sending
      await turn()
      expect((messagesIn(role, peer.bytes)[0] as Buffer).length).toBe(50_000)
      expect(connection.log).toEqual(['open'])
      await end(connection)
    })

    it('its source by what leaves, not by what waits behind it', async () => {
      const connection = await opened(role, { highWaterMark: 1000 })
      const { ws, peer } = connection
      const source = new Faucet<string>()
      const sending = ws.sendStream(source)
      expect(ws.send('x'.repeat(5000))).toBe(false)
      source.give('a', 'b', 'c').end()
      await sending
      await turn()
      expect(peer.frames.slice(0, 4)).toEqual(['text… a', '…… b', '…… c', '…'])
      await end(connection)
    })

    it('no more than may wait, or the connection fails', async () => {
      const connection = await opened(role, { maxBufferedAmount: 1000 })
      const { ws } = connection
      const source = new Faucet<string>().give('a')
      const sending = ws.sendStream(source)
      const second = ws.sendStream(['never'])
      await turn()
      for (let i = 0; i < 10; i++) ws.send('x'.repeat(98))
      expect(ws.readyState).toBe(1)
      ws.send('x'.repeat(98))
      expect(connection.log).toEqual(['open', 'error ERR_WS_BUFFER_OVERFLOW'])
      await expect(sending).rejects.toThrow(ConnectionClosedError)
      await expect(second).rejects.toThrow(ConnectionClosedError)
      await turn()
      expectGone(connection)
    })

    it('those who wait for `drain`, until the message has ended, and tells them once', async () => {
      const connection = await opened(role, { highWaterMark: 100 })
      const { ws, peer, log } = connection
      const writes = vi.spyOn(peer.transport, 'write')
      const source = new Faucet<string>().give('a')
      const sending = ws.sendStream(source)
      await turn()
      expect(ws.send('x'.repeat(100))).toBe(false)
      const drained = ws.drained()
      await turn(20)
      expect([await stateOf(drained), log]).toEqual(['pending', ['open']])
      // Nobody looks again and again.
      expect(writes.mock.calls.length).toBeLessThan(5)
      source.end()
      await sending
      await drained
      await turn()
      expect(log).toEqual(['open', 'drain'])
      expect(messagesIn(role, peer.bytes)).toEqual(['a', 'x'.repeat(100)])
      await end(connection)
    })

    it('those who wait for `drained()` alone, and those who wait for `drain` alone', async () => {
      const connection = await opened(role, { highWaterMark: 100 })
      const { ws, log } = connection
      const source = new Faucet<string>()
      const sending = ws.sendStream(source)
      ws.send('x'.repeat(50))
      await ws.drained()
      expect(ws.send('x'.repeat(50))).toBe(false)
      source.give('a')
      await turn()
      expect(log).toEqual(['open'])
      source.end()
      await sending
      await turn()
      expect(log).toEqual(['open', 'drain'])
      await end(connection)
    })

    it('nobody who waited, when the message fails before anything of it has left', async () => {
      const connection = await opened(role, { highWaterMark: 100 })
      const { ws, log } = connection
      const source = new Faucet<string>()
      const sending = ws.sendStream(source)
      expect(ws.send('x'.repeat(100))).toBe(false)
      const drained = ws.drained()
      source.fail(new Error('from the source'))
      await expect(sending).rejects.toThrow('from the source')
      await drained
      await turn()
      expect(log).toEqual(['open', 'drain'])
      await end(connection)
    })

    it('the peer waits, and both drain when it reads', async () => {
      const connection = await opened(role, { highWaterMark: 100 })
      const { ws, peer, log } = connection
      const source = new Faucet<string>().give('x'.repeat(150), 'y'.repeat(150))
      peer.stopReading()
      const sending = ws.sendStream(source)
      await turn()
      expect(source.asked).toBe(1)
      expect(ws.send('small')).toBe(false)
      const drained = ws.drained()
      await turn()
      expect(await stateOf(drained)).toBe('pending')
      peer.goOnReading()
      await drained
      await turn()
      // The message goes on; what waits behind it is little.
      expect([log, source.asked, await stateOf(sending)]).toEqual([['open', 'drain'], 3, 'pending'])
      source.end()
      await sending
      await end(connection)
    })
  })

  describe('ends with its connection', () => {
    type End = readonly [name: string, strike: (connection: Opened) => void | Promise<void>]
    const ends: readonly End[] = [
      ['close()', ({ ws }) => void ws.close(1000)],
      ['terminate()', ({ ws }) => ws.terminate()],
      ['the peer’s Close', ({ peer }) => peer.send(CLOSE, NORMAL)],
      ['a FIN', ({ peer }) => peer.end()],
      ['a reset', ({ peer }) => peer.reset()],
      ['a broken rule', ({ peer }) => peer.send(0xff)],
    ]

    /** The peer does what peers do, so that the connection ends. */
    async function finish({ ws, peer }: Opened): Promise<void> {
      await turn()
      if (ws.readyState === 2 && peer.transport.readable) peer.send(CLOSE, NORMAL)
      await turn()
      if (peer.transport.readable) peer.end()
      peer.goOnReading()
      await turn()
    }

    it.each(ends)('by %s while its source is silent', async (_, strike) => {
      const connection = await opened(role)
      const { ws, peer } = connection
      const [source, waiting] = [new Faucet<string>().give('a'), new Faucet<string>().give('never')]
      const sending = ws.sendStream(source)
      ws.send('lost')
      const second = ws.sendStream(waiting)
      ws.send('lost')
      await turn()
      await strike(connection)
      await finish(connection)
      expectGone(connection)
      await expect(sending).rejects.toThrow(ConnectionClosedError)
      await expect(second).rejects.toThrow(ConnectionClosedError)
      expect(peer.frames.filter((frame) => !frame.startsWith('close'))).toEqual(['text… a'])
      // They are told at once.
      expect([source.left, waiting.left]).toEqual([true, true])
      source.give('b')
      await turn()
      expect([source.asked, waiting.asked]).toEqual([2, 0])
    })

    it.each(ends)('by %s while its peer does not read', async (_, strike) => {
      const connection = await opened(role)
      const { ws, peer } = connection
      peer.stopReading()
      const source = new Faucet<string>().give('x'.repeat(100_000), 'y')
      const sending = ws.sendStream(source)
      await turn()
      await strike(connection)
      await finish(connection)
      await expect(sending).rejects.toThrow(ConnectionClosedError)
      await turn()
      expectGone(connection)
      expect([source.left, source.asked]).toEqual([true, 1])
    })

    it.each(ends)('by %s while its source goes on [6455:6.1-03]', async (_, strike) => {
      const connection = await opened(role)
      const source = new Faucet<string>().give('a')
      const sending = connection.ws.sendStream(source)
      await turn()
      await strike(connection)
      await turn()
      source.give('b')
      await turn()
      await finish(connection)
      await expect(sending).rejects.toThrow(ConnectionClosedError)
      expectGone(connection)
      expect([source.left, source.asked]).toEqual([true, 2])
      expect(connection.peer.frames).not.toContain('…… b')
    })

    it.each(ends)('by %s when its source had said everything', async (_, strike) => {
      const connection = await opened(role)
      const source = new Faucet<string>().give('a')
      const sending = connection.ws.sendStream(source)
      await turn()
      await strike(connection)
      await turn()
      source.end()
      await finish(connection)
      await expect(sending).rejects.toThrow(ConnectionClosedError)
      expect(connection.peer.frames).not.toContain('…')
      expectGone(connection)
    })

    it.each(ends)('by %s, and holds nothing any more when `close` is told', async (_, strike) => {
      const amounts: number[] = []
      const connection = await opened(role, { handler: { close: (ws) => void amounts.push(ws.bufferedAmount) } })
      const sending = connection.ws.sendStream(new Faucet<string>())
      connection.ws.send('lost')
      await strike(connection)
      await finish(connection)
      await expect(sending).rejects.toThrow(ConnectionClosedError)
      expect(amounts).toEqual([0])
    })

    it('with nobody to hear of it, and the process does not', async () => {
      const unhandled = vi.fn()
      process.on('unhandledRejection', unhandled)
      const connection = await opened(role)
      void connection.ws.sendStream(new Faucet<string>().give('a'))
      void connection.ws.sendStream(['never'])
      connection.peer.reset()
      await turn(4)
      process.off('unhandledRejection', unhandled)
      expect(unhandled).not.toHaveBeenCalled()
      expectGone(connection)
    })

    it('at once, when that has ended or is about to', async () => {
      const connection = await opened(role)
      const { ws } = connection
      void ws.close(1000)
      const [silent, full] = [new Faucet<string>(), Readable.from(['a', 'b'])]
      await expect(ws.sendStream(silent)).rejects.toThrow(ConnectionClosedError)
      await finish(connection)
      expectGone(connection)
      await expect(ws.sendStream(full)).rejects.toThrow(expect.objectContaining({ closeCode: 1000, wasClean: true }))
      // What it was given is closed, as it would be in a loop that is left.
      expect([silent.left, full.destroyed]).toEqual([true, true])
    })

    it('tells why', async () => {
      const connection = await opened(role)
      const sending = connection.ws.sendStream(new Faucet<string>())
      connection.peer.reset('EPIPE')
      const error = await sending.catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ closeCode: 1006, initiator: 'network', cause: { code: 'EPIPE' } })
    })

    it('leaves a source of Node closed, and without listeners', async () => {
      const connection = await opened(role)
      const source = new Readable({ read() {} })
      source.push('a')
      const sending = connection.ws.sendStream(source)
      await turn()
      connection.ws.terminate()
      await expect(sending).rejects.toThrow(ConnectionClosedError)
      expect(source.destroyed).toBe(true)
      await turn()
      for (const event of ['readable', 'end', 'error']) expect(source.listenerCount(event)).toBeLessThanOrEqual(1)
      await end(connection)
    })

    it('leaves no listener on its transport, however many there were', async () => {
      const connection = await opened(role, { highWaterMark: 10 })
      const { transport } = connection.peer
      const events = ['data', 'drain', 'end', 'error', 'close', 'finish']
      const before = events.map((event) => transport.listenerCount(event))
      for (let i = 0; i < 20; i++) await connection.ws.sendStream(['0123456789', '0123456789'])
      expect(events.map((event) => transport.listenerCount(event))).toEqual(before)
      await end(connection)
    })
  })

  describe('has a source that throws', () => {
    const failure = new Error('from the source')

    it('before anything has left: nobody else hears of it', async () => {
      const connection = await opened(role)
      const sending = connection.ws.sendStream(new Faucet<string>().give('').fail(failure))
      await expect(sending).rejects.toBe(failure)
      await turn()
      expect([connection.peer.frames, connection.log]).toEqual([[], ['open']])
      await connection.ws.sendStream(['next'])
      await turn()
      expect(messagesIn(role, connection.peer.bytes)).toEqual(['next'])
      await end(connection)
    })

    it('after something has left: the connection is failed with 1011', async () => {
      const connection = await opened(role)
      const { ws, peer } = connection
      const sending = ws.sendStream(new Faucet<string>().give('a').fail(failure))
      ws.send('lost')
      const second = ws.sendStream(['lost'])
      await expect(sending).rejects.toBe(failure)
      await expect(second).rejects.toThrow(ConnectionClosedError)
      await turn()
      expect(peer.frames).toEqual(['text… a', 'close 1011'])
      expect([connection.errors, ws.readyState]).toEqual([[failure], 2])
      peer.end()
      await turn()
      expect((await ws.closed).cause).toBe(failure)
      expectGone(connection)
    })

    it('something that is no error: that is wrapped for all but the caller', async () => {
      const connection = await opened(role)
      const sending = connection.ws.sendStream(new Faucet<string>().give('a').fail('no error' as unknown as Error))
      await expect(sending).rejects.toBe('no error')
      expect(connection.errors).toMatchObject([{ name: 'WebSocketError', code: 'ERR_WS_SOURCE', cause: 'no error' }])
      await end(connection)
    })

    it('while the connection closes: that goes on in order', async () => {
      const connection = await opened(role)
      const { ws, peer } = connection
      const source = new Faucet<string>().give('a')
      const sending = ws.sendStream(source)
      await turn()
      const closed = ws.close(1000)
      source.fail(failure)
      await expect(sending).rejects.toBe(failure)
      peer.send(CLOSE, NORMAL)
      await turn()
      peer.end()
      expect(await closed).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' })
      await turn()
      expect(connection.errors).toEqual([])
      expectGone(connection)
    })
  })

  it('counts as traffic with every part that leaves', async () => {
    const connection = await opened(role, { idleTimeout: 10_000, heartbeat: false })
    const source = new Faucet<string>()
    const sending = connection.ws.sendStream(source)
    for (let i = 0; i < 4; i++) {
      await pass(6000)
      source.give('a')
      await turn()
    }
    expect(connection.ws.readyState).toBe(1)
    await pass(16_000)
    expect(connection.ws.readyState).toBe(2)
    connection.ws.terminate()
    await expect(sending).rejects.toThrow(ConnectionClosedError)
  })
})

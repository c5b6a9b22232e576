/** A connection as the streams of Node and of the web: messages both ways, backpressure both ways, and every end. */
import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import type { Duplex } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { ReadableStream, WritableStream } from 'node:stream/web'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { Connection, connectionSettings, toDuplex, toWebStreams } from '../../src/connection/index.ts'
import type { Message, MessageData, MessageSource, MessageStream, WebStreams } from '../../src/connection/index.ts'
import { ConnectionClosedError } from '../../src/errors.ts'
import type { ServerConnection } from '../../src/server/index.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, ROLES, TEXT, expectGone, opened } from '../support/connection.ts'
import type { OpenOptions, Opened } from '../support/connection.ts'
import { pair } from '../support/duplex.ts'
import { octets } from '../support/messages.ts'
import { stateOf } from '../support/streams.ts'

/** Both ends of one wire, for `for await`. */
function connected(): { readonly server: Connection; readonly client: Connection } {
  const [near, far] = pair({ delivery: 'later' })
  const server = new Connection(near, connectionSettings('server', {}), {}, undefined, '')
  const client = new Connection(far, connectionSettings('client', {}), {}, undefined, '')
  for (const ws of [server, client]) ws.start('', Buffer.alloc(0))
  return { server, client }
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`)
const refusal = expect.objectContaining({ name: 'TypeError', code: 'ERR_WS_HAS_HANDLER' }) as Error

async function closeFrom({ peer }: Opened): Promise<void> {
  peer.send(CLOSE, NORMAL)
  await turn()
  peer.end()
  await turn()
}
async function finish({ peer }: Opened): Promise<void> {
  await turn()
  if (!peer.destroyed) peer.send(CLOSE, NORMAL)
  await turn()
  if (!peer.destroyed) peer.end()
  await turn()
}

describe.each(ROLES)('toDuplex of a %s', (role) => {
  useClock()

  interface Duplexed extends Opened {
    readonly stream: Duplex
    readonly errors: Error[]
  }
  async function duplexed(options?: OpenOptions, streamOptions?: Parameters<typeof toDuplex>[1]): Promise<Duplexed> {
    const connection = await opened(role, { iterate: true, ...options })
    const stream = toDuplex(connection.ws, streamOptions)
    const errors: Error[] = []
    stream.on('error', (error) => errors.push(error))
    return { ...connection, stream, errors }
  }

  it('reads messages, a chunk each, the empty ones too, and keeps text and binary apart', async () => {
    const { peer, stream, ws } = await duplexed()
    const read: Message[] = []
    stream.on('data', (message: Message) => read.push(message))
    peer.send(TEXT, 'text')
    peer.send(BINARY, octets(3))
    peer.send(TEXT)
    peer.send(BINARY)
    await turn()
    expect(read).toEqual(['text', octets(3), '', Buffer.alloc(0)])
    ws.terminate()
    await turn()
  })

  it('writes messages, a chunk each, of everything that can be sent', async () => {
    const { peer, stream, ws } = await duplexed()
    for (const data of ['text', '', octets(2), new Uint16Array([1]), new ArrayBuffer(1)]) stream.write(data)
    await turn(4)
    expect(peer.frames).toEqual(
      ['text text', 'text', 'binary e6 51', 'binary 01 00', 'binary 00'].with(2, peer.frames[2]),
    )
    expect(peer.frames[2]).toMatch(/^binary/)
    ws.terminate()
    await turn()
  })

  it('closes with 1000 when its writable side ends, and finishes when the connection has ended', async () => {
    const connection = await duplexed()
    const { peer, stream } = connection
    stream.end('last')
    stream.resume()
    await turn()
    expect([peer.frames, stream.writableFinished]).toEqual([['text last', 'close 1000'], false])
    await finish(connection)
    await finished(stream)
    expect(connection.errors).toEqual([])
    expectGone(connection)
  })

  it('reads on what the peer sends before its Close', async () => {
    const connection = await duplexed()
    const read: Message[] = []
    connection.stream.on('data', (message: Message) => read.push(message))
    connection.stream.end()
    await turn()
    connection.peer.send(TEXT, 'still')
    await finish(connection)
    await finished(connection.stream)
    expect(read).toEqual(['still'])
    expectGone(connection)
  })

  it('ends its readable side when the peer closes in order, behind all messages', async () => {
    const connection = await duplexed()
    for (const text of numbers(5)) connection.peer.send(TEXT, text)
    await closeFrom(connection)
    const read: Message[] = []
    for await (const message of connection.stream as AsyncIterable<Message>) read.push(message)
    expect([read, connection.errors]).toEqual([numbers(5), []])
    expectGone(connection)
  })

  it('is destroyed by an end that is none in order, behind all messages', async () => {
    const connection = await duplexed()
    const { peer, stream } = connection
    for (const text of numbers(5)) peer.send(TEXT, text)
    await turn()
    peer.reset()
    await turn()
    const read: Message[] = []
    const reading = (async () => {
      for await (const message of stream as AsyncIterable<Message>) read.push(message)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: 1006 })
    expect([read, stream.destroyed]).toEqual([numbers(5), true])
    expectGone(connection)
  })

  it('is destroyed by a write when the connection has ended, and there is still something to read', async () => {
    const connection = await duplexed()
    connection.peer.send(TEXT, 'unread')
    await closeFrom(connection)
    expect(connection.stream.destroyed).toBe(false)
    connection.stream.write('too late')
    await turn()
    expect(connection.errors).toEqual([expect.any(ConnectionClosedError)])
    expect(connection.stream.destroyed).toBe(true)
  })

  it('is over for who writes as soon as the connection is, and without an error when it ended in order', async () => {
    const connection = await duplexed()
    const source = new PassThrough()
    const written = pipeline(source, connection.stream)
    const failure = written.catch((error: unknown) => error)
    await closeFrom(connection)
    await turn()
    expect(await failure).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
    expect([source.destroyed, connection.stream.destroyed]).toEqual([true, true])
    expectGone(connection)
  })

  it('is over for who writes with an error when the connection did not end in order', async () => {
    const connection = await duplexed()
    const source = new PassThrough()
    const written = pipeline(source, connection.stream)
    const failure = written.catch((error: unknown) => error)
    connection.peer.reset()
    await turn()
    expect(await failure).toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: 1006 })
    expect(source.destroyed).toBe(true)
    expectGone(connection)
  })

  it('is over for who writes once all has been read, by whoever reads', async () => {
    const connection = await duplexed()
    const { peer, stream } = connection
    const source = new PassThrough()
    const failure = pipeline(source, stream).catch((error: unknown) => error)
    for (const text of numbers(3)) peer.send(TEXT, text)
    const read: Message[] = []
    const reading = once(stream, 'end')
    stream.once('data', (message: Message) => {
      read.push(message)
      stream.pause()
    })
    await turn()
    await closeFrom(connection)
    expect([read, source.destroyed]).toEqual([['0'], false])
    stream.on('data', (message: Message) => read.push(message)).resume()
    await reading
    expect(read).toEqual(numbers(3))
    await failure
    expect([source.destroyed, connection.errors.length]).toEqual([true, 0])
  })

  it('is left to whoever ends it when the connection has', async () => {
    const connection = await duplexed()
    const { stream } = connection
    stream.on('end', () => stream.end('too late'))
    stream.resume()
    await closeFrom(connection)
    await turn()
    // It heard of that as it would have of any other write.
    expect(connection.errors).toEqual([expect.any(ConnectionClosedError)])
    const ended = await duplexed()
    ended.stream.on('end', () => ended.stream.end())
    ended.stream.resume()
    await closeFrom(ended)
    await finished(ended.stream)
    expect(ended.errors).toEqual([])
  })

  it('is destroyed by what cannot be sent, and closes with 1011', async () => {
    const connection = await duplexed()
    connection.stream.write({ no: 'message' })
    await turn()
    expect(connection.errors).toMatchObject([{ name: 'TypeError', code: 'ERR_WS_INVALID_DATA' }])
    expect(connection.peer.frames).toEqual(['close 1011'])
    await finish(connection)
    expectGone(connection)
  })

  it.each([
    ['1000 without an error', undefined, 'close 1000'],
    ['1011 with one', new Error('from the user'), 'close 1011'],
  ])('closes with %s when it is destroyed, and is done at once', async (_, error, frame) => {
    const connection = await duplexed()
    const { peer, stream } = connection
    stream.resume()
    await turn()
    stream.destroy(error)
    await once(stream, 'close').catch(() => {})
    peer.send(TEXT, 'dropped')
    await turn()
    expect([peer.frames, connection.errors]).toEqual([[frame], error === undefined ? [] : [error]])
    await finish(connection)
    expectGone(connection)
  })

  it('closes with 1011 when its signal aborts', async () => {
    const abort = new AbortController()
    const connection = await duplexed({}, { signal: abort.signal })
    abort.abort()
    await turn()
    expect([connection.peer.frames, connection.errors]).toMatchObject([['close 1011'], [{ name: 'AbortError' }]])
    await finish(connection)
    expectGone(connection)
  })

  it('holds back who writes, while the peer does not read', async () => {
    const connection = await duplexed({ highWaterMark: 1000 }, { highWaterMark: 2 })
    const { peer, stream, ws } = connection
    peer.stopReading()
    const accepted: boolean[] = []
    for (let i = 0; i < 5; i++) accepted.push(stream.write('x'.repeat(1000)))
    await turn()
    expect(accepted).toEqual([true, false, false, false, false])
    expect(ws.bufferedAmount).toBeLessThan(1100)
    expect(stream.writableLength).toBe(5)
    peer.goOnReading()
    await turn(10)
    expect([stream.writableLength, peer.frames.length]).toEqual([0, 5])
    ws.terminate()
    await turn()
  })

  it('fails a write that waits when the connection ends', async () => {
    const connection = await duplexed({ highWaterMark: 1000 })
    connection.peer.stopReading()
    connection.stream.write('x'.repeat(1000))
    await turn()
    connection.peer.reset()
    await turn()
    expect(connection.errors).toEqual([expect.any(ConnectionClosedError)])
    expectGone(connection)
  })

  it('holds back the peer, while nobody reads', async () => {
    const connection = await duplexed({}, { highWaterMark: 2 })
    const { peer, stream, ws } = connection
    for (const text of numbers(60)) peer.send(TEXT, text)
    await turn()
    stream.read(0)
    await turn()
    // An error would throw away what is read ahead: a message that somebody asked for, and no more.
    expect([stream.readableLength, peer.transport.isPaused()]).toEqual([1, true])
    const read: Message[] = []
    for await (const message of stream as AsyncIterable<Message>) {
      read.push(message)
      if (read.length === 60) break
    }
    expect(read).toEqual(numbers(60))
    expect(ws.readyState).toBe(2)
    ws.terminate()
    await turn()
  })

  it('refuses connections whose messages go elsewhere', async () => {
    const connection = await opened(role)
    expect(() => toDuplex(connection.ws)).toThrow(refusal)
    connection.ws.terminate()
    const streaming = await opened(role, { iterate: true })
    streaming.ws.messages({ stream: true })
    expect(() => toDuplex(streaming.ws)).toThrow(refusal)
    streaming.ws.terminate()
    await turn()
  })

  it('leaves nothing behind on the transport', async () => {
    const connection = await duplexed()
    expect(connection.peer.transport.listenerCount('error')).toBe(1)
    connection.stream.destroy()
    await finish(connection)
    expectGone(connection)
  })
})

describe('toDuplex in a pipeline', () => {
  it('carries messages both ways, through to the end', async () => {
    const { server, client } = connected()
    const echo = toDuplex(server)
    const asking = toDuplex(client)
    const answers: Message[] = []
    const sink = new Writable({
      objectMode: true,
      write(message: Message, _, done) {
        answers.push(message)
        if (answers.length === 500) asking.end()
        done()
      },
    })
    const echoing = pipeline(echo, echo)
    const questions = new PassThrough({ objectMode: true })
    for (const text of numbers(500)) questions.write(text)
    questions.pipe(asking, { end: false })
    await pipeline(asking, sink)
    await echoing
    expect(answers).toEqual(numbers(500))
    expect(await server.closed).toMatchObject({ code: 1000, wasClean: true, initiator: 'peer' })
  })

  it('relays between two connections, and hands the end on', async () => {
    const [left, right] = [connected(), connected()]
    const [one, other] = [toDuplex(left.server), toDuplex(right.server)]
    const relaying = Promise.all([pipeline(one, other), pipeline(other, one)])
    left.client.send('to the right')
    expect(await right.client.messages().next()).toMatchObject({ value: 'to the right' })
    right.client.send('to the left')
    expect(await left.client.messages().next()).toMatchObject({ value: 'to the left' })
    void left.client.close(1000)
    expect(await right.client.closed).toMatchObject({ code: 1000, wasClean: true, initiator: 'peer' })
    await relaying
  })

  it('that fails closes the connection with 1011', async () => {
    const { server, client } = connected()
    const failing = new Readable({
      objectMode: true,
      read() {
        this.destroy(new Error('from the source'))
      },
    })
    await expect(pipeline(failing, toDuplex(server))).rejects.toThrow('from the source')
    expect(await client.closed).toMatchObject({ code: 1011, initiator: 'peer' })
  })

  it('fails when the connection does', async () => {
    const { server, client } = connected()
    const sink = new PassThrough({ objectMode: true })
    const reading = pipeline(toDuplex(server), sink)
    await turn()
    client.terminate()
    await expect(reading).rejects.toThrow(ConnectionClosedError)
    expect(sink.destroyed).toBe(true)
  })
})

describe.each(ROLES)('toWebStreams of a %s', (role) => {
  useClock()

  async function streams(options?: OpenOptions): Promise<Opened & WebStreams> {
    const connection = await opened(role, { iterate: true, ...options })
    return { ...connection, ...toWebStreams(connection.ws) }
  }

  it('reads messages, a chunk each, and ends with the connection', async () => {
    const connection = await streams()
    const { peer, readable } = connection
    peer.send(TEXT, 'text')
    peer.send(BINARY, octets(3))
    peer.send(TEXT)
    await closeFrom(connection)
    const read: Message[] = []
    for await (const message of readable) read.push(message)
    expect(read).toEqual(['text', octets(3), ''])
    expectGone(connection)
  })

  it('writes messages, a chunk each, and closes with 1000', async () => {
    const connection = await streams()
    const writer = connection.writable.getWriter()
    for (const data of ['text', Buffer.from([1]), new Uint8Array([2])]) await writer.write(data)
    const closed = writer.close()
    await turn()
    expect(connection.peer.frames).toEqual(['text text', 'binary 01', 'binary 02', 'close 1000'])
    expect(await stateOf(closed)).toBe('pending')
    await finish(connection)
    await closed
    expectGone(connection)
  })

  it('ends its readable with an error, when the connection did not end in order', async () => {
    const connection = await streams()
    const reader = connection.readable.getReader()
    connection.peer.send(TEXT, 'text')
    await turn()
    connection.peer.reset()
    expect(await reader.read()).toEqual({ value: 'text', done: false })
    await expect(reader.read()).rejects.toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: 1006 })
    await turn()
    expectGone(connection)
  })

  it('fails writes when the connection has ended, and those that wait for it', async () => {
    const connection = await streams({ highWaterMark: 1000 })
    const writer = connection.writable.getWriter()
    connection.peer.stopReading()
    const writing = writer.write('x'.repeat(1000))
    await turn()
    expect(await stateOf(writing)).toBe('pending')
    connection.peer.reset()
    await expect(writing).rejects.toThrow(ConnectionClosedError)
    await expect(writer.write('more')).rejects.toThrow(ConnectionClosedError)
    await expect(writer.closed).rejects.toThrow(ConnectionClosedError)
    const late = await streams()
    await closeFrom(late)
    await expect(late.writable.getWriter().write('x')).rejects.toThrow(ConnectionClosedError)
  })

  it('cancels what is piped to it, silent or not, when the connection has ended', async () => {
    const connection = await streams()
    let reason: unknown
    const source = new ReadableStream<string>({
      cancel(why) {
        reason = why
      },
    })
    const piping = source.pipeTo(connection.writable)
    const failure = piping.catch((error: unknown) => error)
    await closeFrom(connection)
    await turn()
    expect(await failure).toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: 1000, wasClean: true })
    expect(reason).toBe(await failure)
  })

  it('fails writes of what cannot be sent', async () => {
    const connection = await streams()
    const writing = connection.writable.getWriter().write(5 as unknown as string)
    await expect(writing).rejects.toMatchObject({ code: 'ERR_WS_INVALID_DATA' })
    connection.ws.terminate()
    await turn()
  })

  it('closes with 1000 when its readable is cancelled, whatever still comes', async () => {
    const connection = await streams()
    const cancelled = connection.readable.cancel('enough')
    await turn()
    connection.peer.send(TEXT, 'dropped')
    expect(connection.peer.frames).toEqual(['close 1000'])
    await finish(connection)
    await cancelled
    expectGone(connection)
  })

  it('closes with 1011 when its writable is aborted', async () => {
    const connection = await streams()
    const aborted = connection.writable.abort(new Error('from the user'))
    await turn()
    expect(connection.peer.frames).toEqual(['close 1011'])
    await finish(connection)
    await aborted
    expectGone(connection)
  })

  it('aborts even while a peer that does not read makes it wait', async () => {
    const connection = await streams({ highWaterMark: 1000, closeTimeout: 5000 })
    const writer = connection.writable.getWriter()
    connection.peer.stopReading()
    const writing = writer.write('x'.repeat(1000))
    await turn()
    const failure = writing.catch((error: unknown) => error)
    const aborted = writer.abort(new Error('from the user'))
    expect(await stateOf(aborted)).toBe('pending')
    await turn()
    expect(connection.ws.readyState).toBe(2)
    await pass(8000)
    await aborted
    expect(await failure).toBeInstanceOf(ConnectionClosedError)
    expectGone(connection)
  })

  it('holds back who writes, while the peer does not read', async () => {
    const connection = await streams({ highWaterMark: 1000 })
    const { peer, ws, writable } = connection
    peer.stopReading()
    let made = 0
    const source = new ReadableStream<MessageData>(
      {
        pull(controller) {
          if (made++ < 10) controller.enqueue('x'.repeat(1000))
          else controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const piping = source.pipeTo(writable, { preventClose: true })
    await turn(5)
    expect([made, ws.bufferedAmount < 1100]).toEqual([1, true])
    peer.goOnReading()
    await piping
    expect(peer.frames.length).toBe(10)
    ws.terminate()
    await turn()
  })

  it('holds back the peer, while nobody reads', async () => {
    const connection = await streams()
    const { peer, readable, ws } = connection
    for (const text of numbers(60)) peer.send(TEXT, text)
    await turn()
    expect(peer.transport.isPaused()).toBe(true)
    const reader = readable.getReader()
    for (const text of numbers(60)) expect(await reader.read()).toEqual({ value: text, done: false })
    await turn()
    expect(peer.transport.isPaused()).toBe(false)
    ws.terminate()
    await expect(reader.read()).rejects.toThrow(ConnectionClosedError)
    await turn()
    expectGone(connection)
  })

  it('refuses connections whose messages go elsewhere', async () => {
    const connection = await opened(role)
    expect(() => toWebStreams(connection.ws)).toThrow(refusal)
    connection.ws.terminate()
    await turn()
  })
})

describe('toWebStreams in a pipe', () => {
  it('carries messages both ways, through to the end', async () => {
    const { server, client } = connected()
    const echo = toWebStreams(server)
    const asking = toWebStreams(client)
    const echoing = echo.readable.pipeTo(echo.writable)
    const answers: Message[] = []
    const writer = asking.writable.getWriter()
    const sink = new WritableStream<Message>({
      write(message) {
        answers.push(message)
        if (answers.length === 500) void writer.close()
      },
    })
    const reading = asking.readable.pipeTo(sink)
    for (const text of numbers(500)) await writer.write(text)
    await Promise.all([echoing, reading])
    expect(answers).toEqual(numbers(500))
    expect(await client.closed).toMatchObject({ code: 1000, wasClean: true })
  })

  it('relays between two connections, and hands the end on', async () => {
    const [left, right] = [connected(), connected()]
    const [one, other] = [toWebStreams(left.server), toWebStreams(right.server)]
    const back = other.readable.pipeTo(one.writable, { preventCancel: true })
    // There is nobody any more to bring messages back to.
    const relaying = Promise.all([
      one.readable.pipeTo(other.writable),
      expect(back).rejects.toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: 1000 }),
    ])
    left.client.send('to the right')
    expect(await right.client.messages().next()).toMatchObject({ value: 'to the right' })
    void left.client.close(1000)
    expect(await right.client.closed).toMatchObject({ code: 1000, wasClean: true, initiator: 'peer' })
    await relaying
  })

  it('that fails closes the connection with 1011', async () => {
    const { server, client } = connected()
    const failing = new ReadableStream<MessageData>({
      pull() {
        throw new Error('from the source')
      },
    })
    await expect(failing.pipeTo(toWebStreams(server).writable)).rejects.toThrow('from the source')
    expect(await client.closed).toMatchObject({ code: 1011, initiator: 'peer' })
  })
})

describe('The types of streaming', () => {
  it('say what comes and what may go', () => {
    type Streamed = AsyncIterableIterator<MessageStream, undefined>
    expectTypeOf(toDuplex).returns.toEqualTypeOf<Duplex>()
    expectTypeOf(toDuplex).parameter(0).toEqualTypeOf<Connection>()
    expectTypeOf<ServerConnection<{ user: string }>>().toExtend<Parameters<typeof toWebStreams>[0]>()
    expectTypeOf(toWebStreams).returns.toEqualTypeOf<WebStreams>()
    expectTypeOf<WebStreams['readable']>().toEqualTypeOf<ReadableStream<Message>>()
    expectTypeOf<WebStreams['writable']>().toEqualTypeOf<WritableStream<MessageData>>()
    expectTypeOf((ws: Connection) => ws.messages({ stream: true })).returns.toEqualTypeOf<Streamed>()
    expectTypeOf((ws: Connection) => ws.messages()).returns.toEqualTypeOf<AsyncIterableIterator<Message, undefined>>()
    expectTypeOf<MessageStream['isBinary']>().toEqualTypeOf<boolean>()
    expectTypeOf<Readable>().toExtend<MessageSource>()
    expectTypeOf<ReadableStream<Uint8Array>>().toExtend<MessageSource>()
    expectTypeOf<AsyncGenerator<string>>().toExtend<MessageSource>()
    expectTypeOf<number[]>().not.toExtend<MessageSource>()
  })
})

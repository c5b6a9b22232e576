/**
 * Compressed messages as streams (RFC 7692 6, 7.2): `messages({ stream: true })` inflates them as they come, and
 * `sendStream(…, { compress: true })` compresses them as they are made.
 */
import { randomBytes } from 'node:crypto'
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import type { Connection, Message, MessageStream, MessagesOptions } from '../../src/connection/index.ts'
import { PreparedMessage } from '../../src/connection/prepared.ts'
import { ConnectionClosedError } from '../../src/errors.ts'
import { turn } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, ROLES, TEXT, expectGone, opened } from '../support/connection.ts'
import type { OpenOptions, Opened } from '../support/connection.ts'
import { FLUSHED, deflated, lines, noise, through } from '../support/deflate.ts'
import { parseFrames } from '../support/duplex.ts'
import { expectSame } from '../support/messages.ts'
import { Faucet, nextOf, stateOf, valueOf } from '../support/streams.ts'
import { received, script } from '../support/wire.ts'

const RSV1 = 0x40
const TEXT_BEGINS = 0x01 | RSV1
const BINARY_BEGINS = 0x02 | RSV1
const CONTINUES = 0x00
const ENDS = 0x80
const MiB = 1_048_576
const NO_CONTEXT = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
const CONTEXT: OpenOptions = {
  extensions: 'permessage-deflate',
  perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false },
}

async function settle(done: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(done()).toBe(true), { timeout: 10_000, interval: 2 })
  await turn()
}

/** All parts of a message, joined; fails on an empty part, and on one that is larger than it may be. */
async function read(message: MessageStream, most = 65_536): Promise<Message> {
  const parts: Message[] = []
  for await (const part of message) parts.push(part)
  expect(parts.filter(({ length }) => length === 0 || length > most)).toEqual([])
  return message.isBinary ? Buffer.concat(parts as Buffer[]) : parts.join('')
}

describe.each(ROLES)('messages({ stream: true }) of a %s that has agreed upon permessage-deflate', (role) => {
  interface Streaming extends Opened {
    readonly messages: AsyncIterableIterator<MessageStream, undefined>
  }
  async function streaming(options: OpenOptions = {}, limits: MessagesOptions = {}): Promise<Streaming> {
    const agreed = { perMessageDeflate: true, extensions: NO_CONTEXT, iterate: true }
    const connection = await opened(role, { ...agreed, ...options })
    return { ...connection, messages: connection.ws.messages({ ...limits, stream: true }) }
  }
  async function end(connection: Opened): Promise<void> {
    connection.ws.terminate()
    await turn()
    expectGone(connection)
  }

  it('brings what comes of a fragment before the next one is there [7692:6.2-01]', async () => {
    const connection = await streaming()
    const { peer, messages } = connection
    const stream = createDeflateRaw()
    peer.send(TEXT_BEGINS, await through(stream, Buffer.from('Hel')))
    const message = await nextOf(messages)
    expect(await nextOf(message)).toBe('Hel')
    const waiting = message.next()
    await turn(10)
    expect(await stateOf(waiting)).toBe('pending')
    peer.send(CONTINUES, await through(stream, Buffer.from('lo, ')))
    expect(await waiting).toEqual({ value: 'lo, ', done: false })
    peer.send(ENDS, (await through(stream, Buffer.from('you'))).subarray(0, -4))
    peer.send(BINARY, 'next')
    expect(await read(message)).toBe('you')
    expect(await read(await nextOf(messages))).toEqual(Buffer.from('next'))
    stream.close()
    await end(connection)
  })

  it('brings messages small and large, compressed and not, whole and in fragments, in order [7692:6.1-01] [7692:6.2-02]', async () => {
    const connection = await streaming(CONTEXT)
    const { peer, messages } = connection
    const stream = createDeflateRaw()
    const sent = [lines(3), noise(200_000), lines(3), lines(20_000), Buffer.alloc(0), lines(3000), Buffer.alloc(MiB, 1)]
    const bytes: Buffer[] = []
    for (const [index, message] of sent.entries()) {
      const flushed = await through(stream, message)
      const payload = flushed.length === 0 ? Buffer.of(0) : flushed.subarray(0, -4)
      const half = Math.floor(payload.length / 2)
      if (index % 2 === 0) {
        bytes.push(received(role, BINARY | RSV1, payload), received(role, BINARY, message))
      } else {
        bytes.push(received(role, BINARY_BEGINS, payload.subarray(0, half)), received(role, PING))
        bytes.push(received(role, CONTINUES), received(role, ENDS, payload.subarray(half)), received(role, BINARY))
      }
    }
    stream.close()
    const all = Buffer.concat(bytes)
    for (let at = 0; at < all.length; at += 10_000) peer.write(all.subarray(at, at + 10_000))
    peer.send(CLOSE, NORMAL)
    const seen: Message[] = []
    for await (const message of messages) seen.push(await read(message))
    expectSame(
      seen,
      sent.flatMap((message, index) => [message, index % 2 === 0 ? message : Buffer.alloc(0)]),
    )
    expect(connection.log.filter((event) => event === 'ping')).toHaveLength(3)
    peer.end()
    await turn()
    expectGone(connection)
  })

  it('brings text in whole characters, wherever it is cut [6455:5.6-01]', async () => {
    const connection = await streaming()
    const { peer, messages } = connection
    const text = '\u20ac\u{1f600}\u00e9'.repeat(50_000)
    const payload = deflated(text)
    const frame = received(role, TEXT | RSV1, payload)
    for (let at = 0; at < frame.length; at += 97) peer.write(frame.subarray(at, at + 97))
    const message = await nextOf(messages)
    const parts: Message[] = []
    for await (const part of message) parts.push(part)
    expect(parts.length).toBeGreaterThan(2)
    expect(parts.join('') === text).toBe(true)
    for (const part of parts) expect(Buffer.from(part).toString() === part).toBe(true)
    await end(connection)
  })

  it('brings octets of text, when they are wanted so, and parts no larger than they may be', async () => {
    const connection = await streaming({ text: 'buffer' }, { maxPartSize: 1000 })
    const { peer, messages } = connection
    for (const size of [5000, 400_000]) {
      peer.send(TEXT | RSV1, deflated(Buffer.alloc(size, 'ab')))
      const message = await nextOf(messages)
      expect(message.isBinary).toBe(false)
      let length = 0
      for await (const part of message) {
        expect([Buffer.isBuffer(part), part.length <= 1000]).toEqual([true, true])
        length += part.length
      }
      expect(length).toBe(size)
    }
    await end(connection)
  })

  it('goes on with a message that had begun before it was asked for', async () => {
    for (const within of [true, false]) {
      const connection = await opened(role, {
        perMessageDeflate: true,
        extensions: NO_CONTEXT,
        iterate: true,
        handler: { ping: (ws: Connection) => void (within ? ws.messages({ stream: true }) : undefined) },
      })
      const { ws, peer } = connection
      const payload = deflated(noise(3000))
      peer.write(received(role, BINARY_BEGINS, payload.subarray(0, 2000)), received(role, PING))
      await turn()
      const messages = ws.messages({ stream: true })
      const message = await nextOf(messages)
      const begun = (await nextOf(message)) as Buffer
      peer.send(ENDS, payload.subarray(2000))
      expectSame([Buffer.concat([begun, (await read(message)) as Buffer])], [noise(3000)])
      await end(connection)
    }
  })

  it('stops inflating, and the peer, while nobody reads, and goes on when somebody does', async () => {
    const connection = await streaming({}, { maxMessageSize: Infinity })
    const { peer, messages } = connection
    const size = 64 * MiB
    peer.send(BINARY_BEGINS, deflateRawSync(Buffer.alloc(size), { finishFlush: constants.Z_SYNC_FLUSH }))
    peer.send(PING)
    const message = await nextOf(messages)
    await settle(() => message.full)
    await turn(50)
    // Sixteen parts, and what one piece brought beyond.
    expect(message.size).toBeLessThan(1.5 * MiB)
    expect([peer.transport.isPaused(), connection.log]).toEqual([true, ['open']])
    let length = 0
    let most = 0
    const reading = (async () => {
      for await (const part of message) {
        length += part.length
        most = Math.max(most, message.size)
      }
    })()
    await settle(() => connection.log.length > 1)
    expect([length + message.size, most < 1.5 * MiB]).toEqual([size, true])
    peer.send(ENDS, Buffer.of(0))
    await reading
    expect(length).toBe(size)
    await end(connection)
  })

  it('heeds a pause within a message', async () => {
    const connection = await streaming({ handler: { ping: (ws) => ws.pause() } })
    const { ws, peer, messages } = connection
    const payload = deflated(noise(100_000))
    peer.write(received(role, BINARY_BEGINS, payload.subarray(0, 50_000)), received(role, PING))
    const next = messages.next()
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(await stateOf(next)).toBe('pending')
    ws.resume()
    const message = valueOf(await next)
    peer.send(ENDS, payload.subarray(50_000))
    expectSame([await read(message)], [noise(100_000)])
    await end(connection)
  })

  it('inflates on for a message that is dropped, as the next one may refer to it', async () => {
    const connection = await streaming(CONTEXT, { maxMessageSize: 4 * MiB })
    const { peer, messages } = connection
    const stream = createDeflateRaw()
    const bytes: Buffer[] = []
    for (const message of [lines(40_000), lines(5)]) {
      bytes.push(received(role, BINARY | RSV1, (await through(stream, message)).subarray(0, -4)))
    }
    stream.close()
    peer.write(...bytes)
    const first = await nextOf(messages)
    await nextOf(first)
    await first.return()
    expect(await read(await nextOf(messages))).toEqual(lines(5))
    await end(connection)
  })

  it('lets others have their turn while there are many small ones', async () => {
    const connection = await streaming()
    const { peer, messages } = connection
    const frame = received(role, BINARY | RSV1, deflated(Buffer.alloc(260_000)))
    peer.write(...Array.from({ length: 300 }, () => frame), received(role, CLOSE, NORMAL))
    let count = 0
    const turns: number[] = []
    // Others are whoever waits for the next turn of the event loop, however short it is.
    let watch = setImmediate(function look() {
      turns.push(count)
      watch = setImmediate(look)
    })
    for await (const message of messages) {
      await read(message)
      if (++count === 300) break
    }
    clearImmediate(watch)
    expect(turns.filter((seen) => seen > 0 && seen < 300).length).toBeGreaterThan(0)
    await end(connection)
  })

  it.each<[what: string, frames: Parameters<typeof script>[1], code: string, closeCode: string]>([
    [
      'text that is not UTF-8 in a later fragment [7692:6.1-i01] [6455:8.1-01]',
      [
        [TEXT_BEGINS, deflateRawSync('a', { finishFlush: constants.Z_SYNC_FLUSH })],
        [CONTINUES, deflateRawSync(Buffer.of(0xff), { finishFlush: constants.Z_SYNC_FLUSH })],
      ],
      'ERR_WS_INVALID_UTF8',
      '03ef',
    ],
    [
      'text that ends within a character',
      [
        [TEXT_BEGINS, deflateRawSync(Buffer.of(0x61, 0xc3), { finishFlush: constants.Z_SYNC_FLUSH })],
        [ENDS, Buffer.of(0)],
      ],
      'ERR_WS_INVALID_UTF8',
      '03ef',
    ],
    [
      'long text that ends within a character',
      [[TEXT | RSV1, deflated(Buffer.concat([Buffer.from(noise(60_000).toString('hex')), Buffer.of(0xc3)]))]],
      'ERR_WS_INVALID_UTF8',
      '03ef',
    ],
    ['small text that is not UTF-8', [[TEXT | RSV1, deflated(Buffer.of(0xff))]], 'ERR_WS_INVALID_UTF8', '03ef'],
    [
      'what cannot be inflated, in a later fragment',
      [
        [BINARY_BEGINS, deflateRawSync('a', { finishFlush: constants.Z_SYNC_FLUSH })],
        [CONTINUES, Buffer.of(7)],
      ],
      'ERR_WS_INVALID_DEFLATE',
      '03ef',
    ],
    [
      'a message that ends within a block',
      [
        [BINARY_BEGINS, deflated(noise(70_000)).subarray(0, -100)],
        [ENDS, ''],
      ],
      'ERR_WS_INVALID_DEFLATE',
      '03ef',
    ],
    [
      'what grows too large, with its size on the wire within the limit [6455:10.4-01]',
      [[BINARY_BEGINS, deflated(Buffer.alloc(1_000_001))]],
      'ERR_WS_MESSAGE_TOO_BIG',
      '03f1',
    ],
    [
      'small what grows too large',
      [[BINARY | RSV1, deflated(Buffer.alloc(1_000_001))]],
      'ERR_WS_MESSAGE_TOO_BIG',
      '03f1',
    ],
    [
      'what is announced too large on the wire',
      [[BINARY_BEGINS, '', { declared: 1_070_000n }]],
      'ERR_WS_MESSAGE_TOO_BIG',
      '03f1',
    ],
    [
      'RSV1 on a later fragment [7692:6.1-03]',
      [
        [BINARY_BEGINS, deflateRawSync('a', { finishFlush: constants.Z_SYNC_FLUSH })],
        [ENDS | RSV1, Buffer.of(0)],
      ],
      'ERR_WS_RESERVED_BIT',
      '03ea',
    ],
  ])('fails at %s', async (_what, frames, code, closeCode) => {
    // The connection's own limit is for messages that are put together.
    const connection = await streaming({ maxMessageSize: 10 }, { maxMessageSize: 1_000_000 })
    const { peer, messages, log } = connection
    const reading = (async () => {
      for await (const message of messages) await read(message)
    })()
    const failure = reading.catch((error: unknown) => error)
    peer.write(script(role, frames))
    await settle(() => log.length > 1)
    expect(log).toEqual(['open', `error ${code}`])
    expect(parseFrames(role, peer.bytes).at(-1)?.payload.toString('hex')).toMatch(new RegExp(`^${closeCode}`))
    peer.end()
    expect(await failure).toBeInstanceOf(ConnectionClosedError)
    await turn()
    expectGone(connection)
  })

  it('has the limit of the connection where it has none of its own, as little on the wire may become much [6455:10.4-01]', async () => {
    const connection = await streaming({ maxMessageSize: 1000 })
    const { peer, messages, log } = connection
    peer.send(BINARY, Buffer.alloc(2000))
    expect(await read(await nextOf(messages))).toHaveLength(2000)
    peer.send(BINARY | RSV1, deflated(Buffer.alloc(1001)))
    await turn()
    expect(log).toEqual(['open', 'error ERR_WS_MESSAGE_TOO_BIG'])
    await end(connection)
  })

  it('tells nothing any more of a message that was being inflated when the connection was ended', async () => {
    const connection = await streaming({}, { maxMessageSize: 10 * MiB })
    const { ws, peer, messages } = connection
    peer.send(BINARY_BEGINS, deflated(Buffer.alloc(10 * MiB)))
    const message = await nextOf(messages)
    await nextOf(message)
    ws.terminate()
    await turn()
    expectGone(connection)
    await expect(read(message)).rejects.toThrow(ConnectionClosedError)
  })
})

describe.each(ROLES)('sendStream(…, { compress: true }) of a %s', (role) => {
  const open = (options: OpenOptions = {}): Promise<Opened> =>
    opened(role, { perMessageDeflate: true, extensions: NO_CONTEXT, ...options })
  const inflated = (payload: Buffer): Buffer => inflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH })

  it('sends a fragment of each chunk, with RSV1 on the first alone [7692:6.1-01] [7692:6.1-03] [7692:7.2.1-05] [7692:7.2.1-i01]', async () => {
    const connection = await open()
    await connection.ws.sendStream(['Hello, ', '', 'Hello, ', 'you'], { compress: true })
    await turn()
    const frames = parseFrames(role, connection.peer.bytes)
    expect(frames.map(({ firstOctet }) => firstOctet)).toEqual([TEXT_BEGINS, CONTINUES, CONTINUES, ENDS])
    const payload = Buffer.concat(frames.map((sent) => sent.payload))
    expect(payload.subarray(-4)).not.toEqual(FLUSHED)
    // Behind it stands a final block, so that zlib has to find everything in its place.
    expect(inflateRawSync(Buffer.concat([payload, FLUSHED, Buffer.of(3, 0)])).toString()).toBe('Hello, Hello, you')
    // What has come can be inflated before the rest is there.
    expect(inflated(frames[0].payload).toString()).toBe('Hello, ')
    connection.ws.terminate()
  })

  it('compresses large chunks, and cuts what comes of them', async () => {
    const connection = await open()
    const chunks = [lines(5000), noise(100_000), lines(5)]
    await connection.ws.sendStream(chunks, { compress: true, fragmentSize: 10_000 })
    await settle(() => connection.ws.bufferedAmount === 0)
    const frames = parseFrames(role, connection.peer.bytes)
    expect(Math.max(...frames.map(({ payload }) => payload.length))).toBe(10_000)
    expectSame([inflated(Buffer.concat(frames.map(({ payload }) => payload)))], [Buffer.concat(chunks)])
    connection.ws.terminate()
  })

  it('is nothing special for a message without an octet, where it was not agreed upon, or is not asked for', async () => {
    for (const [options, chunks, compress] of [
      [{}, [], true],
      [{}, ['', Buffer.alloc(0)], true],
      [{ perMessageDeflate: false }, ['abc'], true],
      [{}, ['abc'.repeat(1000)], undefined],
    ] as const) {
      const connection = await open(options)
      await connection.ws.sendStream(chunks, compress === undefined ? {} : { compress })
      await turn()
      for (const { firstOctet } of parseFrames(role, connection.peer.bytes)) expect(firstOctet & RSV1).toBe(0)
      connection.ws.terminate()
    }
  })

  it('keeps half a character for the end', async () => {
    const connection = await open()
    await connection.ws.sendStream(['a\ud83d', '\ude00', '\ud83d'], { compress: true })
    await connection.ws.sendStream(['\ud83d'], { compress: true })
    await turn()
    const frames = parseFrames(role, connection.peer.bytes)
    expect(frames.map(({ firstOctet }) => firstOctet)).toEqual([TEXT_BEGINS, CONTINUES, ENDS, TEXT | RSV1])
    expect(inflated(Buffer.concat(frames.slice(0, 3).map(({ payload }) => payload))).toString()).toBe(
      'a\u{1f600}\ufffd',
    )
    expect(inflated(frames[3].payload).toString()).toBe('\ufffd')
    connection.ws.terminate()
  })

  it('keeps one context in the order in which messages leave, whatever is sent meanwhile [7692:7.2.1-08] [7692:7.2.1-11]', async () => {
    const connection = await open(CONTEXT)
    const { ws, peer } = connection
    const text = noise(1000).toString('hex')
    const [first, second] = [new Faucet<string>(), new Faucet<string>()]
    ws.send(`1${text}`)
    const sending = [ws.sendStream(first, { compress: true })]
    ws.send(`2${text}`)
    // Only servers have such.
    if (role === 'server') ws.sendPrepared(new PreparedMessage(`3${text}`, undefined, Infinity))
    sending.push(ws.sendStream(second, { compress: true }))
    first.give(`4${text}`)
    await turn()
    ws.send(`5${text}`, { compress: true })
    first.give(text).end()
    second.give(`6${text}`).end()
    await Promise.all(sending)
    ws.send(`7${text}`)
    await settle(() => ws.bufferedAmount === 0)
    const stream = createInflateRaw()
    const seen: string[] = []
    let payload: Buffer[] = []
    let compressed = false
    for (const sent of parseFrames(role, peer.bytes)) {
      payload.push(sent.payload)
      if (sent.opcode !== 0) compressed = (sent.firstOctet & RSV1) !== 0
      if (sent.firstOctet < 0x80) continue
      const whole = Buffer.concat(payload)
      seen.push(`${compressed}: ${String(compressed ? await through(stream, Buffer.concat([whole, FLUSHED])) : whole)}`)
      payload = []
    }
    stream.close()
    expect(seen).toEqual([
      `true: 1${text}`,
      `true: 4${text}${text}`,
      ...(role === 'server' ? [`false: 2${text}`, `false: 3${text}`] : [`false: 2${text}`]),
      ...['6', '5', '7'].map((name) => `${name === '5' ? 'false' : 'true'}: ${name}${text}`),
    ])
    ws.terminate()
  })

  it('holds back its source while the peer does not read', async () => {
    const connection = await open({ highWaterMark: 10_000 })
    const { ws, peer } = connection
    let made = 0
    function* source(): Generator<Buffer> {
      for (; made < 50; made++) yield randomBytes(1000)
    }
    peer.stopReading()
    const sending = ws.sendStream(source(), { compress: true })
    await turn(20)
    expect([made < 12, ws.bufferedAmount < 12_000]).toEqual([true, true])
    peer.goOnReading()
    await sending
    await turn()
    const frames = parseFrames(role, peer.bytes)
    expect(inflated(Buffer.concat(frames.map(({ payload }) => payload))).length).toBe(50_000)
    ws.terminate()
  })

  it('fails the connection when its source fails, once anything has been compressed', async () => {
    const failure = new Error('from the source')
    const connection = await open()
    const sending = connection.ws.sendStream(new Faucet<string>().give('a').fail(failure), { compress: true })
    await expect(sending).rejects.toBe(failure)
    await turn()
    expect(connection.log).toEqual(['open', 'error from the source'])
    connection.ws.terminate()
    const other = await open()
    await expect(other.ws.sendStream(new Faucet<string>().fail(failure), { compress: true })).rejects.toBe(failure)
    await expect(other.ws.sendStream([5 as unknown as string], { compress: true })).rejects.toThrow(TypeError)
    await expect(other.ws.sendStream(5 as unknown as string[], { compress: true })).rejects.toThrow(TypeError)
    expect([other.log, other.ws.send('goes on')]).toEqual([['open'], true])
    other.ws.terminate()
  })

  it('ends with its connection, even while a chunk is being compressed', async () => {
    const connection = await open()
    const { ws, peer } = connection
    const source = new Faucet<Buffer>().give(noise(1_000_000))
    const sending = ws.sendStream(source, { compress: true })
    await turn()
    void ws.close(1000)
    // As soon as that is done, and long before the peer answers.
    await settle(() => source.left)
    peer.send(CLOSE, NORMAL)
    await turn()
    peer.end()
    await expect(sending).rejects.toThrow(ConnectionClosedError)
    await turn()
    expect(parseFrames(role, peer.bytes).map(({ opcode }) => opcode)).toEqual([8])
    expectGone(connection)
  })
})

/** permessage-deflate on a connection (RFC 7692): what is compressed and inflated, and that everything stays in its order. */
import { randomBytes } from 'node:crypto'
import { constants, createInflateRaw, inflateRawSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { PreparedMessage } from '../../src/connection/prepared.ts'
import { BINARY, CLOSE, NORMAL, PING, ROLES, TEXT, expectGone, opened } from '../support/connection.ts'
import type { OpenOptions, Opened } from '../support/connection.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { deflated } from '../support/deflate.ts'
import { parseFrames } from '../support/duplex.ts'
import type { SentFrame } from '../support/duplex.ts'
import { encoded } from '../support/prepared.ts'
import { received } from '../support/wire.ts'

const RSV1 = 0x40
const NO_CONTEXT = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
const WORDS = 'the same words over and over, '.repeat(60)
const LARGE = WORDS.repeat(60)

/** What a sent message says, inflated where it has RSV1: `text Hello`, `deflated text Hello`. */
function readFrame({ firstOctet, opcode, payload }: SentFrame): string {
  if (opcode > 2) return `${opcode === 8 ? 'close' : 'control'} ${payload.toString('hex')}`
  const isDeflated = (firstOctet & RSV1) !== 0
  const octets = isDeflated ? inflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }) : payload
  return `${isDeflated ? 'deflated ' : ''}${['fragment', 'text', 'binary'][opcode]} ${octets.toString()}`
}

describe.each(ROLES)('A %s that has agreed upon permessage-deflate', (role) => {
  const open = (options: OpenOptions = {}): Promise<Opened> =>
    opened(role, { perMessageDeflate: true, extensions: NO_CONTEXT, ...options })
  const sentTo = ({ peer }: Opened): string[] => parseFrames(role, peer.bytes).map((sent) => readFrame(sent))
  /** Waits for what the thread pool is doing. */
  const settle = async (done: () => boolean): Promise<void> => {
    await vi.waitFor(() => expect(done()).toBe(true), { timeout: 10_000, interval: 2 })
    await turn()
  }

  it('says what was agreed upon, and nothing where nothing was', async () => {
    expect((await open()).ws.extensions).toBe(NO_CONTEXT)
    expect((await opened(role)).ws.extensions).toBe('')
  })

  it('[V32] compresses messages from the threshold on, and as `compress` says [7692:6.1-01] [7692:6.1-02]', async () => {
    const connection = await open()
    const { ws } = connection
    ws.send('short')
    ws.send(WORDS)
    ws.send(Buffer.from(WORDS))
    ws.send(WORDS, { compress: false })
    ws.send('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', { compress: true })
    await turn()
    expect(sentTo(connection)).toEqual([
      'text short',
      `deflated text ${WORDS}`,
      `deflated binary ${WORDS}`,
      `text ${WORDS}`,
      'deflated text aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    ])
  })

  it('sends what compression would only make larger as it is', async () => {
    const connection = await open()
    const octets = randomBytes(2000)
    connection.ws.send(octets)
    const large = randomBytes(50_000)
    connection.ws.send(large)
    await settle(() => connection.ws.bufferedAmount === 0)
    const frames = parseFrames(role, connection.peer.bytes)
    expect(frames.map(({ firstOctet }) => firstOctet)).toEqual([BINARY, BINARY])
    expect(frames[0].payload.equals(octets) && frames[1].payload.equals(large)).toBe(true)
  })

  it('compresses nothing when it was not agreed upon, or is not on', async () => {
    for (const options of [{ extensions: undefined }, { perMessageDeflate: false }]) {
      const { extensions, ...rest } = { extensions: NO_CONTEXT, perMessageDeflate: true, ...options }
      const connection = await opened(role, { ...rest, ...(extensions === undefined ? {} : { extensions }) })
      connection.ws.send(WORDS, { compress: true })
      await turn()
      expect(sentTo(connection)).toEqual([`text ${WORDS}`])
    }
  })

  it('sets RSV1 on the first fragment alone, and fragments what came of it [7692:6.1-01] [7692:6.1-03] [7692:7.2.1-05]', async () => {
    const connection = await open()
    connection.ws.send(WORDS, { fragmentSize: 20 })
    await turn()
    const frames = parseFrames(role, connection.peer.bytes)
    expect(frames.map(({ firstOctet }) => firstOctet)).toEqual([0x41, ...frames.slice(2).map(() => 0x00), 0x80])
    const payload = Buffer.concat(frames.map((sent) => sent.payload))
    expect(inflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).toString()).toBe(WORDS)
  })

  it('refers back to earlier messages where that was agreed upon [7692:7.2.1-08] [7692:7.2.1-11]', async () => {
    const keeping = { serverNoContextTakeover: false, clientNoContextTakeover: false }
    const connection = await open({ extensions: 'permessage-deflate', perMessageDeflate: keeping })
    const text = randomBytes(1000).toString('hex')
    connection.ws.send(text)
    connection.ws.send(text)
    connection.ws.sendPrepared(new PreparedMessage(text, undefined, Infinity))
    await turn()
    const frames = parseFrames(role, connection.peer.bytes)
    expect(frames.map(({ firstOctet }) => firstOctet)).toEqual([0xc1, 0xc1, 0xc1])
    expect(frames[1].payload.length).toBeLessThan(50)
    expect(frames[2].payload.length).toBeLessThan(50)
    const stream = createInflateRaw()
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    for (const { payload } of frames) stream.write(Buffer.concat([payload, Buffer.from('0000ffff', 'hex')]))
    await new Promise<void>((resolve) => stream.flush(resolve))
    stream.close()
    expect(Buffer.concat(chunks).toString()).toBe(text + text + text)
  })

  it('sends everything in the order in which it was asked to, however long it takes to compress', async () => {
    const connection = await open()
    const { ws } = connection
    ws.send('1')
    ws.send(`2${LARGE}`)
    ws.send('3')
    ws.send(`4${LARGE}`)
    ws.send(`5${WORDS}`)
    const streamed = ws.sendStream(['6'])
    ws.send(`7${LARGE}`)
    ws.send('8')
    expect(ws.bufferedAmount).toBeGreaterThan(3 * LARGE.length)
    await streamed
    await settle(() => ws.bufferedAmount === 0)
    expect(sentTo(connection).map((message) => message.slice(0, 15))).toEqual([
      'text 1',
      'deflated text 2',
      'text 3',
      'deflated text 4',
      'deflated text 5',
      'text 6',
      // The end of the streamed message.
      'fragment ',
      'deflated text 7',
      'text 8',
    ])
  })

  it('answers false while much is being compressed, and tells when it has gone', async () => {
    const connection = await open({ highWaterMark: 1000 })
    const { ws, log } = connection
    expect(ws.send(LARGE)).toBe(false)
    const drained = ws.drained()
    await settle(() => log.includes('drain'))
    await drained
    expect(ws.bufferedAmount).toBe(0)
    expect(sentTo(connection)).toEqual([`deflated text ${LARGE}`])
  })

  it('closes behind what it still has to compress', async () => {
    const connection = await open()
    const { ws, peer } = connection
    ws.send(LARGE)
    ws.send('last')
    void ws.close(1000)
    expect(ws.send('late')).toBe(false)
    await settle(() => ws.bufferedAmount === 0)
    expect(sentTo(connection)).toEqual([`deflated text ${LARGE}`, 'text last', 'close 03e8'])
    peer.send(CLOSE, NORMAL)
    await turn()
    peer.end()
    await turn()
    expectGone(connection)
    expect(connection.infos[0].wasClean).toBe(true)
  })

  it('answers a Close behind what it still has to compress', async () => {
    const connection = await open()
    const { ws, peer } = connection
    ws.send(LARGE)
    ws.send('last')
    peer.send(CLOSE, NORMAL)
    await settle(() => peer.bytes.length > 0 && ws.bufferedAmount === 0)
    expect(sentTo(connection)).toEqual([`deflated text ${LARGE}`, 'text last', 'close 03e8'])
    peer.end()
    await turn()
    expectGone(connection)
  })

  it('answers a Close that crosses its own, both behind what it still has to compress', async () => {
    const connection = await open()
    const { ws, peer } = connection
    ws.send(LARGE)
    void ws.close(3000)
    peer.send(CLOSE, NORMAL)
    await settle(() => peer.bytes.length > 0 && ws.bufferedAmount === 0)
    expect(sentTo(connection)).toEqual([`deflated text ${LARGE}`, 'close 0bb8'])
    peer.end()
    await turn()
    expectGone(connection)
    expect(connection.infos[0].wasClean).toBe(true)
  })

  it('sends none of it once it has failed, or been ended', async () => {
    for (const end of [
      ({ peer }: Opened) => peer.send(0x83),
      ({ ws }: Opened) => ws.terminate(),
      ({ peer }: Opened) => peer.reset(),
    ]) {
      const connection = await open()
      const { ws, peer } = connection
      ws.send(LARGE)
      ws.send('behind')
      end(connection)
      await turn(20)
      peer.end()
      await settle(() => connection.infos.length > 0)
      await turn(20)
      expect(sentTo(connection).filter((message) => !message.startsWith('close'))).toEqual([])
      expectGone(connection)
    }
  })

  it('does not go on with a stream behind it once it closes', async () => {
    const connection = await open()
    const { ws } = connection
    ws.send(LARGE)
    const streamed = ws.sendStream(['a', 'b'])
    void ws.close(1000)
    await expect(streamed).rejects.toMatchObject({ code: 'ERR_WS_CLOSED' })
    await settle(() => ws.bufferedAmount === 0)
    expect(sentTo(connection)).toEqual([`deflated text ${LARGE}`, 'close 03e8'])
    ws.terminate()
    await turn()
  })

  it('fails with 1011 when a message that it accepted cannot be made, without a word where it is over', async () => {
    const connection = await open()
    const { ws, peer, log } = connection
    ws.sendPrepared(encoded(Promise.reject(new Error('no memory'))))
    await turn()
    expect(log).toContain('error no memory')
    expect(sentTo(connection)).toEqual(['close 03f3'])
    peer.end()
    await turn()
    expectGone(connection)
    const ended = await open()
    ended.ws.sendPrepared(encoded(Promise.reject(new Error('no memory'))))
    ended.ws.terminate()
    await turn()
    expect(ended.log).toEqual(['open', expect.stringMatching(/^close 1006/)])
  })

  it('sends what goes to many, when it is there', async () => {
    const connection = await open()
    const frame = received(role === 'client' ? 'server' : 'client', TEXT, 'made')
    connection.ws.sendPrepared(encoded(Promise.resolve([frame])))
    connection.ws.send('behind')
    await turn()
    expect(sentTo(connection)).toEqual(['text made', 'text behind'])
  })

  it('hands on what came compressed, and what did not, in order [7692:6.2-01] [7692:6.2-02]', async () => {
    const connection = await open()
    const { peer, log } = connection
    peer.send(TEXT | RSV1, deflated('Hällo'))
    peer.send(TEXT, 'plain')
    peer.send(BINARY | RSV1, deflated(Buffer.from([1, 2])))
    peer.send(TEXT | RSV1, Buffer.from([0]))
    await turn()
    expect(log).toEqual(['open', 'text Hällo', 'text plain', 'binary 01 02', 'text'])
  })

  it('sends each message without the four octets that end it, and aligned as they need it [7692:7.2.1-i01]', async () => {
    const connection = await open()
    const end = Buffer.from([0x00, 0x00, 0xff, 0xff])
    const messages = [WORDS, 'a', '', WORDS.repeat(1000)]
    for (const message of messages) connection.ws.send(message, { compress: true })
    await settle(() => connection.ws.bufferedAmount === 0)
    const payloads = parseFrames(role, connection.peer.bytes).filter(({ firstOctet }) => (firstOctet & RSV1) !== 0)
    expect(payloads.length).toBeGreaterThan(1)
    for (const { payload } of payloads) {
      expect(payload.subarray(-4).equals(end)).toBe(false)
      // Behind them stands a final block, so that zlib has to find everything in its place.
      expect(messages).toContain(inflateRawSync(Buffer.concat([payload, end, Buffer.from([0x03, 0x00])])).toString())
    }
  })

  it('keeps its contexts over messages in between that are not compressed [7692:7.2.3-i02]', async () => {
    const connection = await open({
      perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false },
      extensions: 'permessage-deflate',
    })
    const { ws, peer, log } = connection
    // Little in it is there twice, so that only the message before helps.
    const numbers = Array.from({ length: 100 }, (_, index) => (index * 7919) % 9973).join()
    for (const compress of [true, false, true]) ws.send(numbers, { compress })
    peer.send(TEXT | RSV1, Buffer.from('f248cdc9c90700', 'hex'))
    peer.send(TEXT, 'plain')
    peer.send(TEXT | RSV1, Buffer.from('f200110000', 'hex'))
    await turn()
    expect(log).toEqual(['open', 'text Hello', 'text plain', 'text Hello'])
    const [first, between, second] = parseFrames(role, peer.bytes).map(({ payload }) => payload)
    expect(between.toString()).toBe(numbers)
    expect(second.length).toBeLessThan(first.length / 4)
    const end = Buffer.from([0x00, 0x00, 0xff, 0xff])
    const both = inflateRawSync(Buffer.concat([first, end, second]), { finishFlush: constants.Z_SYNC_FLUSH })
    expect(both.toString()).toBe(numbers + numbers)
  })

  it('hands on what takes long to inflate in order with all that follows, a Close and a FIN too', async () => {
    const connection = await open()
    const { peer, log } = connection
    const large = Buffer.alloc(400_000, 'ab')
    peer.write(
      received(role, TEXT | RSV1, deflated(large)),
      received(role, PING, 'p'),
      received(role, TEXT, 'next'),
      received(role, BINARY | RSV1, deflated(large)),
      received(role, CLOSE, NORMAL),
    )
    peer.end()
    await settle(() => log.some((event) => event.startsWith('close')))
    expect(log.map((event) => event.slice(0, 9))).toEqual([
      'open',
      'text abab',
      'ping 70',
      'text next',
      'binary 61',
      'close 100',
    ])
  })

  it('loses nothing to a FIN that comes behind a message that takes long to inflate', async () => {
    const connection = await open()
    const { ws, peer, log } = connection
    // Both come together, when the pause is over.
    ws.pause()
    peer.write(received(role, TEXT | RSV1, deflated(Buffer.alloc(400_000, 'a'))), received(role, TEXT, 'next'))
    peer.end()
    ws.resume()
    await settle(() => connection.infos.length > 0)
    expect(log.map((event) => event.slice(0, 9))).toEqual(['open', 'text aaaa', 'text next', 'close 100'])
    expect(connection.infos[0]).toMatchObject({ code: 1006, initiator: 'network' })
  })

  it('heeds a pause that comes while a message is being inflated', async () => {
    const connection = await open()
    const { ws, peer, log } = connection
    peer.write(received(role, TEXT | RSV1, deflated(Buffer.alloc(400_000, 'a'))), received(role, TEXT, 'next'))
    await turn()
    ws.pause()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(log).toEqual(['open'])
    ws.resume()
    await settle(() => log.length === 3)
    expect(log.map((event) => event.slice(0, 9))).toEqual(['open', 'text aaaa', 'text next'])
  })

  it('stays where it is when whoever is told of a message pauses again', async () => {
    const connection = await open({ handler: { message: (ws) => ws.pause() } })
    const { ws, peer, log } = connection
    const frame = received(role, TEXT | RSV1, deflated(Buffer.alloc(400_000, 'a')))
    peer.write(frame, frame, received(role, TEXT, 'next'))
    for (const count of [2, 3, 4]) {
      await settle(() => log.length === count)
      await turn()
      expect(log).toHaveLength(count)
      ws.resume()
    }
    ws.terminate()
    await turn()
  })

  it('[A05] lets others have their turn while many small messages are to be inflated, and loses none', async () => {
    let count = 0
    const connection = await open({
      onlyHandler: {
        message: () => {
          count++
        },
      },
    })
    const { ws, peer } = connection
    const frame = received(role, BINARY | RSV1, deflated(Buffer.alloc(200_000)))
    const messages = Array.from({ length: 300 }, () => frame)
    const turns: number[] = []
    const watch = setInterval(() => turns.push(count), 1)
    peer.write(...messages, received(role, CLOSE, NORMAL))
    await settle(() => ws.readyState !== 1)
    clearInterval(watch)
    expect(count).toBe(300)
    expect(turns.filter((seen) => seen > 0 && seen < 300).length).toBeGreaterThan(0)
    ws.terminate()
    await turn()
  })

  it('sends what a FIN finds unfinished, and its Close frame', async () => {
    const connection = await open()
    const { ws, peer } = connection
    ws.send(LARGE)
    ws.send('last')
    peer.end()
    await settle(() => peer.finished)
    expect(sentTo(connection)).toEqual([`deflated text ${LARGE}`, 'text last'])
    await turn()
    const other = await open({ handler: { message: (of, data) => of.send(data) } })
    other.peer.write(received(role, TEXT | RSV1, deflated(LARGE)), received(role, CLOSE, NORMAL))
    other.peer.end()
    await settle(() => other.infos.length > 0)
    expect(sentTo(other)).toEqual([`deflated text ${LARGE}`, 'close 03e8'])
    expect(other.infos[0].wasClean).toBe(true)
  })

  it('tells nothing any more of a message that was being inflated when the connection was ended', async () => {
    const connection = await open()
    const { ws, peer, log } = connection
    peer.send(TEXT | RSV1, deflated(Buffer.alloc(400_000)))
    await turn()
    ws.terminate()
    await turn(50)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(log).toEqual(['open', expect.stringMatching(/^close 1006/)])
  })

  it('hands on text as octets where the options want it so, known to be text', async () => {
    const connection = await open({ text: 'buffer' })
    const { peer, log } = connection
    peer.send(TEXT | RSV1, deflated('text'))
    await turn()
    expect(log).toEqual(['open', 'text-octets 74 65 78 74'])
  })

  it.each([
    ['text that is not UTF-8 [7692:6.1-i01]', TEXT, deflated(Buffer.from([0x61, 0xff])), 'ERR_WS_INVALID_UTF8', '03ef'],
    [
      'text that is not UTF-8, and long [7692:6.1-i01]',
      TEXT,
      deflated(Buffer.alloc(400_000, 0xff)),
      'ERR_WS_INVALID_UTF8',
      '03ef',
    ],
    ['what cannot be inflated', BINARY, Buffer.from([7]), 'ERR_WS_INVALID_DEFLATE', '03ef'],
    ['much that cannot be inflated', BINARY, Buffer.alloc(40_000, 0xff), 'ERR_WS_INVALID_DEFLATE', '03ef'],
    [
      'what grows too large [6455:10.4-01]',
      BINARY,
      deflated(Buffer.alloc(1_000_001)),
      'ERR_WS_MESSAGE_TOO_BIG',
      '03f1',
    ],
  ])('fails at %s', async (_what, opcode, payload, code, closeCode) => {
    const connection = await open({ maxMessageSize: 1_000_000 })
    const { peer, log } = connection
    peer.write(received(role, opcode | RSV1, payload), received(role, TEXT, 'behind'))
    await settle(() => log.length > 1)
    expect(log).toEqual(['open', `error ${code}`])
    expect(sentTo(connection)[0]).toMatch(new RegExp(`^close ${closeCode}`))
    peer.end()
    await turn()
    expectGone(connection)
  })

  it('gives messages to whoever iterates, whole or in parts', async () => {
    const connection = await open({ iterate: true })
    const { ws, peer } = connection
    peer.send(TEXT | RSV1, deflated('one'))
    const messages = ws.messages()
    expect((await messages.next()).value).toBe('one')
    const streams = ws.messages({ stream: true })
    peer.send(TEXT | RSV1, deflated('two'))
    peer.send(BINARY | RSV1, deflated(Buffer.alloc(400_000, 1)))
    peer.send(TEXT, 'three')
    const heard: unknown[] = []
    for await (const stream of streams) {
      let size = 0
      for await (const part of stream) size += part.length
      heard.push([stream.isBinary, size])
      if (heard.length === 3) break
    }
    expect(heard).toEqual([
      [false, 3],
      [true, 400_000],
      [false, 5],
    ])
    ws.terminate()
  })
})

describe('A client that has agreed upon permessage-deflate', () => {
  it('sends octets as they were when it was told to, as it does without [6455:10.3-i01]', async () => {
    for (const fill of ['the same again ', randomBytes(50_000)]) {
      const connection = await opened('client', { perMessageDeflate: true, extensions: NO_CONTEXT })
      const octets = Buffer.alloc(50_000, fill)
      const before = Buffer.from(octets)
      connection.ws.send(octets)
      octets.fill(0)
      await vi.waitFor(() => expect(connection.ws.bufferedAmount).toBe(0), { timeout: 10_000, interval: 2 })
      await turn()
      const [{ firstOctet, payload }] = parseFrames('client', connection.peer.bytes)
      const isDeflated = (firstOctet & RSV1) !== 0
      const sent = isDeflated ? inflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }) : payload
      expect([isDeflated, sent.equals(before)]).toEqual([typeof fill === 'string', true])
      connection.ws.terminate()
    }
  })
})

describe('A server that has agreed upon permessage-deflate', () => {
  useClock()

  it('ends when it still has nothing to send long after a Close [6455:7.1.1-03]', async () => {
    const connection = await opened('server', { perMessageDeflate: true, extensions: NO_CONTEXT, closeTimeout: 2000 })
    const { ws, peer, log } = connection
    ws.sendPrepared(encoded(new Promise(() => {})))
    peer.send(CLOSE, NORMAL)
    await turn()
    expect(log).toEqual(['open'])
    await pass(4000)
    expectGone(connection)
    expect(connection.errors[0]?.message).toBe('What had been accepted before the close could not be sent in time')
  })

  it('gives the peer its time for the answer once the Close frame has left', async () => {
    const connection = await opened('server', { perMessageDeflate: true, extensions: NO_CONTEXT, closeTimeout: 2000 })
    const { ws, peer, log } = connection
    let made: (frames: Buffer[]) => void = () => {}
    ws.sendPrepared(
      encoded(
        new Promise((resolve) => {
          made = resolve
        }),
      ),
    )
    void ws.close(1000)
    await pass(1500)
    made([Buffer.from('81016d', 'hex')])
    await pass(1500)
    expect(peer.frames).toEqual(['text m', 'close 1000'])
    expect(log).toEqual(['open'])
    await pass(1500)
    expect(log[1]).toBe('error ERR_WS_CLOSE_TIMEOUT')
    expectGone(connection)
  })
})

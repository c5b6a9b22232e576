/**
 * `messages({ stream: true })`: messages as they come, each to be read in parts, so that neither a message nor a frame
 * need fit in memory (RFC 6455 5.4, 6.2, 8.1).
 */
import { describe, expect, it } from 'vitest'
import type { Connection, Message, MessageStream, MessagesOptions } from '../../src/connection/index.ts'
import { Incoming } from '../../src/connection/incoming.ts'
import { ConnectionClosedError } from '../../src/errors.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, ROLES, TEXT, expectGone, open, opened } from '../support/connection.ts'
import type { OpenOptions, Opened } from '../support/connection.ts'
import { octets } from '../support/messages.ts'
import { nextOf, stateOf, valueOf } from '../support/streams.ts'
import { received, script, wire } from '../support/wire.ts'

const TEXT_BEGINS = 0x01
const BINARY_BEGINS = 0x02
const CONTINUES = 0x00
const ENDS = 0x80

const over = { value: undefined, done: true }

/** All parts of a message, joined; fails on an empty part. */
async function read(message: MessageStream): Promise<Message> {
  const parts: Message[] = []
  for await (const part of message) parts.push(part)
  expect(parts.every((part) => part.length > 0)).toBe(true)
  return parts.every((part) => typeof part === 'string') ? parts.join('') : Buffer.concat(parts as Buffer[])
}

describe('Incoming', () => {
  it('is full with 16 parts of a message that is not complete, or 16 messages', () => {
    const incoming = new Incoming(() => {}, true, 65_536)
    for (let i = 0; i < 15; i++) incoming.part(Buffer.from('a'), false, false, false)
    expect(incoming.full).toBe(false)
    incoming.part(Buffer.from('a'), false, false, false)
    expect(incoming.full).toBe(true)
    incoming.part(Buffer.from('a'), false, true, false)
    for (let i = 1; i < 16; i++) {
      expect(incoming.full).toBe(false)
      incoming.part(Buffer.from('a'), false, true, false)
    }
    expect(incoming.full).toBe(true)
  })

  it('is full with 1 MiB of messages that nobody has taken, however few they are', async () => {
    const incoming = new Incoming(() => {}, true, 65_536)
    const message = (size: number): void => {
      for (let i = 0; i < 4; i++) incoming.part(Buffer.alloc(size / 4, 'a'), i % 2 === 0, i === 3, false)
    }
    for (let i = 0; i < 3; i++) message(262_144)
    message(262_140)
    expect(incoming.full).toBe(false)
    message(4)
    expect(incoming.full).toBe(true)
    // Who has taken a message has it, read or not.
    await incoming.messages.next()
    expect(incoming.full).toBe(false)
  })

  it('cuts parts that are larger than they may be, text between characters', async () => {
    const cut = async (part: Message, most: number): Promise<Message[]> => {
      const incoming = new Incoming(() => {}, true, most)
      incoming.add(part, typeof part !== 'string')
      const parts: Message[] = []
      for await (const each of await nextOf(incoming.messages)) parts.push(each)
      return parts
    }
    expect(await cut('abcde', 2)).toEqual(['ab', 'cd', 'e'])
    expect(await cut('abcd', 4)).toEqual(['abcd'])
    expect(await cut('a\u20acb', 3)).toEqual(['a', '\u20acb'])
    expect(await cut('\u{1f600}', 1)).toEqual(['\u{1f600}'])
    expect(await cut(octets(10), 4)).toEqual([
      octets(10).subarray(0, 4),
      octets(10).subarray(4, 8),
      octets(10).subarray(8),
    ])
    expect(await cut(Buffer.alloc(0), 4)).toEqual([])
  })

  it('loses all that comes behind what it had to leave out', async () => {
    const incoming = new Incoming(() => {}, true, 65_536)
    for (let i = 0; i < 20; i++) incoming.part(Buffer.from(String.fromCharCode(97 + i)), false, false, true)
    const message = await nextOf(incoming.messages)
    expect(await nextOf(message)).toBe('a')
    // There is room again.
    incoming.part(Buffer.from('u'), false, true, true)
    incoming.part(Buffer.from('next'), false, true, true)
    incoming.end({ code: 1000, reason: '', wasClean: true, initiator: 'local' })
    for (const part of 'bcdefghijklmnop') expect(await nextOf(message)).toBe(part)
    await expect(message.next()).rejects.toThrow(ConnectionClosedError)
    expect(await incoming.messages.next()).toEqual(over)
  })
})

describe.each(ROLES)('messages({ stream: true }) of a %s', (role) => {
  useClock()

  interface Streaming extends Opened {
    readonly messages: AsyncIterableIterator<MessageStream, undefined>
  }
  async function streaming(options: OpenOptions = {}, limits: MessagesOptions = {}): Promise<Streaming> {
    const connection = await opened(role, { iterate: true, ...options })
    return { ...connection, messages: connection.ws.messages({ ...limits, stream: true }) }
  }
  async function end(connection: Opened): Promise<void> {
    connection.ws.terminate()
    await turn()
    expectGone(connection)
  }
  /** The peer closes, or answers our Close. */
  async function close({ peer }: Opened): Promise<void> {
    peer.send(CLOSE, NORMAL)
    await turn()
    peer.end()
    await turn()
  }
  /** Reads everything there is: messages, and what a message or the loop ended with. */
  async function readAll(messages: AsyncIterable<MessageStream>): Promise<string[]> {
    const seen: string[] = []
    try {
      for await (const message of messages) {
        let text = `${message.isBinary ? 'binary' : 'text'} `
        try {
          for await (const part of message) text += String(part)
        } catch (error) {
          text += ` ${(error as ConnectionClosedError).code}`
        }
        seen.push(text)
      }
    } catch (error) {
      seen.push((error as ConnectionClosedError).code)
    }
    return seen
  }

  describe('brings', () => {
    it('the parts of a message as they come, even within a frame [6455:5.4-i02] [6455:6.2-03]', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      const bytes = received(role, BINARY, octets(10))
      const cut = bytes.length - 4
      peer.write(bytes.subarray(0, cut))
      const message = await nextOf(messages)
      expect([message.isBinary, await nextOf(message)]).toEqual([true, octets(10).subarray(0, 6)])
      const rest = message.next()
      await turn()
      expect(await stateOf(rest)).toBe('pending')
      peer.write(bytes.subarray(cut))
      expect([await rest, await message.next()]).toEqual([{ value: octets(10).subarray(6), done: false }, over])
      await end(connection)
    })

    it('a message before anything of it has been read, and nothing of it when it is empty', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      for (const empty of [
        [received(role, TEXT)],
        [received(role, BINARY)],
        [received(role, TEXT_BEGINS), received(role, CONTINUES), received(role, ENDS)],
      ]) {
        peer.write(...empty)
        const message = await nextOf(messages)
        expect([message.isBinary, await message.next()]).toEqual([empty[0][0] === BINARY, over])
      }
      await end(connection)
    })

    it('fragments as one message, and control frames between them to the handler [6455:5.4-03] [6455:5.4-05] [6455:5.4-07]', async () => {
      const connection = await streaming()
      const { peer, messages, log } = connection
      peer.send(TEXT_BEGINS, 'Hel')
      peer.send(PING, 'p')
      peer.send(CONTINUES)
      peer.send(CONTINUES, 'lo, ')
      peer.send(ENDS, 'you')
      peer.send(BINARY, octets(3))
      expect(await read(await nextOf(messages))).toBe('Hello, you')
      expect(await read(await nextOf(messages))).toEqual(octets(3))
      expect([log, peer.frames]).toEqual([['open', 'ping 70'], ['pong 70']])
      await end(connection)
    })

    it('text in whole characters, wherever it is cut [6455:5.6-01]', async () => {
      const text = 'a\u00e9\u20ac\u{1f600}\ufeffb'
      const bytes = script(role, [
        [TEXT_BEGINS, Buffer.from(text).subarray(0, 7)],
        [ENDS, Buffer.from(text).subarray(7)],
      ])
      for (let first = 1; first < bytes.length; first++) {
        const connection = await streaming()
        connection.peer.write(bytes.subarray(0, first))
        await turn(1)
        connection.peer.write(bytes.subarray(first))
        await turn(1)
        const message = await nextOf(connection.messages)
        const parts: Message[] = []
        for await (const part of message) parts.push(part)
        expect(parts.join('')).toBe(text)
        // A part that ended, or began, with half a character would show it.
        for (const part of parts) expect(Buffer.from(part).toString()).toBe(part)
        await end(connection)
      }
    })

    it('octets of text, when they are wanted so', async () => {
      const connection = await streaming({ text: 'buffer' })
      const { peer, messages } = connection
      peer.send(TEXT_BEGINS, wire('61 c3'))
      peer.send(ENDS, wire('a9'))
      const message = await nextOf(messages)
      expect([message.isBinary, await nextOf(message), await nextOf(message)]).toEqual([
        ...[false, wire('61 c3'), wire('a9')],
      ])
      await end(connection)
    })

    it('parts of at most as many octets as is asked for, and of 64 KiB unless it is', async () => {
      for (const [limits, sizes] of [
        [{ maxPartSize: 40_000 }, [40_000, 40_000, 20_000]],
        [{ maxPartSize: Infinity }, [100_000]],
        [{}, [65_536, 34_464]],
      ] as const) {
        const connection = await streaming({}, limits)
        connection.peer.send(BINARY, octets(100_000))
        const parts: Message[] = []
        for await (const part of await nextOf(connection.messages)) parts.push(part)
        expect(parts.map((part) => part.length)).toEqual(sizes)
        expect(Buffer.concat(parts as Buffer[]).equals(octets(100_000))).toBe(true)
        await end(connection)
      }
    })

    it('octets that may be kept', async () => {
      const connection = await streaming()
      connection.peer.send(BINARY, octets(100))
      const part = await nextOf(await nextOf(connection.messages))
      connection.peer.send(BINARY, Buffer.alloc(100))
      await turn()
      expect(part).toEqual(octets(100))
      await end(connection)
    })

    it('the same messages to all who ask for them', async () => {
      const connection = await streaming()
      const { peer, ws, messages } = connection
      const [first, second] = [messages.next(), ws.messages({ stream: true }).next()]
      peer.send(TEXT, 'a')
      peer.send(TEXT, 'b')
      expect([(await first).value, (await second).value].map((message) => message?.isBinary)).toEqual([false, false])
      expect(await read(valueOf(await second))).toBe('b')
      await end(connection)
    })
  })

  describe('refuses', () => {
    it('octets that are not UTF-8, at the first of them [6455:8.1-01]', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      peer.send(TEXT_BEGINS, wire('61 c3'))
      const message = await nextOf(messages)
      expect(await nextOf(message)).toBe('a')
      peer.send(CONTINUES, wire('28'))
      await expect(stateOf(message.next())).resolves.toBe('pending')
      await turn()
      expect(peer.frames).toEqual([expect.stringMatching(/^close 1007/)])
      peer.end()
      await turn()
      await expect(message.next()).rejects.toMatchObject({ cause: { code: 'ERR_WS_INVALID_UTF8' } })
      await expect(messages.next()).rejects.toThrow(ConnectionClosedError)
      expectGone(connection)
    })

    it('text that ends within a character', async () => {
      const connection = await streaming()
      connection.peer.send(TEXT, wire('61 c3'))
      await turn()
      connection.peer.end()
      expect(await readAll(connection.messages)).toEqual(['ERR_WS_CLOSED'])
      expect(connection.log[1]).toBe('error ERR_WS_INVALID_UTF8')
    })

    it('messages larger than its own limit, whatever that of the connection is [6455:10.4-02]', async () => {
      const connection = await streaming({ maxMessageSize: 3 }, { maxMessageSize: 10 })
      const { peer, messages } = connection
      peer.send(TEXT, '0123456789')
      expect(await read(await nextOf(messages))).toBe('0123456789')
      peer.send(TEXT_BEGINS, '01234567')
      const message = await nextOf(messages)
      expect(await nextOf(message)).toBe('01234567')
      peer.send(ENDS, '', { declared: 3n })
      await turn()
      expect(peer.frames[0]).toMatch(/^close 1009/)
      peer.end()
      await expect(message.next()).rejects.toMatchObject({ cause: { code: 'ERR_WS_MESSAGE_TOO_BIG' } })
      await turn()
      expectGone(connection)
    })

    it('no size, when it has no limit of its own', async () => {
      const connection = await streaming({ maxMessageSize: 3 })
      connection.peer.send(BINARY, octets(4000), { declared: 2n ** 52n })
      expect(await nextOf(await nextOf(connection.messages))).toEqual(octets(4000))
      await end(connection)
    })

    it('no number of fragments, as whoever reads them sets the pace', async () => {
      const connection = await streaming({ maxFragments: 2 })
      connection.peer.write(
        script(role, [
          [TEXT_BEGINS, 'a'],
          [CONTINUES, 'b'],
          [CONTINUES, 'c'],
        ]),
      )
      await turn()
      expect(connection.peer.frames).toEqual([])
      await end(connection)
    })

    it('a limit that is none, and an option that there is not, and asks for nothing then', async () => {
      const connection = await opened(role, { iterate: true })
      const { ws } = connection
      for (const name of ['maxMessageSize', 'maxPartSize']) {
        for (const limit of [0, -1, 1.5, Number.NaN]) {
          expect(() => ws.messages({ stream: true, [name]: limit })).toThrow(RangeError)
        }
        expect(() => ws.messages({ stream: true, [name]: '1' })).toThrow(TypeError)
      }
      const unknown = { stream: true, maxMesageSize: 1 } as const
      expect(() => ws.messages(unknown)).toThrow('messages has no option "maxMesageSize"')
      expect(() => ws.messages(5 as unknown as MessagesOptions & { stream: true })).toThrow(TypeError)
      connection.peer.send(TEXT, 'whole')
      expect(await ws.messages().next()).toEqual({ value: 'whole', done: false })
      await end(connection)
    })

    it('to be had besides whole messages', async () => {
      const connection = await streaming()
      const refusal = expect.objectContaining({ name: 'TypeError', code: 'ERR_WS_HAS_HANDLER' })
      expect(() => connection.ws.messages()).toThrow(refusal)
      expect(() => connection.ws.messages({ stream: false })).toThrow(refusal)
      expect(() => connection.ws[Symbol.asyncIterator]()).toThrow(refusal)
      await end(connection)
      const handled = await opened(role)
      expect(() => handled.ws.messages({ stream: true })).toThrow(refusal)
      await end(handled)
    })
  })

  describe('drops', () => {
    it('the rest of a message whose loop is left, and goes on with the next', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      const parts: Message[] = []
      const reading = (async () => {
        for await (const message of messages) {
          for await (const part of message) {
            parts.push(part)
            if (part !== 'next') break
            return
          }
        }
      })()
      peer.send(TEXT_BEGINS, 'a')
      await turn()
      // Far more than would wait.
      for (let i = 0; i < 100; i++) peer.send(CONTINUES, 'dropped')
      peer.send(ENDS, 'dropped')
      peer.send(TEXT, 'next')
      await reading
      expect(parts).toEqual(['a', 'next'])
      await end(connection)
    })

    it('what waits of it, too, and reading goes on', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      for (let i = 0; i < 30; i++) peer.send(i === 0 ? BINARY_BEGINS : CONTINUES, octets(10))
      const message = await nextOf(messages)
      await turn()
      expect(peer.transport.isPaused()).toBe(true)
      for await (const part of message) {
        expect(part).toEqual(octets(10))
        break
      }
      await turn()
      expect(peer.transport.isPaused()).toBe(false)
      peer.send(ENDS)
      peer.send(TEXT, 'next')
      expect(await read(await nextOf(messages))).toBe('next')
      expect(await message.next()).toEqual(over)
      await end(connection)
    })

    it('what nobody has read of a message, when the next one is asked for', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      const seen: unknown[] = []
      const reading = (async () => {
        for await (const message of messages) {
          if (message.isBinary) continue
          seen.push(await read(message))
          return
        }
      })()
      // Far more than would wait, of a message that has begun, and one that was there in a moment.
      for (let i = 0; i < 100; i++) peer.send(i === 0 ? BINARY_BEGINS : CONTINUES, octets(10))
      await turn()
      peer.send(ENDS)
      peer.send(BINARY, octets(10))
      peer.send(TEXT, 'wanted')
      await reading
      expect(seen).toEqual(['wanted'])
      await end(connection)
    })

    it('nothing silently: whoever reads on is told', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      const skipped = { name: 'WebSocketError', code: 'ERR_WS_MESSAGE_SKIPPED' }
      peer.send(TEXT_BEGINS, 'a')
      const first = await nextOf(messages)
      expect(await nextOf(first)).toBe('a')
      const waiting = first.next()
      const next = messages.next()
      await expect(waiting).rejects.toMatchObject(skipped)
      peer.send(ENDS, 'b')
      peer.send(TEXT, 'whole')
      const second = valueOf(await next)
      // Its end changes nothing about that.
      await expect(first.next()).rejects.toMatchObject(skipped)
      expect(await nextOf(second)).toBe('whole')
      const third = messages.next()
      // All of it had been read.
      expect(await second.next()).toEqual(over)
      peer.send(TEXT, 'not read')
      const last = valueOf(await third)
      void messages.next()
      await expect(last.next()).rejects.toMatchObject(skipped)
      await end(connection)
    })

    it('nothing more of a message whose loop was left', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      peer.send(TEXT, 'a')
      const message = await nextOf(messages)
      await message.return()
      const next = messages.next()
      expect(await message.next()).toEqual(over)
      peer.send(TEXT, 'b')
      expect(await read(valueOf(await next))).toBe('b')
      await end(connection)
    })

    it('what is left of a message at which a loop was left, once another one goes on', async () => {
      const connection = await streaming()
      const { peer, ws, messages } = connection
      peer.send(TEXT_BEGINS, 'a')
      let message: MessageStream | undefined
      for await (const first of messages) {
        message = first
        break
      }
      expect((await message?.next())?.value).toBe('a')
      for (let i = 0; i < 100; i++) peer.send(CONTINUES, 'dropped')
      peer.send(ENDS)
      peer.send(TEXT, 'b')
      expect(await read(await nextOf(ws.messages({ stream: true })))).toBe('b')
      await expect(message?.next()).rejects.toMatchObject({ code: 'ERR_WS_MESSAGE_SKIPPED' })
      // A loop that has had no message, or none since, leaves none.
      expect(await messages.return?.()).toEqual(over)
      expect(await ws.messages({ stream: true }).return?.()).toEqual(over)
      await end(connection)
    })

    it('nothing that another loop reads', async () => {
      const connection = await streaming()
      const { peer, ws, messages } = connection
      peer.send(TEXT, 'a')
      peer.send(TEXT, 'b')
      const first = await nextOf(messages)
      expect(await read(await nextOf(ws.messages({ stream: true })))).toBe('b')
      expect(await read(first)).toBe('a')
      await end(connection)
    })

    it('a message that is not wanted, and says so with `return()`', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      for (let i = 0; i < 30; i++) peer.send(i === 0 ? BINARY_BEGINS : CONTINUES, octets(10))
      const message = await nextOf(messages)
      await turn()
      expect(peer.transport.isPaused()).toBe(true)
      expect(await message.return()).toEqual(over)
      await turn()
      expect(peer.transport.isPaused()).toBe(false)
      peer.send(ENDS)
      peer.send(TEXT, 'next')
      expect(await read(await nextOf(messages))).toBe('next')
      await end(connection)
    })
  })

  describe('waits', () => {
    it('for somebody to take parts: the peer is made to wait, until they do', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      for (let i = 0; i < 40; i++) peer.send(i === 0 ? BINARY_BEGINS : CONTINUES, Buffer.of(i))
      await turn()
      expect(peer.transport.isPaused()).toBe(true)
      const message = await nextOf(messages)
      for (let i = 0; i < 40; i++) expect(await nextOf(message)).toEqual(Buffer.of(i))
      await turn()
      expect(peer.transport.isPaused()).toBe(false)
      peer.send(ENDS)
      expect(await message.next()).toEqual(over)
      await end(connection)
    })

    it('for somebody to take messages', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      for (let i = 0; i < 15; i++) peer.send(TEXT, `${i}`)
      await turn()
      expect(peer.transport.isPaused()).toBe(false)
      for (let i = 15; i < 40; i++) peer.send(TEXT, `${i}`)
      await turn()
      expect(peer.transport.isPaused()).toBe(true)
      for (let i = 0; i < 40; i++) expect(await read(await nextOf(messages))).toBe(`${i}`)
      await turn()
      expect(peer.transport.isPaused()).toBe(false)
      await end(connection)
    })

    it('takes no more than there was room for, though the parts came in one read', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      const parts = Array.from({ length: 100 }, (_, i) =>
        received(role, i === 0 ? BINARY_BEGINS : CONTINUES, Buffer.of(i)),
      )
      peer.write(...parts, received(role, PING))
      await turn()
      // The Ping stands behind parts that nobody took.
      expect(connection.log).toEqual(['open'])
      const message = await nextOf(messages)
      for (let i = 0; i < 100; i++) expect(await nextOf(message)).toEqual(Buffer.of(i))
      await turn()
      expect(connection.log).toEqual(['open', 'ping'])
      await end(connection)
    })

    it('with the next message until the one before it has been read', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      const first = messages.next()
      const second = messages.next()
      for (let i = 0; i < 40; i++) peer.send(i === 0 ? BINARY_BEGINS : CONTINUES, Buffer.of(i))
      peer.send(ENDS)
      peer.send(TEXT, 'second')
      await turn()
      expect([await stateOf(first), await stateOf(second)]).toEqual(['fulfilled', 'pending'])
      expect(await read(valueOf(await first))).toEqual(Buffer.from(Array.from({ length: 40 }, (_, i) => i)))
      expect(await read(valueOf(await second))).toBe('second')
      await end(connection)
    })

    it('with no message, when the one before it was small, and both were asked for before', async () => {
      const connection = await streaming()
      const { peer, messages } = connection
      const both = [messages.next(), messages.next()]
      peer.send(TEXT, 'first')
      peer.send(TEXT, 'second')
      const [first, second] = (await Promise.all(both)).map((result) => valueOf(result))
      expect([await read(second), await read(first)]).toEqual(['second', 'first'])
      await end(connection)
    })
  })

  it('counts as traffic with every part that comes', async () => {
    const connection = await streaming({ idleTimeout: 10_000, heartbeat: false })
    const { peer, ws, messages } = connection
    peer.send(BINARY_BEGINS, 'a')
    const reading = read(await nextOf(messages))
    for (let i = 0; i < 4; i++) {
      await pass(6000)
      peer.send(CONTINUES, 'a')
      await turn()
    }
    expect(ws.readyState).toBe(1)
    await pass(16_000)
    expect(ws.readyState).toBe(2)
    ws.terminate()
    await expect(reading).rejects.toThrow(ConnectionClosedError)
  })

  describe('begun late', () => {
    it('brings first the messages that had come whole', async () => {
      const connection = await opened(role, { iterate: true })
      const { peer, ws } = connection
      peer.write(script(role, [[TEXT, 'text'], [BINARY, octets(3)], [TEXT], [BINARY_BEGINS, 'ab'], [ENDS, 'cd']]))
      await turn()
      const messages = ws.messages({ stream: true })
      peer.send(TEXT, 'later')
      await turn()
      await close(connection)
      expect(await readAll(messages)).toEqual([
        ...['text text', `binary ${String(octets(3))}`, 'text ', 'binary abcd', 'text later'],
      ])
    })

    it('knows which of them were text, when text comes as octets', async () => {
      const connection = await opened(role, { iterate: true, text: 'buffer' })
      connection.peer.write(script(role, [[TEXT, 'text'], [BINARY, 'binary'], [TEXT]]))
      await turn()
      const messages = connection.ws.messages({ stream: true })
      const seen: [boolean, Message][] = []
      for (let i = 0; i < 3; i++) {
        const message = await nextOf(messages)
        seen.push([message.isBinary, await read(message)])
      }
      expect(seen).toEqual([
        [false, Buffer.from('text')],
        [true, Buffer.from('binary')],
        // No part at all.
        [false, ''],
      ])
      await end(connection)
    })

    it('brings first what had come of a message, and its rest in parts', async () => {
      const connection = await opened(role, { iterate: true, maxMessageSize: 10 })
      const { peer, ws } = connection
      const bytes = script(role, [
        [TEXT_BEGINS, 'a\u20ac'],
        [ENDS, '\u20acb and much more than ten'],
      ])
      // Within a frame, and within a character.
      peer.write(bytes.subarray(0, bytes.indexOf(received(role, ENDS).subarray(0, 1)) - 1))
      await turn()
      const messages = ws.messages({ stream: true })
      const message = await nextOf(messages)
      expect(await nextOf(message)).toBe('a')
      peer.write(bytes.subarray(bytes.indexOf(received(role, ENDS).subarray(0, 1)) - 1))
      await turn()
      expect(await read(message)).toBe('\u20ac\u20acb and much more than ten')
      await end(connection)
    })

    it('goes on reading that had stopped because nobody took messages', async () => {
      const connection = await opened(role, { iterate: true })
      const { peer, ws } = connection
      for (let i = 0; i < 40; i++) peer.send(TEXT, `${i}`)
      await turn()
      expect(peer.transport.isPaused()).toBe(true)
      const messages = ws.messages({ stream: true })
      for (let i = 0; i < 40; i++) expect(await read(await nextOf(messages))).toBe(`${i}`)
      await end(connection)
    })

    it('goes on where a loop over whole messages was left', async () => {
      const connection = await opened(role, { iterate: true })
      connection.peer.write(
        script(role, [
          [TEXT, 'whole'],
          [TEXT, 'streamed'],
        ]),
      )
      for await (const message of connection.ws) {
        expect(message).toBe('whole')
        break
      }
      expect(await read(await nextOf(connection.ws.messages({ stream: true })))).toBe('streamed')
      await end(connection)
    })

    it('leaves who waits for a whole message waiting, until the connection ends', async () => {
      const connection = await opened(role, { iterate: true })
      const whole = connection.ws.messages().next()
      const messages = connection.ws.messages({ stream: true })
      connection.peer.send(TEXT, 'streamed')
      expect(await read(await nextOf(messages))).toBe('streamed')
      expect(await stateOf(whole)).toBe('pending')
      await close(connection)
      expect(await whole).toEqual(over)
    })

    it('brings what came with the opening handshake in parts, too, to whoever waited for the connection', async () => {
      const head = received(role, BINARY, octets(10))
      const asked = open(role, {
        iterate: true,
        maxMessageSize: 3,
        head,
        handler: role === 'client' ? {} : { open: (ws) => void ws.messages({ stream: true }) },
      })
      await Promise.resolve()
      const messages = asked.ws.messages({ stream: true })
      expect(await read(await nextOf(messages))).toEqual(octets(10))
      asked.peer.send(TEXT, 'next')
      expect(await read(await nextOf(messages))).toBe('next')
      await end(asked)
    })

    it('within a handler, in the middle of a read', async () => {
      let messages: AsyncIterableIterator<MessageStream, undefined> | undefined
      const connection = await opened(role, {
        iterate: true,
        handler: { ping: (ws: Connection) => void (messages = ws.messages({ stream: true })) },
      })
      connection.peer.write(script(role, [[TEXT, '1'], [TEXT_BEGINS, 'a'], [PING], [ENDS, 'b'], [TEXT, '2']]))
      await turn()
      await close(connection)
      expect(await readAll(messages ?? ([] as never))).toEqual(['text 1', 'text ab', 'text 2'])
    })
  })

  describe('ends with its connection', () => {
    it('a message that is complete, as it should', async () => {
      const connection = await streaming()
      connection.peer.write(
        script(role, [
          [TEXT_BEGINS, 'a'],
          [ENDS, 'b'],
          [BINARY, 'c'],
        ]),
      )
      await close(connection)
      expect(await readAll(connection.messages)).toEqual(['text ab', 'binary c'])
      expectGone(connection)
    })

    it('a message that is not complete, with an error even when the connection was closed in order', async () => {
      const connection = await streaming()
      connection.peer.write(
        script(role, [
          [TEXT, '1'],
          [TEXT_BEGINS, 'a'],
          [CONTINUES, 'b'],
        ]),
      )
      const reading = readAll(connection.messages)
      await close(connection)
      expect(await reading).toEqual(['text 1', 'text ab ERR_WS_CLOSED'])
      expect(connection.infos).toMatchObject([{ code: 1000, wasClean: true }])
    })

    it('whoever waits, with the error of a bad end', async () => {
      const connection = await streaming()
      const [first, second] = [connection.messages.next(), connection.messages.next()]
      connection.peer.send(TEXT_BEGINS, 'a')
      const message = valueOf(await first)
      const waiting = [second, message.next(), message.next()]
      expect(await waiting[1]).toMatchObject({ value: 'a' })
      connection.peer.reset()
      await expect(waiting[0]).rejects.toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: 1006 })
      await expect(waiting[2]).rejects.toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: 1006 })
      await turn()
      expectGone(connection)
    })

    it('a message that was dropped, without a word', async () => {
      const connection = await streaming()
      connection.peer.send(TEXT_BEGINS, 'a')
      for await (const message of connection.messages) {
        for await (const part of message) {
          expect(part).toBe('a')
          break
        }
        break
      }
      await close(connection)
      expect(await connection.messages.next()).toEqual(over)
      expectGone(connection)
    })

    it('in `close()` while nobody reads: nothing hangs, what there was room for is there', async () => {
      const connection = await streaming()
      const { peer, ws, messages } = connection
      for (let i = 0; i < 60; i++) peer.send(i === 0 ? TEXT_BEGINS : CONTINUES, `${i % 10}`)
      await turn()
      const closed = ws.close(1000)
      await turn()
      peer.send(ENDS)
      peer.send(TEXT, 'behind the gap')
      await close(connection)
      expect(await closed).toMatchObject({ code: 1000, wasClean: true })
      expect(await readAll(messages)).toEqual(['text 0123456789012345 ERR_WS_CLOSED'])
      expectGone(connection)
    })

    it('in `close()`, after messages that were complete by then', async () => {
      const connection = await streaming()
      const { peer, ws, messages } = connection
      void ws.close(1000)
      for (let i = 0; i < 20; i++) peer.write(received(role, TEXT_BEGINS, `${i}`), received(role, ENDS, '.'))
      await turn()
      expect(peer.transport.isPaused()).toBe(false)
      await close(connection)
      expect(await readAll(messages)).toEqual(
        Array.from({ length: 16 }, (_, i) => `text ${i}.`).with(15, 'text 15 ERR_WS_CLOSED'),
      )
    })

    it('before it was asked for: what had come is there', async () => {
      const connection = await opened(role, { iterate: true })
      connection.peer.write(
        script(role, [
          [TEXT, '1'],
          [TEXT, '2'],
          [TEXT_BEGINS, 'cut'],
        ]),
      )
      await turn()
      await close(connection)
      expectGone(connection)
      expect(await readAll(connection.ws.messages({ stream: true }))).toEqual([
        ...['text 1', 'text 2', 'text cut ERR_WS_CLOSED'],
      ])
    })

    it('before it was asked for, and badly', async () => {
      const connection = await opened(role, { iterate: true })
      connection.ws.terminate()
      await turn()
      expect(await readAll(connection.ws.messages({ stream: true }))).toEqual(['ERR_WS_CLOSED'])
    })

    it('with nobody to hear of it, and the process does not', async () => {
      const connection = await streaming()
      connection.peer.send(TEXT_BEGINS, 'a')
      const message = await nextOf(connection.messages)
      await nextOf(message)
      void message.next()
      void connection.messages.next()
      connection.peer.reset()
      await turn()
      expectGone(connection)
    })
  })
})

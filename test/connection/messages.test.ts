/** `for await`: every message, in order, with a short queue and TCP behind it. */
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../src/connection/index.ts'
import { MessageQueue } from '../../src/connection/messages.ts'
import type { Message } from '../../src/connection/messages.ts'
import { ConnectionClosedError } from '../../src/errors.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, ROLES, TEXT, expectGone, opened } from '../support/connection.ts'
import type { Opened } from '../support/connection.ts'
import { received } from '../support/wire.ts'

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `${from + i}`)

const closeBody = (code: number): Buffer => Buffer.from([code >> 8, code & 255])

describe('MessageQueue', () => {
  const info = { code: 1000, reason: '', wasClean: true, initiator: 'peer' } as const

  it('tells that there is room again, with every message that is taken from it', async () => {
    let wanted = 0
    const queue = new MessageQueue(() => wanted++)
    for (let i = 0; i < 15; i++) queue.push(`${i}`)
    expect(queue.full).toBe(false)
    queue.push('15')
    expect([queue.full, wanted]).toEqual([true, 0])
    expect(await queue.next()).toEqual({ value: '0', done: false })
    expect([queue.full, wanted]).toEqual([false, 1])
  })

  it('hands messages to those who wait, in the order in which they came', async () => {
    const queue = new MessageQueue(() => {})
    const both = [queue.next(), queue.next()]
    queue.push('first')
    queue.push('')
    expect(await Promise.all(both)).toEqual([
      { value: 'first', done: false },
      { value: '', done: false },
    ])
  })

  it('is its own iterator', async () => {
    const queue = new MessageQueue(() => {})
    queue.push('only')
    queue.end(info)
    const taken: Message[] = []
    for await (const message of queue) taken.push(message)
    expect(taken).toEqual(['only'])
  })

  it('ends all who wait, and stays ended', async () => {
    const queue = new MessageQueue(() => {})
    const both = [queue.next(), queue.next()]
    queue.end(info)
    const over = { value: undefined, done: true }
    expect(await Promise.all([...both, queue.next(), queue.return()])).toEqual([over, over, over, over])
  })

  it('tells all who wait of a bad end', async () => {
    const queue = new MessageQueue(() => {})
    const both = [queue.next(), queue.next()]
    queue.end({ ...info, wasClean: false })
    for (const waiting of [...both, queue.next()]) await expect(waiting).rejects.toThrow(ConnectionClosedError)
  })

  it('takes no more of what cannot wait, once it had to leave a message out', async () => {
    const queue = new MessageQueue(() => {})
    for (let i = 0; i < 18; i++) queue.offer(`${i}`)
    expect(await queue.next()).toEqual({ value: '0', done: false })
    queue.offer('18')
    for (let i = 1; i < 16; i++) expect(await queue.next()).toEqual({ value: `${i}`, done: false })
    queue.end(info)
    expect(await queue.next()).toEqual({ value: undefined, done: true })
  })
})

describe.each(ROLES)('Iterating over a %s’s messages', (role) => {
  useClock()

  async function iterating(): Promise<Opened> {
    return opened(role, { iterate: true })
  }
  async function end(connection: Opened): Promise<void> {
    connection.ws.terminate()
    await turn()
    expectGone(connection)
  }
  async function closeFrom({ peer }: Opened, code = 1000): Promise<void> {
    peer.send(CLOSE, closeBody(code))
    await turn()
    peer.end()
    await turn()
  }
  /** Takes `count` messages. */
  async function take(ws: Connection, count: number): Promise<Message[]> {
    const taken: Message[] = []
    for await (const message of ws) {
      taken.push(message)
      if (taken.length === count) break
    }
    return taken
  }
  const messages = (texts: readonly string[]): Buffer => Buffer.concat(texts.map((text) => received(role, TEXT, text)))

  it('gives text as strings and binary as Buffers', async () => {
    const connection = await iterating()
    connection.peer.send(TEXT, 'text')
    connection.peer.send(BINARY, Buffer.from([1, 2]))
    expect(await take(connection.ws, 2)).toEqual(['text', Buffer.from([1, 2])])
    await end(connection)
  })

  it('refuses when the handler takes the messages', async () => {
    const connection = await opened(role)
    expect(() => connection.ws[Symbol.asyncIterator]()).toThrow(TypeError)
    expect(() => connection.ws[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'ERR_WS_HAS_HANDLER' }))
    await end(connection)
  })

  it.each([1000, 1001, 1005])('ends when the connection was closed with %i', async (code) => {
    const connection = await iterating()
    const taken = take(connection.ws, Infinity)
    connection.peer.send(TEXT, 'last')
    if (code === 1005) {
      connection.peer.send(CLOSE)
      connection.peer.end()
    } else {
      await closeFrom(connection, code)
    }
    expect(await taken).toEqual(['last'])
    expect(await take(connection.ws, Infinity)).toEqual([])
  })

  it.each([1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4999])(
    'gives what came, and then throws, when it was closed with %i',
    async (code) => {
      const connection = await iterating()
      connection.peer.send(TEXT, 'last')
      await closeFrom(connection, code)
      expect(await take(connection.ws, 1)).toEqual(['last'])
      const error: unknown = await take(connection.ws, 1).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ConnectionClosedError)
      expect(error).toMatchObject({ code: 'ERR_WS_CLOSED', closeCode: code, wasClean: true, initiator: 'peer' })
      await expect(take(connection.ws, 1)).rejects.toBe(error)
    },
  )

  it('throws when the connection was lost, with the cause', async () => {
    const connection = await iterating()
    const taken = take(connection.ws, Infinity)
    connection.peer.reset()
    const error: unknown = await taken.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ closeCode: 1006, wasClean: false, initiator: 'network' })
    expect((error as Error).cause).toBe(connection.errors[0])
    expectGone(connection)
  })

  it('throws when a Close with a good code was not answered in time', async () => {
    const connection = await iterating()
    connection.peer.stopReading()
    connection.ws.send('x'.repeat(70_000))
    void connection.ws.close(1000)
    await pass(11_000)
    await expect(take(connection.ws, 1)).rejects.toMatchObject({ closeCode: 1006, initiator: 'timeout' })
    expectGone(connection)
  })

  it('stops reading when sixteen messages wait, and loses none of those behind them', async () => {
    const connection = await iterating()
    const { ws, peer } = connection
    peer.write(messages(numbers(0, 40)), received(role, PING, 'behind'))
    peer.write(messages(numbers(40, 60)))
    await turn()
    expect(peer.transport.isPaused()).toBe(true)
    expect(peer.frames).toEqual([])
    expect(await take(ws, 60)).toEqual(numbers(0, 60))
    await turn()
    expect(peer.transport.isPaused()).toBe(false)
    expect(peer.frames).toEqual(['pong 62 65 68 69 6e 64'])
    await end(connection)
  })

  it('keeps reading while fewer wait', async () => {
    const connection = await iterating()
    connection.peer.write(messages(numbers(0, 15)), received(role, PING))
    expect(connection.peer.transport.isPaused()).toBe(false)
    await turn()
    expect(connection.peer.frames).toEqual(['pong'])
    connection.peer.send(TEXT, '15')
    expect(connection.peer.transport.isPaused()).toBe(true)
    await end(connection)
  })

  it('does not go on by itself when `resume` is called while the queue is full', async () => {
    const connection = await iterating()
    const { ws, peer } = connection
    peer.write(messages(numbers(0, 20)))
    ws.pause()
    ws.resume()
    await turn()
    expect(peer.transport.isPaused()).toBe(true)
    ws.pause()
    expect(await take(ws, 16)).toEqual(numbers(0, 16))
    await turn()
    expect(peer.transport.isPaused()).toBe(true)
    ws.resume()
    expect(await take(ws, 4)).toEqual(numbers(16, 20))
    await end(connection)
  })

  it('goes on where a loop was left, even in the middle of a wait', async () => {
    const connection = await iterating()
    const { ws, peer } = connection
    peer.write(messages(numbers(0, 5)))
    expect(await take(ws, 2)).toEqual(['0', '1'])
    expect(await take(ws, 2)).toEqual(['2', '3'])
    const rest = take(ws, 3)
    await turn()
    peer.write(messages(numbers(5, 8)))
    expect(await rest).toEqual(['4', '5', '6'])
    expect(await take(ws, 1)).toEqual(['7'])
    await end(connection)
  })

  it('shares the messages between two loops: each goes to one of them', async () => {
    const connection = await iterating()
    const both = [take(connection.ws, Infinity), take(connection.ws, Infinity)]
    for (const text of numbers(0, 50)) {
      connection.peer.send(TEXT, text)
      if (text.endsWith('3')) await turn()
    }
    await closeFrom(connection)
    const [first, second] = await Promise.all(both)
    expect([...first, ...second].toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(0, 50))
    expect(first.length).toBeGreaterThan(0)
    expect(second.length).toBeGreaterThan(0)
  })

  it('may begin in `close`, or when all is over', async () => {
    const seen: Message[][] = []
    let inClose: Promise<unknown> | undefined
    const connection = await opened(role, {
      iterate: true,
      handler: {
        close: (ws) => {
          inClose = take(ws, Infinity).then((taken) => seen.push(taken))
        },
      },
    })
    connection.peer.send(TEXT, 'waits')
    await closeFrom(connection)
    await inClose
    expect(seen).toEqual([['waits']])
    const untouched = await iterating()
    await closeFrom(untouched)
    expect(await take(untouched.ws, Infinity)).toEqual([])
  })

  it('may wait for its own close within the loop, with messages still coming', async () => {
    const connection = await iterating()
    const { ws, peer } = connection
    const closing = (async () => {
      for await (const message of ws) return [message, await ws.close(1000, 'enough')]
      return []
    })()
    peer.write(messages(numbers(0, 40)))
    await turn()
    expect(peer.frames).toEqual(['close 1000 enough'])
    peer.write(messages(numbers(40, 80)))
    peer.send(CLOSE, NORMAL)
    await turn()
    peer.end()
    expect(await closing).toEqual(['0', connection.infos[0]])
    expect(connection.log.at(-1)).toBe('close 1000 clean local')
    // Those that found a place wait still, without a gap.
    expect(await take(ws, Infinity)).toEqual(numbers(1, 17))
  })

  it('may wait for its own close within an async `open`', async () => {
    let info: unknown
    const connection = await opened(role, {
      iterate: true,
      handler: {
        open: async (ws) => {
          for await (const message of ws) {
            if (message === 'bye') info = await ws.close(1000)
          }
        },
      },
    })
    connection.peer.send(TEXT, 'hello')
    connection.peer.send(TEXT, 'bye')
    await turn()
    await closeFrom(connection)
    expect(info).toBe(connection.infos[0])
    expectGone(connection)
  })
})

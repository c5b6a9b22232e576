/** Topics: connections that subscribe, and what is published to them, over real transports. */
import type { Socket } from 'node:net'
import { Socket as NetSocket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ServerConnection } from '../../src/server/connection.ts'
import { createHandler } from '../../src/server/handler.ts'
import { Peer } from '../../src/server/peer.ts'
import type { UpgradeRequest } from '../../src/server/request.ts'
import type { ServeOptions } from '../../src/server/server.ts'
import { OBJECT_NAMES, handshake } from '../support/heads.ts'
import type { RawClient } from '../support/raw-client.ts'
import { received } from '../support/wire.ts'
import { Events, TLS, UNIX, start } from './support.ts'

const text = (data: string): Buffer => received('server', 0x81, data)
const message = (): void => {}
const CLOSE = received('server', 0x88, Buffer.from([0x03, 0xe8]))

/** A server on which messages are commands, `verb topic text`, and the connections in the order in which they came. */
async function commanded() {
  const members: ServerConnection[] = []
  const done = new Events<unknown>()
  const running = await start({
    open: (ws) => void members.push(ws),
    message(ws, command) {
      const [verb, topic, data = ''] = String(command).split(' ')
      if (verb === 'subscribe') done.push(ws.subscribe(topic))
      if (verb === 'unsubscribe') done.push(ws.unsubscribe(topic))
      if (verb === 'publish') done.push(ws.publish(topic, data))
    },
  })
  return {
    ...running,
    members,
    /** Lets a client say it, and answers what came of it. */
    async say(client: RawClient, command: string): Promise<unknown> {
      client.write(text(command))
      return done.next()
    },
  }
}

describe('A connection of a server', () => {
  it('is sent what is published to the topics that it has subscribed to, once each', async () => {
    const { server, open, say } = await commanded()
    const [a, b] = [await open(), await open()]
    for (const topic of ['x', 'x', 'y']) await say(a, `subscribe ${topic}`)
    await say(b, 'subscribe y')
    expect([server.publish('x', 'to x'), server.publish('y', 'to y'), server.publish('z', 'to z')]).toEqual([1, 2, 0])
    expect([server.subscriberCount('x'), server.subscriberCount('y'), server.subscriberCount('z')]).toEqual([1, 2, 0])
    expect([await a.readText(), await a.readText(), await b.readText()]).toEqual(['to x', 'to y', 'to y'])
    expect(server.broadcast('all')).toBe(2)
    expect([await a.readText(), await b.readText()]).toEqual(['all', 'all'])
  })

  it('publishes to all others, subscribed itself or not', async () => {
    const { open, say } = await commanded()
    const [a, b, c] = [await open(), await open(), await open()]
    for (const client of [a, b]) await say(client, 'subscribe x')
    expect(await say(a, 'publish x from-a')).toBe(1)
    expect(await say(c, 'publish x from-c')).toBe(2)
    expect(await say(c, 'publish nothing x')).toBe(0)
    expect([await a.readText(), await b.readText(), await b.readText()]).toEqual(['from-c', 'from-a', 'from-c'])
  })

  it('knows its subscriptions', async () => {
    const { server, open, say, members } = await commanded()
    const client = await open()
    expect([...members[0].subscriptions]).toEqual([])
    await say(client, 'unsubscribe x')
    for (const topic of ['x', 'y']) await say(client, `subscribe ${topic}`)
    expect([...members[0].subscriptions]).toEqual(['x', 'y'])
    await say(client, 'unsubscribe x')
    await say(client, 'unsubscribe x')
    expect([members[0].isSubscribed('x'), members[0].isSubscribed('y')]).toEqual([false, true])
    expect([server.publish('x', ''), server.publish('y', 'y')]).toEqual([0, 1])
    expect(await client.readText()).toBe('y')
  })

  it.each(OBJECT_NAMES)('may subscribe to %s', async (topic) => {
    const { server, open, say } = await commanded()
    const client = await open()
    expect(server.subscriberCount(topic)).toBe(0)
    await say(client, `subscribe ${topic}`)
    expect(server.publish(topic, 'a')).toBe(1)
    expect(await client.readText()).toBe('a')
  })

  it('throws a TypeError for a topic that is no string', async () => {
    const { open, members } = await commanded()
    await open()
    expect(() => members[0].subscribe(1 as unknown as string)).toThrow(TypeError)
  })

  it('still has its subscriptions in `close`, is a member of nothing by then, and cannot become one again', async () => {
    const closed = new Events<unknown>()
    const { server, open } = await start({
      open: (ws) => {
        ws.subscribe('x')
        ws.subscribe('y')
      },
      close: (ws) => {
        ws.subscribe('x')
        ws.subscribe('late')
        ws.unsubscribe('y')
        closed.push([[...ws.subscriptions], server.subscriberCount('x'), server.connections.size, ws.publish('x', 'a')])
      },
    })
    const client = await open()
    client.write(CLOSE).end()
    expect(await closed.next()).toEqual([['x'], 0, 0, 0])
    expect(['x', 'y', 'late'].map((topic) => server.subscriberCount(topic))).toEqual([0, 0, 0])
  })

  it('is sent nothing more, and not counted, once it is closing', async () => {
    const { server, open, members } = await commanded()
    const [a, b] = [await open(), await open()]
    for (const ws of members) ws.subscribe('x')
    void members[0].close(1000)
    expect([server.publish('x', 'last'), server.broadcast('last')]).toEqual([1, 1])
    expect(await a.readClose()).toBe('1000')
    a.write(CLOSE)
    expect(String(await a.readToEnd())).toBe('')
    expect(await b.readText()).toBe('last')
  })

  it('may leave, or make others leave, while a message goes out', async () => {
    const errors = new Events<unknown>()
    const { server, open } = await start({
      maxBufferedAmount: 1,
      open: (ws) => ws.subscribe('x'),
      error(ws, error) {
        errors.push(error)
        for (const other of server.connections) if (other !== ws) other.unsubscribe('x')
      },
    })
    const clients = [await open(), await open(), await open()]
    // More than the system takes at once: the first of them is over its limit when the next message is published.
    const [first] = server.connections
    first.send('x'.repeat(10_000_000))
    server.publish('x', 'second')
    expect(await errors.next()).toMatchObject({ code: 'ERR_WS_BUFFER_OVERFLOW' })
    expect(server.publish('x', 'third')).toBe(0)
    await clients[0].readToEnd()
  })

  it('leaves without a trace', async () => {
    const { server, open, say } = await commanded()
    const names = Array.from({ length: 50 }, (_, n) => `topic-${n}`)
    const client = await open()
    for (const name of names) await say(client, `subscribe ${name}`)
    expect(names.every((name) => server.subscriberCount(name) === 1)).toBe(true)
    client.reset()
    await vi.waitUntil(() => server.connections.size === 0)
    expect(names.every((name) => server.subscriberCount(name) === 0)).toBe(true)
  })
})

describe('A message to many', () => {
  it.each<
    [what: string, data: string | Buffer, options: { binary?: boolean; fragmentSize?: number }, octets: string[]]
  >([
    ['text', 'abc', {}, ['8103616263']],
    ['octets', Buffer.from('abc'), {}, ['8203616263']],
    ['octets as text', Buffer.from('abc'), { binary: false }, ['8103616263']],
    ['text in fragments', 'abc', { fragmentSize: 2 }, ['01026162', '800163']],
  ])('is encoded once: every transport is handed the same octets of %s', async (_what, data, options, octets) => {
    const handed: Buffer[][] = []
    const handler = createHandler({ open: (ws) => ws.subscribe('x') })
    const { open } = await start({ routes: { '/chat': handler } })
    const clients = [await open(), await open(), await open()]
    const write = vi.spyOn(NetSocket.prototype, 'write').mockImplementation(function (this: Socket, chunk: unknown) {
      handed.push([chunk as Buffer])
      return true
    })
    expect(handler.publish('x', data, options)).toBe(3)
    await new Promise((resolve) => setImmediate(resolve))
    write.mockRestore()
    const each = handed.flat()
    expect(each).toHaveLength(3 * octets.length)
    for (const [index, chunk] of each.entries()) expect(chunk).toBe(each[index % octets.length])
    expect(each.slice(0, octets.length).map((chunk) => chunk.toString('hex'))).toEqual(octets)
    expect(clients).toHaveLength(3)
  })

  it('leaves in fragments of the size that the handler has', async () => {
    const { server, open } = await start({ fragmentSize: 2, open: (ws) => ws.subscribe('x') })
    const client = await open()
    server.publish('x', 'abc')
    expect([(await client.readFrame()).firstOctet, (await client.readFrame()).firstOctet]).toEqual([0x01, 0x80])
  })

  it('that cannot be sent throws, whether anybody would receive it or not', async () => {
    const { server } = await start({})
    expect(() => server.publish('x', 1 as unknown as string)).toThrow(TypeError)
    expect(() => server.broadcast('x', { fragmentSize: 0 })).toThrow(RangeError)
  })
})

describe('The remote address', () => {
  it('is that of the peer, over TLS too', async () => {
    for (const transport of [undefined, TLS]) {
      const { server, open } = await start({}, transport)
      await open()
      expect([...server.connections][0].remoteAddress).toBe('127.0.0.1')
    }
  })

  it('is empty where there is none', async () => {
    const { server, open } = await start({}, UNIX)
    await open()
    expect([...server.connections][0].remoteAddress).toBe('')
    expect(new Peer(new Duplex()).address).toBe('')
  })

  it('can be read in `close`, in `error` and behind a loop over the messages, when the transport has gone', async () => {
    const told = new Events<string>()
    const tell = (ws: ServerConnection): void => told.push(ws.remoteAddress)
    const running = [
      await start({ message, close: tell }),
      await start({ message, error: tell }),
      await start({
        async open(ws) {
          await ws
            .messages()
            .next()
            .catch(() => {})
          tell(ws)
        },
      }),
    ]
    for (const { open } of running) {
      const client = await open()
      client.reset()
      expect(await told.next()).toBe('127.0.0.1')
    }
  })

  it('can be read in `handshakeError` when the client has gone, and later', async () => {
    const told = new Events<UpgradeRequest | undefined>()
    const { dial } = await start({
      upgrade: ({ path }) => (path === '/slow' ? new Promise<undefined>(() => {}) : { status: 403 }),
      handshakeError: (_error, request) => told.push(request),
    })
    for (const path of ['/slow', '/']) {
      const client = await dial()
      client.write(handshake({}, `GET ${path} HTTP/1.1`)).end()
      const request = await told.next()
      await client.destroy().closed
      expect(request?.remoteAddress).toBe('127.0.0.1')
    }
  })

  it('is asked for at once where it counts, or might be read too late, and otherwise when it is read', async () => {
    const address = vi.spyOn(Peer.prototype, 'address', 'get')
    onTestFinished(() => address.mockRestore())
    const cases: ReadonlyArray<readonly [options: ServeOptions, isAsked: boolean]> = [
      [{ message }, false],
      [{ message, upgrade: () => undefined }, false],
      [{ message, upgrade: () => Promise.resolve(undefined) }, true],
      [{ message, close: message }, true],
      [{ message, error: message }, true],
      [{ message, maxConnectionsPerAddress: 2 }, true],
      [{}, true],
    ]
    for (const [options, isAsked] of cases) {
      const { server, open } = await start(options)
      address.mockClear()
      await open()
      expect(address.mock.calls.length > 0, Object.keys(options).join()).toBe(isAsked)
      expect([...server.connections][0].remoteAddress).toBe('127.0.0.1')
    }
  })
})

/** What our client does with any server that echoes, and does what it is told. Runs in Node, Bun and Deno. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { WebSocket } from 'fullduplex'
import { Absent } from './check.ts'
import type { Check } from './check.ts'
import { Link, freshId } from './link.ts'
import type { Target } from './link.ts'

const TEXT = 'Grüße, 世界, 🌍'
const MiB = 1024 * 1024

/** What a server answers that cannot do what it is told. */
const CANNOT = '!absent'

export const ourClient: readonly Check<Target>[] = [
  {
    name: 'text',
    async run(target) {
      const link = await Link.open(target)
      for (const text of [TEXT, '', 'x'.repeat(125), 'x'.repeat(126)]) assert.equal(await link.ask(text), text)
      await link.close()
    },
  },
  {
    name: 'binary',
    async run(target) {
      const link = await Link.open(target)
      const octets = Buffer.from(Array.from({ length: 256 }, (_, value) => value))
      for (const data of [octets, Buffer.alloc(0)]) assert.deepEqual(await link.ask(data), data)
      await link.close()
    },
  },
  {
    name: '1 MiB',
    async run(target) {
      const link = await Link.open(target)
      const octets = randomBytes(MiB)
      assert.ok(octets.equals((await link.ask(octets)) as Buffer), 'the octets are not those that were sent')
      const text = octets.toString('base64').slice(0, MiB)
      assert.ok((await link.ask(text)) === text, 'the text is not the one that was sent')
      await link.close()
    },
  },
  {
    name: '1,000 messages at once, in order',
    async run(target) {
      const link = await Link.open(target)
      const texts = Array.from({ length: 1000 }, (_, index) => `message ${index}`)
      for (const text of texts) link.ws.send(text)
      for (const text of texts) assert.equal(await link.next(), text)
      await link.close()
    },
  },
  {
    name: 'fragments from the client',
    async run(target) {
      const link = await Link.open(target)
      const octets = randomBytes(10_000)
      link.ws.send(octets, { fragmentSize: 1000 })
      assert.deepEqual(await link.next(), octets)
      await link.ws.sendStream([octets.subarray(0, 10), octets.subarray(10)])
      assert.deepEqual(await link.next(), octets)
      await link.close()
    },
  },
  {
    name: 'fragments from the server',
    async run(target) {
      const link = await Link.open(target)
      const answer = await link.ask('!fragments 10000')
      if (answer === CANNOT) throw new Absent('the server has no way to send fragments')
      assert.equal(answer, 'x'.repeat(10_000))
      await link.close()
    },
  },
  {
    name: 'compression',
    run: (target) => echoesCompressed(target, '/', { perMessageDeflate: true }),
  },
  {
    name: 'compression with context',
    run: (target) =>
      echoesCompressed(target, '/context', {
        perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false, threshold: 0 },
      }),
  },
  {
    name: 'a subprotocol',
    async run(target) {
      const link = await Link.open(target, '/', { protocols: ['unknown', 'chat.v2'] })
      assert.equal(link.ws.protocol, 'chat.v2')
      await link.close()
    },
  },
  {
    name: 'a Ping from the client',
    async run(target) {
      const { promise, resolve } = withResolver<string>()
      const link = await Link.open(target, '/', { pong: (_, payload) => resolve(payload.toString()) })
      link.ws.ping('hello')
      assert.equal(await promise, 'hello')
      await link.close()
    },
  },
  {
    name: 'a Ping from the server',
    async run(target) {
      const { promise, resolve } = withResolver<string>()
      const link = await Link.open(target, '/', { ping: (_, payload) => resolve(payload.toString()) })
      const answer = await link.ask('!ping hello')
      if (answer === CANNOT) throw new Absent('the server has no way to send a Ping')
      assert.equal(answer, 'pong hello')
      assert.equal(await promise, 'hello')
      await link.close()
    },
  },
  {
    name: 'a close from the client',
    async run(target) {
      const id = freshId()
      const link = await Link.open(target, `/?id=${id}`)
      const info = await link.ws.close(4001, 'enough')
      assert.deepEqual([info.wasClean, info.initiator], [true, 'local'])
      const witness = await Link.open(target)
      const { code, reason } = (await witness.askJson(`!closed ${id}`)) as { code: number; reason: string }
      assert.deepEqual([code, reason], [4001, 'enough'])
      await witness.close()
    },
  },
  {
    name: 'a close from the server',
    async run(target) {
      const link = await Link.open(target)
      link.ws.send('!close 4002 so long')
      const { code, reason, wasClean, initiator } = await link.ws.closed
      assert.deepEqual([code, reason, wasClean, initiator], [4002, 'so long', true, 'peer'])
    },
  },
  {
    name: '`for await`, to its end',
    async run(target) {
      const { ws } = await Link.open(target)
      const sent = Array.from({ length: 100 }, (_, index) => String(index))
      for (const text of [...sent, '!close 1000']) ws.send(text)
      const echoed: unknown[] = []
      for await (const message of ws) echoed.push(message)
      assert.deepEqual(echoed, sent)
    },
  },
  {
    name: '`WebSocket`, as in a browser',
    async run({ url, ca }) {
      const socket = new WebSocket(`${url}/`, { protocols: ['chat.v2'], tls: { ca } })
      socket.binaryType = 'arraybuffer'
      await event(socket, 'open')
      assert.equal(socket.protocol, 'chat.v2')
      for (const data of [TEXT, Uint8Array.of(1, 2, 3), new Blob(['a', 'b'])]) socket.send(data)
      const [text, ...octets] = await received(socket, 3)
      assert.equal(text, TEXT)
      assert.deepEqual(octets, [Uint8Array.of(1, 2, 3).buffer, Uint8Array.of(97, 98).buffer])
      socket.close(4003, 'done')
      const { wasClean } = (await event(socket, 'close')) as { wasClean?: unknown }
      assert.equal(wasClean, true)
    },
  },
]

type Options = NonNullable<Parameters<typeof Link.open>[2]>

async function echoesCompressed(target: Target, path: string, options: Options): Promise<void> {
  const link = await Link.open(target, path, options)
  if (!link.ws.extensions.startsWith('permessage-deflate')) throw new Absent('the server does not agree to compression')
  for (const size of [10, 100, 10_000, 100_000]) {
    const text = TEXT.repeat(size)
    assert.ok((await link.ask(text)) === text, 'the text is not the one that was sent')
    const octets = Buffer.from(text)
    assert.ok(octets.equals((await link.ask(octets)) as Buffer), 'the octets are not those that were sent')
  }
  await link.close()
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((settle) => (resolve = settle))
  return { promise, resolve }
}

function event(socket: WebSocket, type: 'open' | 'close'): Promise<object> {
  return new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }))
}

/** The data of the next `count` messages. */
function received(socket: WebSocket, count: number): Promise<unknown[]> {
  const data: unknown[] = []
  return new Promise((resolve) => {
    socket.addEventListener('message', (message) => {
      if (data.push(message.data) === count) resolve(data)
    })
  })
}

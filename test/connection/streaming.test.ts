/**
 * Streaming over real sockets: what only a kernel does to it. Messages larger than memory would like, peers that do not
 * read, and peers that vanish.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/client/index.ts'
import type { Message } from '../../src/connection/index.ts'
import { ConnectionClosedError } from '../../src/errors.ts'
import type { Role } from '../../src/framing/rules.ts'
import { serve } from '../../src/server/index.ts'
import type { ServerConnection } from '../../src/server/index.ts'
import { turn } from '../support/clock.ts'
import { Inbox } from '../support/inbox.ts'
import { octets } from '../support/messages.ts'
import { Faucet, nextOf, stateOf } from '../support/streams.ts'
import { wired } from '../support/wired.ts'
import { ROLES } from '../support/wire.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** The header of a binary message in one frame, as `role` receives it; the masking key of zeros changes nothing. */
function headerOf(role: Role, length: number): Buffer {
  const header = Buffer.alloc(role === 'server' ? 14 : 10)
  header[0] = 0x82
  header[1] = role === 'server' ? 0xff : 0x7f
  header.writeBigUInt64BE(BigInt(length), 2)
  return header
}

/** Writes so many octets, as fast as they are taken. */
async function pour(socket: Socket, chunk: Buffer, times: number): Promise<void> {
  for (let i = 0; i < times; i++) if (!socket.write(chunk)) await once(socket, 'drain')
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Octets of memory outside of the heap that are really in use. */
function memoryInUse(): number {
  collect()
  return process.memoryUsage().arrayBuffers
}

describe.each(ROLES)('A %s over TCP', (role) => {
  it('reads a frame of 64 MiB in parts, and holds little of it, however slow its reader is', async () => {
    const { ws, near, far } = await wired(role, { maxMessageSize: KiB })
    const messages = ws.messages({ stream: true })
    const chunk = octets(64 * KiB)
    far.write(headerOf(role, 64 * MiB))
    const pouring = pour(far, chunk, 1024)
    // Nobody reads: it stops.
    while (!near.isPaused()) await turn()
    for (let i = 0; i < 50; i++) await turn()
    const unread = near.bytesRead
    expect(unread).toBeLessThan(2 * MiB)
    expect(await stateOf(pouring)).toBe('pending')

    const before = memoryInUse()
    const hash = createHash('sha256')
    let read = 0
    let parts = 0
    let mostHeld = 0
    let mostMemory = 0
    for await (const part of await nextOf(messages)) {
      hash.update(part)
      read += part.length
      mostHeld = Math.max(mostHeld, near.bytesRead - read)
      if (++parts % 16 === 0) await turn()
      if (parts % 256 === 0) mostMemory = Math.max(mostMemory, memoryInUse() - before)
    }
    await pouring
    const expected = createHash('sha256')
    for (let i = 0; i < 1024; i++) expected.update(chunk)
    expect([read, hash.digest('hex')]).toEqual([64 * MiB, expected.digest('hex')])
    expect(mostHeld).toBeLessThan(2 * MiB)
    expect(mostMemory).toBeLessThan(24 * MiB)
  })

  it('sends 64 MiB no faster than its peer reads, and holds little of it', async () => {
    const { ws, far } = await wired(role)
    const chunk = octets(64 * KiB)
    let made = 0
    let mostWaiting = 0
    async function* source(): AsyncGenerator<Buffer> {
      for (; made < 1024; made++) {
        mostWaiting = Math.max(mostWaiting, ws.bufferedAmount)
        yield chunk
      }
    }
    const sending = ws.sendStream(source())
    // Until the kernel takes no more.
    for (let before = -1, same = 0; same < 50; before = made) {
      same = before === made ? same + 1 : 0
      await turn()
    }
    expect(made).toBeLessThan(512)
    expect(await stateOf(sending)).toBe('pending')

    const header = role === 'client' ? 14 : 10
    const total = 1024 * (64 * KiB + header) + (role === 'client' ? 6 : 2)
    const all = new Promise<void>((resolve) => {
      far.on('data', () => far.bytesRead >= total && resolve())
    })
    far.resume()
    await sending
    await all
    expect(far.bytesRead).toBe(total)
    // A chunk is only asked for while less than the high-water mark waits.
    expect(mostWaiting).toBeLessThan(64 * KiB)
  })

  it('tells both ways of a stream that the peer has vanished', async () => {
    const { ws, far } = await wired(role)
    const sending = ws.sendStream(new Faucet<string>().give('a'))
    far.write(headerOf(role, MiB))
    far.write(octets(10))
    const stream = await nextOf(ws.messages({ stream: true }))
    expect((await stream.next()).value).toEqual(octets(10))
    far.resetAndDestroy()
    await expect(stream.next()).rejects.toThrow(ConnectionClosedError)
    await expect(sending).rejects.toThrow(ConnectionClosedError)
    expect(ws.bufferedAmount).toBe(0)
  })

  it('leaves a stream behind that its peer never read', async () => {
    const { ws, far } = await wired(role, { closeTimeout: 1000 })
    function* endless(): Generator<Buffer> {
      for (;;) yield octets(64 * KiB)
    }
    const sending = ws.sendStream(endless())
    while (ws.bufferedAmount === 0) await turn()
    ws.terminate()
    await expect(sending).rejects.toThrow(ConnectionClosedError)
    far.resume()
  })
})

describe('A server and a client', () => {
  it('stream to each other at the same time, with Pings between, and every octet arrives', async () => {
    const sizes = [1, 100, 16_384, 16_385, 65_536, 200_000, 7, 0, 1_000_000]
    const chunks = Array.from({ length: 60 }, (_, i) => octets(sizes[i % sizes.length]))
    const whole = createHash('sha256').update(Buffer.concat(chunks)).digest('hex')
    async function* source(): AsyncGenerator<Buffer> {
      for (const chunk of chunks) {
        if (chunk.length % 2 === 1) await turn(1)
        yield chunk
      }
    }
    async function hashOf(message: AsyncIterable<Message>): Promise<string> {
      const hash = createHash('sha256')
      for await (const part of message) hash.update(part)
      return hash.digest('hex')
    }
    const hashes: string[] = []
    const server = await serve({
      async open(ws) {
        for await (const message of ws.messages({ stream: true })) {
          const sending = ws.sendStream(source())
          ws.ping('between')
          hashes.push(await hashOf(message))
          await sending
        }
      },
    })
    onTestFinished(() => server.shutdown())
    const ws = await connect(server.url)
    const messages = ws.messages({ stream: true })
    for (let i = 0; i < 3; i++) {
      const sending = ws.sendStream(source())
      ws.ping()
      hashes.push(await hashOf(await nextOf(messages)))
      await sending
    }
    expect(hashes).toEqual(Array.from({ length: 6 }, () => whole))
    await ws.close(1000)
  })

  it('hear what was published and broadcast meanwhile, behind the streamed message and in order', async () => {
    const opened = new Inbox<ServerConnection>()
    const server = await serve({ open: (ws) => opened.push(ws), message: () => {} })
    onTestFinished(() => server.shutdown())
    const received = new Inbox<Message>()
    const ws = await connect(server.url, { message: (_, data) => received.push(data) })
    const other = await connect(server.url, { message: () => {} })
    const [member, publisher] = await opened.take(2)
    member.subscribe('topic')
    const source = new Faucet<string>().give('streamed')
    const sending = member.sendStream(source)
    server.publish('topic', '1')
    member.send('2')
    server.broadcast('3', { fragmentSize: 1 })
    publisher.publish('topic', '4')
    expect(member.bufferedAmount).toBeGreaterThanOrEqual(4 * 3)
    source.give(', too').end()
    await sending
    server.broadcast('5')
    expect(await received.take(6)).toEqual(['streamed, too', '1', '2', '3', '4', '5'])
    await Promise.all([ws.close(), other.close()])
  })
})

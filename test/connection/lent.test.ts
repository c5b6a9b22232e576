/**
 * Reading into memory that all sockets share: who reads that way and who does not, that nothing of it is kept, and that
 * nothing else changes: order, pauses, and the end. Over real sockets, as it is their handles that do it.
 */
import { once } from 'node:events'
import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { ConnectionHandler, ConnectionOptions } from '../../src/connection/index.ts'
import { lent, readIntoLent } from '../../src/connection/lent.ts'
import { simd } from '../../src/framing/index.ts'
import type { Role } from '../../src/framing/rules.ts'
import { turn } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, ROLES, TEXT } from '../support/connection.ts'
import { Transport } from '../support/duplex.ts'
import { Inbox } from '../support/inbox.ts'
import { expectSame, octets } from '../support/messages.ts'
import { socketPair, unixSocketPair } from '../support/sockets.ts'
import type { SocketPair } from '../support/sockets.ts'
import { frame, received, script } from '../support/wire.ts'
import type { FrameLiteral } from '../support/wire.ts'

const connections: Connection[] = []
const sockets: Duplex[] = []
afterEach(async () => {
  for (const ws of connections.splice(0)) ws.terminate()
  for (const socket of sockets.splice(0)) socket.destroy()
  await turn()
})

async function pairOf(make: () => Promise<SocketPair> = socketPair): Promise<SocketPair> {
  const made = await make()
  sockets.push(made.near, made.far)
  return made
}

function bind(
  transport: Duplex,
  role: Role,
  handler: ConnectionHandler,
  options: ConnectionOptions = {},
  head: Buffer = Buffer.alloc(0),
): Connection {
  const settings = connectionSettings(role, { heartbeat: false, ...options })
  const ws = new Connection(transport, settings, handler, undefined, '')
  connections.push(ws)
  ws.start('', head)
  return ws
}

/** Writes `bytes` cut into pieces as long as `cuts` say in turn, each in a turn of its own. */
async function writeInPieces(socket: Socket, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const end = at + cuts[piece % cuts.length]
    socket.write(bytes.subarray(at, end))
    at = end
    await turn(1)
  }
}

/** The next messages of a connection; fails when that ends before they have come. */
async function take(ws: Connection, inbox: Inbox<string | Buffer>, count: number): Promise<(string | Buffer)[]> {
  return Promise.race([
    inbox.take(count),
    ws.closed.then(({ cause }) => {
      throw new Error('the connection ended before that', { cause })
    }),
  ])
}

/** What a handler is told, in the order in which it is. */
function gathering(): { inbox: Inbox<string | Buffer>; handler: ConnectionHandler } {
  const inbox = new Inbox<string | Buffer>()
  return { inbox, handler: { message: (_, data) => inbox.push(data) } }
}

const KINDS = [
  ['TCP', socketPair],
  ['a Unix socket', unixSocketPair],
] as const

describe('lent', () => {
  it('is the memory in which octets can be masked as they lie', () => {
    expect(lent).toBe(simd?.lent)
    expect(lent.length).toBe(65_536)
  })

  it('is other memory of that size without WebAssembly', async () => {
    vi.resetModules()
    vi.stubGlobal('WebAssembly', undefined)
    const other = await import('../../src/connection/lent.ts')
    vi.unstubAllGlobals()
    expect(other.lent).not.toBe(lent)
    expect([other.lent.length, other.lent.buffer.byteLength]).toEqual([65_536, 65_536])
    const { near, far } = await pairOf()
    const reads: string[] = []
    const answer = other.readIntoLent(near, (count) => {
      reads.push(other.lent.toString('latin1', 0, count))
      return true
    })
    expect(answer).toBe(true)
    near.resume()
    far.end('abc')
    await once(near, 'end')
    expect(reads.join('')).toBe('abc')
  })
})

describe('readIntoLent', () => {
  it.each(KINDS)('has a socket read into `lent` instead of telling `data` (%s)', async (_, make) => {
    const { near, far } = await pairOf(make)
    const reads: Buffer[] = []
    const told = vi.fn<(chunk: Buffer) => void>()
    near.on('data', told)
    const answer = readIntoLent(near, function onRead(count) {
      expect(this).toBe(near)
      reads.push(Buffer.from(lent.subarray(0, count)))
      return true
    })
    expect(answer).toBe(true)
    near.resume()
    const sent = octets(300_000)
    far.end(sent)
    await once(near, 'end')
    expect(Buffer.concat(reads).equals(sent)).toBe(true)
    expect(Math.max(...reads.map(({ length }) => length))).toBeLessThanOrEqual(65_536)
    expect(told).not.toHaveBeenCalled()
    expect(near.bytesRead).toBe(300_000)
  })

  it('takes no memory for a read', async () => {
    const { near, far } = await pairOf()
    const reads = new Inbox<number>()
    readIntoLent(near, (count) => {
      reads.push(count)
      return true
    })
    near.resume()
    far.write('warm')
    expect(await reads.next()).toBe(4)
    const before = process.memoryUsage().arrayBuffers
    for (let i = 1; i <= 50; i++) {
      far.write('x')
      expect(await reads.next()).toBe(1)
    }
    // Otherwise each would have taken 64 KiB of its own.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 65_536)
  })

  it('lets every socket have what it read, one after the other', async () => {
    const pairs = await Promise.all(Array.from({ length: 5 }, () => pairOf()))
    const heard = pairs.map(() => '')
    for (const [i, { near, far }] of pairs.entries()) {
      readIntoLent(near, (count) => {
        heard[i] += lent.toString('latin1', 0, count)
        return true
      })
      near.resume()
      far.end(`${i}`.repeat(1000 + i))
    }
    await Promise.all(pairs.map(({ near }) => once(near, 'end')))
    expect(heard).toEqual(pairs.map((_, i) => `${i}`.repeat(1000 + i)))
  })

  it('leaves a socket alone that has no handle, or none any more', async () => {
    expect(readIntoLent(new Socket(), () => true)).toBe(false)
    const { near } = await pairOf()
    near.destroy()
    expect(readIntoLent(near, () => true)).toBe(false)
  })

  it('leaves another Duplex alone, even if it looks like a socket', () => {
    expect(readIntoLent(new Transport(), () => true)).toBe(false)
    const useUserBuffer = vi.fn<() => void>()
    const similar = Object.assign(new Transport(), { _handle: { useUserBuffer } })
    expect(readIntoLent(similar, () => true)).toBe(false)
    expect(useUserBuffer).not.toHaveBeenCalled()
  })

  it('leaves a socket alone whose handle cannot do it', async () => {
    const { near } = await pairOf()
    const socket = new Socket()
    Reflect.set(socket, '_handle', {})
    expect(readIntoLent(socket, () => true)).toBe(false)
    Reflect.set(socket, '_handle', null)
    expect(readIntoLent(near, () => true)).toBe(true)
  })

  it('leaves a socket alone that has octets which it would emit yet', async () => {
    const { near, far } = await pairOf()
    near.read(0)
    far.write('early')
    while (near.readableLength < 5) await turn(1)
    expect(readIntoLent(near, () => true)).toBe(false)
    const [early] = (await once(near.resume(), 'data')) as [Buffer]
    expect(early.toString()).toBe('early')
    expect(readIntoLent(near, () => true)).toBe(true)
  })

  it('has a socket stop reading when that is answered, until it is resumed', async () => {
    const { near, far } = await pairOf()
    const reads = new Inbox<number>()
    readIntoLent(near, (count) => {
      reads.push(count)
      return false
    })
    for (const text of ['a', 'bc', 'def']) {
      near.resume()
      far.write(text)
      expect(await reads.next()).toBe(text.length)
      far.write('more')
      await turn(10)
      near.resume()
      expect(await reads.next()).toBe(4)
    }
    expect(near.bytesRead).toBe(6 + 3 * 4)
  })

  it('leaves TLS alone', async () => {
    const { near } = await pairOf()
    const secure = new TLSSocket(near, { isServer: true })
    sockets.push(secure)
    expect(readIntoLent(secure, () => true)).toBe(false)
  })

  it.each([
    ['the buffer', 'buffer'],
    ['the callback', 'callback'],
  ])('leaves all sockets alone on a runtime whose sockets do not keep %s', async (_, missing) => {
    vi.resetModules()
    vi.doMock(import('node:net'), async (original) => {
      const net = await original()
      class Other extends net.Socket {
        constructor({ onread = {}, ...rest }: { onread?: object } = {}) {
          super({
            ...rest,
            onread: { ...onread, [missing]: missing === 'buffer' ? Buffer.alloc(1) : () => true },
          } as object)
        }

        static override [Symbol.hasInstance](value: unknown): boolean {
          return value instanceof net.Socket
        }
      }
      return { ...net, Socket: Other as unknown as typeof net.Socket }
    })
    const other = await import('../../src/connection/lent.ts')
    vi.doUnmock('node:net')
    vi.resetModules()
    const { near } = await pairOf()
    expect(other.readIntoLent(near, () => true)).toBe(false)
  })
})

describe.each(KINDS)('A connection over %s', (_, make) => {
  it('reads into `lent`, and keeps messages that never change, whatever others read there', async () => {
    const sizes = [1, 2, 125, 126, 1000, 4096, 16_384, 65_520, 65_536, 70_000, 300 * 1024]
    const ends = await Promise.all(
      Array.from({ length: 6 }, async (__, i) => {
        const { near, far } = await pairOf(make)
        const { inbox, handler } = gathering()
        const role = ROLES[i % 2]
        const told = vi.spyOn(bind(near, role, handler, { maxMessageSize: 400_000 }), 'receive')
        const sent = sizes.flatMap((size): (string | Buffer)[] => [
          octets(size + i).subarray(i),
          String.fromCharCode(0x61 + i).repeat(size),
          'é€😀'.repeat(Math.ceil(size / 9)),
        ])
        const bytes = Buffer.concat(sent.map((data) => received(role, typeof data === 'string' ? TEXT : BINARY, data)))
        return { far, inbox, told, sent, bytes }
      }),
    )
    // Pieces of all of them in turn, none of which ends where a frame does.
    const longest = Math.max(...ends.map(({ bytes }) => bytes.length))
    for (let at = 0; at < longest; at += 49_999) {
      for (const { far, bytes } of ends) far.write(bytes.subarray(at, at + 49_999))
      await turn(1)
    }
    const came = await Promise.all(ends.map(({ inbox, sent }) => inbox.take(sent.length)))
    lent.fill(0xff)
    for (const [i, { sent, told }] of ends.entries()) {
      expectSame(came[i], sent)
      expect(new Set(told.mock.calls.map(([chunk]) => chunk))).toEqual(new Set([lent]))
    }
  })

  it('hears of a FIN, behind all that came before it', async () => {
    const { near, far } = await pairOf(make)
    const { inbox, handler } = gathering()
    const ws = bind(near, 'server', handler)
    far.end(received('server', TEXT, 'last'))
    expect(await ws.closed).toMatchObject({ code: 1006, wasClean: false, initiator: 'network' })
    expect(await inbox.next()).toBe('last')
  })

  it('closes cleanly', async () => {
    const { near, far } = await pairOf(make)
    const ws = bind(near, 'server', {})
    far.end(received('server', CLOSE, NORMAL))
    far.resume()
    expect(await ws.closed).toMatchObject({ code: 1000, wasClean: true, initiator: 'peer' })
  })

  it('gets all messages, in order, however often it pauses and resumes', async () => {
    const { near, far } = await pairOf(make)
    const inbox = new Inbox<string | Buffer>()
    let count = 0
    bind(near, 'server', {
      message(ws, data) {
        inbox.push(data)
        if (++count % 7 !== 0) return
        ws.pause()
        // At once, in the same tick, in the next turn, and again before it went on.
        if (count % 2 === 0) process.nextTick(() => ws.resume())
        else setImmediate(() => [ws.resume(), ws.pause(), setImmediate(() => ws.resume())])
      },
    })
    const sent = Array.from({ length: 400 }, (__, i) => (i % 3 === 0 ? octets(i * 20) : `message ${i} `.repeat(i)))
    const bytes = Buffer.concat(sent.map((data) => received('server', typeof data === 'string' ? TEXT : BINARY, data)))
    await writeInPieces(far, bytes, [1, 70_000, 13, 5000, 200_000])
    expectSame(await inbox.take(sent.length), sent)
  })

  it('keeps copies of what it reads and may not tell yet, whatever others read meanwhile', async () => {
    const [held, other] = [await pairOf(make), await pairOf(make)]
    const { inbox, handler } = gathering()
    const others = gathering()
    let pausing = true
    const ws = bind(held.near, 'server', {
      ...handler,
      ping: (connection) => void (pausing && connection.pause()),
    })
    bind(other.near, 'server', others.handler)
    // The Ping pauses in the middle of a read: the rest of that is what has to be kept.
    const bytes = script('server', [
      [TEXT, 'a'],
      [PING, 'p'],
      [TEXT, 'b'.repeat(1000)],
      [BINARY, octets(5000)],
    ])
    held.far.write(bytes)
    expect(await inbox.next()).toBe('a')
    for (let i = 0; i < 3; i++) {
      other.far.write(received('server', BINARY, Buffer.alloc(60_000, i)))
      await others.inbox.next()
      lent.fill(0xff)
    }
    pausing = false
    ws.resume()
    expectSame(await inbox.take(2), ['b'.repeat(1000), octets(5000)])
  })

  it('tells first what the socket had buffered, as it was paused, before it was bound', async () => {
    const { near, far } = await pairOf(make)
    const sent = Array.from({ length: 40 }, (__, i) => octets(997 + i))
    const bytes = Buffer.concat(sent.map((data) => received('server', BINARY, data)))
    // Paused, and reading all the same, up to what it may buffer.
    near.read(0)
    far.write(bytes.subarray(0, 10_000))
    while (near.readableLength < 10_000) await turn(1)
    far.write(bytes.subarray(10_000, 20_000))
    const { inbox, handler } = gathering()
    const ws = bind(near, 'server', handler)
    far.write(bytes.subarray(20_000))
    expectSame(await take(ws, inbox, sent.length), sent)
  })

  it.each<[how: string, opening: ConnectionHandler]>([
    ['within `open`', { open: (ws) => ws.pause() }],
    ['by an `open` that has not settled', { open: () => new Promise<void>(() => {}) }],
    ['by what follows `start` in the same tick', {}],
  ])('reads no more while it is held %s, when it began within a read of its socket', async (how, opening) => {
    const { near, far } = await pairOf(make)
    // As the handshake: the first read brings it, and is answered at once.
    far.write('handshake')
    near.resume()
    const ws = await new Promise<Connection>((resolve) => {
      near.once('data', () => {
        const connection = bind(near, 'server', { message: () => {}, ...opening })
        if (how.startsWith('by what')) connection.pause()
        resolve(connection)
      })
    })
    const large = received('server', BINARY, Buffer.alloc(1_000_000))
    for (let i = 0; i < 8; i++) far.write(large)
    // Each turn would read up to two megabytes.
    await turn(20)
    expect(near.bytesRead).toBeLessThanOrEqual('handshake'.length + 65_536)
    ws.terminate()
  })

  it('reads no more while it is paused, and all when it goes on', async () => {
    const { near, far } = await pairOf(make)
    const { inbox, handler } = gathering()
    const ws = bind(near, 'server', handler)
    far.write(received('server', TEXT, 'first'))
    expect(await inbox.next()).toBe('first')
    const large = octets(1_000_000)
    for (const pause of [
      () => ws.pause(),
      () => [ws.resume(), ws.pause()],
      () => [ws.pause(), ws.resume(), ws.pause()],
    ]) {
      pause()
      const before = near.bytesRead
      for (let i = 0; i < 8; i++) far.write(received('server', BINARY, large))
      await turn(20)
      expect(near.bytesRead - before).toBeLessThanOrEqual(65_536)
      ws.resume()
      expectSame(await inbox.take(8), Array<Buffer>(8).fill(large))
    }
  })
})

describe('A connection over TCP', () => {
  it('hears of a reset', async () => {
    const { near, far } = await pairOf()
    const { inbox, handler } = gathering()
    const ws = bind(near, 'server', handler)
    far.write(received('server', TEXT, 'last'))
    expect(await inbox.next()).toBe('last')
    far.resetAndDestroy()
    expect(await ws.closed).toMatchObject({ code: 1006, initiator: 'network', cause: { code: 'ECONNRESET' } })
  })

  it('tells first what the socket had buffered, though it is paused and resumed as it is bound', async () => {
    const { near, far } = await pairOf()
    const sent = Array.from({ length: 200 }, (_, i) => octets(997 + i))
    const bytes = Buffer.concat(sent.map((data) => received('server', BINARY, data)))
    // More than the socket may buffer, so that it has stopped to read by itself.
    near.read(0)
    far.write(bytes)
    while (near.readableLength < near.readableHighWaterMark) await turn(1)
    await turn()
    const { inbox, handler } = gathering()
    const ws = bind(near, 'server', handler)
    ws.pause()
    await turn(10)
    ws.resume()
    expectSame(await take(ws, inbox, sent.length), sent)
  })

  it('is ended in the middle of a read, and hears nothing that stands behind', async () => {
    const { near, far } = await pairOf()
    const told: unknown[] = []
    const ws = bind(near, 'server', {
      message: (connection, data) => {
        told.push(data)
        connection.terminate()
      },
    })
    far.write(
      script('server', [
        [TEXT, 'a'],
        [TEXT, 'b'],
        [TEXT, 'c'],
      ]),
    )
    await ws.closed
    expect(told).toEqual(['a'])
  })
})

/** A socket behind a Duplex of our own, which is not read into `lent`. */
class Wrapped extends Duplex {
  readonly #socket: Socket

  constructor(socket: Socket) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => void (this.push(chunk) || socket.pause()))
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => this.destroy(error))
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#socket.write(chunk, callback)
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket.destroy()
    callback(error)
  }
}

describe.each(ROLES)('Messages to a %s', (role) => {
  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.string({ maxLength: 3000 }))
  const bytes = fc.oneof(fc.nat(300), fc.nat(5000), fc.nat(200_000)).map((length) => octets(length))
  const message = fc.record({
    data: fc.oneof(text, bytes),
    fragments: fc.integer({ min: 1, max: 3 }),
    ping: fc.boolean(),
  })

  /** The frames of a message, with a Ping behind the first. */
  function framesOf(data: string | Buffer, fragments: number, ping: boolean): FrameLiteral[] {
    const payload = Buffer.from(data)
    const size = Math.ceil(payload.length / fragments)
    const frames: FrameLiteral[] = Array.from({ length: fragments }, (_, i) => [
      (i === fragments - 1 ? 0x80 : 0) | (i > 0 ? 0 : typeof data === 'string' ? 1 : 2),
      payload.subarray(i * size, (i + 1) * size),
    ])
    if (ping) frames.splice(1, 0, [PING, 'p'])
    return frames
  }

  it('are those that were sent over TCP, however they are cut, whether they are read into `lent` or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 6 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1000, max: 70_000 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.boolean(),
        fc.boolean(),
        async (messages, cuts, isWrapped, pauses) => {
          const { near, far } = await pairOf()
          const inbox = new Inbox<string | Buffer>()
          const ws = bind(isWrapped ? new Wrapped(near) : near, role, {
            message(connection, data) {
              inbox.push(data)
              if (!pauses) return
              connection.pause()
              setImmediate(() => connection.resume())
            },
          })
          const sent = messages.map(({ data }) => data)
          const all = script(
            role,
            messages.flatMap(({ data, fragments, ping }) => framesOf(data, fragments, ping)),
          )
          // Not more than some hundred pieces.
          const least = Math.ceil(all.length / 300)
          await writeInPieces(
            far,
            all,
            cuts.map((cut) => Math.max(cut, least)),
          )
          const came = await inbox.take(sent.length)
          lent.fill(0xff)
          expectSame(came, sent)
          expect(ws.readyState).toBe(1)
          ws.terminate()
          far.destroy()
        },
      ),
      { numRuns: 40 },
    )
  })

  it('are masked as they lie, when they were read into `lent`', async () => {
    const { near, far } = await pairOf()
    const { inbox, handler } = gathering()
    bind(near, 'server', handler)
    // Any key but that of the other tests, in any phase: a payload that two reads share.
    const payload = octets(100_001)
    far.write(frame(BINARY, payload, { key: Buffer.from([1, 2, 3, 0x84]) }))
    expectSame([await inbox.next()], [payload])
  })
})

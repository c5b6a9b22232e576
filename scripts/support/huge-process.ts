/**
 * One end of a large message, in a process of its own whose memory is watched: it sends octets that follow from their place,
 * or receives them and compares every one.
 */
import { once } from 'node:events'
import { connect as connectTcp, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ReadableStream } from 'node:stream/web'
import { applyMask, createMaskingKey, Opcode, writeFrameHeader } from '../../src/framing/index.ts'
import { acceptKey, createKey } from '../../src/handshake/index.ts'
import { connect, serve, toDuplex, toWebStreams } from '../../src/index.ts'
import type { Connection, MessageData } from '../../src/index.ts'

/**
 * How the octets travel: as one message, in fragments (compressed or not) or in one frame; or as messages, from a Duplex to a
 * Duplex, or between streams of the web.
 */
export type Way = 'fragments' | 'compressed' | 'frame' | 'duplex' | 'web'

export interface Start {
  readonly way: Way
  readonly octets: number
  readonly sends: boolean
  /** Of the server; without it, this end is the server, and says which it has. */
  readonly port?: number
}

export interface Finished {
  /** Octets that were sent, or received. */
  readonly octets: number
  /** Whether they were the right ones. */
  readonly intact: boolean
  /** The most memory that the process had (RSS), in octets, and what it had before. */
  readonly most: number
  readonly before: number
}

const CHUNK = 65_536
/** A prime, so that no place in a chunk or a frame is that of the octet before it went wrong. */
const PERIOD = 1_048_573
const FIN = 0x80

/** The octet at `place` of the message is that at `place % PERIOD` here; a chunk more, so that each chunk is one piece. */
function makePattern(): Buffer {
  let text = ''
  for (let i = 0; text.length < PERIOD; i++) text += `{"id":${(i * 7919) % 99_991},"state":"open"}\n`
  const period = Buffer.from(text).subarray(0, PERIOD)
  return Buffer.concat([period, period.subarray(0, CHUNK)])
}

const pattern = makePattern()
let place = 0
let intact = true

function* chunks(octets: number): Generator<Buffer> {
  while (place < octets) {
    const from = place % PERIOD
    const chunk = pattern.subarray(from, from + Math.min(CHUNK, octets - place))
    place += chunk.length
    yield chunk
  }
}

function check(part: string | Buffer): void {
  const octets = part as Buffer
  for (let at = 0; at < octets.length;) {
    const from = place % PERIOD
    const length = Math.min(octets.length - at, pattern.length - from)
    if (octets.compare(pattern, from, from + length, at, at + length) !== 0) intact = false
    at += length
    place += length
  }
}

async function send(ws: Connection, { way, octets }: Start): Promise<void> {
  if (way === 'duplex') {
    await pipeline(Readable.from(chunks(octets)), toDuplex(ws))
  } else if (way === 'web') {
    const source = chunks(octets)
    const pull = (controller: { enqueue(chunk: MessageData): void; close(): void }): void => {
      const { done, value } = source.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    }
    await new ReadableStream<MessageData>({ pull }, { highWaterMark: 0 }).pipeTo(toWebStreams(ws).writable)
  } else {
    await ws.sendStream(chunks(octets), { compress: way === 'compressed' })
    await ws.close(1000)
  }
}

async function receive(ws: Connection, { way, octets }: Start): Promise<void> {
  if (way === 'duplex') {
    for await (const message of toDuplex(ws) as AsyncIterable<Buffer>) check(message)
  } else if (way === 'web') {
    for await (const message of toWebStreams(ws).readable) check(message)
  } else {
    for await (const message of ws.messages({ stream: true, maxMessageSize: octets })) {
      for await (const part of message) check(part)
    }
  }
}

/** One frame that holds everything: no library would send such a one, so it is written by hand. */
async function sendOneFrame(socket: Socket, octets: number, masked: boolean): Promise<void> {
  const write = async (bytes: Buffer): Promise<void> => {
    if (!socket.write(bytes)) await once(socket, 'drain')
  }
  let key = masked ? createMaskingKey() : undefined
  const header = Buffer.alloc(14)
  await write(header.subarray(0, writeFrameHeader(header, 0, FIN | Opcode.Binary, octets, key)))
  for (const chunk of chunks(octets)) {
    const bytes = key === undefined ? chunk : Buffer.from(chunk)
    if (key !== undefined) key = applyMask(bytes, 0, bytes.length, key)
    await write(bytes)
  }
  socket.resume().end()
  await once(socket, 'close')
}

/** The head that the other side sends first. */
async function readHead(socket: Socket): Promise<string> {
  let head = ''
  while (!head.includes('\r\n\r\n')) head += String((await once(socket, 'data'))[0])
  return head
}

async function sendRaw({ octets, port }: Start): Promise<void> {
  if (port === undefined) {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    process.send?.((server.address() as AddressInfo).port)
    const [socket] = (await once(server, 'connection')) as [Socket]
    server.close()
    const [, key = ''] = /^sec-websocket-key: (.*)\r$/im.exec(await readHead(socket)) ?? []
    const answer = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}`
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${answer}\r\n\r\n`)
    await sendOneFrame(socket, octets, false)
  } else {
    const socket = connectTcp(port, '127.0.0.1')
    const asked = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${createKey()}`
    socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${asked}\r\n\r\n`)
    await readHead(socket)
    await sendOneFrame(socket, octets, true)
  }
}

async function run(start: Start): Promise<void> {
  const { way, sends, port } = start
  const act = (ws: Connection): Promise<void> => (sends ? send(ws, start) : receive(ws, start))
  if (sends && way === 'frame') {
    await sendRaw(start)
  } else if (port === undefined) {
    const options = { host: '127.0.0.1', port: 0, perMessageDeflate: way === 'compressed' }
    await new Promise<void>((resolve, reject) => {
      const open = (ws: Connection): Promise<void> => act(ws).then(resolve, reject)
      void serve({ ...options, open }).then((server) => process.send?.(server.port))
    })
  } else {
    await act(await connect(`ws://127.0.0.1:${port}`, { perMessageDeflate: way === 'compressed' }))
  }
}

async function watch(start: Start): Promise<void> {
  const before = process.memoryUsage.rss()
  let most = before
  const look = (): void => {
    most = Math.max(most, process.memoryUsage.rss())
  }
  const watching = setInterval(look, 20)
  await run(start).catch((error: unknown) => {
    // A frame by hand is followed by no Close frame.
    if (start.way !== 'frame' || place !== start.octets) throw error
  })
  clearInterval(watching)
  look()
  process.send?.({ octets: place, intact, most, before } satisfies Finished)
}

process.once('message', (start: Start) => void watch(start))
process.once('disconnect', () => process.exit())

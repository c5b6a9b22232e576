import { createReadStream, createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import { toDuplex, toWebStreams } from 'fullduplex'
import type { Connection } from 'fullduplex'

// #region streams-receive
/** Stores each binary message in a file of its own, and passes over text. */
export async function store(ws: Connection, pathOf: (index: number) => string): Promise<void> {
  const limits = { maxMessageSize: 2 ** 40, maxPartSize: 16_384 }
  let count = 0
  for await (const message of ws.messages({ stream: true, ...limits })) {
    if (!message.isBinary) continue // drops what is left of it
    await pipeline(message, createWriteStream(pathOf(count++)))
  }
}
// #endregion

// #region streams-send
/** One message each: whatever brings chunks can be sent. */
export async function send(ws: Connection, path: string, response: ReadableStream<Uint8Array>): Promise<void> {
  await ws.sendStream(createReadStream(path)) // a stream of Node
  await ws.sendStream(response) // a stream of the web, such as the body of a fetch
  await ws.sendStream(words(), { compress: true }) // a generator, sync or async
  await ws.sendStream(createReadStream(path), { binary: false, fragmentSize: 4096 }) // as text, in small frames
}

async function* words(): AsyncGenerator<string> {
  for (const word of ['as ', 'they ', 'come']) yield await Promise.resolve(word)
}
// #endregion

// #region streams-duplex
/** A chunk is a message. What is written is answered, in capitals, until the peer closes. */
export async function shout(ws: Connection): Promise<void> {
  const stream = toDuplex(ws)
  const capitals = new Transform({
    objectMode: true,
    transform(message: string | Buffer, _encoding, done) {
      done(null, message.toString().toUpperCase())
    },
  })
  await pipeline(stream, capitals, stream)
}
// #endregion

// #region streams-web
/** From one connection to another; there the messages end when they do here. */
export async function forward(from: Connection, to: Connection): Promise<void> {
  const { readable } = toWebStreams(from)
  const { writable } = toWebStreams(to)
  await readable.pipeTo(writable)
}

/** Whoever sends is told at once when the peer has gone, even if it has nothing to send. */
export async function report(ws: Connection, events: ReadableStream<string>): Promise<void> {
  const writable: WritableStream = toWebStreams(ws).writable
  await events.pipeTo(writable)
}
// #endregion

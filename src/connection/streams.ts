/**
 * A connection as the streams of Node and of the web: messages in, messages out, with backpressure both ways. A chunk
 * is a message; on the way in text is a string and octets are a Buffer.
 *
 * Ending the writable side closes the connection with 1000, an error on it with 1011. A connection that does not end
 * as connections should (see `for await`) is an error of the readable side. However it ends, whoever writes hears of it
 * at once, so that a source which is silent, or dear, is not kept for a peer that has gone.
 */
import { Duplex } from 'node:stream'
import type { DuplexOptions, Readable } from 'node:stream'
import { ReadableStream, WritableStream } from 'node:stream/web'
import { ConnectionClosedError } from '../errors.ts'
import { CloseCode } from '../framing/index.ts'
import type { Connection } from './connection.ts'
import type { MessageData } from './handler.ts'
import type { Message, MessageQueue } from './messages.ts'

/** A Node Duplex in object mode; its handler must have no `message`. */
export function toDuplex(ws: Connection, options: Pick<DuplexOptions, 'highWaterMark' | 'signal'> = {}): Duplex {
  const messages = ws[Symbol.asyncIterator]() as MessageQueue
  const stream = new Duplex({
    ...options,
    objectMode: true,
    // Nothing is read ahead: an error would throw it away. Messages wait with the connection instead.
    readableHighWaterMark: 0,
    writableHighWaterMark: options.highWaterMark,
    highWaterMark: undefined,
    read() {
      messages.next().then(
        ({ value, done }) => this.push(done === true ? null : value),
        (error: unknown) => this.destroy(error as Error),
      )
    },
    write(chunk: MessageData, _encoding, callback) {
      deliver(ws, chunk).then(() => callback(), callback)
    },
    final(callback) {
      ws.close(CloseCode.NormalClosure).then(() => callback(), callback)
    },
    destroy(error, callback) {
      // Not waited for: a stream that is destroyed is done with its peer.
      void ws.close(error === null ? CloseCode.NormalClosure : CloseCode.InternalError)
      callback(error)
    },
  })
  endWith(ws, stream, messages)
  return stream
}

/** Destroys the stream of a connection that has ended, as soon as what is to be read has been read. */
function endWith(ws: Connection, stream: Duplex, messages: MessageQueue): void {
  let source: Readable | undefined
  stream.on('pipe', (from: Readable) => {
    source = from
  })
  const leave = (): void => {
    // What this one was piped to has been ended with it. If it is also what is piped to this one, as between two connections,
    // it is about to end this one.
    const isEnding = source instanceof Duplex && source.writableEnded
    if (!isEnding && !stream.writableEnded) stream.destroy()
  }
  void ws.closed.then(() => {
    // In the next turn, as whoever has read to the end may end the stream now.
    stream.once('end', () => setImmediate(leave))
    // Nobody reads, and there is nothing to be read but the end.
    if (stream.readableFlowing === null && messages.over) stream.resume()
  })
}

/** A connection as the streams of the web; a chunk is a message. */
export interface WebStreams {
  /** The messages that come; to cancel it closes the connection with 1000. */
  readonly readable: ReadableStream<Message>
  /** Takes the messages to send; its end closes with 1000, to abort it with 1011. */
  readonly writable: WritableStream<MessageData>
}

/** The streams of the web; the handler of the connection must have no `message`. */
export function toWebStreams(ws: Connection): WebStreams {
  const messages = ws[Symbol.asyncIterator]()
  const readable = new ReadableStream<Message>({
    async pull(controller) {
      const { value, done } = await messages.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await ws.close(CloseCode.NormalClosure)
    },
  })
  const writable = new WritableStream<MessageData>({
    start(controller) {
      // `abort` below has to wait for the write before it, which may wait for a peer that does not read.
      const { signal } = controller as unknown as { readonly signal: AbortSignal }
      signal.addEventListener('abort', () => void ws.close(CloseCode.InternalError))
      // In the next turn, as what is piped from here to here ends well.
      void ws.closed.then((info) => setImmediate(() => controller.error(new ConnectionClosedError(info))))
    },
    write: (chunk) => deliver(ws, chunk),
    async close() {
      await ws.close(CloseCode.NormalClosure)
    },
    async abort() {
      await ws.close(CloseCode.InternalError)
    },
  })
  return { readable, writable }
}

/** Sends, and waits while the peer does not read. */
async function deliver(ws: Connection, chunk: MessageData): Promise<void> {
  if (ws.send(chunk)) return
  await ws.drained()
}

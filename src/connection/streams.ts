/**
 * A connection as the streams of Node and of the web: messages in, messages out, with backpressure both ways. A chunk
 * is a message; on the way in text is a string and octets are a Buffer.
 *
 * Ending the writable side closes the connection with 1000, an error on it with 1011. A connection that does not end
 * as connections should (see `for await`) is an error of the readable side.
 */
import { Duplex } from 'node:stream'
import type { DuplexOptions } from 'node:stream'
import { ReadableStream, WritableStream } from 'node:stream/web'
import { CloseCode } from '../framing/index.ts'
import type { Connection } from './connection.ts'
import type { MessageData } from './handler.ts'
import type { Message } from './messages.ts'

/** A Node Duplex in object mode; its handler must have no `message`. */
export function toDuplex(ws: Connection, options: Pick<DuplexOptions, 'highWaterMark' | 'signal'> = {}): Duplex {
  const messages = ws[Symbol.asyncIterator]()
  return new Duplex({
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
}

export interface WebStreams {
  readonly readable: ReadableStream<Message>
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

/**
 * The parser of `undici`, which is a client's, and the WebSocket of Node, too. It writes to the socket by itself, so that its
 * handler has one in memory; what it fails a connection with stands in the Close that it writes there.
 *
 * That a message is text is checked by its WebSocket, in the way that is followed here: its own decoder decides.
 */
import { createRequire } from 'node:module'
import { failWebsocketConnection } from 'undici/lib/web/websocket/connection.js'
import { ByteParser } from 'undici/lib/web/websocket/receiver.js'
import { utf8Decode } from 'undici/lib/web/websocket/util.js'
import { MAX_FRAGMENTS, MAX_MESSAGE_SIZE, closed, event } from '../verdict.ts'
import type { Endpoint, End, Stream, Verdict } from '../verdict.ts'

const { version } = createRequire(import.meta.url)('undici/package.json') as { version: string }

const OPEN = 1
const TEXT = 1
const RECEIVED = 2
const CLOSE = 0x88

export const undici: Endpoint = {
  name: 'undici',
  version,
  takes: ({ role }) => role === 'client',
  judge: (streams) => Promise.all(streams.map((stream) => judge(stream))),
  end: () => Promise.resolve(),
}

/** What its parser works for, as far as that asks. */
class Handler {
  readyState = OPEN
  readonly closeState = new Set<number>()
  readonly events: string[] = []
  /** Octets that the parser has taken: all of them, and until it had enough. */
  consumed = 0
  taken = 0
  failed: End | undefined = undefined
  readonly controller = { abort: (): void => this.#fail() }
  #closeCode = 1006
  readonly socket = {
    destroyed: false,
    writableNeedDrain: false,
    write: (frame: Buffer): boolean => this.#written(frame),
    destroy: (): void => {
      this.socket.destroyed = true
    },
  }
  /** Settles when the connection was closed or failed, after which the parser calls nobody back. */
  readonly ended: Promise<void>
  #settle: () => void = () => {}

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  onMessage(type: number, data: Buffer): void {
    if (this.readyState !== OPEN) return
    if (type === TEXT) {
      try {
        utf8Decode(data)
      } catch {
        failWebsocketConnection(this, 1007, 'Received invalid UTF-8 in text frame.')
        return
      }
    }
    this.events.push(event(type === TEXT ? 'text' : 'binary', data))
  }

  // Its parser goes on behind text that is none; its socket is gone by then, and nobody hears of it.
  onPing(payload: Buffer): void {
    if (this.readyState === OPEN) this.events.push(event('ping', payload))
  }

  onPong(payload: Buffer): void {
    if (this.readyState === OPEN) this.events.push(event('pong', payload))
  }

  /** A Close of its own, masked: an answer, or what the connection is about to fail with. */
  #written(frame: Buffer): boolean {
    if (frame[0] !== CLOSE || this.failed !== undefined) return true
    this.#closeCode = ((frame[6] ^ frame[2]) << 8) | (frame[7] ^ frame[3])
    this.taken = this.consumed
    this.#settle()
    return true
  }

  /** Behind text that is none its parser goes on, and may fail once more. */
  #fail(): void {
    this.failed ??= `failed ${this.#closeCode}`
    this.#settle()
  }
}

async function judge({ deflate, octets }: Stream): Promise<Verdict> {
  const handler = new Handler()
  const extensions = new Map<string, unknown>()
  if (deflate !== 'none') extensions.set('permessage-deflate', '')
  if (deflate === 'single') extensions.set('server_no_context_takeover', '').set('client_no_context_takeover', '')
  const parser = new ByteParser(handler, extensions, { maxFragments: MAX_FRAGMENTS, maxPayloadSize: MAX_MESSAGE_SIZE })
  const consume = parser.consume.bind(parser)
  parser.consume = (count) => {
    handler.consumed += count
    return consume(count)
  }
  let thrown: Error | undefined
  parser.on('error', (error) => (thrown = error))
  const written = new Promise<void>((resolve) => {
    parser.write(Buffer.from(octets), () => resolve())
  })
  await Promise.race([written, handler.ended])
  const { events, closeState, failed, taken } = handler
  if (failed !== undefined) return { events, end: failed, taken }
  const info = closeState.has(RECEIVED) ? parser.closingInfo : undefined
  if (info !== undefined) return { events, end: closed(info.code ?? 1005, info.reason), taken }
  return { events, end: thrown === undefined ? 'open' : `threw ${thrown.message}`, taken: octets.length }
}

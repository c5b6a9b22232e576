/**
 * A connection over a transport in memory, with a peer to play the other side and a log of all that the application is
 * told, in words that a specification can quote.
 */
import { expect } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { ConnectionHandler, ConnectionOptions } from '../../src/connection/index.ts'
import type { CloseInfo } from '../../src/errors.ts'
import type { Role } from '../../src/framing/rules.ts'
import { parseExtensions } from '../../src/handshake/index.ts'
import { turn } from './clock.ts'
import { describe } from './decode.ts'
import { Peer } from './duplex.ts'
import { ROLES } from './wire.ts'

export { ROLES }

/** First octets by what they say. */
export const TEXT = 0x81
export const BINARY = 0x82
export const CLOSE = 0x88
export const PING = 0x89
export const PONG = 0x8a

export const NORMAL: Buffer = Buffer.from([0x03, 0xe8])

export interface Opened {
  readonly ws: Connection
  readonly peer: Peer
  /** What the application was told, in order: `open`, `text Hello`, `close 1000 clean peer`. */
  readonly log: string[]
  /** What `error` was told, and what `close` was. */
  readonly errors: Error[]
  readonly infos: CloseInfo[]
}

export interface OpenOptions extends ConnectionOptions {
  readonly handler?: ConnectionHandler
  /** Instead of it: this alone, and no log. */
  readonly onlyHandler?: ConnectionHandler
  /** Without `message`: the messages are for `for await`. */
  readonly iterate?: boolean
  readonly greeting?: string
  readonly head?: Buffer
  /** What was agreed upon, as in `Sec-WebSocket-Extensions`. */
  readonly extensions?: string
  /** Of the transport. */
  readonly writableHighWaterMark?: number
}

/** Which other events a log holds; a handler of the test's own runs after the entry was made. */
export function open(role: Role, options: OpenOptions = {}): Opened {
  const { handler = {}, onlyHandler, iterate = false, greeting = '', head = Buffer.alloc(0), ...rest } = options
  const { writableHighWaterMark, extensions, ...connectionOptions } = rest
  const log: string[] = []
  const errors: Error[] = []
  const infos: CloseInfo[] = []
  const logging: ConnectionHandler = {
    open(ws) {
      log.push('open')
      return handler.open?.(ws)
    },
    ping(ws, payload) {
      log.push(describe('ping', payload))
      return handler.ping?.(ws, payload)
    },
    pong(ws, payload) {
      log.push(describe('pong', payload))
      return handler.pong?.(ws, payload)
    },
    drain(ws) {
      log.push('drain')
      return handler.drain?.(ws)
    },
    error(ws, error) {
      log.push(`error ${nameOf(error)}`)
      errors.push(error)
      return handler.error?.(ws, error)
    },
    close(ws, info) {
      log.push(explain(info))
      infos.push(info)
      return handler.close?.(ws, info)
    },
  }
  if (!iterate) {
    logging.message = (ws, data, isBinary) => {
      log.push(describe(isBinary ? 'binary' : typeof data === 'string' ? 'text' : 'text-octets', data))
      return handler.message?.(ws, data, isBinary)
    }
  }
  const peer = new Peer(role, writableHighWaterMark)
  const settings = connectionSettings(role, connectionOptions)
  const agreed = extensions === undefined ? [] : parseExtensions(extensions)
  const ws = new Connection(peer.transport, settings, onlyHandler ?? logging, undefined, '', agreed)
  ws.start(greeting, head)
  return { ws, peer, log, errors, infos }
}

/** Its `code`, or its message where it has none. */
function nameOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message
}

/** `close 1000 clean local`, with the reason in quotes and the cause in brackets where there are any. */
function explain({ code, reason, wasClean, initiator, cause }: CloseInfo): string {
  const why = cause === undefined ? '' : ` (${nameOf(cause)})`
  return `close ${code} ${wasClean ? 'clean' : 'unclean'} ${initiator}${reason === '' ? '' : ` "${reason}"`}${why}`
}

/** That nothing of a connection is left: it is closed, its transport is gone, and nobody listens to that any more. */
export function expectGone({ ws, peer, log }: Opened): void {
  expect(ws.readyState).toBe(3)
  expect(log.filter((event) => event.startsWith('close '))).toHaveLength(1)
  expect(log.at(-1)).toMatch(/^close /)
  expect(log.filter((event) => event.startsWith('error ')).length).toBeLessThanOrEqual(1)
  expect(peer.destroyed).toBe(true)
  expect(ws.bufferedAmount).toBe(0)
  // `error` stays: a transport that fails after its end must not end the process.
  for (const event of ['data', 'end', 'drain', 'close']) {
    expect({ event, listeners: peer.transport.listenerCount(event) }).toEqual({ event, listeners: 0 })
  }
}

/** An open connection that has begun to read. */
export async function opened(role: Role, options?: OpenOptions): Promise<Opened> {
  const connection = open(role, options)
  await turn()
  return connection
}

/**
 * `Connection`, over a transport in memory: the whole way in, from what a socket brings to what the application is told.
 *
 * A stream arrives whole first. If the connection ends, another one takes it octet by octet, and tells how many it took;
 * that it told the same is checked on the way.
 */
import { Duplex } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { Connection, connectionSettings } from '../../../src/connection/index.ts'
import type { ConnectionHandler, ConnectionSettings } from '../../../src/connection/index.ts'
import { ProtocolError } from '../../../src/errors.ts'
import type { CloseInfo } from '../../../src/errors.ts'
import type { ExtensionOffer } from '../../../src/handshake/index.ts'
import { MAX_FRAGMENTS, MAX_MESSAGE_SIZE, closed, event } from '../verdict.ts'
import type { Deflate, End, Endpoint, Stream, Verdict } from '../verdict.ts'

const OPTIONS = {
  maxMessageSize: MAX_MESSAGE_SIZE,
  maxFragments: MAX_FRAGMENTS,
  perMessageDeflate: true,
  heartbeat: false,
} as const
const settings: Record<Stream['role'], ConnectionSettings> = {
  server: connectionSettings('server', OPTIONS),
  client: connectionSettings('client', OPTIONS),
}
const SINGLE: ExtensionOffer['parameters'] = [
  ['server_no_context_takeover', true],
  ['client_no_context_takeover', true],
]
const agreed: Record<Deflate, readonly ExtensionOffer[]> = {
  none: [],
  context: [{ name: 'permessage-deflate', parameters: [] }],
  single: [{ name: 'permessage-deflate', parameters: SINGLE }],
}

/** A transport that nobody is behind: what is written to it is gone. */
class Nowhere extends Duplex {
  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    callback()
  }
}

/** What one connection was told. */
class Log implements ConnectionHandler {
  readonly events: string[] = []
  info: CloseInfo | undefined = undefined

  message(_ws: Connection, data: string | Buffer, isBinary: boolean): void {
    this.events.push(event(isBinary ? 'binary' : 'text', data))
  }

  ping(_ws: Connection, payload: Buffer): void {
    this.events.push(event('ping', payload))
  }

  pong(_ws: Connection, payload: Buffer): void {
    this.events.push(event('pong', payload))
  }

  close(_ws: Connection, info: CloseInfo): void {
    this.info = info
  }
}

export const ours: Endpoint = {
  name: 'fullduplex',
  version: 'this',
  takes: () => true,
  judge: (streams) => Promise.all(streams.map((stream) => judge(stream))),
  end: () => Promise.resolve(),
}

async function judge(stream: Stream): Promise<Verdict> {
  const whole = await receive(stream, stream.octets.length)
  if (whole.end === 'open') return whole
  const single = await receive(stream, 1)
  if (single.end === whole.end && isDeepStrictEqual(single.events, whole.events)) return single
  return { ...whole, end: `threw the same octets one by one: ${single.end}, ${single.events.length} events` }
}

/** One connection, which takes the stream in pieces of `size`. */
async function receive({ role, deflate, octets }: Stream, size: number): Promise<Verdict> {
  const log = new Log()
  const transport = new Nowhere()
  const ws = new Connection(transport, settings[role], log, undefined, '', agreed[deflate])
  ws.start('', Buffer.alloc(0))
  let taken = 0
  while (taken < octets.length && ws.readyState === 1) {
    // It unmasks in place.
    const piece = Buffer.from(octets.subarray(taken, taken + size))
    taken += piece.length
    ws.arrived(piece, piece.length)
    while (ws.held) await new Promise((resolve) => setImmediate(resolve))
  }
  transport.destroy()
  const info = await ws.closed
  return { events: log.events, end: endOf(info), taken }
}

function endOf({ code, reason, cause, initiator }: CloseInfo): End {
  if (cause instanceof ProtocolError) return `failed ${cause.closeCode}`
  if (initiator === 'peer') return closed(code, reason)
  // Nothing else happens to a connection that is given no more.
  return initiator === 'network' ? 'open' : `threw ${String(cause)}`
}

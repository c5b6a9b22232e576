/**
 * What an endpoint is given, and what it makes of it. Both are plain data, so that a peer may be another process, in another
 * language.
 */
import type { Role } from '../../src/framing/index.ts'

/** No compression; messages that refer back to each other (RFC 7692 7.1.1); or none that does. The window is 32 KiB. */
export type Deflate = 'none' | 'context' | 'single'

/** What one connection receives behind its opening handshake, and then no more. */
export interface Stream {
  /** The role of the endpoint that receives it. */
  readonly role: Role
  readonly deflate: Deflate
  readonly octets: Buffer
}

/**
 * How it went: `open`, the end of the stream was reached and more could come; `closed 1000 627965`, the peer's Close was
 * taken, here with the reason `bye`; `failed 1002`, the connection was failed with this code; `threw …`, an exception came
 * out of it, which nobody announced.
 */
export type End = 'open' | `closed ${string}` | `failed ${number}` | `threw ${string}`

export interface Verdict {
  /** What the application was told, in order: `text 4869`, `binary 00`, `ping 01`, `pong 01`. */
  readonly events: readonly string[]
  readonly end: End
  /** Octets taken by then, where the end is not `open`. */
  readonly taken: number
}

/** Octets that a message may have, for all endpoints. */
export const MAX_MESSAGE_SIZE = 65_536
/** Frames that a message may have, for those who can be told. */
export const MAX_FRAGMENTS = 131_072

/** An implementation to compare with. */
export interface Endpoint {
  readonly name: string
  /** As its package tells it. */
  readonly version: string
  /** Whether it can be in this situation at all. */
  takes(stream: Stream): boolean
  /** The verdicts, in the order of the streams, which are left as they are. */
  judge(streams: readonly Stream[]): Promise<readonly Verdict[]>
  /** Nothing is left of it. */
  end(): Promise<void>
}

/** How an event reads. */
export function event(kind: string, payload: Buffer | string): string {
  const octets = typeof payload === 'string' ? Buffer.from(payload) : payload
  return `${kind} ${octets.toString('hex')}`
}

/** The end of a connection that its peer closed; `code` is 1005 where the Close had none. */
export function closed(code: number, reason: Buffer | string = ''): End {
  return `closed ${code} ${Buffer.from(reason).toString('hex')}`
}

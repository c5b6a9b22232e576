/**
 * What a case is: what the tester does, and what it accepts from the peer under test.
 *
 * The peer is an echo endpoint: every message comes back as one message of the same type with the same octets. Most
 * cases serve both roles, since a tester that is a client differs from one that is a server in little but masking.
 */
import type { Frame } from './wire.ts'

/** Which end of the connection somebody is. */
export type Role = 'client' | 'server'

/** What the peer did after the opening handshake, as far as `expect` looks at it. */
export type PeerEvent =
  | { readonly type: 'text' | 'binary' | 'ping' | 'pong'; readonly payload: Buffer }
  /** Not the peer's doing: the tester has waited (`Tester.mark`), so that before and after can be told apart. */
  | { readonly type: 'pause' }

/** How a connection has to end. */
export interface CloseRule {
  /**
   * Who has to send the first Close frame; a peer may also drop TCP where it is the one to fail the connection. Close
   * frames that `play` sends count as the tester's only where it is the tester's turn; else they are what has to fail.
   * `either`: no rule says how it ends, and the tester closes when the case is through.
   */
  readonly by: 'peer' | 'tester' | 'either'
  /** Codes that the peer's Close may have. Having none is always fine. */
  readonly codes: readonly number[]
  /** Whether both Close frames have to cross and, where the peer is a server, the peer has to drop TCP. */
  readonly clean: boolean
  /** A wrong code fails the behaviour, too. */
  readonly codeMatters?: boolean
  /** A close that the wrong side started fails the behaviour, too. */
  readonly sideMatters?: boolean
}

/** Octets of a message that are sent one part after the other. */
export interface SendOptions {
  /** Octets that go to TCP at a time, with a return to the event loop between. Default: all at once. */
  readonly chop?: number
  /** Whether every frame is a write of its own. */
  readonly perFrame?: boolean
}

/** The opening handshake of a case that wants it other than usual. */
export interface Opening {
  /** The tester is the client: the request, head and all, instead of the usual one; `usual` is that one. */
  request?(usual: string): string | Buffer
  /** The tester is the server: the answer to `request` (its head) instead of `usual`. */
  response?(usual: string, request: string): string | Buffer
  /** The tester is the client: extensions that it offers, as a field value. */
  readonly offer?: string
  /** The tester is the server: the field value that answers the offers of the client (a field value), or none. */
  answer?(offer: string): string | undefined
  /**
   * What the peer has to make of it. `open` (the default): the connection opens. `refuse`: a server answers another
   * status than 101, one of `statuses` where those are given, or drops TCP; a client drops TCP, and sends no frame.
   * `either`: it may do the one or the other, and the case goes on where it opens.
   */
  readonly outcome?: 'open' | 'refuse' | 'either'
  readonly statuses?: readonly number[]
  /** Looks at the head of a server that refuses; what is wrong with it, as a clause. */
  refusal?(head: string): string | undefined
  /** Octets of the tester's head that go to TCP at a time. Default: all at once. */
  readonly chop?: number
}

/** The tester at work on one connection. */
export interface Tester {
  /** The tester's own role. */
  readonly role: Role
  /** Which of the case's connections this is, from 0. */
  readonly turn: number
  /** `Sec-WebSocket-Extensions` of the server's answer, whoever was the server; empty if there was none. */
  readonly extensions: string
  /** The head that the peer sent: its request, or its answer. */
  readonly peerHead: string
  /** The masking keys of the peer's first frames, as numbers; none from a server. */
  readonly maskingKeys: readonly number[]
  /** Writes frames, back to back unless `options` say otherwise. Settles when TCP has taken them; at once when the connection is over. */
  send(frames: Frame | readonly Frame[], options?: SendOptions): Promise<void>
  /** Writes octets that need not be frames. */
  write(octets: Buffer, options?: SendOptions): Promise<void>
  /** Waits, and adds a `pause` to the events unless the connection has come to its end meanwhile. `timeoutFactor` counts. */
  mark(milliseconds: number): Promise<void>
  /** Waits, but no longer than the connection lasts. `timeoutFactor` counts. */
  wait(milliseconds: number): Promise<void>
  /**
   * The next event that no `next` has answered yet; with this the case looks at events itself (it has no `expect`).
   * Throws `PeerGone` when the connection ends before there is one.
   */
  next(): Promise<PeerEvent>
  /** Stops to read from TCP. */
  hold(): void
  /** Starts again. */
  release(): void
  /** Puts a sentence into the wire log. */
  note(text: string): void
}

/** The peer ended the connection, by Close or by TCP, while the case waited for it. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone'
  /** The reason in its Close frame; `undefined` without a Close frame. */
  readonly reason: string | undefined

  constructor(message: string, reason?: string) {
    super(message)
    this.reason = reason
  }
}

/** The peer did something that the case does not accept; the message says what was expected and what came. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected'
}

/** The peer does not do what the case is about, which is no fault: it declined an extension, say. */
export class Unimplemented extends Error {
  override readonly name = 'Unimplemented'
}

/** One case: what the tester does, and what it wants to see. */
export interface Case {
  /** Its number, as `6.4.1`. */
  readonly id: string
  /** What goes on the wire, and what is wanted back: one sentence. */
  readonly title: string
  /** What a peer breaks that fails it, as `RFC 6455 5.2`. */
  readonly rule: string
  /** The role of the peers that it is for. Default: both. */
  readonly peer?: Role
  /** Milliseconds from the open connection until the tester gives up. */
  readonly timeout: number
  /** It keeps a machine busy: fewer of its kind run at once, and none beside others. */
  readonly heavy?: boolean
  /** The peer's pings are events, too; they are answered in any case. */
  readonly pings?: boolean
  /** Connections that it takes, one after the other or at once; `Tester.turn` tells which. Default: 1. */
  readonly connections?: number
  /** Where the connections differ: what is other on the one with this number, from 0. */
  at?(turn: number): Partial<Pick<Case, 'close' | 'expect' | 'play'>>
  readonly opening?: Opening
  /** What the tester does on an open connection; it may return before anything has come back. */
  play?(tester: Tester): void | Promise<void>
  /**
   * The events that make it OK, and those that make it NON-STRICT. Without it the behaviour is OK when `play` settles
   * well: FAILED when it throws `Unexpected` or `PeerGone`, UNIMPLEMENTED when it throws `Unimplemented`; where the tester
   * closes, it is also FAILED when there are events that no `next` has asked for.
   */
  readonly expect?: { readonly ok: readonly PeerEvent[]; readonly nonStrict?: readonly PeerEvent[] }
  /** Default: the tester closes with 1000, cleanly, once it has seen what it expects. */
  readonly close?: CloseRule
  /** Whatever the peer does, there is no rule to judge it by. */
  readonly informational?: boolean
}

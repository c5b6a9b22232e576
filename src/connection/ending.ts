/**
 * How a connection ends: what the closing handshake (`closing.ts`) asks for is done here to the transport, each step
 * with a deadline, so that no peer can keep a connection by not answering.
 */
import type { Duplex } from 'node:stream'
import { WebSocketError } from '../errors.ts'
import type { CloseInfo, CloseInitiator } from '../errors.ts'
import { CloseCode, MAX_REASON_LENGTH, Opcode, writeCloseBody, writeControl } from '../framing/index.ts'
import { ClosingHandshake } from './closing.ts'
import { END_TIMEOUT } from './options.ts'
import type { ConnectionSettings } from './options.ts'
import type { Output } from './output.ts'
import type { Receiver } from './receiver.ts'

/** The states of a connection, by the numbers that browsers use. */
export const ReadyState = { Connecting: 0, Open: 1, Closing: 2, Closed: 3 } as const

/** What a connection has that ends. */
export interface EndingOwner {
  readonly socket: Duplex
  readonly settings: ConnectionSettings
  /** Settles when the messages have left that were accepted and cannot leave yet; `undefined`, if there are none. */
  readonly ready: Promise<void> | undefined
}

/** Made when the end begins: a connection that is open has none. */
export class Ending {
  readyState: 2 | 3 = ReadyState.Closing
  /** The explanation, once the connection has ended. */
  info: CloseInfo | undefined = undefined
  /** Our half of the transport has been ended: nothing can be sent any more. */
  mute = false
  readonly #owner: EndingOwner
  readonly #output: Output
  readonly #receiver: Receiver
  readonly #closing: ClosingHandshake
  /** When the step that we are at has taken too long. */
  #deadline = Infinity

  constructor(owner: EndingOwner, output: Output, receiver: Receiver, initiator: CloseInitiator) {
    this.#owner = owner
    this.#output = output
    this.#receiver = receiver
    this.#closing = new ClosingHandshake(initiator)
  }

  /** The explanation so far. */
  get explanation(): CloseInfo {
    return this.#closing.info
  }

  /** Whether no message may be sent any more, not even one that was accepted before. */
  get finished(): boolean {
    return this.mute || this.#closing.sent
  }

  /** 7.1.2: starts the closing handshake. */
  close(body: Buffer): void {
    this.#wait()
    this.#whenReady(() => {
      this.#sendClose(body)
      this.#wait()
    })
    this.#receiver.awaitClose()
  }

  /** A Close frame came. */
  closeReceived(code: number, reason: string): void {
    const { role } = this.#owner.settings
    const closing = this.#closing
    closing.receive(code, reason)
    this.#receiver.stop()
    this.#wait()
    this.#whenReady(() => {
      // 5.5.1: the answer "typically echos the status code it received"; the reason goes with it.
      if (closing.step(role) === 'answer') {
        this.#sendClose(code === CloseCode.NoStatusReceived ? writeCloseBody() : writeCloseBody(code, reason))
      }
      // 7.1.1: the server ends TCP first; the client only waits for that.
      if (closing.step(role) === 'end') this.#endTransport()
      else this.#awaitEnd()
    })
  }

  /** 7.1.7: fails the connection, with a Close frame that tells the peer why, as far as `reason` does. */
  fail(error: Error, closeCode: number, reason = ''): void {
    this.#closing.cause ??= error
    if (!this.finished) this.#sendClose(writeCloseBody(closeCode, reason.slice(0, MAX_REASON_LENGTH)))
    this.#endTransport()
  }

  /** Fails the connection without a word, to a peer that would not hear it. */
  failNow(error: Error): void {
    this.#closing.cause ??= error
    this.#destroy()
  }

  terminate(): void {
    this.#destroy()
  }

  /** Answers the error, if a deadline has passed that is one. */
  tick(now: number): Error | undefined {
    if (now < this.#deadline) return undefined
    const closing = this.#closing
    const unsent = !this.finished
    const late = (unsent || closing.step(this.#owner.settings.role) === 'await-close') && closing.cause === undefined
    if (late) {
      const message = unsent
        ? 'What had been accepted before the close could not be sent in time'
        : 'The peer did not answer our Close frame in time'
      closing.initiator = 'timeout'
      closing.cause = new WebSocketError('ERR_WS_CLOSE_TIMEOUT', message)
    }
    this.#destroy()
    return late ? closing.cause : undefined
  }

  /** The peer's FIN. */
  transportEnded(): void {
    this.#wait()
    this.#whenReady(() => this.#endTransport())
  }

  /** Answers whether anything was lost: after the closing handshake it does not matter how the transport ends. */
  transportFailed(error: Error): boolean {
    const closing = this.#closing
    if (this.readyState === ReadyState.Closed) return false
    // Most transports have destroyed themselves by now; not TLS whose peer renegotiates too often (ERR_TLS_SESSION_ATTACK).
    this.#destroy()
    if (closing.sent && closing.received) return false
    closing.cause ??= error
    return true
  }

  transportClosed(): CloseInfo {
    this.info = this.#closing.info
    this.readyState = ReadyState.Closed
    this.#destroy()
    return this.info
  }

  /** The next step has `closeTimeout`. */
  #wait(): void {
    const { clock, closeTimeout } = this.#owner.settings
    this.#deadline = clock.after(closeTimeout)
  }

  /** 5.5.1: a Close frame may be delayed until what was accepted before it has been sent. */
  #whenReady(action: () => void): void {
    const { ready } = this.#owner
    if (ready === undefined) action()
    else void ready.then(() => this.mute || action())
  }

  #sendClose(body: Buffer): void {
    this.#closing.sent = true
    writeControl(this.#output, Opcode.Close, body, this.#owner.settings.role === 'client')
  }

  /** Our FIN, behind all that was sent; what the peer still sends is dropped (7.1.1). */
  #endTransport(): void {
    this.#receiver.stop()
    this.#awaitEnd()
    // To end a stream twice costs it an Error with a stack each time, which nobody sees.
    if (this.mute) return
    this.mute = true
    this.#owner.socket.end()
  }

  /** The peer's FIN is due, soon if it has all that we sent. */
  #awaitEnd(): void {
    const { clock, closeTimeout } = this.#owner.settings
    this.#output.flush()
    const wait = this.#output.bufferedAmount > 0 ? closeTimeout : Math.min(closeTimeout, END_TIMEOUT)
    this.#deadline = clock.after(wait)
  }

  #destroy(): void {
    this.#receiver.stop()
    this.#output.discard()
    this.mute = true
    this.#deadline = Infinity
    this.#owner.socket.destroy()
  }
}

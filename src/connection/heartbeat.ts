/**
 * Whether a peer is still there, judged a few times per timeout by the shared clock.
 *
 * - A peer that was silent for `heartbeat.interval` is sent a Ping (RFC 6455 5.5.2); anything that then arrives within
 *   `heartbeat.timeout` shows that it lives, Pong or not.
 * - A connection without messages either way for `idleTimeout` has had its time.
 * - A frame that was begun has to bring 1 KiB, or its end, every `frameTimeout`: who sends an octet now and then holds
 *   memory and a socket for nothing.
 */
import type { ConnectionSettings } from './options.ts'

export type Verdict = 'fine' | 'ping' | 'silent' | 'idle' | 'stalled'

/** What is known of a frame that is being received. */
export interface Progress {
  readonly inFrame: boolean
  /** Frames begun so far. */
  readonly frames: number
  /** Octets received so far. */
  readonly octets: number
}

const FRAME_PROGRESS = 1024

export class Heartbeat {
  /** When the peer was last heard of. */
  heardAt: number
  /** When the last message was sent or received. */
  activeAt: number
  /** When a Ping went out that nothing has followed yet; -1: none. */
  #pingedAt = -1
  #frame = 0
  #frameOctets = 0
  #frameAt: number

  constructor(now: number) {
    this.heardAt = now
    this.activeAt = now
    this.#frameAt = now
  }

  /** We are not listening, so that silence says nothing about the peer. Answers whether a Ping is due all the same. */
  suspend(now: number, { heartbeat }: ConnectionSettings): boolean {
    this.activeAt = now
    this.#pingedAt = -1
    this.#frameAt = now
    if (heartbeat === undefined || now - this.heardAt < heartbeat.interval) return false
    this.heardAt = now
    return true
  }

  judge(now: number, settings: ConnectionSettings, progress: Progress): Verdict {
    const { heartbeat, idleTimeout, frameTimeout } = settings
    if (frameTimeout > 0 && this.#stalled(now, frameTimeout, progress)) return 'stalled'
    if (idleTimeout > 0 && now - this.activeAt >= idleTimeout) return 'idle'
    if (heartbeat === undefined) return 'fine'
    // Equal: it was heard within the tick in which the Ping left.
    if (this.#pingedAt <= this.heardAt) {
      if (now - this.heardAt < heartbeat.interval) return 'fine'
      this.#pingedAt = now
      return 'ping'
    }
    return now - this.#pingedAt < heartbeat.timeout ? 'fine' : 'silent'
  }

  #stalled(now: number, frameTimeout: number, { inFrame, frames, octets }: Progress): boolean {
    if (!inFrame || frames !== this.#frame || octets - this.#frameOctets >= FRAME_PROGRESS) {
      this.#frame = frames
      this.#frameOctets = octets
      this.#frameAt = now
    }
    return now - this.#frameAt >= frameTimeout
  }
}

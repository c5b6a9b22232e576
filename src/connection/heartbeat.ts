/**
 * Whether a peer is still there, judged a few times per timeout by the shared clock.
 *
 * - A peer that was silent for `heartbeat.interval` is sent a Ping (RFC 6455 5.5.2); anything that then arrives within
 *   `heartbeat.timeout` shows that it lives, Pong or not; so does what it takes of what was sent before (`uptake.ts`).
 * - A connection without messages either way for `idleTimeout` has had its time.
 * - A frame that was begun has to bring 1 KiB, or its end, every `frameTimeout`: who sends an octet now and then holds
 *   memory and a socket for nothing.
 */
import type { ConnectionSettings } from './options.ts'

export type Verdict = 'fine' | 'ping' | 'silent' | 'idle' | 'stalled'

/** What is known of a frame that is being received. */
export interface Progress {
  /** Whether a frame was begun and has not gone on for `frameTimeout`. */
  isStalled(now: number, frameTimeout: number): boolean
  /** Nobody has read until now, so that a frame could not go on. */
  excuse(now: number): void
}

/** What a connection remembers of its peer for that. */
export interface Pulse {
  /** When the peer was last heard of. */
  heardAt: number
  /** When the last message was sent or received. */
  activeAt: number
  /** When a Ping went out that nothing has followed yet; -1: none. */
  pingedAt: number
}

/** We are not listening, so that silence says nothing about the peer. Answers whether a Ping is due all the same. */
export function suspend(
  pulse: Pulse,
  now: number,
  { heartbeat }: Pick<ConnectionSettings, 'heartbeat'>,
  progress: Progress,
): boolean {
  pulse.activeAt = now
  pulse.pingedAt = -1
  progress.excuse(now)
  if (heartbeat === undefined || now - pulse.heardAt < heartbeat.interval) return false
  pulse.heardAt = now
  return true
}

/** `progress`: of the message that is being received, if there is one. */
export function judge(
  pulse: Pulse,
  now: number,
  { heartbeat, idleTimeout, frameTimeout }: Pick<ConnectionSettings, 'heartbeat' | 'idleTimeout' | 'frameTimeout'>,
  progress: Progress | undefined,
): Verdict {
  if (frameTimeout > 0 && progress?.isStalled(now, frameTimeout) === true) return 'stalled'
  if (idleTimeout > 0 && now - pulse.activeAt >= idleTimeout) return 'idle'
  if (heartbeat === undefined) return 'fine'
  // Equal: it was heard within the tick in which the Ping left.
  if (pulse.pingedAt <= pulse.heardAt) {
    if (now - pulse.heardAt < heartbeat.interval) return 'fine'
    pulse.pingedAt = now
    return 'ping'
  }
  return now - pulse.pingedAt < heartbeat.timeout ? 'fine' : 'silent'
}

/**
 * How long to wait before the next attempt to connect: longer each time up to a limit, and never as long as everybody else
 * (RFC 6455 7.2.3, "truncated binary exponential backoff" and a random delay before the first).
 */
import { checkTime } from '../connection/index.ts'
import { invalidType, invalidValue } from '../errors.ts'

const SECOND = 1_000

/** How long to wait before the next connection, in milliseconds (RFC 6455 7.2.3). */
export interface BackoffOptions {
  /** Milliseconds before the first new attempt, at least. 1 s. */
  readonly minDelay?: number
  /** Milliseconds before any new attempt, at most. 60 s. */
  readonly maxDelay?: number
  /** How much longer each delay is than the one before. 2. */
  readonly factor?: number
  /** The part of a delay that chance adds to it: from 0, none, to 1, up to as much again. 1. */
  readonly jitter?: number
  /** Milliseconds that a connection has to have been open for the delays to begin anew. 10 s. */
  readonly stableAfter?: number
}

export type BackoffSettings = Required<BackoffOptions>

/** Defaults filled in, everything checked. Throws a `TypeError` or `RangeError`. */
export function backoffSettings(options: {
  readonly [Name in keyof BackoffOptions]: BackoffOptions[Name] | undefined
}): BackoffSettings {
  const { minDelay = SECOND, maxDelay = 60 * SECOND, factor = 2, jitter = 1, stableAfter = 10 * SECOND } = options
  return {
    minDelay: checkTime('minDelay', minDelay),
    maxDelay: checkTime('maxDelay', maxDelay, minDelay),
    factor: checkNumber('factor', factor, 1, Number.MAX_VALUE),
    jitter: checkNumber('jitter', jitter, 0, 1),
    stableAfter: checkTime('stableAfter', stableAfter, 0),
  }
}

/** Milliseconds before the new attempt `count`, from 1 up; `random` is from 0 up to 1. */
export function delayBefore(count: number, settings: BackoffSettings, random: number): number {
  const { minDelay, maxDelay, factor, jitter } = settings
  // What chance adds fits below the limit, or all who have reached that would come at the same time again.
  const base = Math.min(minDelay * factor ** (count - 1), maxDelay / (1 + jitter))
  return Math.max(minDelay, Math.round(base * (1 + jitter * random)))
}

function checkNumber(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') throw invalidType('ERR_WS_INVALID_OPTION', `${name} must be a number`)
  if (value >= least && value <= most) return value
  throw invalidValue('ERR_WS_INVALID_OPTION', `${name} must be a number from ${least} to ${most}`)
}

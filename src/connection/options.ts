/**
 * The options of a connection, their defaults, and their checks: a wrong option throws where it is given, never in the
 * middle of a connection's life.
 */
import { constants } from 'node:buffer'
import { deflateSettings } from '../deflate/index.ts'
import type { DeflateOptions, DeflateSettings } from '../deflate/index.ts'
import { invalidType, invalidValue, quote } from '../errors.ts'
import type { MessageOptions, Role } from '../framing/index.ts'
import { Clock } from './clock.ts'
import { createCounts } from './counts.ts'
import type { Counts } from './counts.ts'
import { Receivers } from './receiver.ts'

/** How it is found out whether a silent peer is still there. */
export interface HeartbeatOptions {
  /** Milliseconds of silence from the peer after which it is sent a Ping. */
  readonly interval?: number
  /**
   * Milliseconds that the peer then has to let us hear anything, or to take something of what was sent before; after them the
   * connection is failed.
   */
  readonly timeout?: number
}

/** Options that servers and clients share. Sizes are octets, times milliseconds. */
export interface ConnectionOptions {
  /** Octets of a received message. Server 1 MiB, client 16 MiB. */
  readonly maxMessageSize?: number
  /** Frames of a received message, empty ones counted. 131,072. */
  readonly maxFragments?: number
  /** How received text is handed on: as a string, or as the octets that came, known to be valid UTF-8. */
  readonly text?: 'string' | 'buffer'
  /** Octets of payload above which a sent message leaves in fragments. Never, unless given. */
  readonly fragmentSize?: number
  /** Octets queued at which `send` answers `false`. 64 KiB. */
  readonly highWaterMark?: number
  /** Octets queued at which the connection is failed: nothing is sent any more, and memory is freed. 16 MiB. */
  readonly maxBufferedAmount?: number
  /** Time for the peer's Close after ours. 10 s. */
  readonly closeTimeout?: number
  /** Time without a message in either direction after which the connection is closed with 1001. 0: never. */
  readonly idleTimeout?: number
  /** Time in which an unfinished frame has to bring 1 KiB or its end; then 1008. 30 s, 0: never. */
  readonly frameTimeout?: number
  /** Pings that find out whether the peer is still there. Server 30 s and 30 s, client off. */
  readonly heartbeat?: HeartbeatOptions | false
  /** Compression of messages (RFC 7692), where the peer has it too. Off, unless given. */
  readonly perMessageDeflate?: DeflateOptions | boolean
}

/** Checked options, one object for all connections of a server or of a client's configuration. */
export interface ConnectionSettings extends MessageOptions {
  readonly role: Role
  readonly fragmentSize: number
  readonly highWaterMark: number
  readonly maxBufferedAmount: number
  readonly closeTimeout: number
  readonly idleTimeout: number
  readonly frameTimeout: number
  readonly heartbeat: Required<HeartbeatOptions> | undefined
  readonly deflate: DeflateSettings | undefined
  readonly clock: Clock
  readonly receivers: Receivers
  readonly counts: Counts
}

const KiB = 1024
const MiB = 1024 * KiB
const SECOND = 1000
const THIRTY_SECONDS = 30 * SECOND

const serverDefaults: Required<ConnectionOptions> = {
  maxMessageSize: MiB,
  maxFragments: 131_072,
  text: 'string',
  fragmentSize: Infinity,
  highWaterMark: 64 * KiB,
  maxBufferedAmount: 16 * MiB,
  closeTimeout: 10 * SECOND,
  idleTimeout: 0,
  frameTimeout: THIRTY_SECONDS,
  heartbeat: { interval: THIRTY_SECONDS, timeout: THIRTY_SECONDS },
  perMessageDeflate: false,
}

/** The defaults of `ConnectionOptions`, by role. A client has chosen its peer, and is not the one that has to find out. */
export const defaults: Record<Role, Required<ConnectionOptions>> = {
  server: serverDefaults,
  client: { ...serverDefaults, maxMessageSize: 16 * MiB, heartbeat: false },
}

/** Time for the other side's FIN once both Close frames have crossed, or once we have failed the connection. */
export const END_TIMEOUT: number = 2 * SECOND

/** A Node timer cannot wait longer. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** Checks a count of something: a whole number from `least` up, or Infinity. Throws a RangeError or TypeError. */
export function checkCount(name: string, value: unknown, least = 1): number {
  if (typeof value !== 'number') throw invalidType('ERR_WS_INVALID_OPTION', `${name} must be a number`)
  if (value !== Infinity && !(Number.isSafeInteger(value) && value >= least)) {
    throw invalidValue('ERR_WS_INVALID_OPTION', `${name} must be a whole number from ${least} up, or Infinity`)
  }
  return value
}

/** Checks the size of a message: it must fit a string, so 512 MiB at most. Throws a RangeError or TypeError. */
function checkMessageSize(value: unknown): number {
  const size = checkCount('maxMessageSize', value)
  if (size > constants.MAX_STRING_LENGTH) {
    const message = `maxMessageSize must be at most ${constants.MAX_STRING_LENGTH}, which is what a string can hold`
    throw invalidValue('ERR_WS_INVALID_OPTION', message)
  }
  return size
}

/** Checks a time in milliseconds from `least` up. Throws a RangeError or TypeError. */
export function checkTime(name: string, value: unknown, least = 1): number {
  if (typeof value !== 'number') throw invalidType('ERR_WS_INVALID_OPTION', `${name} must be a number of milliseconds`)
  if (!(Number.isSafeInteger(value) && value >= least && value <= LONGEST_TIMEOUT)) {
    throw invalidValue(
      'ERR_WS_INVALID_OPTION',
      `${name} must be whole milliseconds from ${least} to ${LONGEST_TIMEOUT}`,
    )
  }
  return value
}

function checkText(value: unknown): 'string' | 'buffer' {
  if (value === 'string' || value === 'buffer') return value
  throw invalidType('ERR_WS_INVALID_OPTION', "text must be 'string' or 'buffer'")
}

function checkHeartbeat(heartbeat: unknown): Required<HeartbeatOptions> | undefined {
  if (heartbeat === false) return undefined
  if (typeof heartbeat !== 'object' || heartbeat === null) {
    throw invalidType('ERR_WS_INVALID_OPTION', 'heartbeat must be false or { interval, timeout } in milliseconds')
  }
  const given: HeartbeatOptions = heartbeat
  const normal = { interval: THIRTY_SECONDS, timeout: THIRTY_SECONDS }
  return {
    interval: checkTime('heartbeat.interval', given.interval ?? normal.interval),
    timeout: checkTime('heartbeat.timeout', given.timeout ?? normal.timeout),
  }
}

/** Defaults filled in, everything checked. `others` are further timeouts that the same clock is to serve. */
export function connectionSettings(
  role: Role,
  options: ConnectionOptions,
  ...others: readonly number[]
): ConnectionSettings {
  // Only what is left out has a default: `null` is a mistake, as any other value of a wrong type.
  const given = (name: keyof ConnectionOptions): unknown =>
    options[name] === undefined ? defaults[role][name] : options[name]
  const settings = {
    role,
    text: checkText(given('text')),
    maxMessageSize: checkMessageSize(given('maxMessageSize')),
    maxFragments: checkCount('maxFragments', given('maxFragments')),
    fragmentSize: checkCount('fragmentSize', given('fragmentSize')),
    highWaterMark: checkCount('highWaterMark', given('highWaterMark')),
    maxBufferedAmount: checkCount('maxBufferedAmount', given('maxBufferedAmount')),
    closeTimeout: checkTime('closeTimeout', given('closeTimeout')),
    idleTimeout: checkTime('idleTimeout', given('idleTimeout'), 0),
    frameTimeout: checkTime('frameTimeout', given('frameTimeout'), 0),
    heartbeat: checkHeartbeat(given('heartbeat')),
    deflate: deflateSettings(given('perMessageDeflate')),
  }
  const { heartbeat } = settings
  const times = [settings.closeTimeout, settings.idleTimeout, settings.frameTimeout, ...others]
  if (heartbeat !== undefined) times.push(heartbeat.interval, heartbeat.timeout)
  const clock = Clock.for(Math.min(...times.filter((time) => time > 0)))
  return { ...settings, clock, receivers: new Receivers(), counts: createCounts() }
}

/** The functions of a connection's handler, by name. */
const CALLBACKS = ['open', 'message', 'ping', 'pong', 'drain', 'close', 'error']

/** The options of a connection and the functions of its handler, by name. */
export const CONNECTION_NAMES: readonly string[] = [...Object.keys(defaults.server), ...CALLBACKS]

/** Throws a TypeError for what should have been a function, of a connection's handler or of `others`, and is something else. */
export function checkCallbacks(options: object, ...others: readonly string[]): void {
  for (const name of [...CALLBACKS, ...others]) {
    const value: unknown = Reflect.get(options, name)
    if (value !== undefined) checkFunction(name, value)
  }
}

/** Throws a TypeError for what should have been a function. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidType('ERR_WS_INVALID_OPTION', `${name} must be a function`)
}

/**
 * Checks that `options` is an object, and that each of its names means something here: a limit with a slip in its name
 * would be no limit. Throws a TypeError.
 */
export function checkNames(what: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw invalidType('ERR_WS_INVALID_OPTION', `The options of ${what} must be an object`)
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const message = `${what} has no option ${quote(name)}; the README has a table of those that there are`
    throw invalidType('ERR_WS_INVALID_OPTION', message)
  }
}

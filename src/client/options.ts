/** The checks of `connect`'s own options: a wrong one throws where it is given, before anybody is reached. */
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { CONNECTION_NAMES, checkCallbacks, checkNames } from '../connection/index.ts'
import { invalidType, invalidValue } from '../errors.ts'

/** How a host is found and reached, as `net.connect` takes it: the server, or the proxy where there is one. */
export interface NetworkOptions {
  /** Finds the addresses of a name, as `dns.lookup` does; that is what it is unless given. */
  readonly lookup?: LookupFunction
  /** 4 or 6 for addresses of that version only, 0 for both. */
  readonly family?: number
  /** Flags for `dns.lookup`. */
  readonly hints?: number
  /** The address to connect from. */
  readonly localAddress?: string
  /** The port to connect from. */
  readonly localPort?: number
  /** Whether to try the addresses of a name, IPv6 and IPv4 in turn, until one answers (RFC 8305). */
  readonly autoSelectFamily?: boolean
  /** Milliseconds for each of these but the last. */
  readonly autoSelectFamilyAttemptTimeout?: number
}

const HIGHEST_PORT = 65_535
/** The limit of the Fetch standard. */
const MAX_REDIRECTS = 20

/** For each of `NetworkOptions`: what it has to be, in code and in words. */
const NETWORK: Readonly<Record<keyof NetworkOptions, readonly [is: (value: unknown) => boolean, words: string]>> = {
  lookup: [isFunction, 'a function, as dns.lookup'],
  family: [(value) => value === 0 || value === 4 || value === 6, '0, 4 or 6'],
  hints: [Number.isSafeInteger, 'flags of node:dns'],
  localAddress: [(value) => typeof value === 'string' && isIP(value) !== 0, 'an IP address'],
  localPort: [(value) => isWhole(value, 0, HIGHEST_PORT), 'a port'],
  autoSelectFamily: [(value) => typeof value === 'boolean', 'a boolean'],
  autoSelectFamilyAttemptTimeout: [(value) => isWhole(value, 1, Number.MAX_SAFE_INTEGER), 'milliseconds from 1 up'],
}

const NAMES = [
  ...CONNECTION_NAMES,
  ...Object.keys(NETWORK),
  'createConnection',
  'data',
  'handshakeTimeout',
  'headers',
  'oneAtATime',
  'protocols',
  'proxy',
  'redirects',
  'signal',
  'socketPath',
  'tls',
]

interface Unchecked {
  readonly createConnection?: unknown
  readonly protocols?: unknown
  readonly proxy?: unknown
  readonly redirects?: unknown
  readonly signal?: unknown
  readonly socketPath?: unknown
  readonly tls?: unknown
}

/** The ways to a server of which there can be one. */
const WAYS = ['createConnection', 'proxy', 'socketPath'] as const

export function checkOptions(options: Unchecked): void {
  checkNames('connect', options, NAMES)
  checkCallbacks(options, 'createConnection')
  const { protocols = [], proxy = '', redirects = 0, signal, socketPath, tls } = options
  if (!Array.isArray(protocols)) throw invalidOption('protocols must be an array of strings')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidOption('signal must be an AbortSignal')
  if (socketPath !== undefined && (typeof socketPath !== 'string' || socketPath === '')) {
    throw invalidOption('socketPath must be the path of a Unix socket')
  }
  if (typeof proxy !== 'string' && (typeof proxy !== 'object' || proxy === null)) {
    throw invalidOption("proxy must be a URL, { url, headers, tls } or 'environment'")
  }
  if (!isWhole(redirects, 0, MAX_REDIRECTS)) {
    throw invalidValue('ERR_WS_INVALID_OPTION', `redirects must be a whole number from 0 to ${MAX_REDIRECTS}`)
  }
  checkTls('tls', tls)
  for (const [name, [is, words]] of Object.entries(NETWORK)) {
    const value: unknown = Reflect.get(options, name)
    if (value !== undefined && !is(value)) throw invalidOption(`${name} must be ${words}`)
  }
  const ways = WAYS.filter((name) => options[name] !== undefined)
  if (ways.length > 1) throw invalidOption(`${ways.join(' and ')} cannot be given together: each is a way of its own`)
}

/** Throws a `TypeError` unless TLS can be given these as options. */
export function checkTls(name: string, tls: unknown): void {
  if (tls === undefined || (typeof tls === 'object' && tls !== null)) return
  throw invalidOption(`${name} must be an object, as for tls.connect`)
}

/** Those of `options` that say how a host is reached, as far as they were given. */
export function networkOptions(options: NetworkOptions): NetworkOptions {
  const names = Object.keys(NETWORK) as (keyof NetworkOptions)[]
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]] as const),
  )
}

export function invalidOption(message: string): TypeError {
  return invalidType('ERR_WS_INVALID_OPTION', message)
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most
}

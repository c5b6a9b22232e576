/** The option `perMessageDeflate`: what it may say, its defaults, and its checks. */
import { invalidType, invalidValue, quote } from '../errors.ts'
import { hasDictionaries } from './zlib.ts'

/** How messages are compressed (RFC 7692). Window bits are logarithms: 15 stands for a window of 32 KiB. */
export interface DeflateOptions {
  /** Octets from which on a message is compressed, unless `send` says otherwise; Infinity: only if it does. 1,024. */
  readonly threshold?: number
  /** From 0, none, to 9, best and slowest. 3, and 5 for messages that refer back to earlier ones. */
  readonly level?: number
  /** From 1 to 9: memory to compress with. 8, and 6 for messages that refer back to earlier ones, which keep it. */
  readonly memLevel?: number
  /** 8 to 15: how far back the server's compressor may look (7.1.2.1). Agreed upon only when given. */
  readonly serverMaxWindowBits?: number
  /** 8 to 15: how far back the client's compressor may look (7.1.2.2). Agreed upon only when given. */
  readonly clientMaxWindowBits?: number
  /** Whether the server compresses each message by itself (7.1.1.1), so that one message tells nothing about another. */
  readonly serverNoContextTakeover?: boolean
  /** Whether the client does (7.1.1.2). */
  readonly clientNoContextTakeover?: boolean
}

/** Checked and complete, but for what depends on what is agreed upon. */
export interface DeflateSettings {
  /** Whether messages may refer back to earlier ones at all, in either direction. */
  readonly canReferBack: boolean
  readonly threshold: number
  readonly level: number | undefined
  readonly memLevel: number | undefined
  readonly serverMaxWindowBits: number | undefined
  readonly clientMaxWindowBits: number | undefined
  readonly serverNoContextTakeover: boolean
  readonly clientNoContextTakeover: boolean
}

const NAMES = [
  'threshold',
  'level',
  'memLevel',
  'serverMaxWindowBits',
  'clientMaxWindowBits',
  'serverNoContextTakeover',
  'clientNoContextTakeover',
]

/**
 * The settings that `perMessageDeflate` asks for, or `undefined` for no compression. Where messages cannot refer back, each
 * is compressed by itself, whatever was asked for. Throws a TypeError or RangeError.
 */
export function deflateSettings(
  option: unknown,
  mayReferBack: () => boolean = hasDictionaries,
): DeflateSettings | undefined {
  if (option === false) return undefined
  if (option !== true && (typeof option !== 'object' || option === null)) {
    throw invalidType('ERR_WS_INVALID_OPTION', 'perMessageDeflate must be true, false, or an object of options')
  }
  const options: DeflateOptions = option === true ? {} : option
  for (const name of Object.keys(options)) {
    if (NAMES.includes(name)) continue
    const message = `perMessageDeflate has no option ${quote(name)}; it has ${NAMES.join(', ')}`
    throw invalidType('ERR_WS_INVALID_OPTION', message)
  }
  const serverNoContextTakeover = checkFlag('serverNoContextTakeover', options.serverNoContextTakeover) ?? true
  const clientNoContextTakeover = checkFlag('clientNoContextTakeover', options.clientNoContextTakeover) ?? true
  // Asked only here, as finding it out costs a call of zlib.
  const canReferBack = mayReferBack()
  return {
    canReferBack,
    threshold: checkNumber('threshold', options.threshold, 0, Infinity) ?? 1024,
    level: checkNumber('level', options.level, 0, 9),
    memLevel: checkNumber('memLevel', options.memLevel, 1, 9),
    serverMaxWindowBits: checkNumber('serverMaxWindowBits', options.serverMaxWindowBits, 8, 15),
    clientMaxWindowBits: checkNumber('clientMaxWindowBits', options.clientMaxWindowBits, 8, 15),
    serverNoContextTakeover: serverNoContextTakeover || !canReferBack,
    clientNoContextTakeover: clientNoContextTakeover || !canReferBack,
  }
}

function checkNumber(name: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number') {
    throw invalidType('ERR_WS_INVALID_OPTION', `perMessageDeflate.${name} must be a number`)
  }
  if ((Number.isInteger(value) || value === most) && value >= least && value <= most) return value
  const message = `perMessageDeflate.${name} must be a whole number from ${least} to ${most}`
  throw invalidValue('ERR_WS_INVALID_OPTION', message)
}

function checkFlag(name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw invalidType('ERR_WS_INVALID_OPTION', `perMessageDeflate.${name} must be true or false`)
}

/** The checks of `connect`'s own options: a wrong one throws where it is given, before anybody is reached. */
import { CONNECTION_NAMES, checkCallbacks, checkNames } from '../connection/index.ts'
import { invalidType } from '../errors.ts'

const NAMES = [
  ...CONNECTION_NAMES,
  'data',
  'headers',
  'protocols',
  'signal',
  'handshakeTimeout',
  'tls',
  'socketPath',
  'oneAtATime',
]

interface Unchecked {
  readonly protocols?: unknown
  readonly signal?: unknown
  readonly socketPath?: unknown
  readonly tls?: unknown
}

export function checkOptions(options: Unchecked): void {
  checkNames('connect', options, NAMES)
  checkCallbacks(options)
  const { protocols = [], signal, socketPath, tls = {} } = options
  if (!Array.isArray(protocols)) throw invalidOption('protocols must be an array of strings')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidOption('signal must be an AbortSignal')
  if (socketPath !== undefined && (typeof socketPath !== 'string' || socketPath === '')) {
    throw invalidOption('socketPath must be the path of a Unix socket')
  }
  if (typeof tls !== 'object' || tls === null) throw invalidOption('tls must be an object, as for tls.connect')
}

function invalidOption(message: string): TypeError {
  return invalidType('ERR_WS_INVALID_OPTION', message)
}

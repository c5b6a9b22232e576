/** The options of every command that connects to a server, and what `connect` of the package makes of them. */
import type { ConnectOptions } from '../client/index.ts'
import { visible } from '../conformance/index.ts'
import { HandshakeError } from '../errors.ts'
import type { OptionSpec, Options } from './options.ts'
import { fileOf, headersOf, notBoth, timeOf } from './values.ts'

export const CLIENT_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'header',
    short: 'H',
    value: "'NAME: VALUE'",
    multiple: true,
    help: ['Send a field in the opening handshake.'],
  },
  { name: 'protocol', short: 'p', value: 'NAME', multiple: true, help: ['Offer a subprotocol, the best one first.'] },
  { name: 'origin', value: 'ORIGIN', help: ['Send an Origin, as the pages of a browser do.'] },
  { name: 'deflate', help: ['Offer compression (RFC 7692).'] },
  { name: 'no-deflate', help: ['Offer none, as without this option.'] },
  { name: 'timeout', value: 'SECONDS', help: ['For the opening handshake. Default: 10.'] },
  { name: 'insecure', help: ['Take any certificate of a wss server.'] },
  {
    name: 'ca',
    value: 'FILE',
    help: ['Trust the certificates in this PEM file instead', 'of those that Node trusts.'],
  },
  { name: 'cert', value: 'FILE', help: ['Show this certificate (PEM) to the server,'] },
  { name: 'key', value: 'FILE', help: ['of which this is the key.'] },
]

const HANDSHAKE_TIMEOUT = 10_000

export type ClientOptions = Pick<
  ConnectOptions,
  'headers' | 'protocols' | 'handshakeTimeout' | 'perMessageDeflate' | 'tls'
>

/** Throws a `UsageError` for values that mean nothing, a `CommandError` for files that cannot be read. */
export function clientOptions(options: Options): ClientOptions {
  notBoth(options, 'deflate', 'no-deflate')
  const headers = headersOf(options)
  const origin = options.get('origin')
  if (origin !== undefined) headers.push(['Origin', origin])
  const ca = fileOf(options, 'ca')
  const cert = fileOf(options, 'cert')
  const key = fileOf(options, 'key')
  return {
    headers,
    protocols: options.all('protocol'),
    handshakeTimeout: timeOf(options, 'timeout', HANDSHAKE_TIMEOUT, 0.001),
    perMessageDeflate: options.has('deflate'),
    tls: {
      rejectUnauthorized: !options.has('insecure'),
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
    },
  }
}

/** An address as people type it: without a scheme it is `ws:`. */
export function addressOf(text: string): string {
  return text.includes('://') ? text : `ws://${text}`
}

const LONGEST_BODY = 400

/** Why there is no connection, in a sentence without a full stop; the answer of the server, where it gave one, too. */
export function explainFailure(url: string, error: Error): string {
  if (!(error instanceof HandshakeError)) return error.message
  const { cause, status, body, message } = error
  if (cause instanceof Error) {
    const { code = '' } = cause as NodeJS.ErrnoException
    const hint = code.includes('CERT') || code.includes('SIGNATURE') ? '; --insecure takes any certificate' : ''
    // Where a name has several addresses, the error of all of them has no message of its own.
    return `Cannot reach ${url}: ${visible(cause.message === '' ? code : cause.message)}${hint}`
  }
  const said = visible(body?.toString().trim() ?? '', LONGEST_BODY)
  const sentence = message.replace(/\.$/, '')
  return status === undefined || said === '' ? sentence : `${sentence}, and said: ${said}`
}

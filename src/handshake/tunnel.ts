/**
 * A tunnel through an HTTP proxy (RFC 9110 9.3.6): the request for it, and what is wrong with an answer that is not 2xx.
 * Behind the head of one that is, the tunnel begins, whatever that head says about a body.
 */

import { HandshakeError } from '../errors.ts'
import { isMessageField } from './answer.ts'
import { answered, basicCredentials } from './client.ts'
import type { ResponseHead } from './decode.ts'
import type { FieldsInit } from './fields.ts'
import { fieldEntries, formatFields } from './fields.ts'
import type { ParsedUri } from './uri.ts'

/** Where a tunnel is to lead, and what the proxy is told besides. */
export interface TunnelOptions {
  /** Where the tunnel is to lead. */
  readonly target: Pick<ParsedUri, 'host' | 'port'>
  /** Credentials for the proxy. */
  readonly userinfo?: ParsedUri['userinfo']
  /** Further fields. `Proxy-Authorization` replaces `userinfo`. */
  readonly headers?: FieldsInit | undefined
}

/**
 * The request, to be written as Latin-1.
 *
 * @throws TypeError `ERR_WS_INVALID_HEADER` for a header that is malformed or that says where the request goes
 */
export function createTunnelRequest({ target: { host, port }, userinfo, headers }: TunnelOptions): string {
  const given = fieldEntries(headers, (name) => name === 'host' || isMessageField(name))
  // RFC 9112 3.2.3: host and port, and the port even if it is the default one.
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const fields: Array<readonly [name: string, value: string]> = [['Host', authority]]
  if (userinfo !== undefined && !given.some(([name]) => name.toLowerCase() === 'proxy-authorization')) {
    fields.push(['Proxy-Authorization', basicCredentials(userinfo)])
  }
  return `CONNECT ${authority} HTTP/1.1\r\n${formatFields([...fields, ...given])}\r\n`
}

/** The error for an answer other than 2xx; `body` is what was read of the content. */
export function refusedTunnel(head: ResponseHead, body?: Buffer): HandshakeError {
  const why = head.status === 407 ? ': it wants credentials, or others' : ''
  const message = `The proxy answered with status ${head.status} instead of opening a tunnel${why}.`
  const options = { section: 'RFC 9110 9.3.6', ...answered(head), ...(body === undefined ? {} : { body }) }
  return new HandshakeError('ERR_WS_PROXY_REFUSED', message, options)
}

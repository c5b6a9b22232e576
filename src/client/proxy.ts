/**
 * HTTP proxies that a connection goes through (RFC 6455 4.1, item 1 of "Proxy Usage"): which one, and its answer to CONNECT
 * (RFC 9110 9.3.6). `ws:` takes a tunnel as `wss:` does, since nothing else lets frames pass.
 */
import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls'
import { checkNames } from '../connection/index.ts'
import { HandshakeError } from '../errors.ts'
import { createTunnelRequest, parseUri, refusedTunnel, toWebSocketUrl } from '../handshake/index.ts'
import type { FieldsInit, ParsedUri, ResponseHead } from '../handshake/index.ts'
import { AnswerReader } from './answer.ts'
import type { Answered } from './answer.ts'
import { unreachable } from './attempt.ts'
import type { Party } from './attempt.ts'
import { proxyFromEnvironment } from './environment.ts'
import { checkTls, invalidOption } from './options.ts'

/** An HTTP proxy, and how to speak to it. */
export interface ProxyOptions {
  /** An `http:` or `https:` URL, with credentials for the proxy if it wants some. */
  readonly url: string | URL
  /** Further header fields for the proxy; the server never sees them. */
  readonly headers?: FieldsInit
  /** TLS to an `https:` proxy. Certificates are verified unless `rejectUnauthorized` is exactly `false`. */
  readonly tls?: TlsConnectionOptions
}

/** A proxy, and what to ask it for. */
export interface Proxy extends Pick<ParsedUri, 'secure' | 'host' | 'port'> {
  readonly tls: TlsConnectionOptions | undefined
  readonly request: string
  readonly party: Party
}

const SECTION = 'RFC 9110 9.3.6'

/**
 * The proxy to take to `target`, or `undefined` for none.
 *
 * Throws a `TypeError`, here and not when the proxy is asked, for options that name none; what they say is not repeated, as
 * it may hold a password.
 */
export function proxyFor(
  target: ParsedUri,
  option: string | URL | ProxyOptions | undefined,
  env?: NodeJS.ProcessEnv,
): Proxy | undefined {
  if (option === undefined) return undefined
  if (option === 'environment') {
    const found = proxyFromEnvironment(target, env)
    return found && readProxy(target, found, found.name)
  }
  if (typeof option === 'string' || option instanceof URL) return readProxy(target, { url: option }, 'proxy')
  checkNames('proxy', option, ['url', 'headers', 'tls'])
  return readProxy(target, option, 'proxy.url')
}

function readProxy(target: ParsedUri, { url, headers, tls }: ProxyOptions, name: string): Proxy {
  checkTls('proxy.tls', tls)
  const { secure, host, port, authority, userinfo } = parseProxyUrl(url, name)
  const place = `the proxy ${secure ? 'https' : 'http'}://${authority}`
  const party = {
    unreachable: (cause: unknown) => unreachable('ERR_WS_PROXY_FAILED', place, SECTION, cause),
    noAnswer: () => failed('The proxy ended the connection without answering'),
  }
  return { secure, host, port, tls, request: createTunnelRequest({ target, userinfo, headers }), party }
}

function parseProxyUrl(url: string | URL, name: string): ParsedUri {
  const text = String(url)
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw invalidOption(`${name} must be an http: or https: URL; other ways go by createConnection`)
  }
  try {
    parsed.hash = ''
    return parseUri(toWebSocketUrl(parsed))
  } catch {
    throw invalidOption(`${name} has a malformed user name or password`)
  }
}

function failed(message: string, cause?: HandshakeError): HandshakeError {
  return new HandshakeError('ERR_WS_PROXY_FAILED', message, { section: cause?.section ?? SECTION, cause })
}

/** The proxy's answer to CONNECT. Behind the head of a 2xx one the tunnel begins, whatever that says about a body. */
export class TunnelReader extends AnswerReader<object> {
  override take(chunk: Buffer): Answered<object> | undefined {
    try {
      return super.take(chunk)
    } catch (error) {
      throw error instanceof HandshakeError && error.status === undefined
        ? failed(`The proxy's answer is no answer: ${error.message}`, error)
        : error
    }
  }

  protected accept(head: ResponseHead): object | undefined {
    // RFC 9110 15.2.2: nobody asked for another protocol.
    if (head.status === 101) throw refusedTunnel(head)
    return head.status >= 200 && head.status < 300 ? {} : undefined
  }

  protected refuse(head: ResponseHead, body: Buffer): HandshakeError {
    return refusedTunnel(head, body)
  }
}

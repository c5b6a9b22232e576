/**
 * Whether the page that a request comes from may open a connection (RFC 6455 4.2.2, 10.2). Browsers let any page connect
 * anywhere and send cookies along: a server that does not look at Origin can be used by every page its users visit.
 *
 * By default the origin must be the host that the request came to. A request without Origin does not come from a browser
 * (4.2.1) and is let in; `null`, which sandboxed pages and local files send, is refused unless it is listed.
 */

import { isToken } from './grammar.ts'
import type { RequestHead } from './decode.ts'
import { defaultPort, parseAuthority } from './uri.ts'

/**
 * `undefined`: the same host. A list: these origins, such as `https://app.example`; case and default port do not matter.
 * A function: those for which it returns `true`; it is not asked when there is no Origin. `'any'`: all.
 */
export type OriginPolicy = 'any' | readonly string[] | ((origin: string, request: RequestHead) => boolean) | undefined

/** Whether a value is a policy; what is in a list has to look like an origin, or is `null`. */
export function isOriginPolicy(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string' && looksLikeOrigin(item))
  return value === undefined || value === 'any' || typeof value === 'function'
}

/** A scheme, and no path: an origin with a slash behind it would never match. */
function looksLikeOrigin(text: string): boolean {
  return text === 'null' || (text.includes('://') && !text.endsWith('/'))
}

/** The host a request came to. */
export interface OriginContext {
  /** The value of Host, or the authority of an absolute-form target. */
  readonly authority: string
  /** Whether the request came over TLS. */
  readonly secure: boolean
}

/** May a request with this head be accepted? Never with two Origin fields, whatever the policy. */
export function isOriginAllowed(head: RequestHead, policy: OriginPolicy, context: OriginContext): boolean {
  const origins = head.fields.getAll('origin')
  if (origins.length === 0) return true
  if (origins.length > 1) return false
  const origin = origins[0]
  if (policy === undefined) return isSameHost(origin, context)
  if (policy === 'any') return true
  // Only `true`: the promise of an asynchronous function is no answer.
  if (typeof policy === 'function') {
    const allowed: unknown = policy(origin, head)
    return allowed === true
  }
  if (policy.includes(origin)) return true
  const wanted = parseOrigin(origin)
  return wanted !== undefined && policy.some((listed) => isSameOrigin(parseOrigin(listed), wanted))
}

interface Origin {
  readonly scheme: string
  readonly host: string
  /** `undefined` for a scheme without a default port. */
  readonly port: number | undefined
}

function isSameOrigin(one: Origin | undefined, other: Origin): boolean {
  return one?.scheme === other.scheme && one.host === other.host && one.port === other.port
}

/**
 * A page that came over http is not let into a server that speaks TLS: anyone on the way could have written it. An https
 * origin is let into a server without TLS, as that is what a server behind a proxy that ends TLS sees.
 */
function isSameHost(text: string, { authority, secure }: OriginContext): boolean {
  const host = parseAuthority(authority)
  if (host === undefined) return false
  // What a browser sends whose page came from here: nothing needs to be taken apart.
  const prefix = secure ? 'https://' : 'http://'
  if (text.startsWith(prefix) && text.slice(prefix.length) === authority) return true
  const origin = parseOrigin(text)
  if (origin === undefined || origin.host !== host.host) return false
  if (origin.scheme !== 'https' && (secure || origin.scheme !== 'http')) return false
  return origin.port === (host.port ?? defaultPort(origin.scheme === 'https'))
}

/** RFC 6454 6.2: scheme "://" host [ ":" port ], and nothing behind it. Opaque origins (`null`) have no parts. */
function parseOrigin(text: string): Origin | undefined {
  const separator = text.indexOf('://')
  if (separator === -1 || !isToken(text.slice(0, separator))) return undefined
  const scheme = text.slice(0, separator).toLowerCase()
  const authority = parseAuthority(text.slice(separator + 3))
  if (authority === undefined) return undefined
  const hasDefault = scheme === 'http' || scheme === 'https'
  return {
    scheme,
    host: authority.host,
    port: authority.port ?? (hasDefault ? defaultPort(scheme === 'https') : undefined),
  }
}

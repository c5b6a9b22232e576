/**
 * Which proxy the environment names, by the variables that curl and most others read: `https_proxy` for `wss:`, `http_proxy`
 * for `ws:`, `all_proxy` for both, and `no_proxy` for what goes without. The lower-case name comes before the upper-case
 * one, and an empty variable is none. This is the one place where the client reads the environment, and only when asked.
 */
import { BlockList, isIP } from 'node:net'
import { parseAuthority } from '../handshake/index.ts'
import type { ParsedUri } from '../handshake/index.ts'

type Environment = Readonly<Record<string, string | undefined>>
type Target = Pick<ParsedUri, 'secure' | 'host' | 'port'>

/** The URL of a proxy, and the variable that names it; `undefined` if there is none for `target`. */
export function proxyFromEnvironment(
  target: Target,
  env: Environment = process.env,
): { readonly url: string; readonly name: string } | undefined {
  const names = target.secure ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY']
  for (const name of [...names, 'all_proxy', 'ALL_PROXY']) {
    const value = env[name]
    if (!value || isForged(name, env)) continue
    if (isExempt(target, env['no_proxy'] || env['NO_PROXY'] || '')) return undefined
    return { url: value.includes('://') ? value : `http://${value}`, name }
  }
  return undefined
}

/** A CGI program is given the field `Proxy` of the request, which anybody may send, as HTTP_PROXY: it counts for nothing. */
function isForged(name: string, env: Environment): boolean {
  return name === 'HTTP_PROXY' && env['REQUEST_METHOD'] !== undefined
}

/**
 * `no_proxy`: a list, split by commas or white space, of names that stand for themselves and all names below them (with or
 * without a dot in front), of IP addresses and blocks of them (`10.0.0.0/8`), and of `*` for everything. A name or an
 * address may have a port, and counts for that port only.
 */
function isExempt(target: Target, list: string): boolean {
  return list.split(/[\s,]+/).some((entry) => entry === '*' || isMeant(target, entry))
}

function isMeant({ host, port }: Target, entry: string): boolean {
  const isAddress = isIP(entry) !== 0 || entry.includes('/')
  const authority = isAddress ? { host: entry, port } : parseAuthority(entry)
  if (authority === undefined || (authority.port ?? port) !== port) return false
  const meant = trim(authority.host)
  if (isIP(host) !== 0) return blockOf(meant).check(host, familyOf(host))
  return meant !== '' && `.${trim(host)}`.endsWith(`.${meant}`)
}

/** A host without what may stand around it: the brackets of IPv6, the dot of the root, a dot or `*.` in front. */
function trim(host: string): string {
  return host.replace(/^(?:\[|\*?\.)/, '').replace(/[\].]$/, '')
}

/** The addresses of `address` or `address/prefix`; none if it is neither. */
function blockOf(entry: string): BlockList {
  const block = new BlockList()
  const [address, prefix] = entry.split('/')
  const longest = isIP(address) === 4 ? 32 : 128
  const length = prefix === undefined ? longest : Number(prefix || Number.NaN)
  if (isIP(address) !== 0 && Number.isInteger(length) && length >= 0 && length <= longest) {
    block.addSubnet(address, length, familyOf(address))
  }
  return block
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

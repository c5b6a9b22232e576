/** The grammar of heads and lists once more, as regular expressions (RFC 9112 2 to 5, RFC 6455 4 and 9.1), to be compared with. */

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const OWS = '[ \\t]*'
const FIELDS = `((?:${TOKEN}:[\\t \\x21-\\x7e\\x80-\\xff]*\\r\\n)*)\\r\\n`
const REQUEST = new RegExp(`^(?:\\r\\n)?(${TOKEN}) ([\\x21-\\x7e]+) HTTP/1\\.([01])\\r\\n${FIELDS}`)
const RESPONSE = new RegExp(`^HTTP/1\\.([01]) ([1-9]\\d\\d) ([\\t \\x21-\\x7e\\x80-\\xff]*)\\r\\n${FIELDS}`)

const QUOTED = '"(?:\\\\?[!#$%&\'*+\\-.^_`|~0-9A-Za-z])+"'
const EXTENSION = `${TOKEN}(?:${OWS};${OWS}${TOKEN}(?:${OWS}=${OWS}(?:${TOKEN}|${QUOTED}))?)*`

function listOf(element: string): RegExp {
  return new RegExp(`^[ \\t,]*${element}(?:${OWS},[ \\t,]*${element})*${OWS}(?:,[ \\t,]*)?$`)
}

/** Whether a value is a list of extensions, of tokens, of protocols with versions. */
export const isExtensionList = (value: string): boolean => listOf(EXTENSION).test(value)
export const isTokenList = (value: string): boolean => listOf(TOKEN).test(value)
const isUpgradeList = (value: string): boolean => listOf(`${TOKEN}(?:/${TOKEN})?`).test(value)

export interface ReferenceHead {
  /** Method, target and minor version, or minor version, status and reason. */
  readonly startLine: readonly string[]
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly length: number
}

/** The head that stands at the beginning of `text`, or `undefined` if none does, or it is not complete. */
export function readHead(kind: 'request' | 'response', text: string): ReferenceHead | undefined {
  const match = (kind === 'request' ? REQUEST : RESPONSE).exec(text)
  if (match === null) return undefined
  const [all, one, two, three, lines] = match
  const fields = lines
    .split('\r\n')
    .slice(0, -1)
    .map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')] as const
    })
  return { startLine: [one, two, three], fields, length: all.length }
}

function valuesOf({ fields }: ReferenceHead, name: string): string[] {
  return fields.filter(([field]) => field === name).map(([, value]) => value)
}

function names(value: string, wanted: string): boolean {
  return value.split(',').some((element) => element.trim().toLowerCase() === wanted)
}

/** What of RFC 6455 4.2.1 a request breaks that was accepted; `undefined` if nothing. */
export function whyNoHandshake(head: ReferenceHead): string | undefined {
  const [method, target, minor] = head.startLine
  const one = (name: string): string | undefined => {
    const values = valuesOf(head, name)
    return values.length === 1 ? values[0] : undefined
  }
  if (method !== 'GET' || minor !== '1') return 'the method or the version'
  if (!/^(\/|https?:\/\/[^/?#]+)/i.test(target) || target.includes('#')) return 'the target'
  if (!/^[^\s@/?#]+$/.test(one('host') ?? '')) return 'Host'
  const upgrade = valuesOf(head, 'upgrade').join(',')
  if (!isUpgradeList(upgrade) || !names(upgrade, 'websocket')) return 'Upgrade'
  const connection = valuesOf(head, 'connection').join(',')
  if (!isTokenList(connection) || !names(connection, 'upgrade')) return 'Connection'
  if (!/^[A-Za-z0-9+/]{22}==$/.test(one('sec-websocket-key') ?? '')) return 'Sec-WebSocket-Key'
  if (one('sec-websocket-version') !== '13') return 'Sec-WebSocket-Version'
  if (valuesOf(head, 'transfer-encoding').length > 0) return 'Transfer-Encoding'
  if (valuesOf(head, 'content-length').some((length) => length !== '0')) return 'Content-Length'
  if (valuesOf(head, 'expect').length > 0) return 'Expect'
  if (valuesOf(head, 'origin').some((origin) => !/^https?:\/\/[^/]+$/i.test(origin))) return 'Origin'
  const extensions = valuesOf(head, 'sec-websocket-extensions')
  if (extensions.length > 0 && !isExtensionList(extensions.join(','))) return 'Sec-WebSocket-Extensions'
  const protocols = valuesOf(head, 'sec-websocket-protocol')
  if (protocols.length > 0 && !isTokenList(protocols.join(','))) return 'Sec-WebSocket-Protocol'
  return undefined
}

/** What of RFC 6455 4.1 a response breaks that was accepted; `undefined` if nothing. */
export function whyNoAnswer(head: ReferenceHead, accept: string, offered: readonly string[]): string | undefined {
  const [minor, status] = head.startLine
  if (minor !== '1' || status !== '101') return 'the status or the version'
  if (valuesOf(head, 'upgrade').join(',').toLowerCase() !== 'websocket') return 'Upgrade'
  if (!names(valuesOf(head, 'connection').join(','), 'upgrade')) return 'Connection'
  if (valuesOf(head, 'sec-websocket-accept').join(',') !== accept) return 'Sec-WebSocket-Accept'
  const protocols = valuesOf(head, 'sec-websocket-protocol')
  const isOffered = protocols.every((protocol) => offered.includes(protocol))
  if (protocols.length > 1 || !isOffered) return 'Sec-WebSocket-Protocol'
  const extensions = valuesOf(head, 'sec-websocket-extensions')
  if (extensions.length > 0 && !isExtensionList(extensions.join(','))) return 'Sec-WebSocket-Extensions'
  return undefined
}

/** 21.1 The request with which a client opens a connection (RFC 6455 4.1). */
import type { Case, Tester } from '../case.ts'
import { Unexpected } from '../case.ts'
import { readDeflate } from '../deflate.ts'
import { extensionName, listOf, strip } from '../head.ts'
import { quote } from '../../errors.ts'
import { NAMES } from './heads.ts'
import { echo } from './steps.ts'

/** Looks at the client's request; the connection opens as usual. `look` says what is wrong, if something is. */
function asks(id: string, what: string, rule: string, look: (head: string) => string | undefined): Case {
  const play = async (tester: Tester): Promise<void> => {
    const why = look(tester.peerHead)
    if (why !== undefined) throw new Unexpected(`expected ${what}, but ${why}`)
    await echo(tester)
  }
  return { id, title: `The request of the client has ${what}`, rule, peer: 'client', timeout: 5000, play }
}

/** What stands between separators, as it is. */
function between(text: string, separator: string): string[] {
  const parts: string[] = []
  let begin = 0
  for (let end = text.indexOf(separator); end >= 0; end = text.indexOf(separator, begin)) {
    parts.push(text.slice(begin, end))
    begin = end + separator.length
  }
  return [...parts, text.slice(begin)]
}

/** The lines of the fields of a head. */
function fieldLines(head: string): string[] {
  return between(head.slice(0, -4), '\r\n').slice(1)
}

/** The values of all fields with this name. */
function valuesOf(head: string, name: string): string[] {
  const values: string[] = []
  for (const line of fieldLines(head)) {
    const colon = line.indexOf(':')
    if (line.slice(0, colon).toLowerCase() === name.toLowerCase()) values.push(strip(line, colon + 1))
  }
  return values
}

function wantOnce(name: string): (head: string) => string | undefined {
  return (head) => {
    const { length } = valuesOf(head, name)
    return length === 1 ? undefined : `it is there ${length} times`
  }
}

function checkStartLine(head: string): string | undefined {
  const line = head.slice(0, head.indexOf('\r\n'))
  const parts = between(line, ' ')
  const good = parts.length === 3 && parts[0] === 'GET' && parts[1].startsWith('/') && parts[2] === 'HTTP/1.1'
  return good && !parts[1].includes('#') ? undefined : `it is ${quote(line)}`
}

function checkLines(head: string): string | undefined {
  const bad = fieldLines(head).find((line) => !isFieldLine(line))
  return bad === undefined ? undefined : `one is ${quote(bad)}`
}

/** RFC 9112 5: a token, a colon right behind it, and no control character. */
function isFieldLine(line: string): boolean {
  const colon = line.indexOf(':')
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if (code === 0x7f || (code < 0x20 && (code !== 0x09 || i < colon))) return false
    if (i < colon && '()<>@,;\\"/[]?={} '.includes(line[i])) return false
  }
  return colon > 0
}

/** Keys of clients that came lately; no two of them may be the same, whoever sent them. */
const recentKeys: string[] = []

function checkFresh(head: string): string | undefined {
  const key = valuesOf(head, NAMES.key).join('')
  if (recentKeys.includes(key)) return `it has sent ${quote(key)} before`
  recentKeys.push(key)
  if (recentKeys.length > 64) recentKeys.shift()
  return undefined
}

/** RFC 7692 7.1: what an offer may say. */
function checkOffers(head: string): string | undefined {
  const offers = valuesOf(head, 'Sec-WebSocket-Extensions').flatMap((value) => listOf(value))
  for (const offer of offers.filter((one) => extensionName(one) === 'permessage-deflate')) {
    try {
      readDeflate(offer, 'offer')
    } catch (error) {
      return `in ${quote(offer)} ${(error as Error).message}`
    }
  }
  return undefined
}

function checkProtocols(head: string): string | undefined {
  const offered = valuesOf(head, 'Sec-WebSocket-Protocol').flatMap((value) => listOf(value))
  const good = new Set(offered).size === offered.length && offered.every((name) => isFieldLine(`${name}:`))
  return good ? undefined : `it offers ${quote(offered.join(', '))}`
}

export const asking: readonly Case[] = [
  asks('21.1.1', 'GET, a target that begins with a slash, and HTTP/1.1', 'RFC 6455 4.1', checkStartLine),
  asks('21.1.2', 'fields that are fields, and nothing else', 'RFC 9112 5', checkLines),
  asks('21.1.3', 'one Host', 'RFC 6455 4.1', wantOnce(NAMES.host)),
  asks('21.1.4', 'one Sec-WebSocket-Key', 'RFC 6455 4.1, 11.3.1', wantOnce(NAMES.key)),
  asks('21.1.5', 'one Sec-WebSocket-Version', 'RFC 6455 4.1, 11.3.5', wantOnce(NAMES.version)),
  asks('21.1.6', 'subprotocols that are tokens and differ, if any', 'RFC 6455 4.1', checkProtocols),
  asks('21.1.7', 'offers of permessage-deflate that are valid, if any', 'RFC 7692 7.1', checkOffers),
  { ...asks('21.1.8', 'another key each time', 'RFC 6455 4.1', checkFresh), connections: 8 },
]

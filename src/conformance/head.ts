/**
 * Heads of HTTP/1.1 as the opening handshake needs them: written, read, and searched for what RFC 6455 4 demands.
 *
 * The reader takes what a peer may send and answers `undefined` for what is no head at all; names keep their lower case.
 */
import { createHash, randomBytes } from 'node:crypto'

/** More than any peer needs. */
export const MAX_HEAD = 65_536

const END = Buffer.from('\r\n\r\n')
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export interface Head {
  readonly startLine: string
  /** Of several lines of one name the values are joined by a comma. */
  readonly fields: ReadonlyMap<string, string>
}

/** Where the octets behind a head begin; -1 when its end has not come yet. */
export function headEnd(octets: Buffer): number {
  const at = octets.indexOf(END)
  return at < 0 ? -1 : at + END.length
}

export function createKey(): string {
  return randomBytes(16).toString('base64')
}

/** RFC 6455 4.2.2. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`).digest('base64')
}

/** Name and value of each field, in their order. */
export type Fields = Iterable<readonly [name: string, value: string]>

export function writeHead(startLine: string, fields: Fields): string {
  let head = `${startLine}\r\n`
  for (const [name, value] of fields) head += `${name}: ${value}\r\n`
  return `${head}\r\n`
}

/** Reads a whole head, its empty line included (RFC 9112 2.1, 5). */
export function readHead(text: string): Head | undefined {
  const fields = new Map<string, string>()
  let at = text.indexOf('\r\n')
  const startLine = text.slice(0, at)
  for (;;) {
    const begin = at + 2
    at = text.indexOf('\r\n', begin)
    if (at === begin) return { startLine, fields }
    const colon = text.indexOf(':', begin)
    if (colon <= begin || colon > at) return undefined
    const name = text.slice(begin, colon).toLowerCase()
    const value = strip(text, colon + 1, at)
    const before = fields.get(name)
    fields.set(name, before === undefined ? value : `${before}, ${value}`)
  }
}

/** The value of a field, given in lower case; empty where there is none. */
export function fieldOf(head: Head | undefined, name: string): string {
  return head?.fields.get(name) ?? ''
}

/** `text[from, to)` without the spaces and tabs around it. */
export function strip(text: string, from: number = 0, to: number = text.length): string {
  let [begin, end] = [from, to]
  while (begin < end && isBlank(text.charCodeAt(begin))) begin++
  while (end > begin && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(begin, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** Whether a list such as `keep-alive, Upgrade` has `token`, in whatever case. */
export function hasToken(list: string, token: string): boolean {
  return listOf(list).some((element) => element.toLowerCase() === token)
}

/** The elements of a list that is separated by commas, or by something else; quoted strings are not looked into. */
export function listOf(list: string, separator: string = ','): string[] {
  const elements: string[] = []
  for (let begin = 0; begin <= list.length;) {
    const comma = list.indexOf(separator, begin)
    const end = comma < 0 ? list.length : comma
    const element = strip(list, begin, end)
    if (element !== '') elements.push(element)
    begin = end + 1
  }
  return elements
}

/** The name of an extension in an element such as `permessage-deflate; client_max_window_bits`. */
export function extensionName(element: string): string {
  const semicolon = element.indexOf(';')
  return strip(element, 0, semicolon < 0 ? element.length : semicolon)
}

/** The status of an answer; `undefined` when the line is not one of HTTP. */
export function statusOf(startLine: string): number | undefined {
  if (!startLine.startsWith('HTTP/1.') || startLine.charCodeAt(8) !== 0x20) return undefined
  const status = decimal(startLine.slice(9, 12))
  return startLine.length === 12 || startLine.charCodeAt(12) === 0x20 ? status : undefined
}

/** A number of one to nine digits and nothing else. */
export function decimal(text: string): number | undefined {
  if (text === '' || text.length > 9) return undefined
  let number = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return undefined
    number = number * 10 + digit
  }
  return number
}

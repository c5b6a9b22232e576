/**
 * The words that HTTP's header fields are made of: classes of bytes, tokens, quoted strings, comma-separated lists.
 *
 * Everything is decided by one table of 256 classes and read forward only: no regular expression, no `split`, no `trim`,
 * so that no input costs more than its length. Text from a head is Latin-1: one character is one byte.
 */

import { quote } from '../errors.ts'

/**
 * The classes of bytes, ordered so that one comparison answers the usual questions (RFC 9110 5.5, 5.6.2):
 * from `Tab` on a byte may stand in a field value, from `Delimiter` on it is visible ASCII, from `Digit` on a token byte.
 */
export const ByteClass = {
  /** NUL, the other control characters and DEL: allowed nowhere. */
  Control: 0,
  LineFeed: 1,
  CarriageReturn: 2,
  Tab: 3,
  Space: 4,
  /** obs-text, 0x80 to 0xFF: opaque (RFC 9110 5.5). */
  Opaque: 5,
  /** Visible and no token byte: `"(),/;<=>?@[\]{}`. */
  Delimiter: 6,
  Colon: 7,
  Digit: 8,
  Token: 9,
} as const

/** How many classes there are. */
export const BYTE_CLASSES = 10

const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return ByteClass.Opaque
  const character = String.fromCharCode(byte)
  if (character === '\t') return ByteClass.Tab
  if (character === '\n') return ByteClass.LineFeed
  if (character === '\r') return ByteClass.CarriageReturn
  if (character === ' ') return ByteClass.Space
  if (character < ' ' || character > '~') return ByteClass.Control
  if (character === ':') return ByteClass.Colon
  if (character >= '0' && character <= '9') return ByteClass.Digit
  return '"(),/;<=>?@[\\]{}'.includes(character) ? ByteClass.Delimiter : ByteClass.Token
})

/** The class of every byte. */
export const CLASS_OF: Uint8Array = classes

export const QUOTE = 0x22
const COMMA = 0x2c
const SLASH = 0x2f
export const COLON = 0x3a
export const SEMICOLON = 0x3b
export const EQUALS = 0x3d
const BACKSLASH = 0x5c

/** The class of a character; what is not Latin-1 counts as a control character, that is, as allowed nowhere. */
export function classAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return code < 256 ? classes[code] : ByteClass.Control
}

function consistsOf(text: string, lowestClass: number): boolean {
  for (let index = 0; index < text.length; index++) if (classAt(text, index) < lowestClass) return false
  return true
}

/** token = 1*tchar (RFC 9110 5.6.2). */
export function isToken(text: string): boolean {
  return text !== '' && consistsOf(text, ByteClass.Digit)
}

/** May the text be sent as a field value: no CR, LF, NUL, other control character, nothing beyond Latin-1 (RFC 9110 5.5). */
export function isFieldValue(text: string): boolean {
  return consistsOf(text, ByteClass.Tab)
}

/** Visible ASCII and nothing else, not even a space. */
export function isVisible(text: string): boolean {
  return consistsOf(text, ByteClass.Delimiter)
}

const KEY_LENGTH = 24

/**
 * Base64 of exactly 16 bytes (RFC 6455 4.1): 22 characters of the alphabet and `==`.
 * The four bits that do not belong to any byte may be set: in the RFC's own example (4.1, item 7) one of them is.
 */
export function isKey(text: string): boolean {
  if (text.length !== KEY_LENGTH || !text.endsWith('==')) return false
  for (let index = 0; index < KEY_LENGTH - 2; index++) {
    const code = text.charCodeAt(index)
    const upper = code & ~0x20
    const isLetter = upper >= 0x41 && upper <= 0x5a
    if (!isLetter && !(code >= 0x2f && code <= 0x39) && code !== 0x2b) return false
  }
  return true
}

/** Reads a field value from left to right; every `take…` moves on only past what it returned. */
export class Scanner {
  readonly #text: string
  #index = 0

  constructor(text: string) {
    this.#text = text
  }

  get ended(): boolean {
    return this.#index === this.#text.length
  }

  /** OWS; RFC 6455 calls it implied linear whitespace (9.1), and folding never reaches this place. */
  skipWhitespace(): void {
    while (!this.ended && isWhitespaceAt(this.#text, this.#index)) this.#index++
  }

  /** Steps over `code` if it comes next. */
  take(code: number): boolean {
    if (this.ended || this.#text.charCodeAt(this.#index) !== code) return false
    this.#index++
    return true
  }

  /** The token that comes next, or an empty string. */
  takeToken(): string {
    const start = this.#index
    while (!this.ended && classAt(this.#text, this.#index) >= ByteClass.Digit) this.#index++
    return this.#text.slice(start, this.#index)
  }

  /**
   * The rest of a quoted-string whose opening quote has been taken, unescaped. An empty string unless what it says is a
   * token, which is all that RFC 6455 9.1 allows in it: so the first byte that is none ends the search, closed or not.
   */
  takeQuotedToken(): string {
    let token = ''
    while (!this.take(QUOTE)) {
      this.take(BACKSLASH)
      if (this.ended || classAt(this.#text, this.#index) < ByteClass.Digit) return ''
      token += this.#text[this.#index++]
    }
    return token
  }
}

/** SP or HTAB (RFC 9110 5.6.3). */
export function isWhitespaceAt(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code === 0x20 || code === 0x09
}

/**
 * A `1#element` list (RFC 2616 2.1, RFC 9110 5.6.1): elements between commas, empty ones ignored, at least one present.
 * `undefined` if the text is no such list; `readElement` returns `undefined` where it finds none.
 */
export function parseList<T>(text: string, readElement: (scanner: Scanner) => T | undefined): T[] | undefined {
  const scanner = new Scanner(text)
  const list: T[] = []
  for (;;) {
    scanner.skipWhitespace()
    if (scanner.take(COMMA)) continue
    if (scanner.ended) return list.length === 0 ? undefined : list
    const element = readElement(scanner)
    if (element === undefined) return undefined
    list.push(element)
    scanner.skipWhitespace()
    if (!scanner.ended && !scanner.take(COMMA)) return undefined
  }
}

function readToken(scanner: Scanner): string | undefined {
  return scanner.takeToken() || undefined
}

/** protocol = protocol-name [ "/" protocol-version ] (RFC 9110 7.8). */
function readProtocol(scanner: Scanner): string | undefined {
  const name = scanner.takeToken()
  if (name === '' || !scanner.take(SLASH)) return name || undefined
  const version = scanner.takeToken()
  return version === '' ? undefined : `${name}/${version}`
}

/** `1#token`: Connection, Sec-WebSocket-Protocol. */
export function parseTokens(text: string): string[] | undefined {
  return parseList(text, readToken)
}

/** The value of Upgrade: a list of protocols, each `name` or `name/version`. */
export function parseUpgrade(text: string): string[] | undefined {
  return parseList(text, readProtocol)
}

/** Does a list hold `name` (given in lower case), whatever the case (RFC 6455 4.1, 4.2.1; RFC 9110 7.8)? */
export function includesIgnoringCase(list: readonly string[] | undefined, name: string): boolean {
  return list !== undefined && list.some((element) => element.toLowerCase() === name)
}

/** A value that should have been text of some form, for the message that says so. */
export function describe(value: unknown): string {
  return typeof value === 'string' ? quote(value) : typeof value
}

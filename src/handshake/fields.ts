/**
 * Header fields, both ways. `Fields` holds those of a head that was received: names in lower case, values with outer
 * whitespace gone, in the order they came. `formatFields` is the only way out for fields: whatever this library sends,
 * an answer of the server or a request of the client, passes its check by byte (RFC 9112 11.1).
 *
 * Names from the wire are never keys of an object or a hash: a head has few fields, and looking through them all
 * is fast, has no `__proto__` and cannot be made slow by names that collide. Nor is a name or a value cut out of the text
 * before somebody asks for it: a browser sends a dozen fields, of which a handshake needs half.
 */

import { invalidType, quote } from '../errors.ts'
import { describe, isFieldValue, isToken, isWhitespaceAt } from './grammar.ts'

/** Fields that a user hands in: pairs, a `Map`, a `Headers`, or an object; a list of values makes several lines. */
export type FieldsInit =
  | Iterable<readonly [name: string, value: string]>
  | { readonly [name: string]: string | readonly string[] | undefined }

const CRLF_SIZE = 2

/** The header fields of a received head. Lookups ignore the case of the name (RFC 9110 5.1). */
export class Fields {
  /** Fields from pairs; the names are made lower case. */
  static from(entries: Iterable<readonly [name: string, value: string]>): Fields {
    let text = ''
    const marks = [0]
    for (const [name, value] of entries) {
      text += `\r\n${name.toLowerCase()}`
      const colon = text.length
      text += `:${value}`
      marks.push(colon, text.length)
    }
    return new Fields(text, marks, 1)
  }

  readonly #text: string
  readonly #marks: readonly number[]
  readonly #first: number

  /**
   * Keeps the text and the marks in it: from the mark `first` on there are two for each line, where its colon stands and
   * where it ends. The mark before them is the end of the start line; each line begins behind the CRLF of the one before.
   */
  constructor(text: string, marks: readonly number[], first: number) {
    this.#text = text
    this.#marks = marks
    this.#first = first
  }

  /** How many field lines there are. */
  get size(): number {
    return (this.#marks.length - this.#first) / 2
  }

  /** Whether there is such a field. */
  has(name: string): boolean {
    return this.#find(name.toLowerCase()) >= 0
  }

  /**
   * The value of a field, or `undefined`. Several lines of one name are joined with `, ` in their order (RFC 9110 5.3):
   * what may stand in a head only once and stands there twice is thereby no longer a valid value.
   */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase()
    let joined: string | undefined
    for (let mark = this.#find(wanted); mark >= 0; mark = this.#find(wanted, mark + 2)) {
      joined = joined === undefined ? this.#valueAt(mark) : `${joined}, ${this.#valueAt(mark)}`
    }
    return joined
  }

  /** The values of all lines of one name, in their order. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase()
    const values: string[] = []
    for (let mark = this.#find(wanted); mark >= 0; mark = this.#find(wanted, mark + 2)) values.push(this.#valueAt(mark))
    return values
  }

  /** Every line, in order. */
  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let mark = this.#first; mark < this.#marks.length; mark += 2) {
      const name = this.#text.slice(this.#marks[mark - 1] + CRLF_SIZE, this.#marks[mark])
      yield [name.toLowerCase(), this.#valueAt(mark)]
    }
  }

  /** The mark of the next line with this name, given in lower case, from `mark` on; -1 if there is none. */
  #find(wanted: string, from = this.#first): number {
    const marks = this.#marks
    let start = marks[from - 1] + CRLF_SIZE
    for (let mark = from; mark < marks.length; mark += 2) {
      if (marks[mark] - start === wanted.length && standsAt(this.#text, start, wanted)) return mark
      start = marks[mark + 1] + CRLF_SIZE
    }
    return -1
  }

  /** RFC 9112 5.1: whitespace around a value is no part of it. */
  #valueAt(mark: number): string {
    let start = this.#marks[mark] + 1
    let end = this.#marks[mark + 1]
    while (start < end && isWhitespaceAt(this.#text, start)) start++
    while (end > start && isWhitespaceAt(this.#text, end - 1)) end--
    return this.#text.slice(start, end)
  }
}

/** Does `wanted`, in lower case, stand there, whatever the case of its ASCII letters? */
function standsAt(text: string, start: number, wanted: string): boolean {
  for (let index = 0; index < wanted.length; index++) {
    const code = text.charCodeAt(start + index)
    const lower = code >= 0x41 && code <= 0x5a ? code | 0x20 : code
    if (lower !== wanted.charCodeAt(index)) return false
  }
  return true
}

/**
 * The field lines, each with its CRLF, to be written as Latin-1.
 *
 * @throws TypeError `ERR_WS_INVALID_HEADER` if a name is no token, or a value is no string, holds CR, LF, NUL or another
 * control character, or anything beyond Latin-1.
 */
export function formatFields(entries: Iterable<readonly [name: string, value: string]>): string {
  let lines = ''
  for (const [name, value] of entries) {
    checkName(name)
    if (typeof value !== 'string' || !isFieldValue(value)) {
      throw invalidHeader(`The value of header ${quote(name)} must be a string of Latin-1 without control characters.`)
    }
    lines += `${name}: ${value}\r\n`
  }
  return lines
}

/**
 * What a user handed in, as pairs. `isReserved` is asked about each name in lower case.
 *
 * @throws TypeError `ERR_WS_INVALID_HEADER` if it is no object, or a name is no token or reserved
 */
export function fieldEntries(
  init: FieldsInit | undefined,
  isReserved: (name: string) => boolean,
): Array<readonly [name: string, value: string]> {
  if (init === undefined) return []
  if (typeof init !== 'object' || init === null) {
    throw invalidHeader('Headers must be an object or an iterable of [name, value].')
  }
  const entries = isPairs(init) ? [...init] : Object.entries(init).flatMap(toLines)
  for (const [name] of entries) {
    checkName(name)
    if (isReserved(name.toLowerCase())) {
      throw invalidHeader(`The header ${quote(name)} belongs to the handshake itself: leave it out.`)
    }
  }
  return entries
}

/** A local mistake about header fields. */
export function invalidHeader(message: string): TypeError {
  return invalidType('ERR_WS_INVALID_HEADER', message)
}

function checkName(name: string): void {
  if (typeof name === 'string' && isToken(name)) return
  throw invalidHeader(`A header name must be an HTTP token, not ${describe(name)}.`)
}

function isPairs(init: FieldsInit): init is Iterable<readonly [name: string, value: string]> {
  return Symbol.iterator in init
}

function isLines(value: unknown): value is readonly string[] {
  return Array.isArray(value)
}

function toLines([name, value]: [string, string | readonly string[] | undefined]): Array<readonly [string, string]> {
  if (value === undefined) return []
  return isLines(value) ? value.map((line) => [name, line] as const) : [[name, value]]
}

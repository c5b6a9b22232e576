/**
 * Header fields, both ways. `Fields` holds those of a head that was received: names in lower case, values with outer
 * whitespace gone, in the order they came. `formatFields` is the only way out for fields: whatever this library sends,
 * an answer of the server or a request of the client, passes its check by byte (RFC 9112 11.1).
 *
 * Names from the wire are never keys of an object or a hash: a head has few fields, and looking through them all
 * is fast, has no `__proto__` and cannot be made slow by names that collide.
 */

import { invalidType, quote } from '../errors.ts'
import { describe, isFieldValue, isToken } from './grammar.ts'

/** Fields that a user hands in: pairs, a `Map`, a `Headers`, or an object; a list of values makes several lines. */
export type FieldsInit =
  | Iterable<readonly [name: string, value: string]>
  | { readonly [name: string]: string | readonly string[] | undefined }

/** The header fields of a received head. Lookups ignore the case of the name (RFC 9110 5.1). */
export class Fields {
  /** Fields from pairs; the names are made lower case. */
  static from(entries: Iterable<readonly [name: string, value: string]>): Fields {
    const names: string[] = []
    const values: string[] = []
    for (const [name, value] of entries) {
      names.push(name.toLowerCase())
      values.push(value)
    }
    return new Fields(names, values)
  }

  readonly #names: readonly string[]
  readonly #values: readonly string[]

  /** Keeps the two arrays, which go together by index; the names are in lower case. */
  constructor(names: readonly string[], values: readonly string[]) {
    this.#names = names
    this.#values = values
  }

  /** How many field lines there are. */
  get size(): number {
    return this.#names.length
  }

  has(name: string): boolean {
    return this.#names.includes(name.toLowerCase())
  }

  /**
   * The value of a field, or `undefined`. Several lines of one name are joined with `, ` in their order (RFC 9110 5.3):
   * what may stand in a head only once and stands there twice is thereby no longer a valid value.
   */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase()
    let joined: string | undefined
    for (let index = 0; index < this.#names.length; index++) {
      if (this.#names[index] !== wanted) continue
      joined = joined === undefined ? this.#values[index] : `${joined}, ${this.#values[index]}`
    }
    return joined
  }

  /** The values of all lines of one name, in their order. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase()
    return this.#values.filter((_, index) => this.#names[index] === wanted)
  }

  /** Every line, in order. */
  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let index = 0; index < this.#names.length; index++) yield [this.#names[index], this.#values[index]]
  }
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

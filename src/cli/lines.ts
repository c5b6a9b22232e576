/** Octets to lines, lines to what they mean: pure, for standard input and for the output of programs. */
import { quote } from '../errors.ts'
import { parseHex } from './hex.ts'

/** A line that goes on for longer is handed out in pieces, so that what has no line breaks does not fill the memory. */
const LONGEST_LINE = 1024 * 1024

/** The lines of a stream, without their line breaks (LF or CR LF); the last one need not have one. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, longest: number = LONGEST_LINE): AsyncGenerator<string> {
  let begun: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      begun.push(chunk.subarray(start, end))
      yield lineOf(begun)
      begun = []
      length = 0
      start = end + 1
    }
    if (start === chunk.length) continue
    begun.push(chunk.subarray(start))
    length += chunk.length - start
    if (length < longest) continue
    yield lineOf(begun)
    begun = []
    length = 0
  }
  if (begun.length > 0) yield lineOf(begun)
}

function lineOf(pieces: readonly Buffer[]): string {
  const text = Buffer.concat(pieces).toString()
  return text.endsWith('\r') ? text.slice(0, -1) : text
}

/** What somebody has typed. */
export type Entry =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly octets: Buffer }
  | { readonly kind: 'ping'; readonly text: string }
  | { readonly kind: 'close'; readonly code: number | undefined; readonly reason: string }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly message: string }

/** How to write each command, and what it does. */
export const ENTRY_COMMANDS: ReadonlyArray<readonly [usage: string, meaning: string]> = [
  ['/binary 0a 0b 0c', 'send octets, written in hex'],
  ['/ping [TEXT]', 'send a Ping, and see how long the Pong takes'],
  ['/close [CODE [REASON]]', 'close the connection; Ctrl-D does the same'],
  ['/pause', 'read no more messages, so that the peer has to wait'],
  ['/resume', 'read on'],
  ['/help', 'show this'],
]

/** A line as it stands, or the command that it is. `//` stands for a `/` that begins a text. */
export function readEntry(line: string): Entry {
  if (!line.startsWith('/')) return { kind: 'text', text: line }
  if (line.startsWith('//')) return { kind: 'text', text: line.slice(1) }
  const [name] = line.split(' ', 1)
  const rest = line.slice(name.length + 1).trim()
  switch (name) {
    case '/binary': {
      const octets = parseHex(rest)
      return octets === undefined
        ? mistake('/binary needs octets in hex, such as 0a 0b 0c')
        : { kind: 'binary', octets }
    }
    case '/ping':
      return { kind: 'ping', text: rest }
    case '/close':
      return readClose(rest)
    case '/pause':
    case '/resume':
    case '/help':
      return { kind: name.slice(1) as 'pause' | 'resume' | 'help' }
    default:
      return mistake(
        `There is no command ${quote(name)}; /help shows those that there are, and // begins a text with /`,
      )
  }
}

function readClose(text: string): Entry {
  if (text === '') return { kind: 'close', code: undefined, reason: '' }
  const [code] = text.split(' ', 1)
  if (!/^\d{4}$/.test(code)) return mistake('/close needs a code of four digits, such as 1000, and may have a reason')
  return { kind: 'close', code: Number(code), reason: text.slice(code.length).trim() }
}

function mistake(message: string): Entry {
  return { kind: 'mistake', message }
}

const FENCE = '"""'

/**
 * Lines to entries. A line that ends with `\` goes on in the next one; so do all lines between two `"""`, and those that are
 * pasted together. What has several lines is always a text.
 */
export class Gatherer {
  #lines: string[] = []
  #fenced = false

  /** Whether the next line belongs to what was begun. */
  get open(): boolean {
    return this.#fenced || this.#lines.length > 0
  }

  /** Takes a line; answers what is complete with it. `more`: another one follows that belongs to it. */
  push(line: string, more = false): Entry | undefined {
    if (this.#fenced) return this.#pushFenced(line)
    if (this.#lines.length === 0 && line.startsWith(FENCE)) {
      this.#fenced = true
      const first = line.slice(FENCE.length)
      return first === '' ? undefined : this.#pushFenced(first)
    }
    const goesOn = line.endsWith('\\') && !more
    this.#lines.push(goesOn ? line.slice(0, -1) : line)
    if (goesOn || more) return undefined
    return this.#lines.length === 1 ? readEntry(this.#take()) : { kind: 'text', text: this.#take() }
  }

  #pushFenced(line: string): Entry | undefined {
    if (!line.endsWith(FENCE)) {
      this.#lines.push(line)
      return undefined
    }
    const last = line.slice(0, -FENCE.length)
    if (last !== '') this.#lines.push(last)
    this.#fenced = false
    return { kind: 'text', text: this.#take() }
  }

  #take(): string {
    const text = this.#lines.join('\n')
    this.#lines = []
    return text
  }
}

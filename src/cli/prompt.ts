/**
 * A prompt on a terminal, with history and completion (node:readline), below which nothing is printed: what comes while
 * somebody types appears above it, and the prompt is drawn again with what was typed so far.
 */
import { Writable } from 'node:stream'
import { createInterface } from 'node:readline'
import type { Interface } from 'node:readline'
import type { Io, Output } from './io.ts'
import { ENTRY_COMMANDS, Gatherer } from './lines.ts'
import type { Entry } from './lines.ts'

const PROMPT = '> '
const GOES_ON = '. '

/** Terminals that are told so mark what is pasted, so that its line breaks are no key strokes. */
const MARK_PASTE = '\u{1b}[?2004h'
const DO_NOT_MARK_PASTE = '\u{1b}[?2004l'

export interface Typist {
  entry(entry: Entry): void
  /** Ctrl-D or Ctrl-C. */
  end(): void
}

export class Prompt {
  readonly #output: Output
  readonly #reader: Interface
  readonly #gatherer = new Gatherer()
  #pasting = false
  #closed = false

  constructor({ stdin, stdout }: Pick<Io, 'stdin' | 'stdout'>, typist: Typist) {
    this.#output = stdout
    this.#reader = createInterface({
      input: stdin,
      output: writableTo(stdout),
      terminal: true,
      prompt: PROMPT,
      historySize: 500,
      completer: complete,
    })
    stdout.write(MARK_PASTE)
    stdin.on('keypress', this.#onKey)
    this.#reader.on('line', (line) => {
      const entry = this.#gatherer.push(line, this.#pasting)
      this.#reader.setPrompt(this.#gatherer.open ? GOES_ON : PROMPT)
      if (entry !== undefined) typist.entry(entry)
      this.#reader.prompt()
    })
    this.#reader.on('SIGINT', () => typist.end())
    this.#reader.on('close', () => {
      this.#closed = true
      stdin.off('keypress', this.#onKey)
      typist.end()
    })
    this.#reader.prompt()
  }

  /** Prints above the prompt, as long as there is one. */
  print(text: string): void {
    if (this.#closed) {
      this.#output.write(`\r\u{1b}[J${text}\n`)
      return
    }
    const { rows } = this.#reader.getCursorPos()
    // The prompt climbs as many rows as it took when it was drawn last, so they have to be there.
    this.#output.write(`\r${rows > 0 ? `\u{1b}[${rows}A` : ''}\u{1b}[J${text}\n${'\n'.repeat(rows)}`)
    this.#reader.prompt(true)
  }

  close(): void {
    this.#output.write(`${DO_NOT_MARK_PASTE}\r\u{1b}[J`)
    this.#reader.close()
  }

  readonly #onKey = (_: unknown, key: { name?: string } | undefined): void => {
    if (key?.name === 'paste-start') this.#pasting = true
    if (key?.name === 'paste-end') this.#pasting = false
  }
}

function complete(line: string): [string[], string] {
  const names = ENTRY_COMMANDS.map(([usage]) => `${usage.split(' ', 1)[0]} `)
  return [line.startsWith('/') ? names.filter((name) => name.startsWith(line)) : [], line]
}

/** What readline takes for a terminal of whatever width the output has at the moment. */
function writableTo(output: Output): Writable {
  const writable = new Writable({
    decodeStrings: false,
    write(text: string, _, done) {
      output.write(text)
      done()
    },
  })
  return Object.defineProperty(writable, 'columns', { get: () => output.columns ?? 80 })
}

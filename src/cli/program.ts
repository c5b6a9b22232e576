/**
 * A program of its own for each connection: what it writes to its standard output becomes messages, and messages what it
 * reads from its standard input; a line each, or octets as they come. Whoever is slow makes the other one wait. It is ended
 * when the connection has ended, and the connection is closed when it has ended, with how it did as the reason.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import type { ServerConnection } from '../server/index.ts'
import { CloseCode } from '../framing/index.ts'
import { linesOf } from './lines.ts'

export interface ProgramOptions {
  /** For the shell. */
  readonly command: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Octets as they come instead of lines. */
  readonly binary: boolean
  /** Milliseconds for the program to end by itself after SIGTERM. */
  readonly patience?: number
  /** What it writes to its standard error. */
  stderr(text: string): void
}

const PATIENCE = 2_000

export class Program {
  readonly #ws: ServerConnection
  readonly #options: ProgramOptions
  readonly #child: ChildProcessWithoutNullStreams
  #killing: NodeJS.Timeout | undefined = undefined
  /** It has ended, and so has all that held its standard output. */
  #gone = false

  constructor(ws: ServerConnection, options: ProgramOptions) {
    this.#ws = ws
    this.#options = options
    // It leads a group of its own, so that what the shell has started ends together with the shell.
    this.#child = spawn(options.command, { shell: true, detached: process.platform !== 'win32', env: options.env })
    // What it does not read any more is nobody's problem.
    this.#child.stdin.on('error', () => {})
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => options.stderr(text))
    void this.#relay()
  }

  /** A message came. */
  write(data: string | Buffer): void {
    const { stdin } = this.#child
    stdin.write(data)
    if (!this.#options.binary) stdin.write('\n')
    if (!stdin.writableNeedDrain) return
    this.#ws.pause()
    stdin.once('drain', () => this.#ws.resume())
  }

  /** The connection has ended, so the program has to: first by SIGTERM, and if that does not help, by SIGKILL. */
  end(): void {
    if (this.#gone) return
    this.#child.stdin.end()
    this.#kill('SIGTERM')
    this.#killing = setTimeout(() => this.#kill('SIGKILL'), this.#options.patience ?? PATIENCE)
  }

  async #relay(): Promise<void> {
    const gone = once(this.#child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
    const sent = this.#send().catch(() => {})
    try {
      const [code, signal] = await gone
      await sent
      void this.#ws.close(code === 0 ? CloseCode.NormalClosure : CloseCode.InternalError, reasonOf(code, signal))
    } catch (error) {
      void this.#ws.close(CloseCode.InternalError, (error as NodeJS.ErrnoException).code)
    }
    this.#gone = true
    clearTimeout(this.#killing)
  }

  /** Rejects when the connection ends. */
  async #send(): Promise<void> {
    const { stdout } = this.#child
    const messages: AsyncIterable<string | Buffer> = this.#options.binary ? stdout : linesOf(stdout)
    for await (const message of messages) {
      if (!this.#ws.send(message)) await this.#ws.drained()
    }
  }

  #kill(signal: NodeJS.Signals): void {
    try {
      // Windows has no groups of processes.
      if (process.platform === 'win32') this.#child.kill(signal)
      else process.kill(-this.#child.pid!, signal)
    } catch {
      // It has ended meanwhile.
    }
  }
}

function reasonOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : signal
}

/**
 * A program that runs beside this one, as a process group of its own: of it and all that it starts nothing is left when it is stopped,
 * or when this process ends, or is told to.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { on, once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Interface } from 'node:readline'
import { killGroup } from './command.ts'

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const { pid } of running) killGroup(pid)
})
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

export interface ProgramOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Whether messages go to it and come from it, which takes a program of Node. */
  readonly channel?: boolean
}

export class Program {
  /** Settles with how it ended. */
  readonly ended: Promise<string>
  readonly #child: ChildProcess
  #errors = ''

  constructor(executable: string, args: readonly string[], { cwd, env = {}, channel = false }: ProgramOptions) {
    this.#child = spawn(executable, args, {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', ...(channel ? (['ipc'] as const) : [])],
    })
    running.add(this.#child)
    // Of what it has to say about its errors the beginning is enough.
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text.slice(0, 4000)))
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        running.delete(this.#child)
        resolve(`did not start: ${error.message}`)
      })
      this.#child.once('close', (code, signal) => {
        running.delete(this.#child)
        resolve(`ended with ${signal ?? code}${this.#complaint()}`)
      })
    })
  }

  /** That of the process, when it was started. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /**
   * The first line that it prints, or the first with what `pattern` describes, which is a server's URL. Rejects when there
   * is none in time.
   */
  async url(milliseconds: number, pattern: RegExp = /^/): Promise<string> {
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    const line = lineWith(lines, pattern, AbortSignal.timeout(milliseconds))
    const ended = this.ended.then((how): never => {
      throw new Error(`it ${how} before it had printed its URL`)
    })
    const url = await Promise.race([line, ended])
    // What it prints later is nobody's business, but must not fill the pipe.
    this.#child.stdout?.resume()
    return url
  }

  /** Sends it a message, and answers the next that comes from it. Rejects when there is none in time. */
  async ask(message: object, milliseconds: number): Promise<unknown> {
    const limit = new AbortController()
    const { signal } = limit
    const timer = setTimeout(() => limit.abort(), milliseconds)
    try {
      const heard = once(this.#child, 'message', { signal }).catch((): never => {
        throw new Error(`it did not answer in ${milliseconds / 1000} s`)
      })
      const ended = this.ended.then((how): never => {
        throw new Error(`it ${how}`)
      })
      // What cannot be sent has no answer, and `ended` says more.
      this.#child.send(message, () => {})
      const [answer] = (await Promise.race([heard, ended])) as [unknown]
      return answer
    } finally {
      clearTimeout(timer)
      limit.abort()
    }
  }

  async stop(): Promise<void> {
    killGroup(this.#child.pid)
    await this.ended
  }

  /** The last error that it told, without the folders of this machine. */
  #complaint(): string {
    const lines = this.#errors.split('\n')
    const line = lines.findLast((one) => /^\w*Error:/.test(one)) ?? lines.find((one) => /error/i.test(one))
    return line === undefined
      ? ''
      : ` (${line
          .trim()
          .replaceAll(/\/\S*\//g, '')
          .slice(0, 200)})`
  }
}

async function lineWith(lines: Interface, pattern: RegExp, signal: AbortSignal): Promise<string> {
  for await (const [line] of on(lines, 'line', { signal }) as AsyncIterableIterator<[string]>) {
    if (pattern.test(line)) return line
  }
  throw new Error('it printed no such line')
}

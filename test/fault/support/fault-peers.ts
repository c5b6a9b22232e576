/** Peers in processes of their own (`fault-process.ts`), and what they tell. They end with the test that started them. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { News, Order, Start } from './fault-process.ts'

const program = fileURLToPath(new URL('fault-process.ts', import.meta.url))

export class FaultPeers {
  readonly #child: ChildProcess
  readonly #news: News[] = []
  #wake: () => void = () => {}

  /** `through`: a command, and its arguments, that starts the process. */
  constructor(start: Start, through: readonly string[] = []) {
    const [command, ...rest] = [...through, process.execPath, '--import', 'tsx', program]
    this.#child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child.on('message', (news: News) => {
      this.#news.push(news)
      this.#wake()
    })
    this.#child.on('exit', () => this.#wake())
    this.#child.send(start)
    onTestFinished(() => this.signal('SIGKILL'))
  }

  /** How all connections that have ended did so. */
  get closed(): readonly string[] {
    return this.#news.flatMap((news) => ('closed' in news ? [news.closed] : []))
  }

  /** The octets of all messages that have come. */
  get messages(): readonly number[] {
    return this.#news.flatMap((news) => ('message' in news ? [news.message] : []))
  }

  /** Settles when it listens, with the port. */
  async port(): Promise<number> {
    await this.until(() => this.#news.some((news) => 'port' in news))
    return this.#news.flatMap((news) => ('port' in news ? [news.port] : []))[0]
  }

  /** Settles when all clients are connected. */
  opened(): Promise<void> {
    return this.until(() => this.#news.some((news) => 'opened' in news))
  }

  /** Settles when what it tells has made that true. */
  async until(true_: () => boolean): Promise<void> {
    while (!true_()) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('the process has ended')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Octets that the process has. */
  async memory(): Promise<number> {
    const before = this.#memory.length
    this.order({ collect: true })
    await this.until(() => this.#memory.length > before)
    return this.#memory[before]
  }

  get #memory(): readonly number[] {
    return this.#news.flatMap((news) => ('rss' in news ? [news.rss] : []))
  }

  order(order: Order): void {
    this.#child.send(order)
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal)
  }

  /** Ends it as nothing else does: without a word. */
  async kill(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.signal('SIGKILL')
    await exit
  }
}

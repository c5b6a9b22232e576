/** A process that is watched: a server or its clients, on a core of its own, with the probe in it that answers questions. */
import { fileURLToPath } from 'node:url'
import type { Pinning } from '../bench/pinning.ts'
import { Program } from '../scripts/support/program.ts'
import type { Answer, Question, Sample } from './probe.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const probe = new URL('probe.ts', import.meta.url).href
/** Milliseconds: for a program to start, and for an answer. */
const START = 20_000
export const PATIENCE = 30_000

/** A program in this folder with its arguments, or a command of the shell that gets the same arguments. */
export type Started = { readonly file: string; readonly args: readonly string[] } | Foreign

export interface Foreign {
  readonly command: string
  readonly args: readonly string[]
}

export class Watched {
  /** `the server` or `the clients`, as errors call them. */
  readonly #name: string
  readonly #program: Program

  constructor(side: 'server' | 'clients', started: Started, pinning: Pinning) {
    this.#name = `the ${side}`
    const [executable, args] = pinning.command(side === 'server' ? 'program' : 'load', ...commandOf(started))
    const loaders = [import.meta.resolve('tsx'), probe].map((url) => `--import ${url}`)
    const options = [process.env['NODE_OPTIONS'] ?? '', ...loaders].join(' ')
    this.#program = new Program(executable, args, { cwd: root, env: { NODE_OPTIONS: options }, channel: true })
  }

  get pid(): number {
    return this.#program.pid
  }

  /** The first line that it prints when it can be asked: a server's URL. */
  ready(): Promise<string> {
    return this.#program.url(START).catch((error: unknown) => this.#failed(error))
  }

  /** Answers what it says to a question. Rejects when that goes wrong, or when it knows no such question. */
  async get<Told>(question: string, argument?: unknown, milliseconds?: number): Promise<Told> {
    const told = await this.#ask(question, argument, milliseconds)
    if (told.unknown === true) throw new Error(`${this.#name}: no answer to ${question}`)
    return told.answer as Told
  }

  /** The same of what it need not know: then it is `undefined`. */
  async ask<Told>(question: string): Promise<Told | undefined> {
    return (await this.#ask(question)).answer as Told | undefined
  }

  sample(): Promise<Sample> {
    return this.get<Sample>('sample')
  }

  stop(): Promise<void> {
    return this.#program.stop()
  }

  async #ask(question: string, argument?: unknown, milliseconds: number = PATIENCE): Promise<Answer> {
    const message: Question = { question, argument }
    const answer = (await this.#program
      .ask(message, milliseconds)
      .catch((error: unknown) => this.#failed(error))) as Answer
    if (answer.error !== undefined) throw new Error(`${this.#name}: ${answer.error}`)
    return answer
  }

  #failed(error: unknown): never {
    throw new Error(`${this.#name}: ${(error as Error).message}`, { cause: error })
  }
}

function commandOf(started: Started): [string, readonly string[]] {
  if ('command' in started) return ['/bin/sh', ['-c', `${started.command} "$@"`, 'server', ...started.args]]
  return [process.execPath, [fileURLToPath(new URL(started.file, import.meta.url)), ...started.args]]
}

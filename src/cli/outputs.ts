/**
 * Where a report goes: to the terminal, as JSON, as HTML. Whether a file can be written is found out before the run, so that
 * nothing is lost because of a wrong path; until the end an older file stays as it is.
 */
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { formatHtml, formatReport, toJson } from '../conformance/index.ts'
import type { Report } from '../conformance/index.ts'
import { quote } from '../errors.ts'
import { CommandError, wantsColors } from './io.ts'
import type { Io } from './io.ts'
import type { Options } from './options.ts'

/** Throws a `CommandError` where a file cannot be written. */
export class Outputs {
  readonly #options: Options
  readonly #json: OutputFile | undefined
  readonly #html: OutputFile | undefined

  constructor(options: Options) {
    this.#options = options
    const json = options.get('json')
    const html = options.get('report')
    this.#json = json === undefined || json === '-' ? undefined : new OutputFile(json)
    try {
      this.#html = html === undefined ? undefined : new OutputFile(html)
    } catch (error) {
      this.#json?.discard()
      throw error
    }
  }

  write(report: Report, io: Io): void {
    const json = this.#options.get('json')
    const settings = { allLogs: this.#options.has('all-logs') }
    const human = json === '-' ? io.stderr : io.stdout
    human.write(formatReport(report, { columns: human.columns, colors: wantsColors(human, io.env) }))
    if (io.interrupted.aborted) human.write('\nInterrupted: not all cases were run.\n')
    if (json !== undefined) {
      const text = `${JSON.stringify(toJson(report, settings), null, 2)}\n`
      if (this.#json === undefined) io.stdout.write(text)
      else this.#json.write(text)
    }
    this.#html?.write(formatHtml(report, settings))
  }

  discard(): void {
    this.#json?.discard()
    this.#html?.discard()
  }
}

class OutputFile {
  readonly #path: string
  readonly #created: boolean

  /** Throws a `CommandError` where `path` cannot be written. */
  constructor(path: string) {
    this.#path = path
    this.#created = !existsSync(path)
    try {
      closeSync(openSync(path, 'a'))
    } catch (error) {
      throw new CommandError(`Cannot write ${quote(path)} (${(error as NodeJS.ErrnoException).code})`)
    }
  }

  write(text: string): void {
    writeFileSync(this.#path, text)
  }

  /** There is nothing to write after all: leaves no empty file behind. */
  discard(): void {
    if (this.#created) rmSync(this.#path)
  }
}

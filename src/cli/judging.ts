/**
 * A run of the kit from the command line: its options, its progress, what is said when it cannot begin, and what is left of it
 * when it is interrupted.
 */
import { cases, testClients, testServer } from '../conformance/index.ts'
import type { CaseResult, Report, RunOptions } from '../conformance/index.ts'
import { CommandError, UsageError } from './io.ts'
import type { Io } from './io.ts'
import type { Options } from './options.ts'
import { Progress } from './progress.ts'
import { headersOf } from './values.ts'

/** A server to judge, or where clients come to be judged. */
export type Target = { readonly url: string } | { readonly port: number; readonly host: string }

/** Which cases: `--only`, `--exclude` and `--quick`. */
export function selection(options: Options): { only?: string[]; exclude: string[] } {
  const exclude = commaList(options.all('exclude'))
  if (options.has('quick')) exclude.push('9', '12', '13')
  return { ...(options.has('only') ? { only: commaList(options.all('only')) } : {}), exclude }
}

function commaList(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',').map((part) => part.trim()))
}

/**
 * Judges `target`. Ctrl-C ends it with a report of the cases so far. Throws a `CommandError` where not one case could be run.
 */
export async function judge(target: Target, options: Options, io: Io): Promise<Report> {
  const began = new Date()
  const progress = new Progress(io)
  const results = new Map<string, CaseResult>()
  const run: RunOptions = {
    ...selection(options),
    ...numberOption(options, 'timeout-factor', 'timeoutFactor'),
    ...numberOption(options, 'concurrency', 'concurrency'),
    signal: io.interrupted,
    onResult: (result, done, total) => {
      if (io.interrupted.aborted) return
      results.set(result.id, result)
      progress.update(result, done, total)
    },
  }
  try {
    return 'url' in target ? await judgeServer(target.url, run, options) : await judgeClients(target, run, io)
  } catch (error) {
    if (io.interrupted.aborted) return partialReport(target, began, results)
    // Nothing has run: the reason is one that the reader can mend.
    if (results.size === 0) throw explain(error as NodeJS.ErrnoException, target)
    throw error
  } finally {
    progress.end()
  }
}

function numberOption(options: Options, name: string, key: string): Record<string, number> {
  const value = options.get(name)
  return value === undefined ? {} : { [key]: Number(value) }
}

function judgeServer(url: string, run: RunOptions, options: Options): Promise<Report> {
  const tls = options.has('insecure') ? { tls: { rejectUnauthorized: false } } : {}
  return testServer(url, { ...run, ...tls, headers: Object.fromEntries(headersOf(options)) })
}

async function judgeClients(where: { port: number; host: string }, run: RunOptions, io: Io): Promise<Report> {
  const clients = await testClients({ ...run, ...where })
  const { url } = clients
  io.stderr.write(`Waiting for a client at ${url}. It connects, in this order, to
  ${url}/getCaseCount
      where a text message tells it the number of cases, N (${clients.caseCount})
  ${url}/runCase?case=1&agent=NAME
      and so on to case=N, where it echoes every message until the connection ends
  ${url}/updateReports?agent=NAME
      which ends the run
`)
  try {
    return await clients.finished
  } finally {
    await clients.close()
  }
}

function partialReport(target: Target, began: Date, results: ReadonlyMap<string, CaseResult>): Report {
  return {
    peer: 'url' in target ? { role: 'server', name: target.url } : { role: 'client', name: 'a client' },
    startedAt: began.toISOString(),
    duration: Date.now() - began.getTime(),
    results: cases.flatMap(({ id }) => results.get(id) ?? []),
  }
}

/** Why nothing could be judged. */
export function explain(error: NodeJS.ErrnoException, target: Target): CommandError {
  const { code = '', message } = error
  if (error instanceof CommandError) return error
  if (code.startsWith('ERR_WS_')) return new UsageError(message)
  // Where a name has several addresses, the error of all of them has no message of its own.
  const reason = message === '' ? code : message
  if ('url' in target) {
    const hint = code.includes('CERT') || code.includes('SIGNATURE') ? '; --insecure takes any certificate' : ''
    return new CommandError(`Cannot reach ${target.url}: ${reason}${hint}`)
  }
  return new CommandError(`Cannot listen on port ${target.port} of ${target.host}: ${reason}`)
}

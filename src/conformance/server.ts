/**
 * Judges a server: the tester connects to it as a client, once for each connection of each case.
 *
 * Cases that keep a machine busy come last, two at a time at most, so that they do not spoil the time limits of others.
 */
import { once } from 'node:events'
import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { invalidValue } from '../errors.ts'
import { playAsClient, unopened } from './play.ts'
import type { Target } from './opening.ts'
import type { CaseResult, Report } from './result.ts'
import { Run } from './run.ts'
import type { Job, RunOptions } from './run.ts'

/** A run that judges a server. */
export interface ServerRunOptions extends RunOptions {
  /** For `wss:`, as for `tls.connect`. */
  readonly tls?: ConnectionOptions
  /** Fields that every opening handshake has, beside those that it needs. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Milliseconds for TCP and TLS. */
const CONNECT_TIME = 5000
/** Heavy cases at once. */
const HEAVY = 2

function isHeavy({ testCase }: Job): boolean {
  return testCase.heavy === true
}

/** How each connection comes about. */
interface Place extends Target {
  readonly hostname: string
  readonly port: number
  readonly tls: ConnectionOptions | undefined
}

/**
 * Judges the server at `url`, `ws:` or `wss:`, which has to echo every message.
 * Rejects when it cannot be reached at all, and when `signal` aborts; throws for options that make no sense.
 */
export async function testServer(url: string, options: ServerRunOptions = {}): Promise<Report> {
  const { signal } = options
  const place = placeOf(url, options)
  const run = new Run('server', options)
  signal?.throwIfAborted()
  const sockets = new Set<Socket>()
  const abort = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  signal?.addEventListener('abort', abort)
  try {
    const probe = await connect(place, run.timeoutFactor)
    probe.destroy()
    const light = run.jobs.filter((job) => !isHeavy(job))
    await runJobs(light, run.concurrency, place, run, sockets, signal)
    await runJobs(run.jobs.filter(isHeavy), Math.min(run.concurrency, HEAVY), place, run, sockets, signal)
  } finally {
    signal?.removeEventListener('abort', abort)
  }
  return run.report(url)
}

async function runJobs(
  jobs: readonly Job[],
  concurrency: number,
  place: Place,
  run: Run,
  sockets: Set<Socket>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const queue = jobs.values()
  const worker = async (): Promise<void> => {
    for (const job of queue) {
      signal?.throwIfAborted()
      const result = await runJob(job, place, run.timeoutFactor, sockets)
      signal?.throwIfAborted()
      run.take(job, result)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

async function runJob(job: Job, place: Place, timeoutFactor: number, sockets: Set<Socket>): Promise<CaseResult> {
  let socket: Socket
  try {
    socket = await connect(place, timeoutFactor)
  } catch (error) {
    return unopened(job.testCase, `the server cannot be reached: ${(error as Error).message}`)
  }
  sockets.add(socket)
  const result = await playAsClient(socket, place, { ...job, timeoutFactor })
  sockets.delete(socket)
  return result
}

function placeOf(text: string, { tls = {}, headers = {} }: ServerRunOptions): Place {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) {
    throw invalidValue(
      'ERR_WS_INVALID_URI',
      `${JSON.stringify(text)} is no address of a server; give one such as ws://localhost:8080`,
    )
  }
  const secure = url.protocol === 'wss:'
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  return {
    hostname,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    tls: secure ? tls : undefined,
    host: url.host,
    path: `${url.pathname}${url.search}`,
    fields: Object.entries(headers),
  }
}

/** Settles when TCP, and TLS where it is wanted, are up. */
async function connect({ hostname: host, port, tls }: Place, timeoutFactor: number): Promise<Socket> {
  const options = { host, port, noDelay: true }
  // SNI holds names, not addresses (RFC 6066 3).
  const servername = tls?.servername ?? (isIP(host) === 0 ? host : '')
  const socket = tls === undefined ? connectTcp(options) : connectTls({ servername, ...tls, ...options })
  const timer = setTimeout(
    () => socket.destroy(new Error('no connection came about in time')),
    CONNECT_TIME * timeoutFactor,
  )
  try {
    await once(socket, tls === undefined ? 'connect' : 'secureConnect')
  } finally {
    clearTimeout(timer)
    socket.on('error', () => {})
  }
  return socket
}

/**
 * Judges clients: a server of the tester's own, driven by the client under test.
 *
 * The client asks for `/getCaseCount`, which answers the number of cases as a text message; then for `/runCase?case=N&agent=NAME`
 * with N from 1 on, several at once if it likes; then for `/updateReports?agent=NAME`, which ends the run. A case of
 * several connections has as many numbers.
 */
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { quote } from '../errors.ts'
import type { Case } from './case.ts'
import { decimal } from './head.ts'
import { awaitHead } from './opening.ts'
import { playAsServer, unopened } from './play.ts'
import type { Report } from './result.ts'
import { Run } from './run.ts'
import type { Job, RunOptions } from './run.ts'
import { closePayload, Opcode } from './wire.ts'

/** A run that judges a client. */
export interface ClientRunOptions extends RunOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Default: one that is free. */
  readonly port?: number
}

/** A run that waits for a client, or has one. */
export interface ClientRun {
  /** Where the client connects to, such as `ws://127.0.0.1:9001`. */
  readonly url: string
  /** How many connections the client makes for cases. */
  readonly caseCount: number
  /**
   * Settles when the client has asked for `/updateReports` and no case is running, and when the run was closed. A case that the client did
   * not run is FAILED. Rejects when `signal` aborts.
   */
  readonly finished: Promise<Report>
  /** Ends the run and everybody in it; settles when the port is free. */
  close(): Promise<void>
}

/** Milliseconds for a request to come. */
const REQUEST_TIME = 5000
/** The connections that run no case. */
const TALK_TIME = 5000

/** Listens for a client to judge. Rejects when it cannot listen, throws for options that make no sense. */
export async function testClients(options: ClientRunOptions = {}): Promise<ClientRun> {
  const { host = '127.0.0.1', port = 0, signal } = options
  const run = new Run('client', options)
  signal?.throwIfAborted()
  const listener = createServer({ noDelay: true })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject).listen({ host, port }, resolve)
  })
  return new ClientTest(listener, run, host, signal)
}

/** What goes wrong is seen from how the connection ends. */
const ignore = (): void => {}

class ClientTest implements ClientRun {
  readonly url: string
  readonly caseCount: number
  readonly finished: Promise<Report>
  readonly #run: Run
  readonly #listener: Server
  readonly #signal: AbortSignal | undefined
  readonly #abort: () => void
  readonly #sockets = new Set<Socket>()
  readonly #serving = new Set<Promise<void>>()
  /** Jobs that have been asked for, and how many of them are running. */
  readonly #asked = new Set<number>()
  #running = 0
  #ending = false
  #agent = 'a client'
  #resolve: (report: Report) => void = ignore
  #reject: (reason: Error) => void = ignore

  constructor(listener: Server, run: Run, host: string, signal: AbortSignal | undefined) {
    this.#listener = listener
    this.#run = run
    this.#signal = signal
    this.caseCount = run.jobs.length
    this.url = `ws://${host.includes(':') ? `[${host}]` : host}:${(listener.address() as AddressInfo).port}`
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever does not look at it has the results from `onResult`.
    this.finished.catch(ignore)
    listener.on('connection', (socket) => {
      const serving = this.#serve(socket)
      this.#serving.add(serving)
      void serving.then(() => this.#serving.delete(serving))
    })
    this.#abort = () => {
      this.#reject(signal?.reason as Error)
      void this.close()
    }
    signal?.addEventListener('abort', this.#abort)
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort)
    const closed = new Promise<void>((resolve) => {
      this.#listener.close(() => resolve())
    })
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#serving)
    await closed
    this.#finish()
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket)
    socket.on('error', ignore)
    const read = await awaitHead(socket, REQUEST_TIME * this.#run.timeoutFactor)
    if ('head' in read) await this.#answer(socket, read)
    socket.destroy()
    this.#sockets.delete(socket)
  }

  async #answer(socket: Socket, read: { readonly head: string; readonly rest: Buffer }): Promise<void> {
    const { path, number, agent } = readTarget(read.head)
    if (agent !== undefined) this.#agent = agent
    const job = number === undefined ? undefined : this.#run.jobs[number - 1]
    if (path === '/getCaseCount') {
      await this.#talk(socket, read, String(this.caseCount))
    } else if (path === '/runCase' && number !== undefined && job !== undefined) {
      await this.#runJob(socket, read, number, job)
    } else if (path === '/updateReports') {
      await this.#talk(socket, read)
      this.#ending = true
      this.#finishWhenIdle()
    } else {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      await awaitHead(socket, TALK_TIME)
    }
  }

  /** A connection that is no case: one message if there is something to say, and the end. */
  async #talk(socket: Socket, read: { readonly head: string; readonly rest: Buffer }, text?: string): Promise<void> {
    const testCase: Case = {
      id: '0',
      title: '',
      rule: '',
      timeout: TALK_TIME,
      play: async (tester) => {
        if (text !== undefined) await tester.send({ opcode: Opcode.text, payload: Buffer.from(text) })
        await tester.send({ opcode: Opcode.close, payload: closePayload(1000) })
      },
    }
    await playAsServer(socket, read, { testCase, turn: 0, timeoutFactor: this.#run.timeoutFactor })
  }

  /** A number that was asked for before is played again, and counts for nothing. */
  async #runJob(
    socket: Socket,
    read: { readonly head: string; readonly rest: Buffer },
    number: number,
    job: Job,
  ): Promise<void> {
    const again = this.#asked.has(number)
    this.#asked.add(number)
    this.#running++
    const result = await playAsServer(socket, read, { ...job, timeoutFactor: this.#run.timeoutFactor })
    this.#running--
    if (!again) this.#run.take(job, result)
    this.#finishWhenIdle()
  }

  #finishWhenIdle(): void {
    if (this.#ending && this.#running === 0) this.#finish()
  }

  #finish(): void {
    for (const [at, job] of this.#run.jobs.entries()) {
      if (this.#asked.has(at + 1)) continue
      this.#asked.add(at + 1)
      this.#run.take(job, unopened(job.testCase, 'the client did not connect for this case'))
    }
    this.#resolve(this.#run.report(this.#agent))
  }
}

/** What a client asks for in its request line. */
function readTarget(head: string): {
  readonly path: string
  readonly number?: number | undefined
  readonly agent?: string | undefined
} {
  const begin = head.indexOf(' ') + 1
  const target = head.slice(begin, head.indexOf(' ', begin))
  if (!target.startsWith('/') || !URL.canParse(`ws://tester${target}`)) return { path: '' }
  const { pathname, searchParams } = new URL(`ws://tester${target}`)
  const agent = searchParams.get('agent')
  return {
    path: pathname,
    number: decimal(searchParams.get('case') ?? ''),
    agent: agent === null ? undefined : quote(agent).slice(1, -1),
  }
}

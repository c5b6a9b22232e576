/**
 * Load for an echo server: so many connections that send messages and measure when they come back. Either each connection has
 * `depth` messages under way and sends another one for each that came (closed loop), or so many messages leave in a second
 * whatever comes back (open loop), and then a message waits from when it was due: a server that stalls cannot make the load
 * stall, too, and thereby look better than it is.
 */
import { createHistogram } from 'node:perf_hooks'
import type { RecordableHistogram } from 'node:perf_hooks'
import { connect } from '../client/index.ts'
import type { Connection } from '../connection/index.ts'
import { quote } from '../errors.ts'
import type { CloseInfo } from '../errors.ts'
import type { ClientOptions } from './client-options.ts'

export interface LoadPlan {
  readonly url: string
  readonly options: ClientOptions
  readonly connections: number
  /** Octets of a message. */
  readonly size: number
  readonly binary: boolean
  /** Messages under way on each connection; of no meaning with `rate`. */
  readonly depth: number
  /** Messages in a second, by all connections; `undefined` for a closed loop. */
  readonly rate: number | undefined
  /** Milliseconds before anything is counted, and those that count. */
  readonly warmUp: number
  readonly duration: number
  /** Ends it earlier, when so many that count have been answered. */
  readonly messages: number
}

/** Times are milliseconds. */
export interface LoadResult {
  /** Answered while it counted. */
  readonly messages: number
  readonly duration: number
  /** Messages in a second. */
  readonly rate: number
  readonly latency: { readonly [name in 'p50' | 'p90' | 'p99' | 'p99.9' | 'max' | 'mean']: number }
  /** What did not come back by the end; its latency counts as far as it goes. */
  readonly unanswered: number
  /** CPU time of this process while it counted, as a part of one core. */
  readonly cpu: number
  /** Why it ended before its time. */
  readonly failure?: string
}

/** A connection, and when each of its messages left that is not back. */
interface Lane {
  readonly waiting: Fifo
  ws?: Connection<Lane>
}

/** How long is waited for what has not come back, and for the end of a connection. */
const PATIENCE = 2_000
/** With more than this on their way, the server will not catch up. */
const MOST_WAITING = 200_000
/** As many as the highest rate has in a millisecond. */
const MOST_AT_ONCE = 10_000
const MICROSECONDS = 1000

export class Load {
  readonly #plan: LoadPlan
  readonly #payload: string | Buffer
  readonly #lanes: Lane[] = []
  readonly #latency: RecordableHistogram = createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 })
  #running = false
  /** Since when it counts; 0 while it does not. */
  #since = 0
  #until = 0
  #counted = 0
  #failure: string | undefined = undefined
  #cpu = 0
  #finish: () => void = () => {}

  constructor(plan: LoadPlan) {
    this.#plan = plan
    const text = 'abcdefghijklmnopqrstuvwxyz'.repeat(Math.ceil(plan.size / 26)).slice(0, plan.size)
    this.#payload = plan.binary ? Buffer.from(text) : text
  }

  /** Messages that count so far, and the part of the time that has passed. */
  get progress(): { readonly messages: number; readonly part: number } {
    const { warmUp, duration } = this.#plan
    const passed = this.#since === 0 ? 0 : performance.now() - this.#since + warmUp
    return { messages: this.#counted, part: Math.min(passed / (warmUp + duration), 1) }
  }

  /** Opens the connections, one after the other (RFC 6455 4.1). Rejects as `connect` does. */
  async open(signal: AbortSignal): Promise<void> {
    const { url, options, connections, size } = this.#plan
    for (let number = 0; number < connections; number++) {
      const lane: Lane = { waiting: new Fifo() }
      lane.ws = await connect<Lane>(url, {
        maxMessageSize: Math.max(size, 65_536),
        maxBufferedAmount: Infinity,
        closeTimeout: PATIENCE,
        ...options,
        signal,
        data: lane,
        message: (ws, data) => this.#answered(ws, data),
        close: (_, info) => this.#ended(info),
      })
      this.#lanes.push(lane)
    }
  }

  /** Settles when it is over, be it because `signal` aborts. */
  async run(signal: AbortSignal): Promise<LoadResult> {
    const over = new Promise<void>((resolve) => {
      this.#finish = resolve
    })
    signal.addEventListener('abort', this.#finish)
    // Who speaks without having been asked echoes nothing.
    if (this.#failure !== undefined || signal.aborted) this.#finish()
    const { warmUp, duration } = this.#plan
    this.#running = true
    const pacing = this.#start()
    const timers = [setTimeout(() => this.#count(), warmUp), setTimeout(this.#finish, warmUp + duration)]
    await over
    signal.removeEventListener('abort', this.#finish)
    this.#running = false
    clearInterval(pacing)
    for (const timer of timers) clearTimeout(timer)
    this.#stopCounting()
    if (this.#failure === undefined) await this.#stragglers()
    return this.#result()
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(async ({ ws }) => ws?.close(1000)))
  }

  #start(): NodeJS.Timeout | undefined {
    const { rate, depth } = this.#plan
    if (rate !== undefined) return this.#pace(rate / 1000)
    const now = performance.now()
    for (const lane of this.#lanes) {
      for (let sent = 0; sent < depth; sent++) this.#send(lane, now)
    }
    return undefined
  }

  /** Sends what is due, `rate` messages in a millisecond. */
  #pace(rate: number): NodeJS.Timeout {
    const began = performance.now()
    let sent = 0
    return setInterval(() => {
      const due = Math.min(Math.floor((performance.now() - began) * rate), sent + MOST_AT_ONCE)
      for (; sent < due && this.#running; sent++) {
        this.#send(this.#lanes[sent % this.#lanes.length], began + sent / rate)
      }
      if (this.#waiting > MOST_WAITING) this.#fail('The server cannot keep up with this rate')
    }, 1)
  }

  #send(lane: Lane, since: number): void {
    lane.waiting.push(since)
    lane.ws?.send(this.#payload)
  }

  #answered(ws: Connection<Lane>, data: string | Buffer): void {
    const now = performance.now()
    const { data: lane } = ws
    const since = lane.waiting.shift()
    if (since === undefined || !this.#isPayload(data)) {
      this.#fail('This is no echo server: what comes back is not what was sent')
      return
    }
    if (this.#since > 0) {
      this.#record(now - since)
      // What comes back after the end had no part in the rate.
      if (this.#until === 0 && ++this.#counted === this.#plan.messages) this.#finish()
    }
    if (this.#running && this.#plan.rate === undefined) this.#send(lane, now)
  }

  #isPayload(data: string | Buffer): boolean {
    return typeof data === 'string' ? data === this.#payload : this.#plan.binary && data.equals(this.#payload as Buffer)
  }

  #ended({ code, reason }: CloseInfo): void {
    const said = reason === '' ? '' : ` ${quote(reason)}`
    if (this.#running) this.#fail(`A connection was closed with ${code}${said}`)
  }

  #fail(failure: string): void {
    this.#failure ??= failure
    this.#finish()
  }

  #count(): void {
    this.#since = performance.now()
    const { user, system } = process.cpuUsage()
    this.#cpu = user + system
  }

  #stopCounting(): void {
    this.#until = performance.now()
    if (this.#since === 0) return
    const { user, system } = process.cpuUsage()
    this.#cpu = user + system - this.#cpu
  }

  get #waiting(): number {
    let waiting = 0
    for (const lane of this.#lanes) waiting += lane.waiting.size
    return waiting
  }

  /** What is on its way at the end would be left out otherwise, and that would be the slowest. */
  async #stragglers(): Promise<void> {
    const end = performance.now() + PATIENCE
    while (this.#waiting > 0 && performance.now() < end && this.#failure === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  #record(ms: number): void {
    this.#latency.record(Math.max(1, Math.round(ms * MICROSECONDS)))
  }

  #result(): LoadResult {
    const unanswered = this.#waiting
    const now = performance.now()
    for (const { waiting } of this.#lanes) {
      for (let since = waiting.shift(); since !== undefined; since = waiting.shift()) this.#record(now - since)
    }
    const duration = this.#since === 0 ? 0 : this.#until - this.#since
    const at = (percentile: number): number => this.#latency.percentile(percentile) / MICROSECONDS
    const none = this.#latency.count === 0
    return {
      messages: this.#counted,
      duration,
      rate: duration > 0 ? (this.#counted / duration) * 1000 : 0,
      latency: {
        p50: at(50),
        p90: at(90),
        p99: at(99),
        'p99.9': at(99.9),
        max: none ? 0 : this.#latency.max / MICROSECONDS,
        mean: none ? 0 : this.#latency.mean / MICROSECONDS,
      },
      unanswered,
      cpu: duration > 0 ? this.#cpu / MICROSECONDS / duration : 0,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    }
  }
}

/** How many numbers are taken out before those behind them are moved. */
const SELDOM = 512

/** Numbers, the first in first out. */
export class Fifo {
  #numbers: number[] = []
  #first = 0

  get size(): number {
    return this.#numbers.length - this.#first
  }

  push(number: number): void {
    this.#numbers.push(number)
  }

  shift(): number | undefined {
    if (this.#first === this.#numbers.length) return undefined
    const number = this.#numbers[this.#first++]
    if (this.#first >= SELDOM && 2 * this.#first >= this.#numbers.length) {
      this.#numbers = this.#numbers.slice(this.#first)
      this.#first = 0
    }
    return number
  }
}

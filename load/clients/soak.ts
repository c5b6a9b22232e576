/**
 * The clients of a soak, on our own client: they send at a rate, whatever comes back when, and look at every octet of what does.
 * Each message of a thousand is for all connections. Answers: `open`, `run`, `close`.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '../../src/index.ts'
import type { ClientConnection } from '../../src/index.ts'
import { Latencies } from '../latency.ts'
import type { Latency } from '../latency.ts'
import { Messages, keyOf } from '../messages.ts'
import { answer } from '../probe.ts'

export interface SoakPlan {
  readonly url: string
  readonly connections: number
  /** Messages in a second, of all connections together. */
  readonly rate: number
  readonly deflate: boolean
  readonly seed: number
}

/** What a stretch of sending came to, when everything was answered. */
export interface Stretch {
  /** Messages that were sent, and those that came. */
  readonly sent: number
  readonly received: number
  /** Octets of the payloads of those that came. */
  readonly octets: number
  /** Milliseconds in which they were sent. */
  readonly milliseconds: number
  /** From when a message was due until it came back. */
  readonly latency: Latency
}

/** All that was sent and came. */
export interface SoakTotals {
  readonly echoes: number
  readonly broadcasts: number
  readonly deliveries: number
  /** Connections that ended with both Close frames. */
  readonly clean: number
}

const BROADCAST_EVERY = 1000
/** Every so many messages one leaves in fragments of so many octets. */
const FRAGMENTED_EVERY = 7
const FRAGMENT = 1000
/** Messages of a connection that may be on their way; while there are so many, it has to wait. */
const ON_THEIR_WAY = 1024
const OPENED_AT_ONCE = 50
/** Milliseconds. */
const TICK = 1
const PATIENCE = 20_000

class Soak {
  readonly #plan: SoakPlan
  readonly #messages: Messages
  readonly #latencies = new Latencies()
  readonly #connections: ClientConnection<number>[] = []
  /** By connection: echoes that were sent, and those that came back. */
  readonly #sent: Uint32Array
  readonly #echoed: Uint32Array
  /** When the messages on their way were due: a ring for each connection. */
  readonly #due: Float64Array
  /** By connection: broadcasts that it sent; and by receiver and sender, those that came. */
  readonly #broadcast: Uint32Array
  readonly #delivered: Uint32Array
  #turn = 0
  #open = 0
  #octets = 0
  #received = 0
  #failure: Error | undefined
  #ending = false
  #settled: () => void = () => {}

  constructor(plan: SoakPlan) {
    const { connections, seed } = plan
    this.#plan = plan
    this.#messages = new Messages(seed)
    this.#sent = new Uint32Array(connections)
    this.#echoed = new Uint32Array(connections)
    this.#due = new Float64Array(connections * ON_THEIR_WAY)
    this.#broadcast = new Uint32Array(connections)
    this.#delivered = new Uint32Array(connections * connections)
  }

  async open(): Promise<void> {
    const { url, connections, deflate } = this.#plan
    const open = async (index: number): Promise<void> => {
      this.#connections[index] = await connect<number>(url, {
        data: index,
        oneAtATime: false,
        perMessageDeflate: deflate,
        message: (ws, data) => this.#message(ws.data, data),
        close: (ws, { code, initiator }) => this.#closed(ws.data, `${code}, by ${initiator}`),
      })
    }
    for (let from = 0; from < connections; from += OPENED_AT_ONCE) {
      const some = Math.min(OPENED_AT_ONCE, connections - from)
      await Promise.all(Array.from({ length: some }, (_, at) => open(from + at)))
    }
  }

  /** Sends for so long, and waits until all of it is answered. */
  async run(milliseconds: number): Promise<Stretch> {
    const before = { turn: this.#turn, received: this.#received, octets: this.#octets }
    const began = performance.now()
    let now = began
    while (now - began < milliseconds && this.#failure === undefined) {
      this.#sendDue(began, now, before.turn)
      await delay(TICK)
      now = performance.now()
    }
    await this.#drained()
    return {
      sent: this.#turn - before.turn,
      received: this.#received - before.received,
      octets: this.#octets - before.octets,
      milliseconds: now - began,
      latency: this.#latencies.take(),
    }
  }

  async close(): Promise<SoakTotals> {
    this.#ending = true
    const ends = await Promise.all(this.#connections.map((ws) => ws.close(1000)))
    return {
      echoes: sum(this.#echoed),
      broadcasts: sum(this.#broadcast),
      deliveries: sum(this.#delivered),
      clean: ends.filter(({ wasClean }) => wasClean).length,
    }
  }

  #sendDue(began: number, now: number, first: number): void {
    const { connections, rate } = this.#plan
    const last = first + Math.floor(((now - began) * rate) / 1000)
    while (this.#turn < last) {
      const sender = this.#turn % connections
      const due = began + ((this.#turn - first) * 1000) / rate
      if (this.#turn % BROADCAST_EVERY === BROADCAST_EVERY - 1) {
        this.#open += connections
        this.#send('B', sender, this.#broadcast[sender]++)
      } else {
        // Who is that far behind is waited for: latencies count from when a message was due.
        if (this.#sent[sender] - this.#echoed[sender] === ON_THEIR_WAY) return
        this.#due[sender * ON_THEIR_WAY + (this.#sent[sender] % ON_THEIR_WAY)] = due
        this.#open++
        this.#send('E', sender, this.#sent[sender]++)
      }
      this.#turn++
    }
  }

  #send(kind: 'E' | 'B', sender: number, sequence: number): void {
    const message = this.#messages.make({ kind, sender, sequence })
    const options = this.#turn % FRAGMENTED_EVERY === 0 ? { fragmentSize: FRAGMENT } : undefined
    this.#connections[sender].send(message, options)
  }

  #message(receiver: number, data: string | Buffer): void {
    const key = keyOf(data)
    if (key === undefined) return this.#fail(`connection ${receiver} got a message that nobody has sent`)
    const { kind, sender, sequence } = key
    const place = kind === 'E' ? sender : receiver * this.#plan.connections + sender
    const counts = kind === 'E' ? this.#echoed : this.#delivered
    const strange = sender >= this.#plan.connections || (kind === 'E' && sender !== receiver)
    if (strange) return this.#fail(`connection ${receiver} got what is for another, or what nobody has sent`)
    const name = `${kind === 'E' ? 'echo' : 'broadcast'} ${sequence} of connection ${sender}`
    if (sequence !== counts[place]) {
      return this.#fail(`connection ${receiver} got ${name} where number ${counts[place]} was next`)
    }
    if (!this.#messages.isRight(key, data)) return this.#fail(`connection ${receiver} got ${name} with other octets`)
    if (kind === 'E') {
      this.#latencies.add(performance.now() - this.#due[sender * ON_THEIR_WAY + (sequence % ON_THEIR_WAY)])
    }
    counts[place]++
    this.#received++
    this.#octets += typeof data === 'string' ? Buffer.byteLength(data) : data.length
    if (--this.#open === 0) this.#settled()
  }

  /** Settles when nothing is on its way; rejects with what went wrong, or with what never came. */
  async #drained(): Promise<void> {
    if (this.#open > 0 && this.#failure === undefined) {
      const settled = new Promise<void>((resolve) => (this.#settled = resolve))
      const limit = new AbortController()
      const late = delay(PATIENCE, undefined, { signal: limit.signal }).catch(() => {})
      await Promise.race([settled, late])
      limit.abort()
    }
    if (this.#open > 0) this.#fail(`${this.#open} messages are lost: they did not come in ${PATIENCE / 1000} s`)
    if (this.#failure !== undefined) throw this.#failure
  }

  #closed(index: number, how: string): void {
    if (!this.#ending) this.#fail(`connection ${index} was closed: ${how}`)
  }

  /** The first thing that goes wrong ends the stretch. */
  #fail(message: string): void {
    this.#failure ??= new Error(message)
    this.#settled()
  }
}

function sum(values: Uint32Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}

let soak: Soak
answer('open', async (plan: SoakPlan) => {
  soak = new Soak(plan)
  await soak.open()
})
answer('run', (milliseconds: number) => soak.run(milliseconds))
answer('close', () => soak.close())
console.log('ready')

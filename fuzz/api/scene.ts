/**
 * A connection with a peer, a clock and an application that writes down all that it is told; and what must hold of it at any
 * time and at its end, whatever was done.
 */
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { ConnectionHandler, ConnectionOptions } from '../../src/connection/index.ts'
import type { CloseInfo } from '../../src/errors.ts'
import type { Role } from '../../src/framing/index.ts'
import { parseExtensions } from '../../src/handshake/index.ts'
import { readFrames } from '../reference/frames.ts'
import type { Events, Meaning } from '../reference/frames.ts'
import { takeStray } from '../support/strays.ts'
import { check } from '../targets/target.ts'
import { FakeClock } from './clock.ts'
import { Transport } from './transport.ts'

export type EventName = 'open' | 'message' | 'ping' | 'pong' | 'drain' | 'error' | 'close'

/** A message that the connection has accepted. */
interface Accepted {
  readonly isText: boolean
  readonly data: Buffer
  /** It came to nothing, as one that is streamed may. */
  failed: boolean
}

/** A promise of ours, and what became of it. */
interface Promised {
  readonly what: string
  state: 'waits' | 'resolved' | 'rejected'
}

export interface SceneOptions {
  readonly role: Role
  readonly deflate: 'no' | 'each' | 'context'
  /** Whether messages go to a handler or to whoever iterates. */
  readonly iterates: boolean
}

const EXTENSIONS = {
  no: '',
  each: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  context: 'permessage-deflate',
}

const LIMITS: ConnectionOptions = {
  maxMessageSize: 200_000,
  highWaterMark: 8192,
  maxBufferedAmount: 300_000,
  closeTimeout: 3000,
  idleTimeout: 60_000,
  frameTimeout: 10_000,
  heartbeat: { interval: 15_000, timeout: 5000 },
}
/** Of what we send. */
const NO_LIMITS = { maxMessageSize: 10_000_000, maxFragments: 1_000_000 }
/** Turns that work in the thread pool may take; each gives it a millisecond. */
const MAX_TURNS = 1000

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))

export class Scene {
  readonly ws: Connection
  readonly transport = new Transport()
  readonly clock = new FakeClock()
  readonly options: SceneOptions
  /** What happens within the next such event. */
  readonly reactions = new Map<EventName, () => unknown>()
  /** All that the peer has sent. */
  readonly fed: Buffer[] = []
  readonly accepted: Accepted[] = []
  /** Something was done by which messages that came may have been dropped. */
  mayLose = false
  /** Something was done by which messages that were accepted may not leave. */
  mayDrop = false
  readonly #events: EventName[] = []
  readonly #received: Events = []
  readonly #promises: Promised[] = []
  readonly #infos: CloseInfo[] = []
  #readyState = 0

  constructor(options: SceneOptions) {
    this.options = options
    const perMessageDeflate =
      options.deflate === 'no'
        ? false
        : { threshold: 100, serverNoContextTakeover: false, clientNoContextTakeover: false }
    const settings = connectionSettings(options.role, { ...LIMITS, perMessageDeflate })
    const agreed = options.deflate === 'no' ? [] : parseExtensions(EXTENSIONS[options.deflate])
    const withClock = { ...settings, clock: this.clock.asClock }
    this.ws = new Connection(this.transport, withClock, this.#handler(), undefined, '', agreed)
  }

  /** Whether the application has been told of the end. */
  get isOver(): boolean {
    return this.#infos.length > 0
  }

  /** How it ended, in words. */
  get summary(): string {
    const [{ code, wasClean, initiator, cause }] = this.#infos
    const why = cause === undefined ? '' : ` ${(cause as { code?: string }).code}`
    return `close ${code} ${wasClean ? 'clean' : 'unclean'} ${initiator}${why}, ${this.#received.length / 2} heard, ${messagesIn(this.#outgoing().events).length / 2} sent`
  }

  /** Octets from the peer. */
  feed(octets: Buffer): void {
    if (this.transport.receive(octets)) this.fed.push(octets)
  }

  /** Sees that a promise settles before all is over. */
  watch(what: string, promise: Promise<unknown>): void {
    const promised: Promised = { what, state: 'waits' }
    this.#promises.push(promised)
    promise.then(
      () => (promised.state = 'resolved'),
      (error: unknown) => {
        promised.state = 'rejected'
        // What was asked for and cannot be is told with a code of ours, or is what the source threw.
        const code: unknown = (error as { code?: unknown }).code
        check(typeof code === 'string' && /^ERR_(WS|FUZZ)_/.test(code), () => `${what} rejects with ${String(error)}`)
      },
    )
  }

  /** A message that came to whoever iterates. */
  took(message: string | Buffer): void {
    this.#received.push(typeof message === 'string' ? 'text' : 'binary', message)
  }

  /** What holds at any time. */
  checkNow(): void {
    const { ws, transport } = this
    check(ws.readyState >= this.#readyState, () => `readyState ${ws.readyState} after ${this.#readyState}`)
    this.#readyState = ws.readyState
    const amount = ws.bufferedAmount
    check(Number.isSafeInteger(amount) && amount >= 0, () => `bufferedAmount ${amount}`)
    check(!this.isOver || ws.readyState === 3, () => `readyState ${ws.readyState} after close`)
    check(ws.readyState !== 3 || transport.destroyed, () => 'closed, and the transport is not destroyed')
    const stray = takeStray()
    if (stray !== undefined) throw stray
  }

  /** Lets all come to its end, and sees that it is as it should be. */
  async finish(): Promise<void> {
    const { ws, transport, clock } = this
    this.reactions.clear()
    transport.reading = true
    ws.resume()
    if (this.options.iterates) this.#takeAll()
    await this.#settle()
    if (ws.readyState === 1) {
      this.#checkNothingLost()
      transport.receiveEnd()
    }
    // The close timeout, and what follows it; what is still in the thread pool takes real time.
    for (let turn = 0; turn < MAX_TURNS && !this.isOver; turn++) {
      clock.tick()
      await (this.options.deflate === 'no' ? nextTurn() : moment())
      await nextTurn()
    }
    for (let turn = 0; turn < MAX_TURNS && this.#waiting.length > 0; turn++) await moment()
    this.#checkEnd()
  }

  async #settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) await nextTurn()
    // Sources take turns to make what is sent; what is in the thread pool comes back in its own time.
    const wait = this.options.deflate === 'no' ? nextTurn : moment
    for (let turn = 0; turn < MAX_TURNS && this.ws.readyState === 1 && !this.#hasAll(); turn++) await wait()
  }

  /** Whether all that is expected of an open connection has been seen. */
  #hasAll(): boolean {
    const incoming = this.#incoming()
    if (this.ws.bufferedAmount > 0) return false
    if (incoming.unsure || incoming.closeCode !== undefined || this.mayLose) return true
    return this.#received.length >= this.#heard(incoming.events).length
  }

  get #waiting(): readonly Promised[] {
    return this.#promises.filter(({ state }) => state === 'waits')
  }

  #incoming(): Meaning {
    const { role, deflate } = this.options
    const limits = { maxMessageSize: LIMITS.maxMessageSize!, maxFragments: 131_072 }
    return readFrames(Buffer.concat(this.fed), { role, deflate, ...limits })
  }

  #outgoing(): Meaning {
    const { role, deflate } = this.options
    const peer = role === 'server' ? 'client' : 'server'
    return readFrames(Buffer.concat(this.transport.taken), { role: peer, deflate, ...NO_LIMITS })
  }

  /** Of a connection that is open, and whose peer reads: everything has come, and has gone. */
  #checkNothingLost(): void {
    const { events, closeCode, unsure } = this.#incoming()
    const say = (): string => `heard ${this.#received.length / 2} events of ${events.length / 2}`
    if (!unsure && !this.mayLose) {
      check(closeCode === undefined, () => `open, and ${closeCode} was due`)
      check(this.#received.length === this.#heard(events).length, say)
    }
    check(this.ws.bufferedAmount === 0, () => `bufferedAmount ${this.ws.bufferedAmount} of a peer that reads`)
    const outgoing = this.#outgoing()
    if (outgoing.unsure || this.mayDrop) return
    const arrived = messagesIn(outgoing.events).length / 2
    check(arrived === this.accepted.length, () => `${arrived} messages arrived of ${this.accepted.length}`)
  }

  /** Who iterates does not hear of control frames as messages: their order among them is not known. */
  #heard(events: Events): Events {
    return this.options.iterates ? messagesIn(events) : events.filter((_, at) => !isClose(events[at - (at % 2)]))
  }

  #checkEnd(): void {
    const { ws, transport } = this
    this.checkNow()
    check(this.isOver, () => `still in state ${ws.readyState} when all time has passed`)
    const count = (name: EventName): number => this.#events.filter((event) => event === name).length
    check(this.#events[0] === 'open' && count('open') === 1, () => `events: ${this.#events.join(' ')}`)
    check(this.#events.at(-1) === 'close' && count('close') === 1, () => `events: ${this.#events.join(' ')}`)
    check(count('error') <= 1, () => `events: ${this.#events.join(' ')}`)
    check(ws.bufferedAmount === 0, () => `bufferedAmount ${ws.bufferedAmount} at the end`)
    check(this.clock.size === 0, () => 'the clock still has it')
    check(this.#waiting.length === 0, () => `never settled: ${this.#waiting.map(({ what }) => what).join(', ')}`)
    for (const name of ['data', 'end', 'drain', 'close']) {
      check(transport.listenerCount(name) === 0, () => `somebody listens to ${name}`)
    }
    this.#checkReceived()
    this.#checkSent()
  }

  /** What the application was told is what the peer said, in order, with nothing in between. */
  #checkReceived(): void {
    const { events, unsure } = this.#incoming()
    const heard = this.#heard(events)
    let at = 0
    for (let told = 0; told < this.#received.length; told += 2) {
      const [kind, data] = [this.#received[told], this.#received[told + 1]]
      const same = (): boolean => heard[at] === kind && Buffer.from(heard[at + 1]).equals(Buffer.from(data))
      // Messages that nobody was ready for may be missing.
      while (this.mayLose && at < heard.length && !same()) at += 2
      check(at < heard.length || unsure, () => `told of ${String(kind)} that nobody sent`)
      if (at >= heard.length) return
      check(same(), () => `told of ${String(kind)} ${String(data).slice(0, 60)}, and ${String(heard[at])} was due`)
      at += 2
    }
  }

  /** What the peer was sent is what was accepted, in order, by the rules, and nothing behind a Close. */
  #checkSent(): void {
    const { events, closeCode, unsure } = this.#outgoing()
    check(closeCode === undefined, () => `what was sent breaks the rules: ${closeCode}`)
    const closeAt = events.findIndex((event, at) => at % 2 === 0 && isClose(event))
    // 5.5.1, 5.5.2: no data any more, but a Ping is answered until the peer's Close has come.
    const behind = closeAt < 0 ? [] : events.slice(closeAt + 2).filter((_, at) => at % 2 === 0)
    check(
      behind.every((event) => event === 'pong'),
      () => `behind the Close frame came: ${behind.join(', ')}`,
    )
    const messages = messagesIn(events)
    let at = 0
    for (const { isText, data } of this.accepted.filter(({ failed }) => !failed)) {
      if (at >= messages.length) break
      const isSame = messages[at] === (isText ? 'text' : 'binary') && Buffer.from(messages[at + 1]).equals(data)
      check(isSame, () => `sent ${String(messages[at])} ${String(messages[at + 1]).slice(0, 60)}, and another was due`)
      at += 2
    }
    check(at === messages.length, () => `${messages.length / 2 - at / 2} messages were sent that nobody asked for`)
    const [info] = this.#infos
    if (!info.wasClean || this.mayDrop || unsure || closeAt < 0) return
    check(
      at / 2 === this.accepted.length,
      () => `a clean end, and ${at / 2} messages arrived of ${this.accepted.length}`,
    )
  }

  #takeAll(): void {
    const take = async (): Promise<void> => {
      for await (const message of this.ws.messages()) this.took(message)
    }
    this.watch('for await', take())
  }

  #handler(): ConnectionHandler {
    const react = (name: EventName): unknown => {
      check(!this.isOver, () => `${name} behind close`)
      this.#events.push(name)
      this.checkNow()
      const reaction = this.reactions.get(name)
      this.reactions.delete(name)
      return reaction?.()
    }
    const handler: ConnectionHandler = {
      open: () => react('open'),
      ping: (_, payload) => {
        if (!this.options.iterates) this.#received.push('ping', payload)
        return react('ping')
      },
      pong: (_, payload) => {
        if (!this.options.iterates) this.#received.push('pong', payload)
        return react('pong')
      },
      drain: () => react('drain'),
      error: () => react('error'),
      close: (_, info) => {
        const answer = react('close')
        this.#infos.push(info)
        return answer
      },
    }
    if (this.options.iterates) return handler
    return {
      ...handler,
      message: (_, data, isBinary) => {
        this.#received.push(isBinary ? 'binary' : 'text', data)
        return react('message')
      },
    }
  }
}

function isClose(event: string | Buffer): boolean {
  return typeof event === 'string' && event.startsWith('close ')
}

function messagesIn(events: Events): Events {
  const messages: Events = []
  for (let at = 0; at < events.length; at += 2) {
    if (events[at] === 'text' || events[at] === 'binary') messages.push(events[at], events[at + 1])
  }
  return messages
}

/**
 * The tester on one open connection: it plays a case, keeps what the peer did, and sees the connection to its end.
 *
 * Every wait has a limit: the case's own, 1 s for the peer's Close frame, 1 s for the end of TCP behind it. Whatever comes
 * from the peer is kept within bounds and never throws; the outcome is an `Observation` for `judge` to look at.
 */
import type { Socket } from 'node:net'
import { PeerGone } from './case.ts'
import type { Case, PeerEvent, Role, SendOptions, Tester } from './case.ts'
import { ruleOf, sameEvents } from './judge.ts'
import type { Observation } from './judge.ts'
import type { WireLog } from './log.ts'
import { MAX_MESSAGE, NO_CODE, Receiver } from './receiver.ts'
import type { Heard } from './receiver.ts'
import { FrameReader, Opcode, closePayload, encodeFrame } from './wire.ts'
import type { Frame, ReceivedFrame } from './wire.ts'

/** Milliseconds that the peer has for its Close frame, and for the end of TCP behind that. */
const CLOSE_TIME = 1000
const DROP_TIME = 1000

/** Masking keys that are kept. */
const MANY_KEYS = 100

/** Events that are kept where the case looks at them itself, and beyond those that it expects, to tell what was too much. */
const MAX_EVENTS = 100_000
const SURPLUS = 16

/** The receiving half of permessage-deflate; messages come to it in their order. */
export interface Inflater {
  inflate(payload: Buffer): Promise<Buffer>
}

/** What the tester plays, and on what. */
export interface Stage {
  readonly socket: Socket
  readonly role: Role
  readonly testCase: Case
  readonly turn: number
  readonly peerHead: string
  readonly extensions: string
  /** Octets of the peer that came behind its head. */
  readonly rest: Buffer
  readonly log: WireLog
  /** Multiplies every time limit. */
  readonly timeoutFactor: number
  /** Where permessage-deflate has been agreed. */
  readonly inflater?: Inflater | undefined
}

/** Whom to wake while nobody waits. */
const nobody = (): void => {}

export class CaseTester implements Tester {
  readonly role: Role
  readonly turn: number
  readonly extensions: string
  readonly peerHead: string
  readonly maskingKeys: number[] = []
  readonly #socket: Socket
  readonly #case: Case
  readonly #log: WireLog
  readonly #factor: number
  readonly #reader = new FrameReader()
  readonly #receiver: Receiver
  readonly #inflater: Inflater | undefined
  readonly #over: Promise<void>
  #settleOver: () => void = nobody
  #ended = false
  #draining = false
  #timer: NodeJS.Timeout | undefined = undefined
  #wake: () => void = nobody
  /** Events that nobody has looked at, and how many octets they have. */
  readonly #events: PeerEvent[] = []
  #kept = 0
  #played = false
  readonly #seen: { -readonly [K in keyof Observation]: Observation[K] }

  constructor(stage: Stage) {
    const { socket, role, testCase, turn, peerHead, extensions, rest, log, timeoutFactor, inflater } = stage
    this.role = role
    this.turn = turn
    this.peerHead = peerHead
    this.extensions = extensions
    this.#socket = socket
    this.#case = testCase
    this.#log = log
    this.#factor = timeoutFactor
    this.#receiver = new Receiver(role === 'client' ? 'server' : 'client', inflater !== undefined)
    this.#inflater = inflater
    this.#seen = { events: this.#events, tester: role, limit: testCase.timeout * timeoutFactor }
    this.#over = new Promise((resolve) => {
      this.#settleOver = resolve
    })
    this.#reader.push(rest)
  }

  /** Plays the case and settles, never badly, when the connection has ended. */
  async run(): Promise<Observation> {
    const socket = this.#socket
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk)
      void this.#drain()
    })
    socket.on('end', () => this.#finish('ended TCP'))
    socket.on('close', () => this.#finish(socket.errored === null ? 'dropped TCP' : 'reset TCP'))
    this.#limit(this.#case.timeout, () => this.#giveUp(this.#rule().by === 'peer' ? 1001 : undefined))
    if (socket.destroyed) this.#finish('dropped TCP')
    socket.resume()
    void this.#drain()
    const playing = this.#play()
    await this.#over
    // A play may have something to settle yet, but not for long.
    let timer: NodeJS.Timeout | undefined = undefined
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIME)
    })
    await Promise.race([playing, grace])
    clearTimeout(timer)
    if (!this.#played) this.#seen.failure ??= new PeerGone('the connection ended before the case was through')
    this.#seen.breach = this.#receiver.breach
    return this.#seen
  }

  async send(frames: Frame | readonly Frame[], options: SendOptions = {}): Promise<void> {
    const list = Array.isArray(frames) ? (frames as readonly Frame[]) : [frames as Frame]
    if (this.#isOver()) return
    const writes: Buffer[] = []
    let closing = false
    for (const frame of list) {
      const octets = encodeFrame(frame, this.role)
      this.#log.add('tester', 'frame', octets)
      writes.push(octets)
      if (frame.opcode === Opcode.close && this.#rule().by !== 'peer') {
        closing = true
        this.#closeSent(frame.payload)
      }
    }
    if (options.perFrame === true) for (const octets of writes) await this.#write(octets, options.chop)
    else await this.#write(Buffer.concat(writes), options.chop)
    if (closing && this.#seen.receivedCode === undefined) this.#awaitClose()
  }

  async write(octets: Buffer, options: SendOptions = {}): Promise<void> {
    if (this.#isOver()) return
    this.#log.add('tester', 'octets', octets)
    await this.#write(octets, options.chop)
  }

  async mark(milliseconds: number): Promise<void> {
    await this.wait(milliseconds)
    if (!this.#isOver()) this.#keep({ type: 'pause' })
  }

  async wait(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined = undefined
    const time = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds * this.#factor)
    })
    await Promise.race([time, this.#over])
    clearTimeout(timer)
  }

  async next(): Promise<PeerEvent> {
    for (;;) {
      const event = this.#events.shift()
      if (event !== undefined) {
        if (event.type !== 'pause') this.#kept -= event.payload.length
        return event
      }
      if (this.#isOver()) throw new PeerGone(this.#whyOver(), this.#seen.receivedReason)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  hold(): void {
    this.#socket.pause()
  }

  release(): void {
    this.#socket.resume()
  }

  note(text: string): void {
    this.#log.tell('tester', 'note', text)
  }

  /** What the case demands of the end; a peer that does not do what the case is about is seen off as usual. */
  #rule(): NonNullable<Case['close']> {
    return ruleOf(this.#case, this.#seen.failure)
  }

  /** Nothing more is sent, and nothing more is worth waiting for. */
  #isOver(): boolean {
    return this.#ended || this.#seen.receivedCode !== undefined || this.#seen.gaveUp === true
  }

  #whyOver(): string {
    const { receivedCode, gaveUp } = this.#seen
    if (gaveUp === true) return `nothing came within ${this.#seen.limit} ms`
    if (receivedCode === undefined) return 'the peer ended TCP without a Close frame'
    return `the peer closed with ${receivedCode === NO_CODE ? 'a Close frame without a code' : receivedCode}`
  }

  async #play(): Promise<void> {
    try {
      await this.#case.play?.(this)
    } catch (error) {
      this.#seen.failure = error as Error
    }
    this.#played = true
    const { failure } = this.#seen
    if (failure !== undefined) this.#closeIfTesters()
    else this.#closeWhenSeen()
  }

  /** The tester's Close goes out as soon as the case has seen what it wants to see. */
  #closeWhenSeen(): void {
    if (!this.#played) return
    const { expect } = this.#case
    if (expect === undefined || sameEvents(this.#events, expect.ok)) this.#closeIfTesters()
  }

  #closeIfTesters(): void {
    if (this.#rule().by !== 'peer' && this.#seen.sentCode === undefined) void this.#close(1000)
  }

  async #close(code: number | undefined): Promise<void> {
    if (this.#ended) return
    const payload = closePayload(code)
    const octets = encodeFrame({ opcode: Opcode.close, payload }, this.role)
    this.#log.add('tester', 'frame', octets)
    this.#closeSent(payload)
    this.#awaitClose()
    await this.#write(octets)
  }

  #closeSent(payload: Buffer = Buffer.alloc(0)): void {
    this.#seen.firstClose ??= 'tester'
    this.#seen.sentCode ??= payload.length < 2 ? NO_CODE : payload.readUInt16BE(0)
  }

  #awaitClose(): void {
    this.#socket.resume()
    this.#limit(CLOSE_TIME, () => this.#drop('no Close frame came'))
  }

  /** The case's time is over, or the peer has broken the protocol: the connection fails, and events no longer count. */
  #giveUp(code: number | undefined): void {
    if (this.#isOver()) return
    this.#log.tell('tester', 'note', 'the tester gives up')
    this.#seen.gaveUp = true
    this.#wake()
    this.#socket.resume()
    if (this.#seen.sentCode === undefined) void this.#close(code)
    else this.#awaitClose()
  }

  /** One limit runs at a time. */
  #limit(milliseconds: number, action: () => void): void {
    clearTimeout(this.#timer)
    if (!this.#ended) this.#timer = setTimeout(action, milliseconds * this.#factor)
  }

  /** The end of TCP by the tester, where the peer should have been the one. */
  #drop(why: string): void {
    this.#seen.dropped = 'tester'
    this.#log.tell('tester', 'end', `the tester drops TCP: ${why}`)
    this.#socket.destroy()
  }

  /** Settles when TCP has taken the octets, or never will. */
  async #write(octets: Buffer, chop: number = octets.length): Promise<void> {
    const socket = this.#socket
    for (let at = 0; at < octets.length && !this.#isWritten(); at += chop) {
      await new Promise<void>((resolve) => {
        socket.write(octets.subarray(at, at + chop), () => {
          if (at + chop < octets.length) setImmediate(resolve)
          else resolve()
        })
      })
    }
  }

  /** Whether there is nobody left to write to. */
  #isWritten(): boolean {
    return this.#ended || this.#socket.writableEnded
  }

  /** Reads all frames that are there; messages that have to be inflated hold up those behind them. */
  async #drain(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame()) {
      this.#log.add('peer', 'frame', frame.octets, frame.length)
      if (frame.maskingKey !== undefined && this.maskingKeys.length < MANY_KEYS) {
        this.maskingKeys.push(frame.maskingKey.readUInt32BE(0))
      }
      const heard = this.#receiver.take(frame)
      const inflater = this.#inflater
      if (heard === undefined) this.#checkBreach()
      else if (inflater !== undefined && 'compressed' in heard && heard.compressed) await this.#inflate(inflater, heard)
      else this.#hear(heard)
    }
    this.#draining = false
    if (this.#ended) this.#settle()
  }

  #nextFrame(): ReceivedFrame | undefined {
    const declared = this.#reader.declared()
    if (declared === undefined || declared <= MAX_MESSAGE) return this.#reader.next()
    this.#receiver.note(`it sent a frame that says it has ${declared} octets`, '10.4')
    this.#checkBreach()
    this.#drop('the frame is too large to be read')
    return undefined
  }

  async #inflate(inflater: Inflater, { type, payload }: Extract<Heard, { compressed: boolean }>): Promise<void> {
    try {
      this.#hear({ type, payload: await inflater.inflate(payload), compressed: false })
    } catch (error) {
      this.#receiver.note(`it sent a message that does not inflate: ${(error as Error).message}`, 'RFC 7692 7.2.2')
      this.#checkBreach()
    }
  }

  #hear(heard: Heard): void {
    if (heard.type === 'close') {
      this.#closeReceived(heard.code, heard.reason)
    } else {
      if (heard.type === 'text' || heard.type === 'binary') this.#receiver.checkMessage(heard.type, heard.payload)
      if (heard.type === 'ping') void this.#pong(heard.payload)
      const { type, payload } = heard
      if (heard.type !== 'ping' || this.#case.pings === true) this.#keep({ type, payload })
    }
    this.#checkBreach()
  }

  /** Behind a breach there is nothing to be expected; the octets that come are still read. */
  #checkBreach(): void {
    if (this.#receiver.breach === undefined || this.#case.informational === true) return
    this.#giveUp(1002)
  }

  async #pong(payload: Buffer): Promise<void> {
    if (this.#isOver() || this.#seen.sentCode !== undefined) return
    await this.send({ opcode: Opcode.pong, payload })
  }

  #keep(event: PeerEvent): void {
    if (this.#seen.gaveUp === true) return
    const { expect } = this.#case
    if (event.type !== 'pause') this.#kept += event.payload.length
    if (this.#kept > MAX_MESSAGE || this.#events.length >= (expect?.ok.length ?? MAX_EVENTS) + SURPLUS) {
      this.#receiver.note('it sent far more than it was asked for', '10.4')
      return
    }
    this.#events.push(event)
    this.#wake()
    this.#closeWhenSeen()
  }

  #closeReceived(code: number, reason: string): void {
    if (this.#seen.receivedCode !== undefined) return
    this.#seen.firstClose ??= 'peer'
    this.#seen.receivedCode = code
    this.#seen.receivedReason = reason
    this.#wake()
    if (this.#seen.sentCode === undefined) void this.#close(code === NO_CODE ? undefined : code)
    // RFC 6455 7.1.1: the server ends TCP first.
    if (this.role === 'server') {
      this.#log.tell('tester', 'end', 'the tester ends TCP')
      this.#socket.end()
    }
    const patience = this.role === 'server' ? 'the client did not end TCP' : 'the server did not end TCP'
    this.#limit(DROP_TIME, () => this.#drop(patience))
  }

  /** The peer's half of TCP, or all of it, is over. */
  #finish(how: string): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    if (this.#seen.dropped === undefined) {
      this.#seen.dropped = 'peer'
      this.#log.tell('peer', 'end', `the peer ${how}`)
    }
    this.#wake()
    if (!this.#draining) this.#settle()
  }

  #settle(): void {
    const { pending } = this.#reader
    if (pending > 0) this.#log.add('peer', 'octets', this.#reader.excerpt(), pending)
    this.#socket.destroy()
    this.#settleOver()
  }
}

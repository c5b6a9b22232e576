/**
 * One end of a connection whose way is full of faults: it sends whatever its dice say, and keeps a record of what it hears.
 * What must never be, whatever happens in between, is a problem.
 */
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import type { Connection, ConnectionHandler } from '../../../src/connection/index.ts'
import type { CloseInfo } from '../../../src/errors.ts'
import { octets } from '../../support/messages.ts'
import type { Dice } from './fault-script.ts'

type Message = string | Buffer

const LENGTHS = [0, 1, 50, 125, 126, 300, 300, 2000, 2000, 20_000, 65_536, 150_000]

export class FaultSide {
  readonly problems: string[] = []
  /** What was sent while the connection was open, in order. */
  readonly #sent: Message[] = []
  /** How many of the messages of the other side have come. */
  #received = 0
  /** Which message was the first that could not be sent to its end: those behind it went with it. */
  #cut = Infinity
  #errors = 0
  info: CloseInfo | undefined = undefined
  /** It ended in a way that may lose messages. */
  terminated = false
  /** Settles when it will send nothing any more; at once, if it has never been open. */
  done: Promise<void> = Promise.resolve()
  readonly closed: Promise<void>
  ws: Connection<FaultSide> | undefined = undefined
  #other: FaultSide | undefined = undefined
  readonly #name: string
  readonly #dice: Dice
  readonly #promises: Promise<unknown>[] = []
  readonly #unsettled: string[] = []
  #close: () => void = () => {}

  /** For all ends of either role: whose it is, its `data` tells. */
  static readonly handler: ConnectionHandler<Connection<FaultSide>> = {
    open: (ws) => ws.data.#opened(ws),
    message: (ws, data) => ws.data.#message(data),
    error: (ws) => ws.data.#error(),
    close: (ws, info) => ws.data.#closed(ws, info),
  }

  constructor(name: string, dice: Dice) {
    this.#name = name
    this.#dice = dice
    this.closed = new Promise((resolve) => {
      this.#close = resolve
    })
  }

  /** When all that it was promised has come true, or has failed. What is being compressed ends later than its connection. */
  get settled(): Promise<unknown> {
    return Promise.all(this.#promises)
  }

  /** Introduces two ends of a connection to each other. */
  meet(other: FaultSide): void {
    this.#other = other
    other.#other = this
  }

  /** What has to be true of a connection that is over. */
  check(): void {
    if (this.ws === undefined) return
    const { info } = this
    const other = this.#other!
    const expected = Math.min(other.#cut, other.#sent.length)
    if (info === undefined) this.#problem(`has not ended; it is in state ${this.ws.readyState}`)
    // Behind the Close frame of the other side there is nothing, and before it nothing is missing.
    else if (info.wasClean && this.#received !== expected) {
      this.#problem(`ended cleanly with ${this.#received} messages of ${expected}`)
    }
    if (this.#unsettled.length > 0) this.#problem(`has promises that did not settle: ${this.#unsettled.join(', ')}`)
  }

  #opened(ws: Connection<FaultSide>): void {
    if (this.ws !== undefined) this.#problem('was opened twice')
    this.ws = ws
    this.#track('closed', ws.closed)
    this.done = this.#work(ws)
  }

  #message(data: Message): void {
    if (this.info !== undefined) this.#problem('was told a message behind its end')
    const expected = this.#other!.#sent[this.#received++]
    if (expected === undefined) this.#problem(`was told a message that nobody sent, of ${data.length}`)
    else if (typeof data !== typeof expected || !Buffer.from(data).equals(Buffer.from(expected))) {
      this.#problem(`was told another message than the one of ${expected.length} that was sent, of ${data.length}`)
    }
  }

  #error(): void {
    if (this.info !== undefined) this.#problem('was told an error behind its end')
    if (++this.#errors > 1) this.#problem('was told two errors')
  }

  #closed(ws: Connection<FaultSide>, info: CloseInfo): void {
    if (this.info !== undefined) this.#problem('was closed twice')
    this.info = info
    if (ws.readyState !== 3) this.#problem(`was closed in state ${ws.readyState}`)
    if (ws.bufferedAmount > 0) this.#problem(`had ${ws.bufferedAmount} octets left when it was closed`)
    if (ws.send('too late')) this.#problem('took a message behind its end')
    if (!info.wasClean && info.code !== 1006 && info.initiator === 'network') {
      this.#problem(`has lost its transport, and tells ${info.code}`)
    }
    this.#close()
  }

  async #work(ws: Connection<FaultSide>): Promise<void> {
    const dice = this.#dice
    // Not within `open`: who sends there is another one.
    if (dice.once(2)) await turn()
    for (let left = dice.below(9); left > 0 && ws.readyState === 1; left--) await this.#step(ws)
    ws.resume()
    const end = dice.below(10)
    if (end === 0) this.#track('close', ws.close())
    else if (end < 4) this.#track('close', ws.close(dice.pick([1000, 4000]), 'done'))
    else if (end === 4) {
      this.terminated = true
      ws.terminate()
    }
  }

  async #step(ws: Connection<FaultSide>): Promise<void> {
    const dice = this.#dice
    const what = dice.below(10)
    if (what < 6) this.#send(ws)
    else if (what === 6) this.#stream(ws)
    else if (what === 7) ws.ping('ping')
    else if (what === 8) this.#track('drained', ws.drained())
    else ws.pause()
    if (dice.once(2)) await turn()
    if (dice.once(6)) await delay(dice.below(10))
    ws.resume()
  }

  #send(ws: Connection<FaultSide>): void {
    const dice = this.#dice
    const length = dice.pick(LENGTHS)
    const message = dice.once(2) ? octets(length) : `${this.#sent.length}. ${'text '.repeat(length / 5)}`
    this.#sent.push(message)
    ws.send(message, dice.once(4) ? { fragmentSize: dice.pick([16, 1000]) } : {})
  }

  #stream(ws: Connection<FaultSide>): void {
    const parts = Array.from({ length: 1 + this.#dice.below(3) }, () => octets(this.#dice.pick(LENGTHS)))
    this.#sent.push(Buffer.concat(parts))
    // What takes its time is sent in parts, with other frames between them.
    async function* source(): AsyncGenerator<Buffer> {
      for (const part of parts) {
        await turn()
        yield part
      }
    }
    const index = this.#sent.length - 1
    const sent = ws.sendStream(source())
    this.#track('sendStream', sent)
    sent.catch(() => {
      this.#cut = Math.min(this.#cut, index)
    })
  }

  #track(what: string, promise: Promise<unknown>): void {
    this.#unsettled.push(what)
    const settle = (): void => void this.#unsettled.splice(this.#unsettled.indexOf(what), 1)
    this.#promises.push(promise.then(settle, settle))
  }

  #problem(words: string): void {
    this.problems.push(`the ${this.#name} ${words}`)
  }
}

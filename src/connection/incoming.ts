/**
 * Messages as they come: each an iterable of its parts, so that a message need not fit in memory, nor even a frame.
 *
 * What nobody has read is bounded: 16 parts of the message that is coming, and 16 messages or 1 MiB of those that have come.
 * Then the connection stops reading, and what one read brought beyond that is all that is added.
 */
import { StringDecoder } from 'node:string_decoder'
import { ConnectionClosedError, WebSocketError } from '../errors.ts'
import type { CloseInfo } from '../errors.ts'
import { MessageQueue } from './messages.ts'
import type { Message } from './messages.ts'

/** Octets of messages that wait before reading stops; characters, where they are text. */
const MAX_WAITING = 1_048_576

/**
 * A message that is being received, to be read once: strings for text, cut between characters, Buffers for binary.
 * Leaving the loop drops the rest of the message. So does asking for the next message, but whoever reads on is told then.
 */
export class MessageStream extends MessageQueue {
  /** Whether the parts are Buffers of a binary message, or of text. */
  readonly isBinary: boolean
  #dropped = false
  #skipped = false

  /** @internal */
  constructor(isBinary: boolean, wanted: () => void) {
    super(wanted)
    this.isBinary = isBinary
  }

  /**
   * Octets that wait, or characters of text.
   * @internal
   */
  get size(): number {
    let total = 0
    for (const part of this.waiting) total += part.length
    return total
  }

  /** @internal */
  override push(part: Message): void {
    if (!this.#dropped && part.length > 0) super.push(part)
  }

  /** @internal */
  override fail(error: Error | undefined): void {
    if (!this.#skipped) super.fail(error)
  }

  /**
   * Somebody has asked for the next message.
   * @internal
   */
  skip(): void {
    if (this.#dropped || this.over) return
    this.#drop()
    this.fail(skipped())
    this.#skipped = true
  }

  /** Drops the rest of the message. */
  override return(): Promise<IteratorResult<Message, undefined>> {
    this.#drop()
    return super.return()
  }

  #drop(): void {
    this.#dropped = true
    this.takeAll()
  }
}

/** Puts parts into messages, and messages into a queue. */
export class Incoming {
  readonly messages: MessageQueue<MessageStream>
  /** Where loops were left: these may be read until somebody asks for the next message. */
  readonly left: MessageStream[] = []
  readonly #wanted: () => void
  readonly #decodes: boolean
  readonly #maxPartSize: number
  #current: MessageStream | undefined = undefined
  /** A part was lost; so is all behind it, and the message it belonged to is not complete. */
  #cut = false
  #decoder: StringDecoder | undefined = undefined

  /** `wanted` is called when there is room again; `decodes`: text becomes strings; `maxPartSize`: in octets. */
  constructor(wanted: () => void, decodes: boolean, maxPartSize: number) {
    this.messages = new MessageQueue(wanted)
    this.#wanted = wanted
    this.#decodes = decodes
    this.#maxPartSize = maxPartSize
  }

  get full(): boolean {
    if (this.messages.full || this.#current?.full === true) return true
    let size = 0
    for (const message of this.messages.waiting) size += message.size
    return size >= MAX_WAITING
  }

  /** A message that had come whole already. */
  add(message: Message, isBinary: boolean): void {
    this.part(typeof message === 'string' ? Buffer.from(message) : message, isBinary, true, false)
  }

  /** `lossy`: reading goes on whether or not anybody takes what comes, so what finds no room is lost. */
  part(octets: Buffer, isBinary: boolean, last: boolean, lossy: boolean): void {
    this.#cut ||= lossy && this.full
    if (this.#cut) return
    const message = this.#current ?? this.#begin(isBinary)
    const most = this.#maxPartSize
    if (octets.length <= most) this.#push(message, octets)
    else for (let at = 0; at < octets.length; at += most) this.#push(message, octets.subarray(at, at + most))
    if (!last) return
    message.end()
    this.#current = undefined
  }

  /** The connection has ended: a message that is not complete never will be. */
  end(info: CloseInfo): void {
    this.#current?.fail(new ConnectionClosedError(info))
    this.messages.end(info)
  }

  #begin(isBinary: boolean): MessageStream {
    const message = new MessageStream(isBinary, this.#wanted)
    this.#current = message
    this.#decoder = isBinary || !this.#decodes ? undefined : new StringDecoder('utf8')
    this.messages.push(message)
    return message
  }

  #push(message: MessageStream, octets: Buffer): void {
    message.push(this.#decoder === undefined ? octets : this.#decoder.write(octets))
  }
}

/** One loop over the messages. When it goes on to the next one, it drops what nobody has read of the one before. */
export class MessageStreams implements AsyncIterableIterator<MessageStream, undefined> {
  readonly #incoming: Incoming
  #last: MessageStream | undefined = undefined

  constructor(incoming: Incoming) {
    this.#incoming = incoming
  }

  next(): Promise<IteratorResult<MessageStream, undefined>> {
    const { left, messages } = this.#incoming
    this.#last?.skip()
    for (const message of left.splice(0)) message.skip()
    const next = messages.next()
    const taken = ({ value }: IteratorResult<MessageStream, undefined>): void => {
      this.#last = value
    }
    // Whoever waits hears of a failure; that nobody waits is no fault.
    next.then(taken, () => {})
    return next
  }

  /** Leaving a loop leaves the connection as it is: the next loop goes on where this one stopped. */
  return(): Promise<IteratorResult<MessageStream, undefined>> {
    if (this.#last !== undefined) this.#incoming.left.push(this.#last)
    this.#last = undefined
    return this.#incoming.messages.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function skipped(): WebSocketError {
  const message =
    'The next message was asked for before this one had been read; read each to its end, or leave its loop'
  return new WebSocketError('ERR_WS_MESSAGE_SKIPPED', message)
}

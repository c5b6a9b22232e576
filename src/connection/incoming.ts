/**
 * Messages as they come: each an iterable of its parts, so that a message need not fit in memory, nor even a frame.
 */
import { StringDecoder } from 'node:string_decoder'
import { ConnectionClosedError } from '../errors.ts'
import type { CloseInfo } from '../errors.ts'
import { MessageQueue } from './messages.ts'
import type { Message } from './messages.ts'

/**
 * A message that is being received, to be read once: strings for text, cut between characters, Buffers for binary.
 * Leaving the loop drops the rest of the message.
 */
export class MessageStream extends MessageQueue {
  readonly isBinary: boolean
  #dropped = false

  /** @internal */
  constructor(isBinary: boolean, wanted: () => void) {
    super(wanted)
    this.isBinary = isBinary
  }

  /** @internal */
  override push(part: Message): void {
    if (!this.#dropped && part.length > 0) super.push(part)
  }

  override return(): Promise<IteratorResult<Message, undefined>> {
    this.#dropped = true
    this.takeAll()
    return super.return()
  }
}

/** Puts parts into messages, and messages into a queue. */
export class Incoming {
  readonly messages: MessageQueue<MessageStream>
  readonly #wanted: () => void
  readonly #decodes: boolean
  #current: MessageStream | undefined = undefined
  /** A part was lost; so is all behind it, and the message it belonged to is not complete. */
  #cut = false
  #decoder: StringDecoder | undefined = undefined

  /** `wanted` is called when there is room again; `decodes`: text becomes strings. */
  constructor(wanted: () => void, decodes: boolean) {
    this.messages = new MessageQueue(wanted)
    this.#wanted = wanted
    this.#decodes = decodes
  }

  get full(): boolean {
    return this.messages.full || this.#current?.full === true
  }

  /** A message that had come whole already. */
  add(message: Message, isBinary: boolean): void {
    const stream = new MessageStream(isBinary, this.#wanted)
    stream.push(message)
    stream.end()
    this.messages.push(stream)
  }

  /** `lossy`: reading goes on whether or not anybody takes what comes, so what finds no room is lost. */
  part(octets: Buffer, isBinary: boolean, last: boolean, lossy: boolean): void {
    this.#cut ||= lossy && this.full
    if (this.#cut) return
    if (this.#current === undefined) {
      this.#current = new MessageStream(isBinary, this.#wanted)
      this.#decoder = isBinary || !this.#decodes ? undefined : new StringDecoder('utf8')
      this.messages.push(this.#current)
    }
    this.#current.push(this.#decoder === undefined ? octets : this.#decoder.write(octets))
    if (!last) return
    this.#current.end()
    this.#current = undefined
  }

  /** The connection has ended: a message that is not complete never will be. */
  end(info: CloseInfo): void {
    this.#current?.fail(new ConnectionClosedError(info))
    this.messages.end(info)
  }
}

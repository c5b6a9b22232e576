/**
 * Frames to messages (RFC 6455 5.4, 5.5, 5.6, 6.2): fragments are put together, control frames between them go through,
 * limits hold, text is checked.
 *
 * A message that comes in one piece goes on at once. All others are copied, piece by piece, into one buffer that grows
 * with the octets that came, never with those that a header promised: what a connection retains is bounded in octets,
 * however small the pieces are (10.4).
 *
 * Chunks are only lent for the time of the call. What the sink is handed it may keep: it is a copy.
 */
import { isUtf8 } from 'node:buffer'
import { ProtocolError } from '../errors.ts'
import { CloseCode, readCloseBody } from './close.ts'
import type { FrameSink } from './decoder.ts'
import type { FrameHeader } from './header.ts'
import { allocate, allocateShared } from './memory.ts'
import { Opcode, isControl } from './opcode.ts'
import { checkFrameHeader } from './rules.ts'
import type { Role } from './rules.ts'
import { Utf8Validator, readUtf8 } from './utf8.ts'

/** Takes what a `MessageAssembler` puts together. */
export interface MessageSink {
  /** A whole message: a string for text (a Buffer where the options say so), a Buffer for binary. */
  message(data: string | Buffer, isBinary: boolean): void
  /** A Ping. */
  ping(payload: Buffer): void
  /** A Pong. */
  pong(payload: Buffer): void
  /** A Close frame; `code` is 1005 when it had none. */
  close(code: number, reason: string): void
}

/** Takes the messages that an extension has to work on before anybody can read them. */
export interface ExtensionSink {
  /** A whole message that came with RSV1 (RFC 7692 6); `payload` is only valid during the call. */
  extended(payload: Buffer, isBinary: boolean): void
  /** The next octets of such a message, where messages are told in parts; only valid during the call, too. */
  extendedPart(payload: Buffer, isBinary: boolean, last: boolean): void
}

/** Takes messages in parts, as large ones come. */
export interface PartSink {
  /** The next octets of a message; those of text are valid UTF-8 so far, and whole characters when it is the last part. */
  messagePart(part: Buffer, isBinary: boolean, last: boolean): void
}

/** What messages may be, and how they are handed on. */
export interface MessageOptions {
  readonly role: Role
  /** Octets of payload that one message may have. */
  readonly maxMessageSize: number
  /** Frames that one message may have, empty ones counted. */
  readonly maxFragments: number
  /** How text is handed on: decoded, or as the octets that came, once they are known to be valid. */
  readonly text: 'string' | 'buffer'
}

/** Empty fragments carry nothing, so a run of them is either a mistake or an attempt to keep us busy. */
const MAX_EMPTY_FRAGMENTS_IN_A_ROW = 1024
/** The least that the assembly buffer grows to, when so much is announced. */
const SMALLEST_CAPACITY = 256
/**
 * How far the assembly buffer grows, in octets that came. What of it is not reached is never touched, so that no memory
 * but only addresses are reserved for it; to grow seldom means to copy little.
 */
const GROWTH = 8
/** What cannot be compressed may grow a little in the attempt, even where that is done badly. */
const WORST_COMPRESSION = 1.0625
const EMPTY = Buffer.alloc(0)

/** Makes messages of frames, by the rules (5.4 to 5.6, 8.1) and within limits, and tells a `MessageSink`. */
export class MessageAssembler implements FrameSink {
  readonly #sink: MessageSink
  readonly #options: MessageOptions
  readonly #extension: ExtensionSink | undefined
  /** Text or Binary while a message is being received, 0 between messages. */
  #opcode = 0
  /** Who takes this message, when it began with RSV1. */
  #extended: ExtensionSink | undefined = undefined
  #fragments = 0
  #emptyFragments = 0
  /** Pieces of the message that did not come whole. */
  #assembled: Buffer = EMPTY
  #size = 0
  #validator: Utf8Validator | undefined = undefined
  /** The payload of a control frame that a read has cut. */
  #control: Buffer | undefined = undefined
  #parts: PartSink | undefined = undefined
  #maxMessageSize: number
  #maxExtendedSize: number

  /** `extension`: for the messages of an extension that was agreed upon, and marks them with RSV1. */
  constructor(sink: MessageSink, options: MessageOptions, extension?: ExtensionSink) {
    this.#sink = sink
    this.#options = options
    this.#extension = extension
    this.#maxMessageSize = options.maxMessageSize
    this.#maxExtendedSize = options.maxMessageSize
  }

  /** Whether a message has begun and not ended. */
  get inMessage(): boolean {
    return this.#opcode !== 0
  }

  /** Octets that a message of the extension may have, once that has done its work. */
  get maxExtendedSize(): number {
    return this.#maxExtendedSize
  }

  /**
   * From now on messages are not put together but handed on as they come; each may have `maxMessageSize` octets. Without it
   * there is no limit but for those of the extension: they may become far more than came over the wire.
   */
  stream(parts: PartSink, maxMessageSize?: number): void {
    this.#parts = parts
    this.#maxMessageSize = maxMessageSize ?? Infinity
    this.#maxExtendedSize = maxMessageSize ?? this.#options.maxMessageSize
    if (this.#size === 0) return
    const begun = toKeep(this.#assembled, this.#size)
    this.#assembled = EMPTY
    const isBinary = this.#opcode === Opcode.Binary
    if (this.#extended !== undefined) this.#extended.extendedPart(begun, isBinary, false)
    else parts.messagePart(begun, isBinary, false)
  }

  /** Checks the rules and limits; throws a `ProtocolError`. */
  frameHeader(header: FrameHeader): void {
    checkFrameHeader(header, this.#options.role, this.#opcode !== 0, this.#extension !== undefined)
    if (isControl(header.opcode)) return
    if (header.opcode !== Opcode.Continuation) {
      this.#opcode = header.opcode
      this.#extended = header.rsv1 ? this.#extension : undefined
    }
    // 10.4: refused by the declared length, before anything is reserved for it.
    if (header.payloadLength > this.#limit - this.#size) throw this.#tooBig()
    // Who reads as it comes sets the pace, so it does not matter in how many pieces that is.
    if (++this.#fragments > this.#options.maxFragments && this.#parts === undefined) throw this.#tooManyFragments()
    if (header.payloadLength > 0) this.#emptyFragments = 0
    else if (++this.#emptyFragments > MAX_EMPTY_FRAGMENTS_IN_A_ROW) throw this.#tooManyFragments()
  }

  /** Takes the next octets of a payload, and hands on what is complete; throws a `ProtocolError`. */
  framePayload(header: FrameHeader, chunk: Buffer, start: number, end: number, remaining: number): void {
    const parts = this.#parts
    if (isControl(header.opcode)) {
      this.#controlPayload(header, chunk, start, end, remaining)
    } else if (parts !== undefined) {
      this.#handOn(parts, chunk, start, end, header.fin && remaining === 0)
    } else if (header.fin && remaining === 0 && this.#size === 0) {
      this.#deliver(chunk, start, end)
    } else {
      this.#append(header, chunk, start, end, remaining)
      if (header.fin && remaining === 0) this.#deliverAssembled()
    }
  }

  /** 5.5: a control frame may come between the fragments of a message, and changes nothing about that message. */
  #controlPayload(header: FrameHeader, chunk: Buffer, start: number, end: number, remaining: number): void {
    if (remaining > 0 || this.#control !== undefined) {
      this.#control ??= Buffer.allocUnsafe(header.payloadLength)
      chunk.copy(this.#control, header.payloadLength - remaining - (end - start), start, end)
      if (remaining > 0) return
    }
    const payload = this.#control ?? copyOf(chunk, start, end)
    this.#control = undefined
    if (header.opcode === Opcode.Ping) {
      this.#sink.ping(payload)
    } else if (header.opcode === Opcode.Pong) {
      this.#sink.pong(payload)
    } else {
      const { code, reason } = readCloseBody(payload)
      this.#sink.close(code, reason)
    }
  }

  /** Octets that the payload of this message may have. An extension keeps to the limit itself, once it has done its work. */
  get #limit(): number {
    if (this.#extended === undefined) return this.#maxMessageSize
    return Math.ceil(this.#maxExtendedSize * WORST_COMPRESSION) + 64
  }

  #append(header: FrameHeader, chunk: Buffer, start: number, end: number, remaining: number): void {
    const size = this.#size + (end - start)
    this.#validate(chunk, start, end)
    if (size > this.#assembled.length) this.#grow(size, header.fin ? size + remaining : this.#limit)
    chunk.copy(this.#assembled, this.#size, start, end)
    this.#size = size
  }

  /** 8.1, failing fast: the first octet that cannot be text ends the connection, not the last frame of the message. */
  #validate(chunk: Buffer, start: number, end: number): void {
    if (this.#opcode !== Opcode.Text || this.#extended !== undefined) return
    this.#validator ??= new Utf8Validator()
    if (!this.#validator.push(chunk, start, end)) throw invalidUtf8()
  }

  #handOn(parts: PartSink, chunk: Buffer, start: number, end: number, last: boolean): void {
    const isBinary = this.#opcode === Opcode.Binary
    const extended = this.#extended
    this.#validate(chunk, start, end)
    this.#size += end - start
    if (last) this.#endMessage()
    if (!last && end === start) return
    if (extended !== undefined) extended.extendedPart(chunk.subarray(start, end), isBinary, last)
    else parts.messagePart(copyOf(chunk, start, end), isBinary, last)
  }

  /** By a factor, so that all copies together stay linear; never beyond `most`, which the message cannot exceed. */
  #grow(needed: number, most: number): void {
    const grown = allocate(Math.min(most, Math.max(SMALLEST_CAPACITY, GROWTH * needed)))
    this.#assembled.copy(grown, 0, 0, this.#size)
    this.#assembled = grown
  }

  #deliverAssembled(): void {
    const isBinary = this.#opcode === Opcode.Binary
    const extended = this.#extended
    const assembled = this.#assembled
    const size = this.#size
    this.#assembled = EMPTY
    this.#endMessage()
    if (extended !== undefined) extended.extended(assembled.subarray(0, size), isBinary)
    // It has been looked at, piece by piece.
    else if (isBinary || this.#options.text === 'buffer') this.#sink.message(toKeep(assembled, size), isBinary)
    else this.#sink.message(textOf(assembled, 0, size), false)
  }

  /** A message that came in one piece. */
  #deliver(chunk: Buffer, start: number, end: number): void {
    const isBinary = this.#opcode === Opcode.Binary
    const extended = this.#extended
    this.#endMessage()
    if (extended !== undefined) extended.extended(chunk.subarray(start, end), isBinary)
    else if (isBinary) this.#sink.message(copyOf(chunk, start, end), true)
    else if (this.#options.text === 'string') this.#sink.message(textOf(chunk, start, end), false)
    else this.#sink.message(checkText(copyOf(chunk, start, end)), false)
  }

  /** Committed before the sink hears of it: what it does next may already be about the next message. */
  #endMessage(): void {
    if (this.#validator?.complete === false) throw invalidUtf8()
    this.#opcode = 0
    this.#extended = undefined
    this.#fragments = 0
    this.#emptyFragments = 0
    this.#size = 0
    this.#validator = undefined
  }

  #tooBig(): ProtocolError {
    // Where messages without the extension have another limit, that is none.
    const message = `The message is larger than ${this.#maxExtendedSize} octets; raise maxMessageSize if such messages are wanted`
    return new ProtocolError('ERR_WS_MESSAGE_TOO_BIG', CloseCode.MessageTooBig, 'RFC 6455 10.4', message)
  }

  #tooManyFragments(): ProtocolError {
    return new ProtocolError(
      'ERR_WS_TOO_MANY_FRAGMENTS',
      CloseCode.PolicyViolation,
      'RFC 6455 10.4',
      `The message has more than ${this.#options.maxFragments} fragments, or more than ${MAX_EMPTY_FRAGMENTS_IN_A_ROW} empty ones in a row`,
    )
  }
}

function copyOf(chunk: Buffer, start: number, end: number): Buffer {
  const copy = allocateShared(end - start)
  chunk.copy(copy, 0, start, end)
  return copy
}

/** The first `size` octets of memory that is given away, in memory at most twice as large. */
function toKeep(memory: Buffer, size: number): Buffer {
  return 2 * size >= memory.length ? memory.subarray(0, size) : copyOf(memory, 0, size)
}

/** 5.6, 8.1: the text in `bytes[start, end)`. Throws a `ProtocolError` when it is none. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  const text = readUtf8(bytes, start, end)
  if (text === undefined) throw invalidUtf8()
  return text
}

/** 5.6, 8.1: the next octets of a text, which `validator` follows. Throws a `ProtocolError` when it is none. */
export function checkPart(validator: Utf8Validator, part: Buffer, last: boolean): void {
  if (!validator.push(part, 0, part.length) || (last && !validator.complete)) throw invalidUtf8()
}

/** 5.6, 8.1: `octets`, which are known to be text then. Throws a `ProtocolError` when they are none. */
export function checkText(octets: Buffer): Buffer {
  if (!isUtf8(octets)) throw invalidUtf8()
  return octets
}

function invalidUtf8(): ProtocolError {
  const message = 'The text is not valid UTF-8; send octets that are not text as a binary message'
  return new ProtocolError('ERR_WS_INVALID_UTF8', CloseCode.InvalidFramePayloadData, 'RFC 6455 8.1', message)
}

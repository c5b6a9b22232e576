/** Sources that a test turns on and off, and what a streamed message has to look like on the wire. */
import type { Role } from '../../src/framing/rules.ts'
import { parseFrames } from './duplex.ts'

/** A source that brings what it is given, when it is given it, and knows how it was treated. */
export class Faucet<T> implements AsyncIterableIterator<T, undefined> {
  /** How often it was asked for a chunk. */
  asked = 0
  /** Whether it was left before its end. */
  left = false
  readonly #results: Promise<IteratorResult<T, undefined>>[] = []
  #waiting: ((result: Promise<IteratorResult<T, undefined>>) => void) | undefined = undefined

  give(...chunks: readonly T[]): this {
    for (const value of chunks) this.#bring(Promise.resolve({ value, done: false }))
    return this
  }

  end(): this {
    return this.#bring(Promise.resolve({ value: undefined, done: true }))
  }

  fail(thrown: Error): this {
    const failure = Promise.reject<IteratorResult<T, undefined>>(thrown)
    failure.catch(() => {})
    return this.#bring(failure)
  }

  next(): Promise<IteratorResult<T, undefined>> {
    this.asked++
    return (
      this.#results.shift() ??
      new Promise((resolve) => {
        this.#waiting = resolve
      })
    )
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.left = true
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #bring(result: Promise<IteratorResult<T, undefined>>): this {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#results.push(result)
    else waiting(result)
    return this
  }
}

/**
 * The messages in what an endpoint in `role` sent, its control frames left out: strings for text, Buffers for binary.
 * Fails on fragments that do not make messages (RFC 6455 5.4), on text that is none, and on half a message.
 */
export function messagesIn(role: Role, bytes: Buffer): (string | Buffer)[] {
  const messages: (string | Buffer)[] = []
  let type = 0
  let parts: Buffer[] = []
  for (const { firstOctet, opcode, payload } of parseFrames(role, bytes)) {
    if (opcode >= 8) continue
    if ((opcode === 0) !== (type !== 0)) {
      throw new Error(`opcode ${opcode} ${type === 0 ? 'outside' : 'within'} a message`)
    }
    type ||= opcode
    parts.push(payload)
    if (firstOctet < 0x80) continue
    const whole = Buffer.concat(parts)
    messages.push(type === 1 ? new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(whole) : whole)
    type = 0
    parts = []
  }
  if (type !== 0) throw new Error(`half a message: ${Buffer.concat(parts).toString('latin1')}`)
  return messages
}

/** What an iterator brought; fails when that was its end. */
export function valueOf<T>({ value, done }: IteratorResult<T, undefined>): T {
  if (done === true) throw new Error('nothing follows')
  return value
}

/** The next that an iterator brings; fails when it has ended. */
export async function nextOf<T>(iterator: AsyncIterator<T, undefined>): Promise<T> {
  return valueOf(await iterator.next())
}

/** How a promise stands. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'fulfilled' | 'rejected'> {
  const pending = Symbol('pending')
  const first = Promise.race([promise, Promise.resolve(pending)])
  return first.then(
    (value) => (value === pending ? 'pending' : 'fulfilled'),
    () => 'rejected',
  )
}

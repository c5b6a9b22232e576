/**
 * The chunks of a streamed message, wherever they come from, and how each kind of source is told that nobody wants the rest:
 * a stream of Node is destroyed, one of the web cancelled, any other iterator has its `return` called. That happens at once,
 * even while the source has been asked for a chunk and is silent.
 */
import { invalidType } from '../errors.ts'
import { isThenable } from './deferred.ts'
import type { MessageData } from './handler.ts'

/** What a message can be made of: chunks as `send` takes them, one by one. */
export type MessageSource = Iterable<MessageData> | AsyncIterable<MessageData>

interface Result {
  readonly done?: boolean | undefined
  readonly value?: unknown
}

/** What is used of a ReadableStream, of whichever library. */
interface WebSource {
  getReader(): { read(): Promise<Result>; cancel(): Promise<void> }
}

/** What is used of a Readable of Node. */
interface NodeSource extends AsyncIterable<unknown> {
  on(event: 'error', listener: () => void): unknown
  off(event: 'error', listener: () => void): unknown
  destroy(): unknown
}

export class Chunks {
  readonly #take: () => Result | PromiseLike<Result>
  readonly #leave: () => unknown
  #over = false

  /** Throws a `TypeError` for what has no chunks. */
  static of(source: MessageSource): Chunks {
    // A string would be iterated over character by character.
    if (typeof source === 'string') return Chunks.of([source])
    if (typeof source !== 'object' || source === null) throw notIterable()
    if (isWebSource(source)) {
      const reader = source.getReader()
      return new Chunks(
        () => reader.read(),
        () => reader.cancel(),
      )
    }
    const iterator = iteratorOf(source)
    if (!isNodeSource(source)) {
      return new Chunks(
        () => iterator.next(),
        () => iterator.return?.(),
      )
    }
    // It may fail before its turn comes, when nobody listens yet; whoever reads it then hears of it.
    source.on('error', ignore)
    return new Chunks(
      () => {
        source.off('error', ignore)
        return iterator.next()
      },
      () => source.destroy(),
    )
  }

  private constructor(take: () => Result | PromiseLike<Result>, leave: () => unknown) {
    this.#take = take
    this.#leave = leave
  }

  /** The next chunk, unchecked. Rejects with what the source throws. */
  async next(): Promise<{ readonly done: boolean; readonly value: MessageData }> {
    try {
      const { done, value } = await this.#take()
      this.#over ||= done === true
      return { done: done === true, value: (await value) as MessageData }
    } catch (error) {
      this.#over = true
      throw error
    }
  }

  /** Nobody wants the rest, if there is one. */
  leave(): void {
    if (this.#over) return
    this.#over = true
    try {
      const left = this.#leave()
      if (isThenable(left)) left.then(undefined, () => {})
    } catch {
      // What the source makes of it is nobody's concern.
    }
  }
}

function ignore(): void {}

function isWebSource(source: object): source is WebSource {
  return 'getReader' in source && typeof source.getReader === 'function'
}

function isNodeSource(source: object): source is NodeSource {
  return (
    'destroy' in source && typeof source.destroy === 'function' && 'on' in source && typeof source.on === 'function'
  )
}

function iteratorOf(
  source: Partial<Iterable<unknown> & AsyncIterable<unknown>>,
): Iterator<unknown> | AsyncIterator<unknown> {
  const iterator = source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]?.()
  if (iterator === undefined) throw notIterable()
  return iterator
}

function notIterable(): TypeError {
  return invalidType(
    'ERR_WS_INVALID_DATA',
    'A message is made of what can be iterated over, such as a generator or a stream',
  )
}

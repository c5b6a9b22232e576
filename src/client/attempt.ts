/**
 * One attempt to open a connection: its deadline and its signal, which end it whatever it is waiting for, and the
 * transports that it has opened, of which none is left when it fails.
 */
import type { Duplex } from 'node:stream'
import { Deferred } from '../connection/index.ts'
import { HandshakeError } from '../errors.ts'
import type { ParsedUri } from '../handshake/index.ts'
import type { AnswerReader, Answered } from './answer.ts'

export interface Attempt {
  /** Aborts with a `HandshakeError` at the deadline, and with the reason of the user's signal. */
  readonly limit: AbortSignal
  /** Transports to destroy if the attempt fails. */
  readonly streams: Duplex[]
}

/** Bytes both ways, on their way or there already. */
export interface Transport {
  readonly stream: Duplex
  /** What it emits when it is there; until then nothing may be written. */
  readonly connected?: 'connect' | 'secureConnect'
}

/** Whom a request goes to: a server or a proxy, and what is told when there is no answer. */
export interface Party {
  unreachable(cause: unknown): HandshakeError
  noAnswer(): HandshakeError
}

/** Runs `work` until `timeout` milliseconds have passed or `signal` aborts. What it opened is destroyed if it fails. */
export async function attempt<T>(
  timeout: number,
  signal: AbortSignal | undefined,
  work: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const streams: Duplex[] = []
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(timedOut(timeout)), timeout)
  const onAbort = (): void => controller.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  try {
    return await work({ limit: controller.signal, streams })
  } catch (error) {
    for (const stream of streams) discard(stream)
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/**
 * A request and its answer. The stream is paused when it succeeds, and takes nothing from what is behind the answer; when
 * it fails, the stream is left to whoever destroys it.
 */
export async function exchange<T extends object>(
  { stream, connected }: Transport,
  request: string,
  reader: AnswerReader<T>,
  party: Party,
  limit: AbortSignal,
): Promise<Answered<T>> {
  limit.throwIfAborted()
  const answer = new Deferred<Answered<T>>()
  const onConnect = (): void => {
    stream.write(request, 'latin1')
  }
  const onData = (chunk: Buffer): void => {
    try {
      const taken = reader.take(chunk)
      if (taken === undefined) return
      // At once: what comes next is for others.
      stream.pause()
      answer.resolve(taken)
    } catch (error) {
      answer.reject(error)
    }
  }
  const onEnd = (): void => {
    stream.end()
  }
  const onClose = (): void => answer.reject(reader.failure(party.noAnswer()))
  const onError = (cause: Error): void => answer.reject(reader.failure(party.unreachable(cause)))
  const onAbort = (): void => {
    const reason: unknown = limit.reason
    answer.reject(reason instanceof HandshakeError ? reader.failure(reason) : reason)
  }
  // What has ended between two steps of the attempt will not say so again.
  if (stream.destroyed) onClose()
  else if (connected === undefined) onConnect()
  else stream.on(connected, onConnect)
  stream.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError).resume()
  limit.addEventListener('abort', onAbort)
  try {
    return await answer.promise
  } finally {
    limit.removeEventListener('abort', onAbort)
    if (connected !== undefined) stream.off(connected, onConnect)
    stream.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onError)
  }
}

/** Destroys a transport that nobody needs; it may still have something to say about its own end. */
export function discard(stream: Duplex): void {
  stream.on('error', ignore).destroy()
}

export function ignore(): void {}

/** The server that a URI names. */
export function serverAt({ authority, secure }: ParsedUri): Party {
  return {
    unreachable: (cause) =>
      unreachable('ERR_WS_CONNECT_FAILED', `${secure ? 'wss' : 'ws'}://${authority}`, 'RFC 6455 4.1', cause),
    noAnswer: () => {
      const message = 'The server ended the connection without answering the handshake'
      return new HandshakeError('ERR_WS_NO_RESPONSE', message)
    },
  }
}

/** The text of the cause is not repeated: a certificate may have written it. */
export function unreachable(code: string, place: string, section: string, cause: unknown): HandshakeError {
  const why = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.name) : typeof cause
  const message = `Cannot connect to ${place}: ${why}; the cause of this error tells more`
  return new HandshakeError(code, message, { cause, section })
}

function timedOut(timeout: number): HandshakeError {
  return new HandshakeError('ERR_WS_HANDSHAKE_TIMEOUT', `The opening handshake took longer than ${timeout} ms`)
}

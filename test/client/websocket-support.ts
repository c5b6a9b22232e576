/** A `WebSocket` with a peer of the test's own on the other side, and what its listeners hear. */
import { setImmediate as nextTask } from 'node:timers/promises'
import { once } from 'node:events'
import { CloseEvent } from '../../src/client/events.ts'
import type { WebSocketInit } from '../../src/client/websocket-arguments.ts'
import { WebSocket } from '../../src/client/websocket.ts'
import { rawServer } from '../support/raw-server.ts'
import type { RawPeer } from '../support/raw-server.ts'

export { nextTask }

export const TEXT = 0x81
export const BINARY = 0x82
export const CLOSE = 0x88

/** As `[object WebSocket]`. */
export function stringOf(object: object): string {
  return Object.prototype.toString.call(object)
}

/** The body of a Close frame. */
export function closeBody(code: number, reason = ''): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)])
}

export interface Opened {
  readonly ws: WebSocket
  readonly peer: RawPeer
  readonly log: string[]
}

/** A `WebSocket` that is open, with `behind` directly behind the peer's answer. */
export async function opened(init: WebSocketInit = {}, behind?: Uint8Array): Promise<Opened> {
  const server = await rawServer()
  const ws = new WebSocket(server.url, init)
  const log = logOf(ws)
  const open = once(ws, 'open')
  const peer = await server.open(behind)
  await open
  return { ws, peer, log }
}

/** All events, in order: `open`, `message "Hello"`, `error`, `close 1000 clean "bye"`. */
export function logOf(ws: WebSocket): string[] {
  const log: string[] = []
  ws.addEventListener('open', () => log.push('open'))
  ws.addEventListener('message', (event) => log.push(`message ${JSON.stringify(event.data)}`))
  ws.addEventListener('error', () => log.push('error'))
  ws.addEventListener('close', ({ code, wasClean, reason }) => {
    log.push(`close ${code} ${wasClean ? 'clean' : 'unclean'} ${JSON.stringify(reason)}`)
  })
  return log
}

/** The next event of a type. */
export async function next<E extends Event = Event>(ws: EventTarget, type: string): Promise<E> {
  const [event] = (await once(ws, type)) as [E]
  return event
}

/** The `close` event that is to come. */
export async function closing(ws: WebSocket): Promise<CloseEvent> {
  const event = await next(ws, 'close')
  if (!(event instanceof CloseEvent)) throw new Error('Not a CloseEvent')
  return event
}

/** Reads again after a pause, and settles when so many octets have come, which it drops. */
export function swallow({ socket }: RawPeer, octets: number): Promise<void> {
  let missing = octets
  return new Promise((resolve) => {
    socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      missing -= chunk.length
      if (missing <= 0) resolve()
    })
    socket.resume()
  })
}

/**
 * Reading without memory of one's own: all sockets read into the same piece of memory, one after the other, instead of
 * each read getting 64 KiB that are thrown away. What is read has to be used at once, which is what a decoder does.
 *
 * Node has that as the option `onread` of `new net.Socket`, but sockets that a server accepts are made by Node, without it.
 * So it is given to them later, in the way in which the constructor does: two properties of the socket, which are found by
 * what they hold in a socket that was made with the option, and a method of its handle. Where any of them is not there,
 * as on another runtime, the socket goes on with `data` events, and nothing is lost but time.
 */
import { Socket } from 'node:net'
import type { SocketConstructorOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { simd } from '../framing/index.ts'

const SIZE = 65_536

/** What a read has brought lies at the front of this memory, until the next read. */
export const lent: Buffer = simd?.lent ?? Buffer.allocUnsafeSlow(SIZE)

/**
 * Called with the octets that a read has brought into `lent`; answers whether to go on reading. A socket may begin to read
 * by itself though it is paused, while it changes over.
 */
type OnRead = (this: Duplex, octets: number) => boolean

interface Handle {
  useUserBuffer?(buffer: Buffer): void
}

/** The properties in which a socket has the buffer and the callback of `onread`. */
function findProperties(): [symbol | undefined, symbol | undefined] {
  // The types know the option for `connect` only.
  const socket = new Socket({ onread: { buffer: lent, callback: Boolean } } as SocketConstructorOpts)
  const named = (value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(socket).find((symbol) => Reflect.get(socket, symbol) === value)
  return [named(lent), named(Boolean)]
}

const [kBuffer, kCallback] = findProperties()

/**
 * From now on `socket` reads into `lent`, and calls `onRead` instead of emitting `data`; the last `onRead` that was given
 * counts. Answers whether that is so.
 * Not if it has octets that it would emit yet, as they would come too late; and not TLS, which may bring the next octets
 * while the last ones are still being looked at.
 */
export function readIntoLent(socket: Duplex, onRead: OnRead): boolean {
  if (kBuffer === undefined || kCallback === undefined) return false
  if (!(socket instanceof Socket) || socket instanceof TLSSocket || socket.readableLength > 0) return false
  if (Reflect.get(socket, kBuffer) !== lent) {
    const handle = Reflect.get(socket, '_handle') as Handle | null | undefined
    if (typeof handle?.useUserBuffer !== 'function') return false
    Reflect.set(socket, kBuffer, lent)
    handle.useUserBuffer(lent)
  }
  Reflect.set(socket, kCallback, onRead)
  return true
}

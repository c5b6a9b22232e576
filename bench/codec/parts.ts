/**
 * The parts that are compared: ours as it is built, and those of ws, which its `exports` hide and its files still show.
 *
 * ws is taken without its native addon: it is measured as it comes. Its names with an underscore are its own business and
 * may change; then the check before the measuring says so.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import type * as Framing from 'fullduplex/framing'
import type * as Handshake from 'fullduplex/handshake'
import type * as Deflate from '../../src/deflate/index.ts'

export interface Ours {
  readonly framing: typeof Framing
  readonly handshake: typeof Handshake
  readonly deflate: typeof Deflate
}

export interface Ws {
  readonly Receiver: new (options: WsReceiverOptions) => WsReceiver
  readonly Sender: WsSenderClass
  readonly PerMessageDeflate: new (options: object) => WsDeflate
  mask(source: Buffer, mask: Buffer, output: Buffer, offset: number, length: number): void
  unmask(bytes: Buffer, mask: Buffer): void
  isValidUTF8(bytes: Buffer): boolean
}

interface WsReceiverOptions {
  readonly isServer: boolean
  readonly maxPayload: number
  readonly maxFragments: number
  readonly maxBufferedChunks: number
}

/** The steps of its reading, with the fields that they work on. */
export interface WsReceiver extends Writable {
  _state: number
  readonly _buffers: Buffer[]
  _bufferedBytes: number
  _totalPayloadLength: number
  readonly _fin: boolean
  readonly _opcode: number
  readonly _masked: boolean
  readonly _payloadLength: number
  readonly _mask: Buffer
  getInfo(callback: () => void): void
  getPayloadLength16(callback: () => void): void
  getPayloadLength64(callback: () => void): void
  getMask(): void
}

/** What it asks of a socket. */
export interface WsSocket {
  cork(): void
  write(bytes: Buffer | string): void
  uncork(): void
}

interface WsSenderClass {
  new (socket: WsSocket): WsSender
  frame(data: Buffer, options: object): readonly (Buffer | string)[]
}

interface WsSender {
  send(data: Buffer | string, options: WsSendOptions): void
}

export interface WsSendOptions {
  readonly binary: boolean
  readonly compress: boolean
  readonly fin: boolean
  readonly mask: boolean
}

export interface WsDeflate {
  accept(offers: Record<string, unknown[]>[]): void
  compress(data: Buffer, fin: boolean, callback: (error: Error | null, result: Buffer) => void): void
  decompress(data: Buffer, fin: boolean, callback: (error: Error | null, result: Buffer) => void): void
}

/** Ours, from `dist`. */
export async function loadOurs(): Promise<Ours> {
  const load = (room: string): Promise<unknown> => import(new URL(`../../dist/${room}/index.js`, import.meta.url).href)
  const [framing, handshake, deflate] = await Promise.all(['framing', 'handshake', 'deflate'].map(load))
  return { framing, handshake, deflate } as Ours
}

export function loadWs(): Ws {
  const require = createRequire(import.meta.url)
  const folder = join(dirname(require.resolve('ws/package.json')), 'lib')
  const before = process.env['WS_NO_BUFFER_UTIL']
  process.env['WS_NO_BUFFER_UTIL'] = '1'
  try {
    const load = (name: string): unknown => require(join(folder, `${name}.js`))
    const parts = {
      Receiver: load('receiver'),
      Sender: load('sender'),
      PerMessageDeflate: load('permessage-deflate'),
      ...(load('buffer-util') as object),
      ...(load('validation') as object),
    }
    return parts as Ws
  } finally {
    // What is started later may want the addon.
    if (before === undefined) delete process.env['WS_NO_BUFFER_UTIL']
    else process.env['WS_NO_BUFFER_UTIL'] = before
  }
}

/** The receiver of `ws`, in both roles, without its WebSocket: what it throws is what that would fail the connection with. */
import { createRequire } from 'node:module'
import * as exported from 'ws'
import { MAX_FRAGMENTS, MAX_MESSAGE_SIZE, closed, event } from '../verdict.ts'
import type { Endpoint, End, Stream, Verdict } from '../verdict.ts'

const BUFFERED = '_bufferedBytes'

interface ReceiverOptions {
  readonly isServer: boolean
  readonly maxPayload: number
  readonly maxFragments: number
  readonly extensions: object
}

interface Receiver {
  /** Octets written and not used yet. */
  readonly [BUFFERED]: number
  write(chunk: Buffer, done: (error?: Error | null) => void): boolean
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this
  on(event: 'ping' | 'pong', listener: (data: Buffer) => void): this
  on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this
  on(event: 'error', listener: () => void): this
}

/** Of what it exports, that for which nobody has written types. */
interface Inner {
  readonly Receiver: new (options: ReceiverOptions) => Receiver
  readonly PerMessageDeflate: {
    readonly extensionName: string
    new (options: { readonly isServer: boolean; readonly maxPayload: number }): {
      accept(offers: readonly object[]): object
      cleanup(): void
    }
  }
}

const { Receiver, PerMessageDeflate } = exported as unknown as Inner
const { version } = createRequire(import.meta.url)('ws/package.json') as { version: string }

export const ws: Endpoint = {
  name: 'ws',
  version,
  takes: () => true,
  judge: (streams) => Promise.all(streams.map((stream) => judge(stream))),
  end: () => Promise.resolve(),
}

async function judge({ role, deflate, octets }: Stream): Promise<Verdict> {
  const isServer = role === 'server'
  const extension = deflate === 'none' ? undefined : new PerMessageDeflate({ isServer, maxPayload: MAX_MESSAGE_SIZE })
  const single = deflate === 'single' && { server_no_context_takeover: [true], client_no_context_takeover: [true] }
  extension?.accept([{ ...single }])
  const receiver = new Receiver({
    isServer,
    maxPayload: MAX_MESSAGE_SIZE,
    maxFragments: MAX_FRAGMENTS,
    extensions: extension === undefined ? {} : { [PerMessageDeflate.extensionName]: extension },
  })
  const events: string[] = []
  let end: End = 'open'
  receiver.on('message', (data, isBinary) => events.push(event(isBinary ? 'binary' : 'text', data)))
  receiver.on('ping', (payload) => events.push(event('ping', payload)))
  receiver.on('pong', (payload) => events.push(event('pong', payload)))
  receiver.on('conclude', (code, reason) => {
    end = closed(code, reason)
  })
  receiver.on('error', () => {})
  // It unmasks in place.
  const error = await new Promise<Error | null | undefined>((resolve) => {
    receiver.write(Buffer.from(octets), resolve)
  })
  if (error instanceof Error) end = `failed ${codeOf(error)}`
  extension?.cleanup()
  return { events, end, taken: octets.length - receiver[BUFFERED] }
}

/** The close code, which it keeps under a symbol of its own. */
function codeOf(error: Error): number {
  const symbol = Object.getOwnPropertySymbols(error).find(({ description }) => description === 'status-code')
  if (symbol === undefined) throw error
  return (error as unknown as Record<symbol, number>)[symbol]
}

/** WebSocket of browsers, as undici has it and as Node has it from version 22, at our server. */
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Agent, WebSocket } from 'undici'
import { serve } from '../../src/index.ts'
import type { CloseInfo, ServeOptions, ServerConnection } from '../../src/index.ts'
import { createAuthority } from '../support/certificates.ts'
import type { Authority } from '../support/certificates.ts'
import { Inbox } from '../support/inbox.ts'
import { CLOSES, LENGTHS, TEXTS, expectSame, octets } from '../support/messages.ts'

const MiB = 1_048_576

type WebSocketClass = typeof WebSocket

/** A client, and what it was told. */
interface Client {
  readonly ws: WebSocket
  readonly messages: Inbox<string | Buffer>
  readonly closed: Promise<{ readonly code: number; readonly reason: string; readonly wasClean: boolean }>
}

async function open(ws: WebSocket): Promise<Client> {
  const messages = new Inbox<string | Buffer>()
  ws.binaryType = 'arraybuffer'
  ws.addEventListener('message', ({ data }: { data: unknown }) => {
    messages.push(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer))
  })
  const closed = new Promise<{ code: number; reason: string; wasClean: boolean }>((resolve) => {
    ws.addEventListener('close', ({ code, reason, wasClean }) => resolve({ code, reason, wasClean }))
  })
  await new Promise<void>((resolve, reject) => {
    ws.addEventListener('open', () => resolve())
    ws.addEventListener('error', () => reject(new Error('It did not connect')))
  })
  return { ws, messages, closed }
}

interface Server {
  readonly port: number
  readonly opened: Inbox<ServerConnection>
  readonly closes: Inbox<CloseInfo>
}

async function server(options: ServeOptions): Promise<Server> {
  const [opened, closes] = [new Inbox<ServerConnection>(), new Inbox<CloseInfo>()]
  const started = await serve({
    host: '127.0.0.1',
    port: 0,
    maxMessageSize: 8 * MiB,
    open: (ws) => opened.push(ws),
    close: (_, info) => closes.push(info),
    ...options,
  })
  onTestFinished(() => started.shutdown({ timeout: 0 }))
  return { port: started.port ?? 0, opened, closes }
}

const echo: ServeOptions = { message: (ws, data) => ws.send(data) }
const nodes = Reflect.get(globalThis, 'WebSocket') as WebSocketClass | undefined
const classes: [string, WebSocketClass][] = [['of undici', WebSocket]]
if (nodes !== undefined) classes.push(['of Node', nodes])

describe.each(classes)('our server and the WebSocket %s', (_, Class) => {
  it('exchange text and octets of every length', async () => {
    const { port } = await server(echo)
    const { ws, messages } = await open(new Class(`ws://localhost:${port}/`))
    for (const message of [...TEXTS, ...LENGTHS.map((length) => octets(length)), octets(MiB), octets(5 * MiB)]) {
      ws.send(message)
      expectSame([await messages.next()], [message])
    }
    ws.close()
  })

  it('keep a thousand messages that were sent at once in order', async () => {
    const { port } = await server(echo)
    const { ws, messages } = await open(new Class(`ws://localhost:${port}/`))
    const sent = Array.from({ length: 1000 }, (_value, index) => (index % 3 === 0 ? octets(index) : `message ${index}`))
    for (const message of sent) ws.send(message)
    expectSame(await messages.take(1000), sent)
    ws.close()
  })

  it('understand messages that we fragmented', async () => {
    const { port, opened } = await server({ fragmentSize: 1000 })
    const { ws, messages } = await open(new Class(`ws://localhost:${port}/`))
    const ours = await opened.next()
    const sent = [...TEXTS, octets(1000), octets(1001), octets(70_000)]
    for (const message of sent) ours.send(message)
    expectSame(await messages.take(sent.length), sent)
    ws.close()
  })

  it('answer our pings', async () => {
    const pongs = new Inbox<Buffer>()
    const { port, opened } = await server({ pong: (_ws, payload) => pongs.push(payload) })
    const { ws } = await open(new Class(`ws://localhost:${port}/`))
    const ours = await opened.next()
    for (const payload of [Buffer.alloc(0), octets(125)]) {
      ours.ping(payload)
      expect(await pongs.next()).toEqual(payload)
    }
    ws.close()
  })

  // A WebSocket of browsers may send 1000 and 3000 to 4999 alone.
  it.each(CLOSES)('close with %i and %j', async (code, reason) => {
    const { port, opened, closes } = await server({})
    const { closed } = await open(new Class(`ws://localhost:${port}/`))
    // Its answer repeats the code alone.
    const info = await (await opened.next()).close(code, reason)
    expect(info).toEqual({ code, reason: '', wasClean: true, initiator: 'local' })
    expect(await closed).toEqual({ code, reason, wasClean: true })
    await closes.next()
    if (code !== 1000 && code < 3000) return
    const other = await open(new Class(`ws://localhost:${port}/`))
    other.ws.close(code, reason)
    expect(await closes.next()).toEqual({ code, reason, wasClean: true, initiator: 'peer' })
    expect(await other.closed).toEqual({ code, reason, wasClean: true })
  })

  it('close without a code, and just end', async () => {
    const { port, opened, closes } = await server({})
    const { ws, closed } = await open(new Class(`ws://localhost:${port}/`))
    ws.close()
    expect(await closes.next()).toEqual({ code: 1005, reason: '', wasClean: true, initiator: 'peer' })
    expect(await closed).toEqual({ code: 1005, reason: '', wasClean: true })
    await opened.next()
    const other = await open(new Class(`ws://localhost:${port}/`))
    ;(await opened.next()).terminate()
    expect(await other.closed).toMatchObject({ code: 1006, wasClean: false })
  })

  it('agree on a subprotocol', async () => {
    const { port, opened } = await server({ protocols: ['x', 'b', 'a'] })
    const { ws } = await open(new Class(`ws://localhost:${port}/`, ['a', 'b']))
    expect([ws.protocol, ws.extensions, (await opened.next()).protocol]).toEqual(['b', '', 'b'])
    ws.close()
  })

  it('do not lose a message to backpressure', async () => {
    const { port, opened } = await server({ highWaterMark: 100_000, maxBufferedAmount: 64 * MiB })
    const { ws, messages } = await open(new Class(`ws://localhost:${port}/`))
    const ours = await opened.next()
    const chunks = Array.from({ length: 40 }, (_value, index) => octets(250_000 + index))
    for (const chunk of chunks) if (!ours.send(chunk)) await ours.drained()
    expectSame(await messages.take(chunks.length), chunks)
    ws.close()
  })
})

describe('through TLS', () => {
  let authority: Authority
  beforeAll(async () => {
    authority = await createAuthority()
  })

  it('a WebSocket of undici talks to our server', async () => {
    const { port } = await server({ ...echo, tls: await authority.issue() })
    const dispatcher = new Agent({ connect: { ca: authority.cert } })
    onTestFinished(() => dispatcher.destroy())
    const { ws, messages, closed } = await open(new WebSocket(`wss://localhost:${port}/`, { dispatcher }))
    for (const message of [...TEXTS, octets(MiB)]) {
      ws.send(message)
      expectSame([await messages.next()], [message])
    }
    ws.close(1000, 'done')
    expect(await closed).toEqual({ code: 1000, reason: 'done', wasClean: true })
  })
})

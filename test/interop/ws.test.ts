/** The package `ws` on the other side: its clients at our server, our clients at its server. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { ClientOptions, ServerOptions } from 'ws'
import { connect, serve } from '../../src/index.ts'
import type { CloseInfo, Connection, ConnectionOptions, ServeOptions, ServerConnection } from '../../src/index.ts'
import { createAuthority } from '../support/certificates.ts'
import type { Certificate } from '../support/certificates.ts'
import { Inbox } from '../support/inbox.ts'
import { CLOSES, LENGTHS, TEXTS, expectSame, octets } from '../support/messages.ts'

const MiB = 1_048_576
const LARGE = 8 * MiB

/** A connection of ours, on either side, and what it was told. */
interface Ours {
  readonly ws: Connection
  readonly messages: Inbox<string | Buffer>
  readonly pings: Inbox<Buffer>
  readonly pongs: Inbox<Buffer>
  readonly closed: Promise<CloseInfo>
}

/** A connection of theirs, and what it was told. */
interface Theirs {
  readonly ws: WebSocket
  readonly messages: Inbox<string | Buffer>
  readonly pings: Inbox<Buffer>
  readonly pongs: Inbox<Buffer>
  readonly closed: Promise<readonly [code: number, reason: string]>
}

interface Setup {
  /** Options of our side, those that only a server has, and options of theirs. */
  readonly ours?: ConnectionOptions
  readonly serve?: Pick<ServeOptions, 'tls' | 'protocols'>
  readonly theirs?: ClientOptions & ServerOptions
  readonly offer?: string[]
  readonly echo?: boolean
}

/** Handler functions that put all they are told into inboxes, or send a message back. */
function listening(echo: boolean) {
  const [messages, pings, pongs] = [new Inbox<string | Buffer>(), new Inbox<Buffer>(), new Inbox<Buffer>()]
  const handler = {
    message: (ws: Connection, data: string | Buffer) => (echo ? ws.send(data) : messages.push(data)),
    ping: (_: Connection, payload: Buffer) => pings.push(payload),
    pong: (_: Connection, payload: Buffer) => pongs.push(payload),
  }
  return { messages, pings, pongs, handler }
}

function watch(ws: WebSocket, echo: boolean): Theirs {
  const [messages, pings, pongs] = [new Inbox<string | Buffer>(), new Inbox<Buffer>(), new Inbox<Buffer>()]
  ws.on('error', () => {})
  ws.on('message', (data: Buffer, isBinary) => {
    if (echo) ws.send(data, { binary: isBinary })
    else messages.push(isBinary ? data : data.toString())
  })
  ws.on('ping', (payload) => pings.push(payload))
  ws.on('pong', (payload) => pongs.push(payload))
  const closed = new Promise<readonly [number, string]>((resolve) => {
    ws.on('close', (code, reason) => resolve([code, reason.toString()]))
  })
  onTestFinished(() => ws.terminate())
  return { ws, messages, pings, pongs, closed }
}

async function ourServer({ ours, serve: others, theirs, offer = [], echo = false }: Setup): Promise<[Ours, Theirs]> {
  const { handler, ...inboxes } = listening(echo)
  const opened = new Inbox<ServerConnection>()
  const options = { host: '127.0.0.1', port: 0, maxMessageSize: LARGE, ...handler, ...ours, ...others }
  const server = await serve({ ...options, open: (ws) => opened.push(ws) })
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  const url = server.url.replace('127.0.0.1', 'localhost')
  const peer = watch(new WebSocket(url, offer, { maxPayload: LARGE, ...theirs }), false)
  await once(peer.ws, 'open')
  const ws = await opened.next()
  return [{ ws, ...inboxes, closed: ws.closed }, peer]
}

async function theirServer({ ours, theirs, offer = [], echo = false }: Setup): Promise<[Ours, Theirs]> {
  const { handler, ...inboxes } = listening(false)
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: LARGE, ...theirs })
  const accepted = once(server, 'connection').then(([ws]) => watch(ws as WebSocket, echo))
  await once(server, 'listening')
  onTestFinished(() => server.close())
  const { port } = server.address() as AddressInfo
  const ws = await connect(`ws://localhost:${port}`, { protocols: offer, ...handler, ...ours })
  return [{ ws, ...inboxes, closed: ws.closed }, await accepted]
}

describe.each([
  ['our server and a client of ws', ourServer],
  ['our client and a server of ws', theirServer],
])('%s', (_, pair) => {
  /** One side sends back what it gets; this is the other. */
  async function echoed(setup: Setup) {
    const [ours, theirs] = await pair({ ...setup, echo: true })
    return pair === ourServer ? theirs : ours
  }

  it('exchange text and octets of every length', async () => {
    const { ws, messages } = await echoed({})
    for (const message of [...TEXTS, ...LENGTHS.map((length) => octets(length))]) {
      ws.send(message)
      expectSame([await messages.next()], [message])
    }
    ws.terminate()
  })

  it('exchange messages of 1 MiB and of 5 MiB', async () => {
    const { ws, messages } = await echoed({})
    for (const message of [octets(MiB), 'x\u00fc'.repeat(MiB / 3), octets(5 * MiB)]) {
      ws.send(message)
      expectSame([await messages.next()], [message])
    }
    ws.terminate()
  })

  it('keep a thousand messages that were sent at once in order', async () => {
    const { ws, messages } = await echoed({})
    const sent = Array.from({ length: 1000 }, (_value, index) => (index % 3 === 0 ? octets(index) : `message ${index}`))
    for (const message of sent) ws.send(message)
    expectSame(await messages.take(1000), sent)
    ws.terminate()
  })

  it.each([
    ['with the defaults of both', true, true],
    ['that refer back to each other', { serverNoContextTakeover: false, clientNoContextTakeover: false }, true],
    ['with small windows', { serverMaxWindowBits: 9, clientMaxWindowBits: 10, serverNoContextTakeover: false }, true],
    ['as they want it', true, { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 }],
    ['as they want it, with small windows', true, { serverMaxWindowBits: 10, clientMaxWindowBits: 9, threshold: 0 }],
  ])('exchange compressed messages %s', async (_how, ours, theirs) => {
    const setup = { ours: { perMessageDeflate: ours, maxMessageSize: LARGE }, theirs: { perMessageDeflate: theirs } }
    const { ws, messages } = await echoed(setup)
    expect(ws.extensions).toMatch(/^permessage-deflate/)
    const words = Array.from({ length: 30_000 }, (_value, index) => `word ${index % 977}`)
    const texts = [10, 100, 1000, 10_000, 30_000, 30].map((count) => words.slice(0, count).join(' '))
    for (const message of [...TEXTS, ...texts, octets(2000), octets(200_000), ...texts]) {
      ws.send(message)
      expectSame([await messages.next()], [message])
    }
    for (const text of texts) ws.send(text)
    expectSame(await messages.take(texts.length), texts)
    ws.terminate()
  })

  it('understand messages that they fragmented', async () => {
    const [ours, theirs] = await pair({})
    theirs.ws.send('Gr\u00fc', { fin: false })
    theirs.ws.ping('between')
    theirs.ws.send(Buffer.from([0xc3]), { fin: false })
    theirs.ws.send(Buffer.from([0x9f]), { fin: false })
    theirs.ws.send('', { fin: false })
    theirs.ws.send('e', { fin: true })
    theirs.ws.send(octets(70_000), { fin: false })
    theirs.ws.send(octets(126), { fin: true })
    expect(await ours.messages.take(2)).toEqual(['Gr\u00fc\u00dfe', Buffer.concat([octets(70_000), octets(126)])])
    expect(await ours.pings.next()).toEqual(Buffer.from('between'))
    expect(await theirs.pongs.next()).toEqual(Buffer.from('between'))
  })

  it('understand messages that we fragmented', async () => {
    const [ours, theirs] = await pair({ ours: { fragmentSize: 1000 } })
    const sent = [...TEXTS, octets(1000), octets(1001), octets(70_000)]
    for (const message of sent) ours.ws.send(message)
    ours.ws.send(octets(300), { fragmentSize: 7 })
    expectSame(await theirs.messages.take(sent.length + 1), [...sent, octets(300)])
  })

  it('answer each other pings', async () => {
    const [ours, theirs] = await pair({})
    for (const payload of [Buffer.alloc(0), octets(1), octets(125)]) {
      ours.ws.ping(payload)
      theirs.ws.ping(payload)
      const heard = [ours.pings, ours.pongs, theirs.pings, theirs.pongs].map((inbox) => inbox.next())
      expect(await Promise.all(heard)).toEqual([payload, payload, payload, payload])
      ours.ws.pong(payload)
      theirs.ws.pong(payload)
      expect(await Promise.all([ours.pongs.next(), theirs.pongs.next()])).toEqual([payload, payload])
    }
  })

  it.each(CLOSES)('close with %i and %j, whoever begins', async (code, reason) => {
    const [ours, theirs] = await pair({})
    expect(await ours.ws.close(code, reason)).toEqual({ code, reason, wasClean: true, initiator: 'local' })
    expect(await theirs.closed).toEqual([code, reason])
    const other = await pair({})
    other[1].ws.close(code, reason)
    expect(await other[0].closed).toEqual({ code, reason, wasClean: true, initiator: 'peer' })
    expect(await other[1].closed).toEqual([code, reason])
  })

  it('close without a code, and both at once', async () => {
    const [ours, theirs] = await pair({})
    theirs.ws.close()
    expect(await ours.closed).toEqual({ code: 1005, reason: '', wasClean: true, initiator: 'peer' })
    expect(await theirs.closed).toEqual([1005, ''])
    const [our, their] = await pair({})
    their.ws.close(4001)
    expect(await our.ws.close(4002)).toMatchObject({ code: 4001, wasClean: true })
    expect((await their.closed)[0]).toBe(4002)
  })

  it('tell 1006 when one of them just ends', async () => {
    const [ours, theirs] = await pair({})
    theirs.ws.terminate()
    expect(await ours.closed).toMatchObject({ code: 1006, wasClean: false, initiator: 'network' })
    const [our, their] = await pair({})
    our.ws.terminate()
    expect(await our.closed).toEqual({ code: 1006, reason: '', wasClean: false, initiator: 'local' })
    expect(await their.closed).toEqual([1006, ''])
  })

  it('tell what the other did wrong', async () => {
    const [ours, theirs] = await pair({ ours: { maxMessageSize: 10 } })
    theirs.ws.send('x'.repeat(11))
    expect((await theirs.closed)[0]).toBe(1009)
    expect(await ours.closed).toMatchObject({ code: 1006, initiator: 'local', cause: { closeCode: 1009 } })
    const [our] = await pair({ theirs: { maxPayload: 10 } })
    our.ws.send('x'.repeat(11))
    expect(await our.closed).toMatchObject({ code: 1009, initiator: 'peer' })
  })

  it('agree on a subprotocol', async () => {
    const handleProtocols = (offers: Set<string>): string | false => (offers.has('b') ? 'b' : false)
    const [ours, theirs] = await pair({
      offer: ['a', 'b'],
      ...(pair === ourServer ? { serve: { protocols: ['x', 'b', 'a'] } } : { theirs: { handleProtocols } }),
    })
    expect([ours.ws.protocol, theirs.ws.protocol]).toEqual(['b', 'b'])
  })

  it('wait for each other: no message is lost while one of them does not read', async () => {
    const [ours, theirs] = await pair({ ours: { highWaterMark: 100_000, maxBufferedAmount: 64 * MiB } })
    const chunks = Array.from({ length: 64 }, (_value, index) => octets(250_000 + index))
    theirs.ws.pause()
    const answers = chunks.map((chunk) => ours.ws.send(chunk))
    expect(answers).toContain(false)
    expect(ours.ws.bufferedAmount).toBeGreaterThan(100_000)
    theirs.ws.resume()
    await ours.ws.drained()
    expect(ours.ws.bufferedAmount).toBeLessThan(100_000)
    expectSame(await theirs.messages.take(chunks.length), chunks)

    ours.ws.pause()
    for (const chunk of chunks) theirs.ws.send(chunk)
    theirs.ws.send('end')
    ours.ws.resume()
    expectSame(await ours.messages.take(chunks.length + 1), [...chunks, 'end'])
  })
})

describe('through TLS', () => {
  let certificate: Certificate
  let ca: string
  beforeAll(async () => {
    const authority = await createAuthority()
    certificate = await authority.issue()
    ca = authority.cert
  })

  it('a client of ws talks to our server', async () => {
    const [ours, theirs] = await ourServer({ serve: { tls: certificate }, theirs: { ca }, echo: true })
    for (const message of [...TEXTS, octets(MiB)]) {
      theirs.ws.send(message)
      expectSame([await theirs.messages.next()], [message])
    }
    theirs.ws.close(1000, 'done')
    expect(await ours.closed).toMatchObject({ code: 1000, reason: 'done', wasClean: true })
  })

  it('our client talks to a server of ws', async () => {
    const server = createSecureServer(certificate).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    new WebSocketServer({ server }).on('connection', (ws) => watch(ws, true))
    const ws = await connect(`wss://localhost:${(server.address() as AddressInfo).port}`, { tls: { ca } })
    for (const message of [...TEXTS, octets(MiB)]) {
      ws.send(message)
      for await (const back of ws) {
        expectSame([back], [message])
        break
      }
    }
    expect(await ws.close(1000)).toMatchObject({ code: 1000, wasClean: true })
  })
})

it('our client tells what a server of ws refuses it with', async () => {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: (_, done) => done(false, 401, 'log in'),
  })
  onTestFinished(() => server.close())
  await once(server, 'listening')
  const refused = connect(`ws://localhost:${(server.address() as AddressInfo).port}`)
  await expect(refused).rejects.toMatchObject({ status: 401, body: Buffer.from('log in') })
})

it('a client of ws tells what our server refuses it with', async () => {
  const upgrade = () => ({ status: 403, headers: { 'X-Why': 'late' }, body: 'closed' })
  const server = await serve({ host: '127.0.0.1', port: 0, upgrade })
  onTestFinished(() => server.shutdown())
  const ws = new WebSocket(`ws://localhost:${server.port}`)
  ws.on('error', () => {})
  const [, response] = (await once(ws, 'unexpected-response')) as [unknown, IncomingMessage]
  const body = Buffer.concat((await response.toArray()) as Buffer[]).toString()
  expect([response.statusCode, response.headers['x-why'], body]).toEqual([403, 'late', 'closed'])
})

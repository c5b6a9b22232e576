/** The opening handshake on the server's side, octet by octet as it goes over real transports. */
import { Server, createConnection } from 'node:net'
import type { Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { HandshakeError } from '../../src/errors.ts'
import type { UpgradeAnswer, UpgradeContext } from '../../src/server/handler.ts'
import type { UpgradeRequest } from '../../src/server/request.ts'
import { handshake } from '../support/heads.ts'
import type { RawClient, RawResponse } from '../support/raw-client.ts'
import { received } from '../support/wire.ts'
import { Event, Events, TCP, TLS, TRANSPORTS, UNIX, UNIX_TLS, dial as dialRaw, fakeClock, start } from './support.ts'

const ANSWER =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'
const HELLO = received('server', 0x81, 'Hello')

interface Refusal {
  readonly error: HandshakeError
  readonly request: UpgradeRequest | undefined
}

/** Keeps what `handshakeError` is told. */
function refusals(): Events<Refusal> & { handshakeError(error: Error, request: UpgradeRequest | undefined): void } {
  const events = new Events<Refusal>()
  return Object.assign(events, {
    handshakeError(error: Error, request: UpgradeRequest | undefined): void {
      if (!(error instanceof HandshakeError)) throw error
      events.push({ error, request })
    },
  })
}

/** The whole answer of a server that refuses: it says that it closes, closes, and sends nothing else. */
async function refusalOf(client: RawClient): Promise<RawResponse> {
  const answer = await client.readResponse()
  expect(answer.fields.get('connection')).toMatch(/^close(, Upgrade)?$/)
  expect(answer.fields.get('content-length')).toBe(String(Buffer.byteLength(answer.body)))
  expect(String(await client.readToEnd())).toBe('')
  expect(client.error).toBeUndefined()
  return answer
}

describe.each(TRANSPORTS)('Over $name', (transport) => {
  it('the sample of the RFC gets the sample answer, and nothing else [6455:4.2.2-01] [6455:4.2.2-12] [6455:4.2.2-i01] [6455:4.2.2-i02] [6455:4.2.2-i03] [6455:4.2.2-i04] [9110-7.8-02] [9110-15.2.2-01] [6455:10.6-01]', async () => {
    const { open } = await start({ message: (ws, data) => ws.send(data) }, transport)
    const client = await open({ Origin: 'http://server.example.com', ...(transport.secure && { Origin: undefined }) })
    expect(client.answer.text).toBe(ANSWER)
    expect(await client.write(HELLO).readText()).toBe('Hello')
  })

  it('a handshake that arrives octet by octet is answered, and so is a frame behind it [9110-5.3-03]', async () => {
    const { dial } = await start({ message: (ws, data) => ws.send(data) }, transport)
    const client = await dial()
    await client.drip(handshake())
    expect((await client.readHead()).text).toBe(ANSWER)
    await client.drip(HELLO)
    expect(await client.readText()).toBe('Hello')
  })

  it('frames in the segment of the request are delivered behind the 101 [6455:4.2.2-i05]', async () => {
    const { dial } = await start(
      {
        open: (ws) => ws.send('welcome'),
        message: (ws, data) => ws.send(data),
      },
      transport,
    )
    const client = await dial()
    client.write(Buffer.concat([Buffer.from(handshake()), HELLO, HELLO]))
    expect((await client.readHead()).text).toBe(ANSWER)
    expect(await client.readText()).toBe('welcome')
    expect(await client.readText()).toBe('Hello')
    expect(await client.readText()).toBe('Hello')
  })

  it('[V59] a refused handshake is answered whole and ended, and no later octet is looked at [9112-9.6-01] [9112-9.3-01] [6455:4.2.1-01] [6455:7.2.2-01]', async () => {
    const told = refusals()
    const { server, dial } = await start({ handshakeError: told.handshakeError }, transport)
    const client = await dial()
    client.write(`${handshake({ 'Sec-WebSocket-Version': '12' })}${handshake()}GET / HTTP/1.1\r\nHost: a\r\n\r\n`)
    const answer = await refusalOf(client)
    expect(answer.startLine).toBe('HTTP/1.1 426 Upgrade Required')
    client.write(handshake()).end()
    await client.closed
    expect(told.all).toHaveLength(1)
    expect(server.connections.size).toBe(0)
  })

  it('a client that resets at any point harms nobody', async () => {
    const { open, dial } = await start({ message: (ws, data) => ws.send(data) }, transport)
    const text = handshake()
    for (const length of [0, 1, text.length - 1, text.length]) {
      const client = await dial()
      client.write(text.slice(0, length)).reset()
      await client.closed
    }
    expect(await (await open()).write(HELLO).readText()).toBe('Hello')
  })
})

describe('A request that is refused', () => {
  const long = 'x'.repeat(9_000)
  it.each<[status: number, code: string, what: string, request: string]>([
    [400, 'ERR_WS_BAD_REQUEST', 'no Host [9112-3.2-03] [6455:4.2.1-i02]', handshake({ Host: undefined })],
    [400, 'ERR_WS_BAD_REQUEST', 'two Hosts', handshake({ Host: ['a', 'b'] })],
    [400, 'ERR_WS_BAD_REQUEST', 'a space before the colon [9112-5.1-01]', handshake({ 'X ': 'y' })],
    [400, 'ERR_WS_BAD_REQUEST', 'a folded line [9112-5.2-02]', handshake({ X: 'y\r\n z' })],
    [400, 'ERR_WS_BAD_REQUEST', 'a bare LF [9112-2.2-09] [6455:10.7-04]', handshake().replaceAll('\r\n', '\n')],
    [400, 'ERR_WS_BAD_REQUEST', 'a bare CR [9112-2.2-04]', handshake({ X: 'y\rz' })],
    [400, 'ERR_WS_BAD_REQUEST', 'a NUL [9110-5.5-01]', handshake({ X: 'y\0z' })],
    [
      400,
      'ERR_WS_BAD_REQUEST',
      'whitespace before the first field [9112-2.2-08]',
      handshake({}, 'GET / HTTP/1.1\r\n '),
    ],
    [400, 'ERR_WS_BAD_REQUEST', 'a target that is no path [6455:4.2.1-i01]', handshake({}, 'GET * HTTP/1.1')],
    [400, 'ERR_WS_BAD_REQUEST', 'a body [9110-7.8-05]', handshake({ 'Content-Length': '5' })],
    [400, 'ERR_WS_BAD_REQUEST', 'a body in chunks [9112-6.1-02]', handshake({ 'Transfer-Encoding': 'chunked' })],
    [400, 'ERR_WS_BAD_UPGRADE', 'no Connection [6455:4.2.1-i04] [9110-7.8-06]', handshake({ Connection: 'close' })],
    [400, 'ERR_WS_BAD_KEY', 'no Key [6455:4.2.1-i05]', handshake({ 'Sec-WebSocket-Key': undefined })],
    [400, 'ERR_WS_BAD_KEY', 'a short Key', handshake({ 'Sec-WebSocket-Key': 'AAAA' })],
    [400, 'ERR_WS_BAD_PROTOCOL', 'two equal subprotocols', handshake({ 'Sec-WebSocket-Protocol': 'a, a' })],
    [
      400,
      'ERR_WS_BAD_EXTENSIONS',
      'malformed extensions [6455:4.3-01]',
      handshake({ 'Sec-WebSocket-Extensions': 'a;b="' }),
    ],
    [
      403,
      'ERR_WS_ORIGIN_REFUSED',
      'another origin [6455:4.2.2-05] [6455:10.2-02]',
      handshake({ Origin: 'http://evil.example' }),
    ],
    [404, 'ERR_WS_NOT_FOUND', 'an unknown path [6455:4.2.2-07]', handshake({}, 'GET /nothing HTTP/1.1')],
    [405, 'ERR_WS_METHOD_NOT_ALLOWED', 'another method [9110-15.5.6-01]', handshake({}, 'POST /chat HTTP/1.1')],
    [414, 'ERR_WS_HEAD_TOO_LARGE', 'a long target [9112-3-03]', handshake({}, `GET /${long} HTTP/1.1`)],
    [417, 'ERR_WS_EXPECTATION_FAILED', 'Expect [9110-7.8-09]', handshake({ Expect: '100-continue' })],
    [426, 'ERR_WS_UPGRADE_REQUIRED', 'no Upgrade [6455:4.2.1-i03]', handshake({ Upgrade: undefined })],
    [426, 'ERR_WS_UPGRADE_REQUIRED', 'HTTP/1.0 [9110-7.8-07] [9110-15.2-02]', handshake({}, 'GET /chat HTTP/1.0')],
    [426, 'ERR_WS_UPGRADE_REQUIRED', 'another protocol [9110-7.8-03]', handshake({ Upgrade: 'h2c' })],
    [
      426,
      'ERR_WS_BAD_VERSION',
      'another version [9110-7.8-04] [6455:4.2.2-06] [6455:4.4-01] [6455:4.2.1-i06]',
      handshake({ 'Sec-WebSocket-Version': '8' }),
    ],
    [
      426,
      'ERR_WS_BAD_VERSION',
      'a version with a zero before it [6455:4.3-i01]',
      handshake({ 'Sec-WebSocket-Version': '013' }),
    ],
    [400, 'ERR_WS_BAD_REQUEST', 'a length that is no number [9112-6.3-04]', handshake({ 'Content-Length': '0x0' })],
    [505, 'ERR_WS_BAD_HTTP_VERSION', 'HTTP/1.2 [9112-2.3-01]', handshake({}, 'GET /chat HTTP/1.2')],
    [431, 'ERR_WS_HEAD_TOO_LARGE', 'a long field [9110-5.4-01]', handshake({ X: long })],
    [431, 'ERR_WS_HEAD_TOO_LARGE', 'many fields', handshake({ X: Array.from({ length: 100 }, () => 'y') })],
    [501, 'ERR_WS_METHOD_NOT_IMPLEMENTED', 'a long method [9112-3-02]', handshake({}, `${'M'.repeat(40)} / HTTP/1.1`)],
    [505, 'ERR_WS_BAD_HTTP_VERSION', 'HTTP/2.0', handshake({}, 'GET /chat HTTP/2.0')],
  ])('is answered with %i, and told as %s, for %s', async (status, code, _what, request) => {
    const told = refusals()
    const { dial } = await start({ path: '/chat', handshakeError: told.handshakeError })
    const answer = await refusalOf((await dial()).write(request))
    expect(answer.status).toBe(status)
    expect(answer.fields.get('allow')).toBe(status === 405 ? 'GET' : undefined)
    expect(answer.fields.get('sec-websocket-version')).toBe(status === 426 ? '13' : undefined)
    expect(answer.fields.get('upgrade')).toBe(status === 426 ? 'websocket' : undefined)
    expect(answer.fields.get('connection')).toBe(status === 426 ? 'close, Upgrade' : 'close')
    const { error } = await told.next()
    expect(error).toMatchObject({ code, status })
    expect(told.all).toHaveLength(1)
  })

  it('is answered with 400 before 404: what is no handshake is told so, whatever it asks for', async () => {
    const { dial } = await start({ path: '/chat' })
    const client = (await dial()).write(handshake({ 'Sec-WebSocket-Key': 'x' }, 'GET /nothing HTTP/1.1'))
    expect((await refusalOf(client)).status).toBe(400)
  })

  it('[A17] says nothing of what was sent in it', async () => {
    const { dial } = await start({})
    const client = (await dial()).write(handshake({ 'Sec-WebSocket-Key': 'marker' }, 'GET /marker HTTP/1.1'))
    const answer = await refusalOf(client)
    expect(answer.text + answer.body).not.toContain('marker')
  })

  it('may be half-open: the answer comes although the client has ended its side', async () => {
    const { dial } = await start({})
    const client = (await dial()).write(handshake({ Upgrade: undefined })).end()
    expect((await refusalOf(client)).status).toBe(426)
    await client.closed
  })

  it('is destroyed two seconds later if its client does not end its side', async () => {
    const pass = fakeClock()
    const { dial } = await start({})
    const client = (await dial()).write(handshake({ Upgrade: undefined }))
    await refusalOf(client)
    pass(1_900)
    await client.drip('more')
    expect(client.error).toBeUndefined()
    pass(1_100)
    // Now nobody is there any more, and the system says so.
    while (client.error === undefined) await client.drip('.').catch(() => {})
    await client.closed
  })
})

describe('An accepted request', () => {
  it.each<[what: string, request: string]>([
    ['has other cases [6455:4.2.1-i03] [9110-7.8-10]', handshake({ Upgrade: 'WebSocket', Connection: 'uPGRADE' })],
    [
      'has more in its lists [6455:4.2.1-i04]',
      handshake({ Upgrade: 'h2c, websocket', Connection: 'keep-alive, Upgrade' }),
    ],
    [
      'has fields that nobody knows [6455:4.2.1-i07] [9110-5.5-02]',
      handshake({ 'X-Unknown': 'x\xff', 'Sec-WebSocket-Other': '1' }),
    ],
    ['has an absolute target [9112-3.2.2-03]', handshake({}, 'GET http://other.example/chat HTTP/1.1')],
    ['has an empty line before it [9112-2.2-06]', `\r\n${handshake()}`],
    ['has no Origin [6455:4.2.1-02]', handshake({ Origin: undefined })],
    ['has a long target [9112-3-04]', handshake({}, `GET /chat?${'x'.repeat(8_000)} HTTP/1.1`)],
    ['has extensions that nobody speaks [6455:4.2.2-11]', handshake({ 'Sec-WebSocket-Extensions': 'x-a, x-b; c=1' })],
    ['has subprotocols that nobody speaks [6455:4.2.2-09]', handshake({ 'Sec-WebSocket-Protocol': 'a, b' })],
  ])('may be one that %s', async (_what, request) => {
    const { dial } = await start({ path: '/chat' })
    const client = (await dial()).write(request)
    expect((await client.readHead()).text).toBe(ANSWER)
  })

  it('is given one extension at most, by its registered name and with its own parameters [7692:5-07] [7692:5-09] [6455:9-04] [6455:9.1-04] [6455:9.1-05]', async () => {
    const perMessageDeflate = {
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 10,
      clientMaxWindowBits: 12,
    }
    const { dial } = await start({ perMessageDeflate })
    const offers =
      'x-frames, permessage-deflate; client_max_window_bits, permessage-deflate; server_max_window_bits=9, x-rsv1'
    const client = (await dial()).write(handshake({ 'Sec-WebSocket-Extensions': offers }))
    const { status, fields } = await client.readHead()
    expect(status).toBe(101)
    expect(fields.get('sec-websocket-extensions')).toBe(
      'permessage-deflate; server_max_window_bits=10; client_max_window_bits=12',
    )
  })

  it('may come in any order and cut [6455:4.2.1-i07]', async () => {
    const { dial } = await start({})
    const [line, ...fields] = handshake().slice(0, -4).split('\r\n')
    const text = `${[line, ...fields.toReversed()].join('\r\n')}\r\n\r\n`
    for (const cut of [3, 20, text.length - 2]) {
      const client = await dial()
      await new Promise((resolve) => client.socket.write(text.slice(0, cut), resolve))
      expect((await client.write(text.slice(cut)).readHead()).status).toBe(101)
    }
  })
})

describe('The deadline', () => {
  it.each([TCP, UNIX])(
    '[V06] [V62] ends a silent or slow client over $name with 408 [9112-8-01]',
    async (transport) => {
      const pass = fakeClock()
      const told = refusals()
      const { server, dial } = await start({ handshakeTimeout: 1_000, handshakeError: told.handshakeError }, transport)
      const silent = await dial()
      const slow = await dial()
      await slow.drip('GET / HTTP')
      pass(1_000)
      await slow.drip('/1.1\r\n')
      expect(told.all).toEqual([])
      pass(50)
      for (const client of [silent, slow]) expect((await refusalOf(client)).status).toBe(408)
      expect(told.all.map(({ error }) => error.code)).toEqual(Array(2).fill('ERR_WS_HANDSHAKE_TIMEOUT'))
      expect(server.connections.size).toBe(0)
    },
  )

  it('[V62] spans TLS: who does not bring it up in time is gone', async () => {
    const pass = fakeClock()
    const told = refusals()
    const { server, open } = await start({ handshakeTimeout: 1_000, handshakeError: told.handshakeError }, TLS)
    const socket = await connected(createConnection({ port: server.port ?? 0, host: '127.0.0.1' }))
    const over = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => {}).resume()
    // Who came before has been accepted before.
    await open()
    pass(1_100)
    await over
    expect(told.all.map(({ error }) => error.code)).toEqual(['ERR_WS_HANDSHAKE_TIMEOUT'])
  })

  it('is one for TLS and the request together', async () => {
    const pass = fakeClock()
    const { dial, open } = await start({ handshakeTimeout: 1_000 }, TLS)
    const client = await dial()
    await open()
    pass(1_100)
    expect((await refusalOf(client)).status).toBe(408)
  })

  it('spans `upgrade`, which is told by its signal, and whose answer is then ignored', async () => {
    const pass = fakeClock()
    const told = refusals()
    const { asked, upgrade, decide } = waiting()
    const { server, dial } = await start({ handshakeTimeout: 1_000, upgrade, handshakeError: told.handshakeError })
    const client = (await dial()).write(handshake())
    const { signal } = await asked.happened
    pass(1_100)
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toBe(told.all[0].error)
    expect((await refusalOf(client)).status).toBe(503)
    decide({ data: 'late' })
    await Promise.resolve()
    expect(server.connections.size).toBe(0)
    expect(told.all).toHaveLength(1)
  })
})

describe('While `upgrade` decides', () => {
  it('what the client sends is kept, and delivered in order', async () => {
    const { asked, upgrade, decide } = waiting()
    const { dial } = await start({ upgrade, message: (ws, data) => ws.send(data) })
    const client = (await dial()).write(handshake())
    await asked.happened
    await client.drip(HELLO)
    client.write(received('server', 0x81, 'again'))
    decide(undefined)
    await client.readHead()
    expect(await client.readText()).toBe('Hello')
    expect(await client.readText()).toBe('again')
  })

  it.each(['end', 'reset', 'destroy'] as const)('a client that leaves by %s aborts the signal', async (leave) => {
    const told = refusals()
    const { asked, upgrade, decide } = waiting()
    const { server, dial } = await start({ upgrade, handshakeError: told.handshakeError, maxConnections: 1 })
    const client = (await dial()).write(handshake())
    const { signal } = await asked.happened
    expect(signal.aborted).toBe(false)
    client[leave]()
    const { error, request } = await told.next()
    expect(error.code).toBe('ERR_WS_ABORTED')
    expect(request?.path).toBe('/chat')
    expect(signal.reason).toBe(error)
    decide({})
    await client.closed
    expect(server.connections.size).toBe(0)
    expect(told.all).toHaveLength(1)
  })

  it('an `upgrade` that fails because its client went is no failure', async () => {
    const told = refusals()
    const asked = new Event()
    const over = new Event()
    const { dial } = await start({
      async upgrade(_request, { signal }) {
        const aborted = new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        })
        asked.happen()
        await aborted.finally(over.happen)
      },
      handshakeError: told.handshakeError,
    })
    const client = (await dial()).write(handshake())
    await asked.happened
    await client.reset().closed
    await over.happened
    await new Promise((resolve) => setImmediate(resolve))
    expect(told.all.map(({ error }) => error.code)).toEqual(['ERR_WS_ABORTED'])
  })

  it('the signal does not abort for what `upgrade` itself answered', async () => {
    const signals: AbortSignal[] = []
    const { dial, open } = await start({
      upgrade({ path }, { signal }) {
        signals.push(signal)
        return path === '/no' ? { status: 401 } : undefined
      },
    })
    expect((await refusalOf((await dial()).write(handshake({}, 'GET /no HTTP/1.1')))).status).toBe(401)
    await open()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
  })

  it('a shutdown answers 503 and aborts the signal', async () => {
    const told = refusals()
    const { asked, upgrade, decide } = waiting()
    const { server, dial } = await start({ upgrade, handshakeError: told.handshakeError })
    const client = (await dial()).write(handshake())
    const { signal } = await asked.happened
    const down = server.shutdown()
    expect(signal.aborted).toBe(true)
    expect((await refusalOf(client)).status).toBe(503)
    client.end()
    decide({})
    await down
    expect(told.all.map(({ error }) => error.code)).toEqual(['ERR_WS_SHUTDOWN'])
  })
})

describe('What `upgrade` answers', () => {
  it.each<[what: string, answer: UpgradeAnswer<string> | Promise<UpgradeAnswer<string>>, fields: string]>([
    ['nothing', undefined, ''],
    ['a promise of nothing', Promise.resolve(), ''],
    ['an empty object', {}, ''],
    [
      'headers',
      { headers: { 'set-cookie': ['a=1', 'b=2'], 'X-Y': 'z\xff' } },
      'set-cookie: a=1\r\nset-cookie: b=2\r\nX-Y: z\xff\r\n',
    ],
    ['a promise of headers', Promise.resolve({ headers: new Map([['x', 'y']]) }), 'x: y\r\n'],
    ['a subprotocol of the client [6455:4.2.2-08]', { protocol: 'two' }, 'Sec-WebSocket-Protocol: two\r\n'],
  ])('lets the client in if it is %s', async (_what, answer, fields) => {
    const { server, open } = await start<string>({
      upgrade: (): UpgradeAnswer<string> | Promise<UpgradeAnswer<string>> => answer,
    })
    const client = await open({ 'Sec-WebSocket-Protocol': 'one, two' })
    expect(client.answer.text).toBe(ANSWER.replace(/\r\n$/, `${fields}\r\n`))
    const [ws] = server.connections
    expect(ws.protocol).toBe(fields.includes('two') ? 'two' : '')
  })

  it('is `ws.data`', async () => {
    const data = { user: 'a' }
    const { server, open } = await start({ upgrade: async () => ({ data }) })
    await open()
    expect([...server.connections][0].data).toBe(data)
  })

  it('refuses with its own status, headers and body [6455:4.2.2-03]', async () => {
    const told = refusals()
    const { dial } = await start({
      upgrade: (request) =>
        request.path === '/moved'
          ? { status: 307, headers: { Location: 'ws://elsewhere.example/' } }
          : { status: 401, headers: { 'WWW-Authenticate': 'Bearer', 'Content-Type': 'text/x' }, body: 'log in först' },
      handshakeError: told.handshakeError,
    })
    const refused = await refusalOf((await dial()).write(handshake()))
    expect(refused.text.replace(/^Date: .* GMT\r\n/m, '')).toBe(
      'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 13\r\n' +
        'WWW-Authenticate: Bearer\r\nContent-Type: text/x\r\n\r\n',
    )
    expect(refused.body).toBe('log in först')
    expect(await told.next()).toMatchObject({
      error: { code: 'ERR_WS_REFUSED', status: 401 },
      request: { path: '/chat' },
    })
    const moved = await refusalOf((await dial()).write(handshake({}, 'GET /moved HTTP/1.1')))
    expect([moved.status, moved.fields.get('location')]).toEqual([307, 'ws://elsewhere.example/'])
  })

  it('may be refused with a status that has no name [9112-4-01]', async () => {
    const { dial } = await start({ upgrade: () => ({ status: 599, body: new Uint8Array([0x6e, 0x6f]) }) })
    const answer = await refusalOf((await dial()).write(handshake()))
    expect([answer.startLine, answer.body]).toEqual(['HTTP/1.1 599 ', 'no'])
  })

  const slips = [{ statuss: 401 }, { Status: 401 }, { status: 401, data: 1 }, [], new Error('no')]
  it.each([false, null, 'yes', 1, ...slips])('is told to be no answer when it is %o', async (answer) => {
    const told = refusals()
    const { dial } = await start({
      upgrade: () => answer as unknown as undefined,
      handshakeError: told.handshakeError,
    })
    expect((await refusalOf((await dial()).write(handshake()))).status).toBe(500)
    expect((await told.next()).error.cause).toMatchObject({ code: 'ERR_WS_INVALID_ANSWER' })
  })

  const fail = (): never => {
    throw new Error('secret')
  }
  const nonsense: ReadonlyArray<[what: string, upgrade: () => unknown]> = [
    [
      'throws',
      () => {
        throw new Error('secret')
      },
    ],
    [
      'throws no error',
      () => {
        AbortSignal.abort('secret').throwIfAborted()
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
    [
      'fails with the error of another handshake',
      () => Promise.reject(new HandshakeError('ERR_X', 'secret', { status: 302 })),
    ],
    ['answers false', () => false],
    ['answers true', () => true],
    ['answers null', () => null],
    ['answers a promise of null', () => Promise.resolve(null)],
    ['answers a string', () => 'yes'],
    ['answers a function', () => () => {}],
    ['answers with status 200', () => ({ status: 200 })],
    ['answers with status 101', () => ({ status: 101 })],
    ['answers with status 99', () => ({ status: 99 })],
    ['answers with status 600', () => ({ status: 600 })],
    ['answers with status "x"', () => ({ status: 'x' })],
    ['answers with no status', () => ({ status: undefined })],
    ['answers a promise of nonsense', () => Promise.resolve({ status: 1.5 })],
    ['injects a header [9112-11.1-01]', () => ({ headers: { a: 'b\r\nSet-Cookie: c=d' } })],
    ['injects a header by its name', () => ({ headers: { 'a: b\r\nc': 'd' } })],
    ['injects a header into a refusal', () => ({ status: 401, headers: { a: 'b\nc: d' } })],
    ['sets a header of the handshake', () => ({ headers: { 'Sec-WebSocket-Accept': 'x' } })],
    ['chooses what was not offered', () => ({ protocol: 'other' })],
    ['answers a thenable that throws', () => new Proxy(Promise.resolve(), { get: fail })],
  ]
  it.each(nonsense)('is answered with 500, and told, when it %s', async (_what, upgrade) => {
    const told = refusals()
    const { server, dial } = await start({
      upgrade: upgrade as () => undefined,
      handshakeError: told.handshakeError,
      maxConnections: 1,
    })
    for (let turn = 0; turn < 2; turn++) {
      const client = (await dial()).write(handshake({ 'Sec-WebSocket-Protocol': 'one' }))
      const answer = await refusalOf(client)
      expect(answer.status).toBe(500)
      expect(answer.text + answer.body).not.toContain('secret')
      const { error, request } = await told.next()
      expect(error).toMatchObject({ code: 'ERR_WS_UPGRADE_FAILED', status: 500 })
      expect(error.cause).toBeDefined()
      expect(request?.path).toBe('/chat')
      client.end()
      await client.closed
    }
    expect(told.all).toHaveLength(2)
    expect(server.connections.size).toBe(0)
  })
})

describe('Origin and subprotocols', () => {
  const APP = 'https://app.example'
  it.each<
    [
      what: string,
      origins: 'any' | readonly string[] | ((origin: string) => boolean) | undefined,
      origin: string,
      status: number,
    ]
  >([
    ['the same host is let in by default [6455:4.2.2-04] [6455:10.2-01]', undefined, 'http://server.example.com', 101],
    ['another host is refused by default', undefined, APP, 403],
    ['null is refused by default', undefined, 'null', 403],
    ['one on the list is let in', [APP], APP, 101],
    ['one that is not on the list is refused', [APP], 'http://server.example.com', 403],
    ['one that the predicate takes is let in', (origin) => origin === APP, APP, 101],
    ['one that the predicate does not take is refused', () => false, APP, 403],
    ['any is let in if any may', 'any', 'null', 101],
  ])('%s', async (_what, origins, origin, status) => {
    const { dial } = await start({ ...(origins !== undefined && { origins }) })
    const client = (await dial()).write(handshake({ Origin: origin }))
    expect((await client.readHead()).status).toBe(status)
  })

  it('an insecure page of the same host is not let in over TLS', async () => {
    const { dial, open } = await start({}, TLS)
    const client = (await dial()).write(handshake({ Origin: 'http://server.example.com' }))
    expect((await refusalOf(client)).status).toBe(403)
    await open({ Origin: 'https://server.example.com' })
  })

  it('a predicate that throws is answered with 500', async () => {
    const { dial } = await start({
      origins: () => {
        throw new Error('secret')
      },
    })
    expect((await refusalOf((await dial()).write(handshake({ Origin: APP })))).status).toBe(500)
  })

  it.each<
    [
      what: string,
      protocols: readonly string[] | ((offers: readonly string[]) => string | undefined) | undefined,
      chosen: string | undefined,
    ]
  >([
    ['without `protocols` none is chosen [6455:4.2.2-09]', undefined, undefined],
    ['the first of the list that is offered is chosen [6455:4.2.2-08]', ['c', 'b', 'a'], 'b'],
    ['a list without any that is offered chooses none', ['c'], undefined],
    ['a chooser chooses', (offers) => offers.at(-1), 'b'],
    ['a chooser may choose none', () => undefined, undefined],
  ])('%s', async (_what, protocols, chosen) => {
    const { server, open } = await start({ ...(protocols && { protocols }) })
    const client = await open({ 'Sec-WebSocket-Protocol': 'a, b' })
    expect(client.answer.fields.get('sec-websocket-protocol')).toBe(chosen)
    expect([...server.connections][0].protocol).toBe(chosen ?? '')
  })

  it('a chooser that chooses what was not offered is answered with 500 [6455:4.2.2-08] [6455:4.2.2-10]', async () => {
    const { dial } = await start({ protocols: () => 'other' })
    const client = (await dial()).write(handshake({ 'Sec-WebSocket-Protocol': 'a' }))
    expect((await refusalOf(client)).status).toBe(500)
  })
})

describe('TLS', () => {
  it('has the opening let go of the transport below, once it is up', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    const { open } = await start({}, TLS)
    const listeners: number[] = []
    const count = (socket: Socket): number =>
      listeners.push(socket.listenerCount('error') + socket.listenerCount('close'))
    const below = new Event<Socket>()
    ;(listen.mock.contexts[0] as Server).once('connection', (socket: Socket) => {
      count(socket)
      below.happen(socket)
    })
    listen.mockRestore()
    await open()
    count(await below.happened)
    expect(listeners[0] - listeners[1]).toBe(2)
  })

  it('that does not come up ends its connection, and is told once [6455:4.2.2-02]', async () => {
    const told = refusals()
    const { server, open } = await start({ handshakeError: told.handshakeError }, TLS)
    const socket = await connected(createConnection({ port: server.port ?? 0, host: '127.0.0.1' }))
    const over = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve))
    socket.resume().write(handshake())
    await over
    const { error } = await told.next()
    expect(error).toMatchObject({ code: 'ERR_WS_ABORTED', cause: { code: 'ERR_SSL_HTTP_REQUEST' } })
    await open()
    expect(told.all).toHaveLength(1)
  })

  it('that does not come up on a Unix socket is told too', async () => {
    const told = new Events<Error>()
    const { server, open } = await start({ handshakeError: told.push }, UNIX_TLS)
    const socket = await connected(createConnection({ path: server.url.slice('wss+unix:'.length) }))
    const over = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve))
    socket.resume().write(handshake())
    await over
    expect(await told.next()).toMatchObject({ code: 'ERR_SSL_HTTP_REQUEST' })
    await open()
  })

  it('that does not come up in time on a Unix socket ends its connection', async () => {
    const told = new Events<Error>()
    const { server } = await start({ handshakeTimeout: 30, handshakeError: told.push }, UNIX_TLS)
    const client = await dialRaw({ path: server.url.slice('wss+unix:'.length) })
    expect(String(await client.readToEnd())).toBe('')
    expect(await told.next()).toMatchObject({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' })
  })

  it('is kept in mind no longer than it takes', async () => {
    const set = vi.spyOn(Map.prototype, 'set')
    onTestFinished(() => set.mockRestore())
    const { server, open } = await start({}, TLS)
    await open()
    const call = set.mock.calls.findIndex(([key]) => String(key).startsWith('127.0.0.1 '))
    const securing = set.mock.contexts[call]
    expect(securing).toHaveProperty('size', 0)
    const silent = await dialRaw({ port: server.port })
    await (await open()).destroy().closed
    expect(securing).toHaveProperty('size', 1)
    silent.destroy()
    await vi.waitFor(() => expect(securing).toHaveProperty('size', 0))
  })

  it.each(['end', 'destroy', 'resetAndDestroy'] as const)('that is left by %s is told once', async (leave) => {
    const told = refusals()
    const { server, open } = await start({ handshakeError: told.handshakeError }, TLS)
    const socket = await connected(createConnection({ port: server.port ?? 0, host: '127.0.0.1' }))
    socket.on('error', () => {}).resume()
    await open()
    socket[leave]()
    expect((await told.next()).error.code).toBe('ERR_WS_ABORTED')
    await (await open()).destroy().closed
    expect(told.all).toHaveLength(1)
  })
})

/** An `upgrade` that answers when it is told to. */
function waiting() {
  const asked = new Event<UpgradeContext>()
  const answer = new Event<UpgradeAnswer<unknown>>()
  return {
    asked,
    decide: answer.happen,
    upgrade(_request: UpgradeRequest, context: UpgradeContext): Promise<UpgradeAnswer<unknown>> {
      asked.happen(context)
      return answer.happened
    },
  }
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(socket))
  })
}

/**
 * The client's opening handshake as it goes over a transport (RFC 6455 4.1), and what the connection is good for
 * afterwards. What may go wrong is in `connect-failures.test.ts`, TLS in `connect-tls.test.ts`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect, prepare } from '../../src/client/connect.ts'
import type { ConnectOptions } from '../../src/client/connect.ts'
import type { Message } from '../../src/connection/index.ts'
import type { CloseInfo } from '../../src/errors.ts'
import { serve } from '../../src/server/index.ts'
import type { ServeOptions, WebSocketServer } from '../../src/server/index.ts'
import { acceptance, expectOpen, rawServer } from '../support/raw-server.ts'
import { frame, wire } from '../support/wire.ts'

function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fullduplex-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'socket')
}

async function server(options: ServeOptions): Promise<WebSocketServer> {
  const started = await serve({ host: '127.0.0.1', ...options })
  onTestFinished(() => started.shutdown({ timeout: 0 }))
  return started
}

/** The request that `connect` sends, as it stands on the wire. */
async function requestOf(
  resource: string | ((authority: string) => string),
  options?: ConnectOptions,
): Promise<{ text: string; authority: string }> {
  const raw = await rawServer()
  const authority = `localhost:${raw.port}`
  const controller = new AbortController()
  const uri = typeof resource === 'string' ? `ws://${authority}${resource}` : resource(authority)
  const connecting = connect(uri, { ...options, signal: controller.signal })
  const peer = await raw.accept()
  const text = await peer.readHead()
  controller.abort()
  await expect(connecting).rejects.toMatchObject({ name: 'AbortError' })
  // Nothing stood behind the request.
  expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
  return { text, authority }
}

const KEY_LINE = /^Sec-WebSocket-Key: ([A-Za-z0-9+/]{21}[AQgw]==)\r$/m

describe('the request of connect', () => {
  it('is a GET of the resource name with the fields that the RFC lists, and no other [6455:4.1-18] [6455:4.1-19] [6455:4.1-20] [6455:4.1-21] [6455:4.1-22] [6455:4.1-24] [6455:4.1-25] [6455:4.1-26] [6455:4.1-27] [6455:4.1-28] [6455:4.1-33] [6455:4.1-34]', async () => {
    const { text, authority } = await requestOf('/chat?room=1%20a')
    expect(text.replace(KEY_LINE, 'Sec-WebSocket-Key: KEY\r')).toBe(
      `GET /chat?room=1%20a HTTP/1.1\r\nHost: ${authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: KEY\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
  })

  it('names subprotocols in order of preference, and brings the fields of the user [6455:4.1-35] [6455:4.1-39]', async () => {
    const headers = { Origin: 'https://app.example', Cookie: 'sid=1', 'X-Latin': 'caf\u00e9', 'X-Two': ['a', 'b'] }
    const { text } = await requestOf('/', { protocols: ['chat.v2', 'chat.v1'], headers })
    expect(text).toContain('\r\nSec-WebSocket-Protocol: chat.v2, chat.v1\r\n')
    expect(text).toMatch(
      /13\r\nSec-WebSocket-Protocol: .*\r\nOrigin: https:\/\/app.example\r\nCookie: sid=1\r\nX-Latin: caf\u00e9\r\nX-Two: a\r\nX-Two: b\r\n\r\n$/,
    )
  })

  it('offers an extension by its registered name and with its own parameters [6455:4.1-38] [6455:9-01] [6455:9-04] [6455:9.1-04] [6455:9.1-05] [7692:5-01]', async () => {
    const perMessageDeflate = {
      serverNoContextTakeover: false,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 10,
      clientMaxWindowBits: 12,
    }
    const { text } = await requestOf('/', { perMessageDeflate })
    expect(text).toContain(
      '\r\nSec-WebSocket-Extensions: ' +
        'permessage-deflate; server_max_window_bits=10; client_no_context_takeover; client_max_window_bits=12, ' +
        'permessage-deflate; client_no_context_takeover; client_max_window_bits=12\r\n',
    )
  })

  it('[A15] has a new key every time [6455:4.1-29] [6455:4.1-30]', async () => {
    const keys = new Set<string | undefined>()
    for (let count = 0; count < 10; count++) keys.add(KEY_LINE.exec((await requestOf('/')).text)?.[1])
    expect(keys.size).toBe(10)
    expect(keys).not.toContain(undefined)
  })

  it('[V76] logs in with what stands before the @, decoded, unless told otherwise', async () => {
    const basic = (text: string): string => `\r\nAuthorization: Basic ${Buffer.from(text).toString('base64')}\r\n`
    const uri = (authority: string): string => `ws://us%40er:p%3A%C3%BC@${authority}/`
    const { text, authority } = await requestOf(uri)
    expect(text).toContain(basic('us@er:p:\u00fc'))
    expect(text).toContain(`\r\nHost: ${authority}\r\n`)
    const own = await requestOf(uri, { headers: { authorization: 'Bearer x' } })
    expect(own.text).toContain('\r\nauthorization: Bearer x\r\n')
    expect(own.text).not.toContain('Basic')
  })

  it('leaves the default port and the brackets of the host to Host [6455:4.1-23]', async () => {
    const path = socketPath()
    const raw = await rawServer({ socketPath: path })
    for (const [uri, host] of [
      ['ws://server.example', 'server.example'],
      ['ws://SERVER.example:80/', 'server.example'],
      ['ws://server.example:443/', 'server.example:443'],
      ['ws://server.example:8080', 'server.example:8080'],
      ['ws://[2001:DB8::1]/', '[2001:db8::1]'],
      ['ws://[::1]:9', '[::1]:9'],
      ['ws://127.1:81/x', '127.0.0.1:81'],
      ['ws://b\u00fccher.example/', 'xn--bcher-kva.example'],
    ]) {
      const connecting = connect(uri, { socketPath: path })
      const peer = await raw.accept()
      const head = await peer.readHead()
      expect(head).toContain(`\r\nHost: ${host}\r\n`)
      peer.write(acceptance(head))
      await expectOpen(connecting)
    }
  })

  it('[V76] does not change a URL that it is given', async () => {
    const raw = await rawServer()
    const url = new URL(`${raw.url}/a?b`)
    const before = url.href
    const connecting = connect(url)
    await raw.open()
    await expectOpen(connecting)
    expect(url.href).toBe(before)
  })

  it('is all that is sent before the answer [6455:4.1-40] [9110-7.8-08]', async () => {
    const raw = await rawServer()
    const connecting = connect(raw.url, { open: (ws) => ws.send('first') })
    const peer = await raw.accept()
    const answer = acceptance(await peer.readHead())
    for (const octet of Buffer.from(answer.slice(0, -1), 'latin1')) await peer.flush(Buffer.of(octet))
    await setImmediate()
    expect(peer.unread).toHaveLength(0)
    peer.write(answer.slice(-1))
    expect(await peer.readFrame()).toEqual({ first: 0x81, payload: Buffer.from('first') })
    await expectOpen(connecting)
  })
})

describe('the settings of clients', () => {
  it('are one object for those that follow each other with the same options', () => {
    const settingsFor = (options: ConnectOptions): unknown => prepare('ws://localhost', options).settings
    const settings = settingsFor({ perMessageDeflate: { level: 1 }, heartbeat: { interval: 1000 } })
    expect(settingsFor({ perMessageDeflate: { level: 1 }, heartbeat: { interval: 1000 }, data: undefined })).toBe(
      settings,
    )
    const others = settingsFor({ perMessageDeflate: { level: 2 }, heartbeat: { interval: 1000 } })
    expect(others).toMatchObject({ deflate: { level: 2 } })
    expect(settings).toMatchObject({ deflate: { level: 1 } })
    expect(settingsFor({ perMessageDeflate: { level: 2 }, heartbeat: { interval: 1001 } })).not.toBe(others)
  })
})

describe('connect', () => {
  it.each(['TCP', 'a Unix socket'])('meets our server over %s [6455:4.1-02] [6455:4.1-11]', async (transport) => {
    const where = transport === 'TCP' ? { port: 0 } : { socketPath: socketPath() }
    const { url } = await server({ ...where, protocols: ['echo'], message: (ws, data) => ws.send(data) })
    const options = { protocols: ['other', 'echo'], ...('socketPath' in where ? where : {}) }
    const ws = await connect('socketPath' in where ? 'ws://localhost/' : url, options)
    expect(ws.protocol).toBe('echo')
    ws.send('Hello')
    for await (const message of ws) {
      expect(message).toBe('Hello')
      break
    }
    expect(await ws.close(1000, 'done')).toEqual({ code: 1000, reason: 'done', wasClean: true, initiator: 'local' })
  })

  it('connects to IPv6 addresses', async () => {
    const { port } = await server({ port: 0, host: '::1', message: (ws, data) => ws.send(data) })
    const ws = await connect(`ws://[::1]:${port}`)
    expect(await ws.close()).toMatchObject({ code: 1005, wasClean: true })
  })

  it('has the empty string for a protocol when none was agreed upon', async () => {
    const { url } = await server({ port: 0 })
    const ws = await connect(url, { protocols: ['a'] })
    expect(ws.protocol).toBe('')
    await ws.close()
  })

  /** Frames that a server may send at once with its answer: text, fragments with a Ping between them, binary. */
  const BEHIND = Buffer.concat([
    frame(0x81, 'one'),
    frame(0x01, 'tw'),
    frame(0x89, 'ping'),
    frame(0x80, 'o'),
    frame(0x82, Buffer.alloc(300, 3)),
    frame(0x81, 'four'),
  ])
  const MESSAGES: readonly Message[] = ['one', 'two', Buffer.alloc(300, 3), 'four']

  it.each(['message', 'for await'])('hands on what came in one segment with the answer, to %s', async (consumer) => {
    const raw = await rawServer()
    const heard: Message[] = []
    const options: ConnectOptions = consumer === 'message' ? { message: (_, data) => heard.push(data) } : {}
    const connecting = connect(raw.url, options)
    const peer = await raw.open(Buffer.concat([BEHIND, frame(0x88, wire('03e8'))]))
    const ws = await connecting
    expect(await peer.readFrame()).toEqual({ first: 0x8a, payload: Buffer.from('ping') })
    expect(await peer.readFrame()).toEqual({ first: 0x88, payload: wire('03e8') })
    peer.socket.end()
    await ws.closed
    if (consumer === 'for await') for await (const message of ws) heard.push(message)
    expect(heard).toEqual(MESSAGES)
  })

  it('[A14] takes an answer, and frames behind it, octet by octet', async () => {
    const raw = await rawServer()
    const heard: Message[] = []
    const connecting = connect(raw.url, { message: (_, data) => heard.push(data) })
    const peer = await raw.accept()
    const answer = Buffer.from(acceptance(await peer.readHead()), 'latin1')
    for (const octet of Buffer.concat([answer, BEHIND.subarray(0, 40)])) await peer.flush(Buffer.of(octet))
    peer.write(BEHIND.subarray(40))
    const ws = await connecting
    await peer.readFrame()
    peer.write(frame(0x88))
    await peer.readFrame()
    peer.socket.end()
    await ws.closed
    expect(heard).toEqual(MESSAGES)
  })

  it('[A14] takes an answer that is cut anywhere', async () => {
    const raw = await rawServer()
    const length = Buffer.byteLength(acceptance(''))
    for (let at = 1; at < length + 12; at += 7) {
      const connecting = connect(raw.url)
      const peer = await raw.accept()
      const bytes = Buffer.concat([Buffer.from(acceptance(await peer.readHead()), 'latin1'), frame(0x81, 'cut')])
      await peer.flush(bytes.subarray(0, at))
      await setImmediate()
      peer.write(bytes.subarray(at))
      const ws = await connecting
      for await (const message of ws) {
        expect(message).toBe('cut')
        break
      }
      ws.terminate()
    }
  })

  it('[A14] passes over eight interim responses [9112-6.3-01] [9110-15.2-01]', async () => {
    const raw = await rawServer()
    const connecting = connect(raw.url)
    const peer = await raw.accept()
    const request = await peer.readHead()
    peer.write(`${'HTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\n'.repeat(8)}${acceptance(request)}`)
    await expectOpen(connecting)
  })

  it('[V75] takes Connection for a list, in any case [6455:4.1-42] [6455:4.1-43] [6455:4.1-i02]', async () => {
    const raw = await rawServer()
    const connecting = connect(raw.url)
    const peer = await raw.accept()
    const changes = { Upgrade: undefined, UPGRADE: 'WebSocket', Connection: 'keep-alive, UPGRADE' }
    peer.write(acceptance(await peer.readHead(), changes))
    await expectOpen(connecting)
  })

  it('calls open with its data before anything else, and settles with the same connection', async () => {
    const { url } = await server({
      port: 0,
      open: (ws) => ws.send('hi'),
      message: (ws) => void ws.close(4000, 'enough'),
    })
    const heard: unknown[] = []
    const closed = new Promise<void>((resolve) => {
      void connect<{ name: string }>(url, {
        data: { name: 'Ada' },
        open: (ws) => heard.push(['open', ws.data.name, ws.readyState]),
        message: (ws, data, isBinary) => heard.push(['message', ws.data.name, data, isBinary, ws.send('bye')]),
        close: (ws, info) => {
          heard.push(['close', ws.data.name, info])
          resolve()
        },
      }).then((ws) => heard.push(['connected', ws.data.name]))
    })
    await closed
    // The message came with the answer, or behind it.
    expect(heard).toContainEqual(['connected', 'Ada'])
    expect(heard.filter((event) => Array.isArray(event) && event[0] !== 'connected')).toEqual([
      ['open', 'Ada', 1],
      ['message', 'Ada', 'hi', false, true],
      ['close', 'Ada', { code: 4000, reason: 'enough', wasClean: true, initiator: 'peer' }],
    ])
  })

  it('delivers no message before an async open has settled', async () => {
    const raw = await rawServer()
    const heard: unknown[] = []
    let opened = (): void => {}
    const connecting = connect(raw.url, {
      open: () =>
        new Promise<void>((resolve) => {
          opened = () => {
            heard.push('opened')
            resolve()
          }
        }),
      message: (_, data) => heard.push(data),
    })
    const peer = await raw.open(Buffer.concat([frame(0x81, 'one'), frame(0x89, 'x')]))
    const ws = await connecting
    await setImmediate()
    expect(heard).toEqual([])
    opened()
    await peer.readFrame()
    expect(heard).toEqual(['opened', 'one'])
    ws.terminate()
  })

  it('takes text as octets where told to, and obeys the limits of a connection', async () => {
    const raw = await rawServer()
    const heard: unknown[] = []
    const connecting = connect(raw.url, { text: 'buffer', maxMessageSize: 3, message: (_, data) => heard.push(data) })
    const peer = await raw.open(Buffer.concat([frame(0x81, 'one'), frame(0x82, 'four')]))
    const ws = await connecting
    expect((await peer.readFrame()).payload.readUInt16BE(0)).toBe(1009)
    peer.socket.end()
    expect(await ws.closed).toMatchObject({ code: 1006, initiator: 'local', cause: { closeCode: 1009 } })
    expect(heard).toEqual([Buffer.from('one')])
  })

  it('masks what it sends, each frame with another key [6455:5.1-01] [6455:5.3-02]', async () => {
    const raw = await rawServer()
    const connecting = connect(raw.url)
    const peer = await raw.open()
    const ws = await connecting
    ws.send('Hello')
    ws.send('Hello')
    const [first, second] = [await peer.read(11), await peer.read(11)]
    for (const bytes of [first, second]) expect(bytes.subarray(0, 2)).toEqual(wire('81 85'))
    expect(first.subarray(2, 6)).not.toEqual(second.subarray(2, 6))
    ws.terminate()
  })

  it('sets TCP_NODELAY', async () => {
    const raw = await rawServer()
    const { Socket } = await import('node:net')
    const original = Socket.prototype.setNoDelay
    const asked: unknown[] = []
    Socket.prototype.setNoDelay = function setNoDelay(on) {
      asked.push(on)
      return original.call(this, on)
    }
    onTestFinished(() => {
      Socket.prototype.setNoDelay = original
    })
    const connecting = connect(raw.url)
    await raw.open()
    await expectOpen(connecting)
    expect(asked).toEqual([true])
  })
})

describe('the close of a client', () => {
  async function pair(options?: ConnectOptions) {
    const raw = await rawServer()
    const connecting = connect(raw.url, options)
    const peer = await raw.open()
    return { peer, ws: await connecting }
  }

  it('sends a Close, takes the answer, and waits for the server to end TCP [6455:7.1.2-01] [6455:5.5.1-12] [6455:7.1.1-06]', async () => {
    const { peer, ws } = await pair()
    let info: CloseInfo | undefined
    const closing = ws.close(4321, 'why').then((value) => {
      info = value
    })
    expect(await peer.readFrame()).toEqual({ first: 0x88, payload: Buffer.from('\x10\xe1why', 'latin1') })
    await peer.flush(frame(0x88, wire('03e8 6f74686572')))
    await setImmediate()
    expect([info, peer.ended]).toEqual([undefined, false])
    peer.socket.end()
    await closing
    expect(info).toEqual({ code: 1000, reason: 'other', wasClean: true, initiator: 'local' })
    expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
  })

  it('shows a reason to the application and to nobody else [6455:5.5.1-04]', async () => {
    const shown: unknown[] = []
    const streams = [process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((text) => shown.push(text) > 0),
    )
    const methods = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation((...words) => void shown.push(words)),
    )
    const warning = vi.spyOn(process, 'emitWarning').mockImplementation((text) => void shown.push(text))
    onTestFinished(() => {
      for (const spy of [...streams, ...methods, warning]) spy.mockRestore()
    })
    const { peer, ws } = await pair()
    peer.write(frame(0x88, wire('0fa0 73656372657420706c616e')))
    await peer.readFrame()
    peer.socket.end()
    expect(await ws.closed).toMatchObject({ code: 4000, reason: 'secret plan' })
    expect(shown).toEqual([])
  })

  it.each([
    ['a code and a reason', wire('0bb8 c3bc'), 3000, '\u00fc'],
    ['a code alone', wire('03e9'), 1001, ''],
    ['nothing', wire(''), 1005, ''],
  ])('answers a Close with %s by the same, and tells it', async (_, payload, code, reason) => {
    const { peer, ws } = await pair()
    peer.write(frame(0x88, payload))
    expect(await peer.readFrame()).toEqual({ first: 0x88, payload })
    peer.socket.end()
    expect(await ws.closed).toEqual({ code, reason, wasClean: true, initiator: 'peer' })
  })

  it.each([
    ['a masked frame', wire('81 85 37fa213d 7f9f4d5158'), 1002],
    ['a reserved opcode', wire('83 00'), 1002],
    ['text that is no UTF-8', wire('81 01 ff'), 1007],
    ['a Close with a code that must not be sent', wire('88 02 03ed'), 1002],
    ['a Close with half a code', wire('88 01 03'), 1002],
  ])('fails the connection at %s', async (_, bytes, code) => {
    const errors: Error[] = []
    const { peer, ws } = await pair({ error: (_ws, error) => errors.push(error) })
    peer.write(bytes)
    const { first, payload } = await peer.readFrame()
    expect([first, payload.readUInt16BE(0)]).toEqual([0x88, code])
    await peer.readEnd()
    peer.socket.end()
    const info = await ws.closed
    expect(info).toMatchObject({ code: 1006, reason: '', wasClean: false, initiator: 'local' })
    expect(errors).toEqual([info.cause])
  })

  it('is 1006 when TCP ends without a Close, by FIN or by RST', async () => {
    const { peer, ws } = await pair()
    peer.socket.end()
    expect(await ws.closed).toEqual({ code: 1006, reason: '', wasClean: false, initiator: 'network' })
    const other = await pair()
    other.peer.socket.resetAndDestroy()
    expect(await other.ws.closed).toMatchObject({ code: 1006, initiator: 'network', cause: { code: 'ECONNRESET' } })
  })

  it('is 1006 without an error when FIN comes while messages are being sent', async () => {
    const errors: Error[] = []
    const { peer, ws } = await pair({ message: () => ws.send('answer'), error: (_ws, error) => errors.push(error) })
    peer.socket.end(Buffer.concat([frame(0x81, 'last'), frame(0x81, 'words')]))
    ws.send('at the same time')
    expect(await ws.closed).toEqual({ code: 1006, reason: '', wasClean: false, initiator: 'network' })
    expect(errors).toEqual([])
    expect((await peer.readFrame()).payload.toString()).toBe('at the same time')
    expect((await peer.readFrame()).payload.toString()).toBe('answer')
  })

  it('ends a for await that waits, without an error after 1000 and 1001, with one after others', async () => {
    for (const [payload, error] of [
      [wire('03e8'), undefined],
      [wire('03e9'), undefined],
      [wire('0fa0'), { code: 'ERR_WS_CLOSED', closeCode: 4000, wasClean: true, initiator: 'peer' }],
    ] as const) {
      const { peer, ws } = await pair()
      const heard: Message[] = []
      const reading = (async () => {
        for await (const message of ws) heard.push(message)
      })()
      peer.write(Buffer.concat([frame(0x81, 'one'), frame(0x88, payload)]))
      await peer.readFrame()
      peer.socket.end()
      if (error === undefined) await reading
      else await expect(reading).rejects.toMatchObject(error)
      expect(heard).toEqual(['one'])
    }
  })
})

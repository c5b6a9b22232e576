/**
 * Opening handshakes that have brought down servers, at a server of ours: requests with too much or too little in them, names that
 * mean something to objects, bodies, other requests behind, and callbacks of TLS that throw. The rows of docs/threats.tsv.
 */
import { createServer } from 'node:net'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { UpgradeRequest } from '../../src/server/index.ts'
import { handshake, HANDSHAKE_FIELDS, OBJECT_NAMES } from '../support/heads.ts'
import { received } from '../support/wire.ts'
import { start, tlsOptions } from '../server/support.ts'

const GET = 'GET /behind HTTP/1.1\r\nHost: a\r\n\r\n'

describe('A server', () => {
  it('[V50] answers 101 up to 100 fields and 431 beyond, whatever their number up to 200', async () => {
    const { dial } = await start({})
    for (let count = HANDSHAKE_FIELDS.length; count <= 200; count++) {
      const more = Array.from({ length: count - HANDSHAKE_FIELDS.length }, (_, n) => [`X-${n}`, 'x'] as const)
      const client = await dial()
      // The fields that matter stand behind the others, where they would be dropped.
      const [host, ...others] = HANDSHAKE_FIELDS
      const lines = [host, ...more, ...others].map(([name, value]) => `${name}: ${value}\r\n`)
      const { status } = await client.write(`GET / HTTP/1.1\r\n${lines.join('')}\r\n`).readHead()
      expect([count, status]).toEqual([count, count <= 100 ? 101 : 431])
      client.destroy()
    }
  })

  it('[V58] opens nothing without every one of the things that make a handshake, in any combination', async () => {
    const { dial, server } = await start({})
    const names = HANDSHAKE_FIELDS.map(([name]) => name)
    const versions = ['7', '8', '13']
    for (let without = 1; without < 1 << names.length; without++) {
      for (const version of versions) {
        const changes: Record<string, string | undefined> = { 'Sec-WebSocket-Version': version }
        for (const [index, name] of names.entries()) if ((without >> index) & 1) changes[name] = undefined
        const client = (await dial()).write(handshake(changes))
        const { status } = await client.readHead()
        expect([without, version, status]).toEqual([without, version, expect.toBeOneOf([400, 426])])
        client.destroy()
      }
    }
    expect(server.connections.size).toBe(0)
  })

  it('[V53] takes names that mean something to objects for names, wherever they stand', async () => {
    const before = { keys: Reflect.ownKeys(Object.prototype), array: Reflect.ownKeys(Array.prototype) }
    const seen: UpgradeRequest[] = []
    const { open } = await start({
      protocols: ['chat'],
      perMessageDeflate: true,
      upgrade: (request) => void seen.push(request),
    })
    for (const name of OBJECT_NAMES) {
      const { answer } = await open(
        {
          [`x${name}`]: 'plain',
          ...Object.fromEntries([[name, 'field']]),
          'Sec-WebSocket-Extensions': `${name}, x; ${name}, x; ${name}=${name}`,
          'Sec-WebSocket-Protocol': name,
          Cookie: `${name}=1; a=${name}`,
        },
        `GET /?${name}=1 HTTP/1.1`,
      )
      expect([name, answer.fields.get('sec-websocket-protocol')]).toEqual([name, undefined])
      const request = seen.at(-1)
      expect(request?.headers.get(name)).toBe('field')
      expect(request?.headers.get('y')).toBeUndefined()
      expect(request?.protocols).toEqual([name])
      expect(request?.extensions.map(({ name: offered }) => offered)).toEqual([name, 'x', 'x'])
      expect(request?.cookies.get(name)).toBe('1')
      expect(request?.query.get(name)).toBe('1')
    }
    expect({ keys: Reflect.ownKeys(Object.prototype), array: Reflect.ownKeys(Array.prototype) }).toEqual(before)
  })

  it.each(['Sec-WebSocket-Protocol', 'Sec-WebSocket-Extensions', 'Sec-WebSocket-Key', 'Upgrade', 'Connection'])(
    '[V55] answers 400 or 426 to octets above 0x7F in %s',
    async (field) => {
      const { dial, open } = await start({ protocols: ['chat'], perMessageDeflate: true })
      for (let octet = 0x80; octet <= 0xff; octet++) {
        const client = (await dial()).write(handshake({ [field]: `a${String.fromCharCode(octet)}` }))
        const { status } = await client.readHead()
        expect([octet, status]).toEqual([octet, field === 'Upgrade' ? expect.toBeOneOf([400, 426]) : 400])
        client.destroy()
      }
      await open()
    },
  )

  it('[V56] refuses a request with a large body, and reads no more of that than what a socket holds', async () => {
    const { dial, open, server } = await start({})
    const client = await dial()
    client.write(handshake({ 'Content-Length': String(1 << 30) }))
    const { status, fields } = await client.readHead()
    expect([status, fields.get('connection')]).toEqual([400, 'close'])
    const chunk = Buffer.alloc(1 << 20)
    const before = process.memoryUsage().arrayBuffers
    for (let sent = 0; sent < 16 && !client.socket.destroyed; sent++) client.write(chunk)
    client.end()
    await client.closed
    await open()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
    expect(server.connections.size).toBe(1)
  })

  it.each([
    { 'Content-Length': '1' },
    { 'Content-Length': '33' },
    { 'Content-Length': '+0' },
    { 'Content-Length': '0, 5' },
    { 'Content-Length': ['0', '5'] },
    { 'Transfer-Encoding': 'chunked' },
    { 'Transfer-Encoding': 'identity' },
    { 'Transfer-Encoding': 'gzip, chunked' },
    { 'Content-Length': '0', 'Transfer-Encoding': 'chunked' },
  ])('[V57] [V59] ends behind %o with one answer: what follows is no body, no frame and no request', async (fields) => {
    const requests: string[] = []
    const { dial } = await start({
      upgrade: ({ path }) => void requests.push(path),
      message: (ws, data) => ws.send(data),
    })
    for (const behind of [GET, handshake({}, 'GET /behind HTTP/1.1'), received('server', 0x81, 'Hello')]) {
      const client = (await dial()).write(
        Buffer.concat([Buffer.from(handshake(fields)), Buffer.from(behind as string, 'latin1')]),
      )
      const { status } = await client.readResponse()
      expect(status).toBeOneOf([400, 501])
      client.end()
      expect(await client.readToEnd()).toEqual(Buffer.alloc(0))
    }
    expect(requests).toEqual([])
  })

  it('[V59] answers a version that it does not speak, and never reads the request behind it', async () => {
    const requests: string[] = []
    const { dial } = await start({ upgrade: ({ path }) => void requests.push(path) })
    for (const behind of [GET, handshake({}, 'GET /behind HTTP/1.1')]) {
      const client = (await dial()).write(handshake({ 'Sec-WebSocket-Version': '777' }) + behind)
      const { status, fields } = await client.readResponse()
      expect([status, fields.get('connection'), fields.has('content-length')]).toEqual([426, 'close, Upgrade', true])
      client.write(behind).end()
      expect(await client.readToEnd()).toEqual(Buffer.alloc(0))
    }
    expect(requests).toEqual([])
  })

  it('[V68] connects to nobody whom an absolute target names', async () => {
    let reached = 0
    const other = createServer(() => reached++).listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const paths: string[] = []
    const { open } = await start({ upgrade: ({ path }) => void paths.push(path) })
    await open({}, `GET http://127.0.0.1:${port}/secret?x HTTP/1.1`)
    await open({}, `GET https://127.0.0.1:${port}/ HTTP/1.1`)
    expect({ reached, paths }).toEqual({ reached: 0, paths: ['/secret', '/'] })
  })
})

describe('A server of TLS', () => {
  it.each([
    [
      'SNICallback throws',
      {
        SNICallback: () => {
          throw new Error('on purpose')
        },
      },
    ],
    ['SNICallback fails', { SNICallback: (_: string, done: (error: Error) => void) => done(new Error('on purpose')) }],
    [
      'SNICallback answers nonsense',
      { SNICallback: (_: string, done: (e: null, c: never) => void) => done(null, {} as never) },
    ],
    [
      'ALPNCallback throws',
      {
        ALPNCallback: () => {
          throw new Error('on purpose')
        },
      },
    ],
    ['ALPNCallback answers what was not offered', { ALPNCallback: () => 'nonsense' }],
  ])('[V65] loses one connection when its %s, and serves those for whom it does not', async (_, callbacks) => {
    const { server: certificate, client: trust } = await tlsOptions()
    const told: unknown[] = []
    const { server } = await start({
      host: '127.0.0.1',
      tls: { ...certificate, ...callbacks },
      handshakeError: (error) => void told.push(error),
    })
    const port = server.port ?? 0
    for (let n = 0; n < 3; n++) {
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        ALPNProtocols: ['http/1.1'],
        ...trust,
      })
      await new Promise((resolve) => socket.on('error', () => {}).once('close', resolve))
    }
    // Without a name and without ALPN neither of them is asked.
    const socket = connectTls({ port, host: '127.0.0.1', checkServerIdentity: () => undefined, ...trust })
    await once(socket, 'secureConnect')
    socket.write(handshake())
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1.1 101 /)
    socket.destroy()
    expect(told).toHaveLength(3)
  })
})

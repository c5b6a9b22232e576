/** Handlers on servers that exist already: node:http, node:https, and the frameworks on top of them. */
import { createServer } from 'node:http'
import type { Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import express from 'express'
import fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { attach } from '../../src/server/attach.ts'
import { createHandler } from '../../src/server/handler.ts'
import type { HandlerOptions } from '../../src/server/handler.ts'
import { handshake } from '../support/heads.ts'
import type { RawClient } from '../support/raw-client.ts'
import { received } from '../support/wire.ts'
import { dial, listenHttp, tlsOptions } from './support.ts'

const HELLO = received('server', 0x81, 'Hello')
const GET = 'GET /page HTTP/1.1\r\nHost: a\r\n\r\n'

/** A handler that says who it is, and then repeats what it hears. */
function named(name: string, options: HandlerOptions = {}) {
  return createHandler({ ...options, open: (ws) => ws.send(name), message: (ws, data) => ws.send(data) })
}

/** Who answers an opening handshake at this path: the name of the handler, or the status. */
async function whoServes(port: number, path: string): Promise<string | number> {
  const client = (await dial({ port })).write(handshake({}, `GET ${path} HTTP/1.1`))
  const { status } = await client.readHead()
  const answer = status === 101 ? await client.readText() : status
  await client.destroy().closed
  return answer
}

async function expectEcho(client: RawClient): Promise<void> {
  client.write(Buffer.concat([Buffer.from(handshake()), HELLO]))
  expect((await client.readHead()).status).toBe(101)
  expect(await client.readText()).toBe('chat')
  expect(await client.readText()).toBe('Hello')
  expect(await client.write(HELLO).readText()).toBe('Hello')
}

describe('attach', () => {
  it('serves WebSocket on a server of node:http, which goes on serving what it served', async () => {
    const http = createServer((_request, response) => response.end('page'))
    attach(http, named('chat', { path: '/chat' }))
    const port = await listenHttp(http)
    await expectEcho(await dial({ port }))
    const client = await dial({ port })
    expect((await client.write(GET).readResponse()).body).toBe('page')
    // Later on the same connection.
    await expectEcho(client)
  })

  it('serves WebSocket on a server of node:https', async () => {
    const { server, client } = await tlsOptions()
    const https = createHttpsServer(server, (_request, response) => response.end('page'))
    const secure: boolean[] = []
    const handler = named('chat', {
      upgrade: (request) => {
        secure.push(request.secure)
        expect(request.remoteAddress).toBe('127.0.0.1')
      },
    })
    attach(https, handler)
    const port = await listenHttp(https)
    await expectEcho(await dial({ port, tls: client }))
    expect((await (await dial({ port, tls: client })).write(GET).readResponse()).body).toBe('page')
    expect(secure).toEqual([true])
  })

  it('serves WebSocket beside Express', async () => {
    const app = express()
    app.get('/page', (_request, response) => void response.send('page'))
    const http = createServer(app)
    attach(http, named('chat', { path: '/chat' }))
    const port = await listenHttp(http)
    await expectEcho(await dial({ port }))
    expect((await (await dial({ port })).write(GET).readResponse()).body).toBe('page')
  })

  it('serves WebSocket beside Fastify', async () => {
    const app = fastify()
    app.get('/page', async () => 'page')
    const handler = named('chat', { path: '/chat' })
    attach(app.server, handler)
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(async () => {
      await handler.shutdown({ timeout: 0 })
      await app.close()
    })
    const { port } = app.server.address() as { port: number }
    await expectEcho(await dial({ port }))
    const client = await dial({ port })
    expect((await client.write(GET).readResponse()).body).toBe('page')
    client.destroy()
  })

  it('finds the handler of the path, and answers 404 where there is none [6455:4.2.2-07]', async () => {
    const http = createServer()
    attach(http, [named('chat', { path: '/chat' }), named('game', { path: '/game' })])
    const port = await listenHttp(http)
    expect(await whoServes(port, '/chat')).toBe('chat')
    expect(await whoServes(port, '/game?level=1')).toBe('game')
    expect(await whoServes(port, 'http://other.example/game')).toBe('game')
    for (const path of ['/', '/chat/', '/CHAT', '/game/1', '*', 'x']) {
      expect([path, await whoServes(port, path)]).toEqual([path, path.startsWith('/') ? 404 : 400])
    }
  })

  it('lets several that were attached apart serve together, and one of them answers for all', async () => {
    const http = createServer()
    const detachChat = attach(http, named('chat', { path: '/chat' }))
    const detachGame = attach(http, named('game', { path: '/game' }))
    const port = await listenHttp(http)
    expect(await whoServes(port, '/chat')).toBe('chat')
    expect(await whoServes(port, '/game')).toBe('game')
    expect(await whoServes(port, '/nothing')).toBe(404)
    detachChat()
    detachChat()
    expect(await whoServes(port, '/chat')).toBe(404)
    expect(await whoServes(port, '/game')).toBe('game')
    detachGame()
    expect(http.listenerCount('upgrade')).toBe(0)
    attach(http, named('again'))
    expect(await whoServes(port, '/chat')).toBe('again')
  })

  it('leaves a path that it does not serve to others who listen', async () => {
    const http = createServer()
    http.on('upgrade', (request, socket) => {
      if (request.url === '/other') socket.end('HTTP/1.1 299 Other\r\n\r\n')
    })
    attach(http, named('chat', { path: '/chat' }))
    const port = await listenHttp(http)
    expect(await whoServes(port, '/other')).toBe(299)
    expect(await whoServes(port, '/chat')).toBe('chat')
  })

  it('keeps the handler whose path is not given for all', async () => {
    const http = createServer()
    attach(http, [named('chat', { path: '/chat' }), named('all')])
    const port = await listenHttp(http)
    expect(await whoServes(port, '/chat')).toBe('chat')
    expect(await whoServes(port, '/else')).toBe('all')
  })

  it('refuses a request that is no handshake, and one whose version of HTTP it does not know', async () => {
    const http = createServer()
    const told: unknown[] = []
    attach(http, named('chat', { handshakeError: (error, request) => told.push([error.message, request?.path]) }))
    const port = await listenHttp(http)
    for (const [status, text] of [
      [426, handshake({ 'Sec-WebSocket-Version': '8' })],
      [426, handshake({ Upgrade: 'h2c' })],
      [400, handshake({ 'Content-Length': '3' })],
      [505, handshake({}, 'GET / HTTP/2.0')],
      [431, handshake({ X: Array.from({ length: 200 }, () => 'y') })],
    ] as const) {
      const client = (await dial({ port })).write(`${text}GET / HTTP/1.1\r\nHost: a\r\n\r\n`)
      const answer = await client.readResponse()
      expect([answer.status, answer.fields.get('connection')?.startsWith('close')]).toEqual([status, true])
      expect(String(await client.readToEnd())).toBe('')
    }
    expect(told).toHaveLength(5)
  })

  it.each<[unknown]>([[[]], [[{}]], [[undefined]], [new Set()]])(
    'throws a TypeError for the handlers %o',
    (handlers) => {
      const http: HttpServer = createServer()
      expect(() => attach(http, handlers as [])).toThrow(TypeError)
      expect(http.listenerCount('upgrade')).toBe(0)
    },
  )
})

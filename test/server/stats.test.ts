/** The figures of a server: that they add up. */
import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { attach, createHandler } from '../../src/server/index.ts'
import { Refusals } from '../../src/server/stats.ts'
import { connect } from '../../src/client/index.ts'
import { handshake } from '../support/heads.ts'
import { received } from '../support/wire.ts'
import { next } from '../tap/support.ts'
import { Event, dial, listenHttp, start } from './support.ts'

const NOTHING = {
  uptime: expect.any(Number),
  connections: 0,
  pendingHandshakes: 0,
  bufferedAmount: 0,
  opened: 0,
  closed: 0,
  refused: {},
  messagesReceived: 0,
  messagesSent: 0,
  octetsReceived: 0,
  octetsSent: 0,
}

describe('WebSocketServer.stats', () => {
  it('is all zeros in the beginning, but for the time', async () => {
    const { server } = await start({ message: () => {} })
    const first = server.stats()
    expect(first).toEqual(NOTHING)
    expect(first.uptime).toBeGreaterThan(0)
    expect(server.stats().uptime).toBeGreaterThan(first.uptime)
  })

  it('counts connections, messages, and octets with their headers', async () => {
    const ended = new Event()
    const { server, open } = await start({
      message: (ws, data) => ws.send(data),
      close: () => setImmediate(ended.happen),
    })
    const client = await open()
    const frame = received('server', 0x81, 'Hello')
    client.write(Buffer.concat([frame, received('server', 0x89, 'p'), frame]))
    for (let i = 0; i < 3; i++) await client.readFrame()
    const received1 = 2 * frame.length + 7
    expect(server.stats()).toEqual({
      ...NOTHING,
      connections: 1,
      opened: 1,
      messagesReceived: 2,
      messagesSent: 2,
      octetsReceived: received1,
      octetsSent: 2 * 7 + 3,
    })
    await open()
    expect(server.broadcast('all')).toBe(2)
    await client.readFrame()
    expect(server.stats()).toMatchObject({ connections: 2, opened: 2, messagesSent: 4, octetsSent: 17 + 2 * 5 })
    client.destroy()
    await ended.happened
    expect(server.stats()).toMatchObject({ connections: 1, opened: 2, closed: 1, octetsReceived: received1 })
  })

  it('does not count a message that was not accepted, and octets that did not leave', async () => {
    const ended = new Event()
    const { server, open } = await start({
      message(ws) {
        ws.send('lost')
        ws.terminate()
        ws.send('refused')
      },
      close: () => setImmediate(ended.happen),
    })
    const client = await open()
    client.write(received('server', 0x81, 'go'))
    await ended.happened
    expect(server.stats()).toMatchObject({ messagesReceived: 1, messagesSent: 1, octetsSent: 0 })
  })

  it('counts what was early, and nothing of the answer in front of what is sent', async () => {
    const opened = new Event()
    const { server, dial: dialServer } = await start({ open: () => setImmediate(opened.happen), message: () => {} })
    const client = await dialServer()
    client.write(Buffer.concat([Buffer.from(handshake()), received('server', 0x81, 'early')]))
    await client.readHead()
    await opened.happened
    expect(server.stats()).toMatchObject({ messagesReceived: 1, octetsReceived: 11, octetsSent: 0 })
  })

  it('tells what waits to be sent', async () => {
    const { server, open } = await start({ maxBufferedAmount: Infinity, message: () => {} })
    const client = await open()
    client.socket.pause()
    const [ws] = server.connections
    while (ws.bufferedAmount === 0) ws.send(Buffer.alloc(1_000_000))
    expect(server.stats().bufferedAmount).toBe(ws.bufferedAmount)
  })

  it('counts refusals by status, and handshakes under way', async () => {
    const asked = new Event()
    const { server, dial: dialServer } = await start({
      path: '/served',
      message: () => {},
      async upgrade(request) {
        if (request.query.has('wait')) {
          asked.happen()
          await new Promise(() => {})
        }
        return { status: 401 }
      },
    })
    const ask = async (head: string): Promise<number> => (await (await dialServer()).write(head).readHead()).status
    expect(await ask(handshake({}, 'GET /served HTTP/1.1'))).toBe(401)
    expect(await ask(handshake({}, 'GET /served HTTP/1.1'))).toBe(401)
    expect(await ask(handshake({}, 'GET /other HTTP/1.1'))).toBe(404)
    expect(await ask('nonsense\r\n\r\n')).toBe(400)
    const waiting = await dialServer()
    waiting.write(handshake({}, 'GET /served?wait HTTP/1.1'))
    await asked.happened
    expect(server.stats()).toMatchObject({ pendingHandshakes: 1, refused: { 400: 1, 401: 2, 404: 1 }, opened: 0 })
    waiting.destroy()
    await expect.poll(() => server.stats().pendingHandshakes).toBe(0)
    expect(server.stats().refused).toEqual({ 400: 1, 401: 2, 404: 1, none: 1 })
  })

  it('adds up all paths, each of which has its own', async () => {
    const one = createHandler({ message: () => {} })
    const two = createHandler({ message: () => {}, upgrade: () => ({ status: 403 }) })
    const { server, open } = await start({ routes: { '/one': one, '/two': two } })
    await open({}, 'GET /one HTTP/1.1')
    await expect(open({}, 'GET /two HTTP/1.1')).rejects.toThrow('403')
    expect(one.stats()).toEqual({ ...NOTHING, connections: 1, opened: 1 })
    expect(two.stats()).toEqual(NOTHING)
    expect(server.stats()).toEqual({ ...NOTHING, connections: 1, opened: 1, refused: { 403: 1 } })
  })

  it('is what a handler that is attached to another server has, too', async () => {
    const handler = createHandler({ path: '/here', message: (ws, data) => ws.send(data) })
    const http = createServer()
    attach(http, handler)
    const port = await listenHttp(http)
    const client = await dial({ port })
    expect((await client.write(handshake({}, 'GET /there HTTP/1.1')).readHead()).status).toBe(404)
    const ws = await connect(`ws://127.0.0.1:${port}/here`)
    ws.send('Hello')
    expect(await next(ws)).toBe('Hello')
    expect(handler.stats()).toMatchObject({ connections: 1, messagesReceived: 1, refused: { 404: 1 } })
    await ws.close()
    await handler.shutdown()
    expect(handler.stats()).toMatchObject({ connections: 0, opened: 1, closed: 1 })
  })
})

describe('Refusals', () => {
  it('counts what has no status, whatever it is', () => {
    const refusals = new Refusals()
    refusals.add(new Error('TLS could not be set up'))
    refusals.add(new Error('TLS could not be set up'))
    expect([...refusals.byStatus]).toEqual([['none', 2]])
  })
})

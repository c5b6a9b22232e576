/** A tap on all connections of a server, those that come later included. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createHandler } from '../../src/server/index.ts'
import type { TappedFrame } from '../../src/connection/index.ts'
import type { ServerConnection } from '../../src/server/index.ts'
import { received } from '../support/wire.ts'
import { Events, start } from './support.ts'

type Told = TappedFrame<ServerConnection<string>>

/** `one in Hello`: whose, which way, what. */
function line({ connection, direction, payload }: Told): string {
  return `${connection.data} ${direction} ${payload.toString('latin1')}`
}

describe('WebSocketServer.tap', () => {
  it('is told the frames of those who are there and of those who come, and of nobody once it is removed', async () => {
    const { server, open } = await start<string>({
      upgrade: (request) => ({ data: request.path.slice(1) }),
      open: (ws) => void (ws.data === 'two' && ws.send('welcome')),
      message: (ws, data) => ws.send(data),
    })
    const one = await open({}, 'GET /one HTTP/1.1')
    const told = new Events<string>()
    const remove = server.tap((frame) => told.push(line(frame)))
    one.write(received('server', 0x81, 'a'))
    expect([await told.next(), await told.next()]).toEqual(['one in a', 'one out a'])
    const two = await open({}, 'GET /two HTTP/1.1')
    expect(await told.next()).toBe('two out welcome')
    two.write(received('server', 0x81, 'b'))
    expect([await told.next(), await told.next()]).toEqual(['two in b', 'two out b'])
    server.broadcast('all')
    expect([await told.next(), await told.next()]).toEqual(['one out all', 'two out all'])
    remove()
    remove()
    const three = await open({}, 'GET /three HTTP/1.1')
    for (const client of [one, two, three]) {
      client.write(received('server', 0x81, 'unseen'))
      while ((await client.readFrame()).payload.toString() !== 'unseen');
    }
    expect(told.all).toHaveLength(7)
  })

  it('takes all paths, and a handler its own', async () => {
    const chat = createHandler<string>({ upgrade: () => ({ data: 'chat' }), message: () => {} })
    const game = createHandler<string>({ upgrade: () => ({ data: 'game' }), message: () => {} })
    const { server, open } = await start({ routes: { '/chat': chat, '/game': game } })
    const all = new Events<string>()
    const chats = new Events<string>()
    server.tap((frame) => all.push(line(frame as Told)), { maxPayload: 1 })
    chat.tap((frame) => chats.push(line(frame)))
    ;(await open({}, 'GET /game HTTP/1.1')).write(received('server', 0x81, 'one'))
    expect(await all.next()).toBe('game in o')
    ;(await open({}, 'GET /chat HTTP/1.1')).write(received('server', 0x81, 'two'))
    expect(await all.next()).toBe('chat in t')
    expect(await chats.next()).toBe('chat in two')
    expect(chats.all).toHaveLength(1)
  })

  it('reports a tap that throws once, and removes it from all connections', async () => {
    const warnings: unknown[] = []
    const spy = vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(warning))
    onTestFinished(() => spy.mockRestore())
    const { server, open } = await start({ message: (ws, data) => ws.send(data) })
    const mistake = new Error('a mistake')
    const tap = vi.fn<() => void>(() => {
      throw mistake
    })
    const one = await open()
    const two = await open()
    server.tap(tap)
    const three = [one, two, await open()]
    for (const client of three) {
      client.write(received('server', 0x81, 'a'))
      expect((await client.readFrame()).payload.toString()).toBe('a')
    }
    const late = await open()
    late.write(received('server', 0x81, 'a'))
    expect((await late.readFrame()).payload.toString()).toBe('a')
    expect(tap).toHaveBeenCalledTimes(1)
    expect(warnings).toEqual([mistake])
  })

  it('refuses what is no tap', async () => {
    const { server } = await start({ message: () => {} })
    expect(() => server.tap(1 as never)).toThrow(expect.objectContaining({ code: 'ERR_WS_INVALID_OPTION' }))
  })
})

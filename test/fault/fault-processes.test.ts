/**
 * Peers that the system ends, or stops, in the middle of what they are doing (goal G12): SIGKILL, after which nobody says a
 * word any more, and SIGSTOP with a SIGCONT after it, which must not be mistaken for an end.
 */
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect, serve } from '../../src/index.ts'
import type { CloseInfo, ServeOptions, ServerConnection, WebSocketServer } from '../../src/index.ts'
import { FaultPeers } from './support/fault-peers.ts'
import { sizes } from './support/fault-sizes.ts'

const SECOND = 1000
const { killed, connectionsOfKilled: each, stopped } = sizes
const PATIENCE = { interval: 500, timeout: stopped + 5 * SECOND }

async function served(options: ServeOptions): Promise<WebSocketServer> {
  const server = await serve({ host: '127.0.0.1', ...options })
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  return server
}

function codeOf(error: unknown): string {
  return String(Reflect.get(Object(error), 'code'))
}

/** Milliseconds until all of `ends` have settled. */
async function timeOf(ends: Iterable<Promise<unknown>>): Promise<number> {
  const began = performance.now()
  await Promise.all(ends)
  return performance.now() - began
}

/** A message that is never over. */
async function* beginning(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(1000)
  await new Promise(() => {})
}

const ENDED = { code: 1006, wasClean: false, initiator: 'network' }

describe('Peers that are killed', () => {
  const timeout = 60 * SECOND + killed * each * 20
  it(`in mid-message, ${killed} times ${each}, are missed by their server at once`, { timeout }, async () => {
    const infos: CloseInfo[] = []
    const lost: Promise<unknown>[] = []
    let begun = 0
    let cut = 0
    let allBegun = (): void => {}
    /** What was told of a message that is cut is no message. */
    const follow = async (ws: ServerConnection): Promise<void> => {
      try {
        for await (const message of ws.messages({ stream: true })) {
          for await (const part of message) if (part.length > 0 && ++begun === killed * each) allBegun()
        }
      } catch {
        cut++
      }
    }
    const server = await served({
      open: (ws) => void lost.push(ws.closed, follow(ws)),
      close: (_ws, info) => void infos.push(info),
    })
    const begin = new Promise<void>((resolve) => {
      allBegun = resolve
    })
    const peers = Array.from(
      { length: killed },
      () => new FaultPeers({ connect: {}, url: `ws://127.0.0.1:${server.port}/`, count: each }),
    )
    await Promise.all(peers.map((peer) => peer.opened()))
    expect(server.connections.size).toBe(killed * each)
    for (const peer of peers) {
      peer.order({ pause: true })
      peer.order({ begin: true })
    }
    await begin
    const large = Buffer.alloc(12_000_000)
    // Half of them are in the middle of one of ours, too, more of which waits than any system takes.
    const promises = [...server.connections].flatMap((ws, index) => {
      if (index % 2 === 0) return []
      ws.send(large)
      return [ws.drained(), ws.sendStream(beginning())].map((promise) => promise.then(String, codeOf))
    })
    await Promise.all(peers.map((peer) => peer.kill()))
    const took = await timeOf(lost)
    expect(took).toBeLessThan(5 * SECOND)
    if (killed > 3) console.log(`${killed * each} killed peers were missed within ${took.toFixed(0)} ms`)
    expect([infos.length, cut]).toEqual([killed * each, killed * each])
    for (const info of infos) expect(info).toMatchObject(ENDED)
    expect(new Set(await Promise.all(promises))).toEqual(new Set(['ERR_WS_CLOSED']))
    expect([server.connections.size, server.stats().connections, server.stats().bufferedAmount]).toEqual([0, 0, 0])
  })

  it('with their server in them are missed by all of its clients at once', { timeout }, async () => {
    const peer = new FaultPeers({ serve: { host: '127.0.0.1', heartbeat: false } })
    const url = `ws://127.0.0.1:${await peer.port()}/`
    const clients = await Promise.all(Array.from({ length: killed * each }, () => connect(url, { oneAtATime: false })))
    const streams = clients.map((ws) => ws.sendStream(beginning()).catch(codeOf))
    peer.order({ begin: true })
    await Promise.all(
      clients.map(async (ws) => {
        const { value } = await ws.messages({ stream: true }).next()
        await value?.[Symbol.asyncIterator]().next()
      }),
    )
    await peer.kill()
    expect(await timeOf(clients.map(({ closed }) => closed))).toBeLessThan(5 * SECOND)
    for (const info of await Promise.all(clients.map(({ closed }) => closed))) expect(info).toMatchObject(ENDED)
    expect(new Set(await Promise.all(streams))).toEqual(new Set(['ERR_WS_CLOSED']))
  })
})

describe(`Peers that are stopped for ${stopped / SECOND} s`, () => {
  const timeout = 60 * SECOND + 2 * stopped
  const standStill = async (peer: FaultPeers): Promise<void> => {
    peer.signal('SIGSTOP')
    await new Promise((resolve) => {
      setTimeout(resolve, stopped)
    })
    peer.signal('SIGCONT')
  }

  it('find their own peers where they were: no time has passed for a server', { timeout }, async () => {
    const peer = new FaultPeers({ serve: { host: '127.0.0.1', heartbeat: { interval: 200, timeout: 1000 } } })
    const url = `ws://127.0.0.1:${await peer.port()}/`
    const clients = await Promise.all(Array.from({ length: each }, () => connect(url, { oneAtATime: false })))
    const still = standStill(peer)
    for (const ws of clients) ws.send('while it stands still')
    await still
    await peer.until(() => peer.messages.length === each || peer.closed.length > 0)
    expect([peer.closed, clients.every((ws) => ws.readyState === 1)]).toEqual([[], true])
    for (const ws of clients) ws.terminate()
  })

  it('find their own peers where they were: no time has passed for clients', { timeout }, async () => {
    const server = await served({ heartbeat: PATIENCE, message() {} })
    const heartbeat = { interval: 200, timeout: 1000 }
    const peer = new FaultPeers({ connect: { heartbeat }, url: `ws://127.0.0.1:${server.port}/`, count: each })
    await peer.opened()
    const still = standStill(peer)
    server.broadcast('while they stand still')
    await still
    await peer.until(() => peer.messages.length === each || peer.closed.length > 0)
    // And they are there for a server whose time-out is longer than that.
    expect([peer.closed, server.connections.size]).toEqual([[], each])
  })

  it('are taken for dead when that is longer than the time-out', { timeout }, async () => {
    const infos: CloseInfo[] = []
    const heartbeat = { interval: stopped / 8, timeout: stopped / 8 }
    const server = await served({ heartbeat, message() {}, close: (_ws, info) => void infos.push(info) })
    const peer = new FaultPeers({ connect: {}, url: `ws://127.0.0.1:${server.port}/`, count: each })
    await peer.opened()
    await standStill(peer)
    await peer.until(() => peer.closed.length === each)
    expect(infos).toHaveLength(each)
    for (const info of infos) expect(info).toMatchObject({ code: 1006, initiator: 'timeout' })
  })
})

/**
 * Peers by the hundred that read an octet now and then, or write one: what they hold up and hold on to stays within the limits,
 * they are gone when their time is, and whoever is honest notices nothing. The server is a process of its own.
 */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/index.ts'
import type { ClientConnection } from '../../src/index.ts'
import { handshake } from '../support/heads.ts'
import { received } from '../support/wire.ts'
import { FaultPeers } from './support/fault-peers.ts'
import { sizes } from './support/fault-sizes.ts'

const KiB = 1024
const MiB = 1024 * KiB
/** Of each message to those who read slowly. */
const SIZE = 128 * KiB
const SECOND = 1000
const { slowPeers, slowness } = sizes
/** Milliseconds between two octets of one peer, so many that no request is whole in the time for it. */
const NOW_AND_THEN = slowness / 60
const LIMITS = { maxBufferedAmount: 256 * KiB, frameTimeout: slowness / 2, handshakeTimeout: slowness / 2 }

interface Served {
  readonly server: FaultPeers
  readonly port: number
  /** Somebody who reads and writes as one should. */
  readonly honest: ClientConnection
  readonly heard: string[]
}

async function served(): Promise<Served> {
  const server = new FaultPeers({ serve: { host: '127.0.0.1', ...LIMITS } })
  const port = await server.port()
  const heard: string[] = []
  const honest = await connect(`ws://127.0.0.1:${port}`, { message: (_, data) => void heard.push(`${data.length}`) })
  onTestFinished(() => honest.terminate())
  return { server, port, honest, heard }
}

/** Sockets of peers; `act` is called with each of them now and then, until the test is over. */
function peers(open: () => Socket, act: (socket: Socket) => void): Socket[] {
  const sockets = Array.from({ length: slowPeers }, () => open().on('error', () => {}))
  const timer = setInterval(() => {
    for (const socket of sockets) if (!socket.destroyed) act(socket)
  }, NOW_AND_THEN)
  onTestFinished(() => {
    clearInterval(timer)
    for (const socket of sockets) socket.destroy()
  })
  return sockets
}

/** Calls `act` now and then, until it is `over`. */
async function until(over: () => boolean, act: () => unknown = () => {}): Promise<void> {
  while (!over()) {
    await act()
    await delay(NOW_AND_THEN)
  }
}

describe(`${slowPeers} peers`, () => {
  const timeout = 60 * SECOND + 4 * slowness

  it('that read an octet now and then are ended at the limit', { timeout }, async () => {
    const { server, port, heard } = await served()
    const before = await server.memory()
    const sockets = peers(
      () => {
        // One octet each time that it is resumed; what is behind it waits in the system.
        const socket = connectTcp({
          port,
          host: '127.0.0.1',
          onread: { buffer: Buffer.alloc(1), callback: () => false },
        })
        return socket.setNoDelay(true)
      },
      (socket) => socket.resume(),
    )
    for (const socket of sockets) socket.write(handshake())
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    let sent = 0
    let most = 0
    // What its system has taken for a slow reader it reads for hours.
    await until(
      () => server.closed.length >= slowPeers,
      async () => {
        server.order({ send: SIZE })
        if (sent++ % 5 === 0) most = Math.max(most, (await server.memory()) - before)
      },
    )
    expect(server.closed).toEqual(Array.from({ length: slowPeers }, () => '1006 local ERR_WS_BUFFER_OVERFLOW'))
    expect(most).toBeLessThan(slowPeers * (LIMITS.maxBufferedAmount + SIZE) + 20 * MiB)
    // And the honest one has had all of it.
    await until(() => heard.length >= sent)
    expect(new Set(heard)).toEqual(new Set([`${SIZE}`]))
  })

  it('that write an octet now and then, of a request or of a frame, are ended in time', { timeout }, async () => {
    const { server, port, honest } = await served()
    const before = await server.memory()
    const request = Buffer.from(handshake())
    const frame = received('server', 0x82, Buffer.alloc(64 * KiB))
    const written = new Map<Socket, number>()
    const dripping =
      (octets: Buffer) =>
      (socket: Socket): void => {
        const at = written.get(socket) ?? 0
        written.set(socket, at + 1)
        socket.write(octets.subarray(at, at + 1))
      }
    const open = (): Socket => connectTcp({ port, host: '127.0.0.1' }).resume()
    const ofRequests = peers(open, dripping(request))
    const ofFrames = peers(open, dripping(frame))
    for (const socket of ofFrames) socket.write(request)
    let sent = 0
    let most = 0
    const slow = [...ofRequests, ...ofFrames]
    await until(
      () => slow.every(({ destroyed }) => destroyed),
      async () => {
        honest.send(Buffer.alloc(100))
        if (sent++ % 5 === 0) most = Math.max(most, (await server.memory()) - before)
      },
    )
    await server.until(() => server.messages.length === sent && server.closed.length >= slowPeers)
    expect(server.closed).toEqual(Array.from({ length: slowPeers }, () => '1006 timeout ERR_WS_FRAME_TIMEOUT'))
    expect(most).toBeLessThan(slowPeers * 64 * KiB + 20 * MiB)
    expect(honest.readyState).toBe(1)
  })
})

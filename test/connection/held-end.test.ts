/** What becomes of a connection whose end comes while nobody reads: nothing that came before it is lost. */
import { once } from 'node:events'
import { connect as connectTcp, createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connect, serve } from 'fullduplex'
import type { CloseInfo, ServeOptions, ServerConnection, WebSocketServer } from 'fullduplex'
import { encodeFrame } from '../../src/framing/index.ts'
import { acceptKey } from '../../src/handshake/index.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const HEAD = `GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`
const CLEAN = { code: 1000, wasClean: true, initiator: 'peer' }

let server: WebSocketServer | undefined
let raw: Server | undefined
afterEach(async () => {
  await server?.shutdown({ timeout: 50 })
  raw?.close()
})

/** Messages `0` to `count - 1`, Close with 1000, as a client masks them or a server does not. */
function farewell(count: number, masked: boolean): Buffer {
  const maskingKey = masked ? { maskingKey: 0x04030201 } : {}
  const texts = Array.from({ length: count }, (_, index) =>
    encodeFrame({ opcode: 1, payload: `${index}`, ...maskingKey }),
  )
  const close = encodeFrame({ opcode: 8, payload: Buffer.from([3, 232]), ...maskingKey })
  return Buffer.concat([...texts, close])
}

/** A server with `options`, and a client that says all it has to say in one go, its FIN included. */
async function haste(options: Partial<ServeOptions>, count: number): Promise<CloseInfo> {
  const closed = new Promise<CloseInfo>((resolve) => {
    const close = (_ws: ServerConnection, info: CloseInfo): void => resolve(info)
    void serve({ port: 0, close, ...options }).then((started) => {
      server = started
      connectTcp(started.port ?? 0).end(Buffer.concat([Buffer.from(HEAD), farewell(count, true)]))
    })
  })
  return closed
}

describe('nothing is lost that came before a FIN', () => {
  it('while an async open has not settled', async () => {
    const seen: unknown[] = []
    const open = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      seen.push('open')
    }
    const message = (_ws: ServerConnection, data: unknown): void => void seen.push(data)
    expect(await haste({ open, message }, 2)).toMatchObject(CLEAN)
    expect(seen).toEqual(['open', '0', '1'])
  })

  it('while a loop is slow to take messages', async () => {
    const seen: unknown[] = []
    const open = async (ws: ServerConnection): Promise<void> => {
      for await (const message of ws) {
        await new Promise(setImmediate)
        seen.push(message)
      }
    }
    expect(await haste({ open }, 40)).toMatchObject(CLEAN)
    await vi.waitFor(() => expect(seen).toHaveLength(40))
  })

  it('while the application has paused', async () => {
    const seen: unknown[] = []
    const message = (ws: ServerConnection, data: unknown): void => {
      seen.push(data)
      ws.pause()
      setTimeout(() => ws.resume(), 5)
    }
    expect(await haste({ message }, 4)).toMatchObject(CLEAN)
    expect(seen).toEqual(['0', '1', '2', '3'])
  })

  it('by a client, from a server that goes at once', async () => {
    raw = createServer((socket) => {
      socket.once('data', (request) => {
        const [, key] = /Sec-WebSocket-Key: (\S+)/.exec(request.toString()) ?? []
        const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        const accept = `Sec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`
        socket.end(Buffer.concat([Buffer.from(head + accept), farewell(40, false)]))
      })
    })
    await once(raw.listen(0), 'listening')
    const ws = await connect(`ws://127.0.0.1:${(raw.address() as AddressInfo).port}`)
    const seen: unknown[] = []
    for await (const message of ws) {
      await new Promise(setImmediate)
      seen.push(message)
    }
    expect(seen).toHaveLength(40)
    expect(await ws.closed).toMatchObject(CLEAN)
  })
})

describe('a connection that nobody reads', () => {
  it.each(['end', 'destroy', 'resetAndDestroy'] as const)('is over when its peer is gone: %s', async (how) => {
    const infos: CloseInfo[] = []
    // No `message`, and nobody iterates: reading is held behind the first messages.
    const heartbeat = { interval: 50, timeout: 50 }
    server = await serve({ port: 0, heartbeat, close: (_ws, info) => void infos.push(info) })
    const socket = connectTcp(server.port ?? 0).on('error', () => {})
    socket.write(Buffer.concat([Buffer.from(HEAD), farewell(100, true).subarray(0, -8)]))
    await vi.waitFor(() => expect(server?.connections.size).toBe(1))
    await vi.waitFor(() => expect(socket.bytesRead).toBeGreaterThan(0))
    if (how === 'end') {
      socket.end()
      socket.once('end', () => socket.destroy())
      setTimeout(() => socket.destroy(), 20)
    } else {
      socket[how]()
    }
    await vi.waitFor(() => expect(infos).toHaveLength(1), 3000)
    expect(infos[0].wasClean).toBe(false)
  })

  it('is told no message when it is closed before its open has settled', async () => {
    const seen: unknown[] = []
    server = await serve({
      port: 0,
      async open(ws) {
        void ws.close(1000)
        await ws.closed
        seen.push('open')
      },
      message: (_ws, data) => void seen.push(data),
    })
    const ws = await connect(server.url)
    ws.send('early')
    expect(await ws.closed).toMatchObject({ code: 1000, wasClean: true })
    await vi.waitFor(() => expect(seen).toEqual(['open']))
  })

  it('is told no part of a message when it is closed while it is paused', async () => {
    const parts: unknown[] = []
    const ended = new Promise<void>((resolve) => {
      const open = async (ws: ServerConnection): Promise<void> => {
        const messages = ws.messages({ stream: true })
        ws.pause()
        setImmediate(() => void ws.close(1000))
        for await (const message of messages) {
          for await (const part of message) parts.push(part)
        }
        resolve()
      }
      void serve({ port: 0, open }).then((started) => {
        server = started
        connectTcp(started.port ?? 0).end(Buffer.concat([Buffer.from(HEAD), farewell(2, true)]))
      })
    })
    await ended
    expect(parts).toEqual([])
  })
})

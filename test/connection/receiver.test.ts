/** Reading, and not reading: nothing is lost, nothing is reordered, and nothing is told while somebody holds it. */
import { describe, expect, it } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import { Hold, Receiver } from '../../src/connection/receiver.ts'
import type { ReceiverOwner } from '../../src/connection/receiver.ts'
import { turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, ROLES, TEXT, expectGone, open, opened } from '../support/connection.ts'
import type { Opened } from '../support/connection.ts'
import { NODE_POOL } from '../support/data.ts'
import { Peer, Transport, pair } from '../support/duplex.ts'
import { thenable } from '../support/thenable.ts'
import { received, script } from '../support/wire.ts'

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `text ${i}`)

describe.each(ROLES)('A %s', (role) => {
  useClock()

  async function end(connection: Opened): Promise<void> {
    connection.ws.terminate()
    await turn()
    expectGone(connection)
  }
  const messages = (count: number): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, i) => received(role, TEXT, `${i}`)))

  it('reads messages and control frames of every kind [6455:6.2-01] [6455:6.2-02] [6455:6.2-03] [6455:6.2-04]', async () => {
    const connection = await opened(role)
    connection.peer.write(
      script(role, [
        [TEXT, 'text'],
        [BINARY, Buffer.from([0, 255])],
        [0x01, 'frag'],
        [PING, 'between'],
        [0x80, 'ments'],
        [0x8a, 'pong'],
        [TEXT, ''],
      ]),
    )
    expect(connection.log).toEqual([
      'open',
      'text text',
      'binary 00 ff',
      'ping 62 65 74 77 65 65 6e',
      'text fragments',
      'pong 70 6f 6e 67',
      'text',
    ])
    await end(connection)
  })

  it('reads the same octet by octet', async () => {
    const connection = await opened(role)
    for (const octet of messages(12)) connection.peer.write(Buffer.from([octet]))
    expect(connection.log).toEqual(['open', ...texts(12)])
    await end(connection)
  })

  it('hands text on as octets when it is asked to, checked all the same', async () => {
    const connection = await opened(role, { text: 'buffer' })
    connection.peer.send(TEXT, 'ü')
    connection.peer.send(BINARY, 'ü')
    connection.peer.send(TEXT, Buffer.from([0xc3]))
    expect(connection.log.slice(0, 4)).toEqual([
      'open',
      'text-octets c3 bc',
      'binary c3 bc',
      'error ERR_WS_INVALID_UTF8',
    ])
    await end(connection)
  })

  it('gives Buffers away for good: later reads change nothing', async () => {
    const kept: (string | Buffer)[] = []
    const keep = (_: Connection, data: string | Buffer): void => void kept.push(data)
    const connection = await opened(role, { handler: { message: keep, ping: keep, pong: keep } })
    const memory = Buffer.alloc(4096)
    for (let i = 0; i < 50; i++) {
      // One piece of memory for every read, as a pool would have it.
      const frames = script(role, [
        [BINARY, Buffer.alloc(20, i)],
        [PING, Buffer.alloc(10, i)],
        [0x8a, Buffer.alloc(10, i)],
      ])
      frames.copy(memory)
      connection.ws.receive(memory.subarray(0, frames.length))
    }
    expect(kept).toHaveLength(150)
    for (const [i, data] of kept.entries()) {
      expect(data).toEqual(Buffer.alloc(i % 3 === 0 ? 20 : 10, Math.floor(i / 3)))
    }
    await end(connection)
  })

  it('does not pin a read for the sake of a small message in it', async () => {
    const kept: Buffer[] = []
    const connection = await opened(role, {
      handler: { message: (_, data) => void (typeof data === 'string' || kept.push(data)) },
    })
    connection.peer.write(
      script(role, [
        [BINARY, Buffer.alloc(2000)],
        [BINARY, Buffer.alloc(60_000)],
      ]),
    )
    const sizes = kept.map(({ buffer }) => buffer.byteLength)
    expect(sizes.every((size) => size < 62_100 || size === NODE_POOL)).toBe(true)
    expect(kept[0].buffer).not.toBe(kept[1].buffer)
    await end(connection)
  })

  describe('that is paused', () => {
    it('stops at once, in the middle of a read with many messages, and goes on there', async () => {
      const connection = await opened(role, {
        handler: { message: (ws, text) => void (text === '4' && ws.pause()) },
      })
      const { ws, peer, log } = connection
      peer.write(messages(10), received(role, PING))
      expect(log).toEqual(['open', ...texts(5)])
      expect(peer.transport.isPaused()).toBe(true)
      peer.write(received(role, TEXT, '10'))
      await turn()
      expect(log).toHaveLength(6)
      ws.resume()
      expect(log).toHaveLength(6)
      await turn()
      expect(log).toEqual(['open', ...texts(10), 'ping', 'text 10'])
      expect(peer.transport.isPaused()).toBe(false)
      await end(connection)
    })

    it('stops behind every message, if it is paused there', async () => {
      const connection = await opened(role, { handler: { message: (ws) => ws.pause() } })
      const { ws, peer, log } = connection
      peer.write(messages(5))
      peer.write(received(role, TEXT, '5'))
      for (let i = 1; i <= 6; i++) {
        await turn()
        expect(log).toEqual(['open', ...texts(i)])
        ws.resume()
      }
      await turn()
      expect(log).toHaveLength(7)
      await end(connection)
    })

    it('stops in the middle of a frame, and takes the rest of it later', async () => {
      const connection = await opened(role, { handler: { ping: (ws) => ws.pause() } })
      const { ws, peer, log } = connection
      peer.write(received(role, 0x01, 'frag'), received(role, PING), received(role, 0x80, 'ments').subarray(0, 3))
      peer.write(received(role, 0x80, 'ments').subarray(3))
      await turn()
      expect(log).toEqual(['open', 'ping'])
      ws.resume()
      await turn()
      expect(log).toEqual(['open', 'ping', 'text fragments'])
      await end(connection)
    })

    it('goes on within the read when it is resumed there', async () => {
      const connection = await opened(role, {
        handler: {
          message: (ws) => {
            ws.pause()
            ws.resume()
          },
        },
      })
      connection.peer.write(messages(5))
      expect(connection.log).toEqual(['open', ...texts(5)])
      await turn()
      expect(connection.peer.transport.isPaused()).toBe(false)
      await end(connection)
    })

    it('stays so when it is paused again before it went on', async () => {
      const connection = await opened(role)
      const { ws, peer, log } = connection
      ws.pause()
      peer.write(messages(3))
      ws.resume()
      ws.pause()
      await turn()
      expect(log).toEqual(['open'])
      ws.resume()
      ws.resume()
      await turn()
      expect(log).toEqual(['open', ...texts(3)])
      await end(connection)
    })

    it('can be resumed any number of times without having been paused', async () => {
      const connection = await opened(role)
      for (let i = 0; i < 3; i++) connection.ws.resume()
      connection.peer.write(messages(3))
      expect(connection.log).toEqual(['open', ...texts(3)])
      await end(connection)
    })

    it('still sends', async () => {
      const connection = await opened(role)
      connection.ws.pause()
      connection.ws.send('out')
      await turn()
      expect(connection.peer.frames).toEqual(['text out'])
      await end(connection)
    })

    it('reads on when it is closed, for the sake of the peer’s Close', async () => {
      const connection = await opened(role)
      const { ws, peer, log } = connection
      ws.pause()
      peer.write(messages(3))
      void ws.close(1000)
      ws.pause()
      await turn()
      // Nobody was ready for messages, and nobody will be.
      expect(log).toEqual(['open'])
      peer.send(CLOSE, NORMAL)
      peer.end()
      await turn()
      expect(log.at(-1)).toBe('close 1000 clean local')
      expectGone(connection)
    })

    it('hears of the peer’s Close and FIN when it is resumed', async () => {
      const connection = await opened(role)
      const { ws, peer, log } = connection
      ws.pause()
      peer.write(messages(2))
      peer.send(CLOSE, NORMAL)
      peer.end()
      await turn()
      expect([ws.readyState, log]).toEqual([1, ['open']])
      ws.resume()
      await turn()
      expect(log).toEqual(['open', ...texts(2), 'close 1000 clean peer'])
      expectGone(connection)
    })

    it('is ended by a reset all the same, which loses what was not read', async () => {
      const connection = await opened(role)
      connection.ws.pause()
      connection.peer.write(messages(3))
      connection.peer.reset()
      await turn()
      connection.ws.resume()
      await turn()
      expect(connection.log).toEqual(['open', 'error ECONNRESET', 'close 1006 unclean network (ECONNRESET)'])
      expectGone(connection)
    })
  })

  describe('whose `open` is async', () => {
    it('reads no message until that has settled, and then all of them', async () => {
      let settle!: () => void
      const connection = open(role, {
        head: received(role, TEXT, 'early'),
        handler: {
          open: (ws) => {
            ws.send('hello')
            return new Promise<void>((resolve) => {
              settle = resolve
            })
          },
        },
      })
      const { peer, log } = connection
      await turn()
      peer.write(messages(3))
      await turn()
      expect([log, peer.frames]).toEqual([['open'], ['text hello']])
      settle()
      await turn()
      expect(log).toEqual(['open', 'text early', ...texts(3)])
      await end(connection)
    })

    it('stays paused behind it, if it was paused in it', async () => {
      const connection = await opened(role, {
        handler: {
          open: async (ws) => {
            await turn()
            ws.pause()
            ws.resume()
            ws.pause()
          },
        },
      })
      connection.peer.write(messages(3))
      await turn(5)
      expect(connection.log).toEqual(['open'])
      connection.ws.resume()
      await turn()
      expect(connection.log).toEqual(['open', ...texts(3)])
      await end(connection)
    })

    it('waits for anything that has a `then`', async () => {
      let settle: (() => void) | undefined
      const opening = thenable((resolve: () => void): void => void (settle = resolve))
      const connection = await opened(role, { handler: { open: () => opening } })
      connection.peer.write(messages(1))
      await turn()
      expect(connection.log).toEqual(['open'])
      settle?.()
      await turn()
      expect(connection.log).toEqual(['open', 'text 0'])
      await end(connection)
    })

    it('is failed with 1011 when that rejects, and no message is told [6455:7.1.7-05]', async () => {
      const connection = await opened(role, { handler: { open: () => Promise.reject(new Error('no')) } })
      connection.peer.write(messages(3))
      connection.peer.end()
      await turn()
      expect(connection.peer.frames).toEqual(['close 1011'])
      expect(connection.log).toEqual(['open', 'error no', 'close 1006 unclean local (no)'])
      expectGone(connection)
    })

    it('may wait in it for its own close', async () => {
      let info: unknown
      const connection = await opened(role, {
        handler: {
          open: async (ws) => {
            info = await ws.close(4000)
          },
        },
      })
      connection.peer.send(CLOSE, NORMAL)
      connection.peer.end()
      await turn()
      expect(info).toBe(connection.infos[0])
      expectGone(connection)
    })

    it('may end in it, and reads nothing then', async () => {
      const connection = open(role, {
        head: received(role, TEXT, 'early'),
        handler: { open: (ws) => Promise.resolve(ws.terminate()) },
      })
      await turn()
      expect(connection.log).toEqual(['open', 'close 1006 unclean local'])
      expectGone(connection)
    })
  })

  it('is not confused by a transport that delivers within its own writes', async () => {
    const [near, far] = pair({ delivery: 'within' })
    const other = role === 'server' ? 'client' : 'server'
    const told: string[] = []
    // Every message is answered with more than the high-water mark, so that the answer leaves at once; and the peer's
    // next message is here before this one's handler has returned.
    const ws = new Connection(
      near,
      connectionSettings(role, { highWaterMark: 1 }),
      {
        message: (connection, text) => {
          told.push(`begin ${String(text)}`)
          connection.send(`re ${String(text)}`)
          told.push(`end ${String(text)}`)
        },
      },
      undefined,
      '',
    )
    let next = 10
    const echo = new Connection(
      far,
      connectionSettings(other, { highWaterMark: 1 }),
      { message: (connection) => void (next < 16 && connection.send(`${next++}`) && connection.send(`${next++}`)) },
      undefined,
      '',
    )
    ws.start('', Buffer.alloc(0))
    echo.start('', Buffer.alloc(0))
    await turn()
    ws.receive(messages(3))
    await turn(10)
    const order = told.map((line) => line.split(' '))
    expect(order.map(([, text]) => Number(text))).toEqual(
      [0, 1, 2, ...Array.from({ length: next - 10 }, (_, i) => 10 + i)].flatMap((n) => [n, n]),
    )
    expect(order.map(([word]) => word)).toEqual(told.map((_, i) => (i % 2 === 0 ? 'begin' : 'end')))
    expect(next).toBeGreaterThan(12)
    ws.terminate()
    echo.terminate()
    await turn()
  })

  it('keeps what comes within its reading in order, behind what it has read', async () => {
    const connection = await opened(role, {
      handler: {
        message: (ws, text) => {
          if (text === '0') for (const late of ['a', 'b']) ws.receive(received(role, TEXT, late))
          if (text === '1') ws.pause()
        },
      },
    })
    const { ws, log } = connection
    ws.receive(messages(3))
    expect(log).toEqual(['open', ...texts(2)])
    ws.receive(received(role, TEXT, 'c'))
    ws.resume()
    ws.receive(received(role, TEXT, 'd'))
    await turn()
    expect(log).toEqual(['open', ...texts(3), 'text a', 'text b', 'text c', 'text d'])
    await end(connection)
  })

  it('drops what comes within its reading, when that was the end', async () => {
    const connection = await opened(role, {
      handler: {
        message: (ws) => {
          ws.receive(received(role, TEXT, 'late'))
          ws.terminate()
          ws.receive(received(role, TEXT, 'later'))
        },
      },
    })
    connection.ws.receive(messages(3))
    await turn()
    expect(connection.log).toEqual(['open', 'text 0', 'close 1006 unclean local'])
    expectGone(connection)
  })

  it('is given what was read beyond the opening handshake, first', async () => {
    const connection = open(role, { head: Buffer.concat([messages(2), received(role, TEXT, 'cut').subarray(0, 4)]) })
    connection.peer.write(received(role, TEXT, 'cut').subarray(4))
    await turn()
    expect(connection.log).toEqual(['open', ...texts(2), 'text cut'])
    await end(connection)
  })
})

describe('Receiver', () => {
  it('holds nothing any more once it is stopped', () => {
    const ignore = (): void => {}
    const owner: ReceiverOwner = {
      socket: new Transport(),
      settings: connectionSettings('server', {}),
      deflate: undefined,
      receive: ignore,
      goOnWith: ignore,
      messageReceived: ignore,
      partReceived: ignore,
      pingReceived: ignore,
      pongReceived: ignore,
      closeReceived: ignore,
      endReceived: ignore,
    }
    const receiver = new Receiver(owner)
    receiver.hold(Hold.Pause | Hold.Queue)
    expect(receiver.held).toBe(true)
    receiver.stop()
    expect(receiver.held).toBe(false)
  })
})

describe('Peer', () => {
  it('finds fault with frames that its role must not send', () => {
    const peer = new Peer('client')
    peer.writes.push(received('client', TEXT, 'unmasked'))
    expect(() => peer.frames).toThrow('a client sent a frame with MASK = 0')
  })
})

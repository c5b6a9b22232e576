/**
 * The application's functions: whatever they throw or reject with ends their own connection, with 1011, and is told;
 * whatever they call is allowed (goal G14; threat V39).
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection, ConnectionHandler } from '../../src/connection/index.ts'
import { ConnectionClosedError, ProtocolError, WebSocketError } from '../../src/errors.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { CLOSE, NORMAL, PING, PONG, ROLES, TEXT, expectGone, open, opened } from '../support/connection.ts'
import type { OpenOptions, Opened } from '../support/connection.ts'

type Callback = keyof ConnectionHandler

/** What has to happen for each function to be called, and whether it can be reported to `error`. */
const CALLBACKS: readonly (readonly [name: Callback, cause: (connection: Opened) => void | Promise<void>])[] = [
  ['open', () => {}],
  ['message', ({ peer }) => peer.send(TEXT, 'x')],
  ['ping', ({ peer }) => peer.send(PING, 'x')],
  ['pong', ({ peer }) => peer.send(PONG, 'x')],
  [
    'drain',
    async ({ ws, peer }) => {
      peer.stopReading()
      ws.send('x'.repeat(70_000))
      await turn()
      peer.goOnReading()
    },
  ],
  ['error', ({ peer }) => peer.send(0x83)],
  ['close', ({ ws }) => ws.terminate()],
]

/** What a function may do with its own connection. */
const ACTIONS: readonly (readonly [name: string, act: (ws: Connection) => unknown])[] = [
  ['does nothing', () => {}],
  ['sends', (ws) => ws.send('from within')],
  ['sends much', (ws) => ws.send(Buffer.alloc(80_000))],
  ['sends more than may wait', (ws) => [1, 2, 3].map(() => ws.send(Buffer.alloc(100_000)))],
  ['pings', (ws) => ws.ping('from within')],
  ['pongs', (ws) => ws.pong('from within')],
  ['closes', (ws) => void ws.close(1000, 'from within')],
  ['closes twice', (ws) => void [ws.close(1000), ws.close(1001)]],
  ['waits for its close', (ws) => ws.close(1000)],
  ['terminates', (ws) => ws.terminate()],
  ['terminates twice', (ws) => [ws.terminate(), ws.terminate()]],
  ['closes and terminates', (ws) => [void ws.close(), ws.terminate()]],
  ['pauses', (ws) => ws.pause()],
  ['resumes', (ws) => ws.resume()],
  ['pauses and resumes', (ws) => [ws.pause(), ws.resume()]],
  ['asks for everything', (ws) => [ws.readyState, ws.bufferedAmount, ws.protocol, ws.data, void ws.closed]],
  ['waits for a drain', (ws) => ws.drained()],
  [
    'throws',
    () => {
      throw new Error('from within')
    },
  ],
  [
    'sends and throws',
    (ws) => {
      ws.send('before')
      throw new Error('from within')
    },
  ],
  [
    'terminates and throws',
    (ws) => {
      ws.terminate()
      throw new Error('from within')
    },
  ],
  ['rejects', () => Promise.reject(new Error('from within'))],
]

describe.each(ROLES)('Application of a %s', (role) => {
  const warned = vi.fn<typeof process.emitWarning>()
  useClock()
  beforeEach(() => {
    warned.mockClear()
    vi.spyOn(process, 'emitWarning').mockImplementation(warned)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  /** With only the given functions: without `error`, and without the log's. */
  async function bare(handler: ConnectionHandler, options: OpenOptions = {}): Promise<Opened> {
    const connection = open(role, { ...options, onlyHandler: handler })
    await turn()
    return connection
  }
  async function over(connection: Opened): Promise<void> {
    await turn()
    if (!connection.peer.destroyed) connection.peer.end()
    await turn()
  }

  describe.each(CALLBACKS)('whose `%s`', (name, cause) => {
    /** Calls it once, and ends the connection if that did not. */
    async function run(act: (ws: Connection) => unknown, handler: ConnectionHandler = {}): Promise<Opened> {
      const connection = open(role, {
        handler: { ...handler, [name]: (ws: Connection) => act(ws) },
        maxBufferedAmount: 150_000,
      })
      await turn()
      await cause(connection)
      await turn()
      return connection
    }

    it.each(ACTIONS)('[A20] %s', async (_, act) => {
      let calls = 0
      const connection = await run((ws) => (++calls === 1 ? act(ws) : undefined))
      const { ws, peer, log } = connection
      expect(calls).toBeGreaterThan(0)
      // What it did leaves whole frames on the wire, and nothing behind a Close.
      expect(peer.frames.findIndex((frame) => frame.startsWith('close'))).toBeOneOf([-1, peer.frames.length - 1])
      if (ws.readyState === 1) void ws.close(4000)
      await turn()
      if (!peer.destroyed) peer.send(CLOSE, NORMAL)
      await over(connection)
      await pass(20_000)
      expectGone(connection)
      expect(log[0]).toBe('open')
    })

    it.each([
      [
        'throws',
        () => {
          throw new Error('boom')
        },
      ],
      ['rejects', () => Promise.reject(new Error('boom'))],
      [
        'rejects later',
        async () => {
          await turn(1)
          throw new Error('boom')
        },
      ],
    ])('[A19] %s, fails its connection with 1011, and no other', async (_, fail) => {
      const bystander = await opened(role)
      const connection = await run(fail)
      await turn()
      await over(connection)
      expectGone(connection)
      const { log, peer, infos, errors } = connection
      if (name === 'close') {
        // Nothing comes behind `close`, not even an `error`.
        expect([log, peer.frames]).toEqual([['open', 'close 1006 unclean local'], []])
        expect(warned.mock.calls).toEqual([[expect.objectContaining({ message: 'boom' })]])
      } else if (name === 'error') {
        expect(peer.frames).toEqual(['close 1002 Opcode 3 is reserved'])
        expect(infos[0].cause).toBe(errors[0])
        expect(warned.mock.calls).toEqual([[expect.objectContaining({ message: 'boom' })]])
      } else {
        expect(peer.frames.at(-1)).toBe('close 1011')
        expect(log.slice(-2)).toEqual(['error boom', 'close 1006 unclean local (boom)'])
        expect(infos[0].cause).toBe(errors[0])
        expect(warned).not.toHaveBeenCalled()
      }
      bystander.ws.send('unharmed')
      bystander.peer.send(TEXT, 'unharmed')
      await turn()
      expect([bystander.log, bystander.peer.frames]).toEqual([['open', 'text unharmed'], ['text unharmed']])
      bystander.ws.terminate()
      await turn()
    })
  })

  it('needs no function at all', async () => {
    for (const [, cause] of CALLBACKS) {
      const connection = await bare({})
      await cause(connection)
      await turn()
      connection.ws.terminate()
      await turn()
      expect([connection.ws.readyState, connection.peer.destroyed]).toEqual([3, true])
    }
    expect(warned).not.toHaveBeenCalled()
  })

  it('is warned of a mistake when it has no `error`', async () => {
    const mistake = new Error('boom')
    const connection = await bare({
      message: () => {
        throw mistake
      },
    })
    connection.peer.send(TEXT, 'x')
    await over(connection)
    expect(connection.peer.frames).toEqual(['close 1011'])
    expect(warned.mock.calls).toEqual([[mistake]])
  })

  it('is warned of a second mistake, when the first was told', async () => {
    const connection = await opened(role, {
      handler: {
        message: (_, text) => Promise.reject(new Error(String(text))),
      },
    })
    connection.peer.send(TEXT, 'first')
    connection.peer.send(TEXT, 'second')
    await over(connection)
    expect(connection.log.slice(-2)).toEqual(['error first', 'close 1006 unclean local (first)'])
    expect(warned.mock.calls).toEqual([[expect.objectContaining({ message: 'second' })]])
  })

  it('is warned of a mistake that comes when all is over', async () => {
    const connection = await opened(role, {
      handler: {
        message: async (ws) => {
          await ws.closed
          throw new Error('late')
        },
      },
    })
    connection.peer.send(TEXT, 'x')
    connection.peer.reset()
    await turn()
    expect(connection.log).toEqual(['open', 'text x', 'error ECONNRESET', 'close 1006 unclean network (ECONNRESET)'])
    expect(warned.mock.calls).toEqual([[expect.objectContaining({ message: 'late' })]])
    const quiet = await opened(role, {
      handler: {
        message: async (ws) => {
          await ws.closed
          throw new Error('later')
        },
      },
    })
    quiet.peer.send(TEXT, 'x')
    quiet.ws.terminate()
    await turn()
    expect(quiet.log).toEqual(['open', 'text x', 'close 1006 unclean local'])
    expect(warned).toHaveBeenCalledTimes(2)
  })

  it('[A18] is not warned of what peers and networks do, with or without `error`', async () => {
    for (const act of [
      ({ peer }: Opened) => peer.send(0x83),
      ({ peer }: Opened) => peer.reset(),
      ({ peer }: Opened) => peer.end(),
    ]) {
      for (const connection of [await bare({}), await opened(role)]) {
        act(connection)
        await over(connection)
        expect(connection.ws.readyState).toBe(3)
      }
    }
    expect(warned).not.toHaveBeenCalled()
  })

  it.each([
    ['a string', 'text'],
    ['undefined', undefined],
    ['an object without a prototype', Object.create(null)],
    ['a symbol', Symbol('s')],
  ])('may throw %s, which comes as the cause of an error', async (_, thrown) => {
    const connection = await opened(role, {
      handler: {
        message: () => {
          throw thrown
        },
      },
    })
    connection.peer.send(TEXT, 'x')
    await over(connection)
    expect(connection.errors[0]).toBeInstanceOf(WebSocketError)
    expect(connection.errors[0]).toMatchObject({ code: 'ERR_WS_HANDLER' })
    expect(connection.errors[0].cause).toBe(thrown)
    expectGone(connection)
  })

  it('may throw whatever it likes in `error`', async () => {
    const connection = await opened(role, {
      handler: {
        error: () => {
          throw Object.create(null)
        },
      },
    })
    connection.peer.send(0x83)
    await over(connection)
    expectGone(connection)
    expect(warned.mock.calls).toEqual([['[Object: null prototype] {}']])
  })

  it('cannot pass its own mistakes off as the peer’s: a ProtocolError that it throws fails with 1011 and no words', async () => {
    const mistake = new ProtocolError('ERR_WS_OTHER', 4000, 'elsewhere', 'secret ü'.repeat(100))
    for (const fail of [
      () => {
        throw mistake
      },
      () => Promise.reject(mistake),
    ]) {
      const connection = await opened(role, { handler: { message: fail } })
      connection.peer.send(TEXT, 'x')
      await over(connection)
      expect(connection.peer.frames).toEqual(['close 1011'])
      expect(connection.errors).toEqual([mistake])
      expectGone(connection)
    }
  })

  it('makes no mistake when it hears from its own connection that this has ended', async () => {
    const connection = await opened(role, {
      handler: {
        message: async (ws) => {
          ws.send('x'.repeat(70_000))
          await ws.drained()
        },
      },
    })
    connection.peer.stopReading()
    connection.peer.send(TEXT, 'x')
    await turn()
    connection.peer.reset()
    await turn()
    expect(connection.log.slice(-2)).toEqual(['error ECONNRESET', 'close 1006 unclean network (ECONNRESET)'])
    expect(warned).not.toHaveBeenCalled()
    expectGone(connection)
  })

  it('may throw that while closing, and the closing handshake goes on', async () => {
    const connection = await opened(role, {
      handler: {
        message: (ws) => {
          void ws.close(1000)
          throw new ConnectionClosedError({ code: 1000, reason: '', wasClean: true, initiator: 'local' })
        },
      },
    })
    const { peer } = connection
    const body = Buffer.concat([Buffer.from([0x03, 0xe8])])
    peer.send(TEXT, 'x')
    await turn()
    peer.send(CLOSE, body)
    await over(connection)
    expect(connection.log).toEqual(['open', 'text x', 'close 1000 clean local'])
    expect(warned).not.toHaveBeenCalled()
    expectGone(connection)
  })

  it('makes one when it throws that on an open connection: it is another one that has ended', async () => {
    const connection = await opened(role, {
      handler: {
        message: () => {
          throw new ConnectionClosedError({ code: 1000, reason: '', wasClean: true, initiator: 'local' })
        },
      },
    })
    connection.peer.send(TEXT, 'x')
    await over(connection)
    expect(connection.peer.frames).toEqual(['close 1011'])
    expect(connection.log).toContain('error ERR_WS_CLOSED')
    expectGone(connection)
  })

  it('is failed, and no other, when memory cannot be had for what its peer sends', async () => {
    const connection = await opened(role)
    const failing = vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(() => {
      throw new RangeError('Array buffer allocation failed')
    })
    connection.peer.send(0x01, 'x')
    failing.mockRestore()
    vi.spyOn(process, 'emitWarning').mockImplementation(warned)
    await over(connection)
    expect(connection.peer.frames).toEqual(['close 1011'])
    expect(connection.log.slice(1)).toEqual([
      'error Array buffer allocation failed',
      'close 1006 unclean local (Array buffer allocation failed)',
    ])
    expectGone(connection)
  })

  it('is called with the connection, and as methods of its handler', async () => {
    class Handler implements ConnectionHandler {
      readonly heard: unknown[] = []
      open(ws: Connection): void {
        this.heard.push(['open', ws])
      }
      message(ws: Connection, ...rest: readonly unknown[]): void {
        this.heard.push(['message', ws, ...rest])
      }
      ping(ws: Connection, ...rest: readonly unknown[]): void {
        this.heard.push(['ping', ws, ...rest])
      }
      pong(ws: Connection, ...rest: readonly unknown[]): void {
        this.heard.push(['pong', ws, ...rest])
      }
      close(ws: Connection, ...rest: readonly unknown[]): void {
        this.heard.push(['close', ws, ...rest])
      }
    }
    const handler = new Handler()
    const connection = await bare(handler)
    const { ws, peer } = connection
    peer.send(TEXT, 'text')
    peer.send(0x82, 'binary')
    peer.send(PING, 'ping')
    peer.send(PONG, 'pong')
    peer.end()
    await turn()
    expect(handler.heard).toEqual([
      ['open', ws],
      ['message', ws, 'text', false],
      ['message', ws, Buffer.from('binary'), true],
      ['ping', ws, Buffer.from('ping')],
      ['pong', ws, Buffer.from('pong')],
      ['close', ws, await ws.closed],
    ])
  })
})

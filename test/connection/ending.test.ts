/**
 * How connections end (RFC 6455 5.5.1, 7; threats V37 to V40): every way, begun by everybody, in both roles, told by what
 * went over the wire and by what the application was told. Whatever happens, `close` comes once and last, and nothing is
 * left.
 */
import { describe, expect, it, vi } from 'vitest'
import type { Clock } from '../../src/connection/clock.ts'
import { Deferred } from '../../src/connection/deferred.ts'
import { Ending } from '../../src/connection/ending.ts'
import { END_TIMEOUT, connectionSettings } from '../../src/connection/index.ts'
import { Output } from '../../src/connection/output.ts'
import type { Receiver } from '../../src/connection/receiver.ts'
import { WebSocketError } from '../../src/errors.ts'
import type { Role } from '../../src/framing/rules.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, ROLES, TEXT, expectGone, open, opened } from '../support/connection.ts'
import type { OpenOptions, Opened } from '../support/connection.ts'
import { Peer } from '../support/duplex.ts'
import { SENTENCE } from '../support/errors.ts'
import { received } from '../support/wire.ts'

const closeTimeout = 5000
/** More than any step of an end takes: deadlines are kept to within a tick. */
const TICK = 500

const body = (code: number, reason = ''): Buffer =>
  Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)])

/** What a client does once Close frames have crossed, it waits for the server's FIN; a server sends its own. */
async function finish(peer: Opened['peer']): Promise<void> {
  await turn()
  peer.end()
  await turn()
}

interface Case {
  /** What ends it; the log starts behind `open`. */
  readonly how: string
  readonly options?: OpenOptions
  readonly act: (connection: Opened, role: Role) => void | Promise<void>
  /** What the connection sent. */
  readonly sent: readonly string[]
  /** What the application was told. */
  readonly told: readonly string[]
}

const CASES: readonly Case[] = [
  {
    how: 'closed by us and answered [6455:7.1.2-01] [6455:5.5.1-02] [6455:7.4-01]',
    act: async ({ ws, peer }) => {
      void ws.close(1000, 'done')
      await turn()
      peer.send(CLOSE, body(1000, 'done'))
      await finish(peer)
    },
    sent: ['close 1000 done'],
    told: ['close 1000 clean local "done"'],
  },
  {
    how: 'closed by us because it sent octets, and we understand only text [6455:7.4.1-02] [6455:7.3-01]',
    options: {
      handler: { message: (ws, _data, isBinary) => void (isBinary && ws.close(1003)) },
    },
    act: async ({ peer }) => {
      peer.send(TEXT, 'text')
      peer.send(BINARY, 'octets')
      peer.send(CLOSE, body(1003))
      await finish(peer)
    },
    sent: ['close 1003'],
    told: ['text text', 'binary 6f 63 74 65 74 73', 'close 1003 clean local'],
  },
  {
    how: 'closed by us without a code, answered without one [6455:5.5.1-01] [6455:7.1.5-i01]',
    act: async ({ ws, peer }) => {
      void ws.close()
      await turn()
      peer.send(CLOSE)
      await finish(peer)
    },
    sent: ['close'],
    told: ['close 1005 clean local'],
  },
  {
    how: 'closed by the peer with a code and a reason, which are echoed [6455:5.5.1-06] [6455:5.5.1-07] [6455:7.1.6-i01]',
    act: async ({ peer }) => {
      peer.send(CLOSE, body(4321, 'tschüß'))
      await finish(peer)
    },
    sent: ['close 4321 tschüß'],
    told: ['close 4321 clean peer "tschüß"'],
  },
  {
    how: 'closed by the peer without a code, which is not answered with 1005 [6455:7.1.5-i01] [6455:7.4.1-03]',
    act: async ({ peer }) => {
      peer.send(CLOSE)
      await finish(peer)
    },
    sent: ['close'],
    told: ['close 1005 clean peer'],
  },
  {
    how: 'closed by both at once: each Close counts as the answer to the other [6455:5.5.1-i02] [6455:7.1.5-i01]',
    act: async ({ ws, peer }) => {
      void ws.close(3000, 'ours')
      await turn()
      peer.send(CLOSE, body(4000, 'theirs'))
      await finish(peer)
    },
    sent: ['close 3000 ours'],
    told: ['close 4000 clean local "theirs"'],
  },
  {
    how: 'closed by the peer twice: the first counts, what comes behind it is dropped [6455:7.1.5-i01]',
    act: async ({ peer }) => {
      peer.send(CLOSE, body(4000))
      peer.send(CLOSE, body(4001))
      peer.send(TEXT, 'late')
      peer.write(Buffer.from('no frame at all'))
      await finish(peer)
    },
    sent: ['close 4000'],
    told: ['close 4000 clean peer'],
  },
  {
    how: 'closed by the peer, with messages in front of its Close and behind it in one read [6455:7.1.1-01]',
    act: async ({ peer }, role) => {
      peer.write(received(role, TEXT, 'before'), received(role, CLOSE, NORMAL), received(role, TEXT, 'behind'))
      await finish(peer)
    },
    sent: ['close 1000'],
    told: ['text before', 'close 1000 clean peer'],
  },
  {
    how: 'lost: a FIN came without a Close [6455:7.2.1-02]',
    act: ({ peer }) => finish(peer),
    sent: [],
    told: ['close 1006 unclean network'],
  },
  {
    how: 'lost in the middle of a frame',
    act: async ({ peer }, role) => {
      peer.write(received(role, TEXT, 'half').subarray(0, -2))
      await finish(peer)
    },
    sent: [],
    told: ['close 1006 unclean network'],
  },
  {
    how: 'reset [6455:7.2.1-02]',
    act: ({ peer }) => peer.reset(),
    sent: [],
    told: ['error ECONNRESET', 'close 1006 unclean network (ECONNRESET)'],
  },
  {
    how: 'destroyed under our feet',
    act: ({ peer }) => void peer.transport.destroy(),
    sent: [],
    told: ['close 1006 unclean network'],
  },
  {
    how: 'failed for a rule that the peer broke, which it is told [6455:7.1.7-01] [6455:7.1.7-03] [6455:7.1.7-05] [6455:7.1.7-02] [6455:7.1.7-04] [6455:7.2.1-01]',
    act: async ({ peer }) => {
      peer.send(0x83, 'reserved')
      await finish(peer)
    },
    sent: ['close 1002 Opcode 3 is reserved'],
    told: ['error ERR_WS_RESERVED_OPCODE', 'close 1006 unclean local (ERR_WS_RESERVED_OPCODE)'],
  },
  {
    how: 'failed, and nothing that the peer then sends is looked at, not even its Close [6455:7.1.7-07]',
    act: async ({ peer }) => {
      peer.send(0x83)
      peer.send(TEXT, 'late')
      peer.send(PING, 'late')
      peer.send(CLOSE, NORMAL)
      await finish(peer)
    },
    sent: ['close 1002 Opcode 3 is reserved'],
    told: ['error ERR_WS_RESERVED_OPCODE', 'close 1006 unclean local (ERR_WS_RESERVED_OPCODE)'],
  },
  {
    how: 'failed for text that is none',
    act: async ({ peer }) => {
      peer.send(TEXT, Buffer.from([0xff]))
      await finish(peer)
    },
    sent: ['close 1007 The text is not valid UTF-8; send octets that are not text as a binary message'],
    told: ['error ERR_WS_INVALID_UTF8', 'close 1006 unclean local (ERR_WS_INVALID_UTF8)'],
  },
  {
    how: 'failed for a message too big',
    options: { maxMessageSize: 10 },
    act: async ({ peer }) => {
      peer.send(TEXT, 'eleven octs')
      await finish(peer)
    },
    sent: ['close 1009 The message is larger than 10 octets; raise maxMessageSize if such messages are wanted'],
    told: ['error ERR_WS_MESSAGE_TOO_BIG', 'close 1006 unclean local (ERR_WS_MESSAGE_TOO_BIG)'],
  },
  {
    how: 'failed for a bad close code: its Close does not count',
    act: async ({ peer }) => {
      peer.send(CLOSE, body(1006))
      await finish(peer)
    },
    sent: ['close 1002 Close code 1006 must not stand in a Close frame'],
    told: ['error ERR_WS_BAD_CLOSE_CODE', 'close 1006 unclean local (ERR_WS_BAD_CLOSE_CODE)'],
  },
  {
    how: 'failed while it was being closed: no second Close [6455:5.5.1-05]',
    act: async ({ ws, peer }) => {
      void ws.close(1000)
      await turn()
      peer.send(0x83)
      await finish(peer)
    },
    sent: ['close 1000'],
    told: ['error ERR_WS_RESERVED_OPCODE', 'close 1006 unclean local (ERR_WS_RESERVED_OPCODE)'],
  },
  {
    how: 'failed, then reset: the first cause stays',
    act: async ({ peer }) => {
      peer.send(0x83)
      await turn()
      peer.reset()
    },
    sent: ['close 1002 Opcode 3 is reserved'],
    told: ['error ERR_WS_RESERVED_OPCODE', 'close 1006 unclean local (ERR_WS_RESERVED_OPCODE)'],
  },
  {
    how: 'terminated [6455:7.1.1-02]',
    act: ({ ws }) => ws.terminate(),
    sent: [],
    told: ['close 1006 unclean local'],
  },
  {
    how: 'terminated with messages on their way: they are lost',
    act: ({ ws }) => {
      ws.send('lost')
      ws.terminate()
    },
    sent: [],
    told: ['close 1006 unclean local'],
  },
  {
    how: 'terminated three times, and closed',
    act: ({ ws }) => {
      for (let i = 0; i < 3; i++) ws.terminate()
      void ws.close(1000)
    },
    sent: [],
    told: ['close 1006 unclean local'],
  },
  {
    how: 'closed by us, then terminated',
    act: async ({ ws }) => {
      void ws.close(1000)
      await turn()
      ws.terminate()
    },
    sent: ['close 1000'],
    told: ['close 1006 unclean local'],
  },
  {
    how: 'closed by us, several times over: the first counts',
    act: async ({ ws, peer }) => {
      void ws.close(1000, 'first')
      void ws.close(1001, 'second')
      await turn()
      void ws.close(1001, 'third')
      peer.send(CLOSE, body(1000, 'first'))
      await finish(peer)
      void ws.close(1001, 'fourth')
    },
    sent: ['close 1000 first'],
    told: ['close 1000 clean local "first"'],
  },
  {
    how: 'closed by us and never answered [V38]',
    act: async ({ ws }) => {
      void ws.close(1000)
      await pass(closeTimeout + TICK)
    },
    sent: ['close 1000'],
    told: ['error ERR_WS_CLOSE_TIMEOUT', 'close 1006 unclean timeout (ERR_WS_CLOSE_TIMEOUT)'],
  },
  {
    how: 'closed by us, and the peer ends TCP without an answer',
    act: async ({ ws, peer }) => {
      void ws.close(1000)
      await finish(peer)
    },
    sent: ['close 1000'],
    told: ['close 1006 unclean local'],
  },
  {
    how: 'closed by us, and reset before the answer',
    act: async ({ ws, peer }) => {
      void ws.close(1000)
      await turn()
      peer.reset()
    },
    sent: ['close 1000'],
    told: ['error ECONNRESET', 'close 1006 unclean local (ECONNRESET)'],
  },
  {
    how: 'reset after the closing handshake, when it does not matter any more (V40)',
    act: async ({ ws, peer }) => {
      void ws.close(1000)
      await turn()
      peer.send(CLOSE, NORMAL)
      peer.reset()
      await turn()
    },
    sent: ['close 1000'],
    told: ['close 1000 clean local'],
  },
  {
    how: 'reset after a FIN that left us with messages to send',
    act: async ({ ws, peer }) => {
      peer.stopReading()
      ws.send('never read')
      await finish(peer)
      peer.reset('EPIPE')
    },
    sent: [],
    told: ['error EPIPE', 'close 1006 unclean network (EPIPE)'],
  },
  {
    how: 'ended by a FIN while the peer reads nothing: our FIN has its time, and no more',
    act: async ({ ws, peer }) => {
      peer.stopReading()
      ws.send('never read')
      await finish(peer)
      expect(ws.readyState).toBe(2)
      await pass(closeTimeout + TICK)
    },
    sent: [],
    told: ['close 1006 unclean network'],
  },
  {
    how: 'idle, and closed for that',
    options: { idleTimeout: 10_000 },
    act: async ({ peer }) => {
      await pass(10_000)
      expect(peer.frames).toEqual(['close 1001 idle'])
      peer.send(CLOSE, body(1001, 'idle'))
      await finish(peer)
    },
    sent: ['close 1001 idle'],
    told: ['close 1001 clean timeout "idle"'],
  },
  {
    how: 'idle, and gone',
    options: { idleTimeout: 10_000 },
    act: () => pass(10_000 + closeTimeout + TICK),
    sent: ['close 1001 idle'],
    told: ['error ERR_WS_CLOSE_TIMEOUT', 'close 1006 unclean timeout (ERR_WS_CLOSE_TIMEOUT)'],
  },
  {
    how: 'silent, whatever it was asked [6455:5.5.2-04] [6455:7.1.7-06]',
    options: { heartbeat: { interval: 10_000, timeout: 5000 } },
    act: () => pass(15_000),
    sent: ['ping'],
    told: ['error ERR_WS_HEARTBEAT_TIMEOUT', 'close 1006 unclean timeout (ERR_WS_HEARTBEAT_TIMEOUT)'],
  },
  {
    how: 'stuck in a frame (V19)',
    options: { frameTimeout: 10_000 },
    act: async ({ peer }, role) => {
      peer.write(received(role, TEXT, 'half').subarray(0, -2))
      await pass(10_000 + TICK)
      await finish(peer)
    },
    sent: ['close 1008'],
    told: ['error ERR_WS_FRAME_TIMEOUT', 'close 1006 unclean timeout (ERR_WS_FRAME_TIMEOUT)'],
  },
  {
    how: 'overflowing: nothing more is sent, and nothing more is kept (V34, V36)',
    options: { maxBufferedAmount: 1000 },
    act: async ({ ws, peer }) => {
      peer.stopReading()
      ws.send('x'.repeat(600))
      ws.send('y'.repeat(600))
      expect(ws.send('too much')).toBe(false)
      peer.goOnReading()
      expect(ws.send('later')).toBe(false)
      await turn()
    },
    sent: [],
    told: ['error ERR_WS_BUFFER_OVERFLOW', 'close 1006 unclean local (ERR_WS_BUFFER_OVERFLOW)'],
  },
  {
    how: 'failed for a handler that throws',
    options: {
      handler: {
        message: () => {
          throw new Error('boom')
        },
      },
    },
    act: async ({ peer }) => {
      peer.send(TEXT, 'one')
      peer.send(TEXT, 'two')
      await finish(peer)
    },
    sent: ['close 1011'],
    told: ['text one', 'error boom', 'close 1006 unclean local (boom)'],
  },
]

describe('Ending', () => {
  useClock()

  /** By itself: its peer, and the messages that were accepted and leave when `ready` settles. */
  function alone(ready?: Promise<void>): { ending: Ending; peer: Peer } {
    const peer = new Peer('server')
    const clock = { after: (milliseconds: number) => milliseconds } as Clock
    const settings = { ...connectionSettings('server', { closeTimeout }), clock }
    const output = new Output(peer.transport, {
      settings,
      written: () => {},
      outputDrained: () => {},
      outputWaits: () => {},
    })
    const receiver = { stop: () => {}, awaitClose: () => {} } as Receiver
    return { ending: new Ending({ socket: peer.transport, settings, ready }, output, receiver, 'local'), peer }
  }

  it('cuts a reason for which a Close frame has no room [6455:5.5-01]', () => {
    const { ending, peer } = alone()
    const reason = 'too many words '.repeat(20)
    ending.fail(new Error('failed'), 1002, reason)
    expect(peer.frames).toEqual([`close 1002 ${reason.slice(0, 123)}`])
  })

  it('waits with its Close until what was accepted before has left [6455:5.5.1-08]', async () => {
    const messages = new Deferred<void>()
    const { ending, peer } = alone(messages.promise)
    ending.close(NORMAL)
    await turn()
    expect([peer.frames, ending.finished]).toEqual([[], false])
    messages.resolve()
    await turn()
    expect([peer.frames, ending.finished]).toEqual([['close 1000'], true])
  })

  it('sends no Close behind messages that have left when it is over', async () => {
    const messages = new Deferred<void>()
    const { ending, peer } = alone(messages.promise)
    ending.close(NORMAL)
    ending.terminate()
    const written = vi.spyOn(peer.transport, 'write')
    messages.resolve()
    await turn()
    expect(written).not.toHaveBeenCalled()
    expect(ending.finished).toBe(true)
  })

  it.each([
    ['could not be sent', new Promise<void>(() => {})],
    ['did not answer', undefined],
  ])('ends when its time is over, to the millisecond, and says why: %s [V38]', (why, ready) => {
    const { ending, peer } = alone(ready)
    ending.close(NORMAL)
    expect([ending.tick(closeTimeout - 1), peer.destroyed]).toEqual([undefined, false])
    expect(ending.tick(closeTimeout)).toMatchObject({
      code: 'ERR_WS_CLOSE_TIMEOUT',
      message: expect.stringContaining(why),
    })
    expect(peer.transport.destroyed).toBe(true)
  })

  describe.each(ROLES)('of a %s', (role) => {
    it.each(CASES.map((row) => [row.how, row] as const))(
      'is explained: %s',
      async (_how, { options, act, sent, told }) => {
        const connection = await opened(role, { closeTimeout, ...options })
        const { ws, peer, log, infos, errors } = connection
        const early = ws.closed
        await act(connection, role)
        await turn()
        expectGone(connection)
        expect(log).toEqual(['open', ...told])
        for (const error of errors) if (error instanceof WebSocketError) expect(error.message).toMatch(SENTENCE)
        expect(peer.frames).toEqual(sent)
        // Whoever waits for it hears the same, early or late, and so does whoever closes what is closed.
        expect(await Promise.all([early, ws.closed, ws.close(1000)])).toEqual([infos[0], infos[0], infos[0]])
        ws.terminate()
        ws.pause()
        ws.resume()
        expect([ws.send('late'), ws.ping(), ws.pong()]).toEqual([false, false, false])
        await pass(60_000)
        expect(log).toEqual(['open', ...told])
        expect(peer.frames).toEqual(sent)
      },
    )

    it('[V37] holds a Close that a peer does not read, and ends all the same', async () => {
      const connection = await opened(role, { closeTimeout })
      const { ws, peer, log } = connection
      peer.stopReading()
      expect(ws.send('x'.repeat(70_000))).toBe(false)
      peer.send(CLOSE, NORMAL)
      expect(ws.readyState).toBe(2)
      expect(ws.send('late')).toBe(false)
      expect(ws.bufferedAmount).toBeGreaterThan(70_000)
      await pass(closeTimeout - 1)
      expect(ws.readyState).toBe(2)
      await pass(TICK + 1)
      expectGone(connection)
      expect(log).toEqual(['open', 'close 1000 clean peer'])
    })

    it('sends what waits in front of its Close, when the peer reads on [6455:5.5.1-08]', async () => {
      const connection = await opened(role, { closeTimeout })
      const { ws, peer, log } = connection
      peer.stopReading()
      ws.send('x'.repeat(70_000))
      peer.send(CLOSE, NORMAL)
      await turn()
      peer.goOnReading()
      await finish(peer)
      expect(peer.frames).toEqual([`text ${'x'.repeat(70_000)}`, 'close 1000'])
      expect(log).toEqual(['open', 'close 1000 clean peer'])
      expectGone(connection)
    })

    it('does not wait longer than two seconds for a FIN, when the peer has all that was sent [V38]', async () => {
      for (const initiator of ['local', 'peer'] as const) {
        const connection = await opened(role, { closeTimeout })
        const { ws, peer, log } = connection
        if (initiator === 'local') void ws.close(1000)
        await turn()
        peer.send(CLOSE, NORMAL)
        await pass(END_TIMEOUT - 1)
        expect({ initiator, state: ws.readyState }).toEqual({ initiator, state: 2 })
        await pass(TICK + 1)
        expectGone(connection)
        expect(log).toEqual(['open', `close 1000 clean ${initiator}`])
      }
    })

    it('waits no longer for a FIN than for a Close', async () => {
      const connection = await opened(role, { closeTimeout: 100 })
      connection.peer.send(CLOSE, NORMAL)
      await pass(100 + TICK)
      expectGone(connection)
    })

    it('does not wait for the FIN of a peer that it failed, longer than that', async () => {
      const connection = await opened(role, { closeTimeout })
      connection.peer.send(0x83)
      await pass(END_TIMEOUT - 1)
      expect(connection.ws.readyState).toBe(2)
      // What still comes is read, and dropped: unread octets would turn our Close into a reset (7.1.1).
      connection.peer.write(Buffer.alloc(100_000))
      await turn()
      expect(connection.peer.transport.readableLength).toBe(0)
      await pass(TICK + 1)
      expectGone(connection)
    })

    it('blames itself, not the clock, when it failed a peer that does not answer its earlier Close', async () => {
      const connection = await opened(role, { closeTimeout })
      void connection.ws.close(1000)
      await turn()
      connection.peer.send(0x83)
      await pass(closeTimeout + TICK)
      expect(connection.log.slice(1)).toEqual([
        'error ERR_WS_RESERVED_OPCODE',
        'close 1006 unclean local (ERR_WS_RESERVED_OPCODE)',
      ])
      expectGone(connection)
    })

    it('[A09] writes nothing behind its own FIN, not even why it failed', async () => {
      let fail!: (error: Error) => void
      const connection = await opened(role, {
        handler: {
          message: () =>
            new Promise((_, reject) => {
              fail = reject
            }),
        },
      })
      const { ws, peer, log } = connection
      peer.stopReading()
      ws.send('x'.repeat(20_000))
      peer.send(TEXT, 'x')
      await finish(peer)
      fail(new Error('late'))
      await turn()
      peer.goOnReading()
      await turn()
      expect(peer.frames).toEqual([`text ${'x'.repeat(20_000)}`])
      expect(log.slice(2)).toEqual(['error late', 'close 1006 unclean network (late)'])
      expectGone(connection)
    })

    it('tells the longest reason that a rule has, whole', async () => {
      // Octets are characters in all of them.
      const connection = await opened(role, { maxFragments: 100_000 })
      const { peer } = connection
      peer.send(0x01, 'x')
      for (let i = 0; i < 1100; i++) peer.send(0x00)
      expect(peer.frames[0]).toBe(
        'close 1008 The message has more than 100000 fragments, or more than 1024 empty ones in a row',
      )
      connection.ws.terminate()
      await turn()
      expectGone(connection)
    })

    it('tells its state, which only grows [6455:7.1.3-i01]', async () => {
      const states: number[] = []
      const note = (ws: Opened['ws']): void => void states.push(ws.readyState)
      const connection = await opened(role, { handler: { open: note, close: note, message: note } })
      const { ws, peer } = connection
      peer.send(TEXT, 'x')
      void ws.close()
      note(ws)
      peer.send(TEXT, 'y')
      peer.send(CLOSE)
      note(ws)
      await finish(peer)
      expect(states).toEqual([1, 1, 2, 2, 2, 3])
      expectGone(connection)
    })

    it('answers Pings between its own Close and the peer’s, and none after that [6455:5.5.2-02]', async () => {
      const connection = await opened(role)
      const { ws, peer } = connection
      void ws.close(1000)
      peer.send(PING, 'a')
      await turn()
      peer.send(PING, 'b')
      peer.send(CLOSE, NORMAL)
      peer.send(PING, 'c')
      await finish(peer)
      expect(peer.frames).toEqual(['close 1000', 'pong 61', 'pong 62'])
      expectGone(connection)
    })

    it('[A09] hands on what the peer sent before it knew of our Close, and then sends nothing itself [6455:6.1-02] [6455:5.5.1-05]', async () => {
      const connection = await opened(role)
      const { ws, peer, log } = connection
      void ws.close(1000)
      expect([ws.send('late'), ws.ping('late'), ws.pong('late')]).toEqual([false, false, false])
      peer.send(TEXT, 'on its way')
      peer.send(CLOSE, NORMAL)
      await finish(peer)
      expect(log).toEqual(['open', 'text on its way', 'close 1000 clean local'])
      expect(peer.frames).toEqual(['close 1000'])
      expectGone(connection)
    })

    it('[V38] ends a transport that fails and goes on', async () => {
      const connection = await opened(role)
      const { peer, log } = connection
      peer.transport.emit('error', new Error('renegotiated too often'))
      await turn()
      expect(log).toEqual([
        'open',
        'error renegotiated too often',
        'close 1006 unclean network (renegotiated too often)',
      ])
      expectGone(connection)
    })

    it('is told once by a transport that says so twice, and does not mind failures behind that', async () => {
      const connection = await opened(role)
      const { peer, log } = connection
      connection.ws.terminate()
      await turn()
      peer.transport.emit('close')
      peer.transport.emit('end')
      peer.transport.emit('error', new Error('late'))
      expect(log).toEqual(['open', 'close 1006 unclean local'])
      expectGone(connection)
    })
  })

  it('leaves TCP to the server, which ends it at once [6455:5.5.1-11] [6455:7.1.1-03] [6455:7.1.1-05] [6455:7.1.2-02]', async () => {
    for (const closeFirst of [true, false]) {
      const connection = open('server')
      const { ws, peer } = connection
      await turn()
      if (closeFirst) void ws.close(1000)
      await turn()
      expect(peer.finished).toBe(false)
      peer.send(CLOSE, NORMAL)
      await turn()
      expect(peer.finished).toBe(true)
      await finish(peer)
      expectGone(connection)
    }
  })

  it('makes the client wait for the server’s FIN, and answer that [6455:5.5.1-12] [6455:5.5.1-13] [6455:7.1.1-04] [6455:7.1.1-06]', async () => {
    for (const closeFirst of [true, false]) {
      const connection = open('client')
      const { ws, peer } = connection
      await turn()
      if (closeFirst) void ws.close(1000)
      peer.send(CLOSE, NORMAL)
      await pass(END_TIMEOUT - TICK)
      expect(peer.finished).toBe(false)
      await finish(peer)
      expect(peer.finished).toBe(true)
      expectGone(connection)
    }
  })

  it('refuses 1010 to servers, who have other means, and not to clients [6455:7.4.1-i02] [6455:7.4.1-05]', async () => {
    const server = await opened('server')
    expect(() => server.ws.close(1010, 'permessage-deflate')).toThrow(RangeError)
    expect(server.ws.readyState).toBe(1)
    const client = await opened('client')
    void client.ws.close(1010, 'permessage-deflate')
    await turn()
    expect([server.peer.frames, client.peer.frames]).toEqual([[], ['close 1010 permessage-deflate']])
    for (const { ws } of [server, client]) ws.terminate()
    await turn()
  })

  it.each(ROLES)(
    'refuses what cannot stand in a Close frame, in any state of a %s [6455:7.4.1-03] [6455:7.4.1-04] [6455:7.4.1-06] [6455:7.4.1-i01] [6455:7.4.2-i01]',
    async (role) => {
      const connection = await opened(role)
      const { ws, peer } = connection
      const expectRefusals = (): void => {
        for (const code of [
          -1,
          0,
          999,
          1004,
          1005,
          1006,
          1015,
          1016,
          2999,
          5000,
          65_536,
          1000.5,
          Number.NaN,
          Infinity,
        ]) {
          expect(() => ws.close(code)).toThrow(RangeError)
        }
        expect(() => ws.close('1000' as unknown as number)).toThrow(RangeError)
        expect(() => ws.close(1000, 'x'.repeat(124))).toThrow(RangeError)
        expect(() => ws.close(1000, 'ü'.repeat(62))).toThrow(RangeError)
        expect(() => ws.close(1000, 5 as unknown as string)).toThrow(TypeError)
        expect(() => ws.close(undefined, 'reason')).toThrow(TypeError)
      }
      expectRefusals()
      expect([ws.readyState, peer.frames]).toEqual([1, []])
      void ws.close(3999, 'x'.repeat(123))
      await turn()
      expectRefusals()
      peer.reset()
      await turn()
      expectRefusals()
      expect(peer.frames).toEqual([`close 3999 ${'x'.repeat(123)}`])
      expectGone(connection)
    },
  )
})

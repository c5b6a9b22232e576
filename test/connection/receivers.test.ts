/**
 * Receivers go from connection to connection, as one that waits for its next message needs none: who has which, what
 * they remember and what they must not. A connection with a receiver of somebody else would tell him its messages.
 */
import { runInNewContext } from 'node:vm'
import { setFlagsFromString } from 'node:v8'
import { describe, expect, it, vi } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { ConnectionHandler, ConnectionOptions } from '../../src/connection/index.ts'
import type { ConnectionSettings } from '../../src/connection/options.ts'
import { Hold, Receivers } from '../../src/connection/receiver.ts'
import type { Receiver, ReceiverOwner } from '../../src/connection/receiver.ts'
import { PerMessageDeflate, deflateSettings } from '../../src/deflate/index.ts'
import type { Role } from '../../src/framing/rules.ts'
import { turn, useClock } from '../support/clock.ts'
import { CLOSE, NORMAL, PING, ROLES, TEXT } from '../support/connection.ts'
import { describe as describeEvent } from '../support/decode.ts'
import { Peer, Transport, pair } from '../support/duplex.ts'
import { frame, received, script, wire } from '../support/wire.ts'

/** What an owner is told, in words. */
class Owner implements ReceiverOwner {
  readonly socket = new Transport()
  readonly settings: ConnectionSettings
  readonly deflate: PerMessageDeflate | undefined
  readonly heard: string[] = []

  constructor(settings: ConnectionSettings, deflate?: PerMessageDeflate) {
    this.settings = settings
    this.deflate = deflate
  }

  receive(): void {}
  goOnWith(): void {}
  messageReceived(data: string | Buffer, isBinary: boolean): void {
    this.heard.push(describeEvent(isBinary ? 'binary' : 'text', data))
  }
  partReceived(): void {}
  pingReceived(payload: Buffer): void {
    this.heard.push(describeEvent('ping', payload))
  }
  pongReceived(): void {}
  closeReceived(): void {}
  endReceived(): void {}
}

const settings = connectionSettings('client', {})

/** As whoever agreed upon compression. */
function deflating(): PerMessageDeflate {
  const agreed = {
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
  }
  return new PerMessageDeflate(agreed, deflateSettings(true)!, 'client')
}

function read(receiver: Receiver, bytes: Buffer): void {
  const copy = Buffer.from(bytes)
  receiver.receive(copy, copy.length)
}

describe('Receivers', () => {
  it('hand out a spare receiver before they make one, whoever gave it back', () => {
    const receivers = new Receivers()
    const [one, two] = [new Owner(settings), new Owner(settings)]
    const receiver = receivers.take(one)
    expect(receivers.take(two)).not.toBe(receiver)
    read(receiver, wire('81 01 61'))
    receivers.giveBack(receiver, one)
    expect(receivers.take(two)).toBe(receiver)
    read(receiver, wire('81 01 62'))
    expect([one.heard, two.heard]).toEqual([['text a'], ['text b']])
    expect(receivers.take(two)).not.toBe(receiver)
  })

  it('keep those apart that know an extension', () => {
    const receivers = new Receivers()
    const [plainOwner, extendedOwner] = [new Owner(settings), new Owner(settings, deflating())]
    const plain = receivers.take(plainOwner)
    receivers.giveBack(plain, plainOwner)
    const extended = receivers.take(extendedOwner)
    expect(extended).not.toBe(plain)
    receivers.giveBack(extended, extendedOwner)
    expect(receivers.take(plainOwner)).toBe(plain)
    expect(receivers.take(extendedOwner)).toBe(extended)
    // "a" as RFC 7692 7.2.3 would have it.
    read(extended, wire('c1 03 4a0400'))
    expect(extendedOwner.heard).toEqual(['text a'])
    expect(() => read(plain, wire('c1 03 4a0400'))).toThrow('RSV1 is set')
  })

  it('keep at most 16 of each kind', () => {
    for (const owner of [new Owner(settings), new Owner(settings, deflating())]) {
      const receivers = new Receivers()
      const taken = Array.from({ length: 20 }, () => receivers.take(owner))
      expect(new Set(taken).size).toBe(20)
      for (const receiver of taken) receivers.giveBack(receiver, owner)
      const again = Array.from({ length: 20 }, () => receivers.take(owner))
      expect(new Set(again).size).toBe(20)
      expect(again.filter((receiver) => taken.includes(receiver))).toHaveLength(16)
    }
  })

  it('hold on to nobody who gave one back', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const receivers = new Receivers()
    const gone = ((): WeakRef<ReceiverOwner> => {
      const owner = new Owner(settings)
      const receiver = receivers.take(owner)
      // Everything that it might remember: text in pieces, a Ping that was cut.
      for (const octet of script('client', [
        [0x01, 'é'],
        [PING, 'p'],
        [0x80, 'é'],
      ])) {
        read(receiver, Buffer.from([octet]))
      }
      expect([owner.heard, receiver.idle]).toEqual([['ping 70', 'text éé'], true])
      receivers.giveBack(receiver, owner)
      return new WeakRef(owner)
    })()
    // A WeakRef holds until the end of the turn in which it was made.
    await turn()
    collect()
    expect(gone.deref()).toBe(undefined)
    expect(receivers.take(new Owner(settings))).toBeDefined()
  })

  it('judge a header that is cut anew, when a receiver has begun as many frames for somebody else', () => {
    const receivers = new Receivers()
    const [one, two] = [new Owner(settings), new Owner(settings)]
    const receiver = receivers.take(one)
    read(receiver, wire('81 02 61'))
    expect(receiver.isStalled(0, 100)).toBe(false)
    read(receiver, wire('62'))
    receivers.giveBack(receiver, one)
    expect(receivers.take(two)).toBe(receiver)
    read(receiver, wire('81'))
    expect([5000, 5099, 5100].map((now) => receiver.isStalled(now, 100))).toEqual([false, false, true])
  })
})

describe('Receiver.idle', () => {
  it.each([
    ['nothing', '', true],
    ['a whole message', '81 01 61', true],
    ['the first octet of a header', '81', false],
    ['a part of a payload', '81 02 61', false],
    ['a fragment', '01 01 61', false],
    ['all fragments', '01 01 61 80 00', true],
    ['a part of a Ping', '89 02 61', false],
  ])('tells whether another connection may have it: behind %s', (_, literal, idle) => {
    const receiver = new Receivers().take(new Owner(settings))
    read(receiver, wire(literal))
    expect(receiver.idle).toBe(idle)
  })

  it('is not so while it is held, or has something to do, or works', async () => {
    const owner = new Owner(settings)
    const receiver = new Receivers().take(owner)
    receiver.hold(Hold.Pause)
    expect(receiver.idle).toBe(false)
    read(receiver, wire('81 01 61'))
    receiver.release(Hold.Pause)
    expect(receiver.idle).toBe(false)
    const idle: boolean[] = []
    vi.spyOn(owner, 'receive').mockImplementation((...[chunk]: Buffer[]) => {
      read(receiver, chunk)
      idle.push(receiver.idle)
    })
    vi.spyOn(owner, 'messageReceived').mockImplementation(() => void idle.push(receiver.idle))
    await turn()
    expect([idle, receiver.idle]).toEqual([[false, false], true])
  })

  it('is not so when the peer has ended, or it was stopped', () => {
    const ended = new Receivers().take(new Owner(settings))
    ended.end()
    expect(ended.idle).toBe(false)
    const stopped = new Receivers().take(new Owner(settings))
    stopped.stop()
    expect(stopped.idle).toBe(false)
  })

  it('is not so when messages come in parts, or only a Close is awaited', async () => {
    const inParts = new Receivers().take(new Owner(settings))
    inParts.stream(10)
    expect(inParts.idle).toBe(false)
    const closing = new Receivers().take(new Owner(settings))
    closing.hold(Hold.Pause)
    closing.awaitClose()
    await turn()
    expect(closing.idle).toBe(false)
  })
})

describe.each(ROLES)('The receivers of connections (%s)', (role) => {
  useClock()

  interface Bound {
    readonly ws: Connection
    readonly peer: Peer
  }

  /** A connection, of which there may be several with the same settings, as on a server. */
  function bind(shared: ConnectionSettings, handler: ConnectionHandler): Bound {
    const peer = new Peer(role)
    const ws = new Connection(peer.transport, shared, handler, undefined, '')
    ws.start('', Buffer.alloc(0))
    return { ws, peer }
  }

  async function end(...connections: readonly Bound[]): Promise<void> {
    for (const { ws } of connections) ws.terminate()
    await turn()
  }

  /** Settings, the receivers that were taken of them, and those that have not been given back. */
  function watched(options: ConnectionOptions = {}): {
    shared: ConnectionSettings
    taken: Set<Receiver>
    out: Set<Receiver>
  } {
    const shared = connectionSettings(role, { heartbeat: false, ...options })
    const { receivers } = shared
    const [taken, out] = [new Set<Receiver>(), new Set<Receiver>()]
    const [take, giveBack] = [receivers.take.bind(receivers), receivers.giveBack.bind(receivers)]
    vi.spyOn(receivers, 'take').mockImplementation((owner) => {
      const receiver = take(owner)
      expect(out.has(receiver)).toBe(false)
      taken.add(receiver)
      out.add(receiver)
      return receiver
    })
    vi.spyOn(receivers, 'giveBack').mockImplementation((receiver, owner) => {
      expect([out.has(receiver), receiver.idle]).toEqual([true, true])
      out.delete(receiver)
      giveBack(receiver, owner)
    })
    return { shared, taken, out }
  }

  it('are one for many connections that are between messages', async () => {
    const { shared, taken, out } = watched()
    const told: string[] = []
    const connections = Array.from({ length: 5 }, (_, i) =>
      bind(shared, { message: (__, data) => void told.push(`${i} ${String(data)}`) }),
    )
    await turn()
    for (const text of ['a', 'b']) {
      for (const { peer } of connections) {
        peer.send(TEXT, text)
        expect(out.size).toBe(0)
      }
    }
    expect(told).toEqual(['a', 'b'].flatMap((text) => [0, 1, 2, 3, 4].map((i) => `${i} ${text}`)))
    expect(taken.size).toBe(1)
    await end(...connections)
  })

  it('stay with a connection that is in the middle of a message, frame or header, and go back with its end', async () => {
    const { shared, taken, out } = watched()
    const told: string[] = []
    const connections = Array.from({ length: 4 }, (_, i) =>
      bind(shared, { message: (__, data) => void told.push(`${i} ${String(data)}`) }),
    )
    await turn()
    const messages = connections.map((_, i) =>
      script(role, [
        [0x01, `fragment of ${i}, `],
        [PING, 'p'],
        [0x80, `end of ${i}`],
      ]),
    )
    // All of them at once, an octet each in turn.
    const last = messages[0].length - 1
    for (let at = 0; at <= last; at++) {
      for (const [i, { peer }] of connections.entries()) {
        peer.write(messages[i].subarray(at, at + 1))
        expect(out.size).toBe(at === 0 ? i + 1 : at < last ? 4 : 3 - i)
      }
    }
    expect(told).toEqual([0, 1, 2, 3].map((i) => `${i} fragment of ${i}, end of ${i}`))
    expect(taken.size).toBe(4)
    await end(...connections)
  })

  it('are another for whoever reads within the message of another connection', async () => {
    const { shared, taken, out } = watched()
    const told: string[] = []
    const connections: Bound[] = []
    // Each hands the message on to the next, while its own is being told.
    for (let i = 0; i < 3; i++) {
      connections.push(
        bind(shared, {
          message: (_, data) => {
            told.push(`${i} begins ${String(data)}`)
            connections[i + 1]?.peer.write(received(role, TEXT, data), received(role, TEXT, `${i}`))
            told.push(`${i} ends ${String(data)}`)
          },
        }),
      )
    }
    await turn()
    connections[0].peer.write(received(role, TEXT, 'x'), received(role, TEXT, 'y'))
    const one = (text: string): string[] => [
      `1 begins ${text}`,
      ...[`2 begins ${text}`, `2 ends ${text}`, '2 begins 1', '2 ends 1'],
      `1 ends ${text}`,
    ]
    expect(told).toEqual(
      ['x', 'y'].flatMap((text) => [`0 begins ${text}`, ...one(text), ...one('0'), `0 ends ${text}`]),
    )
    expect([taken.size, out.size]).toEqual([3, 0])
    await end(...connections)
  })

  it('are given to all who read within each other, though not all are kept', async () => {
    const { shared, taken, out } = watched()
    const depth: number[] = []
    const connections: Bound[] = []
    for (let i = 0; i < 20; i++) {
      connections.push(
        bind(shared, {
          message: (_, data) => {
            depth.push(out.size)
            connections[i + 1]?.peer.send(TEXT, data)
          },
        }),
      )
    }
    await turn()
    for (let round = 0; round < 2; round++) {
      depth.length = 0
      connections[0].peer.send(TEXT, 'down')
      expect(depth).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
      // 4 of the first 20 were not kept, so that the next round needs others.
      expect([taken.size, out.size]).toEqual([20 + 4 * round, 0])
    }
    await end(...connections)
  })

  it('are not confused by transports that deliver within writes', async () => {
    const { shared } = watched({ highWaterMark: 1 })
    const other: Role = role === 'server' ? 'client' : 'server'
    const otherSettings = connectionSettings(other, { heartbeat: false, highWaterMark: 1 })
    const told: string[] = []
    const near: Connection[] = []
    // What one is told goes out through the next, and comes back from its far end before the call has returned.
    for (let i = 0; i < 3; i++) {
      const [transport, far] = pair({ delivery: 'within' })
      const message = (_: Connection, data: string | Buffer): void => {
        told.push(`${i} ${String(data)}`)
        near[i + 1]?.send(`${String(data)}, on`)
      }
      const ws = new Connection(transport, shared, { message }, undefined, '')
      const echo = new Connection(far, otherSettings, { message: (end_, data) => end_.send(data) }, undefined, '')
      near.push(ws)
      ws.start('', Buffer.alloc(0))
      echo.start('', Buffer.alloc(0))
    }
    await turn()
    near[0].receive(script(role, [[0x01, 'one '], [PING], [0x80, 'message'], [TEXT, 'another']]))
    await turn()
    expect(told.toSorted()).toEqual([
      '0 another',
      '0 one message',
      '1 another, on',
      '1 one message, on',
      '2 another, on, on',
      '2 one message, on, on',
    ])
    for (const ws of near) ws.terminate()
    await turn(4)
  })

  it('stay with a connection that is paused, whose bytes wait, until it has gone on with them', async () => {
    const { shared, taken, out } = watched()
    const told: string[] = []
    const paused = bind(shared, {
      message: (ws, data) => {
        told.push(`paused ${String(data)}`)
        if (data !== 'c') ws.pause()
      },
    })
    const other = bind(shared, { message: (_, data) => void told.push(`other ${String(data)}`) })
    await turn()
    paused.peer.write(
      script(role, [
        [TEXT, 'a'],
        [TEXT, 'b'],
        [TEXT, 'c'],
      ]),
    )
    for (const text of ['1', '2']) other.peer.send(TEXT, text)
    expect([taken.size, out.size]).toEqual([2, 1])
    paused.ws.resume()
    other.peer.send(TEXT, '3')
    await turn()
    other.peer.send(TEXT, '4')
    paused.ws.resume()
    await turn()
    expect(told).toEqual(['paused a', 'other 1', 'other 2', 'other 3', 'paused b', 'other 4', 'paused c'])
    // With its next read at the latest.
    paused.peer.send(TEXT, 'c')
    expect([taken.size, out.size]).toEqual([2, 0])
    await end(paused, other)
  })

  it('stay with a connection whose `open` has not settled, or whose queue is full', async () => {
    const { shared, out } = watched()
    let settle!: () => void
    const opening = bind(shared, {
      open: () =>
        new Promise<void>((resolve) => {
          settle = resolve
        }),
      message: () => {},
    })
    const iterated = bind(shared, {})
    await turn()
    expect(out.size).toBe(1)
    iterated.peer.write(...Array.from({ length: 1000 }, (_, i) => received(role, TEXT, `${i}`)))
    expect(out.size).toBe(2)
    const messages = iterated.ws.messages()
    for (let i = 0; i < 1000; i++) expect((await messages.next()).value).toBe(`${i}`)
    settle()
    await turn()
    for (const { peer } of [opening, iterated]) peer.send(TEXT, 'next')
    expect(out.size).toBe(0)
    await end(opening, iterated)
  })

  it('do not come back from a connection that broke a rule, which has left them in the middle', async () => {
    const { shared, taken, out } = watched()
    const told: string[] = []
    const broken = bind(shared, {})
    const whole = bind(shared, { message: (_, data) => void told.push(String(data)) })
    await turn()
    broken.peer.send(TEXT, wire('ff'))
    expect(broken.ws.readyState).toBe(2)
    whole.peer.send(TEXT, 'a')
    broken.peer.send(TEXT, 'lost')
    whole.peer.send(TEXT, 'b')
    expect([told, taken.size, out.size]).toEqual([['a', 'b'], 2, 1])
    await end(broken, whole)
  })

  it.each([
    ['a Close frame', (peer: Peer) => peer.send(CLOSE, NORMAL)],
    ['a FIN', (peer: Peer) => peer.end()],
    ['half a message, and a reset', (peer: Peer) => [peer.send(0x01, 'half'), peer.reset()]],
  ])('do not come back from a connection that ends with %s', async (_, ending) => {
    const { shared, out } = watched()
    const told: string[] = []
    const handler = { message: (__: Connection, data: string | Buffer) => void told.push(String(data)) }
    const [ended, other] = [bind(shared, handler), bind(shared, handler)]
    await turn()
    ended.peer.send(TEXT, 'a')
    ending(ended.peer)
    await turn()
    expect([ended.ws.readyState > 1, out.size]).toEqual([true, 1])
    for (const text of ['b', 'c']) other.peer.send(TEXT, text)
    expect([told, out.size]).toEqual([['a', 'b', 'c'], 1])
    await end(ended, other)
  })

  it('do not come back from a connection that is ended within a message of its own', async () => {
    const { shared, out } = watched()
    const told: string[] = []
    const act: ((ws: Connection) => unknown)[] = [
      (ws) => ws.terminate(),
      (ws) => ws.close(1000),
      () => {
        throw new Error('mistake')
      },
    ]
    const ended = act.map((end_) =>
      bind(shared, { message: (ws, data) => void [told.push(String(data)), end_(ws)], error: () => {} }),
    )
    await turn()
    for (const { peer } of ended) peer.write(received(role, TEXT, 'a'), received(role, TEXT, 'b'))
    expect([told.filter((text) => text === 'a').length, out.size]).toEqual([3, 3])
    await turn()
    await end(...ended)
  })

  it('stay with a connection whose messages come in parts', async () => {
    const { shared, taken, out } = watched()
    const [streamed, other] = [bind(shared, {}), bind(shared, {})]
    await turn()
    void streamed.ws.messages({ stream: true })
    for (const { peer } of [streamed, other]) peer.send(TEXT, 'a')
    expect([taken.size, out.size]).toEqual([2, 1])
    await end(streamed, other)
  })

  it('do not let anybody wait for the end of a frame that somebody else began', async () => {
    const { shared } = watched({ frameTimeout: 10_000 })
    const [one, two] = [bind(shared, { message: () => {} }), bind(shared, { message: () => {} })]
    await turn()
    one.peer.write(frame(0x81, 'ab', role === 'server' ? { key: wire('01020304') } : {}).subarray(0, -1))
    vi.advanceTimersByTime(9000)
    // It ends just in time, and the other begins.
    one.peer.write(frame(0x81, 'ab', role === 'server' ? { key: wire('01020304') } : {}).subarray(-1))
    two.peer.write(received(role, TEXT, 'x').subarray(0, 1))
    vi.advanceTimersByTime(5000)
    expect([one.ws.readyState, two.ws.readyState]).toEqual([1, 1])
    vi.advanceTimersByTime(6000)
    expect([one.ws.readyState, two.ws.readyState]).toEqual([1, 2])
    await end(one, two)
  })
})

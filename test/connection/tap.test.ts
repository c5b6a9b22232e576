/**
 * The frame tap: that it tells what was on the wire, whatever the connection made of it, and that nothing it does harms
 * the connection.
 */
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { Tap, TapOptions, TappedFrame } from '../../src/connection/index.ts'
import { encodeFrame } from '../../src/framing/index.ts'
import type { Role } from '../../src/framing/rules.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, PONG, ROLES, TEXT, expectGone, opened } from '../support/connection.ts'
import type { OpenOptions, Opened } from '../support/connection.ts'
import { pair } from '../support/duplex.ts'
import { KEY, frame, received, script } from '../support/wire.ts'

/** `in 81 5 Hello`: direction, first octet, payload length, payload. */
function line({ direction, fin, rsv1, rsv2, rsv3, opcode, payloadLength, payload }: TappedFrame): string {
  const first = [fin, rsv1, rsv2, rsv3].reduce((octet, bit, at) => octet | (bit ? 0x80 >> at : 0), opcode)
  return `${direction} ${first.toString(16).padStart(2, '0')} ${payloadLength} ${payload.toString('latin1')}`.trimEnd()
}

/** The frame as it was on the wire. */
function octetsOf({ maskingKey, ...told }: TappedFrame): Buffer {
  return encodeFrame(maskingKey === undefined ? told : { ...told, maskingKey })
}

interface Watched extends Opened {
  readonly seen: TappedFrame[]
  readonly lines: string[]
  readonly remove: () => void
}

/** Puts a tap on a connection that is open. */
function watch(connection: Opened, options?: TapOptions): Watched {
  const seen: TappedFrame[] = []
  const lines: string[] = []
  const remove = connection.ws.tap((told) => {
    seen.push(told)
    lines.push(line(told))
  }, options)
  return { ...connection, seen, lines, remove }
}

async function watched(role: Role, options?: OpenOptions): Promise<Watched> {
  return watch(await opened(role, options))
}

async function end(connection: Opened): Promise<void> {
  connection.ws.terminate()
  await turn()
  expectGone(connection)
}

/** What a process warning said, in place of it. */
function warnings(): unknown[] {
  const told: unknown[] = []
  const spy = vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void told.push(warning))
  onTestFinished(() => spy.mockRestore())
  return told
}

describe.each(ROLES)('A tap on a %s', (role) => {
  useClock()

  it('is told every field of a frame', async () => {
    const connection = await watched(role)
    const { ws, peer, seen } = connection
    peer.send(TEXT, 'Hello')
    await turn()
    ws.send('you')
    await turn()
    const masked = role === 'server'
    const common = { at: Date.now(), connection: ws, fin: true, rsv1: false, rsv2: false, rsv3: false, opcode: 1 }
    expect(seen[0]).toEqual({
      ...common,
      direction: 'in',
      masked,
      maskingKey: masked ? KEY.readInt32LE() : undefined,
      extendedLength: 0,
      payloadLength: 5,
      payload: Buffer.from('Hello'),
    })
    expect(seen[1]).toMatchObject({ ...common, direction: 'out', masked: !masked, payload: Buffer.from('you') })
    expect(octetsOf(seen[1])).toEqual(peer.bytes)
    await end(connection)
  })

  it('is told messages, fragments and control frames of both sides, in order', async () => {
    const connection = await watched(role, { fragmentSize: 4, handler: { message: (ws, data) => ws.send(data) } })
    const { ws, peer, lines } = connection
    peer.write(
      script(role, [
        [0x01, 'frag'],
        [PING, 'p'],
        [0x80, 'ments'],
        [PONG, 'q'],
      ]),
    )
    await turn()
    ws.ping('r')
    peer.send(CLOSE, NORMAL)
    await turn()
    const close = NORMAL.toString('latin1')
    expect(lines).toEqual([
      ...['in 01 4 frag', 'in 89 1 p', 'in 80 5 ments', 'in 8a 1 q'],
      ...['out 8a 1 p', 'out 01 4 frag', 'out 00 4 ment', 'out 80 1 s'],
      ...[`in 88 2 ${close}`, 'out 89 1 r', `out 88 2 ${close}`],
    ])
    await end(connection)
  })

  it('is told what is compressed as it is on the wire, and what is large', async () => {
    const connection = await watched(role, {
      extensions: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
      perMessageDeflate: true,
      handler: { message: (ws) => ws.send('x'.repeat(100_000), { compress: false }) },
    })
    const { ws, peer, seen, lines } = connection
    ws.send('a'.repeat(2000))
    await turn()
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({ direction: 'out', rsv1: true, opcode: 1 })
    expect(seen[0].payloadLength).toBeLessThan(100)
    // "a" as RFC 7692 7.2.3 would have it.
    peer.send(0xc1, Buffer.from('4a0400', 'hex'))
    await turn()
    expect(lines.slice(1)).toEqual(['in c1 3 J\u0004\0', `out 81 100000 ${'x'.repeat(100_000)}`])
    expect(seen[2].extendedLength).toBe(8)
    await end(connection)
  })

  it('put on in `open` is told what is sent there, and not the answer in front of it', async () => {
    const lines: string[] = []
    const connection = await opened(role, {
      greeting: 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      head: received(role, TEXT, 'early'),
      handler: {
        open(ws) {
          ws.tap((told) => lines.push(line(told)))
          ws.send('welcome')
        },
      },
    })
    // A payload may begin as that answer does.
    connection.ws.send(Buffer.from('H'.repeat(20_000)))
    await turn()
    expect(lines).toEqual(['out 81 7 welcome', 'in 81 5 early', `out 82 20000 ${'H'.repeat(20_000)}`])
    await end(connection)
  })

  it('is told the same however the bytes are cut', async () => {
    const bytes = script(role, [[TEXT, 'one'], [BINARY, Buffer.alloc(300, 7)], [PING], [TEXT, 'two']])
    const whole = await watched(role)
    whole.peer.write(Buffer.from(bytes))
    await turn()
    expect(whole.lines.filter((text) => text.startsWith('in'))).toHaveLength(4)
    for (let cut = 1; cut < bytes.length; cut += cut < 20 ? 1 : 37) {
      const connection = await watched(role)
      connection.peer.write(Buffer.from(bytes.subarray(0, cut)))
      await turn(1)
      connection.peer.write(Buffer.from(bytes.subarray(cut)))
      await turn(1)
      const fromPeer = (text: string): boolean => text.startsWith('in')
      expect(connection.lines.filter(fromPeer)).toEqual(whole.lines.filter(fromPeer))
      await end(connection)
    }
    await end(whole)
  })

  it('is told, for any frames, octets that make up the wire again', async () => {
    const literal = fc.tuple(
      fc.constantFrom(TEXT, BINARY, PING, PONG),
      fc.string({ unit: 'binary-ascii', maxLength: 125 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(literal, { maxLength: 8 }), fc.integer({ min: 1, max: 64 }), async (frames, size) => {
        const connection = await watched(role, { handler: { message: (ws, data) => ws.send(data) } })
        const { peer, seen } = connection
        const bytes = script(role, frames)
        for (let at = 0; at < bytes.length; at += size) peer.write(Buffer.from(bytes.subarray(at, at + size)))
        await turn()
        const wire = (direction: string): Buffer =>
          Buffer.concat(seen.filter((told) => told.direction === direction).map(octetsOf))
        expect(wire('in').equals(bytes)).toBe(true)
        expect(wire('out').equals(peer.bytes)).toBe(true)
        await end(connection)
      }),
      { numRuns: 40 },
    )
  })

  it('is given copies: what it does to them nobody else sees, and what it keeps does not change', async () => {
    const connection = await opened(role)
    const kept: Buffer[] = []
    connection.ws.tap(({ payload }) => {
      kept.push(Buffer.from(payload))
      payload.fill(0)
    })
    connection.ws.tap(({ payload }) => kept.push(payload))
    const large = Buffer.from('L'.repeat(20_000))
    connection.peer.send(TEXT, 'first')
    connection.ws.send(large)
    await turn()
    connection.peer.send(TEXT, 'other')
    await turn()
    expect(connection.log).toEqual(['open', 'text first', 'text other'])
    expect(connection.peer.bytes.subarray(-20_000).every((octet) => octet === large[0])).toBe(role === 'server')
    expect(large.every((octet) => octet === large[0])).toBe(true)
    expect(kept.map((payload) => payload.toString('latin1', 0, 5)).toSorted()).toEqual(
      ['first', 'first', 'other', 'other', 'LLLLL', 'LLLLL'].toSorted(),
    )
    await end(connection)
  })
})

describe.each(ROLES)('A tap on a %s, put on while it is at work,', (role) => {
  useClock()
  const bytes = script(role, [
    [TEXT, 'begun'],
    [TEXT, 'next'],
    [TEXT, 'last'],
  ])
  const headerLength = role === 'server' ? 6 : 2

  it.each([
    { where: 'between two frames', cut: headerLength + 5, first: 'next' },
    { where: 'within a header', cut: headerLength - 1, first: 'begun' },
    { where: 'in front of a payload', cut: headerLength, first: 'next' },
    { where: 'within a payload', cut: headerLength + 2, first: 'next' },
    { where: 'within the header of the second frame', cut: headerLength + 5 + 1, first: 'next' },
  ])('begins with the first frame whose header comes later: $where', async ({ cut, first }) => {
    const connection = await opened(role)
    connection.peer.write(Buffer.from(bytes.subarray(0, cut)))
    await turn()
    const { lines } = watch(connection)
    connection.peer.write(Buffer.from(bytes.subarray(cut)))
    await turn()
    const all = ['in 81 5 begun', 'in 81 4 next', 'in 81 4 last']
    expect(lines).toEqual(all.slice(first === 'begun' ? 0 : 1))
    expect(connection.log).toEqual(['open', 'text begun', 'text next', 'text last'])
    await end(connection)
  })

  it.each([
    { how: 'when that has been looked at', whileHeld: false },
    { how: 'or, as a socket may, while reading is held', whileHeld: true },
  ])('leaves out what was read before, though nobody has looked at it yet; more comes $how', async ({ whileHeld }) => {
    const connection = await opened(role, { handler: { message: (ws, data) => data === 'begun' && ws.pause() } })
    const cut = headerLength + 5 + headerLength + 2
    const rest = Buffer.from(bytes.subarray(cut))
    connection.peer.write(Buffer.from(bytes.subarray(0, cut)))
    await turn()
    const { ws, lines } = watch(connection)
    if (whileHeld) ws.arrived(rest, rest.length)
    else connection.peer.write(rest)
    expect(connection.log).toEqual(['open', 'text begun'])
    ws.resume()
    await turn()
    expect(lines).toEqual(['in 81 4 last'])
    expect(connection.log).toEqual(['open', 'text begun', 'text next', 'text last'])
    await end(connection)
  })

  it('begins with the next read when it is put on within a message', async () => {
    const lines: string[] = []
    const connection = await opened(role, {
      handler: { message: (ws, data) => data === 'begun' && ws.tap((told) => lines.push(line(told))) },
    })
    connection.peer.write(Buffer.from(bytes))
    await turn()
    expect(lines).toEqual([])
    connection.peer.write(received(role, TEXT, 'then'))
    await turn()
    expect(lines).toEqual(['in 81 4 then'])
    await end(connection)
  })

  it('is told of what is being sent only what has not been handed on', async () => {
    const connection = await opened(role)
    connection.ws.send('before')
    await turn()
    const { ws, lines } = watch(connection)
    ws.send('after')
    await turn()
    expect(lines).toEqual(['out 81 5 after'])
    await end(connection)
  })
})

describe.each(ROLES)('A tap on a %s that fails', (role) => {
  useClock()

  it('is told the frame that broke the rules, and then our Close', async () => {
    const connection = await watched(role)
    connection.peer.write(received(role, 0xb3, 'odd'), received(role, TEXT, 'behind it'))
    await turn()
    expect(connection.log.at(1)).toBe('error ERR_WS_RESERVED_BIT')
    expect(connection.lines.slice(0, 2)).toEqual(['in b3 3 odd', 'in 81 9 behind it'])
    expect(connection.lines[2]).toMatch(/^out 88 /)
    await end(connection)
  })

  it('is told a wrong mask', async () => {
    const connection = await watched(role)
    connection.peer.write(role === 'server' ? frame(TEXT, 'bare') : frame(TEXT, 'bare', { key: KEY }))
    await turn()
    expect(connection.seen[0]).toMatchObject({
      direction: 'in',
      masked: role === 'client',
      payload: Buffer.from('bare'),
    })
    await end(connection)
  })

  it('is told at once a frame that was refused for its length, with what came of it', async () => {
    const connection = await watched(role)
    const form = { declared: 2n ** 40n }
    connection.peer.write(received(role, BINARY, 'what came', form))
    await turn()
    expect(connection.lines[0]).toBe(`in 82 ${2 ** 40} what came`)
    expect(connection.seen[0].extendedLength).toBe(8)
    expect(connection.lines[1]).toMatch(/^out 88 /)
    connection.peer.write(Buffer.from('more of it'))
    await turn()
    expect(connection.lines).toHaveLength(2)
    await end(connection)
    expect(connection.lines).toHaveLength(2)
  })

  it('is told what came of a frame when the transport ends', async () => {
    const connection = await watched(role)
    connection.peer.write(received(role, TEXT, 'unfinished').subarray(0, -3))
    await turn()
    expect(connection.lines).toEqual([])
    await end(connection)
    expect(connection.lines).toEqual(['in 81 10 unfinis'])
  })

  it('has nothing to tell when nobody knows where the next frame begins', async () => {
    const connection = await opened(role)
    connection.peer.write(received(role, 0xb3, 'odd'))
    await turn()
    const { lines, remove } = watch(connection)
    connection.peer.write(received(role, TEXT, 'behind it'))
    await turn()
    expect(lines).toEqual([])
    remove()
    await end(connection)
  })

  it('is not put on when it has ended', async () => {
    const connection = await opened(role)
    await end(connection)
    const { remove, lines } = watch(connection)
    remove()
    expect(lines).toEqual([])
  })
})

describe.each(ROLES)('A tap on a %s', (role) => {
  useClock()

  it.each([0, 3, 5, 6])('keeps up to %i octets of a payload', async (maxPayload) => {
    const connection = watch(await opened(role), { maxPayload })
    const bytes = received(role, TEXT, 'Hello')
    connection.peer.write(Buffer.from(bytes))
    for (const octet of bytes) connection.peer.write(Buffer.from([octet]))
    await turn()
    const expected = `in 81 5 ${'Hello'.slice(0, maxPayload)}`.trimEnd()
    expect(connection.lines).toEqual([expected, expected])
    await end(connection)
  })

  it('that throws is reported, and removed; the connection and other taps go on', async () => {
    const told = warnings()
    const connection = await opened(role)
    let calls = 0
    const mistake = new Error('a mistake')
    connection.ws.tap(() => {
      calls++
      throw mistake
    })
    const { lines } = watch(connection)
    connection.peer.write(received(role, TEXT, 'a'), received(role, TEXT, 'b'))
    await turn()
    connection.ws.send('c')
    await turn()
    expect(calls).toBe(1)
    expect(told).toEqual([mistake])
    expect(lines).toEqual(['in 81 1 a', 'in 81 1 b', 'out 81 1 c'])
    expect(connection.log).toEqual(['open', 'text a', 'text b'])
    await end(connection)
  })

  it('that rejects is reported and removed, too', async () => {
    const told = warnings()
    const connection = await opened(role)
    const mistake = new Error('a mistake')
    const tap = vi.fn<Tap>(() => Promise.reject(mistake))
    connection.ws.tap(tap)
    for (const text of ['a', 'b', 'c']) {
      connection.peer.send(TEXT, text)
      await turn()
    }
    expect(tap).toHaveBeenCalledTimes(1)
    expect(told).toEqual([mistake])
    await end(connection)
  })

  it('hears nothing more when it is removed, even of what has crossed the wire; others do', async () => {
    const connection = await opened(role)
    const one = watch(connection)
    const other = watch(connection)
    connection.peer.send(TEXT, 'a')
    await turn()
    one.remove()
    connection.peer.send(TEXT, 'b')
    connection.ws.send('c')
    await turn()
    one.remove()
    expect(one.lines).toEqual(['in 81 1 a'])
    expect(other.lines).toEqual(['in 81 1 a', 'in 81 1 b', 'out 81 1 c'])
    other.remove()
    connection.peer.send(TEXT, 'd')
    await turn()
    expect(other.lines).toHaveLength(3)
    await end(connection)
  })

  it('may remove itself, send, close, and put on another', async () => {
    const connection = await opened(role, { fragmentSize: 1 })
    const lines: string[] = []
    const remove = connection.ws.tap((told) => {
      lines.push(line(told))
      if (lines.length > 1) return
      connection.ws.send('xy')
      connection.ws.tap((later) => {
        if (later.opcode !== 0) return
        remove()
        void connection.ws.close(1000)
      })
    })
    // Within an encoded message nobody may come in between.
    connection.ws.send('ab')
    await turn()
    expect(lines).toEqual(['out 01 1 a', 'out 80 1 b', 'out 01 1 x', 'out 80 1 y'])
    expect(connection.peer.frames).toEqual(['text… a', '… b', 'text… x', '… y', 'close 1000'])
    connection.peer.send(CLOSE, NORMAL)
    await turn()
    await pass(3000)
    expectGone(connection)
  })

  it.each<[wrong: string, tap: unknown, options: unknown]>([
    ['no function', 'console.log', undefined],
    ['an unknown option', () => {}, { maxPayLoad: 1 }],
    ['no object', () => {}, 1],
    ['a negative bound', () => {}, { maxPayload: -1 }],
  ])('is refused with %s', async (_wrong, tap, options) => {
    const connection = await opened(role)
    expect(() => connection.ws.tap(tap as Tap, options as TapOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_WS_INVALID_OPTION' }),
    )
    await end(connection)
  })
})

describe('A tap', () => {
  useClock()

  it('is told the right order where reads come within writes', async () => {
    const [near, far] = pair({ delivery: 'within' })
    const lines: string[] = []
    const log: string[] = []
    const server = new Connection(
      near,
      connectionSettings('server', { heartbeat: false }),
      {
        message(ws, data) {
          log.push(String(data))
          if (data !== 'go') return
          // While this chunk is being read; what it causes comes back within the write.
          ws.tap((told) => lines.push(line(told)))
          ws.send('back')
        },
      },
      undefined,
      '',
    )
    const client = new Connection(
      far,
      connectionSettings('client', { heartbeat: false }),
      { message: (ws, data) => ws.send(`${String(data)} again`) },
      undefined,
      '',
    )
    server.start('', Buffer.alloc(0))
    client.start('', Buffer.alloc(0))
    client.send('go')
    await turn()
    expect(log).toEqual(['go', 'back again'])
    expect(lines[0]).toBe('out 81 4 back')
    server.terminate()
    await turn()
  })
})

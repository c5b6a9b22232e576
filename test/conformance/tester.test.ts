import { describe, expect, it } from 'vitest'
import { PeerGone, Unexpected, Unimplemented } from '../../src/conformance/index.ts'
import type { CloseRule, PeerEvent } from '../../src/conformance/index.ts'
import { MAX_MESSAGE } from '../../src/conformance/receiver.ts'
import { frame, wire } from '../support/wire.ts'
import { CLOSE_1000, TEXT, playing } from './stage.ts'

const HELLO: PeerEvent = { type: 'text', payload: Buffer.from('hello') }
const ECHO = {
  play: (tester: { send(frame: typeof TEXT): Promise<void> }) => tester.send(TEXT),
  expect: { ok: [HELLO] },
}
const PEER_FAILS: CloseRule = { by: 'peer', codes: [1002], clean: false }
/** For cases whose time limits are waited for. */
const HURRIED = { timeoutFactor: 0.05 }

describe('CaseTester', () => {
  it('closes with 1000 when it has seen what it expects, as a client', async () => {
    const { peer, seen, say } = await playing(ECHO)
    expect(await peer.readFrame()).toMatchObject({ firstOctet: 0x81, masked: true, payload: TEXT.payload })
    say(0x81, 'hello')
    expect(await peer.readClose()).toBe('1000')
    say(0x88, CLOSE_1000)
    peer.end()
    expect(await seen).toMatchObject({
      events: [HELLO],
      firstClose: 'tester',
      sentCode: 1000,
      receivedCode: 1000,
      dropped: 'peer',
    })
  })

  it('closes with 1000, and then ends TCP, as a server', async () => {
    const { peer, seen, say } = await playing(ECHO, { role: 'server' })
    expect(await peer.readFrame()).toMatchObject({ masked: false })
    say(0x81, 'hello')
    expect(await peer.readClose()).toBe('1000')
    say(0x88)
    await peer.readToEnd()
    peer.end()
    expect(await seen).toMatchObject({ firstClose: 'tester', receivedCode: 1005, receivedReason: '', dropped: 'peer' })
  })

  it('answers a Close frame with its code', async () => {
    const { peer, seen, say } = await playing(ECHO)
    await peer.readFrame()
    say(0x88, wire('03ea 6e6f'))
    expect(await peer.readClose()).toBe('1002')
    peer.end()
    expect(await seen).toMatchObject({
      events: [],
      firstClose: 'peer',
      sentCode: 1002,
      receivedCode: 1002,
      receivedReason: 'no',
    })
  })

  it('answers a Close frame without a code with one, and ends TCP when it is the server', async () => {
    const { peer, seen, say } = await playing(ECHO, { role: 'server' })
    await peer.readFrame()
    say(0x88)
    expect(await peer.readClose()).toBe('')
    await peer.readToEnd()
    peer.end()
    expect(await seen).toMatchObject({ firstClose: 'peer', sentCode: 1005 })
  })

  it('takes notice of the first Close frame only', async () => {
    const { peer, seen, say } = await playing({})
    await peer.readClose()
    say(0x88, CLOSE_1000)
    say(0x88, wire('03e9'))
    peer.end()
    expect(await seen).toMatchObject({ receivedCode: 1000 })
  })

  it('gives up with 1001 when a peer does not fail the connection, and then counts nothing', async () => {
    const { peer, seen, say } = await playing({ close: PEER_FAILS, expect: { ok: [] } }, HURRIED)
    expect(await peer.readClose()).toBe('1001')
    say(0x81, 'late')
    say(0x88, wire('03e9'))
    peer.end()
    expect(await seen).toMatchObject({ events: [], firstClose: 'tester', sentCode: 1001, gaveUp: true, limit: 50 })
  })

  it('gives up with an empty Close frame when an echo does not come, and drops TCP when that is not answered', async () => {
    const { peer, seen, log } = await playing(ECHO, HURRIED)
    await peer.readFrame()
    expect(await peer.readClose()).toBe('')
    expect(await seen).toMatchObject({ gaveUp: true, dropped: 'tester' })
    expect(log.entries.at(-1)?.text).toBe('the tester drops TCP: no Close frame came')
  })

  it('drops TCP when a server does not', async () => {
    const { seen, say, log } = await playing({ close: PEER_FAILS }, HURRIED)
    say(0x88, wire('03ea'))
    expect(await seen).toMatchObject({ firstClose: 'peer', dropped: 'tester' })
    expect(log.entries.at(-1)?.text).toBe('the tester drops TCP: the server did not end TCP')
  })

  it('drops TCP when a client keeps its half', async () => {
    const { peer, seen, say, log } = await playing({}, { ...HURRIED, role: 'server' })
    await peer.readClose()
    say(0x88, CLOSE_1000)
    expect(await seen).toMatchObject({ receivedCode: 1000, dropped: 'tester' })
    expect(log.entries.at(-1)?.text).toBe('the tester drops TCP: the client did not end TCP')
  })

  it('gives up on a peer that takes no octets, though a Close frame is among them', async () => {
    const close: CloseRule = { by: 'tester', codes: [1000], clean: true }
    const large = { opcode: 2, payload: Buffer.alloc(32 * 1024 * 1024) }
    const { peer, seen } = await playing({ close, play: (tester) => tester.send([large, { opcode: 8 }]) }, HURRIED)
    peer.socket.pause()
    expect(await seen).toMatchObject({ firstClose: 'tester', sentCode: 1005, gaveUp: true, dropped: 'tester' })
  })

  it.each([
    ['ends TCP', 'the peer ended TCP'],
    ['resets TCP', 'the peer reset TCP'],
  ])('sees a peer that %s', async (how, text) => {
    const { peer, seen, log } = await playing(ECHO)
    await peer.readFrame()
    if (how === 'ends TCP') peer.end()
    else peer.reset()
    expect(await seen).toMatchObject({ dropped: 'peer', events: [] })
    expect(log.entries.at(-1)).toMatchObject({ from: 'peer', kind: 'end', text })
  })

  it('counts what comes behind its Close frame', async () => {
    const { peer, seen, say } = await playing(ECHO)
    await peer.readFrame()
    say(0x81, 'hello')
    await peer.readClose()
    say(0x8a, 'late')
    say(0x88, CLOSE_1000)
    say(0x8a, 'later')
    peer.end()
    const { events } = await seen
    expect(events.map((event) => event.type !== 'pause' && event.payload.toString())).toEqual([
      'hello',
      'late',
      'later',
    ])
  })

  it('answers Pings, which are no events unless the case wants them', async () => {
    const { peer, seen, say } = await playing(ECHO)
    await peer.readFrame()
    say(0x89, 'are you there')
    expect(await peer.readFrame()).toMatchObject({ firstOctet: 0x8a, payload: Buffer.from('are you there') })
    say(0x81, 'hello')
    await peer.readClose()
    say(0x89, 'and now')
    say(0x88, CLOSE_1000)
    expect(await peer.end().readToEnd()).toHaveLength(0)
    expect((await seen).events).toEqual([HELLO])
  })

  it('takes Pings for events where the case wants them', async () => {
    const ping: PeerEvent = { type: 'ping', payload: Buffer.from('p') }
    const { peer, seen, say } = await playing({ pings: true, expect: { ok: [ping] } })
    say(0x89, 'p')
    await peer.readFrame()
    expect(await peer.readClose()).toBe('1000')
    say(0x88, CLOSE_1000)
    peer.end()
    expect((await seen).events).toEqual([ping])
  })

  it('fails the connection with 1002 when the peer does what no peer may', async () => {
    const { peer, seen, say } = await playing(ECHO)
    await peer.readFrame()
    say(0x83)
    expect(await peer.readClose()).toBe('1002')
    say(0x81, 'hello')
    say(0x88, wire('03ea'))
    peer.end()
    expect(await seen).toMatchObject({
      events: [],
      gaveUp: true,
      breach: 'it sent a frame with opcode 3, which is reserved (RFC 6455 5.2)',
    })
  })

  it('goes on where there is no rule', async () => {
    const { peer, seen, say } = await playing({ ...ECHO, informational: true })
    await peer.readFrame()
    say(0x83)
    say(0x81, 'hello')
    expect(await peer.readClose()).toBe('1000')
    peer.end()
    expect((await seen).gaveUp).toBeUndefined()
  })

  it('sees text that is not UTF-8', async () => {
    const { peer, seen, say } = await playing(ECHO)
    await peer.readFrame()
    say(0x81, wire('ff'))
    expect(await peer.readClose()).toBe('1002')
    peer.end()
    expect((await seen).breach).toBe('it sent a text message that is not UTF-8 (RFC 6455 8.1)')
  })

  it('drops a peer that announces more than it could ever have to send', async () => {
    const { peer, seen } = await playing(ECHO)
    await peer.readFrame()
    peer.write(frame(0x81, 'hello', { declared: BigInt(MAX_MESSAGE) + 1n }))
    expect(await seen).toMatchObject({
      breach: `it sent a frame that says it has ${MAX_MESSAGE + 1} octets (RFC 6455 10.4)`,
      dropped: 'tester',
    })
  })

  it('keeps no more than it asked for', async () => {
    const { peer, seen, say } = await playing(ECHO)
    await peer.readFrame()
    for (let i = 0; i < 50; i++) say(0x8a)
    peer.end()
    const { events, breach } = await seen
    expect(events).toHaveLength(17)
    expect(breach).toBe('it sent far more than it was asked for (RFC 6455 10.4)')
  })

  it('reads what came together with the head', async () => {
    const { peer, seen, say } = await playing({ expect: { ok: [HELLO] } }, { rest: frame(0x81, 'hello') })
    expect(await peer.readClose()).toBe('1000')
    say(0x88, CLOSE_1000)
    peer.end()
    expect((await seen).events).toEqual([HELLO])
  })

  it('logs frames, octets that are none, and the end', async () => {
    const { peer, seen, log } = await playing({
      play: async (tester) => {
        tester.note('here we go')
        await tester.write(wire('c1'))
      },
    })
    await peer.read(1)
    peer.write(Buffer.concat([frame(0x8a, 'x'), wire('81 05 48')])).end()
    await seen
    const entries = log.entries.map(({ from, kind, length, text = '' }) => `${from} ${kind} ${length} ${text}`.trim())
    expect(entries).toEqual([
      'tester note 0 here we go',
      'tester octets 1',
      'tester frame 8',
      'peer frame 3',
      'peer end 0 the peer ended TCP',
      'peer octets 3',
    ])
  })

  it('keeps the masking keys of a client', async () => {
    const { tester, say, peer, seen } = await playing({ play: async ({ next }) => void next }, { role: 'server' })
    say(0x8a)
    say(0x88)
    await peer.readToEnd()
    peer.end()
    await seen
    expect(tester.maskingKeys).toEqual([0x37fa213d, 0x37fa213d])
  })
})

describe('CaseTester, to a play', () => {
  it('hands out events one by one, and those that are left count', async () => {
    const { peer, seen, say } = await playing({
      play: async (tester) => {
        await tester.send(TEXT)
        const event = await tester.next()
        if (event.type !== 'text') throw new Unexpected('expected text')
      },
    })
    await peer.readFrame()
    say(0x81, 'one')
    say(0x81, 'two')
    await peer.readClose()
    say(0x88, CLOSE_1000)
    peer.end()
    const { events, failure } = await seen
    expect(failure).toBeUndefined()
    expect(events).toEqual([{ type: 'text', payload: Buffer.from('two') }])
  })

  it.each([
    ['ends TCP', '', 'the peer ended TCP without a Close frame'],
    ['closes', frame(0x88), 'the peer closed with a Close frame without a code'],
    ['closes with a code', frame(0x88, CLOSE_1000), 'the peer closed with 1000'],
  ])('says that the peer is gone when it %s', async (_, octets, message) => {
    const { peer, seen } = await playing({ play: async (tester) => void (await tester.next()) })
    peer.write(octets).end()
    const { failure } = await seen
    expect(failure).toBeInstanceOf(PeerGone)
    expect(failure?.message).toBe(message)
  })

  it('says that nothing came in time', async () => {
    const { peer, seen } = await playing({ play: async (tester) => void (await tester.next()) }, HURRIED)
    await peer.readClose()
    peer.end()
    expect((await seen).failure?.message).toBe('nothing came within 50 ms')
  })

  it('closes behind a failure, where closing is its turn', async () => {
    const play = (): never => {
      throw new Unexpected('no')
    }
    const { peer, seen } = await playing({ play })
    expect(await peer.readClose()).toBe('1000')
    peer.end()
    expect((await seen).failure).toBeInstanceOf(Unexpected)
  })

  it('leaves a failure to the time limit, where closing is the peer’s turn', async () => {
    const play = (): never => {
      throw new Unexpected('no')
    }
    const { peer, seen } = await playing({ play, close: PEER_FAILS }, HURRIED)
    expect(await peer.readClose()).toBe('1001')
    peer.end()
    expect((await seen).gaveUp).toBe(true)
  })

  it('closes as usual when the peer does not do what the case is about', async () => {
    const play = (): never => {
      throw new Unimplemented('no deflate')
    }
    const { peer, seen } = await playing({ play, close: PEER_FAILS })
    expect(await peer.readClose()).toBe('1000')
    peer.end()
    expect((await seen).sentCode).toBe(1000)
  })

  it('does not take a Close frame that the peer has to refuse for one of its own', async () => {
    const play = {
      play: (tester: never): Promise<void> =>
        (tester as { send(f: object): Promise<void> }).send({ opcode: 8, rsv: 7 }),
    }
    const { peer, seen } = await playing({ ...play, close: PEER_FAILS })
    expect(await peer.readFrame()).toMatchObject({ firstOctet: 0xf8 })
    peer.end()
    expect((await seen).sentCode).toBeUndefined()
  })

  it('marks pauses while the connection lasts', async () => {
    const { peer, seen } = await playing({
      close: PEER_FAILS,
      expect: { ok: [{ type: 'pause' }] },
      play: async (tester) => {
        await tester.mark(1)
        await tester.send(TEXT)
        await tester.mark(60_000)
        await tester.send(TEXT)
        await tester.write(wire('00'))
      },
    })
    await peer.readFrame()
    peer.write(frame(0x88, wire('03ea')))
    await peer.readFrame()
    expect(await peer.end().readToEnd()).toHaveLength(0)
    expect((await seen).events).toEqual([{ type: 'pause' }])
  })

  it('hands out the marks of a play, too', async () => {
    const types: string[] = []
    const { peer, seen, say } = await playing({
      play: async (tester) => {
        await tester.mark(1)
        types.push((await tester.next()).type)
      },
    })
    await peer.readClose()
    say(0x88, CLOSE_1000)
    peer.end()
    await seen
    expect(types).toEqual(['pause'])
  })

  it('writes frame by frame, and a few octets at a time', async () => {
    const { peer, seen } = await playing({
      play: async (tester) => {
        await tester.send([TEXT, TEXT], { perFrame: true })
        await tester.send([TEXT, TEXT], { chop: 3 })
        await tester.write(Buffer.from('abc'), { chop: 1 })
      },
    })
    for (let i = 0; i < 4; i++) expect((await peer.readFrame()).payload).toEqual(TEXT.payload)
    expect((await peer.read(3)).toString()).toBe('abc')
    await peer.readClose()
    peer.end()
    await seen
  })

  it('stops to write in the middle when the peer is gone', async () => {
    const { peer, seen } = await playing({
      play: (tester) => tester.send({ opcode: 2, payload: Buffer.alloc(8 * 1024 * 1024) }, { chop: 1024 }),
    })
    await peer.read(1024)
    peer.reset()
    expect(await seen).toMatchObject({ dropped: 'peer' })
  })

  it('stops to read and starts again', async () => {
    let held = true
    const { peer, seen, say } = await playing({
      play: async (tester) => {
        tester.hold()
        await tester.send(TEXT)
        await tester.wait(50)
        held = false
        tester.release()
        await tester.next()
      },
    })
    await peer.readFrame()
    say(0x81, 'hello')
    await peer.readClose()
    expect(held).toBe(false)
    peer.end()
    expect((await seen).failure).toBeUndefined()
  })

  it('does not wait for a play that does not end', async () => {
    const { peer, seen } = await playing({ play: () => new Promise(() => {}) })
    peer.end()
    expect((await seen).failure?.message).toBe('the connection ended before the case was through')
  })
})

describe('CaseTester, with permessage-deflate', () => {
  const inflater = {
    async inflate(payload: Buffer): Promise<Buffer> {
      await new Promise((resolve) => setImmediate(resolve))
      if (payload.length === 0) throw new Error('nothing in it')
      return Buffer.from(payload.toString().toUpperCase())
    },
  }

  it('inflates messages, and keeps the order of what comes behind them', async () => {
    const ok: PeerEvent[] = [
      { type: 'text', payload: Buffer.from('FIRST') },
      { type: 'text', payload: Buffer.from('second') },
    ]
    const { peer, seen, say } = await playing({ expect: { ok } }, { inflater })
    say(0xc1, 'first')
    say(0x81, 'second')
    await peer.readClose()
    say(0x88, CLOSE_1000)
    peer.end()
    expect(await seen).toMatchObject({ events: ok, breach: undefined })
  })

  it('reads to the end what came before the end of TCP', async () => {
    const ok: PeerEvent[] = [{ type: 'text', payload: Buffer.from('inflated') }]
    let begin: () => void
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    const slow = {
      async inflate(): Promise<Buffer> {
        begin()
        while (!log.entries.some(({ kind }) => kind === 'end')) await new Promise((resolve) => setImmediate(resolve))
        return Buffer.from('inflated')
      },
    }
    const { peer, seen, say, log } = await playing({ expect: { ok } }, { inflater: slow })
    say(0xc1, 'deflated')
    await begun
    peer.write(frame(0x88, wire('03e9'))).end()
    expect(await seen).toMatchObject({ events: ok, receivedCode: 1001, dropped: 'peer' })
  })

  it('sees a message that does not inflate', async () => {
    const { peer, seen, say } = await playing(ECHO, { inflater })
    await peer.readFrame()
    say(0xc1)
    expect(await peer.readClose()).toBe('1002')
    peer.end()
    expect((await seen).breach).toBe('it sent a message that does not inflate: nothing in it (RFC 7692 7.2.2)')
  })
})

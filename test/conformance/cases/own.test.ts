/** What the cases of our own groups say of peers that do something else than they should. Those that do it are in `broken`. */
import { describe, expect, it } from 'vitest'
import { PeerGone, Unexpected, Unimplemented, cases, selectCases } from '../../../src/conformance/index.ts'
import type { Case, Frame, PeerEvent } from '../../../src/conformance/index.ts'
import { valueOf } from '../../../src/conformance/cases/heads.ts'
import { playFake } from '../fake-tester.ts'
import type { Script } from '../fake-tester.ts'

const DEFLATE = 'permessage-deflate'
const HELLO: PeerEvent = { type: 'text', payload: Buffer.from('Hello') }

function find(id: string): Case {
  const [found] = selectCases(cases, { only: [id] })
  return found
}

function playing(id: string, script: Script = {}): Promise<readonly Frame[]> {
  return playFake(find(id), script)
}

function head(...lines: readonly string[]): string {
  return [...lines, '', ''].join('\r\n')
}

/** A request of a client, with some of its lines in another way. */
function request(...lines: readonly string[]): string {
  return head('GET /runCase?case=1 HTTP/1.1', ...lines)
}

describe('21.1, the request of a client', () => {
  it.each([
    ['21.1.1', head('GET http://localhost/ HTTP/1.1', 'Host: a'), 'but it is "GET http://localhost/ HTTP/1.1"'],
    ['21.1.1', head('GET /#top HTTP/1.1', 'Host: a'), 'but it is "GET /#top HTTP/1.1"'],
    ['21.1.1', head('GET / /b HTTP/1.1', 'Host: a'), 'but it is "GET / /b HTTP/1.1"'],
    ['21.1.2', request('Host: a', ' folded: b'), 'but one is " folded: b"'],
    ['21.1.2', request('Host: a', 'Name'), 'but one is "Name"'],
    ['21.1.2', request('Host: a', ': nameless'), 'but one is ": nameless"'],
    ['21.1.2', request('Host: a\u0007'), 'but one is "Host: a\\u0007"'],
    ['21.1.2', request('Host: a\u007f'), 'but one is "Host: a\\u007f"'],
    ['21.1.2', request('Ho\tst: a'), 'but one is "Ho\\tst: a"'],
    ['21.1.3', request('Host: a', 'host: b'), 'but it is there 2 times'],
    ['21.1.5', request('Host: a'), 'but it is there 0 times'],
    ['21.1.6', request('Sec-WebSocket-Protocol: a, b', 'Sec-WebSocket-Protocol: a'), 'but it offers "a, b, a"'],
    ['21.1.6', request('Sec-WebSocket-Protocol: a b'), 'but it offers "a b"'],
    ['21.1.7', request(`Sec-WebSocket-Extensions: x, ${DEFLATE}; client_max_window_bits=7`), 'not one from 8 to 15'],
  ])('fails case %s for %j', async (id, peerHead, why) => {
    await expect(playing(id, { peerHead })).rejects.toThrow(why)
  })

  it('may have tabs in values, and offers that are valid', async () => {
    const peerHead = request('Host: a\tb', `Sec-WebSocket-Extensions: x; a=1, ${DEFLATE}; client_max_window_bits`)
    for (const id of ['21.1.2', '21.1.6', '21.1.7']) {
      await expect(playing(id, { peerHead, events: [HELLO] })).resolves.toHaveLength(1)
    }
  })

  it('has a key that was not there a while ago', async () => {
    const withKey = (key: string): Promise<unknown> =>
      playing('21.1.8', { peerHead: request(`Sec-WebSocket-Key: ${key}`), events: [HELLO] })
    await withKey('first')
    await expect(withKey('first')).rejects.toThrow('it has sent "first" before')
    for (let i = 0; i < 64; i++) await withKey(`key ${i}`)
    await expect(withKey('first')).resolves.toHaveLength(1)
  })
})

describe('20, the answer of a server', () => {
  it('that refuses a version names one that would do', () => {
    const refusal = find('20.3.2').opening?.refusal
    expect(refusal?.(head('HTTP/1.1 426 Upgrade Required', 'Sec-WebSocket-Version: 8, 13'))).toBeUndefined()
    const why = 'its Sec-WebSocket-Version field does not have 13'
    expect(refusal?.(head('HTTP/1.1 400 Bad Request', 'Sec-WebSocket-Version: 8'))).toBe(why)
    expect(refusal?.(head('HTTP/1.1 400 Bad Request'))).toBe(why)
    expect(refusal?.(head('HTTP/1.1 400 Bad Request', 'nonsense'))).toBe(why)
  })

  it.each(['20.6.1', '20.7.1'])('has no extension in case %s', async (id) => {
    await expect(playing(id, { extensions: DEFLATE })).rejects.toThrow('expected no extension')
  })

  it.each([
    ['20.8.2', DEFLATE, 'server_no_context_takeover to be granted'],
    ['20.8.7', DEFLATE, 'server_max_window_bits of 10 at most'],
    ['20.8.7', `${DEFLATE}; server_max_window_bits=11`, 'server_max_window_bits of 10 at most'],
    ['20.8.1', `${DEFLATE}; client_max_window_bits=10`, 'nothing of client_max_window_bits'],
  ])('keeps to the offer of case %s, as "%s" does not', async (id, extensions, why) => {
    await expect(playing(id, { extensions })).rejects.toThrow(why)
  })
})

describe('a case about permessage-deflate', () => {
  it.each(['12.1.1', '20.8.1', '24.1.1', '24.1.3', '24.4.2', '24.4.3', '25.1.1', '25.2.1'])(
    'is not for a peer that declines it: %s',
    async (id) => {
      await expect(playing(id)).rejects.toThrow(Unimplemented)
    },
  )

  it('that needs the context of the tester is not for a peer that wants none', async () => {
    const server = { extensions: `${DEFLATE}; client_no_context_takeover` }
    await expect(playing('24.1.3', server)).rejects.toThrow(Unimplemented)
    await expect(playing('24.1.3', { ...server, role: 'server' })).resolves.toHaveLength(2)
    const client = { extensions: `${DEFLATE}; server_no_context_takeover` }
    await expect(playing('24.1.3', { ...client, role: 'server' })).rejects.toThrow(Unimplemented)
    await expect(playing('24.1.3', client)).resolves.toHaveLength(2)
  })

  it.each([
    ['12.1.1', 'text'],
    ['12.2.1', 'binary'],
  ] as const)('fails when something else comes back: %s', async (id, type) => {
    const events = [{ type, payload: Buffer.from('something else') }]
    await expect(playing(id, { extensions: DEFLATE, events })).rejects.toThrow(Unexpected)
  })
})

describe('22.4, masking keys', () => {
  const events = Array.from({ length: 32 }, () => HELLO)

  it('differ from frame to frame', async () => {
    const maskingKeys = Array.from({ length: 32 }, (_, i) => i % 30)
    await expect(playing('22.4.1', { events, maskingKeys })).rejects.toThrow(
      'another masking key for each of 32 frames',
    )
  })

  it('are those of as many frames as there should be', async () => {
    await expect(playing('22.4.1', { events })).rejects.toThrow('expected 32 masked frames, but there came 0')
  })
})

describe('26, a bomb', () => {
  it('comes back the same, or not at all', async () => {
    await expect(playing('26.5', { extensions: DEFLATE })).resolves.toHaveLength(1)
    for (const event of [HELLO, { type: 'binary', payload: Buffer.alloc(1) } as const]) {
      await expect(playing('26.5', { extensions: DEFLATE, events: [event] })).rejects.toThrow(Unexpected)
    }
    const almost = Buffer.alloc(1_048_576)
    almost[1_000_000] = 1
    const events = [{ type: 'binary', payload: almost } as const]
    await expect(playing('26.4', { extensions: DEFLATE, events })).rejects.toThrow(Unexpected)
  })
})

describe('27, a command', () => {
  it.each([
    ['27.1.2', 'fullduplex close 1000'],
    ['27.2.1', 'fullduplex close 1000'],
    ['27.4.1', 'fullduplex ping are you there?'],
  ])('that the peer does not know comes back: %s', async (id, command) => {
    const events = [{ type: 'text', payload: Buffer.from(command) } as const]
    await expect(playing(id, { events })).rejects.toThrow(Unimplemented)
  })

  it('to close is answered by nothing but a Close frame, with the reason that was asked for', async () => {
    await expect(playing('27.1.2', { events: [HELLO] })).rejects.toThrow('something else came')
    await expect(playing('27.1.3', { reason: 'no reason' })).rejects.toThrow('expected the reason "done"')
    for (const script of [{}, { reason: 'done' }]) await expect(playing('27.1.3', script)).resolves.toHaveLength(1)
  })

  it('to ping is answered by a Ping with the right payload', async () => {
    const events = [{ type: 'ping', payload: Buffer.from('other') } as const]
    await expect(playing('27.4.1', { events })).rejects.toThrow(Unexpected)
  })
})

describe('28, close codes', () => {
  it.each([
    ['28.1', 999, 999, [1002]],
    ['28.2', 0, 1000, [1000, 1000]],
    ['28.5', 1, 1013, [1000, 1002, 1013]],
    ['28.9', 60_535, 65_535, [1000, 1002, 65_535]],
  ])('%s sends as number %d the code %d, and takes %j', async (id, turn, code, taken) => {
    const [{ payload }] = await playFake(find(id), {}, turn)
    expect(payload?.readUInt16BE()).toBe(code)
    expect(find(id).at?.(turn).close?.codes).toEqual(taken)
  })

  it('are all there, once each', () => {
    const connections = cases.filter(({ id }) => id.startsWith('28.')).map((one) => one.connections ?? 1)
    expect(connections.reduce((sum, count) => sum + count)).toBe(65_536)
  })
})

describe('29, the answers to many Pings', () => {
  const pong = (payload: string): PeerEvent => ({ type: 'pong', payload: Buffer.from(payload) })

  it('are Pongs in the order of the Pings, of which some may be missing, but not the last', async () => {
    await expect(playing('29.2.1', { events: [pong('ping 3'), pong('ping 999')] })).resolves.toHaveLength(1000)
    await expect(playing('29.2.1', { events: [pong('ping 3'), pong('ping 2')] })).rejects.toThrow('from number 4 on')
    await expect(playing('29.2.1', { events: [HELLO] })).rejects.toThrow(Unexpected)
    await expect(playing('29.2.1', { events: [pong('ping 998')] })).rejects.toThrow(PeerGone)
  })
})

describe('29.4.2, messages of one octet', () => {
  it('come back in their order', async () => {
    const events = [{ type: 'binary', payload: Buffer.of(1) } as const]
    await expect(playing('29.4.2', { events })).rejects.toThrow(Unexpected)
    await expect(playing('29.4.2', { events: [HELLO] })).rejects.toThrow(Unexpected)
  })
})

describe('30.2.2, Pings between fragments', () => {
  const text: PeerEvent = { type: 'text', payload: Buffer.from('In pieces') }
  const last: PeerEvent = { type: 'pong', payload: Buffer.from('ping 9') }

  it('are answered before the message or behind it', async () => {
    for (const events of [
      [last, text],
      [text, last],
    ]) {
      await expect(playing('30.2.2', { events })).resolves.toHaveLength(19)
    }
  })

  it('are answered, and the message comes back', async () => {
    for (const events of [[text, text], [HELLO], [last, { type: 'binary', payload: text.payload } as const]]) {
      await expect(playing('30.2.2', { events })).rejects.toThrow(Unexpected)
    }
    await expect(playing('30.2.2', { events: [text] })).rejects.toThrow(PeerGone)
  })
})

describe('30.4.3, a slow message', () => {
  it('does not hold up Pongs', async () => {
    await expect(playing('30.4.3', { events: [HELLO] })).rejects.toThrow('expected a Pong')
    const other = [{ type: 'pong', payload: Buffer.from('ping 4') } as const]
    await expect(playing('30.4.3', { events: other })).rejects.toThrow('expected a Pong')
  })
})

describe('a case that takes either', () => {
  it('does not take something else for the end', async () => {
    await expect(playing('21.5.1')).resolves.toHaveLength(1)
    await expect(playing('21.5.1', { events: [{ type: 'text', payload: Buffer.from('x') }] })).rejects.toThrow(
      Unexpected,
    )
  })
})

describe('valueOf', () => {
  it('is empty where there is no such field', () => {
    expect(valueOf(request('Host: a'), 'HOST')).toBe('a')
    expect(valueOf(request('Host: a'), 'Upgrade')).toBe('')
    expect(valueOf('nonsense\r\n', 'Host')).toBe('')
  })
})

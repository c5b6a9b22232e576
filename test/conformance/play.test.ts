/** The opening handshakes, and a whole case behind them, played against a peer without manners. */
import { describe, expect, it } from 'vitest'
import type { Case, CaseResult, Opening } from '../../src/conformance/index.ts'
import { merge, playAsClient, playAsServer, unopened } from '../../src/conformance/play.ts'
import type { RawClient } from '../support/raw-client.ts'
import { acceptance } from '../support/raw-server.ts'
import { KEY, frame } from '../support/wire.ts'
import { CLOSE_1000, aCase, pair } from './stage.ts'

const TARGET = { host: 'localhost:8080', path: '/chat?room=1', fields: [['Origin', 'http://localhost']] as const }
const OPEN: Partial<Case> = { rule: 'RFC 6455 4' }

/** What the tester makes of a server that answers with what `answer` makes of its request. */
async function server(
  answer: (request: string, peer: RawClient) => string | undefined,
  opening: Opening = {},
  timeoutFactor = 1,
): Promise<CaseResult> {
  const { socket, peer } = await pair()
  const testCase = aCase({ ...OPEN, opening })
  const result = playAsClient(socket, TARGET, { testCase, turn: 0, timeoutFactor })
  const text = answer((await peer.readHead()).text, peer)
  if (text === undefined) return result
  peer.write(text)
  if (await closes(peer)) peer.write(frame(0x88, CLOSE_1000)).end()
  return result
}

/** What the tester makes of a client that has sent `request`, and then does what `act` does. */
async function client(
  request: string,
  opening: Opening = {},
  act: (peer: RawClient) => unknown = () => {},
  timeoutFactor = 1,
  rest = '',
): Promise<CaseResult> {
  const { socket, peer } = await pair()
  const testCase = aCase({ ...OPEN, opening })
  const read = { head: request, rest: Buffer.from(rest) }
  const result = playAsServer(socket, read, { testCase, turn: 0, timeoutFactor })
  act(peer)
  return result
}

/** Whether the tester closes with 1000. */
async function closes(peer: RawClient): Promise<boolean> {
  try {
    return (await peer.readClose()) === '1000'
  } catch {
    return false
  }
}

const shown = ({ verdict, close, explanation }: CaseResult): string =>
  `${verdict}, ${close}${explanation && `: ${explanation}`}`
const unopenable = (why: string): string =>
  `FAILED, NO HANDSHAKE: expected the server to open the connection, but ${why}`

const REQUEST = [
  'GET /runCase HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: keep-alive, Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
]
const request = (lines: readonly string[] = REQUEST): string => `${lines.join('\r\n')}\r\n\r\n`

describe('playAsClient', () => {
  it('asks for what it has to ask for [6455:4.1-19]', async () => {
    let asked = ''
    await server((head) => {
      asked = head
      return acceptance(head)
    })
    const [key] = /(?<=Key: ).*(?=\r)/.exec(asked) ?? []
    expect(asked).toBe(
      `GET /chat?room=1 HTTP/1.1\r\nHost: localhost:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nOrigin: http://localhost\r\n\r\n`,
    )
    expect(Buffer.from(String(key), 'base64')).toHaveLength(16)
  })

  it('offers extensions and asks otherwise where the case wants it', async () => {
    let asked = ''
    const opening: Opening = { offer: 'x-one; a=1', request: (usual) => usual.replace('GET', 'get') }
    await server(
      (head) => {
        asked = head
        return undefined
      },
      { ...opening, outcome: 'refuse' },
      0.01,
    )
    expect(asked).toMatch(/^get [^]*\r\nSec-WebSocket-Extensions: x-one; a=1\r\n/)
  })

  it('tells what went over the wire', async () => {
    const result = await server((head) => acceptance(head))
    expect(result).toMatchObject({ id: '1.2.3', title: 'A frame: is answered', rule: 'RFC 6455 4' })
    expect(result).toMatchObject({ verdict: 'OK', behavior: 'OK', close: 'OK', explanation: '' })
    expect(result).toMatchObject({ sentCode: 1000, receivedCode: 1000, receivedReason: '' })
    expect(result.duration).toBeGreaterThan(0)
    expect(result.log.map(({ from, kind }) => `${from} ${kind}`)).toEqual([
      'tester head',
      'peer head',
      'tester frame',
      'peer frame',
      'peer end',
    ])
  })

  it.each([
    ['Upgrade: of another name', { Upgrade: 'h2c' }, 'its Upgrade field is not websocket'],
    ['no Upgrade', { Upgrade: undefined }, 'its Upgrade field is not websocket'],
    ['no Connection', { Connection: undefined }, 'its Connection field does not have Upgrade'],
    [
      'another key',
      { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' },
      'its Sec-WebSocket-Accept does not belong to the key',
    ],
    [
      'a subprotocol',
      { 'Sec-WebSocket-Protocol': 'chat' },
      'it chose the subprotocol "chat", which it was not offered',
    ],
    [
      'an extension',
      { 'Sec-WebSocket-Extensions': 'x-one' },
      'it agreed to the extension "x-one", which it was not offered',
    ],
  ])('does not take a 101 with %s [6455:4.1-33]', async (_, changes, why) => {
    expect(shown(await server((head) => acceptance(head, changes)))).toBe(unopenable(why))
  })

  it('does not take another status', async () => {
    expect(shown(await server(() => 'HTTP/1.1 404 Not Found\r\n\r\n'))).toBe(
      unopenable('it answered "HTTP/1.1 404 Not Found"'),
    )
  })

  it.each(['SSH-2.0\r\n\r\n', 'HTTP/1.1 101 \r\nno field\r\n\r\n'])(
    'does not take what is no HTTP: %j',
    async (text) => {
      const result = shown(await server(() => text))
      expect(result).toBe(`FAILED, NO HANDSHAKE: the server answered no head of HTTP: ${JSON.stringify(text)}`)
    },
  )

  it.each([
    ['says nothing', () => undefined, 'the server sent no whole head within 0.05 s'],
    ['ends TCP', (_: string, peer: RawClient): undefined => void peer.end(), 'the server ended TCP without a word'],
    ['resets TCP', (_: string, peer: RawClient): undefined => void peer.reset(), 'the server ended TCP without a word'],
    [
      'ends in the middle',
      (_: string, peer: RawClient): undefined => void peer.write('HTTP').end(),
      'the server ended TCP behind "HTTP"',
    ],
    [
      'never ends',
      (_: string, peer: RawClient): undefined => void peer.write('x'.repeat(70_000)),
      'the server sent more than 64 KiB that are no head',
    ],
  ] as const)('does not wait for a server that %s', async (_, act, why) => {
    expect(shown(await server(act, {}, 0.01))).toBe(`FAILED, NO HANDSHAKE: ${why}`)
  })

  it('takes a refusal where there has to be one', async () => {
    const opening: Opening = { outcome: 'refuse', statuses: [400, 426] }
    expect(shown(await server(() => 'HTTP/1.1 400 Bad Request\r\n\r\n', opening))).toBe('OK, OK')
    expect(shown(await server(() => 'HTTP/1.1 500 \r\n\r\n', { outcome: 'refuse' }))).toBe('OK, OK')
    expect(shown(await server((_, peer) => void peer.end(), opening))).toBe('OK, OK')
  })

  it('does not take another, or none', async () => {
    const opening: Opening = { outcome: 'refuse', statuses: [400, 426] }
    const failed = 'FAILED, NO HANDSHAKE: expected the server to refuse'
    const other = await server(() => 'HTTP/1.1 500 \r\n\r\n', opening)
    expect(shown(other)).toBe(`${failed} with 400 or 426, but it answered 500`)
    const none = await server((head) => acceptance(head), opening)
    expect(shown(none)).toBe(`${failed} the opening handshake, but it answered 101`)
  })

  it('looks at what is said with a refusal', async () => {
    const refusal = (head: string): string | undefined => (head.includes('Version') ? undefined : 'it names no version')
    const opening: Opening = { outcome: 'refuse', refusal }
    const named = await server(() => 'HTTP/1.1 426 \r\nSec-WebSocket-Version: 13\r\n\r\n', opening)
    expect(shown(named)).toBe('OK, OK')
    const result = shown(await server(() => 'HTTP/1.1 426 \r\n\r\n', opening))
    expect(result).toBe('FAILED, NO HANDSHAKE: the server refused as it has to, but it names no version')
  })

  it('does not take an answer to its extensions that no server may give', async () => {
    const changes = { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=99' }
    const result = await server((head) => acceptance(head, changes), { offer: 'permessage-deflate' })
    expect(shown(result)).toMatch(/^FAILED, NO HANDSHAKE: the server's answer to the extensions is no good: .*"99"/)
  })

  it('agrees on permessage-deflate', async () => {
    const changes = { 'Sec-WebSocket-Extensions': 'permessage-deflate' }
    const result = await server((head) => acceptance(head, changes), { offer: 'permessage-deflate' })
    expect(shown(result)).toBe('OK, OK')
  })

  it('uses what is other on this connection', async () => {
    const { socket, peer } = await pair()
    const at = (turn: number): Partial<Case> => ({
      play: (tester) => tester.write(Buffer.from(`turn ${turn + tester.turn}`)),
    })
    const result = playAsClient(socket, TARGET, { testCase: aCase({ at }), turn: 2, timeoutFactor: 1 })
    peer.write(acceptance((await peer.readHead()).text))
    expect((await peer.read(6)).toString()).toBe('turn 4')
    peer.end()
    await result
  })
})

describe('playAsServer', () => {
  const echo = async (peer: RawClient): Promise<void> => {
    await peer.readHead()
    await peer.readClose()
    peer.write(frame(0x88, CLOSE_1000, { key: KEY }))
    await peer.readToEnd()
    peer.end()
  }

  it('answers what it has to answer', async () => {
    let head = ''
    const result = await client(request(), {}, async (peer) => {
      head = (await peer.readHead()).text
      await peer.readClose()
      peer.write(frame(0x88, CLOSE_1000, { key: KEY })).end()
    })
    expect(head).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    )
    expect(result.log[0]).toMatchObject({ from: 'peer', kind: 'head' })
  })

  it('closes when there is nothing to be done', async () => {
    expect(shown(await client(request(), {}, echo))).toBe('OK, OK')
  })

  it('agrees to extensions, and answers otherwise, where the case wants it', async () => {
    let [offered, usual, head] = ['', '', '']
    const opening: Opening = {
      answer: (offer) => {
        offered = offer
        return 'permessage-deflate; bogus'
      },
      response: (text) => {
        usual = text
        return Buffer.from(text.replace('101', '101 really'))
      },
    }
    await client(request(), opening, async (peer) => {
      head = (await peer.readHead()).text
      peer.end()
    })
    expect(offered).toBe('permessage-deflate; client_max_window_bits')
    expect(usual).toContain('\r\nSec-WebSocket-Extensions: permessage-deflate; bogus\r\n')
    expect(head).toBe(usual.replace('101', '101 really'))
  })

  it('agrees to none where the case has no answer to the offer', async () => {
    const bare = request(REQUEST.slice(0, -1))
    expect(shown(await client(bare, { answer: () => undefined }, echo))).toBe('OK, OK')
  })

  it.each([
    ['GET /runCase HTTP/1.1', 'POST / HTTP/1.1', 'it begins with "POST / HTTP/1.1"'],
    ['GET /runCase HTTP/1.1', 'GET / HTTP/1.0', 'it begins with "GET / HTTP/1.0"'],
    ['Host: localhost', 'X: y', 'it has no Host field'],
    ['Upgrade: websocket', 'Upgrade: h2c', 'its Upgrade field does not have websocket'],
    ['Connection: keep-alive, Upgrade', 'Connection: close', 'its Connection field does not have Upgrade'],
    ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 8', 'its Sec-WebSocket-Version is not 13'],
    ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'X: y', 'its Sec-WebSocket-Key is not 16 octets in base64'],
    [
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ',
      'its Sec-WebSocket-Key is not 16 octets in base64',
    ],
    ['Host: localhost', 'Host', 'it is no head of HTTP'],
  ])('does not take %j as %j [6455:4.2.1-01]', async (line, other, why) => {
    const text = request(REQUEST.map((one) => (one === line ? other : one)))
    expect(shown(await client(text))).toBe(`FAILED, NO HANDSHAKE: the client sent a request that opens nothing: ${why}`)
  })

  describe('where the client has to refuse', () => {
    const opening: Opening = { outcome: 'refuse', response: (usual) => usual.replace('websocket', 'h2c') }
    const expected = 'FAILED, NO HANDSHAKE: expected the client to refuse the answer and to drop TCP, but'

    it('takes the end of TCP', async () => {
      expect(shown(await client(request(), opening, (peer) => peer.end()))).toBe('OK, OK')
      expect(shown(await client(request(), opening, (peer) => peer.reset()))).toBe('OK, OK')
    })

    it('does not take frames', async () => {
      const result = await client(request(), opening, (peer) => peer.write(frame(0x88)))
      expect(shown(result)).toBe(`${expected} it sent something`)
    })

    it('does not take what came before the answer', async () => {
      const result = await client(request(), opening, () => {}, 1, 'hello')
      expect(shown(result)).toBe(
        'FAILED, NO HANDSHAKE: the client sent something behind its request before it had an answer',
      )
    })

    it('does not take an open connection', async () => {
      const result = await client(request(), opening, () => {}, 0.05)
      expect(shown(result)).toBe(`${expected} the connection stayed open`)
    })
  })

  it('sees that the client has gone already', async () => {
    const { socket, peer } = await pair()
    peer.destroy()
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
    const turn = { testCase: aCase({}), turn: 0, timeoutFactor: 1 }
    expect(shown(await playAsServer(socket, { head: request(), rest: Buffer.alloc(0) }, turn))).toBe(
      'FAILED, WRONG SIDE: expected the connection to stay open, but the peer ended TCP',
    )
    const refusal = { ...turn, testCase: aCase({ opening: { outcome: 'refuse' } }) }
    expect(shown(await playAsServer(socket, { head: request(), rest: Buffer.alloc(0) }, refusal))).toBe('OK, OK')
    expect(shown(await playAsClient(socket, TARGET, turn))).toBe(
      'FAILED, NO HANDSHAKE: the server ended TCP without a word',
    )
  })
})

describe('merge', () => {
  const good = { ...unopened(aCase({}), ''), verdict: 'OK' as const, duration: 1 }
  const bad = { ...unopened(aCase({}), 'no'), duration: 2 }

  it('keeps the worst of several connections, and the time of all', () => {
    expect(merge(undefined, good)).toBe(good)
    expect(merge(good, bad)).toEqual({ ...bad, duration: 3 })
    expect(merge(bad, good)).toEqual({ ...bad, duration: 3 })
  })
})

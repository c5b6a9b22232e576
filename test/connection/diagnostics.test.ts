/** What is published to `diagnostics_channel`, and that nothing is when nobody listens. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DiagnosticsMessages } from '../../src/connection/index.ts'
import { SentPing } from '../../src/connection/diagnostics.ts'
import { PreparedMessage } from '../../src/connection/prepared.ts'
import { turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, PONG, ROLES, TEXT, expectGone, open, opened } from '../support/connection.ts'
import type { Opened } from '../support/connection.ts'
import { received } from '../support/wire.ts'

type Name = keyof DiagnosticsMessages

/** All that is published to `name` until the test is over. */
function listen<N extends Name>(name: N): DiagnosticsMessages[N][] {
  const heard: DiagnosticsMessages[N][] = []
  const onMessage = (message: unknown): void => void heard.push(message as DiagnosticsMessages[N])
  subscribe(name, onMessage)
  onTestFinished(() => void unsubscribe(name, onMessage))
  return heard
}

async function end(connection: Opened): Promise<void> {
  connection.ws.terminate()
  await turn()
  expectGone(connection)
}

describe.each(ROLES)('The channels of a %s', (role) => {
  useClock()

  it('tell the open before the handler hears of it, and the close', async () => {
    const opens = listen('fullduplex:open')
    const closes = listen('fullduplex:close')
    const told: number[] = []
    const connection = open(role, {
      handler: { open: () => told.push(opens.length), close: () => told.push(closes.length) },
    })
    const { ws, peer } = connection
    expect(opens).toEqual([{ connection: ws }])
    peer.send(CLOSE, NORMAL)
    await turn()
    expect(closes).toEqual([])
    await end(connection)
    expect(closes).toEqual([{ connection: ws, info: connection.infos[0] }])
    expect(closes[0].info).toMatchObject({ code: 1000, wasClean: true, initiator: 'peer' })
    expect(told).toEqual([1, 1])
  })

  it('tell an error once, with or without a handler for it', async () => {
    const errors = listen('fullduplex:error')
    const connection = await opened(role, { onlyHandler: {} })
    connection.peer.send(0xb3)
    await turn()
    connection.peer.reset()
    await turn()
    expect(errors).toEqual([{ connection: connection.ws, error: expect.objectContaining({ section: 'RFC 6455 5.2' }) }])
  })

  it('tell messages of both directions with their octets, and streamed ones without', async () => {
    const messages = listen('fullduplex:message')
    const connection = await opened(role)
    const { ws, peer } = connection
    peer.send(TEXT, 'grün')
    peer.send(BINARY, 'ab')
    ws.send('blau')
    ws.send(Buffer.alloc(3))
    ws.send('text', { binary: true })
    if (role === 'server') ws.sendPrepared(new PreparedMessage('to all', undefined, Infinity))
    await ws.sendStream(['s', 't'])
    await ws.sendStream([])
    await ws.sendStream([Buffer.alloc(1)])
    await turn()
    const told = messages.map(({ direction, isBinary, octets }) => [direction, isBinary, octets])
    expect(told).toEqual([
      ['in', false, 5],
      ['in', true, 2],
      ['out', false, 4],
      ['out', true, 3],
      ['out', true, 4],
      ...(role === 'server' ? [['out', false, 6]] : []),
      ['out', false, undefined],
      ['out', false, undefined],
      ['out', true, undefined],
    ])
    expect(messages.every((message) => message.connection === ws)).toBe(true)
    await end(connection)
  })

  it('tell a message that comes in parts at its end', async () => {
    const messages = listen('fullduplex:message')
    const connection = await opened(role, { iterate: true })
    const { ws, peer } = connection
    const streams = ws.messages({ stream: true })
    peer.send(0x01, 'a')
    await turn()
    expect(messages).toEqual([])
    peer.send(0x80, 'b')
    await turn()
    expect(messages).toEqual([{ connection: ws, direction: 'in', isBinary: false, octets: undefined }])
    await streams.return?.()
    await end(connection)
  })

  it('tell no message that was not accepted', async () => {
    const messages = listen('fullduplex:message')
    const connection = await opened(role)
    const sent = connection.ws.sendStream(
      (function* () {
        yield 'a'
        connection.ws.terminate()
        yield 'b'
      })(),
    )
    await expect(sent).rejects.toMatchObject({ code: 'ERR_WS_CLOSED' })
    expect(connection.ws.send('too late')).toBe(false)
    await turn()
    expect(messages).toEqual([])
    expectGone(connection)
  })

  it('tell Pings of both sides, and how long the answer to the latest took', async () => {
    const pings = listen('fullduplex:ping')
    const pongs = listen('fullduplex:pong')
    const connection = await opened(role)
    const { ws, peer } = connection
    ws.ping('1')
    ws.ping('2')
    peer.write(
      received(role, PONG, '1'),
      received(role, PONG, '2'),
      received(role, PONG, '2'),
      received(role, PING, '3'),
    )
    await turn()
    expect(pings).toEqual([
      { connection: ws, direction: 'out', payload: Buffer.from('1') },
      { connection: ws, direction: 'out', payload: Buffer.from('2') },
      { connection: ws, direction: 'in', payload: Buffer.from('3') },
    ])
    expect(pongs).toEqual([
      { connection: ws, payload: Buffer.from('1'), roundTripTime: undefined },
      { connection: ws, payload: Buffer.from('2'), roundTripTime: expect.any(Number) },
      { connection: ws, payload: Buffer.from('2'), roundTripTime: undefined },
    ])
    expect(pongs[1].roundTripTime).toBeGreaterThanOrEqual(0)
    await end(connection)
  })

  it('tell a Pong that nothing was sent for', async () => {
    const connection = await opened(role)
    connection.ws.ping('before')
    const pongs = listen('fullduplex:pong')
    connection.peer.send(PONG, 'before')
    await turn()
    expect(pongs).toEqual([{ connection: connection.ws, payload: Buffer.from('before'), roundTripTime: undefined }])
    await end(connection)
  })
})

describe('SentPing', () => {
  it('keeps a copy of the payload', () => {
    const payload = Buffer.from('ping')
    const ping = new SentPing(payload)
    payload.fill(0)
    expect(ping.roundTripTime(payload)).toBeUndefined()
    expect(ping.roundTripTime(Buffer.from('ping'))).toBeGreaterThanOrEqual(0)
  })
})

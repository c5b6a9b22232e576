/** The server that clients are measured against counts what they send, and finds out who sends something else. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Counterpart } from '../../bench/load/counterpart.ts'
import { OPCODE, clientFrame, clientMessage, payloadOf, serverFrame } from '../../bench/load/frames.ts'
import { openingRequest, targetOf } from '../../bench/load/link.ts'
import type { ClientScenario } from '../../bench/scenarios.ts'
import { connect as connectWebSocket } from '../../src/index.ts'

const scenario: ClientScenario = {
  id: 'C',
  title: '',
  connections: 2,
  size: 200,
  kind: 'binary',
  depth: 3,
  unit: 'message',
}
const ends: (() => unknown)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

async function listen(more: Partial<ClientScenario> = {}): Promise<[Counterpart, string]> {
  const counterpart = new Counterpart({ ...scenario, ...more })
  ends.push(() => counterpart.end())
  return [counterpart, await counterpart.listen()]
}

/** A client that sends `octets` once it is connected. */
async function sends(url: string, octets: Buffer): Promise<Socket> {
  const target = targetOf(url)
  const socket = connect(target.port, target.host)
  ends.push(() => socket.destroy())
  socket.on('error', () => {})
  socket.write(openingRequest(target))
  await once(socket, 'data')
  socket.write(octets)
  return socket
}

const good = clientMessage(payloadOf('binary', 200, 1), OPCODE.binary)

describe('Counterpart', () => {
  it('sends the first batch back as it is, and answers to as many as come then', async () => {
    const [counterpart, url] = await listen()
    const echoes: Buffer[] = []
    const payloads = [1, 2, 3].map((index) => payloadOf('binary', 200, index))
    const message = (_ws: unknown, data: string | Buffer): void => void echoes.push(Buffer.from(data as Buffer))
    const clients = [await connectWebSocket(url, { message }), await connectWebSocket(url, { message })]
    for (const client of clients) for (const payload of payloads) client.send(payload)
    await counterpart.check()
    await expect.poll(() => echoes.length).toBe(6)
    const found = payloads.map((payload) => echoes.filter((echo) => payload.equals(echo)).length)
    expect(found).toEqual([2, 2, 2])
    expect(counterpart.count).toBe(0)
    for (const payload of payloads) clients[0].send(payload)
    await expect.poll(() => echoes.length).toBe(9)
    expect([counterpart.count, echoes[8].length]).toEqual([3, 200])
    counterpart.end()
    for (const client of clients) client.terminate()
  })

  it.each([
    ['other sizes', clientMessage(payloadOf('binary', 199, 1), OPCODE.binary), '199 octets where 200 are right'],
    ['other opcodes', clientMessage(payloadOf('binary', 200, 1), OPCODE.text), 'opcode 1 where 2 is right'],
    ['frames without a mask', serverFrame(payloadOf('binary', 200, 1), OPCODE.binary), 'it masks nothing'],
    ['RSV1', clientFrame(payloadOf('binary', 200, 1), { opcode: OPCODE.binary, rsv1: true }), 'it compresses'],
    ['more than a batch', Buffer.concat([good, good, good, good]), 'more than 3 messages'],
  ])('refuses %s', async (_, octets, problem) => {
    const [counterpart, url] = await listen()
    const checked = counterpart.check()
    await Promise.all([sends(url, octets), expect(checked).rejects.toThrow(problem)])
  })

  it('refuses who goes away', async () => {
    const [counterpart, url] = await listen()
    const socket = await sends(url, good)
    socket.destroy()
    await expect(counterpart.check()).rejects.toThrow('it ended a connection')
  })

  it('refuses who does not open as RFC 6455 says', async () => {
    const [counterpart, url] = await listen()
    const target = targetOf(url)
    const socket = connect(target.port, target.host)
    ends.push(() => socket.destroy())
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await expect(counterpart.check()).rejects.toThrow('does not open')
  })
})

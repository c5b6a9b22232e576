/** permessage-deflate on a server (RFC 7692): what it answers to offers, and what it then sends to one and to many. */
import { constants, inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createHandler, serve } from '../../src/server/index.ts'
import { deflated } from '../support/deflate.ts'
import { received } from '../support/wire.ts'
import { Events, start } from './support.ts'

const NO_CONTEXT = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
const WORDS = 'the same words over and over, '.repeat(60)
const offer = (value: string): { 'Sec-WebSocket-Extensions': string } => ({ 'Sec-WebSocket-Extensions': value })

function inflated(payload: Buffer): string {
  return inflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
}

describe('A server', () => {
  it('[V32] does not compress unless it is told to', async () => {
    const { open } = await start({ open: (ws) => ws.send(`${ws.extensions} ${WORDS}`, { compress: true }) })
    const client = await open(offer('permessage-deflate'))
    expect(client.answer.fields.has('sec-websocket-extensions')).toBe(false)
    expect(await client.readFrame()).toMatchObject({ firstOctet: 0x81, payload: Buffer.from(` ${WORDS}`) })
  })

  it.each([
    ['an offer', 'permessage-deflate', NO_CONTEXT],
    ['the offer of a browser', 'permessage-deflate; client_max_window_bits', NO_CONTEXT],
    ['the first offer that it can take', 'x-a, permessage-deflate; a, permessage-deflate', NO_CONTEXT],
    ['nothing else', 'x-webkit-deflate-frame', undefined],
    ['no offer', undefined, undefined],
    ['no invalid offer [7692:7-01]', 'permessage-deflate; server_max_window_bits=08', undefined],
  ])('takes %s', async (_what, offered, answered) => {
    const { open } = await start({ perMessageDeflate: true, open: (ws) => ws.send(ws.extensions) })
    const client = await open(offered === undefined ? {} : offer(offered))
    expect(client.answer.fields.get('sec-websocket-extensions')).toBe(answered)
    expect((await client.readFrame()).payload.toString()).toBe(answered ?? '')
  })

  it('understands compressed messages, and compresses its own [7692:5-13]', async () => {
    const heard = new Events<string>()
    const { open } = await start({
      perMessageDeflate: true,
      message(ws, data) {
        heard.push(String(data))
        ws.send(data)
      },
    })
    const client = await open(offer('permessage-deflate'))
    const payload = deflated(WORDS)
    client.write(received('server', 0xc1, payload))
    const answer = await client.readFrame()
    expect(answer.firstOctet).toBe(0xc1)
    expect(answer.payload.length).toBeLessThan(100)
    expect(inflated(answer.payload)).toBe(WORDS)
    expect(await heard.next()).toBe(WORDS)
  })

  it('publishes and broadcasts to everybody as was agreed upon with them', async () => {
    const { server, open } = await start({
      perMessageDeflate: { serverNoContextTakeover: false, threshold: 100 },
      open: (ws) => ws.subscribe('topic'),
    })
    const plain = await open()
    const shared = await open(offer('permessage-deflate; server_no_context_takeover'))
    const small = await open(offer('permessage-deflate; server_no_context_takeover; server_max_window_bits=9'))
    const keeping = await open(offer('permessage-deflate'))
    const sizes: number[] = []
    for (const send of [() => server.publish('topic', WORDS), () => server.broadcast(WORDS)]) {
      expect(send()).toBe(4)
      expect(await plain.readFrame()).toMatchObject({ firstOctet: 0x81, payload: Buffer.from(WORDS) })
      for (const client of [shared, small]) {
        const { firstOctet, payload } = await client.readFrame()
        expect(firstOctet).toBe(0xc1)
        expect(inflated(payload)).toBe(WORDS)
      }
      sizes.push((await keeping.readFrame()).payload.length)
    }
    // The second time it only has to say: the same again.
    expect(sizes[1]).toBeLessThan(sizes[0])
    server.broadcast(WORDS, { compress: false })
    expect((await shared.readFrame()).firstOctet).toBe(0x81)
    server.broadcast('short')
    expect((await shared.readFrame()).firstOctet).toBe(0x81)
    server.broadcast('short', { compress: true })
    // It cannot be made shorter, so it stays as it is.
    expect((await shared.readFrame()).firstOctet).toBe(0x81)
    expect([plain, small, keeping].every((client) => client.error === undefined)).toBe(true)
  })

  it('has it on a handler, too', () => {
    expect(createHandler({ perMessageDeflate: { level: 9 } }).settings.deflate?.level).toBe(9)
    expect(createHandler({}).settings.deflate).toBeUndefined()
  })

  it('throws for options of it that mean nothing, before it listens', async () => {
    expect(() => createHandler({ perMessageDeflate: { level: 10 } })).toThrow(RangeError)
    await expect(serve({ port: 0, perMessageDeflate: { levle: 1 } as object })).rejects.toThrow(/no option "levle"/)
  })
})

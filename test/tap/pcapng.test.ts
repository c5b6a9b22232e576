/**
 * Captures, as tshark reads them: that it finds the frames by itself, with every field as it was on the wire. What it
 * cannot tell, how the file is laid out, is read here by hand.
 */
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect } from '../../src/client/index.ts'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { TappedFrame } from '../../src/connection/index.ts'
import type { Role } from '../../src/framing/rules.ts'
import { serve } from '../../src/server/index.ts'
import type { ListenOptions, ServeOptions } from '../../src/server/index.ts'
import { pcapng } from '../../src/tap/index.ts'
import type { Sink } from '../../src/tap/index.ts'
import { createAuthority } from '../support/certificates.ts'
import { Peer } from '../support/duplex.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import { received } from '../support/wire.ts'
import { KEY, Kept, next, tapped } from './support.ts'
import { dissect, findTshark } from './tshark.ts'

const tshark = findTshark()
const skipped = tshark === undefined && process.env['CI'] === undefined
if (skipped) console.warn('There is no tshark here: captures are not opened. Install it, or set TSHARK_PATH.')

/** A capture that a test writes, and tshark then reads. */
class Capture {
  readonly sink: Sink
  readonly #path: string
  readonly #file

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'fullduplex-capture-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    this.#path = join(folder, 'frames.pcapng')
    this.#file = createWriteStream(this.#path)
    this.sink = pcapng(this.#file)
  }

  async read(filter: string, ...fields: string[]): Promise<Record<string, string[]>[]> {
    if (!this.#file.writableEnded) await finished(this.#file.end())
    return dissect(tshark!, this.#path, filter, fields)
  }

  /** Its frames, a line each: `50000 1 0 1 1 37fa213d 5`; what is not there is left out. */
  async frames(): Promise<string[]> {
    const fields = [
      'fin',
      'rsv',
      'opcode',
      'mask',
      'masking_key',
      'payload_length',
      'payload_length_ext_16',
      'payload_length_ext_64',
    ]
    const packets = await this.read('websocket', ...fields.map((field) => `websocket.${field}`))
    return packets.map((layers) => fields.map((field) => layers[`websocket.${field}`]?.join(',') ?? '-').join(' '))
  }
}

async function echo<Data>(capture: Capture, options: ServeOptions<Data> = {}) {
  const server = await serve<Data>({
    host: '127.0.0.1',
    message: (ws, data) => ws.send(data),
    ...options,
  } as ServeOptions<Data>)
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  server.tap(capture.sink, { maxPayload: 2 ** 24 })
  return server
}

/** A connection of which nothing but its role and what was agreed upon is known. */
function nowhere(role: Role, protocol = ''): Connection {
  return new Connection(new Peer(role).transport, connectionSettings(role, {}), {}, undefined, protocol)
}

describe.skipIf(skipped)('A capture in tshark', () => {
  vi.setConfig({ testTimeout: 60_000 })
  beforeAll(() => {
    if (tshark === undefined) throw new Error('There is no tshark: install it, or set TSHARK_PATH.')
  })

  it('shows frames of every kind, with their bits, masks and lengths', async () => {
    const capture = new Capture()
    const server = await echo(capture)
    const client = await RawClient.connect({ port: server.port })
    onTestFinished(() => void client.destroy())
    await client.write(handshake({}, 'GET / HTTP/1.1')).readHead()
    const sizes = [0, 5, 125, 126, 65_535, 65_536, 200_000]
    for (const size of sizes) {
      client.write(received('server', 0x82, Buffer.alloc(size, 'x')))
      await client.readFrame()
    }
    client.write(
      Buffer.concat([received('server', 0x01, 'Hel'), received('server', 0x89, 'p'), received('server', 0x80, 'lo')]),
    )
    await client.readFrame()
    await client.readFrame()
    client.write(received('server', 0x88, Buffer.from('03e8627965', 'hex')))
    await client.readFrame()
    await client.end().closed
    const masked = '1 37fa213d'
    const length = (size: number): string =>
      size < 126 ? `${size} - -` : size < 65_536 ? `126 ${size} -` : `127 - ${size}`
    expect(await capture.frames()).toEqual([
      ...sizes.flatMap((size) => [`1 0x00 2 ${masked} ${length(size)}`, `1 0x00 2 0 - ${length(size)}`]),
      `0 0x00 1 ${masked} 3 - -`,
      `1 0x00 9 ${masked} 1 - -`,
      `1 0x00 0 ${masked} 2 - -`,
      '1 0x00 10 0 - 1 - -',
      '1 0x00 1 0 - 5 - -',
      `1 0x00 8 ${masked} 5 - -`,
      '1 0x00 8 0 - 5 - -',
    ])
    expect(
      await capture.read(
        'websocket.opcode == 8',
        'websocket.payload.close.status_code',
        'websocket.payload.close.reason',
      ),
    ).toEqual(
      Array.from({ length: 2 }, () => ({
        'websocket.payload.close.status_code': ['1000'],
        'websocket.payload.close.reason': ['bye'],
      })),
    )
  })

  it('shows nothing wrong: no packet is malformed, out of order, lost, or has a bad checksum', async () => {
    const capture = new Capture()
    const server = await echo(capture)
    for (let i = 0; i < 3; i++) {
      const ws = await connect(`ws://127.0.0.1:${server.port}`)
      for (const size of [10, 100_000]) {
        ws.send('x'.repeat(size))
        await next(ws)
      }
      await ws.close()
    }
    const wrong =
      '_ws.malformed || _ws.expert.severity >= 0x600000 || tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0'
    expect(await capture.read(wrong, 'frame.number', '_ws.expert.message')).toEqual([])
    expect(await capture.read('tcp.checksum.status == 1 && ip.checksum.status == 1', 'frame.number')).not.toEqual([])
    expect(await capture.read('http.upgrade', 'http.request.method', 'http.response.code')).toHaveLength(6)
  })

  it.each<[string, ListenOptions, (port: number) => string]>([
    ['IPv4', { host: '127.0.0.1' }, (port) => `ws://127.0.0.1:${port}`],
    ['IPv6', { host: '::1' }, (port) => `ws://[::1]:${port}`],
  ])('shows who sent what, with the addresses and ports of %s, from either end', async (name, where, uri) => {
    const [atServer, atClient] = [new Capture(), new Capture()]
    const server = await echo(atServer, where)
    const ws = await connect(uri(server.port!))
    const { localPort } = ws.socket as Socket
    ws.tap(atClient.sink)
    ws.send('from the client')
    await next(ws)
    await ws.close()
    const [source, destination] = name === 'IPv4' ? ['ip.src', 'ip.dst'] : ['ipv6.src', 'ipv6.dst']
    for (const capture of [atServer, atClient]) {
      const packets = await capture.read(
        'websocket.opcode == 1',
        source,
        destination,
        'tcp.srcport',
        'tcp.dstport',
        'websocket.mask',
      )
      const address = name === 'IPv4' ? '127.0.0.1' : '::1'
      const [client, own] = [String(localPort), String(server.port)]
      const common = { [source]: [address], [destination]: [address] }
      expect(packets).toEqual([
        { ...common, 'tcp.srcport': [client], 'tcp.dstport': [own], 'websocket.mask': ['1'] },
        { ...common, 'tcp.srcport': [own], 'tcp.dstport': [client], 'websocket.mask': ['0'] },
      ])
    }
  })

  it.each([
    ['by itself', true],
    ['with context', { serverNoContextTakeover: false, clientNoContextTakeover: false }],
  ])('inflates what was compressed %s', async (_how, perMessageDeflate) => {
    const capture = new Capture()
    const server = await echo(capture, { perMessageDeflate })
    const ws = await connect(`ws://127.0.0.1:${server.port}`, { perMessageDeflate })
    const texts = ['one and one and one and one', 'one and one and two']
    for (const text of texts) {
      ws.send(text, { compress: true })
      await next(ws)
    }
    await ws.close()
    const packets = await capture.read('websocket.pmc == 1', 'text')
    expect(packets.map((layers) => layers['text'].at(-1))).toEqual(texts)
  })

  it('shows what was inside of TLS', async () => {
    const capture = new Capture()
    const authority = await createAuthority()
    const server = await echo(capture, { tls: await authority.issue() })
    const ws = await connect(`wss://127.0.0.1:${server.port}`, { tls: { ca: authority.cert } })
    ws.send('secret')
    await next(ws)
    await ws.close()
    const frames = await capture.frames()
    expect(frames.map((line) => line.split(' ')[2])).toEqual(['1', '1', '8', '8'])
  })

  it('shows frames that no endpoint should send', async () => {
    const capture = new Capture()
    const connection = nowhere('server', 'chat.v2')
    const odd: Partial<TappedFrame>[] = [
      { rsv1: true, rsv2: true, rsv3: true, opcode: 3 },
      { fin: false, opcode: 9, maskingKey: KEY },
      { extendedLength: 8 },
      { extendedLength: 2, direction: 'out' },
      { opcode: 15 },
    ]
    for (const fields of odd) capture.sink(tapped({ connection, ...fields }))
    expect(await capture.frames()).toEqual([
      '1 0x07 3 0 - 5 - -',
      '0 0x00 9 1 37fa213d 5 - -',
      '1 0x00 1 0 - 127 - 5',
      '1 0x00 1 0 - 126 5 -',
      '1 0x00 15 0 - 5 - -',
    ])
    expect(await capture.read('http.request', 'ip.src', 'ip.dst', 'http.sec_websocket_protocol')).toEqual([
      { 'ip.src': ['192.0.2.1'], 'ip.dst': ['192.0.2.2'], 'http.sec_websocket_protocol': ['chat.v2'] },
    ])
  })

  it.each([200, 100_000, 2_000_000_000])(
    'goes on behind a frame of %i octets of which 100 were kept',
    async (payloadLength) => {
      const capture = new Capture()
      const connection = nowhere('server')
      const extendedLength = payloadLength > 65_535 ? 8 : 2
      capture.sink(tapped({ connection, payload: Buffer.from('before') }))
      capture.sink(tapped({ connection, payload: Buffer.alloc(100, 'x'), payloadLength, extendedLength }))
      capture.sink(tapped({ connection, payload: Buffer.from('behind it') }))
      const lengths = (await capture.frames()).map((line) => line.split(' ').slice(5).join(' '))
      expect(lengths).toEqual(['6 - -', payloadLength === 200 ? '126 200 -' : `127 - ${payloadLength}`, '9 - -'])
    },
  )

  it('tells the time of each frame to the millisecond', async () => {
    const capture = new Capture()
    const connection = nowhere('client')
    capture.sink(tapped({ connection }))
    capture.sink(tapped({ connection, at: Date.UTC(2106, 1, 8, 0, 0, 0, 1) }))
    const times = (await capture.read('websocket', 'frame.time_epoch')).map((layers) =>
      Number(layers['frame.time_epoch'][0]),
    )
    expect(times).toEqual([1_795_858_200.125, Date.UTC(2106, 1, 8, 0, 0, 0, 1) / 1000])
  })
})

/** The blocks of a capture; fails on lengths that do not agree. */
function blocksOf(bytes: Buffer): { readonly type: number; readonly body: Buffer }[] {
  const blocks = []
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at + 4)
    expect(bytes.readUInt32LE(at + length - 4)).toBe(length)
    expect(length % 4).toBe(0)
    blocks.push({ type: bytes.readUInt32LE(at), body: bytes.subarray(at + 8, at + length - 4) })
    at += length
  }
  return blocks
}

describe('pcapng', () => {
  it('begins with a section and an interface, though nothing has been seen', () => {
    const to = new Kept()
    pcapng(to)
    const [section, device, ...others] = blocksOf(Buffer.concat(to.chunks))
    expect([section.type, device.type, others]).toEqual([0x0a0d0d0a, 1, []])
    expect(section.body.toString('hex', 0, 16)).toBe('4d3c2b1a01000000ffffffffffffffff')
    expect(section.body.toString()).toContain('were made up for this capture')
    // LINKTYPE_RAW, and no limit of a packet's length.
    expect(device.body.toString('hex')).toBe('6500000000000000')
  })

  it('writes how many frames are missing with the packet behind them', () => {
    const to = new Kept()
    const sink = pcapng(to, { maxBuffered: 1 })
    const frame = tapped({ connection: nowhere('server') })
    sink(frame)
    to.blocked = true
    for (let i = 0; i < 4; i++) sink(frame)
    to.unblock()
    sink(frame)
    const packets = blocksOf(Buffer.concat(to.chunks)).slice(2)
    // Three of TCP, two of HTTP, and the frames that were not dropped.
    expect(packets.map(({ type }) => type)).toEqual(Array.from({ length: 8 }, () => 6))
    const counts = packets.map(({ body }) => {
      const captured = body.readUInt32LE(12)
      return body.subarray(20 + captured + (-captured & 3)).toString('hex')
    })
    expect(counts.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => ''))
    // epb_dropcount, 8 octets, and the end of the options.
    expect(counts[7]).toBe('04000800030000000000000000000000')
    expect(sink.dropped).toBe(3)
  })

  it('refuses what is no stream before it writes anything', () => {
    expect(() => pcapng('frames.pcapng' as never)).toThrow(expect.objectContaining({ code: 'ERR_WS_INVALID_OPTION' }))
  })

  it('writes a length that is close to 2^64, as the largest', () => {
    const to = new Kept()
    const payloadLength = 2 ** 64
    pcapng(to)(tapped({ connection: nowhere('server'), payloadLength, extendedLength: 8 }))
    expect(Buffer.concat(to.chunks).includes(Buffer.from('817fffffffff00000000', 'hex'))).toBe(true)
  })
})

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
import { serve } from '../../src/server/index.ts'
import type { ListenOptions } from '../../src/server/index.ts'
import type { ConnectOptions } from '../../src/client/index.ts'
import type { ServeOptions } from '../../src/server/index.ts'
import { pcapng } from '../../src/tap/index.ts'
import type { Sink } from '../../src/tap/index.ts'
import { createAuthority } from '../support/certificates.ts'
import { Peer } from '../support/duplex.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import { KEY as KEY_OCTETS, frame, received } from '../support/wire.ts'
import { KEY, Kept, tapped } from './support.ts'
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
    const fields = ['fin', 'rsv', 'opcode', 'mask', 'masking_key', 'payload_length', 'payload_length_ext_16', 'payload_length_ext_64']
    const packets = await this.read('websocket', ...fields.map((field) => `websocket.${field}`))
    return packets.map((layers) => fields.map((field) => layers[`websocket.${field}`]?.join(',') ?? '-').join(' '))
  }
}

async function echo<Data>(capture: Capture, options: ServeOptions<Data> = {}) {
  const server = await serve<Data>({ host: '127.0.0.1', message: (ws, data) => ws.send(data), ...options } as ServeOptions<Data>)
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  server.tap(capture.sink, { maxPayload: 2 ** 24 })
  return server
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
    onTestFinished(() => client.destroy())
    await client.write(handshake({}, 'GET / HTTP/1.1')).readHead()
    const sizes = [0, 5, 125, 126, 65_535, 65_536, 200_000]
    for (const size of sizes) {
      client.write(received('server', 0x82, Buffer.alloc(size, 'x')))
      await client.readFrame()
    }
    client.write(Buffer.concat([received('server', 0x01, 'Hel'), received('server', 0x89, 'p'), received('server', 0x80, 'lo')]))
    await client.readFrame()
    await client.readFrame()
    client.write(received('server', 0x88, Buffer.from('03e8627965', 'hex')))
    await client.closed
    const masked = '1 37:fa:21:3d'
    const length = (size: number): string => (size < 126 ? `${size} - -` : size < 65_536 ? `126 ${size} -` : `127 - ${size}`)
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
    expect(await capture.read('websocket.opcode == 8', 'websocket.payload.close.status_code', 'websocket.payload.close.reason')).toEqual(
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
        for await (const _message of ws) break
      }
      await ws.close()
    }
    const wrong = '_ws.malformed || _ws.expert.severity >= 0x600000 || tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0'
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
    for await (const _message of ws) break
    await ws.close()
    const [source, destination] = name === 'IPv4' ? ['ip.src', 'ip.dst'] : ['ipv6.src', 'ipv6.dst']
    for (const capture of [atServer, atClient]) {
      const packets = await capture.read('websocket.opcode == 1', source, destination, 'tcp.srcport', 'tcp.dstport', 'websocket.mask')
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
      for await (const _message of ws) break
    }
    await ws.close()
    const packets = await capture.read('websocket.pmc == 1', 'text')
    expect(packets.map((layers) => layers['text'])).toEqual([])
  })

  it('shows what was inside of TLS', async () => {
    const capture = new Capture()
    const authority = await createAuthority()
    const server = await echo(capture, { tls: await authority.issue() })
    const ws = await connect(`wss://127.0.0.1:${server.port}`, { tls: { ca: authority.cert } })
    ws.send('secret')
    for await (const _message of ws) break
    await ws.close()
    const frames = await capture.frames()
    expect(frames.map((line) => line.split(' ')[2])).toEqual(['1', '1', '8', '8'])
  })
})

/**
 * Opening handshakes that our rules and the server of `ws` judge: every combination of the values below, which is few enough
 * to need no dice. The head itself is not in question here, so that both are given the same fields.
 */
import { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { IncomingMessage } from 'node:http'
import { acceptOffer, deflateSettings } from '../../src/deflate/index.ts'
import { HeadReader, acceptRequest, formatExtensions, parseExtensions } from '../../src/handshake/index.ts'

export interface Request {
  readonly version: string
  readonly key: string
  readonly upgrade: string
  readonly protocols: string | undefined
  readonly extensions: string | undefined
}

/** A rule as those about streams; `refused`, or `accepted` with the extension agreed upon. */
export interface HandshakeRule {
  readonly name: string
  readonly whose: 'intended' | 'theirs'
  readonly reason: string
  readonly example: Partial<Request>
  explains(request: Request, ours: string, theirs: string): boolean
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const USUAL: Request = { version: '13', key: KEY, upgrade: 'websocket', protocols: undefined, extensions: undefined }
const BITS = ['8', '9', '12', '15', '7', '16', '010', '1e1', '0xA', '+9', '9.0', '-9', '"10"', '"010"', '1 0', '', '1O']
const OFFERS = [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; server_max_window_bits',
  'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  'permessage-deflate; server_no_context_takeover=1',
  'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
  'permessage-deflate; unknown',
  'permessage-deflate; unknown=1, permessage-deflate',
  'permessage-deflate, permessage-deflate; unknown',
  'permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=10',
  'x-webkit-deflate-frame',
  'x-webkit-deflate-frame, permessage-deflate',
  'Permessage-Deflate',
  'permessage-deflate;',
  'permessage-deflate,,',
  ', permessage-deflate',
  'permessage-deflate; ; client_max_window_bits',
  'per message',
  '',
  ...['server', 'client'].flatMap((side) => BITS.map((bits) => `permessage-deflate; ${side}_max_window_bits=${bits}`)),
]
const VALUES: { readonly [Name in keyof Request]: readonly Request[Name][] } = {
  version: ['13', '8', '7', '0', '', '013', '13.0', '+13', '0xd', '1.3e1', '13, 8', '14', ' 13'],
  key: [
    KEY,
    'AAAAAAAAAAAAAAAAAAAAAB==',
    'dGhlIHNhbXBsZSBub25jZQ',
    'dGhlIHNhbXBsZSBub25jZTE=',
    'dGhlIHNhbXBsZSBub25jZ-==',
    '',
  ],
  upgrade: ['websocket', 'WebSocket', 'websocket, h2c', 'h2c, websocket', 'websocket/13', 'h2c', ''],
  protocols: [undefined, 'chat', 'chat, superchat', 'chat, chat', 'chat,,superchat', ', chat', 'chat,', 'a b', ''],
  extensions: [undefined, ...OFFERS],
}

/** Each field with all of its values, and each two of them together. */
export function* requests(): Generator<Request> {
  const names = Object.keys(VALUES) as (keyof Request)[]
  for (const [at, first] of names.entries()) {
    for (const second of names.slice(at + 1)) {
      for (const one of VALUES[first]) {
        for (const other of VALUES[second]) yield { ...USUAL, [first]: one, [second]: other }
      }
    }
  }
}

export function ourAnswer({ version, key, upgrade, protocols, extensions }: Request): string {
  const lines = [
    'GET / HTTP/1.1',
    'Host: localhost',
    'Connection: Upgrade',
    `Upgrade: ${upgrade}`,
    `Sec-WebSocket-Version: ${version}`,
    `Sec-WebSocket-Key: ${key}`,
    ...(protocols === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocols}`]),
    ...(extensions === undefined ? [] : [`Sec-WebSocket-Extensions: ${extensions}`]),
  ]
  const reader = new HeadReader('request')
  reader.read(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
  const settings = deflateSettings({ serverNoContextTakeover: false, clientNoContextTakeover: false })
  const choose: Parameters<typeof acceptRequest>[1] = {
    extensions: (offers) => (settings === undefined ? [] : acceptOffer(offers, settings)),
  }
  const answer = acceptRequest(reader.head, choose)
  return answer.accepted ? accepted(formatExtensions(answer.extensions)) : 'refused'
}

/** What a socket of a server is, as far as the answer to a request asks. */
class Answered extends Duplex {
  text = ''

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.text += chunk.toString('latin1')
    callback()
  }
}

const server = new WebSocketServer({ noServer: true, perMessageDeflate: true })

export function theirAnswer({ version, key, upgrade, protocols, extensions }: Request): string {
  const socket = new Answered()
  const headers = {
    upgrade,
    'sec-websocket-version': version.trim(),
    'sec-websocket-key': key,
    ...(protocols !== undefined && { 'sec-websocket-protocol': protocols }),
    ...(extensions !== undefined && { 'sec-websocket-extensions': extensions }),
  }
  const request = { method: 'GET', url: '/', headers, socket } as unknown as IncomingMessage
  server.handleUpgrade(request, socket, Buffer.alloc(0), (ws) => ws.terminate())
  const lines = socket.text.split('\r\n')
  socket.destroy()
  if (!lines[0].includes(' 101 ')) return 'refused'
  return accepted(
    lines.find((line) => /^sec-websocket-extensions:/i.test(line))?.slice('sec-websocket-extensions:'.length) ?? '',
  )
}

/** Parameters have no order. */
function accepted(extensions: string): string {
  const [agreed] = extensions.trim() === '' ? [] : parseExtensions(extensions.trim())
  if (agreed === undefined) return 'accepted'
  const parameters = agreed.parameters.map(([name, value]) => (value === true ? name : `${name}=${value}`))
  return ['accepted', agreed.name, ...parameters.toSorted()].join(' ')
}

/** Of the offers of permessage-deflate, the values of window bits. */
function windowBits({ extensions = '' }: Request): string[] {
  return [...extensions.matchAll(/_max_window_bits="?([^",;]*)"?/g)].map(([, value]) => value)
}

const VALID_BITS = /^(?:[89]|1[0-5])$/

export const handshakeRules: readonly HandshakeRule[] = [
  {
    name: 'version 8',
    whose: 'intended',
    reason: 'ws speaks the draft version 8, too; we speak 13 alone, which RFC 6455 4.1 demands.',
    example: { version: '8' },
    explains: ({ version }, ours, theirs) => version === '8' && ours === 'refused' && theirs.startsWith('accepted'),
  },
  {
    name: 'version as a number',
    whose: 'theirs',
    reason: 'ws takes whatever JavaScript reads as 13; RFC 6455 4.2.1 demands the value 13.',
    example: { version: '013' },
    explains: ({ version }, ours, theirs) =>
      version.trim() !== '13' && Number(version) === 13 && ours === 'refused' && theirs.startsWith('accepted'),
  },
  {
    name: 'several protocols in Upgrade',
    whose: 'theirs',
    reason: 'ws refuses an Upgrade that names other protocols beside websocket; RFC 9110 7.8 makes it a list.',
    example: { upgrade: 'websocket, h2c' },
    explains: ({ upgrade }, ours, theirs) =>
      upgrade.split(', ').length > 1 &&
      upgrade.includes('websocket') &&
      ours.startsWith('accepted') &&
      theirs === 'refused',
  },
  {
    name: 'empty elements of lists',
    whose: 'theirs',
    reason: 'ws refuses a list with an empty element; RFC 9110 5.6.1.2 has a recipient skip a few of them, as we do.',
    example: { protocols: 'chat,,superchat' },
    explains: ({ protocols = 'x', extensions = 'x' }, ours, theirs) =>
      [protocols, extensions].some((list) => list.split(',').some((one) => one.trim() === '')) &&
      ours.startsWith('accepted') &&
      theirs === 'refused',
  },
  {
    name: 'a window of 15',
    whose: 'intended',
    reason:
      'ws repeats client_max_window_bits=15; we leave it out of the answer, as RFC 7692 7.1.2.2 has a client use 15 then.',
    example: { extensions: 'permessage-deflate; client_max_window_bits=15' },
    explains: (request, ours, theirs) =>
      windowBits(request).includes('15') && theirs === `${ours} client_max_window_bits=15`,
  },
  {
    name: 'window bits as a number',
    whose: 'theirs',
    reason:
      'ws takes window bits in any form that JavaScript reads as a number; RFC 7692 7.1.2 wants decimal digits without leading zeros.',
    example: { extensions: 'permessage-deflate; server_max_window_bits=010' },
    explains: (request, ours, theirs) =>
      ours === 'accepted' &&
      theirs.startsWith('accepted permessage-deflate') &&
      windowBits(request).some((bits) => !VALID_BITS.test(bits) && VALID_BITS.test(String(Number(bits)))),
  },
  {
    name: 'an offer that is not valid',
    whose: 'intended',
    reason:
      'ws refuses the handshake when one offer of permessage-deflate is not valid; we decline that offer, as RFC 7692 7 says, and take the next one or none.',
    example: { extensions: 'permessage-deflate; unknown' },
    explains: ({ extensions = '' }, ours, theirs) =>
      extensions.includes('permessage-deflate;') && ours.startsWith('accepted') && theirs === 'refused',
  },
]

/** A usual request, but for the fields of an example. */
export function requestOf(example: Partial<Request>): Request {
  return { ...USUAL, ...example }
}

/** The rules that explain the difference in what becomes of a request; `undefined` where there is none. */
export function explainHandshake(request: Request): readonly string[] | undefined {
  const ours = ourAnswer(request)
  const theirs = theirAnswer(request)
  if (ours === theirs) return undefined
  return handshakeRules.filter((rule) => rule.explains(request, ours, theirs)).map(({ name }) => name)
}

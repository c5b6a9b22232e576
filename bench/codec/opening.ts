/**
 * The opening handshake: the head of a browser's request, read, with the fields that the handshake asks for; and the answer
 * to its key. ws gets its head from node:http, so its way is that of node: the parser, and an `IncomingMessage` with what it
 * found; it has no part of its own to be called for the key. The limit is the parser alone, and the hash alone.
 */
import crypto from 'node:crypto'
import { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { Case, Way } from './case.ts'
import type { Ours } from './parts.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const ASKED = ['host', 'upgrade', 'connection', 'origin', 'sec-websocket-key', 'sec-websocket-version', 'cookie']

/** As a browser sends it, cookies and all. */
const FIELDS: readonly (readonly [string, string])[] = [
  ['Host', 'chat.example.com'],
  ['Connection', 'Upgrade'],
  ['Pragma', 'no-cache'],
  ['Cache-Control', 'no-cache'],
  [
    'User-Agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
  ],
  ['Upgrade', 'websocket'],
  ['Origin', 'https://chat.example.com'],
  ['Sec-WebSocket-Version', '13'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Accept-Language', 'en-GB,en;q=0.9,de;q=0.8'],
  ['Cookie', 'sid=0123456789abcdef0123456789abcdef; theme=dark; consent=all'],
  ['Sec-WebSocket-Key', KEY],
  ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
]

export function openingCases({ handshake }: Ours): Case[] {
  const lines = FIELDS.map(([name, value]) => `${name}: ${value}\r\n`)
  const request = Buffer.from(`GET /rooms/lobby?name=Ann HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
  const octets = Array.from(request, (_, at) => request.subarray(at, at + 1))
  const all = Object.fromEntries(FIELDS.map(([name, value]) => [name.toLowerCase(), value]))
  const expected = ['GET', '/rooms/lobby?name=Ann', ...ASKED.map((name) => all[name])]
  const head = (name: string, chunks: readonly Buffer[]): Case => ({
    group: 'opening',
    name,
    expected,
    ways: { fullduplex: ourHead(handshake, chunks), ...nodeHead(chunks) },
  })
  return [
    head("head of a browser's request, whole", [request]),
    head("head of a browser's request, octet by octet", octets),
    verdictCase(handshake, request),
    keyCase(handshake),
  ]
}

function ourHead({ HeadReader }: Ours['handshake'], chunks: readonly Buffer[]): Way {
  const read = (): unknown => {
    const reader = new HeadReader('request')
    for (const chunk of chunks) reader.read(chunk)
    const { method, target, fields } = reader.head
    return [method, target, ...ASKED.map((name) => fields.get(name))]
  }
  return { run: read, result: read }
}

/** What is used of node's own parser, which its `_http_common` hands out. */
interface Parser {
  initialize(type: number, resource: object): void
  execute(bytes: Buffer): number | Error
  [callback: number]: (...found: readonly unknown[]) => number
}

interface ParserClass {
  new (): Parser
  readonly REQUEST: number
  readonly kOnHeadersComplete: number
}

/** 2 says that what follows is no HTTP any more. */
const UPGRADED = 2

function nodeHead(chunks: readonly Buffer[]): { ws?: Way; limit?: Way } {
  const { HTTPParser } = createRequire(import.meta.url)('_http_common') as { HTTPParser?: ParserClass }
  if (HTTPParser === undefined) return {}
  const { REQUEST, kOnHeadersComplete } = HTTPParser
  const parser = new HTTPParser()
  const found: { url: unknown; lines: unknown } = { url: undefined, lines: undefined }
  parser[kOnHeadersComplete] = (_major, _minor, lines, _method, url) => {
    found.url = url
    found.lines = lines
    return UPGRADED
  }
  const parse = (): unknown => {
    parser.initialize(REQUEST, {})
    for (const chunk of chunks) parser.execute(chunk)
    return found.url
  }
  const read = (): unknown => {
    parse()
    const message = new IncomingMessage(undefined as unknown as Socket) as IncomingMessage & Lines
    message.method = 'GET'
    message.url = found.url as string
    const lines = found.lines as string[]
    message._addHeaderLines(lines, lines.length)
    return [message.method, message.url, ...ASKED.map((name) => message.headers[name])]
  }
  return { ws: { run: read, result: read }, limit: { run: parse } }
}

interface Lines {
  _addHeaderLines(lines: readonly string[], count: number): void
}

function verdictCase({ HeadReader, acceptRequest }: Ours['handshake'], request: Buffer): Case {
  const reader = new HeadReader('request')
  reader.read(request)
  const { head } = reader
  const judge = (): unknown => acceptRequest(head).accepted
  const name = "verdict on a browser's request"
  return { group: 'opening', name, expected: true, ways: { fullduplex: { run: judge, result: judge } } }
}

function keyCase({ acceptKey }: Ours['handshake']): Case {
  const ours = (): unknown => acceptKey(KEY)
  const limit = (): unknown =>
    crypto.hash === undefined
      ? crypto
          .createHash('sha1')
          .update(KEY + GUID)
          .digest('base64')
      : crypto.hash('sha1', KEY + GUID, 'base64')
  return {
    group: 'opening',
    name: 'answer to a key',
    expected: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    ways: { fullduplex: { run: ours, result: ours }, limit: { run: limit, result: limit } },
  }
}
